//! What a journal holds, counted by reading it through.

use crate::channels::{CHANNELS, Channels, NAMES, kind_name};
use crate::entry::Entry;
use crate::fault::Fault;
use crate::gap::Gap;
use crate::header::RunHeader;
use crate::kind;
use crate::reader::Reader;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Entries of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KindInfo {
    /// How many.
    pub entries: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
}

/// Records that the recorder missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissedInfo {
    /// What they were.
    pub kind: &'static str,
    /// Number in its stream of the first.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// Sequence of the entry that says so.
    pub entry: u64,
}

/// One run of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunInfo {
    /// Number of the run.
    pub run: u64,
    /// Name of the line.
    pub line: String,
    /// SHA-256 of its configuration.
    pub config: String,
    /// Its seed.
    pub seed: u64,
    /// Program to version.
    pub versions: BTreeMap<String, String>,
    /// True when line time is a capture's.
    pub replay: bool,
    /// Destinations of line A, line B and answers.
    pub lines: [Option<String>; 3],
    /// First and last sequence.
    pub entries: [u64; 2],
    /// Segments.
    pub segments: u64,
    /// Kind to count.
    pub kinds: BTreeMap<&'static str, KindInfo>,
    /// Smallest and largest line time of a frame; absent without frames.
    pub frames_ns: Option<[u64; 2]>,
    /// Line epochs seen, smallest and largest.
    pub epochs: Option<[u32; 2]>,
    /// Recorders that began after another one had died.
    pub restarts: u64,
    /// Bytes of torn tails that they cut off.
    pub cut: u64,
    /// What was missed.
    pub gaps: Vec<MissedInfo>,
    /// Sum of it by kind.
    pub missed: Channels,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentInfo {
    /// Its path.
    pub file: String,
    /// The run it belongs to.
    pub run: u64,
    /// First sequence.
    pub first: u64,
    /// Entries.
    pub entries: u64,
    /// Bytes, a torn tail not counted.
    pub bytes: u64,
}

/// A torn tail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TornInfo {
    /// Its file.
    pub file: String,
    /// Byte offset at which it begins.
    pub offset: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A whole journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Info {
    /// As the user named it.
    pub journal: String,
    /// Entries, headers included.
    pub entries: u64,
    /// Bytes of sound segments.
    pub bytes: u64,
    /// Its runs in order.
    pub runs: Vec<RunInfo>,
    /// Its segments in order.
    pub segments: Vec<SegmentInfo>,
    /// What a dead writer left at the end; the next one cuts it off.
    pub torn: Option<TornInfo>,
}

/// Reads a journal through: a folder or a segment.
///
/// # Errors
/// It cannot be read, or is damaged.
pub fn info(path: &Path) -> Result<Info, Fault> {
    let mut reader = Reader::open(path)?;
    let mut runs: Vec<RunInfo> = Vec::new();
    let mut segments: Vec<SegmentInfo> = Vec::new();
    let mut seen = None;
    while let Some(entry) = reader.next()? {
        let (seq, is_header) = (entry.body.seq, entry.body.kind == kind::RUN_HEADER);
        let counted = Counted::of(&entry);
        let offset = reader.offset() as u64;
        if is_header && let Some(header) = reader.header() {
            open_segment(header, seq, &reader.segment().0.display().to_string(), &mut runs, &mut segments);
        }
        if let (Some(run), Some(segment)) = (runs.last_mut(), segments.last_mut()) {
            counted.add(run);
            segment.entries += 1;
            segment.bytes = offset;
        }
        seen = Some(seq);
    }
    let torn = reader.torn().map(|(file, torn)| TornInfo {
        file: file.display().to_string(),
        offset: torn.offset,
        bytes: torn.bytes,
    });
    let entries = seen.map_or(0, |last| last + 1 - segments.first().map_or(last, |segment| segment.first));
    let bytes = segments.iter().map(|segment| segment.bytes).sum();
    Ok(Info { journal: path.display().to_string(), entries, bytes, runs, segments, torn })
}

fn open_segment(
    header: &RunHeader,
    seq: u64,
    file: &str,
    runs: &mut Vec<RunInfo>,
    segments: &mut Vec<SegmentInfo>,
) {
    if runs.last().is_none_or(|run| run.run != header.run) {
        runs.push(RunInfo::of(header, seq));
    }
    if let Some(run) = runs.last_mut() {
        run.segments += 1;
        run.restarts += u64::from(header.resumed.is_some());
        run.cut += header.resumed.map_or(0, |resumed| resumed.cut);
    }
    segments.push(SegmentInfo { file: file.to_owned(), run: header.run, first: seq, entries: 0, bytes: 0 });
}

impl RunInfo {
    fn of(header: &RunHeader, seq: u64) -> RunInfo {
        RunInfo {
            run: header.run,
            line: header.line.clone(),
            config: header.config.clone(),
            seed: header.seed,
            versions: header.versions.clone(),
            replay: header.replay,
            lines: header.lines.clone(),
            entries: [seq, seq],
            segments: 0,
            kinds: BTreeMap::new(),
            frames_ns: None,
            epochs: None,
            restarts: 0,
            cut: 0,
            gaps: Vec::new(),
            missed: Channels::default(),
        }
    }
}

/// What of an entry is counted.
struct Counted {
    kind: u16,
    source: u16,
    seq: u64,
    time_ns: u64,
    epoch: u32,
    bytes: u64,
    gap: Option<Gap>,
}

impl Counted {
    fn of(entry: &Entry<'_>) -> Counted {
        let body = entry.body;
        Counted {
            kind: body.kind,
            source: body.source,
            seq: body.seq,
            time_ns: body.time_ns,
            epoch: body.epoch,
            bytes: u64::from(body.bytes),
            gap: (body.kind == kind::GAP).then(|| Gap::of(entry.payload)).flatten(),
        }
    }

    fn add(&self, run: &mut RunInfo) {
        run.entries[1] = self.seq;
        let kind = run.kinds.entry(kind_name(self.kind).unwrap_or("unknown")).or_default();
        kind.entries += 1;
        kind.bytes += self.bytes;
        if self.kind == kind::FRAME {
            let [first, last] = run.frames_ns.unwrap_or([self.time_ns; 2]);
            run.frames_ns = Some([first.min(self.time_ns), last.max(self.time_ns)]);
        }
        if usize::from(self.kind).wrapping_sub(1) < CHANNELS {
            let [low, high] = run.epochs.unwrap_or([self.epoch; 2]);
            run.epochs = Some([low.min(self.epoch), high.max(self.epoch)]);
        }
        if let Some(gap) = self.gap {
            if let Some(missed) = run.missed.of(self.source) {
                *missed += gap.count;
            }
            let kind = NAMES.get(usize::from(self.source).wrapping_sub(1)).copied().unwrap_or("unknown");
            run.gaps.push(MissedInfo { kind, first: gap.first, count: gap.count, entry: self.seq });
        }
    }
}
