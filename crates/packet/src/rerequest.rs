//! Asks the exchange's re-request server for messages that no line brought.
//!
//! A request is a MoldUDP64 header with the first number wanted and a count; the answer is an ordinary packet, perhaps with
//! fewer messages. One request is open at a time; an answer that does not come is asked for again after the timeout.

use crate::arbiter::{Arbiter, Event};
use crate::{Frame, RECOVERY};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use tickline_units::Nanos;
use tickline_wire::mold::Header;

/// Limits on asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The server, unicast.
    pub server: SocketAddrV4,
    /// How long an answer may take before the same is asked again.
    pub timeout: Nanos,
    /// Shortest time between two requests.
    pub pause: Nanos,
    /// Most messages asked for at once.
    pub count_max: u16,
    /// Requests per hole before it is left to the arbiter's patience.
    pub tries_max: u32,
}

/// What was asked and answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests sent.
    pub requests: u64,
    /// Answers received, of any content.
    pub answers: u64,
    /// Requests that could not be sent or were refused by the host.
    pub refused: u64,
}

/// One socket towards the server.
#[derive(Debug)]
pub struct Client {
    config: Config,
    socket: UdpSocket,
    buffer: Box<[u8; 65_536]>,
    /// First number of the hole asked about, tries so far, when it was asked last.
    open: Option<(u64, u32, Nanos)>,
    counts: Counts,
}

impl Client {
    /// Opens a socket connected to the server, so that only its answers are received.
    pub fn open(config: Config) -> io::Result<Client> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect(config.server)?;
        socket.set_nonblocking(true)?;
        Ok(Client { config, socket, buffer: Box::new([0; 65_536]), open: None, counts: Counts::default() })
    }

    /// One duty cycle: hands answers to `heard` and the arbiter, and asks for its first hole if it is time to. Costs nothing while
    /// there is no hole; otherwise one or two system calls.
    pub fn work(
        &mut self,
        arbiter: &mut Arbiter,
        now: Nanos,
        mut deliver: impl FnMut(Event<'_>),
        mut heard: impl FnMut(&Frame<'_>),
    ) {
        if self.open.is_some() {
            self.receive(arbiter, now, &mut deliver, &mut heard);
        }
        match (arbiter.missing(), arbiter.session()) {
            (Some((first, count, _)), Some(session)) => {
                let count = count.min(u64::from(self.config.count_max)) as u16;
                self.ask(Header { session, sequence: first, count }, now);
            }
            _ => self.open = None,
        }
    }

    /// What was asked and answered so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn receive(
        &mut self,
        arbiter: &mut Arbiter,
        now: Nanos,
        deliver: &mut impl FnMut(Event<'_>),
        heard: &mut impl FnMut(&Frame<'_>),
    ) {
        loop {
            match self.socket.recv(&mut self.buffer[..]) {
                Ok(bytes) => {
                    self.counts.answers += 1;
                    let payload = &self.buffer[..bytes];
                    let frame = Frame { line: RECOVERY, time: now, due: now, payload };
                    heard(&frame);
                    // A malformed answer is counted by the arbiter; the timeout asks again.
                    let _ = arbiter.accept(&frame, &mut *deliver);
                }
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.counts.refused += 1;
                    return;
                }
            }
        }
    }

    fn ask(&mut self, request: Header, now: Nanos) {
        let (tries, since) = match self.open {
            Some((first, tries, asked)) if first == request.sequence => {
                (tries, now.0.saturating_sub(asked.0))
            }
            // Progress: the hole moved on, so the answer came; ask for the rest after the pause.
            Some((_, _, asked)) => (0, now.0.saturating_sub(asked.0).saturating_add(self.config.timeout.0)),
            None => (0, u64::MAX),
        };
        let pause =
            if tries == 0 { self.config.timeout.0 + self.config.pause.0 } else { self.config.timeout.0 };
        if (self.open.is_some() && since < pause) || tries >= self.config.tries_max {
            return;
        }
        match self.socket.send(&request.bytes()) {
            Ok(_) => self.counts.requests += 1,
            Err(_) => self.counts.refused += 1,
        }
        self.open = Some((request.sequence, tries + 1, now));
    }
}
