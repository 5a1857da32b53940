//! Why an order was refused: one reason for each limit.

/// Declares the reasons: name, stable code, text. `services/execution/refusals.ts` holds the same list; a test compares them.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal $text:literal,)*) => {
        /// Why an order was refused. The codes are stable; 0 is left for "sent".
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Refusal {
            $($(#[$doc])* $name = $code,)*
        }

        impl Refusal {
            /// Every reason, in the order of its code.
            pub const ALL: &[Refusal] = &[$(Refusal::$name,)*];

            /// What people read.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Refusal::$name => $text,)*
                }
            }
        }
    };
}

refusals! {
    /// The bytes are not an Order message.
    Malformed = 1 "the bytes are not an order message",
    /// The armed word is not `ARMD`.
    Disarmed = 2 "the line is not armed",
    /// The order was decided in another epoch.
    Epoch = 3 "the order's epoch is not the line's",
    /// The kind is none of enter, cancel, replace.
    Kind = 4 "the kind is not enter, cancel or replace",
    /// The side is neither buy nor sell.
    Side = 5 "the side is neither buy nor sell",
    /// The lane is neither normal nor priority.
    Lane = 6 "the lane is neither normal nor priority",
    /// The time in force is neither day nor immediate-or-cancel.
    TimeInForce = 7 "the time in force is neither day nor immediate-or-cancel",
    /// The instrument is not in the line's configuration.
    Instrument = 8 "the instrument is not configured",
    /// The token's slot is outside the table.
    TokenSlot = 9 "the token's slot is outside the table",
    /// The token was never written.
    TokenMissing = 10 "there is no token in the slot",
    /// The token was being written while it was read.
    TokenTorn = 11 "the token is torn",
    /// The token belongs to another epoch.
    TokenEpoch = 12 "the token's epoch is not the line's",
    /// The token's time is over.
    TokenExpired = 13 "the token has expired",
    /// The token is for another instrument.
    TokenInstrument = 14 "the token is for another instrument",
    /// The token is for another strategy.
    TokenStrategy = 15 "the token is for another strategy",
    /// The token is for the other side.
    TokenSide = 16 "the token is for the other side",
    /// The token is for the other lane.
    TokenLane = 17 "the token is for the other lane",
    /// The price is below the collar.
    PriceLow = 18 "the price is below the collar",
    /// The price is above the collar.
    PriceHigh = 19 "the price is above the collar",
    /// The price is zero, which means "no price".
    PriceZero = 20 "the price is zero",
    /// The quantity is zero.
    QtyZero = 21 "the quantity is zero",
    /// The quantity is over the token's limit for an order.
    QtyMax = 22 "the quantity is over the token's limit for an order",
    /// The token's cumulative quantity would be exceeded.
    QtyTotal = 23 "the token's quantity is used up",
    /// The token's cumulative notional would be exceeded.
    NotionalTotal = 24 "the token's notional is used up",
    /// The token's cumulative messages would be exceeded.
    MessagesTotal = 25 "the token's messages are used up",
    /// The quantity is over the session's limit for an order.
    SessionQty = 26 "the quantity is over the session's limit for an order",
    /// The notional is over the session's limit for an order.
    SessionNotional = 27 "the notional is over the session's limit for an order",
    /// The session's messages of the last second of line time are used up.
    SessionRate = 28 "the session's message rate is used up",
    /// The session has as many working orders as it may.
    SessionWorking = 29 "the session has as many working orders as it may",
    /// The decision was sent before in this epoch.
    Duplicate = 30 "the decision was sent before",
    /// The decision is too old to tell whether it was sent before.
    DecisionOld = 31 "the decision is too old to tell whether it was sent before",
    /// No user reference number is left.
    UserRefs = 32 "no user reference number is left",
    /// The order to cancel or replace is not working, or is another instrument's or side's.
    Target = 33 "the order to cancel or replace is not known to be working",
    /// The order session is not ready.
    SessionDown = 34 "the order session is not ready",
    /// Bytes of an earlier message still wait for the socket.
    Backlog = 35 "the socket is busy with earlier messages",
}

impl Refusal {
    /// The stable code, for messages and logs.
    #[inline]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// From a stable code; 0 and unknown codes are `None`.
    pub fn from_code(code: u16) -> Option<Refusal> {
        Refusal::ALL.get(usize::from(code).wrapping_sub(1)).copied()
    }
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_dense_from_one_and_come_back() {
        for (at, &refusal) in Refusal::ALL.iter().enumerate() {
            assert_eq!(usize::from(refusal.code()), at + 1);
            assert_eq!(Refusal::from_code(refusal.code()), Some(refusal));
        }
        assert_eq!(Refusal::from_code(0), None);
        assert_eq!(Refusal::from_code(Refusal::ALL.len() as u16 + 1), None);
        assert_eq!(Refusal::from_code(u16::MAX), None);
    }
}
