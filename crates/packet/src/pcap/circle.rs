//! Plays a capture round and round as one session without end: what a path is kept warm with.

use super::capture::Capture;
use crate::Frame;
use tickline_units::Nanos;
use tickline_wire::mold;

/// Bytes of the longest packet that is played; longer ones are left out.
const PACKET_BYTES_MAX: usize = 2048;
/// Where the sequence number of a packet begins.
const SEQUENCE: usize = 10;

/// A position in a capture and the number of rounds. Sequence numbers go on from round to round, so the capture should leave the books
/// as it found them (`tickline-exchange --generate --flat`): else the second round adds orders that are there.
#[derive(Debug)]
pub struct Circle {
    capture: Capture,
    at: usize,
    /// Messages of one round, and of all rounds before this one.
    messages: u64,
    before: u64,
    packet: [u8; PACKET_BYTES_MAX],
}

impl Circle {
    /// `None` when no packet of the capture carries a message.
    pub fn new(capture: Capture) -> Option<Circle> {
        let end = |payload: &[u8]| {
            let header = mold::Header::parse(payload)?;
            played(&header, payload).then(|| header.sequence + u64::from(header.count) - 1)
        };
        let messages = capture.frames().filter_map(|frame| end(frame.payload)).max()?;
        Some(Circle { capture, at: 0, messages, before: 0, packet: [0; PACKET_BYTES_MAX] })
    }

    /// Rounds that are over.
    pub fn rounds(&self) -> u64 {
        self.before / self.messages
    }

    /// The next packet with messages, as if it had come at `now`.
    #[inline]
    pub fn next(&mut self, now: Nanos) -> Frame<'_> {
        loop {
            let Some(frame) = self.capture.frame(self.at) else {
                self.at = 0;
                self.before += self.messages;
                continue;
            };
            self.at += 1;
            let Some(header) = mold::Header::parse(frame.payload) else { continue };
            if !played(&header, frame.payload) {
                continue;
            }
            let packet = &mut self.packet[..frame.payload.len()];
            packet.copy_from_slice(frame.payload);
            let sequence = header.sequence + self.before;
            packet[SEQUENCE..SEQUENCE + 8].copy_from_slice(&sequence.to_be_bytes());
            return Frame { line: frame.line, time: now, due: now, payload: packet };
        }
    }
}

/// Heartbeats and the end of the session are not played.
fn played(header: &mold::Header, payload: &[u8]) -> bool {
    header.count > 0 && header.count != mold::END_OF_SESSION && payload.len() <= PACKET_BYTES_MAX
}
