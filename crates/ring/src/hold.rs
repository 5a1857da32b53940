//! Three places in a plain segment, for values too large to copy at every look: the reader uses the newest in place while the writer
//! prepares the next one in a place that nobody looks at. Neither ever waits.
//!
//! One writer, one reader. Two words: `published` (the writer's) and `held` (the reader's), each a place from 1 to 3 or 0 for none. The
//! reader announces the place it is about to use and then looks again: either the writer saw the announcement, or the reader sees
//! the newer publication. Both words survive the death of either side.
//!
//! The words lie at the start of the segment's data, a cache line each; what a place is, is the business of the segment's owner.

use crate::sync::AtomicU32;
use crate::sync::Ordering::{Acquire, Relaxed, SeqCst};

#[cfg(not(loom))]
use crate::{
    error::SegmentError,
    layout::AT_DATA,
    segment::{Kind, Segment},
};
#[cfg(not(loom))]
use std::sync::Arc;

/// Number of places.
pub const PLACES: u32 = 3;
/// Bytes of the segment's data that the two words take.
pub const HEAD_BYTES: usize = 128;

/// A place nobody looks at: neither published nor held.
fn free(published: &AtomicU32, held: &AtomicU32) -> u32 {
    let newest = published.load(Relaxed);
    // SYNC: pairs with the reader's store of `held` in `hold`; sequentially consistent, since each side stores its own word and then
    // loads the other's. The acquire part orders the writer's stores to the place after the reader's last loads from it.
    let used = held.load(SeqCst);
    (1..=PLACES).find(|place| *place != newest && *place != used).unwrap_or(1)
}

/// Makes `place` the newest.
fn publish(published: &AtomicU32, place: u32) {
    // SYNC: pairs with the reader's loads of `published`.
    published.store(place, SeqCst);
}

/// Holds the newest place; returns it with whether it changed.
#[inline(always)]
fn hold(published: &AtomicU32, held: &AtomicU32, mine: u32) -> (u32, bool) {
    // SYNC: pairs with `publish`. While the newest place is the one held, nothing is stored.
    let mut newest = published.load(Acquire);
    if newest == mine {
        return (mine, false);
    }
    loop {
        // SYNC: pairs with the writer's load of `held` in `free`.
        held.store(newest, SeqCst);
        let now = published.load(SeqCst);
        if now == newest {
            return (now, true);
        }
        newest = now;
    }
}

/// The writing end. There must be one at a time; who may be it is settled elsewhere (a lock on the segment's file).
#[cfg(not(loom))]
pub struct Publisher {
    segment: Arc<Segment>,
}

#[cfg(not(loom))]
impl Publisher {
    /// Becomes the writer of a plain segment; what a dead writer had begun was never published.
    pub fn attach(segment: Arc<Segment>) -> Result<Publisher, SegmentError> {
        segment.require(Kind::Plain, true)?;
        Ok(Publisher { segment })
    }

    /// The place, 0 to 2, to write the next value to. Until it is published nobody looks at it.
    pub fn free(&self) -> usize {
        let m = &self.segment.mapping;
        free(m.word(AT_DATA), m.word(AT_DATA + 64)) as usize - 1
    }

    /// Makes the value in `place`, as given by [`Publisher::free`], the newest.
    pub fn publish(&mut self, place: usize) {
        debug_assert!(place < PLACES as usize);
        publish(self.segment.mapping.word(AT_DATA), place as u32 + 1);
    }

    /// The newest place; `None` before the first.
    pub fn newest(&self) -> Option<usize> {
        (self.segment.mapping.word(AT_DATA).load(Acquire) as usize).checked_sub(1)
    }
}

/// The reading end; one at a time.
#[cfg(not(loom))]
pub struct Holder {
    segment: Arc<Segment>,
    mine: u32,
}

#[cfg(not(loom))]
impl Holder {
    /// Becomes the reader of a plain segment, in the place of one that died.
    pub fn attach(segment: Arc<Segment>) -> Result<Holder, SegmentError> {
        segment.require(Kind::Plain, true)?;
        Ok(Holder { segment, mine: 0 })
    }

    /// Holds the newest place until the next call: its number, 0 to 2, and whether it is another than before. `None` before the first
    /// publication. Cost: one load while nothing changes.
    #[inline]
    pub fn hold(&mut self) -> Option<(usize, bool)> {
        let m = &self.segment.mapping;
        let (mine, changed) = hold(m.word(AT_DATA), m.word(AT_DATA + 64), self.mine);
        self.mine = mine;
        Some(((mine as usize).checked_sub(1)?, changed))
    }
}

#[cfg(loom)]
#[cfg(test)]
mod tests {
    use super::{PLACES, free, hold, publish};
    use crate::sync::AtomicU32;
    use loom::cell::UnsafeCell;
    use std::sync::Arc;

    /// Goal: the reader never looks at a place that the writer is writing, and sees whole values that never go back. Method: loom
    /// explores every interleaving; its cells report any unordered access to a place.
    #[test]
    fn a_held_place_is_never_written() {
        loom::model(|| {
            let words = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
            let places: Arc<Vec<UnsafeCell<u32>>> =
                Arc::new((0..=PLACES).map(|_| UnsafeCell::new(0)).collect());
            let (near, cells) = (words.clone(), places.clone());
            let writer = loom::thread::spawn(move || {
                for value in 1..=3 {
                    let place = free(&near.0, &near.1);
                    // SAFETY: loom checks that nobody else looks.
                    cells[place as usize].with_mut(|cell| unsafe { *cell = value });
                    publish(&near.0, place);
                }
            });
            let (mut mine, mut last) = (0, 0);
            for _ in 0..2 {
                (mine, _) = hold(&words.0, &words.1, mine);
                if mine > 0 {
                    // SAFETY: loom checks that nobody writes.
                    let value = places[mine as usize].with(|cell| unsafe { *cell });
                    assert!(value >= last && value > 0);
                    last = value;
                }
            }
            writer.join().unwrap();
        });
    }
}
