//! SoupBinTCP streams, cut into segments at will: the packets do not depend on the cuts.

use super::{Target, mark, promise};
use tickline_wire::soup::{ClientPacket, Framer, Login, ServerPacket, SoupError, frame};

/// Longest packet accepted in this test.
const PACKET_BYTES_MAX: usize = 256;

/// Byte streams; the first byte of an input chooses the cuts.
pub struct Soup {
    framer: Framer,
}

impl Default for Soup {
    fn default() -> Soup {
        Soup { framer: Framer::new(PACKET_BYTES_MAX) }
    }
}

type Packets = Vec<(u8, Vec<u8>)>;

impl Soup {
    /// The packets of a stream that comes in segments of `step` bytes.
    fn packets(&mut self, mut stream: &[u8], step: usize) -> Result<(Packets, Option<SoupError>), String> {
        self.framer.clear();
        let mut found = Vec::new();
        loop {
            match self.framer.next() {
                Ok(Some(packet)) => found.push((packet.kind, packet.payload.to_vec())),
                Err(fault) => return Ok((found, Some(fault))),
                Ok(None) if stream.is_empty() => return Ok((found, None)),
                Ok(None) => {
                    let space = self.framer.space();
                    let count = space.len().min(step).min(stream.len());
                    promise(count > 0, || "no room although no packet is whole".into())?;
                    space[..count].copy_from_slice(&stream[..count]);
                    self.framer.filled(count);
                    stream = &stream[count..];
                }
            }
        }
    }
}

impl Target for Soup {
    fn name(&self) -> &'static str {
        "soup"
    }

    fn share(&self) -> u64 {
        8
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let mut out = [0; 128];
        let login = Login::new("user", "secret", "", 1).expect("short names");
        let mut seeds = Vec::new();
        for packet in
            [ClientPacket::Login(login), ClientPacket::Heartbeat, ClientPacket::Unsequenced(b"order")]
        {
            let length = packet.encode(&mut out).expect("room");
            seeds.push([&[7], &out[..length]].concat());
        }
        let accepted: Vec<u8> = [&b"SESSION001"[..], b"                   1"].concat();
        for (kind, payload) in
            [(b'A', &accepted[..]), (b'J', b"S"), (b'S', b"fill"), (b'H', b""), (b'Z', b"")]
        {
            let length = frame(kind, payload, &mut out).expect("room");
            seeds.push([&[1], &out[..length]].concat());
        }
        seeds
    }

    fn run(&mut self, input: &[u8]) -> Result<u64, String> {
        let Some((&step, stream)) = input.split_first() else { return Ok(0) };
        let (whole, fault) = self.packets(stream, usize::MAX)?;
        let cut = self.packets(stream, 1 + usize::from(step) % 32)?;
        promise(cut == (whole.clone(), fault), || "packets depend on the cuts".into())?;
        let mut out = [0; PACKET_BYTES_MAX];
        let mut parts = vec![u64::from(fault.is_some()), whole.len().min(4) as u64];
        for (kind, payload) in whole.iter().take(4) {
            let packet = tickline_wire::soup::Packet { kind: *kind, payload };
            let (client, server) = (ClientPacket::decode(packet), ServerPacket::decode(packet));
            for length in [client.ok().map(|p| p.encode(&mut out)), server.ok().map(|p| p.encode(&mut out))] {
                // A login's number may be padded in more than one way; everything else has one encoding.
                let again = length.map(|length| length.map(|length| out[..length].to_vec()));
                let same =
                    again.is_none_or(|again| again.is_ok_and(|again| again.len() == payload.len() + 3));
                promise(same, || format!("packet {kind} encodes to another length"))?;
            }
            parts.extend([u64::from(*kind), u64::from(client.is_ok()), u64::from(server.is_ok())]);
        }
        Ok(mark(&parts))
    }
}
