//! The recorder at work: effects are read first and written last, so that what a frame led to never stands before it.

use crate::command::Commands;
use crate::error::RecorderError;
use crate::inlet::{Inlet, entry_of};
use tickline_journal::{CHANNELS, Channels, Fault, Writer};
use tickline_ring::Record;
use tickline_ring::control::ServiceBlock;
use tickline_ring::names::counter;
use tickline_units::Nanos;
use tickline_wire::flat::fill::FILL_BYTES;
use tickline_wire::flat::journal::JournalBody;
use tickline_wire::flat::order::ORDER_BYTES;
use tickline_wire::flat::signal::SIGNAL_BYTES;

/// Signals, orders and fills taken of each stream in one cycle at most.
const BURST: usize = 1024;
/// Frames taken in one cycle at most: more than a ring holds when it was looked at, so that all that was there is taken.
const FRAMES: usize = 1 << 20;
/// Entries wait in memory no longer than this while more come.
const PATIENCE: Nanos = Nanos(10_000_000);
/// Bytes of a record that is kept for the end of a cycle.
const KEPT_BYTES: usize = 256;
const _: () = assert!(SIGNAL_BYTES <= KEPT_BYTES && ORDER_BYTES <= KEPT_BYTES && FILL_BYTES <= KEPT_BYTES);

/// Where records of a stream are counted; fills are among `messages` alone.
const PLACES: [usize; 3] = [counter("frames"), counter("signals"), counter("orders")];

/// A record that waits for the end of the cycle.
struct Kept {
    sequence: u64,
    kind: u32,
    epoch: u32,
    stamp_ns: u64,
    length: usize,
    payload: [u8; KEPT_BYTES],
}

/// Rings on one side, the journal on the other.
pub struct Recorder {
    inlets: [Inlet; CHANNELS],
    kept: Vec<Kept>,
    out: Out,
    commands: Commands,
    flushed: Nanos,
}

/// The writing half.
struct Out {
    writer: Writer,
    block: ServiceBlock,
    missed: Channels,
    /// What was counted already.
    counted: Channels,
    bytes: u64,
    entries: u64,
    /// Sequence of this recorder's first entry.
    first: u64,
}

impl Recorder {
    pub(crate) fn new(
        inlets: [Inlet; CHANNELS],
        writer: Writer,
        commands: Commands,
        block: ServiceBlock,
        missed: Channels,
    ) -> Recorder {
        let lapped: u64 = missed.all().iter().sum();
        if lapped > 0 {
            block.add(counter("lapped"), lapped);
        }
        let counted = writer.channels();
        let first = writer.next();
        let out = Out { writer, block, missed, counted, bytes: 0, entries: 0, first };
        Recorder { inlets, kept: Vec::with_capacity(BURST), out, commands, flushed: Nanos(0) }
    }

    /// Takes what waits in the rings; returns how many entries were written. Writes to the file when nothing more waits or entries have
    /// waited long enough. Allocates nothing but where a segment ends. `now` is monotonic.
    ///
    /// # Errors
    /// The journal cannot be written, or a ring is corrupt; the recorder is of no use then.
    pub fn poll(&mut self, now: Nanos) -> Result<usize, RecorderError> {
        let Recorder { inlets, kept, out, commands, flushed } = self;
        let [frames, effects @ ..] = inlets;
        let before = out.writer.next();
        commands.look(&mut out.writer, now)?;
        let epoch = commands.epoch();
        // Effects first, the last of the flow before the ones that led to it: what led to them is in its ring by then.
        let mut marks = [0; CHANNELS];
        kept.clear();
        for (nth, inlet) in effects.iter_mut().enumerate().rev() {
            let room = BURST.min(kept.capacity() - kept.len());
            inlet.ring.poll(|record| kept.push(Kept::of(record)), room)?;
            marks[nth] = kept.len();
        }
        out.drain(frames, FRAMES, epoch)?;
        for (nth, inlet) in effects.iter().enumerate() {
            for one in &kept[marks[nth + 1]..marks[nth]] {
                let payload = &one.payload[..one.length];
                let Kept { sequence, kind, epoch: writer, stamp_ns, .. } = *one;
                out.take(inlet.kind, &Record { kind, sequence, epoch: writer, stamp_ns, payload }, epoch)?;
            }
        }
        let written = (out.writer.next() - before) as usize;
        if out.writer.pending() && (written == 0 || now.0.saturating_sub(flushed.0) >= PATIENCE.0) {
            *flushed = now;
            out.writer.flush(now)?;
            // A replay's feed waits for this: what is in the file is not lost with this process.
            out.block.set_progress(out.writer.channels().frame - 1);
        }
        out.count();
        Ok(written)
    }

