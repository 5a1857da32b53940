//! A journal's entries in order, a segment in memory at a time.

use crate::entry::Entry;
use crate::fault::{Cause, Fault};
use crate::folder::{Segment, segments};
use crate::header::RunHeader;
use crate::kind;
use crate::scan::{Damage, Step, Torn, begin, step};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A position in a journal.
#[derive(Debug)]
pub struct Reader {
    files: Vec<Segment>,
    /// The segment in memory is the one before this.
    at: usize,
    bytes: Vec<u8>,
    offset: usize,
    /// Sequence of the next entry; `None` before the first.
    next: Option<u64>,
    header: Option<RunHeader>,
    torn: Option<(PathBuf, Torn)>,
}

impl Reader {
    /// Opens a folder or a segment; nothing is read yet.
    ///
    /// # Errors
    /// The folder cannot be listed, or holds no segment.
    pub fn open(path: &Path) -> Result<Reader, Fault> {
        Ok(Reader {
            files: segments(path)?,
            at: 0,
            bytes: Vec::new(),
            offset: 0,
            next: None,
            header: None,
            torn: None,
        })
    }

    /// The next entry; `None` at the end. What follows an error is not defined.
    ///
    /// # Errors
    /// A segment cannot be read, is damaged, or does not go on where the one before it ended.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Entry<'_>>, Fault> {
        if self.torn.is_some() {
            return Ok(None);
        }
        while self.offset == self.bytes.len() {
            if !self.load()? {
                return Ok(None);
            }
        }
        let last = self.at == self.files.len();
        let expected = self.next.unwrap_or_default();
        let damaged = |offset: usize, damage| {
            Fault::new(&self.files[self.at - 1].path, Cause::Damaged { offset: offset as u64, damage })
        };
        match step(&self.bytes, self.offset, expected, last) {
            Ok(Step::Entry { entry, end }) => {
                if entry.body.kind == kind::RUN_HEADER {
                    let read = RunHeader::of(entry.payload);
                    self.header = Some(read.map_err(|why| damaged(self.offset, Damage::Header(why)))?);
                }
                self.offset = end;
                self.next = Some(expected + 1);
                Ok(Some(entry))
            }
            Ok(Step::Torn(torn)) => {
                self.torn = Some((self.files[self.at - 1].path.clone(), torn));
                Ok(None)
            }
            Ok(Step::End) => Ok(None),
            Err(damage) => Err(damaged(self.offset, damage)),
        }
    }

    /// Takes the next segment into memory; false when there is none.
    fn load(&mut self) -> Result<bool, Fault> {
        let Some(Segment { path, first }) = self.files.get(self.at) else { return Ok(false) };
        self.bytes.clear();
        let read = File::open(path).and_then(|mut file| file.read_to_end(&mut self.bytes));
        read.map_err(|error| Fault::unreadable(path, &error))?;
        self.at += 1;
        let last = self.at == self.files.len();
        let damaged = |damage| Fault::new(path, Cause::Damaged { offset: 0, damage });
        let Some(offset) = begin(&self.bytes, last).map_err(damaged)? else {
            self.torn = Some((path.clone(), Torn { offset: 0, bytes: self.bytes.len() as u64 }));
            self.offset = self.bytes.len();
            return Ok(false);
        };
        match (self.next, *first) {
            (Some(expected), Some(first)) if first != expected => {
                return Err(Fault::new(path, Cause::Missing { expected }));
            }
            (Some(_), _) => {}
            // Old segments may have been taken away: the first one that is there says where the journal begins.
            (None, Some(first)) => self.next = Some(first),
            (None, None) => {
                let seq = self.bytes.get(offset..offset + 8).and_then(|raw| raw.try_into().ok());
                self.next = seq.map(u64::from_le_bytes);
            }
        }
        self.offset = offset;
        Ok(true)
    }

    /// The last run header read.
    pub fn header(&self) -> Option<&RunHeader> {
        self.header.as_ref()
    }

    /// The torn tail, once the end was reached: the file and where.
    pub fn torn(&self) -> Option<(&Path, Torn)> {
        self.torn.as_ref().map(|(path, torn)| (path.as_path(), *torn))
    }

    /// The segment of the last entry read, and how many there are.
    pub fn segment(&self) -> (&Path, usize) {
        (&self.files[self.at.saturating_sub(1)].path, self.files.len())
    }

    /// Offset behind the last entry read, in its segment.
    pub fn offset(&self) -> usize {
        self.offset
    }
}
