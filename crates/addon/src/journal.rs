//! `tickline journal`: what a journal holds, and its frames as a capture.

use napi::{Error, Result};
use napi_derive::napi;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use tickline_journal::Place;
use tickline_packet::pcap::{PcapWriter, Recording};
use tickline_units::Nanos;

fn refused(code: &str, fault: impl std::fmt::Display) -> Error {
    Error::from_reason(format!("{code}: {fault}"))
}

/// Reads a journal through, whole or one segment, and tells as JSON what it holds.
/// @throws JOURNAL_*
#[napi]
pub fn journal_info(path: String) -> Result<String> {
    let place = Place::of(Path::new(&path));
    let found = tickline_journal::info(&place.path).map_err(|fault| refused(fault.code(), fault))?;
    serde_json::to_string(&found).map_err(|error| Error::from_reason(error.to_string()))
}

/// Writes the frames of a journal (of one run) to a pcap of nanoseconds; how many there were. Times are since 1970.
/// @throws JOURNAL_*, OUTPUT
#[napi]
pub fn journal_export(path: String, pcap: String) -> Result<f64> {
    if !tickline_journal::is_journal(Path::new(&path)) {
        return Err(refused(
            "JOURNAL_UNREADABLE",
            format!("{path}: is no journal; give a folder that a recorder has written"),
        ));
    }
    let recording = Recording::open(Path::new(&path)).map_err(|fault| refused(fault.code(), fault))?;
    let unwritable = |error| {
        refused("OUTPUT", format!("{pcap}: cannot be written ({error}); check the folder and the disk"))
    };
    let file = File::create_new(&pcap).map_err(unwritable)?;
    let mut out = PcapWriter::new(BufWriter::new(file)).map_err(unwritable)?;
    let shift = recording.since_1970();
    for frame in recording.frames() {
        out.frame(Nanos(frame.time.0.saturating_add(shift.0)), frame.bytes).map_err(unwritable)?;
    }
    Ok(out.finish().map_err(unwritable)? as f64)
}
