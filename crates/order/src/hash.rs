//! The order hash: one number for everything that was sent, to compare runs.

use tickline_gate::Order;

/// Running FNV-1a (64 bits) over decision, instrument, side, price, quantity, time in force and kind of each order sent,
/// little-endian, in that order. Stamps are left out, so equal decisions hash equally at any speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderHash(u64);

impl Default for OrderHash {
    fn default() -> Self {
        OrderHash(0xcbf2_9ce4_8422_2325)
    }
}

impl OrderHash {
    /// Adds an order.
    #[inline]
    pub fn add(&mut self, order: &Order) {
        let mut bytes = [0u8; 21];
        bytes[..8].copy_from_slice(&order.decision.to_le_bytes());
        bytes[8..10].copy_from_slice(&order.instrument.to_le_bytes());
        bytes[10] = order.side;
        bytes[11..15].copy_from_slice(&order.price.to_le_bytes());
        bytes[15..19].copy_from_slice(&order.qty.to_le_bytes());
        bytes[19] = order.tif;
        bytes[20] = order.kind;
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// The hash so far.
    pub const fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_counts_changes_the_hash_and_stamps_do_not() {
        let order = Order { decision: 1, price: 2, qty: 3, side: 1, kind: 1, ..Order::default() };
        let hash = |order: Order| {
            let mut hash = OrderHash::default();
            hash.add(&order);
            hash.value()
        };
        let base = hash(order);
        let changed = [
            Order { decision: 9, ..order },
            Order { instrument: 9, ..order },
            Order { side: 2, ..order },
            Order { price: 9, ..order },
            Order { qty: 9, ..order },
            Order { tif: 3, ..order },
            Order { kind: 2, ..order },
        ];
        for other in changed {
            assert_ne!(hash(other), base, "{other:?}");
        }
        assert_eq!(hash(Order { time_ns: 9, epoch: 9, token: 9, ..order }), base);
        assert_eq!(OrderHash::default().value(), 0xcbf2_9ce4_8422_2325);
    }
}
