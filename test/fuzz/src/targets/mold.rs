//! MoldUDP64 packets: what is accepted yields exactly its messages, and packs to the same bytes again.

use super::{Target, mark, promise};
use tickline_wire::mold::{END_OF_SESSION, Header, Malformed, Packer, Packet, Session};

/// Packets.
pub struct Mold;

/// A packet of messages.
pub fn packet(session: Session, sequence: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 20 + messages.iter().map(|message| message.len() + 2).sum::<usize>()];
    let mut packer = Packer::new(&mut bytes, session, sequence);
    for message in messages {
        assert!(packer.push(message), "room was counted");
    }
    packer.finish();
    bytes
}

/// The session of seeds.
pub const SESSION: Session = Session(*b"FUZZ000001");

impl Target for Mold {
    fn name(&self) -> &'static str {
        "mold"
    }

    fn share(&self) -> u64 {
        20
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let end = Header { session: SESSION, sequence: 9, count: END_OF_SESSION }.bytes().to_vec();
        vec![
            packet(SESSION, 1, &[]),
            packet(SESSION, 1, &[b"one".to_vec()]),
            packet(SESSION, u64::MAX - 3, &[b"a".to_vec(), vec![], vec![7; 40]]),
            end,
        ]
    }

    fn run(&mut self, input: &[u8]) -> Result<u64, String> {
        let packet = match Packet::parse(input) {
            Ok(packet) => packet,
            Err(Malformed::Short) => return Ok(2),
            Err(Malformed::Truncated { block }) => return Ok(mark(&[3, u64::from(block.min(8))])),
            Err(Malformed::Trailing { bytes }) => return Ok(mark(&[4, u64::from(bytes.min(8))])),
            Err(Malformed::Sequence) => return Ok(5),
        };
        let messages: Vec<Vec<u8>> = packet.blocks().map(<[u8]>::to_vec).collect();
        promise(messages.len() == usize::from(packet.messages()), || "another number of messages".into())?;
        promise(packet.next() - packet.header.sequence == messages.len() as u64, || {
            "wrong next number".into()
        })?;
        if !packet.is_end() {
            let again = self::packet(packet.header.session, packet.header.sequence, &messages);
            promise(again == input, || "packs to other bytes".into())?;
        }
        Ok(mark(&[1, u64::from(packet.is_end()), messages.len().min(16) as u64]))
    }
}
