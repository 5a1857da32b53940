//! The venue by the monotonic clock: flow when it is due, orders when they come, packets at once.

use crate::background_flow::BackgroundFlow;
use crate::config::{Config, Group, Idle};
use crate::opening;
use crate::sessions::{Sessions, Verdict, Word};
use crate::status::{Status, Totals};
use crate::summary::Summary;
use crate::sys::{StopSignal, multicast_sender};
use std::io;
use std::net::{SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use tickline_clock::monotonic;
use tickline_ring::control::State;
use tickline_units::Nanos;
use tickline_venue::Venue;
use tickline_venue::feed_out::PACKET_BYTES_MAX;
use tickline_wire::mold;

/// Without a packet for this long, a heartbeat is sent on both lines.
const HEARTBEAT: u64 = 1_000_000_000;
/// Longest sleep, so that the control block is kept fresh.
const NAP: u64 = 20_000_000;
/// How often the stop signal is looked at.
const LOOK: u64 = 1_000_000;
/// After the end of the flow: how long re-requests are still answered, and how often the end is told again.
const LINGER: u64 = 2_000_000_000;
const TELL_END: u64 = 200_000_000;
/// Most flow events of one duty cycle, so that orders never wait long behind a burst.
const EVENTS_MAX: usize = 64;

/// The running venue.
pub struct Live {
    venue: Venue,
    flow: BackgroundFlow,
    sessions: Sessions,
    lines: Lines,
    rerequest: UdpSocket,
    status: Status,
    stop: StopSignal,
    orders: u64,
    idle: Idle,
    wait_for_feed: bool,
    duration: Option<u64>,
    /// Monotonic time at which the flow began.
    began: Option<u64>,
    /// Venue time at that moment.
    open: u64,
    looked: u64,
}

/// The two multicast lines.
struct Lines {
    socket: UdpSocket,
    groups: [SocketAddrV4; 2],
    packet: [u8; PACKET_BYTES_MAX],
    packets: u64,
    /// Packets that the system did not take.
    dropped: u64,
    spoke: u64,
}

impl Lines {
    fn new(config: &Config) -> io::Result<Lines> {
        let itch = config.venue.itch;
        let group = |group: Group| SocketAddrV4::new(group.group, group.port);
        Ok(Lines {
            socket: multicast_sender(itch.interface)?,
            groups: [group(itch.a), group(itch.b)],
            packet: [0; PACKET_BYTES_MAX],
            packets: 0,
            dropped: 0,
            spoke: 0,
        })
    }

    fn send(&mut self, payload: &[u8], now: u64) {
        for group in self.groups {
            match self.socket.send_to(payload, group) {
                Ok(_) => self.packets += 1,
                Err(_) => self.dropped += 1,
            }
        }
        self.spoke = now;
    }

    /// Sends everything that is not packed yet.
    fn flush(&mut self, venue: &mut Venue, now: u64) {
        let Some(feed) = &mut venue.feed else { return };
        loop {
            let mut packet = self.packet;
            let length = feed.pack(&mut packet);
            if length == 0 {
                return;
            }
            self.send(&packet[..length], now);
        }
    }
}

impl Live {
    /// Opens the sockets and says `Ready`.
    ///
    /// # Errors
    /// An address that is taken or not ours; the message says which.
    pub fn new(
        config: &Config,
        flow: BackgroundFlow,
        status: Status,
        stop: StopSignal,
    ) -> Result<Live, String> {
        let place = |name: &str, at: SocketAddrV4, error: io::Error| format!("{name} {at}: {error}");
        let mut venue = opening::venue(config, flow.symbols(), true);
        venue.port.system(Nanos(flow.open().0), b'S');
        let at = SocketAddrV4::new(config.venue.rerequest.host, config.venue.rerequest.port);
        let rerequest = UdpSocket::bind(at)
            .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
            .map_err(|error| place("venue.rerequest", at, error))?;
        let at = SocketAddrV4::new(config.venue.ouch.host, config.venue.ouch.port);
        let sessions = Sessions::listen(at, opening::session(&config.line))
            .map_err(|error| place("venue.ouch", at, error))?;
        let at = SocketAddrV4::new(config.venue.itch.interface, 0);
        let lines = Lines::new(config).map_err(|error| place("venue.itch.interface", at, error))?;
        status.state(State::Ready);
        Ok(Live {
            open: flow.open().0,
            venue,
            flow,
            sessions,
            lines,
            rerequest,
            status,
            stop,
            orders: 0,
            idle: config.idle,
            wait_for_feed: config.wait_for_feed,
            duration: config.duration_s.map(|seconds| (seconds * 1e9) as u64),
            began: None,
            looked: 0,
        })
    }

    /// Runs until the stop signal or the flow's end; then ends the session cleanly.
    pub fn run(mut self) -> Summary {
        let mut stopped = false;
        while !stopped && !self.over(monotonic().0) {
            stopped = self.cycle();
        }
        self.status.state(State::Stopping);
        self.end();
        let until = monotonic().0 + LINGER;
        while !stopped && monotonic().0 < until {
            stopped = self.cycle();
        }
        self.status.state(State::Stopped);
        let feed = self.venue.feed.as_ref();
        Summary {
            messages: feed.map_or(0, |feed| feed.messages()),
            packets: self.lines.packets,
            packets_dropped: self.lines.dropped,
            orders: self.orders,
            connections: self.sessions.accepted,
            late_orders: 0,
            ..Summary::of(&self.venue)
        }
    }

    fn over(&self, now: u64) -> bool {
        let Some(began) = self.began else { return false };
        self.flow.is_over() || self.duration.is_some_and(|most| now - began >= most)
    }

    /// Venue time: the opening until the flow begins, then as much later as the monotonic clock says.
    fn time(&self, now: u64) -> Nanos {
        time_at(self.open, self.began, now)
    }

    /// One duty cycle; true when the stop signal has come.
    fn cycle(&mut self) -> bool {
        let now = monotonic().0;
        let mut busy = self.begin(now);
        busy |= self.play(now);
        busy |= self.hear(now);
        busy |= self.answer();
        self.lines.flush(&mut self.venue, now);
        self.sessions.write(Nanos(now), &self.venue.port);
        self.keep_alive(now);
        self.status.totals(&Totals {
            messages: self.venue.feed.as_ref().map_or(0, |feed| feed.messages()),
            packets: self.lines.packets,
            orders: self.orders,
            port: self.venue.port.counts(),
        });
        self.status.beat(now, busy);
        if !busy {
            self.rest(now);
        }
        let look = now - self.looked >= LOOK;
        if look {
            self.looked = now;
        }
        look && self.stop.came()
    }

    /// Starts the flow, once whoever must hear it from the start is there.
    fn begin(&mut self, now: u64) -> bool {
        if self.began.is_some() {
            return false;
        }
        let heard = |state| matches!(state, State::Ready | State::Running);
        let feed = self.status.peer("feed").is_some_and(|block| heard(block.state()));
        if self.wait_for_feed && !feed {
            return false;
        }
        self.began = Some(now);
        if self.flow.opens_day() {
            let time = self.time(now);
            self.venue.feed.as_mut().expect("a live venue publishes").open(time);
        }
        self.flow.begin(Nanos(now), &mut self.venue);
        self.lines.flush(&mut self.venue, now);
        self.status.state(State::Running);
        true
    }

    fn play(&mut self, now: u64) -> bool {
        let Some(began) = self.began else { return false };
        if self.over(now) {
            return false;
        }
        let mut any = false;
        for _ in 0..EVENTS_MAX {
            if !self.flow.step(Nanos(now), Nanos(self.open), Nanos(began), &mut self.venue) {
                break;
            }
            any = true;
            self.lines.flush(&mut self.venue, now);
        }
        any
    }

    fn hear(&mut self, now: u64) -> bool {
        let (open, began) = (self.open, self.began);
        // Each message has its own time: two cancels of one order in one segment are told apart by it.
        let time = || time_at(open, began, monotonic().0);
        let (orders, lines) = (&mut self.orders, &mut self.lines);
        self.sessions.read(Nanos(now), &mut self.venue, |venue, word| {
            let verdict = match word {
                Word::Login(_) => Verdict::Fine,
                Word::Order(user, bytes) => {
                    *orders += 1;
                    venue.order(time(), user, bytes).map_or(Verdict::Close, |()| Verdict::Fine)
                }
                Word::Gone(user) => {
                    venue.disconnect(time(), user);
                    Verdict::Fine
                }
            };
            lines.flush(venue, now);
            verdict
        })
    }

    /// Answers re-requests: one packet for each, to whoever asked.
    fn answer(&mut self) -> bool {
        let mut request = [0; 64];
        let mut any = false;
        while let Ok((length, from)) = self.rerequest.recv_from(&mut request) {
            any = true;
            let Some(header) = mold::Header::parse(&request[..length]) else { continue };
            let Some(feed) = &self.venue.feed else { continue };
            let mut packet = [0; PACKET_BYTES_MAX];
            if let Some(length) = feed.answer(&header, &mut packet) {
                // Lost answers are asked for again.
                let _ = self.rerequest.send_to(&packet[..length], from);
            }
        }
        any
    }

    fn keep_alive(&mut self, now: u64) {
        let Some(feed) = &self.venue.feed else { return };
        let idle = now.saturating_sub(self.lines.spoke);
        if self.flow.ended() {
            if idle >= TELL_END {
                self.lines.send(&feed.end(), now);
            }
        } else if self.began.is_some() && idle >= HEARTBEAT {
            self.lines.send(&feed.heartbeat(), now);
        }
    }

    /// Cancels users' orders, closes the day and ends the session on both lines and all connections.
    fn end(&mut self) {
        let now = monotonic().0;
        let time = self.time(now);
        for user in self.venue.port.users() {
            self.venue.disconnect(time, user);
        }
        let feed = self.venue.feed.as_mut().expect("a live venue publishes");
        if self.flow.opens_day() {
            feed.close(time);
        }
        self.flow.end();
        self.lines.flush(&mut self.venue, now);
        let end = self.venue.feed.as_ref().expect("as above").end();
        self.lines.send(&end, now);
        self.venue.port.system(time, b'E');
        self.sessions.end(Nanos(now), &self.venue.port);
    }

    fn rest(&mut self, now: u64) {
        match self.idle {
            Idle::Spin => std::hint::spin_loop(),
            Idle::Yield => std::thread::yield_now(),
            Idle::Park => {
                let due = match self.began {
                    Some(began) if !self.flow.ended() => {
                        self.flow.due(Nanos(self.open), Nanos(began)).map_or(u64::MAX, |due| due.0)
                    }
                    _ => u64::MAX,
                };
                let most = due.saturating_sub(now).min(if self.wait_for_feed && self.began.is_none() {
                    LOOK
                } else {
                    NAP
                });
                self.sessions.wait(&[self.stop.as_raw_fd(), self.rerequest.as_raw_fd()], Nanos(most));
            }
        }
    }
}

/// Venue time at `now`: `open` when the flow began, and before.
fn time_at(open: u64, began: Option<u64>, now: u64) -> Nanos {
    Nanos(open + began.map_or(0, |began| now.saturating_sub(began)))
}
