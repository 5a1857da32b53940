//! Integer newtypes of the line: price, quantity, time, instrument, side.
//!
//! Money is integers everywhere: a price is 1/10,000 dollar, a quantity is one share, time is nanoseconds.
#![forbid(unsafe_code)]

/// Price in 1/10,000 dollar, as ITCH and OUCH carry it. Zero means "no price".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Price(pub u32);

/// Number of shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Qty(pub u32);

/// Nanoseconds; which clock is said by the field's name (`time`: line time, `rx`: monotonic, `venue`: venue time).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Nanos(pub u64);

/// Stock symbol, ASCII, left-justified, padded with spaces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Symbol(pub [u8; 8]);

/// Side of an order or a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// Buys; bids.
    Buy = 1,
    /// Sells; asks.
    Sell = 2,
}

/// An instrument's place in the line's configuration, from 0; stable for a run, unlike a locate code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Instrument(pub u16);

/// Price times quantity in 1/10,000 dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Notional(pub u64);

impl Price {
    /// The value of `qty` shares at this price; cannot overflow.
    #[inline]
    pub const fn times(self, qty: Qty) -> Notional {
        Notional(self.0 as u64 * qty.0 as u64)
    }
}

impl Side {
    /// The other side.
    #[inline]
    pub const fn opposite(self) -> Side {
        match self {
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        }
    }

    /// From the schema's number (1 buy, 2 sell); anything else is `None`.
    #[inline]
    pub const fn from_code(code: u8) -> Option<Side> {
        match code {
            1 => Some(Side::Buy),
            2 => Some(Side::Sell),
            _ => None,
        }
    }

    /// From the letter of ITCH and OUCH (`B` buys; OUCH's `S`, `T`, `E` all sell); anything else is `None`.
    #[inline]
    pub const fn from_letter(letter: u8) -> Option<Side> {
        match letter {
            b'B' => Some(Side::Buy),
            b'S' | b'T' | b'E' => Some(Side::Sell),
            _ => None,
        }
    }

    /// The letter ITCH and OUCH use: `B` or `S`.
    #[inline]
    pub const fn letter(self) -> u8 {
        match self {
            Side::Buy => b'B',
            Side::Sell => b'S',
        }
    }
}

impl Symbol {
    /// From text of 1 to 8 printable ASCII characters without spaces; anything else is `None`.
    pub fn new(text: &str) -> Option<Symbol> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > 8 || !bytes.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut padded = [b' '; 8];
        padded[..bytes.len()].copy_from_slice(bytes);
        Some(Symbol(padded))
    }

    /// The text without padding; bytes that are not ASCII show as `?`.
    pub fn text(&self) -> String {
        let end = self.0.iter().rposition(|&b| b != b' ' && b != 0).map_or(0, |at| at + 1);
        self.0[..end].iter().map(|&b| if b.is_ascii_graphic() { b as char } else { '?' }).collect()
    }
}

impl core::fmt::Debug for Symbol {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbol_pads_and_trims() {
        let goog = Symbol::new("GOOG").unwrap();
        assert_eq!(&goog.0, b"GOOG    ");
        assert_eq!(goog.text(), "GOOG");
        assert!(Symbol::new("").is_none());
        assert!(Symbol::new("NINECHARS").is_none());
        assert!(Symbol::new("A B").is_none());
    }

    #[test]
    fn notional_of_the_largest_order_does_not_overflow() {
        assert_eq!(Price(u32::MAX).times(Qty(u32::MAX)).0, u32::MAX as u64 * u32::MAX as u64);
    }

    #[test]
    fn sides_round_trip() {
        for side in [Side::Buy, Side::Sell] {
            assert_eq!(Side::from_code(side as u8), Some(side));
            assert_eq!(Side::from_letter(side.letter()), Some(side));
            assert_eq!(side.opposite().opposite(), side);
        }
        assert_eq!(Side::from_code(0), None);
    }
}
