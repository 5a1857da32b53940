//! Plays a capture at a pace. Deadlines are absolute, so being late once never makes the rest late.

use super::capture::Capture;
use crate::Frame;
use tickline_units::Nanos;

/// How fast a capture is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// This many times the recorded pace.
    Times(f64),
    /// As fast as frames are taken.
    Max,
}

impl Speed {
    /// From a configuration's or command line's text: `max`, or a number above 0 up to 1,000,000.
    pub fn parse(text: &str) -> Option<Speed> {
        if text == "max" {
            return Some(Speed::Max);
        }
        let times: f64 = text.parse().ok()?;
        (times > 0.0 && times <= 1e6).then_some(Speed::Times(times))
    }
}

/// A position in a capture and the time at which it started.
#[derive(Debug)]
pub struct Player {
    capture: Capture,
    speed: Speed,
    start: Nanos,
    first: Nanos,
    at: usize,
    /// The latest capture time so far; a file whose clock steps back plays on without waiting.
    reached: Nanos,
}

impl Player {
    /// The first frame is due at `start` (monotonic).
    pub fn new(capture: Capture, start: Nanos, speed: Speed) -> Player {
        let first = capture.time(0).unwrap_or_default();
        Player { capture, speed, start, first, at: 0, reached: first }
    }

    /// Plays again from the beginning, due from `start` on.
    pub fn restart(&mut self, start: Nanos) {
        (self.start, self.at, self.reached) = (start, 0, self.first);
    }

    /// Lets the capture's clock stand still for a while that has passed: all frames to come are due that much later.
    #[inline]
    pub fn postpone(&mut self, by: Nanos) {
        self.start.0 = self.start.0.saturating_add(by.0);
    }

    /// Capture time of the next frame; `None` at the end. Never below the time of a frame played before.
    #[inline]
    pub fn next_time(&self) -> Option<Nanos> {
        self.capture.time(self.at).map(|time| time.max(self.reached))
    }

    /// Monotonic time at which the next frame is due: `start` when playing at full speed; `None` at the end.
    #[inline]
    pub fn next_due(&self) -> Option<Nanos> {
        self.next_time().map(|time| self.due(time))
    }

    /// The next frame, if it is due at `now` (monotonic). Its `due` is the deadline, at full speed `now`.
    #[inline]
    pub fn poll(&mut self, now: Nanos) -> Option<Frame<'_>> {
        let time = self.next_time()?;
        let due = if self.speed == Speed::Max { now } else { self.due(time) };
        if due > now {
            return None;
        }
        self.reached = time;
        let nth = self.at;
        self.at += 1;
        self.capture.frame(nth).map(|frame| Frame { time, due, ..frame })
    }

    /// The bytes of the next frame, whenever it is due. A network card would have them in a cache already: who waits for the frame can
    /// look at them first.
    #[inline]
    pub fn peek(&self) -> &[u8] {
        self.capture.frame(self.at).map_or(&[], |frame| frame.payload)
    }

    /// Frames played so far.
    pub fn played(&self) -> usize {
        self.at
    }

    /// What is played.
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    #[inline]
    fn due(&self, time: Nanos) -> Nanos {
        let since = time.0.saturating_sub(self.first.0);
        let wait = match self.speed {
            Speed::Max => 0,
            Speed::Times(1.0) => since,
            // A day in nanoseconds is below 2^53: the division is exact to less than a nanosecond.
            Speed::Times(times) => (since as f64 / times) as u64,
        };
        Nanos(self.start.0.saturating_add(wait))
    }
}
