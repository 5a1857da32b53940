//! One side of one symbol's book: its price levels, sorted, best last.

use tickline_units::{Price, Side};

/// A level's place in the order of prices: larger is better, for either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(pub(super) u32);

impl Key {
    /// The key of `price` on `side`.
    #[inline]
    pub(super) const fn of(side: Side, price: Price) -> Key {
        match side {
            Side::Buy => Key(price.0),
            Side::Sell => Key(!price.0),
        }
    }

    /// The worst key there is: a limit no price fails.
    pub(super) const WORST: Key = Key(0);
}

#[derive(Clone, Copy)]
pub(super) struct Rung {
    pub(super) key: Key,
    pub(super) level: u32,
}

/// Levels of one side. Most activity is at the touch, so the search starts there and goes on by bisection.
#[derive(Default)]
pub(super) struct Ladder {
    rungs: Vec<Rung>,
    /// Orders of users (not of the public flow) on this side.
    pub(super) owned: u32,
}

/// Levels looked at one by one from the touch before bisecting the rest.
const NEAR: usize = 12;

impl Ladder {
    pub(super) fn with_capacity(levels: usize) -> Ladder {
        Ladder { rungs: Vec::with_capacity(levels), owned: 0 }
    }

    #[inline]
    pub(super) fn best(&self) -> Option<Rung> {
        self.rungs.last().copied()
    }

    /// Rungs from the best to the worst.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = Rung> + '_ {
        self.rungs.iter().rev().copied()
    }

    /// The `depth`-th rung from the best, from 0.
    #[inline]
    pub(super) fn nth(&self, depth: usize) -> Option<Rung> {
        let at = self.rungs.len().checked_sub(depth + 1)?;
        self.rungs.get(at).copied()
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.rungs.len()
    }

    /// Place of `key` (`Ok`) or where it would go (`Err`).
    #[inline]
    pub(super) fn find(&self, key: Key) -> Result<usize, usize> {
        let end = self.rungs.len();
        let near = end.saturating_sub(NEAR);
        for at in (near..end).rev() {
            let here = self.rungs[at].key;
            if here == key {
                return Ok(at);
            }
            if here < key {
                return Err(at + 1);
            }
        }
        self.rungs[..near].binary_search_by(|rung| rung.key.cmp(&key))
    }

    /// The level at place `at`.
    #[inline]
    pub(super) fn level(&self, at: usize) -> u32 {
        self.rungs[at].level
    }

    /// Puts a level at the place `find` gave.
    #[inline]
    pub(super) fn insert(&mut self, at: usize, rung: Rung) {
        self.rungs.insert(at, rung);
    }

    /// Takes the level with `key` out, which is there.
    #[inline]
    pub(super) fn remove(&mut self, key: Key) {
        if let Ok(at) = self.find(key) {
            self.rungs.remove(at);
        }
    }
}
