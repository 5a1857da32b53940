//! The mapping of a loom model: every word is one of loom's atomics, so that all orders of all threads' steps are tried.

use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// Shared words. 32-bit and 64-bit words have storage of their own: no place is used in both widths by a channel.
pub(crate) struct Mapping {
    words: Vec<AtomicU32>,
    doubles: Vec<AtomicU64>,
}

impl Mapping {
    /// Zeroed words.
    pub(crate) fn heap(bytes: usize) -> Mapping {
        Mapping {
            words: (0..bytes / 4).map(|_| AtomicU32::new(0)).collect(),
            doubles: (0..bytes / 8).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The 32-bit word at byte `at`.
    pub(crate) fn word(&self, at: usize) -> &AtomicU32 {
        &self.words[at / 4]
    }

    /// The 64-bit word at byte `at`.
    pub(crate) fn word64(&self, at: usize) -> &AtomicU64 {
        &self.doubles[at / 8]
    }

    /// A hint is no step of the protocol.
    pub(crate) fn prefetch(&self, _at: usize, _length: usize) {}

    /// As in the real mapping.
    pub(crate) fn put(&self, at: usize, words: &[u64]) {
        for (place, word) in words.iter().enumerate() {
            self.word64(at + place * 8).store(*word, Ordering::Relaxed);
        }
    }

    /// As in the real mapping.
    pub(crate) fn get(&self, at: usize, words: &mut [u64]) {
        for (place, word) in words.iter_mut().enumerate() {
            *word = self.word64(at + place * 8).load(Ordering::Relaxed);
        }
    }
}
