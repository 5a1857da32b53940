//! Our lossless channel between two processes, one segment each way.

use super::{Message, SIZE, look, message};
use std::path::Path;
use std::sync::Arc;
use tickline_clock::monotonic;
use tickline_ring::lossless::{Consumer, Producer};
use tickline_ring::{Segment, SegmentError};

/// Kind of message; the carrier does not look at it.
const KIND: u32 = 1;
/// Records taken in one poll when they come as fast as they go.
const BURST: usize = 256;
const OURS: &str = "only this benchmark writes here";

/// The message's bytes.
#[inline(always)]
fn bytes(message: &Message) -> &[u8; SIZE] {
    // SAFETY: an array of u64 is its bytes.
    unsafe { &*message.as_ptr().cast() }
}

#[inline(always)]
fn send(outlet: &mut Producer, payload: &[u8; SIZE]) {
    let mut looks = 0;
    while outlet.send(KIND, 0, payload).is_err() {
        look(&mut looks);
    }
}

/// The end that starts.
pub struct Near {
    there: Producer,
    back: Consumer,
}

impl Near {
    /// Over the segments of `dir`.
    pub fn open(dir: &Path) -> Result<Near, SegmentError> {
        let segment = |name| Segment::open(dir.join(name)).map(Arc::new);
        Ok(Near { there: Producer::attach(segment("there")?)?, back: Consumer::attach(segment("back")?)? })
    }
}

impl super::Near for Near {
    #[inline(always)]
    fn trip(&mut self, message: &Message) {
        let wanted = bytes(message);
        send(&mut self.there, wanted);
        let mut looks = 0;
        while self.back.poll(|record| assert_eq!(record.payload, wanted), 1).expect(OURS) == 0 {
            look(&mut looks);
        }
    }

    #[inline(always)]
    fn send(&mut self, message: &Message) {
        send(&mut self.there, bytes(message));
    }
}

/// The end that answers.
pub struct Far {
    there: Consumer,
    back: Producer,
}

impl Far {
    /// Over the segments of `dir`.
    pub fn open(dir: &Path) -> Result<Far, SegmentError> {
        let segment = |name| Segment::open(dir.join(name)).map(Arc::new);
        Ok(Far { there: Consumer::attach(segment("there")?)?, back: Producer::attach(segment("back")?)? })
    }
}

impl super::Far for Far {
    fn echo(&mut self, count: u64) {
        let (mut left, mut looks) = (count, 0);
        let Far { there, back } = self;
        while left > 0 {
            let taken =
                there.poll(|record| send(back, record.payload.try_into().expect("64 bytes were sent")), 1);
            match taken.expect(OURS) {
                0 => look(&mut looks),
                taken => (left, looks) = (left - taken as u64, 0),
            }
        }
    }

    fn drain(&mut self, first: u64, count: u64) -> u64 {
        let (mut next, mut began, mut looks) = (first, 0, 0);
        while next < first + count {
            let taken = self.there.poll(
                |record| {
                    assert_eq!(record.payload, bytes(&message(next)));
                    next += 1;
                },
                BURST,
            );
            match taken.expect(OURS) {
                0 => look(&mut looks),
                _ if began == 0 => began = monotonic().0,
                _ => looks = 0,
            }
        }
        monotonic().0 - began
    }
}
