//! Short UTF-8 texts in shared words: a length, then bytes. Single writer; a reader may see an old text or a new one, and at worst
//! a mixture while it is being replaced, which is shown, never acted on.

use crate::mapping::Mapping;
use crate::sync::Ordering::{Acquire, Relaxed, Release};

/// Stores `text`, cut at a character boundary to fit `room` bytes (a multiple of 4). The length word is at `at`, bytes follow it
/// at `bytes_at`.
pub(crate) fn store(m: &Mapping, at: usize, bytes_at: usize, room: usize, text: &str) {
    let mut length = text.len().min(room);
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    m.word(at).store(0, Release);
    for (place, chunk) in text.as_bytes()[..length].chunks(4).enumerate() {
        let mut word = [0u8; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        m.word(bytes_at + place * 4).store(u32::from_le_bytes(word), Relaxed);
    }
    m.word(at).store(length as u32, Release);
}

/// The text; bytes that are not UTF-8 show as U+FFFD.
pub(crate) fn load(m: &Mapping, at: usize, bytes_at: usize, room: usize) -> String {
    let length = (m.word(at).load(Acquire) as usize).min(room);
    let mut bytes = Vec::with_capacity(room);
    for place in 0..length.div_ceil(4) {
        bytes.extend_from_slice(&m.word(bytes_at + place * 4).load(Relaxed).to_le_bytes());
    }
    bytes.truncate(length);
    String::from_utf8_lossy(&bytes).into_owned()
}
