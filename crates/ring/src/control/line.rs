//! The line block: whether orders may pass, and if not, why.

use super::{AT_LINE, text};
use crate::segment::Segment;
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::Arc;

/// The one value of the armed word that lets orders pass: "ARMD".
pub const ARMED: u32 = 0x4152_4D44;

const ARMED_WORD: usize = 0;
const CAUSE: usize = 4;
const CAUSE_NS: usize = 8;
const RUN: usize = 16;
const EPOCH: usize = 24;
const TEXT_LENGTH: usize = 28;
const TEXT: usize = 64;
const TEXT_ROOM: usize = 192;

/// Why the line was disarmed. The first cause stays until the line is armed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Code, not 0; the gate and the watchdog list theirs.
    pub code: u32,
    /// Monotonic time in ns.
    pub ns: u64,
    /// For people.
    pub text: String,
}

/// The line's block of the control segment.
#[derive(Clone)]
pub struct LineBlock {
    segment: Arc<Segment>,
}

impl LineBlock {
    pub(crate) fn new(segment: Arc<Segment>) -> LineBlock {
        LineBlock { segment }
    }

    fn word(&self, at: usize) -> &crate::sync::AtomicU32 {
        self.segment.mapping.word(AT_LINE + at)
    }

    /// True when orders may pass. One load: the gate asks before every order.
    #[inline]
    pub fn armed(&self) -> bool {
        self.word(ARMED_WORD).load(Acquire) == ARMED
    }

    /// Stops all orders, at once. Anyone may; the first cause is kept.
    pub fn disarm(&self, code: u32, ns: u64, reason: &str) {
        self.word(ARMED_WORD).store(0, SeqCst);
        let code = code.max(1);
        if self.word(CAUSE).compare_exchange(0, code, AcqRel, Relaxed).is_ok() {
            self.segment.mapping.word64(AT_LINE + CAUSE_NS).store(ns, Relaxed);
            text::store(&self.segment.mapping, AT_LINE + TEXT_LENGTH, AT_LINE + TEXT, TEXT_ROOM, reason);
        }
    }

    /// Lets orders pass and forgets the cause. Only the supervisor or a person.
    pub fn arm(&self) {
        text::store(&self.segment.mapping, AT_LINE + TEXT_LENGTH, AT_LINE + TEXT, TEXT_ROOM, "");
        self.segment.mapping.word64(AT_LINE + CAUSE_NS).store(0, Relaxed);
        self.word(CAUSE).store(0, Release);
        self.word(ARMED_WORD).store(ARMED, SeqCst);
    }

    /// Why the line was disarmed; `None` when it never was since it was armed.
    pub fn cause(&self) -> Option<Cause> {
        let code = self.word(CAUSE).load(Acquire);
        (code != 0).then(|| Cause {
            code,
            ns: self.segment.mapping.word64(AT_LINE + CAUSE_NS).load(Relaxed),
            text: text::load(&self.segment.mapping, AT_LINE + TEXT_LENGTH, AT_LINE + TEXT, TEXT_ROOM),
        })
    }

    /// Identity of the run, chosen by the supervisor.
    pub fn run_id(&self) -> u64 {
        self.segment.mapping.word64(AT_LINE + RUN).load(Relaxed)
    }

    /// Sets the run's identity; the supervisor, once.
    pub fn set_run_id(&self, id: u64) {
        self.segment.mapping.word64(AT_LINE + RUN).store(id, Relaxed);
    }

    /// The line's epoch: in every client order id; older ones are refused.
    #[inline]
    pub fn epoch(&self) -> u32 {
        self.word(EPOCH).load(Acquire)
    }

    /// Raises the epoch by one and returns it; the supervisor.
    pub fn raise_epoch(&self) -> u32 {
        self.word(EPOCH).fetch_add(1, AcqRel) + 1
    }
}
