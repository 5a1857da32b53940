//! The checkpoint file: whole or not at all, whatever dies when.
use crate::error::LearnError;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

fn failed(path: &Path, error: &std::io::Error) -> LearnError {
    LearnError::File(format!("{}: {error}", path.display()))
}

/// Where a checkpoint is kept.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    partial: PathBuf,
}

impl Store {
    /// Makes the folder of the file when it is not there.
    pub(crate) fn new(path: PathBuf) -> Result<Store, LearnError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        }
        Ok(Store { partial: path.with_extension("partial"), path })
    }

    /// The bytes kept; `None` before the first.
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, LearnError> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&self.path, &error)),
        }
    }

    /// Replaces what is kept: a neighbour is written, forced to the disk, and renamed into place.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), LearnError> {
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&self.partial)?;
            file.write_all(bytes)?;
            file.sync_data()?;
            fs::rename(&self.partial, &self.path)?;
            // The rename itself is on the disk once the folder is.
            self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_data())
        };
        write().map_err(|error| failed(&self.path, &error))
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
