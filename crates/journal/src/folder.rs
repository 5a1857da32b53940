//! The files of a journal: one folder, a segment a file, named by the sequence of its first entry so that names sort.

use crate::fault::{Cause, Fault};
use std::path::{Path, PathBuf};

/// Ending of a segment's name.
const ENDING: &str = ".tlj";
/// Digits of any 64-bit number.
const DIGITS: usize = 20;

/// One file of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it is.
    pub path: PathBuf,
    /// Sequence of its first entry; `None` for a file that a person has renamed.
    pub first: Option<u64>,
}

/// Name of the segment that begins with entry `first`.
pub fn segment_name(first: u64) -> String {
    format!("{first:0DIGITS$}{ENDING}")
}

fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(ENDING)?;
    if digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

/// The segments at `path`, in order: those of a folder, or the one that the path names. Other files of a folder are left alone.
///
/// # Errors
/// The folder cannot be listed, or holds no segment.
pub fn segments(path: &Path) -> Result<Vec<Segment>, Fault> {
    if !path.is_dir() {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        return Ok(vec![Segment { path: path.to_owned(), first: first_of(name) }]);
    }
    let found = listed(path)?;
    if found.is_empty() { Err(Fault::new(path, Cause::Empty)) } else { Ok(found) }
}

/// The segments of a folder, perhaps none.
pub(crate) fn listed(folder: &Path) -> Result<Vec<Segment>, Fault> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).map_err(|error| Fault::unreadable(folder, &error))? {
        let item = item.map_err(|error| Fault::unreadable(folder, &error))?;
        if let Some(first) = item.file_name().to_str().and_then(first_of) {
            found.push(Segment { path: item.path(), first: Some(first) });
        }
    }
    found.sort_by_key(|segment| segment.first);
    Ok(found)
}
