//! A segment: one file of shared memory with a checked header.

use crate::error::SegmentError;
use crate::layout::*;
use crate::mapping::Mapping;
use crate::sync::Ordering::Relaxed;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// One writer, one reader, nothing lost.
    Lossless = 1,
    /// One writer, any number of readers, the writer never waits.
    Broadcast = 2,
    /// One value, the newest.
    Latest = 3,
    /// The line's control block.
    Control = 4,
    /// Bytes whose layout another room owns (tokens, weights), from byte 512 on.
    Plain = 5,
}

impl Kind {
    /// From the header's number; anything unknown is `None`.
    pub const fn from_code(code: u32) -> Option<Kind> {
        match code {
            1 => Some(Kind::Lossless),
            2 => Some(Kind::Broadcast),
            3 => Some(Kind::Latest),
            4 => Some(Kind::Control),
            5 => Some(Kind::Plain),
            _ => None,
        }
    }
}

/// What to create: the kind and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Lossless ring of `slots` (a power of two, 2 to 2^24) records of at most `payload` bytes each.
    Lossless {
        /// Number of records.
        slots: u32,
        /// Largest payload in bytes.
        payload: usize,
    },
    /// Broadcast ring, same measures.
    Broadcast {
        /// Number of records.
        slots: u32,
        /// Largest payload in bytes.
        payload: usize,
    },
    /// One value of `payload` bytes.
    Latest {
        /// Size of the value in bytes.
        payload: usize,
    },
    /// The control block.
    Control,
    /// `bytes` bytes for another room's layout.
    Plain {
        /// Bytes after the header.
        bytes: usize,
    },
}

/// A mapped segment. Threads and channels share it through `Arc`.
pub struct Segment {
    path: PathBuf,
    pub(crate) mapping: Mapping,
    kind: Kind,
    slots: u32,
    stride: usize,
    writable: bool,
}

/// Name under which a segment of this process's own memory appears in errors.
const ANONYMOUS: &str = "(anonymous)";

impl Segment {
    /// Creates the file, exclusively, with a whole header: nobody ever sees a half-made segment. Memory is zero and allocated.
    pub fn create(path: impl AsRef<Path>, shape: Shape) -> Result<Segment, SegmentError> {
        let path = path.as_ref();
        let (kind, slots, stride, bytes) = measure(path, shape)?;
        let io = |action| move |source| SegmentError::Io { path: path.to_path_buf(), action, source };
        if path.exists() {
            return Err(SegmentError::Exists { path: path.to_path_buf() });
        }
        let mut draft = path.as_os_str().to_owned();
        draft.push(format!(".{}.draft", std::process::id()));
        let draft = PathBuf::from(draft);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
            .map_err(io("create"))?;
        let made = allocate(&file, bytes).map_err(io("allocate memory for")).and_then(|()| {
            let mapping = Mapping::file(&file, bytes, true).map_err(io("map"))?;
            let segment = Segment { path: path.to_path_buf(), mapping, kind, slots, stride, writable: true };
            segment.write_header();
            std::fs::hard_link(&draft, path).map_err(|source| match source.kind() {
                std::io::ErrorKind::AlreadyExists => SegmentError::Exists { path: path.to_path_buf() },
                _ => SegmentError::Io { path: path.to_path_buf(), action: "name", source },
            })?;
            Ok(segment)
        });
        let removed = std::fs::remove_file(&draft).map_err(io("remove the draft of"));
        made.and_then(|segment| removed.map(|()| segment))
    }

    /// A segment in this process's own memory, for channels between its threads.
    pub fn anonymous(shape: Shape) -> Result<Segment, SegmentError> {
        let (kind, slots, stride, bytes) = measure(Path::new(ANONYMOUS), shape)?;
        let mapping = Mapping::heap(bytes);
        let segment =
            Segment { path: PathBuf::from(ANONYMOUS), mapping, kind, slots, stride, writable: true };
        segment.write_header();
        Ok(segment)
    }

    /// Opens an existing segment to read and write; refuses any header this build would not have written.
    pub fn open(path: impl AsRef<Path>) -> Result<Segment, SegmentError> {
        Segment::map(path.as_ref(), true)
    }

