//! ITCH messages: what is accepted encodes to the same bytes again.

use super::{Target, mark, promise};
use tickline_wire::itch::{BYTES_MAX, LETTERS, decode, encode, length_of};

/// Messages.
pub struct Itch;

impl Target for Itch {
    fn name(&self) -> &'static str {
        "itch"
    }

    fn share(&self) -> u64 {
        25
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        LETTERS.iter().map(|&letter| seed(letter)).collect()
    }

    fn run(&mut self, input: &[u8]) -> Result<u64, String> {
        match decode(input) {
            Ok(update) => {
                let mut again = [0; BYTES_MAX];
                let length = encode(&update, &mut again);
                promise(again[..length] == *input, || format!("{update:?} encodes to other bytes"))?;
                promise(length == length_of(input[0]), || "accepted at a wrong length".into())?;
                let mut fields = 0;
                update.body.fields(|_, _| fields += 1);
                Ok(mark(&[1, u64::from(input[0]), fields]))
            }
            Err(fault) => Ok(mark(&[2, fault.kind as u64, u64::from(length_of(fault.letter) > 0)])),
        }
    }
}

/// A message of the type: every byte that may be a side is one.
pub fn seed(letter: u8) -> Vec<u8> {
    let mut bytes = vec![b'B'; length_of(letter)];
    bytes[0] = letter;
    bytes[1..11].copy_from_slice(&[0, 1, 0, 0, 0x1F, 0x1A, 0xCE, 0xD8, 0, 0]);
    bytes
}
