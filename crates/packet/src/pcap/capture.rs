//! The market data of a capture: MoldUDP64 payloads with their line, in file order.

use super::fault::{Cause, Fault};
use super::recording::{Recording, Tail};
use crate::arbiter::{Config, Join};
use crate::{Frame, LINES};
use std::collections::BTreeMap;
use std::path::Path;
use tickline_units::Nanos;
use tickline_wire::ethernet::{self, Endpoint, Transport};
use tickline_wire::mold;

/// Where a payload lies; 24 bytes a frame.
#[derive(Clone, Copy, Debug)]
struct Place {
    time: Nanos,
    at: usize,
    bytes: u32,
    line: u8,
}

/// Frames of the file that are not market data of the two lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Not IPv4, fragments, cut off, or neither UDP nor TCP.
    pub refused: u64,
    /// TCP.
    pub tcp: u64,
    /// UDP to other places.
    pub other_udp: u64,
    /// Of interfaces that are not Ethernet.
    pub foreign: u64,
}

/// A capture's frames in memory, ready to play.
#[derive(Debug)]
pub struct Capture {
    recording: Recording,
    places: Vec<Place>,
    lines: [Option<Endpoint>; LINES],
    skipped: Skipped,
}

impl Capture {
    /// Opens a file; the first two UDP destinations that carry MoldUDP64 are line A and line B. A journal says itself which they are.
    pub fn open(path: &Path) -> Result<Capture, Fault> {
        Capture::of(Recording::open(path)?, [None, None])
    }

    /// Opens a file whose lines are known; a line given as `None` is inferred.
    pub fn open_lines(path: &Path, lines: [Option<Endpoint>; 2]) -> Result<Capture, Fault> {
        Capture::of(Recording::open(path)?, lines)
    }

    /// Takes a file that was read already.
    pub fn of(recording: Recording, lines: [Option<Endpoint>; 2]) -> Result<Capture, Fault> {
        let lines = recording.lines().unwrap_or_else(|| {
            let [a, b] = inferred(&recording, lines);
            [a, b, None]
        });
        if lines == [None; LINES] {
            return Err(no_mold(&recording));
        }
        let mut skipped = Skipped { foreign: recording.foreign(), ..Skipped::default() };
        let mut places = Vec::with_capacity(recording.frames().len());
        let base = recording.bytes().as_ptr().addr();
        for raw in recording.frames() {
            let found = match ethernet::parse(raw.bytes) {
                Ok(found) => found,
                Err(_) => {
                    skipped.refused += 1;
                    continue;
                }
            };
            if found.transport == Transport::Tcp {
                skipped.tcp += 1;
                continue;
            }
            let Some(line) = lines.iter().position(|&line| line == Some(found.destination)) else {
                skipped.other_udp += 1;
                continue;
            };
            places.push(Place {
                time: raw.time,
                at: found.payload.as_ptr().addr() - base,
                bytes: found.payload.len() as u32,
                line: line as u8,
            });
        }
        if places.is_empty() {
            return Err(no_mold(&recording));
        }
        Ok(Capture { recording, places, lines, skipped })
    }

    /// The name it was opened under.
    pub fn file(&self) -> &str {
        self.recording.file()
    }

    /// Number of frames of both lines; at least 1.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// The frame at a place below `len`, with `due` 0.
    #[inline]
    pub fn frame(&self, nth: usize) -> Option<Frame<'_>> {
        let place = self.places.get(nth)?;
        let payload = &self.recording.bytes()[place.at..place.at + place.bytes as usize];
        Some(Frame { line: place.line, time: place.time, due: Nanos(0), payload })
    }

    /// All frames in file order, with `due` 0.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        (0..self.places.len()).filter_map(|nth| self.frame(nth))
    }

    /// Destination of line A and of line B.
    pub fn lines(&self) -> [Option<Endpoint>; 2] {
        [self.lines[0], self.lines[1]]
    }

    /// How its lines are to be arbitrated: as usual, or as the line did that recorded them, which may have waited for answers.
    pub fn arbiter(&self, join: Join) -> Config {
        let usual = Config { join, ..Config::default() };
        self.recording.waits().map_or(usual, |(patience, window)| Config { patience, window, join })
    }

    /// What else the file holds.
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// The last record, if it was cut off.
    pub fn tail(&self) -> Option<Tail> {
        self.recording.tail()
    }

    #[inline]
    pub(super) fn time(&self, nth: usize) -> Option<Nanos> {
        self.places.get(nth).map(|place| place.time)
    }
}

/// Fills in the lines that are not given: destinations of sound MoldUDP64 packets, in order of appearance.
fn inferred(recording: &Recording, mut lines: [Option<Endpoint>; 2]) -> [Option<Endpoint>; 2] {
    for raw in recording.frames() {
        if !lines.contains(&None) {
            break;
        }
        let Ok(found) = ethernet::parse(raw.bytes) else { continue };
        let known = lines.contains(&Some(found.destination));
        if known || found.transport != Transport::Udp || mold::Packet::parse(found.payload).is_err() {
            continue;
        }
        if let Some(free) = lines.iter_mut().find(|line| line.is_none()) {
            *free = Some(found.destination);
        }
    }
    lines
}

fn no_mold(recording: &Recording) -> Fault {
    let mut datagrams = 0;
    let mut destinations = BTreeMap::<Endpoint, u64>::new();
    let mut other = None;
    for raw in recording.frames() {
        match ethernet::parse(raw.bytes) {
            Ok(found) if found.transport == Transport::Udp => {
                datagrams += 1;
                *destinations.entry(found.destination).or_default() += 1;
            }
            Ok(found) => other = other.or(Some(format!("TCP to {}", found.destination))),
            Err(refusal) => other = other.or(Some(refusal.to_string())),
        }
    }
    let busiest = destinations.iter().max_by_key(|&(_, count)| count);
    let found = busiest.map(|(to, count)| format!("most, {count}, to {to}"));
    let found = found.or(other).unwrap_or_else(|| "there is no frame at all".into());
    let frames = recording.frames().len() as u64;
    Fault { file: recording.file().to_owned(), cause: Cause::NoMold { frames, datagrams, found } }
}
