//! How messages are declared: one line per field, in wire order, and both codecs follow.

use super::{Appendage, OuchError};

/// A field's value as tools print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A count, number, time or price.
    Number(u64),
    /// An offset to a price.
    Signed(i64),
    /// One letter, or text padded with spaces.
    Text(&'a [u8]),
}

/// A field of fixed width, big-endian.
pub(super) trait Field: Sized {
    /// Bytes on the wire.
    const BYTES: usize;
    /// Reads the field and moves on; `None` when the bytes end.
    fn take(from: &mut &[u8]) -> Option<Self>;
    /// Writes the field and moves on. Room has been checked by the message.
    fn put(self, to: &mut &mut [u8]);
    /// For people.
    fn show(&self) -> Value<'_>;
}

macro_rules! integer_field {
    ($($integer:ty),*) => {$(
        impl Field for $integer {
            const BYTES: usize = size_of::<$integer>();
            #[inline(always)]
            fn take(from: &mut &[u8]) -> Option<Self> {
                let (bytes, rest) = from.split_first_chunk()?;
                *from = rest;
                Some(<$integer>::from_be_bytes(*bytes))
            }
            #[inline(always)]
            fn put(self, to: &mut &mut [u8]) {
                self.to_be_bytes().put(to);
            }
            fn show(&self) -> Value<'_> {
                Value::Number(u64::from(*self))
            }
        }
    )*};
}

integer_field!(u16, u32, u64);

/// A single byte is a letter in every message.
impl Field for u8 {
    const BYTES: usize = 1;

    #[inline(always)]
    fn take(from: &mut &[u8]) -> Option<Self> {
        let (&letter, rest) = from.split_first()?;
        *from = rest;
        Some(letter)
    }

    #[inline(always)]
    fn put(self, to: &mut &mut [u8]) {
        [self].put(to);
    }

    fn show(&self) -> Value<'_> {
        Value::Text(core::slice::from_ref(self))
    }
}

impl<const N: usize> Field for [u8; N] {
    const BYTES: usize = N;

    #[inline(always)]
    fn take(from: &mut &[u8]) -> Option<Self> {
        let (bytes, rest) = from.split_first_chunk()?;
        *from = rest;
        Some(*bytes)
    }

    #[inline(always)]
    fn put(self, to: &mut &mut [u8]) {
        let (head, rest) = core::mem::take(to).split_at_mut(N);
        head.copy_from_slice(&self);
        *to = rest;
    }

    fn show(&self) -> Value<'_> {
        Value::Text(self)
    }
}

/// The appendage of a message whose fixed fields have been taken: `rest` is what follows them.
#[inline]
pub(super) fn appendage<'a>(
    kind: u8,
    fixed: usize,
    found: usize,
    rest: &'a [u8],
) -> Result<Appendage<'a>, OuchError> {
    match rest {
        [] => Ok(Appendage::NONE),
        [_] => Err(OuchError::Length { kind, fixed, found }),
        [high, low, bytes @ ..] => {
            let stated = usize::from(u16::from_be_bytes([*high, *low]));
            if stated != bytes.len() {
                return Err(OuchError::AppendageLength { kind, stated, found: bytes.len() });
            }
            Appendage::new(bytes)
        }
    }
}

/// A field's name for people: the specification's words where the code has a shorter one.
macro_rules! spoken {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident as $spoken:ident) => {
        stringify!($spoken)
    };
}

