//! The recorder for TypeScript: one call a duty cycle moves what the rings hold into the journal.

use crate::feed::{RECOVERY_PATIENCE, RECOVERY_WINDOW};
use crate::quick::{self, Shared};
use napi::bindgen_prelude::{Env, This, Unknown};
use napi::{Error, Result};
use napi_derive::napi;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tickline_clock::{monotonic, wall};
use tickline_journal::{Channels, Clock, FORMAT, RunHeader, Settings, Sync, Waits};
use tickline_packet::pcap::Capture;
use tickline_recorder::{Opening, Recorder, Taps};
use tickline_units::Nanos;

/// What a recorder is made from.
#[napi(object)]
pub struct RecorderSettings {
    /// Folder of the journal.
    pub folder: String,
    /// Folder of the run's segments, and the names of those that are read.
    pub run_dir: String,
    /// Segment of the control block.
    pub control: String,
    /// Segment of frames.
    pub frames: String,
    /// Segment of signals.
    pub signals: String,
    /// Segment of orders.
    pub orders: String,
    /// Segment of fills.
    pub fills: String,
    /// Limit of a segment file, bytes.
    pub segment_bytes: f64,
    /// When the disk must have it: "never", "segment" or "every".
    pub sync: String,
    /// With "every": after how many ms.
    pub sync_ms: f64,
    /// Number of the run.
    pub run: f64,
    /// Name of the line.
    pub line: String,
    /// SHA-256 of its configuration.
    pub config: String,
    /// Seed of everything random.
    pub seed: f64,
    /// Version of Node.
    pub node: String,
    /// True when line time is a capture's.
    pub replay: bool,
    /// The capture that is replayed, which says where its lines go; empty when live.
    pub capture: String,
    /// Live: destination of line A, of line B, and of the re-request server, as `address:port`.
    pub lines: Vec<String>,
}

/// Where a recorder stands.
#[napi(object)]
pub struct RecorderFigures {
    /// Sequence of the last entry.
    pub entries: f64,
    /// Bytes appended by this recorder.
    pub bytes: f64,
    /// Number of the segment in its run.
    pub segment: u32,
    /// File that is being written.
    pub file: String,
    /// Records taken since the run began, by stream: frames, signals, orders, fills.
    pub taken: Vec<f64>,
    /// Records missed by this recorder, by stream.
    pub missed: Vec<f64>,
}

fn refused(error: impl std::fmt::Display) -> Error {
    Error::from_reason(error.to_string())
}

/// A recorder at work.
#[napi]
pub struct NativeRecorder {
    parts: Shared<Option<Recorder>>,
}

#[napi]
impl NativeRecorder {
    /// Opens rings and journal; goes on behind a recorder of the same run that has died.
    /// @throws JOURNAL_*, RING_*, CAPTURE_*
    #[napi(factory)]
    pub fn open(settings: RecorderSettings) -> Result<NativeRecorder> {
        let now = monotonic();
        let run_dir = Path::new(&settings.run_dir);
        let opening = Opening {
            folder: PathBuf::from(&settings.folder),
            settings: Settings { segment_bytes_max: settings.segment_bytes as u64, sync: sync(&settings) },
            taps: Taps {
                frame: run_dir.join(&settings.frames),
                signal: run_dir.join(&settings.signals),
                order: run_dir.join(&settings.orders),
                fill: run_dir.join(&settings.fills),
            },
            control: run_dir.join(&settings.control),
            header: header(settings, now)?,
        };
        let recorder = opening.open(now).map_err(refused)?;
        Ok(NativeRecorder { parts: Rc::new(RefCell::new(Some(recorder))) })
    }

    /// The function `poll()`: moves what waits, returns how many entries were written. It throws JOURNAL_UNWRITABLE when the system refuses.
    #[napi(ts_return_type = "() => number")]
    pub fn poller<'env>(&self, env: &'env Env, this: This<'_>) -> Result<Unknown<'env>> {
        quick::function(env, &this, "poll", &self.parts, |parts, []| {
            let Some(recorder) = parts else { return Ok(0) };
            Ok(recorder.poll(monotonic()).map(|moved| moved as u32).map_err(refused)?)
        })
    }

    /// Where it stands; null once it is closed.
    #[napi]
    pub fn figures(&self) -> Option<RecorderFigures> {
        let parts = self.parts.borrow();
        let recorder = parts.as_ref()?;
        let writer = recorder.writer();
        let numbers = |channels: Channels, from: u64| {
            channels.all().iter().map(|each| each.saturating_sub(from) as f64).collect()
        };
        Some(RecorderFigures {
            entries: (writer.next() - 1) as f64,
            bytes: writer.bytes() as f64,
            segment: writer.segment(),
            file: writer.path().display().to_string(),
            taken: numbers(writer.channels(), 1),
            missed: numbers(recorder.missed(), 0),
        })
    }

    /// Takes what is left and ends the journal; once.
    /// @throws JOURNAL_UNWRITABLE
    #[napi]
    pub fn close(&self) -> Result<()> {
        match self.parts.borrow_mut().take() {
            Some(recorder) => recorder.close(monotonic()).map_err(refused),
            None => Ok(()),
        }
    }
}

fn sync(settings: &RecorderSettings) -> Sync {
    match settings.sync.as_str() {
        "never" => Sync::Never,
        "segment" => Sync::Segment,
        _ => Sync::Every(Nanos((settings.sync_ms * 1e6) as u64)),
    }
}

fn header(settings: RecorderSettings, now: Nanos) -> Result<RunHeader> {
    let lines = if settings.capture.is_empty() {
        std::array::from_fn(|nth| settings.lines.get(nth).cloned())
    } else {
        // What a replay's frames were addressed to is in its capture alone.
        let capture = Capture::open(Path::new(&settings.capture))
            .map_err(|fault| refused(format!("{}: {fault}", fault.code())))?;
        let [a, b] = capture.lines().map(|line| line.map(|line| line.to_string()));
        [a, b, None]
    };
    let versions = [("tickline", env!("CARGO_PKG_VERSION").to_owned()), ("node", settings.node)];
    Ok(RunHeader {
        format: FORMAT,
        run: settings.run as u64,
        line: settings.line,
        config: settings.config,
        seed: settings.seed as u64,
        versions: versions
            .into_iter()
            .map(|(name, version)| (name.to_owned(), version))
            .collect::<BTreeMap<_, _>>(),
        waits: (!settings.replay)
            .then_some(Waits { patience_ns: RECOVERY_PATIENCE.0, window: RECOVERY_WINDOW as u32 }),
        replay: settings.replay,
        segment: 0,
        lines,
        clock: Clock { wall_ns: wall().0, monotonic_ns: now.0 },
        channels: Channels::default(),
        resumed: None,
    })
}
