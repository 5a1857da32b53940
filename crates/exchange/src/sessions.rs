//! TCP connections of the order port: accepts, reads, writes, and tells when one is over.

use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use tickline_packet::socket::wait;
use tickline_units::Nanos;
use tickline_venue::port::{OrderPort, UserId};
use tickline_venue::soup_server::{Came, Ended, Patience, SoupServer};

/// Most connections at a time; more are closed at once.
const CONNECTIONS_MAX: usize = 12;
/// Descriptors that can be waited for at once (`packet::socket::wait`).
const WAITED_MAX: usize = 16;

struct Connection {
    stream: TcpStream,
    soup: SoupServer,
    over: bool,
}

/// What a duty cycle of the sessions brought, one at a time.
pub enum Word<'a> {
    /// A user logged in; an older connection of the same user is closed already.
    Login(UserId),
    /// An OUCH message of a user.
    Order(UserId, &'a [u8]),
    /// A user's last connection is gone.
    Gone(UserId),
}

/// What the receiver of a word says to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Fine,
    /// The bytes made no sense: close the connection.
    Close,
}

/// The listening socket and its connections.
pub struct Sessions {
    listener: TcpListener,
    connections: Vec<Connection>,
    name: [u8; 10],
    /// Connections accepted so far.
    pub accepted: u64,
}

impl Sessions {
    /// Listens; `name` is the session's.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub fn listen(at: SocketAddrV4, name: [u8; 10]) -> io::Result<Sessions> {
        let listener = TcpListener::bind(at)?;
        listener.set_nonblocking(true)?;
        Ok(Sessions { listener, connections: Vec::new(), name, accepted: 0 })
    }

    /// Sleeps until a connection, or one of at most three other descriptors, has something, or the time is over.
    pub fn wait(&self, others: &[RawFd], most: Nanos) {
        let connected = self.connections.iter().map(|connection| connection.stream.as_raw_fd());
        let all = others.iter().copied().chain([self.listener.as_raw_fd()]).chain(connected);
        let (mut descriptors, mut count) = ([-1; WAITED_MAX], 0);
        for (to, from) in descriptors.iter_mut().zip(all) {
            *to = from;
            count += 1;
        }
        // A refusal here only means that the caller looks again at once.
        let _ = wait(&descriptors[..count], most);
    }

    /// Takes new connections and reads what has come; every word goes to `hear`, with the port to look at or act on.
    /// True when there was anything.
    pub fn read<P: AsMut<OrderPort>>(
        &mut self,
        now: Nanos,
        venue: &mut P,
        mut hear: impl FnMut(&mut P, Word<'_>) -> Verdict,
    ) -> bool {
        let mut any = self.accept(now);
        for at in 0..self.connections.len() {
            let mut login = None;
            any |= self.connections[at].read(now, venue, &mut |venue, word| {
                if let Word::Login(user) = word {
                    login = Some(user);
                }
                hear(venue, word)
            });
            if let Some(user) = login {
                self.displace(at, user, venue, &mut hear);
            }
        }
        self.bury(venue, &mut hear);
        any
    }

    fn accept(&mut self, now: Nanos) -> bool {
        let mut any = false;
        while let Ok((stream, _)) = self.listener.accept() {
            any = true;
            let ready = stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true));
            if ready.is_ok() && self.connections.len() < CONNECTIONS_MAX {
                let soup = SoupServer::new(self.name, Patience::default(), now);
                self.connections.push(Connection { stream, soup, over: false });
                self.accepted += 1;
            }
        }
        any
    }

    /// A second login of a user takes over: the older connection was half-open, or is an old process.
    fn displace<P>(
        &mut self,
        newest: usize,
        user: UserId,
        venue: &mut P,
        hear: &mut impl FnMut(&mut P, Word<'_>) -> Verdict,
    ) {
        for (at, connection) in self.connections.iter_mut().enumerate() {
            if at != newest && connection.soup.user() == Some(user) && !connection.over {
                connection.over = true;
                hear(venue, Word::Gone(user));
                connection.soup.forget_user();
            }
        }
    }

    /// Removes connections that are over and says which users are gone.
    fn bury<P>(&mut self, venue: &mut P, hear: &mut impl FnMut(&mut P, Word<'_>) -> Verdict) {
        let mut at = 0;
        while at < self.connections.len() {
            if !self.connections[at].over {
                at += 1;
                continue;
            }
            let mut connection = self.connections.swap_remove(at);
            // What the client is still to hear (a rejected login, the end) is given to the socket once; it closes after.
            connection.write();
            if let Some(user) = connection.soup.user() {
                hear(venue, Word::Gone(user));
            }
        }
    }

    /// Puts out new sequenced messages and heartbeats; connections whose client is dead or does not read are over.
    pub fn write(&mut self, now: Nanos, port: &OrderPort) {
        for connection in &mut self.connections {
            if connection.soup.poll(port, now).is_err() {
                connection.over = true;
            }
            connection.write();
        }
    }

    /// Ends the session with everybody: what is due is written, then the end.
    pub fn end(&mut self, now: Nanos, port: &OrderPort) {
        self.write(now, port);
        for connection in &mut self.connections {
            connection.soup.end();
            connection.write();
        }
    }
}

impl Connection {
    fn read<P: AsMut<OrderPort>>(
        &mut self,
        now: Nanos,
        venue: &mut P,
        hear: &mut impl FnMut(&mut P, Word<'_>) -> Verdict,
    ) -> bool {
        let mut any = false;
        while !self.over {
            match self.stream.read(self.soup.space()) {
                Ok(0) => self.over = true,
                Ok(count) => {
                    any = true;
                    self.soup.filled(count, now);
                    self.packets(venue, hear);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.over = true,
            }
        }
        any
    }

    fn packets<P: AsMut<OrderPort>>(
        &mut self,
        venue: &mut P,
        hear: &mut impl FnMut(&mut P, Word<'_>) -> Verdict,
    ) {
        while !self.over {
            let verdict = match self.soup.next(venue.as_mut()) {
                Ok(None) => return,
                Ok(Some(Came::Quiet)) => Verdict::Fine,
                Ok(Some(Came::Login(user))) => hear(venue, Word::Login(user)),
                Ok(Some(Came::Message(user, bytes))) => hear(venue, Word::Order(user, bytes)),
                Err(Ended::Logout | Ended::Refused | Ended::Silence | Ended::Backlog)
                | Err(Ended::Malformed(_) | Ended::OutOfPlace) => Verdict::Close,
            };
            self.over = verdict == Verdict::Close;
        }
    }

    fn write(&mut self) {
        while !self.soup.outgoing().is_empty() {
            match self.stream.write(self.soup.outgoing()) {
                Ok(0) => break,
                Ok(count) => self.soup.sent(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.over = true;
                    return;
                }
            }
        }
    }
}
