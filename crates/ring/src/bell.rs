//! Doorbells: a sleeping service waits on a FIFO that others write a byte to. A FIFO has a name, so a restarted process finds it,
//! and it can be polled beside sockets.

use crate::error::SegmentError;
use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// Most descriptors that one wait watches, the bell included.
pub const WATCH_MAX: usize = 16;

/// One end of a doorbell; the same for who rings and who waits.
pub struct Bell {
    fifo: File,
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Woken {
    /// The bell was rung.
    pub bell: bool,
    /// Bit `n` is set when descriptor `n` of `others` can be read.
    pub others: u32,
}

impl Bell {
    /// Makes the FIFO if it is not there and opens it.
    pub fn create(path: impl AsRef<Path>) -> Result<Bell, SegmentError> {
        let path = path.as_ref();
        let io = |source| SegmentError::Io { path: path.to_path_buf(), action: "create bell", source };
        let name = CString::new(path.as_os_str().as_bytes())
            .map_err(|_| io(std::io::ErrorKind::InvalidInput.into()))?;
        // SAFETY: `name` is a terminated string for the length of the call.
        if unsafe { libc::mkfifo(name.as_ptr(), 0o600) } != 0 {
            let source = std::io::Error::last_os_error();
            if source.kind() != std::io::ErrorKind::AlreadyExists {
                return Err(io(source));
            }
        }
        Bell::open(path)
    }

    /// Opens an existing FIFO. Reading and writing at once, so that neither end ever sees the other close.
    pub fn open(path: impl AsRef<Path>) -> Result<Bell, SegmentError> {
        let path = path.as_ref();
        let io = |source| SegmentError::Io { path: path.to_path_buf(), action: "open bell", source };
        let fifo = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)
            .map_err(io)?;
        if !fifo.metadata().map_err(io)?.file_type().is_fifo() {
            return Err(io(std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a FIFO")));
        }
        Ok(Bell { fifo })
    }

    /// Wakes the sleeper. A full FIFO is as good as a byte written. Cost: a system call; ask `ServiceBlock::wanted` first.
    pub fn ring(&self) {
        // The only other outcome is EAGAIN on a full FIFO: then it is ringing already.
        let _full = (&self.fifo).write(&[1]).is_err();
    }

    /// Empties the FIFO, so that the next wait sleeps.
    pub fn hush(&self) {
        let mut bytes = [0u8; 64];
        while matches!((&self.fifo).read(&mut bytes), Ok(count) if count == bytes.len()) {}
    }

    /// Sleeps until the bell rings, one of `others` (at most 15 descriptors) can be read, or `timeout_ns` has passed. The bell is
    /// hushed when it rang. A signal ends the wait like the timeout does.
    pub fn wait(&self, others: &[RawFd], timeout_ns: u64) -> Woken {
        assert!(others.len() < WATCH_MAX, "a bell waits for at most {} descriptors beside it", WATCH_MAX - 1);
        let mut watched = [libc::pollfd { fd: -1, events: libc::POLLIN, revents: 0 }; WATCH_MAX];
        watched[0].fd = self.fifo.as_raw_fd();
        for (slot, fd) in watched[1..].iter_mut().zip(others) {
            slot.fd = *fd;
        }
        let timeout = libc::timespec {
            tv_sec: (timeout_ns / 1_000_000_000) as libc::time_t,
            tv_nsec: (timeout_ns % 1_000_000_000) as libc::c_long,
        };
        // SAFETY: the array holds at least `others.len() + 1` entries; timeout and mask are valid for the call.
        let ready = unsafe {
            libc::ppoll(watched.as_mut_ptr(), others.len() as libc::nfds_t + 1, &timeout, core::ptr::null())
        };
        if ready <= 0 {
            return Woken { bell: false, others: 0 };
        }
        let bell = watched[0].revents != 0;
        if bell {
            self.hush();
        }
        let mut mask = 0;
        for (bit, slot) in watched[1..=others.len()].iter().enumerate() {
            mask |= u32::from(slot.revents != 0) << bit;
        }
        Woken { bell, others: mask }
    }
}

impl AsRawFd for Bell {
    fn as_raw_fd(&self) -> RawFd {
        self.fifo.as_raw_fd()
    }
}
