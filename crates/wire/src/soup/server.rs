//! Packets that the server sends.

use super::{Packet, SoupError, frame, text};

/// Login Accepted (`A`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The session's name, padded on the left with spaces.
    pub session: [u8; 10],
    /// Number of the next sequenced message that the server will send.
    pub sequence: u64,
}

/// Why a login was rejected (`J`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RejectReason {
    /// `A`: unknown user or wrong password.
    NotAuthorized = b'A',
    /// `S`: the session asked for is not there.
    SessionNotAvailable = b'S',
}

/// A packet of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerPacket<'a> {
    /// `+`: text for people, ignored.
    Debug(&'a [u8]),
    /// `A`: the login is accepted.
    Accepted(Accepted),
    /// `J`: the login is rejected and the connection ends.
    Rejected(RejectReason),
    /// `S`: a message that counts in the sequence.
    Sequenced(&'a [u8]),
    /// `U`: a message outside the sequence.
    Unsequenced(&'a [u8]),
    /// `H`: sent after a second without other packets.
    Heartbeat,
    /// `Z`: the session is over for the day.
    End,
}

impl Accepted {
    /// Payload bytes on the wire.
    pub const BYTES: usize = 30;

    fn decode(payload: &[u8]) -> Result<Accepted, SoupError> {
        let wrong = SoupError::Length { kind: b'A', expected: Accepted::BYTES, found: payload.len() };
        let (session, rest) = payload.split_first_chunk().ok_or(wrong)?;
        let sequence: &[u8; 20] = rest.try_into().map_err(|_| wrong)?;
        Ok(Accepted { session: *session, sequence: text::number("sequence", sequence)? })
    }

    fn payload(&self) -> [u8; Accepted::BYTES] {
        let mut bytes = [0; Accepted::BYTES];
        bytes[..10].copy_from_slice(&self.session);
        bytes[10..].copy_from_slice(&text::digits(self.sequence));
        bytes
    }
}

impl RejectReason {
    fn decode(payload: &[u8]) -> Result<RejectReason, SoupError> {
        match payload {
            b"A" => Ok(RejectReason::NotAuthorized),
            b"S" => Ok(RejectReason::SessionNotAvailable),
            [letter] => Err(SoupError::Reason { letter: *letter }),
            _ => Err(SoupError::Length { kind: b'J', expected: 1, found: payload.len() }),
        }
    }
}

impl<'a> ServerPacket<'a> {
    /// Reads a packet that a server sent.
    ///
    /// # Errors
    /// [`SoupError::UnknownType`], [`SoupError::Length`], [`SoupError::Reason`], or [`SoupError::Number`] in a sequence.
    #[inline]
    pub fn decode(packet: Packet<'a>) -> Result<ServerPacket<'a>, SoupError> {
        match packet.kind {
            b'S' => Ok(ServerPacket::Sequenced(packet.payload)),
            b'H' => packet.empty().map(|()| ServerPacket::Heartbeat),
            b'U' => Ok(ServerPacket::Unsequenced(packet.payload)),
            b'+' => Ok(ServerPacket::Debug(packet.payload)),
            b'A' => Accepted::decode(packet.payload).map(ServerPacket::Accepted),
            b'J' => RejectReason::decode(packet.payload).map(ServerPacket::Rejected),
            b'Z' => packet.empty().map(|()| ServerPacket::End),
            kind => Err(SoupError::UnknownType { kind }),
        }
    }

    /// Writes the packet with its length; returns the bytes written.
    ///
    /// # Errors
    /// [`SoupError::NoRoom`].
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, SoupError> {
        match self {
            ServerPacket::Debug(text) => frame(b'+', text, out),
            ServerPacket::Accepted(accepted) => frame(b'A', &accepted.payload(), out),
            ServerPacket::Rejected(reason) => frame(b'J', &[*reason as u8], out),
            ServerPacket::Sequenced(message) => frame(b'S', message, out),
            ServerPacket::Unsequenced(message) => frame(b'U', message, out),
            ServerPacket::Heartbeat => frame(b'H', &[], out),
            ServerPacket::End => frame(b'Z', &[], out),
        }
    }
}
