//! What a path names: a journal or a capture file, and which of its runs.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use tickline_wire::flat::journal::JOURNAL_ID;

/// A journal, and the run that is wanted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Folder or segment.
    pub path: PathBuf,
    /// The run named behind `@`; `None`: the only one.
    pub run: Option<u64>,
}

impl Place {
    /// Reads a path as a person writes it: `FOLDER`, `FOLDER@RUN`, or a segment.
    pub fn of(path: &Path) -> Place {
        let whole = Place { path: path.to_owned(), run: None };
        if path.exists() {
            return whole;
        }
        let Some((folder, run)) = path.to_str().and_then(|text| text.rsplit_once('@')) else { return whole };
        match run.parse() {
            Ok(run) => Place { path: PathBuf::from(folder), run: Some(run) },
            Err(_) => whole,
        }
    }
}

/// True when the path names a journal: a folder, or a file that begins as a segment does.
pub fn is_journal(path: &Path) -> bool {
    let Place { path, .. } = Place::of(path);
    if path.is_dir() {
        return true;
    }
    let mut first = [0; 8];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && first[4..] == JOURNAL_ID
}
