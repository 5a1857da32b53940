//! Why the venue refuses an order. Source: OUCH 5.0, appendix C.

/// Reason of a `Rejected` message; the numbers are the specification's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Reject {
    /// Display other than visible: hidden orders are not supported.
    InvalidDisplay = 0x0003,
    /// Intermarket sweeps are not supported.
    IsoNotAllowed = 0x0008,
    /// Side letter other than B, S, T, E.
    InvalidSide = 0x0009,
    /// Order entry is disabled.
    FirmNotAuthorized = 0x000C,
    /// Time in force or capacity that is not supported.
    Other = 0x000F,
    /// 0 shares, or more than [`super::SHARES_MAX`].
    InvalidQuantity = 0x0013,
    /// Orders for a cross are not supported.
    InvalidCross = 0x0014,
    /// The order to replace does not rest.
    ReplaceNotAllowed = 0x0015,
    /// No such symbol here.
    InvalidSymbol = 0x0017,
    /// Price 0, above [`super::PRICE_MAX`], or between ticks.
    InvalidPrice = 0x001D,
}
