//! The decoder that most people write first: a cursor, owned values, one field after the other.

use std::io::{Cursor, Read};

/// One message, owned.
#[derive(Debug)]
pub struct NaiveMessage {
    /// Locate code.
    pub locate: u16,
    /// Nanoseconds since midnight.
    pub time: u64,
    /// Numbers and prices in wire order.
    pub numbers: Vec<u64>,
    /// Letters and texts in wire order.
    pub texts: Vec<String>,
}

/// Fields after the header: digits are the widths of numbers, letters those of texts (`a` 1, `b` 2, `d` 4, `h` 8).
fn layout(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'S' | b'W' => "a",
        b'R' => "haa4aabaaaaa4a",
        b'H' => "haad",
        b'Y' | b'N' => "ha",
        b'L' => "dhaaa",
        b'V' => "888",
        b'K' => "h4a4",
        b'J' => "h4444",
        b'h' => "haa",
        b'A' => "8a4h4",
        b'F' => "8a4h4d",
        b'E' => "848",
        b'C' => "848a4",
        b'X' => "84",
        b'D' | b'B' => "8",
        b'U' => "8844",
        b'P' => "8a4h48",
        b'Q' => "8h48a",
        b'I' => "88ah444aa",
        b'O' => "ha444844",
        _ => return None,
    })
}

/// Decodes one message; `None` if it is none.
pub fn decode(message: &[u8]) -> Option<NaiveMessage> {
    let mut cursor = Cursor::new(message);
    let letter = number(&mut cursor, 1)? as u8;
    let locate = number(&mut cursor, 2)? as u16;
    let _tracking = number(&mut cursor, 2)?;
    let time = number(&mut cursor, 6)?;
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    for field in layout(letter)?.bytes() {
        if field.is_ascii_digit() {
            numbers.push(number(&mut cursor, usize::from(field - b'0'))?);
        } else {
            let mut text = vec![0; usize::from(field - b'a' + 1)];
            cursor.read_exact(&mut text).ok()?;
            texts.push(String::from_utf8_lossy(&text).trim().to_owned());
        }
    }
    Some(NaiveMessage { locate, time, numbers, texts })
}

fn number(cursor: &mut Cursor<&[u8]>, width: usize) -> Option<u64> {
    let mut bytes = [0; 8];
    cursor.read_exact(&mut bytes[8 - width..]).ok()?;
    Some(u64::from_be_bytes(bytes))
}
