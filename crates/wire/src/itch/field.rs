//! One field of a message: how its bytes become a value and back, and how a person reads it.

use tickline_units::{Nanos, Price, Qty, Side, Symbol};

/// A field's value as tools print it; hot code reads the typed fields instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A count, reference or code number.
    Number(u64),
    /// Dollars x 10,000.
    Price(u32),
    /// Dollars x 100,000,000 (message V only).
    Price8(u64),
    /// One letter.
    Letter(u8),
    /// Up to 8 characters, padded with spaces to the field's width.
    Text([u8; 8]),
}

/// A fixed-width big-endian field. `None` from `get` means that the bytes are no value of this type.
pub(super) trait Field: Copy {
    /// Width on the wire.
    const BYTES: usize;
    /// From exactly `BYTES` bytes.
    fn get(bytes: &[u8]) -> Option<Self>;
    /// Into exactly `BYTES` bytes.
    fn put(self, bytes: &mut [u8]);
    /// For people.
    fn show(self) -> Value;
}

macro_rules! number {
    ($type:ty, $bytes:literal) => {
        impl Field for $type {
            const BYTES: usize = $bytes;
            #[inline(always)]
            fn get(bytes: &[u8]) -> Option<Self> {
                Some(<$type>::from_be_bytes(bytes.try_into().ok()?))
            }
            #[inline(always)]
            fn put(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_be_bytes());
            }
            fn show(self) -> Value {
                Value::Number(u64::from(self))
            }
        }
    };
}
number!(u16, 2);
number!(u32, 4);
number!(u64, 8);

/// One ASCII letter as sent; what it may be is said where the field is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Letter(pub u8);

/// A price of 8 decimals: dollars x 100,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Price8(pub u64);

impl Field for Letter {
    const BYTES: usize = 1;
    #[inline(always)]
    fn get(bytes: &[u8]) -> Option<Self> {
        Some(Letter(*bytes.first()?))
    }
    #[inline(always)]
    fn put(self, bytes: &mut [u8]) {
        bytes[0] = self.0;
    }
    fn show(self) -> Value {
        Value::Letter(self.0)
    }
}

impl Field for Side {
    const BYTES: usize = 1;
    /// ITCH knows `B` and `S` only; OUCH's short-sale letters are no side here.
    #[inline(always)]
    fn get(bytes: &[u8]) -> Option<Self> {
        match bytes.first()? {
            b'B' => Some(Side::Buy),
            b'S' => Some(Side::Sell),
            _ => None,
        }
    }
    #[inline(always)]
    fn put(self, bytes: &mut [u8]) {
        bytes[0] = self.letter();
    }
    fn show(self) -> Value {
        Value::Letter(self.letter())
    }
}

impl Field for Price {
    const BYTES: usize = 4;
    #[inline(always)]
    fn get(bytes: &[u8]) -> Option<Self> {
        u32::get(bytes).map(Price)
    }
    #[inline(always)]
    fn put(self, bytes: &mut [u8]) {
        self.0.put(bytes);
    }
    fn show(self) -> Value {
        Value::Price(self.0)
    }
}

impl Field for Price8 {
    const BYTES: usize = 8;
    #[inline(always)]
    fn get(bytes: &[u8]) -> Option<Self> {
        u64::get(bytes).map(Price8)
    }
    #[inline(always)]
    fn put(self, bytes: &mut [u8]) {
        self.0.put(bytes);
    }
    fn show(self) -> Value {
        Value::Price8(self.0)
    }
}

impl Field for Qty {
    const BYTES: usize = 4;
    #[inline(always)]
    fn get(bytes: &[u8]) -> Option<Self> {
        u32::get(bytes).map(Qty)
    }
    #[inline(always)]
    fn put(self, bytes: &mut [u8]) {
        self.0.put(bytes);
    }
    fn show(self) -> Value {
        Value::Number(u64::from(self.0))
    }
}

impl Field for Symbol {
    const BYTES: usize = 8;
    #[inline(always)]
    fn get(bytes: &[u8]) -> Option<Self> {
        Some(Symbol(bytes.try_into().ok()?))
    }
    #[inline(always)]
    fn put(self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0);
    }
    fn show(self) -> Value {
        Value::Text(self.0)
    }
}

impl<const N: usize> Field for [u8; N] {
    const BYTES: usize = N;
    #[inline(always)]
    fn get(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
    #[inline(always)]
    fn put(self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self);
    }
    fn show(self) -> Value {
        let mut text = [b' '; 8];
        text[..N].copy_from_slice(&self);
        Value::Text(text)
    }
}

impl Field for Nanos {
    /// Nanoseconds since midnight in 48 bits.
    const BYTES: usize = 6;
    #[inline(always)]
    fn get(bytes: &[u8]) -> Option<Self> {
        let high = u16::get(bytes.get(..2)?)?;
        let low = u32::get(bytes.get(2..)?)?;
        Some(Nanos(u64::from(high) << 32 | u64::from(low)))
    }
    #[inline(always)]
    fn put(self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0.to_be_bytes()[2..]);
    }
    fn show(self) -> Value {
        Value::Number(self.0)
    }
}
