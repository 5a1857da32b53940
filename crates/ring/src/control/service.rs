//! A service block: what a service says about itself while it runs.

use super::histogram::{HISTOGRAM_BYTES, Histogram};
use super::{COUNTERS_MAX, HISTOGRAMS_MAX, SERVICE_BYTES, cell, text};
use crate::segment::Segment;
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::sync::{AtomicU32, fence};
use std::sync::Arc;

const STATE: usize = 0;
const PID: usize = 4;
const EPOCH: usize = 8;
const RESTARTS: usize = 12;
const BELL: usize = 16;
const NAME_LENGTH: usize = 20;
const NAME: usize = 32;
const NAME_ROOM: usize = 32;
const HEARTBEAT: usize = 64;
const HORIZON: usize = 128;
const SENT: usize = 144;
const ADMIT: usize = 160;
const PROGRESS: usize = 192;
const ERROR_LENGTH: usize = 256;
const ERROR: usize = 260;
const ERROR_ROOM: usize = 252;
const COUNTERS: usize = 512;
const HISTOGRAMS: usize = 1024;

const _: () = assert!(HISTOGRAMS + HISTOGRAMS_MAX * HISTOGRAM_BYTES <= SERVICE_BYTES);
const _: () = assert!(COUNTERS + COUNTERS_MAX * 8 == HISTOGRAMS && HISTOGRAM_BYTES == 17_984);

/// Where a service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum State {
    /// Nobody has used the block yet.
    Empty = 0,
    /// Attaching and loading.
    Starting = 1,
    /// Ready to take messages.
    Ready = 2,
    /// Has taken messages.
    Running = 3,
    /// Draining after a stop was asked for.
    Stopping = 4,
    /// Ended as asked.
    Stopped = 5,
    /// Ended by an error; its text is in the block.
    Failed = 6,
}

impl State {
    /// From the block's number; an unknown one is `Failed`: fail closed.
    pub const fn from_code(code: u32) -> State {
        match code {
            0 => State::Empty,
            1 => State::Starting,
            2 => State::Ready,
            3 => State::Running,
            4 => State::Stopping,
            5 => State::Stopped,
            _ => State::Failed,
        }
    }
}

/// One service's block of the control segment.
#[derive(Clone)]
pub struct ServiceBlock {
    segment: Arc<Segment>,
    at: usize,
}

impl ServiceBlock {
    pub(crate) fn new(segment: Arc<Segment>, at: usize) -> ServiceBlock {
        ServiceBlock { segment, at }
    }

    fn word(&self, at: usize) -> &AtomicU32 {
        self.segment.mapping.word(self.at + at)
    }

    fn cell(&self, at: usize) -> u64 {
        cell::load(&self.segment.mapping, self.at + at)
    }

    fn set_cell(&self, at: usize, value: u64) {
        cell::store(&self.segment.mapping, self.at + at, value);
    }

    /// Takes the block for a starting process: name, pid, next epoch, and a clean slate (horizon, sent, admit and progress at 0, no
    /// error). Counters and histograms go on, so that a run's totals survive a restart. Returns the epoch.
    pub fn begin(&self, name: &str, pid: u32) -> u32 {
        self.word(STATE).store(State::Starting as u32, Release);
        text::store(&self.segment.mapping, self.at + NAME_LENGTH, self.at + NAME, NAME_ROOM, name);
        self.word(PID).store(pid, Relaxed);
        for at in [HORIZON, SENT, ADMIT, PROGRESS] {
            self.set_cell(at, 0);
        }
        text::store(&self.segment.mapping, self.at + ERROR_LENGTH, self.at + ERROR, ERROR_ROOM, "");
        self.word(EPOCH).fetch_add(1, AcqRel) + 1
    }

    /// Name given with `begin`.
    pub fn name(&self) -> String {
        text::load(&self.segment.mapping, self.at + NAME_LENGTH, self.at + NAME, NAME_ROOM)
    }

    /// Process of the service; 0 before the first.
    pub fn pid(&self) -> u32 {
        self.word(PID).load(Acquire)
    }

    /// How often the service has begun.
    pub fn epoch(&self) -> u32 {
        self.word(EPOCH).load(Acquire)
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        State::from_code(self.word(STATE).load(Acquire))
    }

    /// Says where it stands.
    pub fn set_state(&self, state: State) {
        self.word(STATE).store(state as u32, Release);
    }

