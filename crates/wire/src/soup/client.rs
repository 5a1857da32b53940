//! Packets that the client sends.

use super::{Packet, SoupError, frame, text};

/// Login Request (`L`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Login {
    /// User name, padded with spaces.
    pub user: [u8; 6],
    /// Password, padded with spaces.
    pub password: [u8; 10],
    /// Session wanted; spaces mean the current one.
    pub session: [u8; 10],
    /// Number of the first sequenced message wanted; 1 replays everything, 0 starts at the next new one.
    pub sequence: u64,
}

impl core::fmt::Debug for Login {
    /// Without the password.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

impl Login {
    /// Payload bytes on the wire.
    pub const BYTES: usize = 46;

    /// A login from text.
    ///
    /// # Errors
    /// [`SoupError::Text`] naming the field that is too long (user 6, password 10, session 10) or not printable ASCII.
    pub fn new(user: &str, password: &str, session: &str, sequence: u64) -> Result<Login, SoupError> {
        Ok(Login {
            user: text::pad("user", user)?,
            password: text::pad("password", password)?,
            session: text::pad("session", session)?,
            sequence,
        })
    }

    fn decode(payload: &[u8]) -> Result<Login, SoupError> {
        let wrong = SoupError::Length { kind: b'L', expected: Login::BYTES, found: payload.len() };
        let (user, rest) = payload.split_first_chunk().ok_or(wrong)?;
        let (password, rest) = rest.split_first_chunk().ok_or(wrong)?;
        let (session, rest) = rest.split_first_chunk().ok_or(wrong)?;
        let sequence: &[u8; 20] = rest.try_into().map_err(|_| wrong)?;
        let sequence = text::number("requested sequence", sequence)?;
        Ok(Login { user: *user, password: *password, session: *session, sequence })
    }

    fn payload(&self) -> [u8; Login::BYTES] {
        let mut bytes = [0; Login::BYTES];
        bytes[..6].copy_from_slice(&self.user);
        bytes[6..16].copy_from_slice(&self.password);
        bytes[16..26].copy_from_slice(&self.session);
        bytes[26..].copy_from_slice(&text::digits(self.sequence));
        bytes
    }
}

/// A packet of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientPacket<'a> {
    /// `+`: text for people, ignored.
    Debug(&'a [u8]),
    /// `L`: asks for a session.
    Login(Login),
    /// `U`: a message to the server, for example of OUCH.
    Unsequenced(&'a [u8]),
    /// `R`: sent after a second without other packets.
    Heartbeat,
    /// `O`: ends the session.
    Logout,
}

impl<'a> ClientPacket<'a> {
    /// Reads a packet that a client sent.
    ///
    /// # Errors
    /// [`SoupError::UnknownType`], [`SoupError::Length`], or [`SoupError::Number`] in a login's sequence.
    pub fn decode(packet: Packet<'a>) -> Result<ClientPacket<'a>, SoupError> {
        match packet.kind {
            b'+' => Ok(ClientPacket::Debug(packet.payload)),
            b'L' => Login::decode(packet.payload).map(ClientPacket::Login),
            b'U' => Ok(ClientPacket::Unsequenced(packet.payload)),
            b'R' => packet.empty().map(|()| ClientPacket::Heartbeat),
            b'O' => packet.empty().map(|()| ClientPacket::Logout),
            kind => Err(SoupError::UnknownType { kind }),
        }
    }

    /// Writes the packet with its length; returns the bytes written.
    ///
    /// # Errors
    /// [`SoupError::NoRoom`].
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, SoupError> {
        match self {
            ClientPacket::Debug(text) => frame(b'+', text, out),
            ClientPacket::Login(login) => frame(b'L', &login.payload(), out),
            ClientPacket::Unsequenced(message) => frame(b'U', message, out),
            ClientPacket::Heartbeat => frame(b'R', &[], out),
            ClientPacket::Logout => frame(b'O', &[], out),
        }
    }
}
