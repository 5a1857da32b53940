//! One connection of the order port, without its socket: SoupBinTCP 3.00, server side.
//!
//! Bytes go in (`space`, `filled`), packets are taken with `next`, bytes come out (`outgoing`, `sent`). Sequenced messages are
//! read from the port's stream, so a connection that logs in with number n gets everything from n on.

use crate::port::{OrderPort, UserId};
use tickline_units::Nanos;
use tickline_wire::soup::{self, Accepted, ClientPacket, Framer, RejectReason, ServerPacket, SoupError};

/// Largest packet accepted from a client.
const CLIENT_PACKET_BYTES_MAX: usize = 1024;
/// Bytes to the client that may wait for its socket; a client that reads more slowly is cut off.
const BACKLOG_BYTES_MAX: usize = 1 << 20;
/// Room for any one packet to the client.
const PACKET_BYTES: usize = 512;

/// Time limits of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// A heartbeat goes out after this long without another packet.
    pub heartbeat: Nanos,
    /// A client that has not been heard for this long is dead.
    pub silence: Nanos,
}

impl Default for Patience {
    /// The specification's: 1 s and 15 s.
    fn default() -> Patience {
        Patience { heartbeat: Nanos(1_000_000_000), silence: Nanos(15_000_000_000) }
    }
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client logged out.
    Logout,
    /// Wrong user, password or session.
    Refused,
    /// Nothing was heard from the client for too long.
    Silence,
    /// The client does not read what it is sent.
    Backlog,
    /// Bytes that are no SoupBinTCP, or a packet out of place.
    Malformed(SoupError),
    /// A packet before the login, or a second login.
    OutOfPlace,
}

/// A packet that matters outside this connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Came<'a> {
    /// The client logged in.
    Login(UserId),
    /// A message for the order port.
    Message(UserId, &'a [u8]),
    /// A heartbeat or a debug packet.
    Quiet,
}

/// Server side of one connection.
pub struct SoupServer {
    framer: Framer,
    session: [u8; 10],
    patience: Patience,
    user: Option<UserId>,
    /// Number of the next sequenced message to put into `out`.
    next: u64,
    heard: Nanos,
    spoke: Nanos,
    out: Outgoing,
}

/// Bytes on their way to the client; those before `done` have been written.
struct Outgoing {
    bytes: Vec<u8>,
    done: usize,
}

impl SoupServer {
    /// A connection accepted at `now`, for the session named.
    pub fn new(session: [u8; 10], patience: Patience, now: Nanos) -> SoupServer {
        SoupServer {
            framer: Framer::new(CLIENT_PACKET_BYTES_MAX),
            session,
            patience,
            user: None,
            next: 1,
            heard: now,
            spoke: now,
            out: Outgoing { bytes: Vec::with_capacity(1 << 16), done: 0 },
        }
    }

    /// The user, once logged in.
    pub fn user(&self) -> Option<UserId> {
        self.user
    }

    /// Another connection of the user took over: this one's end says nothing about the user.
    pub fn forget_user(&mut self) {
        self.user = None;
    }

    /// Where to read the client's next bytes to.
    pub fn space(&mut self) -> &mut [u8] {
        self.framer.space()
    }

    /// `count` bytes were read into [`space`](SoupServer::space) at `now`.
    pub fn filled(&mut self, count: usize, now: Nanos) {
        self.framer.filled(count);
        self.heard = now;
    }

    /// The next packet; `None` until more bytes come.
    ///
    /// # Errors
    /// The connection is over; what is in `outgoing` should still be written.
    pub fn next(&mut self, port: &OrderPort) -> Result<Option<Came<'_>>, Ended> {
        let Some(packet) = self.framer.next().map_err(Ended::Malformed)? else { return Ok(None) };
        match (ClientPacket::decode(packet).map_err(Ended::Malformed)?, self.user) {
            (ClientPacket::Unsequenced(message), Some(user)) => Ok(Some(Came::Message(user, message))),
            (ClientPacket::Heartbeat | ClientPacket::Debug(_), _) => Ok(Some(Came::Quiet)),
            (ClientPacket::Logout, _) => Err(Ended::Logout),
            (ClientPacket::Login(_), Some(_)) | (ClientPacket::Unsequenced(_), None) => {
                Err(Ended::OutOfPlace)
            }
            (ClientPacket::Login(login), None) => match accept(&login, &self.session, port) {
                Ok((user, sequence)) => {
                    (self.user, self.next) = (Some(user), sequence);
                    self.out.say(&ServerPacket::Accepted(Accepted { session: self.session, sequence }));
                    Ok(Some(Came::Login(user)))
                }
                Err(reason) => {
                    self.out.say(&ServerPacket::Rejected(reason));
                    Err(Ended::Refused)
                }
            },
        }
    }

    /// Puts new sequenced messages, and a heartbeat when one is due, into `outgoing`.
    ///
    /// # Errors
    /// The client is silent, or reads too slowly: the connection is over.
    pub fn poll(&mut self, port: &OrderPort, now: Nanos) -> Result<(), Ended> {
        if now.0.saturating_sub(self.heard.0) > self.patience.silence.0 {
            return Err(Ended::Silence);
        }
        if let Some(user) = self.user {
            while let Some(message) = port.message(user, self.next) {
                if self.outgoing().len() > BACKLOG_BYTES_MAX {
                    return Err(Ended::Backlog);
                }
                self.out.say(&ServerPacket::Sequenced(message));
                self.next += 1;
            }
            let idle = self.outgoing().is_empty();
            if idle && now.0.saturating_sub(self.spoke.0) >= self.patience.heartbeat.0 {
                self.out.say(&ServerPacket::Heartbeat);
            }
        }
        if !self.outgoing().is_empty() {
            self.spoke = now;
        }
        Ok(())
    }

    /// Ends the session: the client is told that nothing more will come.
    pub fn end(&mut self) {
        if self.user.is_some() {
            self.out.say(&ServerPacket::End);
        }
    }

    /// Bytes for the client.
    pub fn outgoing(&self) -> &[u8] {
        &self.out.bytes[self.out.done..]
    }

    /// The first `count` bytes of [`outgoing`](SoupServer::outgoing) have been written.
    pub fn sent(&mut self, count: usize) {
        self.out.done += count;
        if self.out.done == self.out.bytes.len() {
            self.out.bytes.clear();
            self.out.done = 0;
        }
    }
}

impl Outgoing {
    fn say(&mut self, packet: &ServerPacket<'_>) {
        let start = self.bytes.len();
        self.bytes.resize(start + PACKET_BYTES, 0);
        match packet.encode(&mut self.bytes[start..]) {
            Ok(length) => self.bytes.truncate(start + length),
            Err(error) => panic!("every packet of the port has room: {error:?}"),
        }
    }
}

/// The user of a login, and the number of the first sequenced message to send: the one asked for, but none that does
/// not exist yet; 0 asks for the next new one.
fn accept(login: &soup::Login, session: &[u8; 10], port: &OrderPort) -> Result<(UserId, u64), RejectReason> {
    let user = port.login(&login.user, &login.password).ok_or(RejectReason::NotAuthorized)?;
    if login.session != [b' '; 10] && login.session != *session {
        return Err(RejectReason::SessionNotAvailable);
    }
    let newest = port.next(user);
    Ok((user, if login.sequence == 0 { newest } else { login.sequence.min(newest) }))
}
