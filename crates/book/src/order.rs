//! A resting order, and the map from order references to orders.

use crate::slab::{NIL, Slab};

/// A resting order: a link in the queue of its level.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    pub(crate) reference: u64,
    /// Shares left, never 0.
    pub(crate) qty: u32,
    /// Number of its level.
    pub(crate) level: u32,
    /// The order before it in the queue, or `NIL`.
    pub(crate) prev: u32,
    /// The order behind it, or `NIL`.
    pub(crate) next: u32,
    /// Market participant, zeros when not attributed.
    pub(crate) mpid: [u8; 4],
}

/// Open-addressing map from reference to order number: linear probing, at most half full, deletion by shifting back
/// (no tombstones, so that probe lengths do not grow over a day). One slot is 8 bytes, the upper half of the hash and the
/// order's number: a probe compares hashes in one cache line and visits an order only when they agree.
pub(crate) struct Index {
    slots: Vec<u64>,
    /// 32 - log2(slots): the home of a hash is `hash >> shift`.
    shift: u32,
    used: usize,
    grown: u64,
}

const EMPTY: u64 = u64::MAX;

#[inline]
fn hash(reference: u64) -> u32 {
    // Fibonacci hashing spreads consecutive references evenly; the fold lets high bits matter.
    ((reference ^ (reference >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}

impl Index {
    /// Room for `capacity` references before the first growth.
    pub(crate) fn with_capacity(capacity: usize) -> Index {
        let bits = (capacity.max(32) * 2).next_power_of_two().trailing_zeros().min(31);
        Index { slots: vec![EMPTY; 1 << bits], shift: 32 - bits, used: 0, grown: 0 }
    }

    /// Place and order number of `reference`, if it rests.
    #[inline]
    pub(crate) fn find(&self, reference: u64, orders: &Slab<Order>) -> Option<(usize, u32)> {
        let hash = hash(reference);
        let mask = self.slots.len() - 1;
        let mut place = (hash >> self.shift) as usize;
        loop {
            let slot = self.slots[place & mask];
            if slot == EMPTY {
                return None;
            }
            if (slot >> 32) as u32 == hash && orders.at(slot as u32).reference == reference {
                return Some((place & mask, slot as u32));
            }
            place += 1;
        }
    }

    /// Enters a reference that is known to be absent.
    #[inline]
    pub(crate) fn insert(&mut self, reference: u64, order: u32) {
        debug_assert!(order != NIL);
        if self.used * 2 >= self.slots.len() {
            self.grow();
        }
        self.used += 1;
        self.place((hash(reference) as u64) << 32 | order as u64);
    }

    #[inline]
    fn place(&mut self, slot: u64) {
        let mask = self.slots.len() - 1;
        let mut place = (slot >> 32 >> self.shift) as usize;
        while self.slots[place & mask] != EMPTY {
            place += 1;
        }
        self.slots[place & mask] = slot;
    }

    #[cold]
    fn grow(&mut self) {
        self.grown += 1;
        let old = std::mem::take(&mut self.slots);
        assert!(self.shift > 1, "index is full");
        self.shift -= 1;
        self.slots = vec![EMPTY; old.len() * 2];
        for slot in old {
            if slot != EMPTY {
                self.place(slot);
            }
        }
    }

    /// Removes what `find` found at `place`.
    #[inline]
    pub(crate) fn remove(&mut self, place: usize) {
        let mask = self.slots.len() - 1;
        let mut hole = place;
        let mut probe = place;
        loop {
            probe = (probe + 1) & mask;
            let slot = self.slots[probe];
            if slot == EMPTY {
                break;
            }
            let home = (slot >> 32 >> self.shift) as usize;
            // A slot may move back into the hole only when that is not before its home.
            if probe.wrapping_sub(home) & mask >= probe.wrapping_sub(hole) & mask {
                self.slots[hole] = slot;
                hole = probe;
            }
        }
        self.slots[hole] = EMPTY;
        self.used -= 1;
    }

    /// Forgets everything, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(EMPTY);
        self.used = 0;
    }

    /// References held.
    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// Times the memory had to grow past what was asked for.
    pub(crate) fn grown(&self) -> u64 {
        self.grown
    }
}
