//! Looking at the books without changing them.

use super::command::{Owner, Ref};
use super::{Engine, Slot};
use tickline_units::{Price, Qty, Side};

/// One price level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Price.
    pub price: Price,
    /// Shares of all its orders.
    pub qty: u64,
}

/// One resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Its reference.
    pub order: Ref,
    /// Whose it is.
    pub owner: Owner,
    /// Place of the symbol.
    pub symbol: u16,
    /// Side.
    pub side: Side,
    /// Price.
    pub price: Price,
    /// Shares left.
    pub qty: Qty,
}

impl Engine {
    /// Number of symbols.
    pub fn symbols(&self) -> u16 {
        self.store.ladders.len() as u16
    }

    /// The best price and its quantity, if the side has any order. The symbol must exist.
    #[inline]
    pub fn best(&self, symbol: u16, side: Side) -> Option<Depth> {
        self.depth(symbol, side, 0)
    }

    /// The `depth`-th level from the best, from 0.
    #[inline]
    pub fn depth(&self, symbol: u16, side: Side, depth: usize) -> Option<Depth> {
        let level = self.store.levels[self.store.ladder(symbol, side).nth(depth)?.level as usize];
        Some(Depth { price: level.price, qty: level.qty })
    }

    /// Number of price levels of a side.
    #[inline]
    pub fn levels(&self, symbol: u16, side: Side) -> usize {
        self.store.ladder(symbol, side).len()
    }

    /// Orders of the `depth`-th level, oldest first; empty when there is no such level.
    pub fn queue(&self, symbol: u16, side: Side, depth: usize) -> impl Iterator<Item = Resting> + '_ {
        let level = self.store.ladder(symbol, side).nth(depth).map(|rung| rung.level);
        level.into_iter().flat_map(|level| self.store.queue(level)).map(|slot| self.resting(slot))
    }

    /// A resting order by its reference.
    #[inline]
    pub fn order(&self, order: Ref) -> Option<Resting> {
        self.store.refs.get(order.0).map(|slot| self.resting(slot))
    }

    /// A number that is equal for equal books: every order of every symbol in priority order (FNV-1a, 64 bit).
    pub fn hash(&self) -> u64 {
        let mut hash = 0xCBF2_9CE4_8422_2325u64;
        let mut feed = |value: u64| hash = (hash ^ value).wrapping_mul(0x0100_0000_01B3);
        for symbol in 0..self.symbols() {
            for side in [Side::Buy, Side::Sell] {
                for rung in self.store.ladder(symbol, side).iter() {
                    for slot in self.store.queue(rung.level) {
                        let order = self.resting(slot);
                        feed(order.order.0);
                        feed((order.price.0 as u64) << 32 | order.qty.0 as u64);
                        feed((symbol as u64) << 32 | (side as u64) << 16 | order.owner.0 as u64);
                    }
                }
            }
        }
        hash
    }

    #[inline]
    fn resting(&self, slot: u32) -> Resting {
        let Slot { order, qty, level, owner, .. } = self.store.slots[slot as usize];
        let level = self.store.levels[level as usize];
        Resting { order, owner, symbol: level.symbol, side: level.side, price: level.price, qty: Qty(qty) }
    }
}
