//! Journals in folders of their own, and what was put into them.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use tickline_journal::*;
use tickline_units::Nanos;
use tickline_wire::flat::journal::JournalBody;

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// A folder that goes with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        let nth = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tickline-journal-{}-{nth}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Its segments with their bytes.
    pub fn segments(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let Ok(found) = segments(&self.0) else { return Vec::new() };
        found.into_iter().map(|segment| (segment.path.clone(), fs::read(&segment.path).unwrap())).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What goes into an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub body: JournalBody,
    pub payload: Vec<u8>,
}

/// A header of run `run`.
pub fn header(run: u64) -> RunHeader {
    RunHeader {
        format: FORMAT,
        run,
        line: "rig".into(),
        config: "c0ffee".into(),
        seed: 3,
        versions: BTreeMap::from([("tickline".into(), "0.1.0".into())]),
        replay: true,
        waits: None,
        segment: 1,
        lines: [Some("233.54.12.111:26477".into()), None, None],
        clock: Clock { wall_ns: 1_700_000_000_000_000_000, monotonic_ns: 5_000 },
        channels: Channels { frame: 1, signal: 1, order: 1, fill: 1 },
        resumed: None,
    }
}

/// Opens a folder as a recorder of run `run` does.
pub fn open(folder: &Path, run: u64, segment_bytes_max: u64) -> Writer {
    let found = Writer::find(folder).unwrap();
    let before = found.header.clone().filter(|header| header.run == run);
    let channels = if before.is_some() { found.channels } else { header(run).channels };
    let resumed = before.as_ref().map(|_| Resumed {
        after: found.next - 1,
        cut: found.cut,
        missed: Channels::default(),
    });
    let segment = before.map_or(1, |header| header.segment + 1);
    let header = RunHeader { segment, channels, resumed, ..header(run) };
    Writer::begin(folder, Settings { segment_bytes_max, sync: Sync::Never }, header, found, Nanos(0)).unwrap()
}

/// Writes a whole journal.
pub fn write(folder: &Path, said: &[Said], segment_bytes_max: u64) {
    let mut writer = open(folder, 1, segment_bytes_max);
    for Said { body, payload } in said {
        writer.append(body, payload).unwrap();
    }
    writer.close().unwrap();
}

/// What a journal says, headers left out; and its torn tail or its fault.
pub fn read(path: &Path) -> (Vec<Said>, Result<Option<Torn>, Fault>) {
    let mut reader = match Reader::open(path) {
        Ok(reader) => reader,
        Err(fault) => return (Vec::new(), Err(fault)),
    };
    let mut said = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(entry)) if entry.body.kind == kind::RUN_HEADER => {}
            Ok(Some(entry)) => said.push(Said { body: plain(entry.body), payload: entry.payload.to_vec() }),
            Ok(None) => return (said, Ok(reader.torn().map(|(_, torn)| torn))),
            Err(fault) => return (said, Err(fault)),
        }
    }
}

/// A head without what the writer sets.
pub fn plain(body: JournalBody) -> JournalBody {
    JournalBody { seq: 0, bytes: 0, crc: 0, ..body }
}

/// Offsets at which the entries of a segment begin, and its end.
pub fn offsets(bytes: &[u8]) -> Vec<usize> {
    let mut at = 32;
    let mut found = Vec::new();
    while at < bytes.len() {
        found.push(at);
        let length = u32::from_le_bytes(bytes[at + 32..at + 36].try_into().unwrap());
        at += stored_bytes(length as usize);
    }
    found.push(at);
    found
}
