//! Turns good inputs into nearly good ones: that is where decoders break.

use crate::random::Random;

/// Longest input made.
const BYTES_MAX: usize = 1 << 14;

/// Values on edges, of one to eight bytes.
const EDGES: [u64; 12] =
    [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, u64::MAX / 2, u64::MAX];

/// Makes inputs.
#[derive(Default)]
pub struct Mutator {
    other: Vec<u8>,
}

impl Mutator {
    /// One of the seeds after zero to eight mutations.
    pub fn mutated(&mut self, random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds.get(random.below(seeds.len())).cloned().unwrap_or_default();
        self.other.clear();
        if let Some(seed) = seeds.get(random.below(seeds.len())) {
            self.other.extend_from_slice(seed);
        }
        for _ in 0..random.below(9) {
            self.step(random, &mut bytes);
        }
        bytes.truncate(BYTES_MAX);
        bytes
    }

    fn step(&self, random: &mut Random, bytes: &mut Vec<u8>) {
        let at = random.below(bytes.len());
        let longest = if random.once_in(8) { bytes.len().max(1) } else { 16 };
        let length = 1 + random.below(longest);
        let end = (at + length).min(bytes.len());
        match random.below(9) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            2 => edge(random, bytes, at),
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..end)),
            5 => {
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            6 => {
                let noise: Vec<u8> = (0..length.min(64)).map(|_| random.next() as u8).collect();
                bytes.splice(at..at, noise);
            }
            7 => {
                let from = random.below(self.other.len());
                let to = (from + length).min(self.other.len());
                bytes.splice(at..end, self.other[from..to].iter().copied());
            }
            _ => bytes.extend_from_slice(&self.other),
        }
    }
}

/// Writes an edge value over one to eight bytes, in either byte order.
fn edge(random: &mut Random, bytes: &mut [u8], at: usize) {
    let width = [1, 2, 4, 6, 8][random.below(5)].min(bytes.len() - at.min(bytes.len()));
    let value = EDGES[random.below(EDGES.len())];
    let (big, little) = (value.to_be_bytes(), value.to_le_bytes());
    let raw = if random.once_in(2) { &big[8 - width..] } else { &little[..width] };
    bytes[at..at + width].copy_from_slice(raw);
}
