//! A line's journal as a capture: its frames with the line time at which they came, in the order in which they came.
//!
//! The journal holds UDP payloads and the line that each came by. Ethernet, IPv4 and UDP are put around them as the run header says the
//! lines were addressed, so that whatever reads captures reads journals, and `journal export` writes what is read here.

use crate::LINES;
use crate::pcap::{BYTES_MAX, Cause, FRAME_BYTES_MAX, Fault, Index, Place, Recording, Tail};
use std::path::Path;
use tickline_journal::{Damage, Entry, Reader, RunHeader, Waits, kind};
use tickline_units::Nanos;
use tickline_wire::ethernet::{self, Endpoint};

/// Where frames are said to come from, which a journal does not hold (RFC 5737, for documentation).
const SOURCE: Endpoint = Endpoint { address: [192, 0, 2, 255], port: 26_400 };

/// Largest window that is set aside because a header asks for it: 1.3 GB.
const WINDOW_MAX: u32 = 1 << 24;

const _: () = assert!(ethernet::OVERHEAD + ethernet::PAYLOAD_MAX <= FRAME_BYTES_MAX as usize);

/// Reads the frames of a run into memory.
pub(crate) fn read(path: &Path) -> Result<Recording, Fault> {
    let file = path.display().to_string();
    let named = |cause| Fault { file: file.clone(), cause };
    let refused = |fault| named(Cause::Journal(fault));
    let place = tickline_journal::Place::of(path);
    let mut reader = Reader::open(&place.path).map_err(refused)?;
    let mut frames = Frames::new(place.run);
    while let Some(entry) = reader.next().map_err(refused)? {
        match entry.body.kind {
            kind::RUN_HEADER => {
                if let Some(header) = reader.header() {
                    frames.enter(header);
                }
            }
            kind::FRAME => {
                if !frames.take(&entry) {
                    let damage = Damage::Length(entry.body.bytes);
                    let offset = reader.offset() as u64;
                    let file = reader.segment().0.display().to_string();
                    let cause = tickline_journal::Cause::Damaged { offset, damage };
                    return Err(refused(tickline_journal::Fault { file, cause }));
                }
                if frames.bytes.len() as u64 > BYTES_MAX {
                    return Err(named(Cause::TooLarge { limit: BYTES_MAX }));
                }
            }
            _ => {}
        }
    }
    frames.index.tail = reader.torn().map(|(_, torn)| Tail { offset: torn.offset, bytes: torn.bytes });
    let other = |cause| Fault {
        file: file.clone(),
        cause: Cause::Journal(tickline_journal::Fault { file: place.path.display().to_string(), cause }),
    };
    match (place.run, frames.runs.len()) {
        (Some(run), _) if !frames.runs.contains(&run) => {
            Err(other(tickline_journal::Cause::NoRun { run, runs: frames.runs }))
        }
        (None, 2..) => Err(other(tickline_journal::Cause::Runs(frames.runs))),
        _ => {
            frames.index.lines = Some(frames.known());
            Ok(Recording::of(file, frames.bytes, frames.index))
        }
    }
}

/// Frames that gather.
struct Frames {
    wanted: Option<u64>,
    runs: Vec<u64>,
    lines: [Endpoint; LINES],
    /// Lines that the header names or a frame came by.
    seen: [bool; LINES],
    bytes: Vec<u8>,
    index: Index,
}

impl Frames {
    fn new(wanted: Option<u64>) -> Frames {
        let lines = std::array::from_fn(unnamed);
        Frames {
            wanted,
            runs: Vec::new(),
            lines,
            seen: [false; LINES],
            bytes: Vec::new(),
            index: Index::default(),
        }
    }

    /// A segment begins.
    fn enter(&mut self, header: &RunHeader) {
        if self.runs.last() != Some(&header.run) {
            self.runs.push(header.run);
        }
        if !self.wants() {
            return;
        }
        if !header.replay {
            self.index.since_1970 = header.clock.wall_ns.saturating_sub(header.clock.monotonic_ns);
        }
        let sound =
            |waits: &Waits| waits.window.is_power_of_two() && (2..=WINDOW_MAX).contains(&waits.window);
        let waits = header.waits.filter(sound);
        self.index.waits = waits.map(|waits| (Nanos(waits.patience_ns), waits.window as usize));
        for (nth, text) in header.lines.iter().enumerate() {
            let known = text.as_deref().and_then(endpoint);
            if let Some(line) = known.filter(|line| !self.lines.contains(line)) {
                self.lines[nth] = line;
                self.seen[nth] = true;
            }
        }
    }

    fn known(&self) -> [Option<Endpoint>; LINES] {
        std::array::from_fn(|nth| self.seen[nth].then_some(self.lines[nth]))
    }

    /// True when the frames that come belong to the run that is wanted, or none is named.
    fn wants(&self) -> bool {
        self.wanted.is_none() || self.wanted == self.runs.last().copied()
    }

    /// Takes a frame; false for one that no UDP datagram could have brought.
    fn take(&mut self, entry: &Entry<'_>) -> bool {
        if !self.wants() {
            return true;
        }
        let line = usize::from(entry.body.source).min(LINES - 1);
        self.seen[line] = true;
        let at = self.bytes.len();
        self.bytes.resize(at + ethernet::OVERHEAD + entry.payload.len(), 0);
        let Some(length) = ethernet::build(&mut self.bytes[at..], SOURCE, self.lines[line], entry.payload)
        else {
            return false;
        };
        self.index.places.push(Place { time: Nanos(entry.body.time_ns), at, bytes: length as u32 });
        true
    }
}

/// Address of a line that the header does not name.
fn unnamed(nth: usize) -> Endpoint {
    Endpoint { address: [192, 0, 2, nth as u8 + 1], port: 26_400 }
}

/// `address:port`, as an endpoint shows itself.
fn endpoint(text: &str) -> Option<Endpoint> {
    let at: std::net::SocketAddrV4 = text.parse().ok()?;
    Some(Endpoint { address: at.ip().octets(), port: at.port() })
}
