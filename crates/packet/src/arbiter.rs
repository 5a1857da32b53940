// @hot
//! One ordered message stream out of two lossy lines (and the re-request server's answers).
//!
//! Every message is delivered once and in order. What one line lost comes from the other. What none brought within the
//! patience, or before the window is full, is declared a `Gap`, and the stream goes on behind it. Time is an argument, so
//! the same packets at the same times give the same events.

mod event;
mod line;
mod window;

pub use event::{Config, Dropped, Event, Gap, HELD_BYTES_MAX, Join};
pub use line::LineCounts;

use crate::{Frame, LINES};
use line::Line;
use tickline_units::Nanos;
use tickline_wire::mold::{Malformed, Packet, Session};
use window::Window;

/// Packets of a new session in a row before it replaces one that has not ended. One damaged packet must not do it.
const SESSION_CONFIRMATIONS: u32 = 3;

/// The state of one stream.
pub struct Arbiter {
    config: Config,
    session: Option<Session>,
    /// The session before, whose late packets are dropped.
    previous: Option<Session>,
    candidate: Option<(Session, u32)>,
    ended: bool,
    /// The number after the last message of a session whose end was seen.
    end: Option<u64>,
    /// The next message to deliver.
    next: u64,
    /// The number after the furthest message known of, at least `next`; when that was learned.
    reach: u64,
    reach_time: Nanos,
    /// Since when `next` is known to be missing, and the end of what was known to be missing then.
    since: Option<(Nanos, u64)>,
    /// A packet far ahead that waits to be confirmed: its first and its following number.
    far: Option<u64>,
    window: Window,
    lines: [Line; LINES],
    dropped: Dropped,
    delivered: u64,
    gaps: u64,
    lost: u64,
}

impl Arbiter {
    /// Sets all memory aside. Nothing is allocated afterwards.
    ///
    /// # Panics
    /// If the window is not a power of two above 1: the caller's bug.
    pub fn new(config: Config) -> Arbiter {
        Arbiter {
            config,
            session: None,
            previous: None,
            candidate: None,
            ended: false,
            end: None,
            next: 0,
            reach: 0,
            reach_time: Nanos(0),
            since: None,
            far: None,
            window: Window::new(config.window),
            lines: [Line::default(); LINES],
            dropped: Dropped::default(),
            delivered: 0,
            gaps: 0,
            lost: 0,
        }
    }

