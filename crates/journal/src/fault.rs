//! Why a journal cannot be read or written: one sentence with the file, the offset, what is there and the fix.

use crate::scan::Damage;
use std::fmt;
use std::io;
use std::path::Path;

/// What is wrong. Each has a stable code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The system refused to read it; its words.
    Unreadable(String),
    /// The system refused to write it; its words.
    Unwritable(String),
    /// Another process writes it.
    Busy,
    /// A folder without a segment.
    Empty,
    /// A segment is damaged at an offset.
    Damaged {
        /// Byte offset in the file.
        offset: u64,
        /// What is wrong there.
        damage: Damage,
    },
    /// A segment does not go on where the one before it ends.
    Missing {
        /// Sequence of the first entry that is missing.
        expected: u64,
    },
    /// A journal of several runs, where one is wanted.
    Runs(Vec<u64>),
    /// A run that is not in the journal.
    NoRun {
        /// The run asked for.
        run: u64,
        /// Runs there are.
        runs: Vec<u64>,
    },
}

/// A file or folder and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// As the user named it, or a file in it.
    pub file: String,
    /// What is wrong.
    pub cause: Cause,
}

impl Fault {
    pub(crate) fn new(file: &Path, cause: Cause) -> Fault {
        Fault { file: file.display().to_string(), cause }
    }

    pub(crate) fn unreadable(file: &Path, error: &io::Error) -> Fault {
        Fault::new(file, Cause::Unreadable(words(error)))
    }

    pub(crate) fn unwritable(file: &Path, error: &io::Error) -> Fault {
        Fault::new(file, Cause::Unwritable(words(error)))
    }

    /// Stable code for programs.
    pub const fn code(&self) -> &'static str {
        match self.cause {
            Cause::Unreadable(_) => "JOURNAL_UNREADABLE",
            Cause::Unwritable(_) => "JOURNAL_UNWRITABLE",
            Cause::Busy => "JOURNAL_BUSY",
            Cause::Empty => "JOURNAL_EMPTY",
            Cause::Damaged { .. } => "JOURNAL_DAMAGED",
            Cause::Missing { .. } => "JOURNAL_MISSING",
            Cause::Runs(_) => "JOURNAL_RUNS",
            Cause::NoRun { .. } => "JOURNAL_NO_RUN",
        }
    }
}

/// The system's words without its number.
fn words(error: &io::Error) -> String {
    let words = error.to_string();
    words.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn listed(runs: &[u64]) -> String {
    runs.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Foreign => write!(f, "it does not begin as a journal segment does (identifier TLJO)"),
            Damage::Length(bytes) => {
                write!(f, "an entry claims {bytes} bytes, more than there are or may be")
            }
            Damage::Crc { stored, found } => {
                write!(f, "the checksum of an entry is {stored:08x}, its bytes give {found:08x}")
            }
            Damage::Padding => write!(f, "bytes between two entries are not zero"),
            Damage::CutShort => write!(f, "it ends inside an entry, and another segment follows"),
            Damage::Hole { expected, found } => {
                write!(f, "entry {found} stands where entry {expected} should")
            }
            Damage::Header(why) => write!(f, "no readable run header ({why})"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        match &self.cause {
            Cause::Unreadable(why) => {
                write!(f, "cannot be read ({why}); give a journal's folder or segment that you may read")
            }
            Cause::Unwritable(why) => {
                write!(
                    f,
                    "cannot be written ({why}); check the disk, or name another folder under recorder.dir"
                )
            }
            Cause::Busy => write!(
                f,
                "another recorder writes this journal; stop its line, or name another folder under recorder.dir"
            ),
            Cause::Empty => write!(
                f,
                "is a folder without a journal segment; give a capture file, or a folder that a recorder has written"
            ),
            Cause::Damaged { offset, damage } => write!(
                f,
                "damaged at byte {offset}: {damage}; copy this segment again from where it was recorded, or take it and those after it away"
            ),
            Cause::Missing { expected } => write!(
                f,
                "the segment that begins with entry {expected} is missing before this one; copy it here too, or take this one and those after it away"
            ),
            Cause::Runs(runs) => write!(
                f,
                "holds {} runs; name one behind @, such as {}@{} (runs: {})",
                runs.len(),
                self.file,
                runs.last().copied().unwrap_or_default(),
                listed(runs)
            ),
            Cause::NoRun { run, runs } => write!(f, "has no run {run}; name one of {}", listed(runs)),
        }
    }
}

impl std::error::Error for Fault {}