/// Declares a message: its struct, its letter, and its codec. `tail 0` writes no length of an empty appendage.
macro_rules! message {
    ($(#[$doc:meta])* $name:ident, $title:literal, $kind:literal $(, tail $tail:literal)? {
        $($(#[$field_doc:meta])* $field:ident $(as $spoken:ident)?: $type:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl $name {
            /// Its name in the specification.
            const TITLE: &'static str = $title;
            /// The type letter in this direction.
            pub const KIND: u8 = $kind;
            /// Bytes of the type letter and the fixed fields, without the appendage length.
            pub const FIXED_BYTES: usize = 1 $(+ <$type as $crate::ouch::message::Field>::BYTES)*;

            /// Bytes of the appendage length when the appendage is empty.
            const TAIL_BYTES: usize = [$($tail,)? 2][0];

            /// Reads the message and its appendage from all of `bytes`, type letter included.
            #[inline]
            fn decode(bytes: &[u8]) -> Result<($name, Appendage<'_>), OuchError> {
                let short = OuchError::Length { kind: $kind, fixed: $name::FIXED_BYTES, found: bytes.len() };
                #[allow(unused_mut)] // a message without fields takes none
                let mut rest = bytes.get(1..).ok_or(short)?;
                let message = $name {
                    $($field: <$type as $crate::ouch::message::Field>::take(&mut rest).ok_or(short)?,)*
                };
                let tail = $crate::ouch::message::appendage($kind, $name::FIXED_BYTES, bytes.len(), rest)?;
                Ok((message, tail))
            }

            /// Writes the message, its appendage length and appendage; returns the bytes written.
            ///
            /// # Errors
            /// [`OuchError::NoRoom`]; `out` is unchanged.
            #[inline]
            pub fn encode(&self, appendage: Appendage<'_>, out: &mut [u8]) -> Result<usize, OuchError> {
                let tail = appendage.bytes();
                let length_bytes = if tail.is_empty() { $name::TAIL_BYTES } else { 2 };
                let need = $name::FIXED_BYTES + length_bytes + tail.len();
                if tail.len() > usize::from(u16::MAX) || need > out.len() {
                    return Err(OuchError::NoRoom { need, have: out.len() });
                }
                let (mut head, rest) = out.split_at_mut($name::FIXED_BYTES);
                $crate::ouch::message::Field::put($name::KIND, &mut head);
                $($crate::ouch::message::Field::put(self.$field, &mut head);)*
                if length_bytes > 0 {
                    rest[..2].copy_from_slice(&(tail.len() as u16).to_be_bytes());
                    rest[2..2 + tail.len()].copy_from_slice(tail);
                }
                Ok(need)
            }

            /// Calls `each` with every field's name in the specification's words and its value, in wire order.
            #[allow(unused_variables)] // a message without fields shows none
            fn fields(&self, each: &mut dyn FnMut(&'static str, $crate::ouch::Value<'_>)) {
                $(each($crate::ouch::message::spoken!($field $(as $spoken)?), $crate::ouch::message::Field::show(&self.$field));)*
            }
        }
    };
}

/// Declares a direction: an enum over its messages, and its codec.
macro_rules! direction {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $message:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name<'a> {
            $($(#[$variant_doc])* $message($message, Appendage<'a>),)*
        }

        impl<'a> $name<'a> {
            /// Reads one message that fills `bytes`.
            ///
            /// # Errors
            /// [`OuchError`]: empty, unknown type, wrong length, or a bad appendage.
            #[inline]
            pub fn decode(bytes: &'a [u8]) -> Result<$name<'a>, OuchError> {
                let &kind = bytes.first().ok_or(OuchError::Empty)?;
                match kind {
                    $($message::KIND => {
                        $message::decode(bytes).map(|(message, tail)| $name::$message(message, tail))
                    })*
                    _ => Err(OuchError::UnknownType { kind }),
                }
            }

            /// Writes the message with its appendage length; returns the bytes written.
            ///
            /// # Errors
            /// [`OuchError::NoRoom`].
            pub fn encode(&self, out: &mut [u8]) -> Result<usize, OuchError> {
                match self {
                    $($name::$message(message, tail) => message.encode(*tail, out),)*
                }
            }

            /// The message's name in the specification.
            pub const fn name(&self) -> &'static str {
                match self { $($name::$message(..) => $message::TITLE,)* }
            }

            /// The message's type letter in this direction.
            pub const fn letter(&self) -> u8 {
                match self { $($name::$message(..) => $message::KIND,)* }
            }

            /// Bytes of the type letter and the fixed fields: a message of just this length is a short form.
            pub const fn fixed_bytes(&self) -> usize {
                match self { $($name::$message(..) => $message::FIXED_BYTES,)* }
            }

            /// The appendage, perhaps empty.
            pub const fn appendage(&self) -> Appendage<'a> {
                match self { $($name::$message(_, tail) => *tail,)* }
            }

            /// Calls `each` with every fixed field's name in the specification's words (`user_ref_num`) and its value, in wire
            /// order. For tools, not for the hot path.
            pub fn fields(&self, mut each: impl FnMut(&'static str, $crate::ouch::Value<'_>)) {
                match self { $($name::$message(message, _) => message.fields(&mut each),)* }
            }
        }
    };
}

pub(super) use {direction, message, spoken};
