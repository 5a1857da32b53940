//! A sparring partner: the far end of a practising port's connection, in the same thread.
//!
//! What the port writes goes through the kernel as it does to a venue. The partner takes any login and rejects every order, so that nothing is
//! ever owned or owed, and it remembers nothing of them: practice has no end. Its answers do not pass the kernel, which would cost as much again.

use crate::Socket;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use tickline_wire::ouch::{self, Appendage, Inbound, Outbound};
use tickline_wire::soup::{Accepted, ClientPacket, Framer, HEADER_BYTES, ServerPacket, SoupError};

const SESSION: [u8; 10] = *b"  PRACTICE";
/// Largest packet accepted from the port.
const PACKET_BYTES_MAX: usize = 1024;
/// Room for any one answer.
const ANSWER_BYTES_MAX: usize = HEADER_BYTES + ouch::FIXED_BYTES_MAX;
/// Why orders are rejected: order entry is disabled (OUCH 5.0, appendix C).
const REASON: u16 = 0x000C;

/// Listens on loopback for the one port that practises with it.
pub struct Partner {
    listener: TcpListener,
    address: SocketAddr,
    far: Option<Socket>,
    framer: Framer,
    /// Sequenced messages so far.
    said: u64,
}

impl Partner {
    /// Order numbers of a session with it before they begin again: a table that stays in the nearest caches.
    pub const NUMBERS: u32 = 128;

    /// A partner at an address of the moment.
    ///
    /// # Errors
    /// Loopback cannot be listened on.
    pub fn new() -> io::Result<Partner> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Partner { listener, address, far: None, framer: Framer::new(PACKET_BYTES_MAX), said: 0 })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads what the port has written and puts the answers into `into`, as if they had been read from a socket. Returns how many bytes; 0 when
    /// there is nothing to say.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`]: no session; or the connection is broken. The next connection is taken in its place.
    pub fn answer(&mut self, into: &mut [u8], now_ns: u64) -> io::Result<usize> {
        self.meet();
        let said = self.hear().and_then(|()| {
            self.answers(into, now_ns)
                .map_err(|error| io::Error::new(ErrorKind::InvalidData, error.to_string()))
        });
        if said.is_err() {
            self.far = None;
        }
        said
    }

    /// Takes the port's connection when it has none.
    fn meet(&mut self) {
        if self.far.is_none()
            && let Ok((far, _)) = self.listener.accept()
            && let Ok(far) = Socket::accepted(far)
        {
            self.framer.clear();
            self.far = Some(far);
        }
    }

    /// Reads what has come; a connection that the port has closed is forgotten.
    fn hear(&mut self) -> io::Result<()> {
        let Some(far) = &mut self.far else { return Ok(()) };
        match far.read(self.framer.space()) {
            Ok(count) => self.framer.filled(count),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => self.far = None,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn answers(&mut self, into: &mut [u8], now_ns: u64) -> Result<usize, SoupError> {
        let mut done = 0;
        while into.len() - done >= ANSWER_BYTES_MAX {
            let Some(packet) = self.framer.next()? else { break };
            done += match ClientPacket::decode(packet)? {
                ClientPacket::Login(_) => {
                    let accepted = Accepted { session: SESSION, sequence: self.said + 1 };
                    ServerPacket::Accepted(accepted).encode(&mut into[done..])?
                }
                ClientPacket::Unsequenced(message) => match reply(message, now_ns) {
                    Some(word) => {
                        self.said += 1;
                        let mut bytes = [0; ouch::FIXED_BYTES_MAX];
                        let length = word.encode(&mut bytes).unwrap_or(0);
                        ServerPacket::Sequenced(&bytes[..length]).encode(&mut into[done..])?
                    }
                    None => 0,
                },
                ClientPacket::Heartbeat | ClientPacket::Debug(_) | ClientPacket::Logout => 0,
            };
        }
        Ok(done)
    }
}

/// What is said to a message; nothing to a cancel, since no order lives, or to what cannot be read.
fn reply(message: &[u8], time_ns: u64) -> Option<Outbound<'static>> {
    let rejected = |user_ref, cl_ord_id| {
        let word = ouch::Rejected { time_ns, user_ref, reason: REASON, cl_ord_id };
        Some(Outbound::Rejected(word, Appendage::NONE))
    };
    match Inbound::decode(message).ok()? {
        Inbound::EnterOrder(enter, _) => rejected(enter.user_ref, enter.cl_ord_id),
        Inbound::ReplaceOrder(replace, _) => rejected(replace.user_ref, replace.cl_ord_id),
        Inbound::AccountQuery(..) => {
            let word = ouch::AccountQueryResponse { time_ns, next_user_ref: 1 };
            Some(Outbound::AccountQueryResponse(word, Appendage::NONE))
        }
        _ => None,
    }
}
