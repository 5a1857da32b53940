//! A 64-bit value in 32-bit words, for readers and writers that only have those (JavaScript without BigInt).
//!
//! The high half is stored twice, around the low half; a reader reads in the opposite order. Equal high halves mean a whole value.
//! Holds for values that only grow; see `load` for what a reader gets when the writer died in between.

use crate::mapping::Mapping;
use crate::sync::Ordering::{Acquire, Relaxed, Release};

const HIGH: usize = 0;
const LOW: usize = 4;
const HIGH_AGAIN: usize = 8;

/// Tries before a reader takes the lower bound: the writer's three stores take nanoseconds, so it is dead or descheduled.
const TRIES: u32 = 64;

/// Stores a value not below the one before. Single writer. Usually one store: the high half changes every 4.3 s of nanoseconds.
#[inline]
pub(crate) fn store(m: &Mapping, at: usize, value: u64) {
    let high = (value >> 32) as u32;
    let same = m.word(at + HIGH).load(Relaxed) == high && m.word(at + HIGH_AGAIN).load(Relaxed) == high;
    if !same {
        m.word(at + HIGH).store(high, Release);
    }
    m.word(at + LOW).store(value as u32, Release);
    if !same {
        m.word(at + HIGH_AGAIN).store(high, Release);
    }
}

/// The value; when the writer stopped between its stores, a lower bound of it (never ahead of the truth).
#[inline]
pub(crate) fn load(m: &Mapping, at: usize) -> u64 {
    let mut high = 0;
    for _ in 0..TRIES {
        high = m.word(at + HIGH_AGAIN).load(Acquire);
        let low = m.word(at + LOW).load(Acquire);
        if m.word(at + HIGH).load(Acquire) == high {
            return (high as u64) << 32 | low as u64;
        }
        core::hint::spin_loop();
    }
    (high as u64) << 32
}
