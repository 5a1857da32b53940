//! The venue in a replay: it plays the same capture as the line, in capture time, behind execution's horizon.
//!
//! Conservative co-simulation (ARCHITECTURE.md, "Time, replay, determinism"). Once execution says that everything before `h` is handled and
//! that it has sent `n` messages, and those n are here, nothing that can still come arrives before `h + delay_out`; so
//! flow and orders up to there are played in order of time, flow first where times are equal. The result depends on the
//! capture and the orders, never on who was scheduled when.

use crate::background_flow::listed;
use crate::config::{Config, Idle, Source};
use crate::opening;
use crate::sessions::{Sessions, Verdict, Word};
use crate::status::{Status, Totals};
use crate::summary::Summary;
use crate::survey::{self, Survey};
use crate::sys::StopSignal;
use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::time::Duration;
use tickline_clock::monotonic;
use tickline_packet::arbiter::Arbiter;
use tickline_packet::pcap::{Capture, Player, Speed};
use tickline_ring::control::{ServiceBlock, State};
use tickline_units::Nanos;
use tickline_venue::Venue;
use tickline_venue::background::{Background, FIRST_MATCH};
use tickline_venue::port::UserId;
use tickline_wire::ouch::{Appendage, Inbound};

/// How often the stop signal is looked at.
const LOOK: u64 = 1_000_000;
/// How often sockets are read when execution has sent nothing more: for connections, heartbeats and their ends.
const LISTEN: u64 = 100_000;
/// Sleep when parked. Slept through and not waited out in a call that the socket ends: waking a venue costs the sender of an order
/// several microseconds, and a nap is short beside the simulated wire.
const NAP: Duration = Duration::from_micros(50);
/// Optional field of a cancel or modification in a replay: the decision it comes from, 8 bytes big-endian. Orders and
/// replacements carry theirs in the ClOrdID.
const DECISION_TAG: u8 = 0xD0;

/// An order on the simulated wire.
struct Travelling {
    user: UserId,
    bytes: Vec<u8>,
}

/// Orders by arrival and, at equal times, by the order in which they came.
#[derive(Default)]
struct Wire {
    orders: BTreeMap<(u64, u64), Travelling>,
    /// OUCH messages received from execution in its present epoch, and in all.
    received: u64,
    total: u64,
    late: u64,
}

/// The following venue.
pub struct Follow {
    venue: Venue,
    background: Background,
    player: Player,
    arbiter: Box<Arbiter>,
    survey: Survey,
    sessions: Sessions,
    wire: Wire,
    execution: ServiceBlock,
    execution_epoch: u32,
    status: Status,
    stop: StopSignal,
    idle: Idle,
    delay_out: u64,
    /// Everything before this capture time has been played.
    reached: u64,
    messages: u64,
    looked: u64,
    listened: u64,
}

impl Follow {
    /// Reads the capture, opens the order port and says `Ready`.
    ///
    /// # Errors
    /// The capture cannot be played, the port's address is taken, or there is no control segment to follow.
    pub fn new(config: &Config, status: Status, stop: StopSignal) -> Result<Follow, String> {
        let follow = Follow::open(config, status.clone(), stop);
        if let Err(error) = &follow {
            status.fail(error);
        }
        follow
    }

    fn open(config: &Config, status: Status, stop: StopSignal) -> Result<Follow, String> {
        let execution =
            status.peer("execution").ok_or("mode follow: give --control, whose horizon is followed")?;
        let Source::Capture { path } = &config.venue.flow else {
            return Err("venue.flow: a replay follows a capture".into());
        };
        let capture = Capture::open(path).map_err(|fault| fault.to_string())?;
        let survey = Survey::of(&capture);
        let symbols = listed(&opening::symbols(&config.instruments), &survey);
        let mut venue = opening::venue(config, &symbols, false);
        venue.engine.number_matches_from(FIRST_MATCH);
        let at = SocketAddrV4::new(config.venue.ouch.host, config.venue.ouch.port);
        let sessions = Sessions::listen(at, opening::session(&config.line))
            .map_err(|error| format!("venue.ouch {at}: {error}"))?;
        status.state(State::Ready);
        Ok(Follow {
            venue,
            background: Background::new(&symbols),
            arbiter: Box::new(survey::arbiter(&capture)),
            player: Player::new(capture, Nanos(0), Speed::Max),
            survey,
            sessions,
            wire: Wire::default(),
            execution_epoch: execution.epoch(),
            execution,
            status,
            stop,
            idle: config.idle,
            delay_out: config.venue.delay_out_ns,
            reached: 0,
            messages: 0,
            looked: 0,
            listened: 0,
        })
    }

    /// Follows until the stop signal; then ends the session.
    pub fn run(mut self) -> Summary {
        crate::sys::sleep_exactly();
        crate::sys::take_short_turns();
        self.status.state(State::Running);
        while !self.cycle() {}
        self.status.state(State::Stopping);
        let time = Nanos(self.last_time());
        for user in self.venue.port.users() {
            self.venue.disconnect(time, user);
        }
        self.sessions.end(monotonic(), &self.venue.port);
        self.show();
        self.status.state(State::Stopped);
        Summary {
            messages: self.messages,
            orders: self.wire.total,
            connections: self.sessions.accepted,
            late_orders: self.wire.late,
            ..Summary::of(&self.venue)
        }
    }