    /// Takes what is left and ends the journal.
    ///
    /// # Errors
    /// As for `poll`.
    pub fn close(mut self, now: Nanos) -> Result<(), RecorderError> {
        while self.poll(now)? > 0 {}
        Ok(self.out.writer.close()?)
    }

    /// Records that were overwritten before they were taken, by stream, of this recorder.
    pub fn missed(&self) -> Channels {
        self.out.missed
    }

    /// The journal.
    pub fn writer(&self) -> &Writer {
        &self.out.writer
    }
}

impl Out {
    /// Takes records straight from a ring.
    fn drain(&mut self, inlet: &mut Inlet, limit: usize, epoch: u32) -> Result<(), RecorderError> {
        let mut outcome = Ok(());
        let kind = inlet.kind;
        inlet.ring.poll(
            |record| {
                if outcome.is_ok() {
                    outcome = self.take(kind, record, epoch);
                }
            },
            limit,
        )?;
        Ok(outcome?)
    }

    /// One record into the journal, behind a declaration of those that are missing before it.
    #[inline]
    fn take(&mut self, stream: u16, record: &Record<'_>, epoch: u32) -> Result<(), Fault> {
        let expected = self.writer.channels().all()[usize::from(stream) - 1];
        let entry = entry_of(stream, record, epoch);
        let lost = record.sequence.saturating_sub(expected) + u64::from(entry.is_none());
        if lost > 0 {
            self.lose(stream, lost, record.stamp_ns, epoch, entry.is_none())?;
        }
        match entry {
            Some((body, payload)) => self.writer.append(&body, payload),
            None => Ok(()),
        }
    }

    #[cold]
    fn lose(
        &mut self,
        stream: u16,
        lost: u64,
        stamp_ns: u64,
        epoch: u32,
        unreadable: bool,
    ) -> Result<(), Fault> {
        if let Some(missed) = self.missed.of(stream) {
            *missed += lost;
        }
        self.block.add(counter("lapped"), lost);
        if unreadable {
            self.block.add(counter("malformed"), 1);
        }
        self.writer.declare(
            stream,
            lost,
            &JournalBody { time_ns: stamp_ns, stamp_ns, epoch, ..Default::default() },
        )
    }

    fn count(&mut self) {
        let bytes = self.writer.bytes();
        if bytes == self.bytes {
            return;
        }
        let now = self.writer.channels();
        for ((place, now), counted) in PLACES.iter().zip(now.all()).zip(self.counted.all()) {
            if now != counted {
                self.block.add(*place, now - counted);
            }
        }
        self.counted = now;
        self.block.add(counter("bytes_out"), bytes - self.bytes);
        self.bytes = bytes;
        let entries = self.writer.next() - self.first;
        self.block.add(counter("messages"), entries - self.entries);
        self.entries = entries;
    }
}

impl Kept {
    #[inline]
    fn of(record: &Record<'_>) -> Kept {
        let mut payload = [0; KEPT_BYTES];
        let length = record.payload.len().min(KEPT_BYTES);
        payload[..length].copy_from_slice(&record.payload[..length]);
        Kept {
            sequence: record.sequence,
            kind: record.kind,
            epoch: record.epoch,
            stamp_ns: record.stamp_ns,
            length,
            payload,
        }
    }
}
