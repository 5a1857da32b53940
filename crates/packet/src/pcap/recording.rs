//! A capture file in memory: every frame with its time, whatever the frames carry.

use super::fault::{Cause, Fault};
use super::{classic, gunzip, next_generation};
use crate::{LINES, journal};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tickline_units::Nanos;
use tickline_wire::ethernet::Endpoint;

/// The most bytes that are loaded, after decompression.
pub const BYTES_MAX: u64 = 8 << 30;

/// Largest frame libpcap writes; a record that claims more is damage, not data.
pub(crate) const FRAME_BYTES_MAX: u32 = 262_144;

/// Where a frame lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) time: Nanos,
    pub(crate) at: usize,
    pub(crate) bytes: u32,
}

/// What the format readers find.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) places: Vec<Place>,
    pub(crate) tail: Option<Tail>,
    /// Frames of interfaces that are not Ethernet, and the link type of the first.
    pub(crate) foreign: u64,
    pub(crate) foreign_link: Option<u32>,
    /// Destinations of line A, line B and recovery, where the file itself says which they are.
    pub(crate) lines: Option<[Option<Endpoint>; LINES]>,
    /// What makes the file's times times since 1970, ns.
    pub(crate) since_1970: u64,
    /// How a line waited for what was missing, where the file itself says so: patience and window.
    pub(crate) waits: Option<(Nanos, usize)>,
}

/// A last record that was cut off, as when the recorder was stopped or the disk was full. What came before is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Byte offset of the record in the decompressed file.
    pub offset: u64,
    /// Bytes that are there of it.
    pub bytes: u64,
}

/// One frame of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawFrame<'a> {
    /// Capture time since 1970; in a journal, the line time at which it came.
    pub time: Nanos,
    /// From the Ethernet destination address on.
    pub bytes: &'a [u8],
}

/// A whole file in memory.
#[derive(Debug)]
pub struct Recording {
    file: String,
    bytes: Vec<u8>,
    index: Index,
}

impl Recording {
    /// Reads and checks a pcap or pcapng file, gzip or not, or a line's journal: a folder or a segment of it, or `FOLDER@RUN`.
    pub fn open(path: &Path) -> Result<Recording, Fault> {
        if tickline_journal::is_journal(path)
            || !path.exists() && tickline_journal::Place::of(path).run.is_some()
        {
            return journal::read(path);
        }
        let file = path.display().to_string();
        let unreadable = |fault: std::io::Error| {
            // The system's words without its number: "Is a directory (os error 21)".
            let words = fault.to_string();
            let words = words.split(" (os error").next().unwrap_or_default().to_lowercase();
            Fault { file: file.clone(), cause: Cause::Unreadable(words) }
        };
        let source = File::open(path).map_err(unreadable)?;
        let mut bytes =
            Vec::with_capacity(source.metadata().map_or(0, |about| about.len().min(BYTES_MAX) as usize));
        source.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        Recording::from_bytes(&file, bytes)
    }

    /// The same from bytes; `file` is the name for messages.
    pub fn from_bytes(file: &str, bytes: Vec<u8>) -> Result<Recording, Fault> {
        let named = |cause| Fault { file: file.to_owned(), cause };
        if bytes.is_empty() {
            return Err(named(Cause::Empty));
        }
        if bytes.len() as u64 > BYTES_MAX {
            return Err(named(Cause::TooLarge { limit: BYTES_MAX }));
        }
        let bytes = gunzip::unwrapped(bytes, BYTES_MAX).map_err(named)?;
        let index = indexed(&bytes).map_err(named)?;
        Ok(Recording { file: file.to_owned(), bytes, index })
    }

    /// From frames that were found elsewhere.
    pub(crate) fn of(file: String, bytes: Vec<u8>, index: Index) -> Recording {
        Recording { file, bytes, index }
    }

    /// The name it was opened under.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Ethernet frames in file order.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = RawFrame<'_>> {
        self.index.places.iter().map(|place| RawFrame {
            time: place.time,
            bytes: &self.bytes[place.at..place.at + place.bytes as usize],
        })
    }

    /// Frames of interfaces that are not Ethernet; left out of `frames`.
    pub fn foreign(&self) -> u64 {
        self.index.foreign
    }

    /// The last record, if it was cut off.
    pub fn tail(&self) -> Option<Tail> {
        self.index.tail
    }

    /// What makes its times times since 1970, ns: 0 in captures and in journals of replays.
    pub fn since_1970(&self) -> Nanos {
        Nanos(self.index.since_1970)
    }

    /// Destinations of line A, line B and recovery, where the file itself says which they are.
    pub(super) fn lines(&self) -> Option<[Option<Endpoint>; LINES]> {
        self.index.lines
    }

    pub(super) fn waits(&self) -> Option<(Nanos, usize)> {
        self.index.waits
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn indexed(bytes: &[u8]) -> Result<Index, Cause> {
    let index = match bytes.first_chunk::<4>() {
        Some(magic) if classic::knows(*magic) => classic::index(bytes)?,
        Some(&next_generation::MAGIC) => next_generation::index(bytes)?,
        _ => {
            let first = &bytes[..bytes.len().min(8)];
            let head = &bytes[..bytes.len().min(256)];
            let text = std::str::from_utf8(head)
                .is_ok_and(|s| s.chars().all(|c| !c.is_control() || c.is_whitespace()));
            return Err(if bytes.is_empty() {
                Cause::Empty
            } else {
                Cause::NotACapture { first: first.to_vec(), text }
            });
        }
    };
    match index.foreign_link {
        Some(link) if index.places.is_empty() => Err(Cause::LinkType(link)),
        _ => Ok(index),
    }
}
