//! Going on where the last recorder of the same run stopped, or beginning a run.

use crate::command::Commands;
use crate::error::RecorderError;
use crate::inlet::Inlet;
use crate::recorder::Recorder;
use std::path::PathBuf;
use std::sync::Arc;
use tickline_journal::{CHANNELS, Channels, Found, Resumed, RunHeader, Settings, Writer, kind};
use tickline_ring::Segment;
use tickline_ring::broadcast::{Join, Subscriber};
use tickline_ring::control::Control;
use tickline_units::Nanos;
use tickline_wire::flat::journal::JournalBody;

/// Rings of the streams.
#[derive(Clone, Debug)]
pub struct Taps {
    /// Frames, as `Journal` messages.
    pub frame: PathBuf,
    /// Signals.
    pub signal: PathBuf,
    /// Orders.
    pub order: PathBuf,
    /// Fills.
    pub fill: PathBuf,
}

/// What a recorder works with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The journal.
    pub folder: PathBuf,
    /// How it is written.
    pub settings: Settings,
    /// What the run is; `segment`, `channels` and `resumed` are set here.
    pub header: RunHeader,
    /// Where records come from.
    pub taps: Taps,
    /// The line's control segment.
    pub control: PathBuf,
}

impl Opening {
    /// Takes the journal, cuts off what a dead recorder left half written, and begins a segment. Records that were published meanwhile
    /// and are still in their rings are taken first; those that are not are declared missed. `now` is monotonic.
    ///
    /// # Errors
    /// The journal is damaged, held by another process or refused by the system; or a ring cannot be opened.
    pub fn open(self, now: Nanos) -> Result<Recorder, RecorderError> {
        let control = Control::open(&self.control)?;
        let block = control.service("recorder").ok_or(RecorderError::NoBlock)?;
        let found = Writer::find(&self.folder)?;
        let before = found.header.as_ref().filter(|header| header.run == self.header.run);
        let begun = if before.is_some() { found.channels } else { first() };
        let inlets = self.taps.inlets(begun)?;
        let missed = missed(begun, &inlets);
        let header = RunHeader {
            segment: before.map_or(1, |header| header.segment + 1),
            channels: begun,
            resumed: resumed(&found, before.is_some(), missed),
            ..self.header
        };
        let mut writer = Writer::begin(&self.folder, self.settings, header, found, now)?;
        for (inlet, count) in inlets.iter().zip(missed.all()) {
            if count > 0 {
                writer.declare(inlet.kind, count, &JournalBody { stamp_ns: now.0, ..Default::default() })?;
            }
        }
        Ok(Recorder::new(inlets, writer, Commands::new(control.line()), block, missed))
    }
}

impl Taps {
    fn inlets(&self, begun: Channels) -> Result<[Inlet; CHANNELS], RecorderError> {
        let open = |kind: u16, path: &PathBuf| {
            let next = begun.all()[usize::from(kind) - 1];
            let segment = Arc::new(Segment::open_read_only(path)?);
            Ok::<_, RecorderError>(Inlet { kind, ring: Subscriber::attach(segment, Join::From(next))? })
        };
        Ok([
            open(kind::FRAME, &self.frame)?,
            open(kind::SIGNAL, &self.signal)?,
            open(kind::ORDER, &self.order)?,
            open(kind::FILL, &self.fill)?,
        ])
    }
}

/// Nothing taken yet.
fn first() -> Channels {
    Channels::from_all([1; CHANNELS])
}

fn missed(begun: Channels, inlets: &[Inlet; CHANNELS]) -> Channels {
    let begun = begun.all();
    Channels::from_all(std::array::from_fn(|nth| inlets[nth].ring.next().saturating_sub(begun[nth])))
}

fn resumed(found: &Found, same_run: bool, missed: Channels) -> Option<Resumed> {
    (same_run || found.cut > 0).then(|| Resumed { after: found.next - 1, cut: found.cut, missed })
}