    /// One duty cycle; true when the stop signal has come.
    fn cycle(&mut self) -> bool {
        let now = monotonic().0;
        // The horizon first: the messages it promises are counted in what is read after it.
        let horizon = self.execution.horizon();
        let sent = self.execution.sent();
        let epoch = self.execution.epoch();
        if epoch != self.execution_epoch {
            self.execution_epoch = epoch;
            self.wire.received = 0;
        }
        // A system call costs more than a step of the replay: sockets are read when something must be there.
        let mut busy = false;
        if self.wire.received < sent || now - self.listened >= LISTEN {
            self.listened = now;
            busy = self.hear(now);
        }
        let limit = horizon.saturating_add(self.delay_out);
        if self.wire.received >= sent && limit > self.reached && horizon > 0 {
            self.play(limit);
            busy = true;
        }
        self.sessions.write(Nanos(now), &self.venue.port);
        if busy {
            self.publish();
            self.show();
        }
        self.status.beat(now, busy);
        if !busy {
            self.rest();
        }
        let look = now - self.looked >= LOOK;
        if look {
            self.looked = now;
        }
        look && self.stop.came()
    }

    /// Capture time of what was played last, for what happens outside the simulated time.
    fn last_time(&self) -> u64 {
        let last = || self.player.capture().frames().last().map_or(0, |frame| frame.time.0);
        if self.reached == u64::MAX { last() } else { self.reached }
    }

    fn hear(&mut self, now: u64) -> bool {
        let (wire, survey, delay_out, reached) = (&mut self.wire, &self.survey, self.delay_out, self.reached);
        let time = Nanos(if reached == u64::MAX { 0 } else { reached });
        self.sessions.read(Nanos(now), &mut self.venue, |venue, word| match word {
            Word::Login(_) => Verdict::Fine,
            Word::Gone(user) => {
                venue.disconnect(time, user);
                Verdict::Fine
            }
            Word::Order(user, bytes) => {
                wire.received += 1;
                wire.total += 1;
                match arrival(bytes, survey, delay_out) {
                    Arrival::Now => venue.order(time, user, bytes).map_or(Verdict::Close, |()| Verdict::Fine),
                    Arrival::At(at) => {
                        wire.late += (at < reached) as u64;
                        let key = (at.max(reached), wire.total);
                        wire.orders.insert(key, Travelling { user, bytes: bytes.to_vec() });
                        Verdict::Fine
                    }
                }
            }
        })
    }

    /// Plays flow and orders before `limit`.
    fn play(&mut self, limit: u64) {
        loop {
            let frame = self.player.next_time().map_or(u64::MAX, |time| time.0);
            let order = self.wire.orders.first_key_value().map_or(u64::MAX, |(&(at, _), _)| at);
            if frame.min(order) >= limit {
                break;
            }
            if frame <= order {
                self.frame();
            } else if let Some(((at, _), travelling)) = self.wire.orders.pop_first() {
                // Bytes that are no OUCH were refused when they came.
                let _ = self.venue.order(Nanos(at), travelling.user, &travelling.bytes);
            }
        }
        self.reached = limit;
    }

    fn frame(&mut self) {
        let Some(frame) = self.player.poll(Nanos(u64::MAX)) else { return };
        let (venue, background, messages) = (&mut self.venue, &mut self.background, &mut self.messages);
        survey::release(&mut self.arbiter, &frame, |_, update, bytes| {
            *messages += 1;
            venue.update(frame.time, update, bytes, background);
        });
    }

    /// Says how far the venue is, after what it sent.
    fn publish(&self) {
        let sent = self.venue.port.users().next().map_or(0, |user| self.venue.port.next(user) - 1);
        self.status.horizon(sent, self.reached);
    }

    fn show(&mut self) {
        let port = self.venue.port.counts();
        self.status.totals(&Totals { messages: self.messages, packets: 0, orders: self.wire.total, port });
    }

    fn rest(&self) {
        match self.idle {
            Idle::Spin => std::hint::spin_loop(),
            Idle::Yield => std::thread::yield_now(),
            Idle::Park => std::thread::sleep(NAP),
        }
    }
}

/// When a message reaches the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrival {
    /// At this capture time.
    At(u64),
    /// When it is read: it carries no decision, or is no order.
    Now,
}

fn arrival(bytes: &[u8], survey: &Survey, delay_out: u64) -> Arrival {
    let decided = match Inbound::decode(bytes) {
        Ok(Inbound::EnterOrder(order, _)) => decision(&order.cl_ord_id),
        Ok(Inbound::ReplaceOrder(order, _)) => decision(&order.cl_ord_id),
        Ok(Inbound::CancelOrder(_, tail) | Inbound::ModifyOrder(_, tail) | Inbound::MassCancel(_, tail)) => {
            tagged(&tail)
        }
        _ => None,
    };
    let time = decided.and_then(|decision| survey.time(decision));
    time.map_or(Arrival::Now, |time| Arrival::At(time.0.saturating_add(delay_out)))
}

fn tagged(tail: &Appendage<'_>) -> Option<u64> {
    tail.find(DECISION_TAG).and_then(|value| value.try_into().ok()).map(u64::from_be_bytes)
}

/// The decision of a ClOrdID: `E`, 3 base-36 digits of epoch, 10 of decision.
fn decision(cl_ord_id: &[u8; 14]) -> Option<u64> {
    if cl_ord_id[0] != b'E' {
        return None;
    }
    cl_ord_id[4..].iter().try_fold(0u64, |decision, &digit| {
        Some(decision * 36 + (digit as char).to_digit(36).filter(|_| !digit.is_ascii_lowercase())? as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_read_from_the_name_of_an_order() {
        assert_eq!(decision(b"E0010000000010"), Some(36));
        assert_eq!(decision(b"E001ZZZZZZZZZZ"), Some(36u64.pow(10) - 1));
        assert_eq!(decision(b"X0010000000010"), None);
        assert_eq!(decision(b"E00100000000 1"), None);
        assert_eq!(decision(b"E001000000000a"), None, "lower case is no digit");
    }
}
