//! Payloads of a loom model: moved in atomic words, where the real channel hands out plain memory.

use crate::mapping::Mapping;

/// Stores a payload of whole words.
pub(crate) fn store(m: &Mapping, at: usize, bytes: &[u8]) {
    let words: Vec<u64> =
        bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes"))).collect();
    m.put(at, &words);
}

/// Loads a payload and leaks it: a model's run is short, and a record borrows its payload.
pub(crate) fn load(m: &Mapping, at: usize, length: usize) -> &'static [u8] {
    let mut words = vec![0u64; length / 8];
    m.get(at, &mut words);
    Vec::leak(words.iter().flat_map(|word| word.to_le_bytes()).collect())
}
