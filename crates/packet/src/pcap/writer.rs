//! Writes a capture: classic pcap with nanosecond stamps, Ethernet frames. Source: draft-ietf-opsawg-pcap.

use std::io::{self, Write};
use tickline_units::Nanos;
use tickline_wire::ethernet::{self, Endpoint};

/// Longest frame written: the largest UDP payload and what is around it.
const FRAME_BYTES_MAX: usize = ethernet::OVERHEAD + ethernet::PAYLOAD_MAX;

/// A capture being written.
pub struct PcapWriter<W: Write> {
    to: W,
    frame: Box<[u8]>,
    frames: u64,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file's header.
    pub fn new(mut to: W) -> io::Result<PcapWriter<W>> {
        let words = [0xA1B2_3C4D, 0x0004_0002, 0, 0, FRAME_BYTES_MAX as u32, 1];
        for word in words {
            to.write_all(&u32::to_le_bytes(word))?;
        }
        Ok(PcapWriter { to, frame: vec![0; FRAME_BYTES_MAX].into(), frames: 0 })
    }

    /// Appends one UDP payload, sent at `time` (since 1970).
    pub fn udp(&mut self, time: Nanos, from: Endpoint, to: Endpoint, payload: &[u8]) -> io::Result<()> {
        let length = ethernet::build(&mut self.frame, from, to, payload)
            .ok_or_else(|| io::Error::other("a payload larger than a UDP datagram holds"))?;
        write(&mut self.to, time, &self.frame[..length])?;
        self.frames += 1;
        Ok(())
    }

    /// Appends a whole Ethernet frame, captured at `time` (since 1970).
    pub fn frame(&mut self, time: Nanos, bytes: &[u8]) -> io::Result<()> {
        write(&mut self.to, time, bytes)?;
        self.frames += 1;
        Ok(())
    }

    /// Writes what is buffered; the number of frames.
    pub fn finish(mut self) -> io::Result<u64> {
        self.to.flush()?;
        Ok(self.frames)
    }
}

fn write(to: &mut impl Write, time: Nanos, bytes: &[u8]) -> io::Result<()> {
    let (seconds, nanos) = (time.0 / 1_000_000_000, time.0 % 1_000_000_000);
    let seconds =
        u32::try_from(seconds).map_err(|_| io::Error::other("a time after 2106, which pcap cannot hold"))?;
    let length = bytes.len() as u32;
    let mut head = [0; 16];
    for (at, word) in [seconds, nanos as u32, length, length].iter().enumerate() {
        head[at * 4..at * 4 + 4].copy_from_slice(&word.to_le_bytes());
    }
    to.write_all(&head)?;
    to.write_all(bytes)
}
