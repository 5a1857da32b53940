//! The lessons of a retraining's window in a file beside the checkpoint: each is appended once, when the next checkpoint is written, which then
//! holds everything but them.
//!
//! A record: the lesson's number, what it is ([`tickline_model::train::Replay::write_lesson`]), the first 8 bytes of the SHA-256 of both and of the
//! learner's fingerprint. Records stand in the order of their numbers, of which some may lack where a whole window came between two checkpoints.
//! The checkpoint says how many lessons there were; what the file has beyond them was written by a process that died before its checkpoint was,
//! and is cut off.
use std::cell::Cell;
use tickline_model::file::digest;

/// Bytes of a record around its lesson.
const AROUND: usize = 16;

fn sum(fingerprint: u64, record: &[u8]) -> u64 {
    digest(fingerprint.to_le_bytes().iter().chain(record).copied())
}

/// Bytes of a record whose lesson has so many.
pub(crate) fn record_bytes(lesson: usize) -> usize {
    lesson + AROUND
}

/// Appends a record; `lesson` appends what the lesson is, or nothing at all by `false`.
pub(crate) fn append(
    out: &mut Vec<u8>,
    fingerprint: u64,
    number: u64,
    lesson: impl FnOnce(&mut Vec<u8>) -> bool,
) {
    let begin = out.len();
    out.extend(number.to_le_bytes());
    if lesson(out) {
        let sum = sum(fingerprint, &out[begin..]);
        out.extend(sum.to_le_bytes());
    } else {
        out.truncate(begin);
    }
}

/// A file's records, up to the first that is not whole.
pub(crate) struct Log<'a> {
    bytes: &'a [u8],
    /// Bytes of a lesson.
    each: usize,
    numbers: Vec<u64>,
    /// The first lesson that was asked for and is not there.
    missing: Cell<Option<u64>>,
}

impl<'a> Log<'a> {
    /// Reads lessons of `each` bytes.
    pub(crate) fn read(bytes: &'a [u8], each: usize, fingerprint: u64) -> Log<'a> {
        let mut numbers: Vec<u64> = Vec::new();
        for record in bytes.chunks_exact(record_bytes(each)) {
            let Some((body, found)) = record.split_last_chunk::<8>() else { break };
            let Some(number) = body.first_chunk::<8>().map(|head| u64::from_le_bytes(*head)) else { break };
            let follows = numbers.last().is_none_or(|last| *last < number);
            if !follows || sum(fingerprint, body) != u64::from_le_bytes(*found) {
                break;
            }
            numbers.push(number);
        }
        Log { bytes, each, numbers, missing: Cell::new(None) }
    }

    /// A lesson by its number.
    pub(crate) fn lesson(&self, number: u64) -> Option<&'a [u8]> {
        let Ok(at) = self.numbers.binary_search(&number) else {
            self.missing.set(self.missing.get().or(Some(number)));
            return None;
        };
        let begin = at * record_bytes(self.each) + 8;
        self.bytes.get(begin..begin + self.each)
    }

    /// The first lesson that was asked for and is not there.
    pub(crate) fn missing(&self) -> Option<u64> {
        self.missing.get()
    }

    /// Bytes of the records of the first `lessons` lessons.
    pub(crate) fn length(&self, lessons: u64) -> usize {
        self.numbers.partition_point(|number| *number < lessons) * record_bytes(self.each)
    }
}

#[cfg(test)]
mod tests {
    use super::{AROUND, Log, append};

    fn log(numbers: impl Iterator<Item = u64>, fingerprint: u64) -> Vec<u8> {
        let mut out = Vec::new();
        for number in numbers {
            append(&mut out, fingerprint, number, |out| {
                out.extend([number as u8; 5]);
                true
            });
        }
        out
    }

    /// Goal: what was appended is found, whatever half a record or foreign bytes follow it; what is damaged ends the file; another learner's
    /// records are none. Method: every cut and every flipped byte of a small file.
    #[test]
    fn whole_records_are_found_and_nothing_else() {
        let bytes = log((3..7).chain(20..24), 9);
        let each = 5 + AROUND;
        for cut in 0..=bytes.len() {
            let read = Log::read(&bytes[..cut], 5, 9);
            let whole: Vec<u64> = (3..7).chain(20..24).take(cut / each).collect();
            for number in 0..30 {
                let wanted = whole.contains(&number).then(|| vec![number as u8; 5]);
                assert_eq!(read.lesson(number).map(<[u8]>::to_vec), wanted, "cut at {cut}");
            }
            assert_eq!(read.missing(), Some(0));
            assert_eq!(read.length(u64::MAX), cut / each * each);
            assert_eq!(read.length(20), (cut / each).min(4) * each);
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 4;
            assert_eq!(Log::read(&flipped, 5, 9).length(u64::MAX), at / each * each, "flipped at {at}");
        }
        assert_eq!(Log::read(&bytes, 5, 8).length(u64::MAX), 0);
        let twice = [bytes.clone(), bytes.clone()].concat();
        assert_eq!(Log::read(&twice, 5, 9).length(u64::MAX), bytes.len(), "numbers rise");
        let mut none = Vec::new();
        append(&mut none, 9, 1, |out| {
            out.push(1);
            false
        });
        assert!(none.is_empty());
    }
}
