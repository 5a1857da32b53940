//! `tickline inspect`: a whole capture per call, written straight to standard output.

use napi::{Error, Result};
use napi_derive::napi;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;
use tickline_inspect::{BookRun, Fault, Format, Options, Stream, messages, summary};
use tickline_packet::arbiter::Join;
use tickline_packet::pcap::{Capture, Recording};
use tickline_units::Symbol;

/// What a book run found beside its rows.
#[napi(object)]
pub struct InspectedBook {
    /// Rows written.
    pub rows: f64,
    /// First sequence number and count of each gap that no line filled.
    pub gaps: Vec<Vec<f64>>,
    /// Messages that did not decode.
    pub malformed: f64,
    /// Messages that did not fit the book.
    pub anomalies: f64,
    /// Byte at which a last record begins that is cut off.
    pub truncated_at: Option<f64>,
}

/// What printing every message found beside them.
#[napi(object)]
pub struct InspectedMessages {
    /// Lines written.
    pub printed: f64,
    /// Byte at which a last record begins that is cut off.
    pub truncated_at: Option<f64>,
}

fn refused(fault: Fault) -> Error {
    Error::from_reason(format!("{}: {fault}", fault.code()))
}

/// The capture, and the one that fills its gaps.
fn stream(path: &str, fill: Option<String>) -> Result<Stream> {
    let open = |path: &str| {
        let capture = Capture::open(Path::new(path)).map_err(|fault| refused(fault.into()))?;
        let arbiter = capture.arbiter(Join::Anywhere);
        Ok::<_, Error>(Stream::new(capture, &Options { arbiter, ..Options::default() }))
    };
    let stream = open(path)?;
    Ok(match fill {
        Some(other) => stream.fill_from(&mut open(&other)?),
        None => stream,
    })
}

/// Standard output without Rust's line buffer. Whoever started us may have made the pipe non-blocking: then a full pipe is
/// waited for here, since a whole capture is written by one call.
struct Output(File);

/// How long a full pipe is left alone; a reader takes longer than this for the 64 KiB in it.
const FULL_PIPE: Duration = Duration::from_micros(100);

impl Output {
    fn standard() -> Result<Output> {
        let fd = io::stdout().as_fd().try_clone_to_owned().map_err(|fault| refused(fault.into()))?;
        Ok(Output(File::from(fd)))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => std::thread::sleep(FULL_PIPE),
                other => return other,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Counts of a capture: a JSON object, or the table people read.
#[napi]
pub fn inspect_summary(path: String, fill: Option<String>, json: bool) -> Result<String> {
    let found = summary(&mut stream(&path, fill)?);
    if json {
        serde_json::to_string_pretty(&found).map_err(|fault| Error::from_reason(fault.to_string()))
    } else {
        Ok(found.table())
    }
}

/// Writes the symbol's book after each of its messages to standard output, as CSV.
#[napi]
pub fn inspect_book(
    path: String,
    fill: Option<String>,
    symbol: String,
    levels: u32,
) -> Result<InspectedBook> {
    let Some(name) = Symbol::new(&symbol) else {
        return Err(Error::from_reason(format!(
            "CAPTURE_NO_SYMBOL: {symbol} is no symbol of 1 to 8 characters"
        )));
    };
    let mut stream = stream(&path, fill)?;
    let run = BookRun::csv(&mut stream, name, levels as usize, &mut Output::standard()?).map_err(refused)?;
    Ok(InspectedBook {
        rows: run.rows as f64,
        gaps: run.gaps.iter().map(|gap| vec![gap.first as f64, gap.count as f64]).collect(),
        malformed: run.malformed as f64,
        anomalies: run.anomalies as f64,
        truncated_at: stream.capture().tail().map(|tail| tail.offset as f64),
    })
}

/// The symbol's book at the end of the capture: a JSON object, or the table people read.
#[napi]
pub fn inspect_last_book(
    path: String,
    fill: Option<String>,
    symbol: String,
    levels: u32,
    json: bool,
) -> Result<String> {
    let Some(name) = Symbol::new(&symbol) else {
        return Err(Error::from_reason(format!(
            "CAPTURE_NO_SYMBOL: {symbol} is no symbol of 1 to 8 characters"
        )));
    };
    let last =
        tickline_inspect::last_book(&mut stream(&path, fill)?, name, levels as usize).map_err(refused)?;
    if json {
        serde_json::to_string_pretty(&last).map_err(|fault| Error::from_reason(fault.to_string()))
    } else {
        Ok(last.table())
    }
}

/// Writes every message of every packet to standard output, one a line; how many there were.
#[napi]
pub fn inspect_messages(path: String, json: bool) -> Result<InspectedMessages> {
    let recording = Recording::open(Path::new(&path)).map_err(|fault| refused(fault.into()))?;
    let format = if json { Format::Json } else { Format::Text };
    let mut out = io::BufWriter::with_capacity(1 << 18, Output::standard()?);
    let printed = messages(&recording, format, &mut out).map_err(refused)? as f64;
    Ok(InspectedMessages { printed, truncated_at: recording.tail().map(|tail| tail.offset as f64) })
}
