//! The optional fields at the end of a message: `length: u8`, `tag: u8`, value of `length - 1` bytes, repeated.

use super::OuchError;
use super::message::Value;

/// Tags of the optional fields. Source: OUCH 5.0, appendix A.
pub mod tag {
    /// Secondary order reference number.
    pub const SECONDARY_ORDER_REFERENCE: u8 = 1;
    /// Firm, 4 letters.
    pub const FIRM: u8 = 2;
    /// Least quantity to execute, 4 bytes.
    pub const MIN_QTY: u8 = 3;
    /// Customer type, 1 letter.
    pub const CUSTOMER_TYPE: u8 = 4;
    /// Shown quantity of a reserve order, 4 bytes.
    pub const MAX_FLOOR: u8 = 5;
    /// Price type (limit, peg), 1 letter.
    pub const PRICE_TYPE: u8 = 6;
    /// Peg offset, 4 bytes.
    pub const PEG_OFFSET: u8 = 7;
    /// Post only, 1 letter.
    pub const POST_ONLY: u8 = 12;
    /// Expire time in seconds, 4 bytes.
    pub const EXPIRE_TIME: u8 = 15;
    /// Group of orders, 2 bytes.
    pub const GROUP_ID: u8 = 24;
    /// Self-trade prevention: strategy.
    pub const AIQ_STRATEGY: u8 = 29;
    /// Self-trade prevention: scope.
    pub const AIQ_SCOPE: u8 = 30;
}

/// An appendage whose elements have been checked to fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appendage<'a> {
    bytes: &'a [u8],
}

/// One optional field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// What it is, see [`tag`]; unknown tags are passed on.
    pub tag: u8,
    /// Its value, big-endian.
    pub value: &'a [u8],
}

/// The elements of an appendage, in their order.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Appendage<'a> {
    /// No optional fields.
    pub const NONE: Appendage<'static> = Appendage { bytes: &[] };

    /// Checks that the elements fill `bytes` exactly.
    ///
    /// # Errors
    /// [`OuchError::Element`] at the first that does not fit.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Result<Appendage<'a>, OuchError> {
        let mut at = 0;
        while at < bytes.len() {
            let length = usize::from(bytes[at]);
            if length == 0 || length >= bytes.len() - at {
                return Err(OuchError::Element { at });
            }
            at += 1 + length;
        }
        Ok(Appendage { bytes })
    }

    /// The bytes as they are on the wire, without the appendage length.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The elements in their order.
    pub fn elements(&self) -> Elements<'a> {
        Elements { rest: self.bytes }
    }

    /// The value of the first element with this tag.
    pub fn find(&self, tag: u8) -> Option<&'a [u8]> {
        self.elements().find(|element| element.tag == tag).map(|element| element.value)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (&length, rest) = self.rest.split_first()?;
        let (element, rest) = rest.split_at_checked(usize::from(length))?;
        let (&tag, value) = element.split_first()?;
        self.rest = rest;
        Some(Element { tag, value })
    }
}

/// How a value is read by people.
#[derive(Clone, Copy)]
enum Form {
    Number,
    Signed,
    Text,
}

/// Name in the specification's words, bytes of the value and form, by tag.
const fn known(tag: u8) -> Option<(&'static str, usize, Form)> {
    Some(match tag {
        tag::SECONDARY_ORDER_REFERENCE => ("secondary_ord_ref_num", 8, Form::Number),
        tag::FIRM => ("firm", 4, Form::Text),
        tag::MIN_QTY => ("min_qty", 4, Form::Number),
        tag::CUSTOMER_TYPE => ("customer_type", 1, Form::Text),
        tag::MAX_FLOOR => ("max_floor", 4, Form::Number),
        tag::PRICE_TYPE => ("price_type", 1, Form::Text),
        tag::PEG_OFFSET => ("peg_offset", 4, Form::Signed),
        9 => ("discretion_price", 8, Form::Number),
        10 => ("discretion_peg_type", 1, Form::Text),
        11 => ("discretion_peg_offset", 4, Form::Signed),
        tag::POST_ONLY => ("post_only", 1, Form::Text),
        13 => ("random_reserves", 4, Form::Number),
        14 => ("route", 4, Form::Text),
        tag::EXPIRE_TIME => ("expire_time", 4, Form::Number),
        16 => ("trade_now", 1, Form::Text),
        17 => ("handle_inst", 1, Form::Text),
        18 => ("bbo_weight_indicator", 1, Form::Text),
        19 => ("reference_price", 8, Form::Number),
        20 => ("reference_price_type", 1, Form::Text),
        22 => ("display_quantity", 4, Form::Number),
        23 => ("display_price", 8, Form::Number),
        tag::GROUP_ID => ("group_id", 2, Form::Number),
        _ => return None,
    })
}

impl<'a> Element<'a> {
    /// Its name in the specification's words; `None` for tags that are not known here. For tools.
    pub fn name(&self) -> Option<&'static str> {
        known(self.tag).map(|(name, ..)| name)
    }

    /// Its value; `None` for unknown tags and for values of another width than the specification's. For tools.
    pub fn show(&self) -> Option<Value<'a>> {
        let (_, bytes, form) = known(self.tag)?;
        if self.value.len() != bytes {
            return None;
        }
        let number = self.value.iter().fold(0, |number, &byte| number << 8 | u64::from(byte));
        Some(match form {
            Form::Text => Value::Text(self.value),
            Form::Number => Value::Number(number),
            // Signed values are 4 bytes wide: the lower half is all of them.
            Form::Signed => Value::Signed(i64::from(number as u32 as i32)),
        })
    }

    /// Writes the element; returns the bytes written.
    ///
    /// # Errors
    /// [`OuchError::NoRoom`] when `out` is too short or the value longer than 254 bytes.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, OuchError> {
        let need = 2 + self.value.len();
        if self.value.len() > 254 || need > out.len() {
            return Err(OuchError::NoRoom { need, have: out.len() });
        }
        out[0] = self.value.len() as u8 + 1;
        out[1] = self.tag;
        out[2..need].copy_from_slice(self.value);
        Ok(need)
    }
}
