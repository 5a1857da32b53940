// @hot
//! A hash of books' contents that does not depend on how they are laid out in memory.

use crate::books::{Book, Books};
use tickline_units::Side;

/// FNV-1a over 64-bit words with a final avalanche: the same on every machine, since it is defined on numbers.
pub(crate) struct Digest(u64);

impl Digest {
    pub(crate) fn new() -> Digest {
        Digest(0xCBF2_9CE4_8422_2325)
    }

    #[inline]
    pub(crate) fn word(&mut self, word: u64) {
        // Plain FNV never moves high bits down; the rotation does.
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(29);
    }

    /// The hash so far (splitmix64's finaliser).
    pub(crate) fn value(&self) -> u64 {
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl Book<'_> {
    /// Hash of what rests: per side every order in price-time priority with price, shares and reference. Equal books hash
    /// equally whatever happened before. Cost: every order once.
    pub fn hash(&self) -> u64 {
        let mut digest = Digest::new();
        for side in [Side::Buy, Side::Sell] {
            digest.word(side as u64);
            self.orders(side, |order| {
                digest.word((order.price.0 as u64) << 32 | order.qty.0 as u64);
                digest.word(order.reference);
            });
        }
        digest.value()
    }
}

impl Books {
    /// Hash of all books: symbol and contents of each that has orders, in the order of symbols. Cost: every order once.
    pub fn hash(&self) -> u64 {
        let mut digest = Digest::new();
        for book in self.by_symbol().filter(|book| book.orders_resting() > 0) {
            digest.word(u64::from_be_bytes(book.symbol().0));
            digest.word(book.hash());
        }
        digest.value()
    }
}
