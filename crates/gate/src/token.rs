//! The token: budget that risk reserved for one strategy, instrument, side and lane.
//!
//! A slot is 128 bytes in the segment `tokens`: 64 written by risk, then 64 of the gate's own (see ARCHITECTURE,
//! "Tokens"). Budgets are cumulative since the epoch began, so no word has two writers.

use crate::Refusal;

/// Bytes of a slot.
pub const TOKEN_BYTES: usize = 128;
/// Words that risk writes, from the start of a slot.
pub const TOKEN_WORDS: usize = 8;
/// Offset of the gate's used totals within a slot: quantity, notional, messages, each u64.
pub const TOKEN_AT_USED: usize = 64;
/// Word of a slot where the used totals begin.
pub const WORD_USED: usize = TOKEN_AT_USED / 8;
/// Word of a slot where the gate writes the epoch that its used totals count from.
pub const WORD_EPOCH: usize = WORD_USED + 3;
/// Marks a slot that has been written.
pub const TOKEN_MAGIC: u16 = 0x544B;

/// Risk's half of a slot as it was read: the words in order, then the first half of word 0 once more, read last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenImage {
    /// The words, little-endian.
    pub words: [u64; TOKEN_WORDS],
    /// `begin` read again after the words.
    pub begin_again: u32,
}

/// A token that is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Token {
    /// The epoch it is for.
    pub epoch: u32,
    /// Line time after which it refuses.
    pub expiry_ns: u64,
    /// Lowest price allowed, 1/10,000 dollar, inclusive.
    pub price_low: u32,
    /// Highest price allowed, inclusive.
    pub price_high: u32,
    /// Most shares in one order.
    pub qty_max: u32,
    /// Instrument it is for.
    pub instrument: u16,
    /// Strategy it is for.
    pub strategy: u16,
    /// Shares since the epoch began.
    pub qty_total: u64,
    /// Notional since the epoch began, 1/10,000 dollar.
    pub notional_total: u64,
    /// Messages since the epoch began.
    pub messages_total: u64,
    /// Side it is for: 1 buy, 2 sell.
    pub side: u8,
    /// Lane it is for.
    pub lane: u8,
}

/// What the gate has let through on a slot since the epoch began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Shares.
    pub qty: u64,
    /// Notional, 1/10,000 dollar.
    pub notional: u64,
    /// Messages.
    pub messages: u64,
}

impl TokenImage {
    /// The token, when it is whole: `begin` even, not zero, the same before and after, and equal to `end`.
    ///
    /// # Errors
    /// [`Refusal::TokenMissing`] when the slot was never written, [`Refusal::TokenTorn`] when it was being written.
    #[inline]
    pub fn token(&self) -> Result<Token, Refusal> {
        let [w0, expiry_ns, collar, w3, qty_total, notional_total, messages_total, w7] = self.words;
        let begin = w0 as u32;
        let end = (w7 >> 32) as u32;
        if begin & 1 != 0 || self.begin_again != begin || end != begin {
            return Err(Refusal::TokenTorn);
        }
        if begin == 0 || (w7 >> 16) as u16 != TOKEN_MAGIC {
            return Err(Refusal::TokenMissing);
        }
        Ok(Token {
            epoch: (w0 >> 32) as u32,
            expiry_ns,
            price_low: collar as u32,
            price_high: (collar >> 32) as u32,
            qty_max: w3 as u32,
            instrument: (w3 >> 32) as u16,
            strategy: (w3 >> 48) as u16,
            qty_total,
            notional_total,
            messages_total,
            side: w7 as u8,
            lane: (w7 >> 8) as u8,
        })
    }
}

impl Token {
    /// The words a writer leaves behind; `begin` is even and not zero.
    pub fn image(&self, begin: u32) -> TokenImage {
        let word = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        let kind = u64::from(self.side) | u64::from(self.lane) << 8 | u64::from(TOKEN_MAGIC) << 16;
        TokenImage {
            words: [
                word(begin, self.epoch),
                self.expiry_ns,
                word(self.price_low, self.price_high),
                u64::from(self.qty_max) | u64::from(self.instrument) << 32 | u64::from(self.strategy) << 48,
                self.qty_total,
                self.notional_total,
                self.messages_total,
                kind | u64::from(begin) << 32,
            ],
            begin_again: begin,
        }
    }
}
