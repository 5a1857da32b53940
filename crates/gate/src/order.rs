//! An order as the gate sees it.

/// Kind of an order: enter.
pub const KIND_ENTER: u8 = 1;
/// Kind of an order: cancel.
pub const KIND_CANCEL: u8 = 2;
/// Kind of an order: replace.
pub const KIND_REPLACE: u8 = 3;
/// Time in force: until the end of the day.
pub const TIF_DAY: u8 = 0;
/// Time in force: immediate or cancel.
pub const TIF_IOC: u8 = 3;
/// Lane of ordinary orders.
pub const LANE_NORMAL: u8 = 0;
/// Lane of orders with high confidence: a token of its own under the same hard limits.
pub const LANE_PRIORITY: u8 = 1;

/// An order as risk wrote it; nothing in it is trusted. Codes are the schema's (`schemas/order.fbs`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The decision it comes from; with the epoch it names the order.
    pub decision: u64,
    /// Line time of the decision.
    pub time_ns: u64,
    /// Line epoch it was decided in.
    pub epoch: u32,
    /// Slot of its token.
    pub token: u32,
    /// Limit, 1/10,000 dollar. Not looked at on a cancel.
    pub price: u32,
    /// Shares; on a cancel the shares that stay.
    pub qty: u32,
    /// User reference of the order to cancel or replace.
    pub target: u32,
    /// Place of the instrument in the line's configuration.
    pub instrument: u16,
    /// Place of the strategy in the line's configuration.
    pub strategy: u16,
    /// 1 buy, 2 sell.
    pub side: u8,
    /// [`LANE_NORMAL`] or [`LANE_PRIORITY`].
    pub lane: u8,
    /// [`KIND_ENTER`], [`KIND_CANCEL`] or [`KIND_REPLACE`].
    pub kind: u8,
    /// [`TIF_DAY`] or [`TIF_IOC`].
    pub tif: u8,
}

impl Order {
    /// Price times quantity, 1/10,000 dollar; cannot overflow.
    #[inline]
    pub const fn notional(&self) -> u64 {
        self.price as u64 * self.qty as u64
    }
}