    /// Takes one frame and calls `deliver` with what follows from it. A malformed packet is counted and returned; nothing
    /// of it is used. Cost in order: about 5 ns and what `deliver` takes.
    #[inline]
    pub fn accept(&mut self, frame: &Frame<'_>, mut deliver: impl FnMut(Event<'_>)) -> Result<(), Malformed> {
        let line = usize::from(frame.line).min(LINES - 1);
        let packet = match Packet::parse(frame.payload) {
            Ok(packet) => packet,
            Err(fault) => {
                self.lines[line].malformed();
                return Err(fault);
            }
        };
        self.lines[line].packet(&packet, frame.time);
        if self.session != Some(packet.header.session) && !self.enter(&packet, frame.time, &mut deliver) {
            return Ok(());
        }
        let first = packet.header.sequence;
        // In order and nothing held back: straight from the frame, as nearly always.
        if first == self.next && self.reach == self.next && packet.messages() > 0 {
            for (nth, bytes) in packet.blocks().enumerate() {
                deliver(Event::Message { sequence: first + nth as u64, bytes });
            }
            let count = u64::from(packet.messages());
            self.lines[line].track(&packet);
            self.lines[line].first(count);
            self.delivered += count;
            self.next = packet.next();
            self.reach = self.next;
            (self.far, self.candidate) = (None, None);
            self.close(&mut deliver);
            return Ok(());
        }
        self.out_of_order(line, &packet, frame.time, &mut deliver);
        Ok(())
    }

    /// Gives up what has been missing for longer than the patience. Call it every duty cycle.
    #[inline]
    pub fn poll(&mut self, now: Nanos, mut deliver: impl FnMut(Event<'_>)) {
        if self.since.is_some() {
            self.give_up(now, &mut deliver);
        }
    }

    /// Takes one message that was recovered by other means. Late or unknown ones are ignored.
    pub fn recover(&mut self, sequence: u64, message: &[u8], now: Nanos, mut deliver: impl FnMut(Event<'_>)) {
        let ahead = sequence.saturating_sub(self.next);
        if sequence >= self.reach || ahead >= self.config.window as u64 {
            return;
        }
        self.take(usize::from(crate::RECOVERY), sequence, message, now, &mut deliver);
        self.settle(now, &mut deliver);
    }

    /// The first missing range: its first sequence number, its length, and since when it is missing.
    pub fn missing(&self) -> Option<(u64, u64, Nanos)> {
        let (since, _) = self.since?;
        let end = self.window.lowest().unwrap_or(self.reach);
        Some((self.next, end - self.next, since))
    }

    /// The current session.
    pub fn session(&self) -> Option<Session> {
        self.session
    }

    /// The next message to deliver.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// True once the session's end was delivered and no new one has begun.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Counts of one line (0 = A, 1 = B, 2 = recovery).
    pub fn line(&self, line: u8) -> LineCounts {
        self.lines[usize::from(line).min(LINES - 1)].counts()
    }

    /// Packets and messages dropped, all lines together.
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Messages delivered.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Gaps declared, and messages in them.
    pub fn gaps(&self) -> (u64, u64) {
        (self.gaps, self.lost)
    }

    /// Decides about a packet of another session; true if it is the current one now.
    #[cold]
    fn enter(&mut self, packet: &Packet<'_>, now: Nanos, deliver: &mut impl FnMut(Event<'_>)) -> bool {
        let session = packet.header.session;
        if self.session.is_none() {
            let next = if self.config.join == Join::Beginning { 1 } else { packet.header.sequence };
            self.start(session, next, deliver);
            return true;
        }
        if self.previous == Some(session) {
            self.dropped.session += 1;
            return false;
        }
        let seen = self.candidate.filter(|&(name, _)| name == session).map_or(0, |(_, seen)| seen) + 1;
        if !self.ended && seen < SESSION_CONFIRMATIONS {
            self.candidate = Some((session, seen));
            self.dropped.session += 1;
            return false;
        }
        self.abandon(self.reach, now, deliver);
        self.previous = self.session;
        self.start(session, 1, deliver);
        true
    }

    fn start(&mut self, session: Session, next: u64, deliver: &mut impl FnMut(Event<'_>)) {
        self.session = Some(session);
        (self.next, self.reach) = (next, next);
        (self.since, self.far, self.candidate, self.end) = (None, None, None, None);
        self.ended = false;
        self.window.clear();
        for line in &mut self.lines {
            line.restart();
        }
        deliver(Event::Session { session, next });
    }

    #[cold]
    fn out_of_order(
        &mut self,
        line: usize,
        packet: &Packet<'_>,
        now: Nanos,
        deliver: &mut impl FnMut(Event<'_>),
    ) {
        self.candidate = None;
        let first = packet.header.sequence;
        if !self.within_reach(first, now, deliver) {
            return;
        }
        self.lines[line].track(packet);
        if packet.is_end() && self.end.is_none() {
            self.end = Some(first.max(self.next));
        }
        for (nth, bytes) in packet.blocks().enumerate() {
            let sequence = first + nth as u64;
            self.make_room(sequence, now, deliver);
            self.take(line, sequence, bytes, now, deliver);
        }
        self.extend(packet.next(), now);
        self.settle(now, deliver);
    }

    /// Notes that messages up to `end` exist.
    fn extend(&mut self, end: u64, now: Nanos) {
        if end > self.reach {
            (self.reach, self.reach_time) = (end, now);
        }
    }

    /// False for a packet more than a window ahead of all that is known, unless one like it came before: a damaged
    /// sequence number must not make the rest of the day look old.
    fn within_reach(&mut self, first: u64, now: Nanos, deliver: &mut impl FnMut(Event<'_>)) -> bool {
        let window = self.config.window as u64;
        if first.saturating_sub(self.reach) <= window {
            return true;
        }
        if !self.far.is_some_and(|far| first >= far && first - far <= window) {
            self.far = Some(first);
            self.dropped.far += 1;
            return false;
        }
        self.abandon(first, now, deliver);
        true
    }

    /// Delivers or declares lost everything before `end`.
    fn abandon(&mut self, end: u64, now: Nanos, deliver: &mut impl FnMut(Event<'_>)) {
        while self.next < end {
            let hole = self.window.lowest().map_or(end, |lowest| lowest.min(end));
            self.lose(hole, now, deliver);
            self.drain(deliver);
        }
        self.reach = self.reach.max(self.next);
        self.far = None;
    }

    /// Gives holes up until `sequence` fits into the window.
    fn make_room(&mut self, sequence: u64, now: Nanos, deliver: &mut impl FnMut(Event<'_>)) {
        let window = self.config.window as u64;
        while sequence >= self.next && sequence - self.next >= window {
            let hole = self.window.lowest().map_or(sequence, |lowest| lowest.min(sequence));
            self.lose(hole, now, deliver);
            self.drain(deliver);
        }
    }

    /// One message: delivered, held back, or dropped as known.
    fn take(
        &mut self,
        line: usize,
        sequence: u64,
        bytes: &[u8],
        now: Nanos,
        deliver: &mut impl FnMut(Event<'_>),
    ) {
        if sequence < self.next || self.window.holds(sequence) {
            self.lines[line].duplicate();
        } else if sequence == self.next {
            deliver(Event::Message { sequence, bytes });
            self.lines[line].first(1);
            self.delivered += 1;
            self.next += 1;
            self.drain(deliver);
        } else if bytes.len() > HELD_BYTES_MAX {
            self.dropped.oversize += 1;
        } else {
            self.window.hold(sequence, bytes, now);
            self.lines[line].first(1);
        }
    }

    /// Delivers what is held back and in order now; the next hole is missing since the message behind it came.
    fn drain(&mut self, deliver: &mut impl FnMut(Event<'_>)) {
        while let Some(bytes) = self.window.release(self.next) {
            deliver(Event::Message { sequence: self.next, bytes });
            self.delivered += 1;
            self.next += 1;
        }
        self.since = None;
    }

    fn lose(&mut self, end: u64, now: Nanos, deliver: &mut impl FnMut(Event<'_>)) {
        if end > self.next {
            let gap = Gap { first: self.next, count: end - self.next, time: now };
            self.gaps += 1;
            self.lost += gap.count;
            self.next = end;
            deliver(Event::Gap(gap));
        }
    }

    /// After any change: start or stop the clock of the first hole, give up what is overdue, end the session.
    fn settle(&mut self, now: Nanos, deliver: &mut impl FnMut(Event<'_>)) {
        self.reach = self.reach.max(self.next);
        self.far = None;
        self.give_up(now, deliver);
        self.close(deliver);
    }

    fn give_up(&mut self, now: Nanos, deliver: &mut impl FnMut(Event<'_>)) {
        while self.next < self.reach {
            let hole = self.window.lowest().unwrap_or(self.reach);
            let seen = self.window.lowest_time().unwrap_or(self.reach_time);
            let (since, known) = *self.since.get_or_insert((seen, hole));
            if now.0.saturating_sub(since.0) < self.config.patience.0 {
                return;
            }
            self.lose(hole.min(known), now, deliver);
            self.drain(deliver);
        }
        self.since = None;
        self.close(deliver);
    }

    #[inline]
    fn close(&mut self, deliver: &mut impl FnMut(Event<'_>)) {
        if self.end.is_some_and(|end| self.next >= end) && !self.ended {
            self.ended = true;
            deliver(Event::End { next: self.next });
        }
    }
}
