// @hot
//! A price level, and the ladder of one side's levels.

use tickline_units::{Price, Side};

/// A price level as readers see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Price; 0 where there is no level.
    pub price: Price,
    /// Shares of all orders at this price; more than `u32::MAX` is possible.
    pub qty: u64,
    /// Number of orders.
    pub orders: u32,
}

/// A level with its queue of orders, first in first out from `head`.
#[derive(Clone, Copy)]
pub(crate) struct Queue {
    pub(crate) qty: u64,
    pub(crate) price: Price,
    pub(crate) orders: u32,
    pub(crate) head: u32,
    pub(crate) tail: u32,
    pub(crate) book: u32,
    pub(crate) side: Side,
}

/// One side's levels in price order, the best *last*: nearly all changes happen near the touch, so nearly every
/// insertion or removal moves only a few entries, and a search from the end is short.
pub(crate) struct Ladder {
    rungs: Vec<Rung>,
}

#[derive(Clone, Copy)]
struct Rung {
    /// Rises with how good the price is.
    rank: u32,
    queue: u32,
}

/// How many rungs are tried one by one from the touch before the search turns binary.
const NEAR: usize = 16;

#[inline]
fn rank(side: Side, price: Price) -> u32 {
    match side {
        Side::Buy => price.0,
        Side::Sell => !price.0,
    }
}

impl Ladder {
    pub(crate) fn with_capacity(levels: usize) -> Ladder {
        Ladder { rungs: Vec::with_capacity(levels) }
    }

    /// Number of the queue at `price`, or the place where it belongs.
    #[inline]
    pub(crate) fn find(&self, side: Side, price: Price) -> Result<u32, usize> {
        self.search(rank(side, price)).map(|at| self.rungs[at].queue)
    }

    #[inline]
    fn search(&self, rank: u32) -> Result<usize, usize> {
        let far = self.rungs.len().saturating_sub(NEAR);
        for (near, rung) in self.rungs[far..].iter().enumerate().rev() {
            if rung.rank <= rank {
                return if rung.rank == rank { Ok(far + near) } else { Err(far + near + 1) };
            }
        }
        self.rungs[..far].binary_search_by_key(&rank, |rung| rung.rank)
    }

    /// Enters a queue at the place `find` gave. True when memory had to grow.
    #[inline]
    pub(crate) fn insert(&mut self, place: usize, side: Side, price: Price, queue: u32) -> bool {
        let grew = self.rungs.len() == self.rungs.capacity();
        self.rungs.insert(place, Rung { rank: rank(side, price), queue });
        grew
    }

    /// Removes the level at `price`; it must be there.
    #[inline]
    pub(crate) fn remove(&mut self, side: Side, price: Price) {
        match self.search(rank(side, price)) {
            Ok(at) => {
                self.rungs.remove(at);
            }
            Err(_) => debug_assert!(false, "an emptied level is on its ladder"),
        }
    }

    /// Numbers of the queues, best first.
    #[inline]
    pub(crate) fn best_first(&self) -> impl Iterator<Item = u32> + '_ {
        self.rungs.iter().rev().map(|rung| rung.queue)
    }

    pub(crate) fn len(&self) -> usize {
        self.rungs.len()
    }

    pub(crate) fn clear(&mut self) {
        self.rungs.clear();
    }
}
