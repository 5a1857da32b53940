//! Writes a capture: classic pcap with nanosecond stamps, Ethernet frames. Source: draft-ietf-opsawg-pcap.

use std::io::{self, Write};
use tickline_units::Nanos;
use tickline_wire::ethernet::{self, Endpoint};

/// Longest frame written.
const FRAME_BYTES_MAX: usize = 1514;

/// A capture being written.
pub struct PcapOut<W: Write> {
    to: W,
    frame: [u8; FRAME_BYTES_MAX],
    frames: u64,
}

impl<W: Write> PcapOut<W> {
    /// Writes the file's header.
    pub fn new(mut to: W) -> io::Result<PcapOut<W>> {
        let words = [0xA1B2_3C4D, 0x0004_0002, 0, 0, FRAME_BYTES_MAX as u32, 1];
        for word in words {
            to.write_all(&u32::to_le_bytes(word))?;
        }
        Ok(PcapOut { to, frame: [0; FRAME_BYTES_MAX], frames: 0 })
    }

    /// Appends one UDP payload, sent at `time` (since 1970).
    pub fn udp(&mut self, time: Nanos, from: Endpoint, to: Endpoint, payload: &[u8]) -> io::Result<()> {
        let length = ethernet::build(&mut self.frame, from, to, payload)
            .ok_or_else(|| io::Error::other("a payload larger than an Ethernet frame holds"))?;
        let (seconds, nanos) = (time.0 / 1_000_000_000, time.0 % 1_000_000_000);
        let mut head = [0; 16];
        for (at, word) in [seconds as u32, nanos as u32, length as u32, length as u32].iter().enumerate() {
            head[at * 4..at * 4 + 4].copy_from_slice(&word.to_le_bytes());
        }
        self.to.write_all(&head)?;
        self.to.write_all(&self.frame[..length])?;
        self.frames += 1;
        Ok(())
    }

    /// Writes what is buffered; the number of frames.
    pub fn finish(mut self) -> io::Result<u64> {
        self.to.flush()?;
        Ok(self.frames)
    }
}