    /// How often the supervisor has restarted it.
    pub fn restarts(&self) -> u32 {
        self.word(RESTARTS).load(Acquire)
    }

    /// Counts a restart; the supervisor.
    pub fn add_restart(&self) {
        self.word(RESTARTS).fetch_add(1, AcqRel);
    }

    /// Monotonic time of the last duty cycle, ns.
    pub fn heartbeat(&self) -> u64 {
        self.cell(HEARTBEAT)
    }

    /// Stamps a duty cycle.
    #[inline]
    pub fn set_heartbeat(&self, ns: u64) {
        self.set_cell(HEARTBEAT, ns);
    }

    /// Everything with line time below this is handled, and what it caused is in the outlets.
    #[inline]
    pub fn horizon(&self) -> u64 {
        self.cell(HORIZON)
    }

    /// Publishes the horizon, after what it promises; `u64::MAX` at the end.
    #[inline]
    pub fn set_horizon(&self, time_ns: u64) {
        self.set_cell(HORIZON, time_ns);
    }

    /// Messages sent to the peer on the order session.
    #[inline]
    pub fn sent(&self) -> u64 {
        self.cell(SENT)
    }

    /// Publishes `sent`; before the horizon that covers it.
    #[inline]
    pub fn set_sent(&self, messages: u64) {
        self.set_cell(SENT, messages);
    }

    /// Line time up to which frames may be released.
    #[inline]
    pub fn admit(&self) -> u64 {
        self.cell(ADMIT)
    }

    /// Publishes the admission time.
    #[inline]
    pub fn set_admit(&self, time_ns: u64) {
        self.set_cell(ADMIT, time_ns);
    }

    /// Messages handled, for a progress display.
    pub fn progress(&self) -> u64 {
        self.cell(PROGRESS)
    }

    /// Publishes the progress.
    #[inline]
    pub fn set_progress(&self, messages: u64) {
        self.set_cell(PROGRESS, messages);
    }

    /// Last error; empty when there was none.
    pub fn error(&self) -> String {
        text::load(&self.segment.mapping, self.at + ERROR_LENGTH, self.at + ERROR, ERROR_ROOM)
    }

    /// Leaves an error text of at most 252 bytes; longer ones are cut.
    pub fn set_error(&self, error: &str) {
        text::store(&self.segment.mapping, self.at + ERROR_LENGTH, self.at + ERROR, ERROR_ROOM, error);
    }

    /// Value of a counter in its place in `names::COUNTERS`.
    pub fn counter(&self, place: usize) -> u64 {
        assert!(place < COUNTERS_MAX, "counter {place} of {COUNTERS_MAX}");
        self.segment.mapping.word64(self.at + COUNTERS + place * 8).load(Relaxed)
    }

    /// Adds to a counter. Only the block's service may: no read-modify-write instruction is used.
    #[inline]
    pub fn add(&self, place: usize, n: u64) {
        assert!(place < COUNTERS_MAX, "counter {place} of {COUNTERS_MAX}");
        let word = self.segment.mapping.word64(self.at + COUNTERS + place * 8);
        word.store(word.load(Relaxed).wrapping_add(n), Relaxed);
    }

    /// A histogram in its place in `names::HOPS`; keep it, to record without looking it up again.
    pub fn histogram(&self, place: usize) -> Histogram {
        assert!(place < HISTOGRAMS_MAX, "histogram {place} of {HISTOGRAMS_MAX}");
        Histogram::new(self.segment.clone(), self.at + HISTOGRAMS + place * HISTOGRAM_BYTES)
    }

    /// Arms the doorbell before sleeping. The caller then looks at its inlets once more, and sleeps only if they are empty.
    pub fn arm_bell(&self) {
        self.word(BELL).store(1, SeqCst);
        // SYNC: pairs with the fence in `wanted`: either the ringer sees the flag or the sleeper sees the message.
        fence(SeqCst);
    }

    /// Takes the flag back after waking, or when there was something after all.
    pub fn disarm_bell(&self) {
        self.word(BELL).store(0, SeqCst);
    }

    /// True when the service sleeps and this caller is the one to ring. To be asked after the commit.
    #[inline]
    pub fn wanted(&self) -> bool {
        fence(SeqCst);
        self.word(BELL).load(Relaxed) != 0 && self.word(BELL).swap(0, AcqRel) != 0
    }
}
