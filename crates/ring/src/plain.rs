//! Records in a plain segment that one writer changes and others copy out whole: a sequence lock around whole words.
//!
//! A record is N words. Its first four bytes are `begin`, its last four `end`: both the same even number when the record is
//! whole, `begin` odd while it is written, 0 when it never was. What lies between belongs to the room that owns the layout.

use crate::error::SegmentError;
use crate::layout::AT_DATA;
use crate::segment::{Kind, Segment};
use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::sync::fence;
use std::path::Path;
use std::sync::Arc;

/// A plain segment, seen as words. Offsets are bytes from the end of the header, multiples of 8.
#[derive(Clone)]
pub struct Plain {
    segment: Arc<Segment>,
}

/// A record as it was read; the owner of the layout checks `begin`, `end` and `begin_again`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guarded<const N: usize> {
    /// The words in order.
    pub words: [u64; N],
    /// `begin`, read again after the words.
    pub begin_again: u32,
}

impl Plain {
    /// Opens a plain segment to read and write.
    pub fn open(path: impl AsRef<Path>) -> Result<Plain, SegmentError> {
        Plain::new(Arc::new(Segment::open(path)?), true)
    }

    /// Over a mapped segment; `write` refuses one that was opened to look at.
    pub fn new(segment: Arc<Segment>, write: bool) -> Result<Plain, SegmentError> {
        segment.require(Kind::Plain, write)?;
        Ok(Plain { segment })
    }

    /// Bytes for the layout; files are whole pages, so this may be more than was asked for.
    pub fn bytes(&self) -> usize {
        self.segment.bytes() - AT_DATA
    }

    #[inline]
    fn inside(&self, at: usize, words: usize) -> bool {
        at.is_multiple_of(8) && at.checked_add(words * 8).is_some_and(|end| end <= self.bytes())
    }

    /// Copies a record out; `None` when it lies outside the segment.
    #[inline]
    pub fn read_guarded<const N: usize>(&self, at: usize) -> Option<Guarded<N>> {
        if !self.inside(at, N) {
            return None;
        }
        let m = &self.segment.mapping;
        // SYNC: pairs with the last store of `write_guarded` (and `Atomics.store` in TypeScript): words that follow are not older.
        let mut words = [m.word64(AT_DATA + at).load(Acquire); N];
        m.get(AT_DATA + at + 8, &mut words[1..]);
        // SYNC: pairs with the fence of `write_guarded`: if a word is newer, so is `begin` below.
        fence(Acquire);
        let begin_again = m.word64(AT_DATA + at).load(Relaxed) as u32;
        Some(Guarded { words, begin_again })
    }

    /// Writes a record; `begin` and `end` in `words` are replaced. Single writer. False when it lies outside the segment.
    #[inline]
    pub fn write_guarded<const N: usize>(&self, at: usize, mut words: [u64; N]) -> bool {
        if !self.inside(at, N) || N < 2 {
            return false;
        }
        let m = &self.segment.mapping;
        let before = m.word64(AT_DATA + at).load(Relaxed) as u32;
        let begin = ((before & !1).wrapping_add(2)).max(2);
        let half = |word: u64, begin: u32| word & !0xFFFF_FFFF | u64::from(begin);
        m.word64(AT_DATA + at).store(half(words[0], begin - 1), Relaxed);
        // SYNC: pairs with the fence of `read_guarded`.
        fence(Release);
        words[N - 1] = words[N - 1] & 0xFFFF_FFFF | u64::from(begin) << 32;
        m.put(AT_DATA + at + 8, &words[1..]);
        m.word64(AT_DATA + at).store(half(words[0], begin), Release);
        true
    }

    /// Loads words one by one, for observation; false, changing nothing, when they lie outside the segment.
    pub fn load(&self, at: usize, words: &mut [u64]) -> bool {
        let inside = self.inside(at, words.len());
        if inside {
            self.segment.mapping.get(AT_DATA + at, words);
        }
        inside
    }

    /// Stores words one by one; false when they lie outside the segment.
    #[inline]
    pub fn store(&self, at: usize, words: &[u64]) -> bool {
        let inside = self.inside(at, words.len());
        if inside {
            self.segment.mapping.put(AT_DATA + at, words);
        }
        inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use std::sync::atomic::AtomicBool;

    fn plain(bytes: usize) -> Plain {
        Plain::new(Arc::new(Segment::anonymous(Shape::Plain { bytes }).unwrap()), true).unwrap()
    }

    #[test]
    fn a_record_comes_back_with_its_guards() {
        let plain = plain(128);
        assert_eq!(plain.read_guarded::<8>(64).unwrap().words, [0; 8]);
        assert!(plain.write_guarded(64, [5 << 32, 1, 2, 3, 4, 5, 6, 7]));
        let read = plain.read_guarded::<8>(64).unwrap();
        assert_eq!(read.words, [5 << 32 | 2, 1, 2, 3, 4, 5, 6, 7 | 2 << 32]);
        assert_eq!(read.begin_again, 2);
    }

    #[test]
    fn the_last_record_is_inside_and_one_word_further_is_not() {
        let plain = plain(128);
        let last = plain.bytes() - 64;
        assert!(plain.write_guarded(last, [0u64; 8]) && plain.read_guarded::<8>(last).is_some());
        assert!(!plain.write_guarded(last + 8, [0u64; 8]) && plain.read_guarded::<8>(last + 8).is_none());
        assert!(plain.read_guarded::<8>(last - 1).is_none(), "not a whole word");
        assert!(!plain.store(usize::MAX - 7, &[0]));
    }

    #[test]
    fn a_reader_beside_a_writer_sees_whole_records_or_knows_that_they_are_not() {
        let plain = plain(64);
        let writer = plain.clone();
        let enough = Arc::new(AtomicBool::new(false));
        let stop = enough.clone();
        let thread = std::thread::spawn(move || {
            let mut n = 0u64;
            while !stop.load(Relaxed) {
                n += 1;
                writer.write_guarded(0, [n << 32, n, n, n, n, n, n, n & 0xFFFF_FFFF]);
                if n.is_multiple_of(64) {
                    // A writer that never rests leaves no moment at which the record is whole for long enough.
                    std::thread::yield_now();
                }
            }
        });
        let (mut whole, mut last) = (0u32, 0);
        while whole < 2_000 && !thread.is_finished() {
            let Guarded { words, begin_again } = plain.read_guarded::<8>(0).unwrap();
            let (begin, end) = (words[0] as u32, (words[7] >> 32) as u32);
            if begin & 1 == 0 && begin == begin_again && begin == end {
                let n = words[0] >> 32;
                assert!(words[1..7].iter().all(|&word| word == n) && words[7] as u32 == n as u32);
                assert!(n >= last, "records do not go back");
                whole += 1;
                last = n;
            } else {
                std::thread::yield_now();
            }
        }
        enough.store(true, Relaxed);
        thread.join().unwrap();
        assert_eq!(whole, 2_000);
    }
}
