//! Bytes on their way to the socket.

/// A fixed stretch of bytes to send. A socket that takes only a part leaves the rest in place: nothing is lost, nothing
/// goes twice.
#[derive(Debug)]
pub struct Outbox {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Outbox {
    /// Room for `bytes` bytes.
    pub fn new(bytes: usize) -> Outbox {
        Outbox { bytes: vec![0; bytes].into_boxed_slice(), start: 0, end: 0 }
    }

    /// Bytes that wait.
    #[inline]
    pub fn pending(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// True when nothing waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Where to write the next packet; written bytes count with [`wrote`](Outbox::wrote).
    #[inline]
    pub fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        } else if self.start > 0 && self.bytes.len() - self.end < self.start {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.bytes[self.end..]
    }

    /// `count` bytes of the space now wait.
    ///
    /// # Panics
    /// When there was less space: a caller's bug.
    #[inline]
    pub fn wrote(&mut self, count: usize) {
        assert!(count <= self.bytes.len() - self.end, "more bytes written than there was space");
        self.end += count;
    }

    /// The socket took the first `count` pending bytes.
    ///
    /// # Panics
    /// When fewer were pending: a caller's bug.
    #[inline]
    pub fn sent(&mut self, count: usize) {
        assert!(count <= self.end - self.start, "more bytes sent than were pending");
        self.start += count;
    }

    /// Forgets everything, for a new connection.
    pub fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_their_order_whatever_the_socket_takes() {
        let mut outbox = Outbox::new(16);
        let (mut expected, mut received, mut next) = (Vec::new(), Vec::new(), 0u8);
        for take in [3, 0, 5, 1, 7, 2, 9, 4, 0, 16] {
            let room = outbox.space().len().min(6);
            for byte in &mut outbox.space()[..room] {
                *byte = next;
                expected.push(next);
                next += 1;
            }
            outbox.wrote(room);
            let count = take.min(outbox.pending().len());
            received.extend_from_slice(&outbox.pending()[..count]);
            outbox.sent(count);
        }
        received.extend_from_slice(outbox.pending());
        assert_eq!(received, expected);
        assert!(expected.len() > 30, "the bytes wrapped around several times");
    }
}
