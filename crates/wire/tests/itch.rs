//! Goal: every ITCH 5.0 type decodes and encodes to the same bytes, and nothing else is accepted.
//! Method: hand-written bytes for the types the book depends on, and for all types random bodies both ways.

use proptest::prelude::*;
use tickline_units::{Nanos, Price, Qty, Side, Symbol};
use tickline_wire::itch::{
    Add, BYTES_MAX, Body, Header, Kind, LETTERS, Replace, Update, Value, decode, encode, length_of,
};

/// The specification's table, typed in by hand and not taken from the code under test.
const LENGTHS: [(u8, usize); 23] = [
    (b'S', 12),
    (b'R', 39),
    (b'H', 25),
    (b'Y', 20),
    (b'L', 26),
    (b'V', 35),
    (b'W', 12),
    (b'K', 28),
    (b'J', 35),
    (b'h', 21),
    (b'A', 36),
    (b'F', 40),
    (b'E', 31),
    (b'C', 36),
    (b'X', 23),
    (b'D', 19),
    (b'U', 35),
    (b'P', 44),
    (b'Q', 40),
    (b'B', 19),
    (b'I', 50),
    (b'N', 20),
    (b'O', 48),
];

#[test]
fn the_length_table_is_the_specifications() {
    assert_eq!(LETTERS.map(|letter| (letter, length_of(letter))), LENGTHS);
    let known = (0..=255u8).filter(|&letter| length_of(letter) > 0).count();
    assert_eq!(known, LENGTHS.len());
    assert_eq!(LENGTHS.iter().map(|&(_, length)| length).max(), Some(BYTES_MAX));
}

#[test]
fn an_add_is_read_field_by_field() {
    let bytes = b"A\x00\x07\x00\x01\x1f\x1a\xce\xda\x37\x40\
        \x01\x02\x03\x04\x05\x06\x07\x08S\x00\x00\x01\x2cGOOG    \x00\x58\x47\x9c";
    let add = Add {
        order: 0x0102_0304_0506_0708,
        side: Side::Sell,
        shares: Qty(300),
        symbol: Symbol::new("GOOG").unwrap(),
        price: Price(5_785_500),
    };
    let header = Header { time: Nanos(34_200_000_018_240), locate: 7, tracking: 1 };
    assert_eq!(decode(bytes), Ok(Update { header, body: Body::Add(add) }));
}

#[test]
fn a_replace_is_read_field_by_field() {
    let bytes = b"U\x00\x07\x00\x00\x00\x00\x00\x00\x00\x05\
        \x00\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x0b\x00\x00\x00\x64\x00\x00\x27\x10";
    let update = decode(bytes).unwrap();
    let replace = Replace { order: 10, new_order: 11, shares: Qty(100), price: Price(10_000) };
    assert_eq!(update.body, Body::Replace(replace));
    assert_eq!(update.header.time, Nanos(5));
}

#[test]
fn every_field_is_shown_once_and_widths_add_up() {
    for (letter, length) in LENGTHS {
        let mut bytes = vec![b'B'; length];
        bytes[0] = letter;
        let update = decode(&bytes).unwrap();
        let mut names = Vec::new();
        update.body.fields(|name, value| {
            names.push(name);
            if let Value::Letter(letter) = value {
                assert_eq!(letter, b'B');
            }
        });
        assert!(!names.is_empty());
        let before = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), before, "{} names a field twice", update.body.name());
    }
}

#[test]
fn a_side_other_than_b_or_s_is_malformed_and_the_byte_is_named() {
    for (letter, offset) in [(b'A', 19), (b'F', 19), (b'P', 19)] {
        let mut bytes = vec![b'B'; length_of(letter)];
        bytes[0] = letter;
        for side in 0..=255u8 {
            bytes[offset] = side;
            let outcome = decode(&bytes);
            if side == b'B' || side == b'S' {
                assert!(outcome.is_ok());
            } else {
                let fault = outcome.unwrap_err();
                assert_eq!(
                    (fault.kind, fault.letter, usize::from(fault.offset)),
                    (Kind::Value, letter, offset)
                );
            }
        }
    }
}

#[test]
fn a_byte_more_or_less_than_the_length_is_refused() {
    for (letter, length) in LENGTHS {
        let mut bytes = vec![b'B'; length + 1];
        bytes[0] = letter;
        assert!(decode(&bytes[..length]).is_ok());
        for wrong in (1..length).chain([length + 1]) {
            let fault = decode(&bytes[..wrong]).unwrap_err();
            assert_eq!((fault.kind, usize::from(fault.offset)), (Kind::Length, wrong));
        }
    }
    assert_eq!(decode(&[]).unwrap_err().kind, Kind::Empty);
}

proptest! {
    #[test]
    fn decode_then_encode_gives_the_same_bytes(at in 0..23usize, body in prop::array::uniform32(any::<u8>())) {
        let (letter, length) = LENGTHS[at];
        let mut bytes: Vec<u8> = body.iter().copied().cycle().take(length).collect();
        bytes[0] = letter;
        match decode(&bytes) {
            Ok(update) => {
                let mut back = [0; BYTES_MAX];
                prop_assert_eq!(encode(&update, &mut back), length);
                prop_assert_eq!(&back[..length], &bytes[..]);
                prop_assert_eq!(update.body.letter(), letter);
            }
            Err(fault) => prop_assert_eq!(fault.kind, Kind::Value),
        }
    }

    #[test]
    fn letters_outside_the_table_are_unknown(letter: u8, rest in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut bytes = vec![letter];
        bytes.extend(rest);
        let fault = decode(&bytes).err().map(|fault| fault.kind);
        prop_assert_eq!(fault == Some(Kind::Unknown), length_of(letter) == 0);
    }
}
