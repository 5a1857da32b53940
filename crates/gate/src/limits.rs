//! Limits of the whole session, fixed when it starts.

use core::fmt;

/// Hard limits of an order session; no token widens them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Most shares in one order.
    pub order_qty_max: u32,
    /// Most notional in one order, 1/10,000 dollar.
    pub order_notional_max: u64,
    /// Most messages in any second of line time.
    pub messages_per_second: u32,
    /// Most orders that may work at once.
    pub working_orders_max: u32,
}

/// A session limit that cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitError {
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub value: u64,
    /// Least value allowed.
    pub least: u64,
    /// Most allowed.
    pub most: u64,
}

impl SessionLimits {
    /// Most messages a second that can be asked for: the gate remembers the time of each.
    pub const MESSAGES_PER_SECOND_MAX: u32 = 1_000_000;

    /// Checks that the limits let something through and fit what the gate can hold.
    ///
    /// # Errors
    /// [`LimitError`] with the first field out of range.
    pub fn checked(self) -> Result<SessionLimits, LimitError> {
        let ranges = [
            ("order_qty_max", u64::from(self.order_qty_max), 1, 999_999),
            ("order_notional_max", self.order_notional_max, 1, u64::MAX),
            (
                "messages_per_second",
                u64::from(self.messages_per_second),
                1,
                u64::from(SessionLimits::MESSAGES_PER_SECOND_MAX),
            ),
            ("working_orders_max", u64::from(self.working_orders_max), 1, u64::from(u32::MAX)),
        ];
        for (field, value, least, most) in ranges {
            if value < least || value > most {
                return Err(LimitError { field, value, least, most });
            }
        }
        Ok(self)
    }
}

impl LimitError {
    /// The error's stable code.
    pub const CODE: &'static str = "GATE_LIMIT";
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LimitError { field, value, least, most } = self;
        write!(f, "{}: {field} is {value}; set it between {least} and {most}", LimitError::CODE)
    }
}

impl core::error::Error for LimitError {}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SessionLimits = SessionLimits {
        order_qty_max: 999_999,
        order_notional_max: 1,
        messages_per_second: 1_000_000,
        working_orders_max: 1,
    };

    #[test]
    fn the_ends_of_the_ranges_pass_and_one_beyond_is_refused() {
        assert_eq!(LIMITS.checked(), Ok(LIMITS));
        let field = |limits: SessionLimits| limits.checked().unwrap_err().field;
        assert_eq!(field(SessionLimits { order_qty_max: 0, ..LIMITS }), "order_qty_max");
        assert_eq!(field(SessionLimits { order_qty_max: 1_000_000, ..LIMITS }), "order_qty_max");
        assert_eq!(field(SessionLimits { order_notional_max: 0, ..LIMITS }), "order_notional_max");
        assert_eq!(field(SessionLimits { messages_per_second: 0, ..LIMITS }), "messages_per_second");
        assert_eq!(field(SessionLimits { messages_per_second: 1_000_001, ..LIMITS }), "messages_per_second");
        assert_eq!(field(SessionLimits { working_orders_max: 0, ..LIMITS }), "working_orders_max");
    }
}