    /// Opens an existing segment to look at; a store to it would be a fault, so writers refuse it.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Segment, SegmentError> {
        Segment::map(path.as_ref(), false)
    }

    fn map(path: &Path, writable: bool) -> Result<Segment, SegmentError> {
        let io = |action| move |source| SegmentError::Io { path: path.to_path_buf(), action, source };
        let file = OpenOptions::new().read(true).write(writable).open(path).map_err(io("open"))?;
        let bytes = file.metadata().map_err(io("measure"))?.len();
        if bytes < AT_DATA as u64 || bytes > isize::MAX as u64 {
            return Err(header_error(path, "bytes", AT_BYTES, bytes, AT_DATA as u64));
        }
        let mapping = Mapping::file(&file, bytes as usize, writable).map_err(io("map"))?;
        let (kind, slots, stride) = check_header(path, &mapping)?;
        Ok(Segment { path: path.to_path_buf(), mapping, kind, slots, stride, writable })
    }

    fn write_header(&self) {
        let m = &self.mapping;
        m.word(AT_VERSION).store(LAYOUT_VERSION, Relaxed);
        m.word(AT_KIND).store(self.kind as u32, Relaxed);
        m.word64(AT_HASH).store(LAYOUT_HASH, Relaxed);
        m.word64(AT_BYTES).store(m.bytes() as u64, Relaxed);
        m.word(AT_SLOTS).store(self.slots, Relaxed);
        m.word(AT_STRIDE).store(self.stride as u32, Relaxed);
        if matches!(self.kind, Kind::Lossless | Kind::Broadcast) {
            m.word(AT_TAIL).store(1, Relaxed);
            m.word(AT_HEAD).store(1, Relaxed);
            // Zero is a valid commit word in slot 0, whose first sequence would otherwise look committed after 2^32 records.
            m.word(AT_DATA + RECORD_SEQUENCE).store(!0, Relaxed);
        }
        m.word64(AT_MAGIC).store(MAGIC, Relaxed);
    }

    /// What it holds.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Number of slots; 0 where there are none.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Largest payload of a record in bytes; for `Latest` the room for the value.
    pub fn payload_max(&self) -> usize {
        self.stride.saturating_sub(RECORD_PAYLOAD)
    }

    /// File behind it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the whole segment.
    pub fn bytes(&self) -> usize {
        self.mapping.bytes()
    }

    /// Address of byte 0, valid as long as the segment; for rooms that own a `Plain` layout and for the Node-API door. What is
    /// stored through it must follow the layout's rules, and never happen when the segment is read-only.
    pub fn base(&self) -> *mut u8 {
        self.mapping.base()
    }

    /// True unless it was opened read-only.
    pub fn writable(&self) -> bool {
        self.writable
    }

    /// Bytes from one slot to the next.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// Refuses unless the segment is of this kind and, for writers, writable.
    pub(crate) fn require(&self, kind: Kind, write: bool) -> Result<(), SegmentError> {
        if self.kind != kind {
            return Err(header_error(&self.path, "kind", AT_KIND, self.kind as u64, kind as u64));
        }
        if write && !self.writable {
            return Err(SegmentError::ReadOnly { path: self.path.clone() });
        }
        Ok(())
    }
}

/// Removes the file of a segment; a missing file is fine. Those who have it mapped keep their memory.
pub fn remove(path: impl AsRef<Path>) -> Result<(), SegmentError> {
    let path = path.as_ref();
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(SegmentError::Io { path: path.to_path_buf(), action: "remove", source })
        }
        _ => Ok(()),
    }
}

