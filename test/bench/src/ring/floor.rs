//! The floor: what two processes can do at best with a message that both know the place of. A payload, then a flag that counts.

use super::{Message, SIZE, look};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use tickline_ring::{Segment, SegmentError};

/// One message each way.
#[repr(C, align(128))]
struct Lane {
    flag: AtomicU64,
    payload: [AtomicU64; SIZE / 8],
}

impl Lane {
    #[inline(always)]
    fn send(&self, turn: u64, message: &Message) {
        for (word, value) in self.payload.iter().zip(message) {
            word.store(*value, Ordering::Relaxed);
        }
        self.flag.store(turn, Ordering::Release);
    }

    #[inline(always)]
    fn receive(&self, turn: u64) -> Message {
        let mut looks = 0;
        while self.flag.load(Ordering::Acquire) != turn {
            look(&mut looks);
        }
        std::array::from_fn(|at| self.payload[at].load(Ordering::Relaxed))
    }
}

/// Both lanes in a plain segment of their own.
struct Lanes {
    segment: Segment,
    turn: u64,
}

impl Lanes {
    fn open(dir: &Path) -> Result<Lanes, SegmentError> {
        let segment = Segment::open(dir.join("floor"))?;
        assert!(segment.bytes() >= 4096, "a plain segment is whole pages");
        Ok(Lanes { segment, turn: 0 })
    }

    #[inline(always)]
    fn lane(&self, nth: usize) -> &Lane {
        // SAFETY: byte 1024 and the next 256 lie in the segment's data, checked by `open`; pages are aligned; any bytes are a `Lane`.
        unsafe { &*self.segment.base().add(1024).cast::<Lane>().add(nth) }
    }
}

/// The end that starts.
pub struct Near(Lanes);

impl Near {
    /// Over the segment `floor` of `dir`.
    pub fn open(dir: &Path) -> Result<Near, SegmentError> {
        Lanes::open(dir).map(Near)
    }
}

impl super::Near for Near {
    #[inline(always)]
    fn trip(&mut self, message: &Message) {
        self.0.turn += 1;
        self.0.lane(0).send(self.0.turn, message);
        assert_eq!(self.0.lane(1).receive(self.0.turn), *message);
    }

    fn send(&mut self, message: &Message) {
        self.trip(message);
    }
}

/// The end that answers.
pub struct Far(Lanes);

impl Far {
    /// Over the segment `floor` of `dir`.
    pub fn open(dir: &Path) -> Result<Far, SegmentError> {
        Lanes::open(dir).map(Far)
    }
}

impl super::Far for Far {
    fn echo(&mut self, count: u64) {
        for _ in 0..count {
            self.0.turn += 1;
            let message = self.0.lane(0).receive(self.0.turn);
            self.0.lane(1).send(self.0.turn, &message);
        }
    }

    /// One place holds one message: every message waits for its answer, so this is no rate.
    fn drain(&mut self, _first: u64, count: u64) -> u64 {
        self.echo(count);
        0
    }
}
