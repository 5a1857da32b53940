//! The checkpoint's files: whole or not at all, whatever dies when.
use crate::error::LearnError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

fn failed(path: &Path, error: &io::Error) -> LearnError {
    LearnError::File(format!("{}: {error}", path.display()))
}

/// What is in a file; `None` when it is not there.
fn read(path: &Path) -> Result<Option<Vec<u8>>, LearnError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, &error)),
    }
}

/// Replaces a file: a neighbour is written, forced to the disk, and renamed into place.
fn replace(path: &Path, partial: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(partial)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(partial, path)?;
    sync_folder(path)
}

/// A name is on the disk once its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_data())
}

/// Where a checkpoint is kept, and beside it the lessons of a retraining's window (`<name>.window`), which are appended.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    partial: PathBuf,
    window: PathBuf,
    window_partial: PathBuf,
    /// Bytes of the window's file that count; what stands beyond them was written by a process that died.
    length: u64,
    /// Lessons that are in it, or were.
    lessons: u64,
}

/// The window's file is written anew, with what the window holds, once it is so many times as long as that.
const SPARE: u64 = 3;

impl Store {
    /// Makes the folder of the file when it is not there.
    pub(crate) fn new(path: PathBuf) -> Result<Store, LearnError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        }
        Ok(Store {
            partial: path.with_extension("partial"),
            window: path.with_extension("window"),
            window_partial: path.with_extension("window.partial"),
            path,
            length: 0,
            lessons: 0,
        })
    }

    /// The checkpoint kept; `None` before the first.
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, LearnError> {
        read(&self.path)
    }

    /// The lessons beside it.
    pub(crate) fn read_window(&self) -> Result<Vec<u8>, LearnError> {
        Ok(read(&self.window)?.unwrap_or_default())
    }

    /// What was read is gone on from: so many bytes of the window's file, and so many lessons, belong to it.
    pub(crate) fn resumed(&mut self, length: usize, lessons: u64) {
        (self.length, self.lessons) = (length as u64, lessons);
    }

    /// Lessons that the window's file has had; those from there on are to be appended.
    pub(crate) fn lessons(&self) -> u64 {
        self.lessons
    }

    /// Appends lessons, up to the `lessons`th, forced to the disk: before the checkpoint that counts on them.
    pub(crate) fn append(&mut self, bytes: &[u8], lessons: u64) -> Result<(), LearnError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().append(true).create(true).open(&self.window)?;
            // What a process that died has left, or a write that failed half-way.
            if file.metadata()?.len() != self.length {
                file.set_len(self.length)?;
            }
            file.write_all(bytes)?;
            file.sync_data()?;
            if self.length == 0 { sync_folder(&self.window) } else { Ok(()) }
        };
        write().map_err(|error| failed(&self.window, &error))?;
        (self.length, self.lessons) = (self.length + bytes.len() as u64, lessons);
        Ok(())
    }

    /// Replaces the checkpoint.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), LearnError> {
        replace(&self.path, &self.partial, bytes).map_err(|error| failed(&self.path, &error))
    }

    /// Whether the window's file is much longer than the `held` bytes of what the window holds.
    pub(crate) fn is_long(&self, held: u64) -> bool {
        self.length > SPARE * held
    }

    /// Writes the window's file anew: after the checkpoint that counts on no other lessons.
    pub(crate) fn rewrite(&mut self, bytes: &[u8]) -> Result<(), LearnError> {
        replace(&self.window, &self.window_partial, bytes).map_err(|error| failed(&self.window, &error))?;
        self.length = bytes.len() as u64;
        Ok(())
    }

    /// Names the file in an error about what is in it.
    pub(crate) fn named(&self, error: LearnError) -> LearnError {
        match error {
            LearnError::Checkpoint(text) => {
                LearnError::Checkpoint(format!("{}: {text}", self.path.display()))
            }
            other => other,
        }
    }
}
