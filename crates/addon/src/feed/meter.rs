//! A feed's totals into its block of the control segment.

use tickline_packet::LINES;
use tickline_pipeline::Pipeline;
use tickline_ring::control::{Histogram, ServiceBlock};
use tickline_ring::names::{counter, hop};

/// What is counted where.
const PLACES: [usize; 12] = [
    counter("frames"),
    counter("messages"),
    counter("malformed"),
    counter("unknown"),
    counter("gaps"),
    counter("gap_messages"),
    counter("duplicates"),
    counter("heartbeats"),
    counter("books"),
    counter("updates"),
    counter("features"),
    counter("resyncs"),
];

/// Writes what was added since it last did.
pub(super) struct Meter {
    block: ServiceBlock,
    /// The last service of the flow.
    end: ServiceBlock,
    written: [u64; PLACES.len()],
    pub(super) lateness: Histogram,
    pub(super) admission: Histogram,
    stalls: Histogram,
    pub(super) admit_waits: u64,
    /// Polls since totals were written.
    unwritten: u32,
}

/// Polls that move something between two writings: consumers wait for the end of a poll, readers of counters do not.
const POLLS: u32 = 64;
/// Two looks at the clock are 25 ns apart; what takes this long is not the loop's doing.
const STALL_NS: u64 = 5_000;

impl Meter {
    pub(super) fn new(block: ServiceBlock, end: ServiceBlock) -> Meter {
        let (lateness, admission) = (block.histogram(hop("lateness")), block.histogram(hop("admit")));
        let stalls = block.histogram(hop("stall"));
        Meter {
            block,
            end,
            written: [0; PLACES.len()],
            lateness,
            admission,
            stalls,
            admit_waits: 0,
            unwritten: 0,
        }
    }

    /// After each poll: writes totals with the first that moved nothing, and now and then while all do.
    #[inline]
    pub(super) fn tick(&mut self, work: u32, pipeline: &Pipeline) {
        self.unwritten += u32::from(work > 0);
        if self.unwritten > 0 && (work == 0 || self.unwritten >= POLLS) {
            self.write(pipeline);
        }
    }

    /// Adds what is new. About 12 loads and few stores.
    pub(super) fn write(&mut self, pipeline: &Pipeline) {
        self.unwritten = 0;
        let counts = pipeline.counts();
        let (mut duplicates, mut heartbeats) = (0, 0);
        for line in 0..LINES as u8 {
            let line = pipeline.arbiter().line(line);
            duplicates += line.duplicates;
            heartbeats += line.heartbeats;
        }
        let now = [
            counts.frames,
            counts.messages,
            counts.malformed,
            counts.unknown,
            counts.gaps,
            counts.gap_messages,
            duplicates,
            heartbeats,
            pipeline.books().len() as u64,
            counts.updates,
            counts.rows,
            counts.caught_up,
        ];
        for ((place, now), written) in PLACES.iter().zip(now).zip(&mut self.written) {
            if now != *written {
                self.block.add(*place, now - *written);
                *written = now;
            }
        }
        self.block.set_progress(counts.messages);
    }

    /// Between two looks at the clock, with nothing to do, `lasted_ns` went by: when that is long, the machine took it, for a tick, an
    /// interrupt or another guest. No line can answer in that time, so a run says how much of it there was.
    #[inline]
    pub(super) fn looked(&self, lasted_ns: u64) {
        if lasted_ns > STALL_NS {
            self.stalls.record(lasted_ns);
        }
    }

    /// Counts a frame that was not admitted yet.
    pub(super) fn admit_wait(&mut self) {
        self.admit_waits += 1;
        self.block.add(counter("admit_waits"), 1);
    }

    /// The capture time below which the whole line has handled everything.
    pub(super) fn line_horizon(&self) -> u64 {
        self.end.horizon()
    }

    pub(super) fn block(&self) -> &ServiceBlock {
        &self.block
    }
}
