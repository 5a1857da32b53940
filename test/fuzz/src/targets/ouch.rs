//! OUCH messages of both directions: what is accepted encodes to bytes that decode to the same.

use super::{Target, mark, promise};
use tickline_wire::ouch::{Inbound, Outbound};

/// Messages; the first byte of an input chooses the direction.
pub struct Ouch;

/// Letters and fixed lengths with the appendage length, typed in from OUCH 5.0.
const INBOUND: [(u8, usize); 8] =
    [(b'O', 47), (b'U', 40), (b'X', 11), (b'M', 12), (b'C', 19), (b'D', 11), (b'E', 11), (b'Q', 3)];
const OUTBOUND: [(u8, usize); 17] = [
    (b'S', 10),
    (b'A', 64),
    (b'U', 68),
    (b'C', 20),
    (b'D', 34),
    (b'E', 36),
    (b'B', 38),
    (b'J', 31),
    (b'P', 15),
    (b'I', 15),
    (b'T', 32),
    (b'M', 20),
    (b'R', 16),
    (b'X', 27),
    (b'G', 19),
    (b'K', 19),
    (b'Q', 15),
];

fn seed(direction: u8, letter: u8, length: usize) -> Vec<u8> {
    let mut bytes = vec![b' '; length + 1];
    bytes[0] = direction;
    bytes[1] = letter;
    bytes[length - 1..].fill(0);
    bytes
}

impl Target for Ouch {
    fn name(&self) -> &'static str {
        "ouch"
    }

    fn share(&self) -> u64 {
        10
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let inbound = INBOUND.iter().map(|&(letter, length)| seed(0, letter, length));
        let outbound = OUTBOUND.iter().map(|&(letter, length)| seed(1, letter, length));
        let mut seeds: Vec<_> = inbound.chain(outbound).collect();
        let mut appended = seed(0, b'O', 47);
        let at = appended.len() - 1;
        appended[at] = 6;
        appended.extend([5, 2, b'F', b'I', b'R', b'M']);
        seeds.push(appended);
        seeds
    }

    fn run(&mut self, input: &[u8]) -> Result<u64, String> {
        let Some((&direction, message)) = input.split_first() else { return Ok(0) };
        let mut out = vec![0; message.len() + 2];
        let mut fields = 0;
        let tail = if direction & 1 == 0 {
            let Ok(found) = Inbound::decode(message) else { return Ok(1) };
            found.fields(|_, _| fields += 1);
            let length = found.encode(&mut out).map_err(|fault| format!("cannot encode: {fault}"))?;
            promise(Inbound::decode(&out[..length]) == Ok(found), || "inbound does not round-trip".into())?;
            found.appendage()
        } else {
            let Ok(found) = Outbound::decode(message) else { return Ok(2) };
            found.fields(|_, _| fields += 1);
            let length = found.encode(&mut out).map_err(|fault| format!("cannot encode: {fault}"))?;
            promise(Outbound::decode(&out[..length]) == Ok(found), || "outbound does not round-trip".into())?;
            found.appendage()
        };
        for element in tail.elements() {
            promise(element.show().is_none() || element.name().is_some(), || {
                "a value without a name".into()
            })?;
        }
        Ok(mark(&[
            3,
            u64::from(direction & 1),
            u64::from(message[0]),
            fields,
            tail.elements().count().min(3) as u64,
            tail.elements().take(3).filter(|element| element.show().is_some()).count() as u64,
        ]))
    }
}
