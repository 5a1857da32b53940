//! Writes a journal: entries gather in memory and go out in batches; a segment that is full is followed by the next.

use crate::channels::Channels;
use crate::entry::{PAYLOAD_BYTES_MAX, put, stored_bytes};
use crate::fault::{Cause, Fault};
use crate::folder::{Segment, listed, segment_name};
use crate::gap::Gap;
use crate::header::RunHeader;
use crate::kind;
use crate::scan::{Damage, Step, Torn, begin, step};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use tickline_units::Nanos;
use tickline_wire::flat::PREFIX_BYTES;
use tickline_wire::flat::journal::{JOURNAL_PREFIX, JournalBody};

/// Bytes that gather before they are written; holds the longest entry.
const BUFFER_BYTES: usize = 1 << 20;
const _: () = assert!(BUFFER_BYTES >= stored_bytes(PAYLOAD_BYTES_MAX));

/// Smallest limit of a segment.
pub const SEGMENT_BYTES_MIN: u64 = 1 << 12;

/// File that the writer locks, so that a journal has one writer. The kernel lets go of it when its holder dies.
const LOCK: &str = "writer.lock";

/// When the disk is made to have what was written. Until then the system has it: it survives the death of the writer, not of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// When the system sees fit.
    Never,
    /// At the end of each segment.
    Segment,
    /// Not later than this after it was written, and at the end of each segment.
    Every(Nanos),
}

/// How a journal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A segment that would be longer is followed by the next; at least [`SEGMENT_BYTES_MIN`]. One that holds a single entry beside its
    /// header may be longer.
    pub segment_bytes_max: u64,
    /// When the disk has it.
    pub sync: Sync,
}

/// What a writer found before it began.
#[derive(Debug)]
pub struct Found {
    /// Sequence of the next entry; 1 in a new journal.
    pub next: u64,
    /// Header of the last segment.
    pub header: Option<RunHeader>,
    /// Number of the next record of each stream, as of the last entry; 1 in a new journal.
    pub channels: Channels,
    /// Bytes of a torn tail that were cut off.
    pub cut: u64,
    /// Locked as long as it is open.
    lock: File,
}

/// The end of a journal that grows.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    settings: Settings,
    path: PathBuf,
    file: File,
    buffer: Box<[u8]>,
    used: usize,
    /// Bytes of the segment, those in memory included.
    length: u64,
    /// Bytes of them before the first entry that is no header.
    head_bytes: u64,
    next: u64,
    header: RunHeader,
    synced: Nanos,
    dirty: bool,
    bytes: u64,
    _lock: File,
}

impl Writer {
    /// Takes the folder for this process, made if it is not there, and cuts a torn tail off.
    ///
    /// # Errors
    /// Another process writes there, the last segment is damaged, or the system refuses.
    pub fn find(folder: &Path) -> Result<Found, Fault> {
        let refused = |error| Fault::unwritable(folder, &error);
        fs::create_dir_all(folder).map_err(refused)?;
        let lock = OpenOptions::new().create(true).append(true).open(folder.join(LOCK)).map_err(refused)?;
        if lock.try_lock().is_err() {
            return Err(Fault::new(folder, Cause::Busy));
        }
        let blank = Channels { frame: 1, signal: 1, order: 1, fill: 1 };
        let mut found = Found { next: 1, header: None, channels: blank, cut: 0, lock };
        for segment in listed(folder)?.iter().rev() {
            if let Some(removed) = last(segment, &mut found)? {
                fs::remove_file(&segment.path).map_err(refused)?;
                found.cut += removed;
                continue;
            }
            break;
        }
        Ok(found)
    }

    /// Begins a segment behind what was found. `header.segment`, `.channels` and `.resumed` are as the caller says.
    ///
    /// # Errors
    /// The system refuses.
    ///
    /// # Panics
    /// If `settings.segment_bytes_max` is too small: the caller's bug.
    pub fn begin(
        folder: &Path,
        settings: Settings,
        header: RunHeader,
        found: Found,
        now: Nanos,
    ) -> Result<Writer, Fault> {
        assert!(settings.segment_bytes_max >= SEGMENT_BYTES_MIN, "limits are checked by the caller");
        let (path, file) = create(folder, found.next)?;
        let mut writer = Writer {
            folder: folder.to_owned(),
            settings,
            path,
            file,
            buffer: vec![0; BUFFER_BYTES].into(),
            used: 0,
            length: 0,
            head_bytes: 0,
            next: found.next,
            header,
            synced: now,
            dirty: false,
            bytes: 0,
            _lock: found.lock,
        };
        writer.head(Nanos(0), now)?;
        Ok(writer)
    }

    /// Appends an entry; its sequence, length and checksum are set here. It is in the file after the next `flush`, or sooner.
    /// Allocates nothing, except where a segment ends.
    ///
    /// # Errors
    /// The system refuses to write. What was appended since the last flush may then be there in part: a torn tail.
    ///
    /// # Panics
    /// If the payload is longer than [`PAYLOAD_BYTES_MAX`]: the caller's bug.
    #[inline]
    pub fn append(&mut self, body: &JournalBody, payload: &[u8]) -> Result<(), Fault> {
        let bytes = stored_bytes(payload.len());
        if self.length + bytes as u64 > self.settings.segment_bytes_max && self.length > self.head_bytes {
            self.turn(Nanos(body.time_ns), Nanos(body.stamp_ns))?;
        }
        self.lay(body, payload, bytes)?;
        if let Some(next) = self.header.channels.of(body.kind) {
            *next += 1;
        }
        Ok(())
    }