fn measure(path: &Path, shape: Shape) -> Result<(Kind, u32, usize, usize), SegmentError> {
    let (kind, slots, payload) = match shape {
        Shape::Lossless { slots, payload } => (Kind::Lossless, slots, payload),
        Shape::Broadcast { slots, payload } => (Kind::Broadcast, slots, payload),
        Shape::Latest { payload } => (Kind::Latest, crate::latest::SLOTS, payload),
        Shape::Control => return Ok((Kind::Control, 0, 0, crate::control::BYTES)),
        Shape::Plain { bytes } => {
            if bytes > 1 << 36 {
                return Err(shape_error(path, "bytes", bytes as u64, "0 to 2^36"));
            }
            return Ok((Kind::Plain, 0, 0, (AT_DATA + bytes).next_multiple_of(4096)));
        }
    };
    if kind != Kind::Latest && !(slots.is_power_of_two() && (2..=SLOTS_MAX).contains(&slots)) {
        return Err(shape_error(path, "slots", slots as u64, "a power of two from 2 to 2^24"));
    }
    if !(1..=PAYLOAD_MAX).contains(&payload) {
        return Err(shape_error(path, "payload", payload as u64, "1 to 2^20 bytes"));
    }
    let stride = stride_of(payload);
    Ok((kind, slots, stride, AT_DATA + slots as usize * stride))
}

fn shape_error(path: &Path, field: &'static str, found: u64, accepted: &'static str) -> SegmentError {
    SegmentError::Shape { path: path.to_path_buf(), field, found, accepted }
}

fn header_error(path: &Path, field: &'static str, offset: usize, found: u64, expected: u64) -> SegmentError {
    SegmentError::Header { path: path.to_path_buf(), field, offset, found, expected }
}

/// Every field of the header must be exactly what `create` would have written for this file's size.
fn check_header(path: &Path, mapping: &Mapping) -> Result<(Kind, u32, usize), SegmentError> {
    let refuse = |field, offset, found, expected| Err(header_error(path, field, offset, found, expected));
    let magic = mapping.word64(AT_MAGIC).load(Relaxed);
    if magic != MAGIC {
        return refuse("magic", AT_MAGIC, magic, MAGIC);
    }
    let version = mapping.word(AT_VERSION).load(Relaxed);
    if version != LAYOUT_VERSION {
        return refuse("version", AT_VERSION, version as u64, LAYOUT_VERSION as u64);
    }
    let hash = mapping.word64(AT_HASH).load(Relaxed);
    if hash != LAYOUT_HASH {
        return refuse("hash", AT_HASH, hash, LAYOUT_HASH);
    }
    let bytes = mapping.word64(AT_BYTES).load(Relaxed);
    if bytes != mapping.bytes() as u64 {
        return refuse("bytes", AT_BYTES, bytes, mapping.bytes() as u64);
    }
    let code = mapping.word(AT_KIND).load(Relaxed);
    let Some(kind) = Kind::from_code(code) else {
        return refuse("kind", AT_KIND, code as u64, Kind::Lossless as u64);
    };
    let slots = mapping.word(AT_SLOTS).load(Relaxed);
    let stride = mapping.word(AT_STRIDE).load(Relaxed) as usize;
    match kind {
        Kind::Lossless | Kind::Broadcast | Kind::Latest => {
            let fits = if kind == Kind::Latest {
                slots == crate::latest::SLOTS
            } else {
                slots.is_power_of_two() && (2..=SLOTS_MAX).contains(&slots)
            };
            if !fits {
                return refuse("slots", AT_SLOTS, slots as u64, crate::latest::SLOTS as u64);
            }
            let room = bytes as usize - AT_DATA;
            if !(stride >= 2 * RECORD_PAYLOAD
                && stride.is_multiple_of(LINE)
                && slots as usize * stride == room)
            {
                return refuse("stride", AT_STRIDE, stride as u64, (room / slots as usize) as u64);
            }
        }
        Kind::Control if bytes != crate::control::BYTES as u64 => {
            return refuse("bytes", AT_BYTES, bytes, crate::control::BYTES as u64);
        }
        Kind::Control | Kind::Plain => {}
    }
    Ok((kind, slots, stride))
}

/// Sets the size and reserves the pages now: running out of memory must fail here, not as a bus error on the path.
fn allocate(file: &File, bytes: usize) -> std::io::Result<()> {
    use std::os::fd::AsRawFd;
    file.set_len(bytes as u64)?;
    // SAFETY: plain call on an open descriptor.
    let code = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, bytes as libc::off_t) };
    if code == 0 { Ok(()) } else { Err(std::io::Error::from_raw_os_error(code)) }
}
