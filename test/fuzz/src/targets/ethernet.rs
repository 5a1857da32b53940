//! Frames: a payload lies inside its frame, at most as long as it.

use super::{Target, mark, promise};
use tickline_wire::ethernet::{Endpoint, Refusal, Transport, build, parse};

/// Ethernet, VLAN, IPv4, UDP, TCP.
pub struct Ethernet;

/// A frame around a payload.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 64 + payload.len()];
    let group = Endpoint { address: [233, 1, 2, 3], port: 26_400 };
    let length = build(&mut bytes, Endpoint { address: [10, 0, 0, 1], port: 9 }, group, payload);
    bytes.truncate(length.expect("room for the frame"));
    bytes
}

impl Target for Ethernet {
    fn name(&self) -> &'static str {
        "ethernet"
    }

    fn share(&self) -> u64 {
        15
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let plain = frame(b"sixteen bytes ..");
        let tagged = [&plain[..12], b"\x81\x00\x00\x05\x88\xa8\x00\x01", &plain[12..]].concat();
        let mut options = [&plain[..34], &[1; 4], &plain[34..]].concat();
        options[14] = 0x46;
        options[17] += 4;
        let mut tcp = frame(&[0x50; 40]);
        tcp[23] = 6;
        vec![plain, tagged, options, tcp]
    }

    fn run(&mut self, input: &[u8]) -> Result<u64, String> {
        Ok(match parse(input) {
            Ok(found) => {
                let inside =
                    input.as_ptr_range().contains(&found.payload.as_ptr()) || found.payload.is_empty();
                promise(inside && found.payload.len() + 22 <= input.len(), || {
                    "payload outside its frame".into()
                })?;
                mark(&[1, u64::from(found.transport == Transport::Tcp), found.payload.len().ilog2_or_zero()])
            }
            Err(Refusal::EtherType(_)) => 2,
            Err(Refusal::Protocol(_)) => 3,
            Err(Refusal::Short) => 4,
            Err(Refusal::Header) => 5,
            Err(Refusal::Truncated) => 6,
            Err(Refusal::Fragment) => 7,
        })
    }
}

trait Magnitude {
    fn ilog2_or_zero(self) -> u64;
}

impl Magnitude for usize {
    fn ilog2_or_zero(self) -> u64 {
        u64::from(self.checked_ilog2().unwrap_or(0))
    }
}
