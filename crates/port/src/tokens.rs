//! The token table in the segment `tokens`.

use tickline_gate::{Gate, TOKEN_AT_USED, TOKEN_BYTES, TOKEN_WORDS, TokenImage, Used, WORD_EPOCH, WORD_USED};
use tickline_ring::Plain;

/// Reads tokens, and writes the gate's used totals beside them.
pub struct TokenTable {
    plain: Plain,
}

impl TokenTable {
    /// Over the mapped segment.
    pub fn new(plain: Plain) -> TokenTable {
        TokenTable { plain }
    }

    /// A slot as it is now; all zero, which is no token, outside the segment.
    #[inline]
    pub fn image(&self, slot: u32) -> TokenImage {
        match self.plain.read_guarded::<TOKEN_WORDS>(slot as usize * TOKEN_BYTES) {
            Some(read) => TokenImage { words: read.words, begin_again: read.begin_again },
            None => TokenImage::default(),
        }
    }

    /// Publishes what the gate has let through on a slot; before the order is written, so that a restart counts it in any case.
    #[inline]
    pub fn publish_used(&self, slot: u32, used: Used, epoch: u32) {
        let words = [used.qty, used.notional, used.messages, u64::from(epoch)];
        self.plain.store(slot as usize * TOKEN_BYTES + TOKEN_AT_USED, &words);
    }

    /// Hands the totals that an earlier gate published to a new one.
    pub fn restore(&self, gate: &mut Gate) {
        for slot in 0..gate.slots() as u32 {
            let mut words = [0; WORD_EPOCH - WORD_USED + 1];
            self.plain.load(slot as usize * TOKEN_BYTES + TOKEN_AT_USED, &mut words);
            let [qty, notional, messages, epoch] = words;
            if let Ok(epoch) = u32::try_from(epoch) {
                gate.restore_used(slot, epoch, Used { qty, notional, messages });
            }
        }
    }
}
