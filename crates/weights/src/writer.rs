//! The writing end: whoever publishes a model.
use crate::error::WeightsError;
use crate::layout::Layout;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use tickline_model::file::Loaded;
use tickline_model::{Line, Program};
use tickline_ring::Segment;
use tickline_ring::hold::Publisher;

/// Publishes weights. At most one exists for a segment: it holds a lock on the file.
pub struct Writer {
    layout: Layout,
    publisher: Publisher,
    program: Program,
    staging: Vec<Line>,
    /// Held for its lock, which ends with the process at the latest.
    _lock: Option<File>,
}

impl Writer {
    /// Becomes the segment's writer for models that fit `program`, and lays the segment out if nobody has.
    ///
    /// # Errors
    /// Another writer, a segment of another kind or too small, or one laid out for another architecture.
    pub fn attach(segment: Arc<Segment>, program: Program) -> Result<Writer, WeightsError> {
        let lock = lock(segment.path())?;
        let layout = Layout::new(segment.clone(), &program)?;
        if layout.is_laid_out() {
            layout.require(&program)?;
        } else {
            layout.lay_out(&program);
        }
        let staging = vec![Line::ZERO; program.weights_lines()];
        Ok(Writer { layout, publisher: Publisher::attach(segment)?, program, staging, _lock: lock })
    }

    /// Hash of the newest model; `None` before the first.
    pub fn newest(&self) -> Option<u64> {
        // SAFETY: W3 in the writer's case: only this writer could write the newest place, and it borrows `self`.
        self.publisher.newest().map(|place| unsafe { self.layout.held(place).1 })
    }

    /// Makes a model the newest: the reader's next tick runs it.
    ///
    /// # Errors
    /// A model that is not valid or of another architecture or contract; nothing has changed then.
    pub fn publish(&mut self, loaded: &Loaded) -> Result<(), WeightsError> {
        // Packed aside first, so that a refused model leaves no trace.
        self.program.pack(&loaded.model, &mut self.staging)?;
        let place = self.publisher.free();
        // SAFETY: W2: the place is free, this is the only writer, and it is published right here.
        let (lines, hash) = unsafe { self.layout.free(place) };
        lines.copy_from_slice(&self.staging);
        *hash = loaded.hash;
        self.publisher.publish(place);
        Ok(())
    }
}

/// Locks the segment's file against other writers; memory without a file belongs to one process, which is careful itself.
fn lock(path: &Path) -> Result<Option<File>, WeightsError> {
    if !path.is_absolute() {
        return Ok(None);
    }
    let failed = |error: std::io::Error| WeightsError::Lock(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(WeightsError::Busy),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