    /// Declares records of a stream missed.
    ///
    /// # Errors
    /// As for `append`.
    pub fn declare(&mut self, stream: u16, count: u64, body: &JournalBody) -> Result<(), Fault> {
        let Some(next) = self.header.channels.of(stream) else { return Ok(()) };
        let gap = Gap { first: *next, count };
        *next += count;
        self.append(&JournalBody { kind: kind::GAP, source: stream, ..*body }, &gap.bytes())
    }

    /// Writes what has gathered; `now` (monotonic) decides whether the disk must have it.
    ///
    /// # Errors
    /// The system refuses.
    pub fn flush(&mut self, now: Nanos) -> Result<(), Fault> {
        self.drain()?;
        if let Sync::Every(pause) = self.settings.sync
            && self.dirty
            && now.0.saturating_sub(self.synced.0) >= pause.0
        {
            self.settle()?;
            self.synced = now;
        }
        Ok(())
    }

    /// Ends the journal: everything is written, and the disk has it unless that was never asked for.
    ///
    /// # Errors
    /// The system refuses.
    pub fn close(mut self) -> Result<(), Fault> {
        self.drain()?;
        if self.settings.sync == Sync::Never { Ok(()) } else { self.settle() }
    }

    /// True when entries wait in memory.
    pub fn pending(&self) -> bool {
        self.used > 0
    }

    /// Sequence of the next entry.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Number of the next record of each stream.
    pub fn channels(&self) -> Channels {
        self.header.channels
    }

    /// Number of the segment in its run.
    pub fn segment(&self) -> u32 {
        self.header.segment
    }

    /// Bytes appended.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The file that is being written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    #[inline]
    fn lay(&mut self, body: &JournalBody, payload: &[u8], bytes: usize) -> Result<(), Fault> {
        if self.buffer.len() - self.used < bytes {
            self.drain()?;
        }
        let body = JournalBody { seq: self.next, ..*body };
        let laid = put(&mut self.buffer[self.used..], &body, payload);
        assert!(laid.is_some(), "the caller keeps to the longest payload");
        self.used += bytes;
        self.length += bytes as u64;
        self.bytes += bytes as u64;
        self.next += 1;
        Ok(())
    }

    #[inline]
    fn drain(&mut self) -> Result<(), Fault> {
        if self.used > 0 {
            self.file
                .write_all(&self.buffer[..self.used])
                .map_err(|error| Fault::unwritable(&self.path, &error))?;
            self.used = 0;
            self.dirty = true;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Fault> {
        self.dirty = false;
        self.file.sync_data().map_err(|error| Fault::unwritable(&self.path, &error))
    }

    /// Ends a segment and begins the next.
    #[cold]
    fn turn(&mut self, time: Nanos, stamp: Nanos) -> Result<(), Fault> {
        self.drain()?;
        if self.settings.sync != Sync::Never {
            self.settle()?;
        }
        (self.path, self.file) = create(&self.folder, self.next)?;
        self.length = 0;
        self.header.segment += 1;
        self.header.resumed = None;
        self.head(time, stamp)
    }

    /// The first bytes of a segment, written at once: a segment without a header is torn.
    fn head(&mut self, time: Nanos, stamp: Nanos) -> Result<(), Fault> {
        self.buffer[..PREFIX_BYTES].copy_from_slice(&JOURNAL_PREFIX);
        self.used = PREFIX_BYTES;
        self.length = PREFIX_BYTES as u64;
        let payload = self.header.bytes();
        let body =
            JournalBody { time_ns: time.0, stamp_ns: stamp.0, kind: kind::RUN_HEADER, ..Default::default() };
        self.lay(&body, &payload, stored_bytes(payload.len()))?;
        self.head_bytes = self.length;
        self.drain()
    }
}

fn create(folder: &Path, first: u64) -> Result<(PathBuf, File), Fault> {
    let path = folder.join(segment_name(first));
    let made = OpenOptions::new().create_new(true).append(true).open(&path);
    let file = made.map_err(|error| Fault::unwritable(&path, &error))?;
    Ok((path, file))
}

/// Reads what was the last segment, cuts its torn tail off, and tells where it ends; `Some` of its bytes when not even its header is whole.
fn last(segment: &Segment, found: &mut Found) -> Result<Option<u64>, Fault> {
    let Segment { path, first } = segment;
    let damaged = |offset, damage| Fault::new(path, Cause::Damaged { offset: offset as u64, damage });
    let bytes = fs::read(path).map_err(|error| Fault::unreadable(path, &error))?;
    found.next = first.unwrap_or(1);
    let Some(mut at) = begin(&bytes, true).map_err(|damage| damaged(0, damage))? else {
        return Ok(Some(bytes.len() as u64));
    };
    loop {
        match step(&bytes, at, found.next, true).map_err(|damage| damaged(at, damage))? {
            Step::End => return Ok(None),
            Step::Torn(_) if at == PREFIX_BYTES => return Ok(Some(bytes.len() as u64)),
            Step::Torn(Torn { offset, bytes }) => {
                found.cut += bytes;
                let file = OpenOptions::new().write(true).open(path);
                let cut = file.and_then(|file| file.set_len(offset));
                cut.map_err(|error| Fault::unwritable(path, &error))?;
                return Ok(None);
            }
            Step::Entry { entry, end } => {
                if entry.body.kind == kind::RUN_HEADER {
                    let header = RunHeader::of(entry.payload);
                    let header = header.map_err(|why| damaged(at, Damage::Header(why)))?;
                    found.channels = header.channels;
                    found.header = Some(header);
                }
                let missed = (entry.body.kind == kind::GAP).then(|| Gap::of(entry.payload)).flatten();
                let (stream, count) =
                    missed.map_or((entry.body.kind, 1), |gap| (entry.body.source, gap.count));
                if let Some(next) = found.channels.of(stream) {
                    *next += count;
                }
                found.next += 1;
                at = end;
            }
        }
    }
}
