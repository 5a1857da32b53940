//! Messages of a session, numbered from 1: what a sequenced stream sent and can send again.

/// An append-only list of messages in one arena. Appending allocates only when the arena grows.
#[derive(Clone, Debug)]
pub struct MessageLog {
    bytes: Vec<u8>,
    /// Where each kept message ends in `bytes`.
    ends: Vec<u64>,
    /// Sequence number of the first kept message.
    first: u64,
}

impl Default for MessageLog {
    fn default() -> MessageLog {
        MessageLog { bytes: Vec::new(), ends: Vec::new(), first: 1 }
    }
}

impl MessageLog {
    /// Sequence number that the next message will get.
    #[inline]
    pub fn next(&self) -> u64 {
        self.first + self.ends.len() as u64
    }

    /// Appends a message of at most `N` bytes, which `write` puts into the buffer it is given; `write` returns the length.
    #[inline]
    pub fn append<const N: usize>(&mut self, write: impl FnOnce(&mut [u8]) -> usize) {
        let start = self.bytes.len();
        self.bytes.resize(start + N, 0);
        let length = write(&mut self.bytes[start..]);
        self.bytes.truncate(start + length);
        self.ends.push(self.bytes.len() as u64);
    }

    /// Appends a message as it is.
    #[inline]
    pub fn push(&mut self, message: &[u8]) {
        self.bytes.extend_from_slice(message);
        self.ends.push(self.bytes.len() as u64);
    }

    /// The message with this sequence number, if it is kept.
    #[inline]
    pub fn get(&self, sequence: u64) -> Option<&[u8]> {
        let at = sequence.checked_sub(self.first)? as usize;
        let end = *self.ends.get(at)? as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        Some(&self.bytes[start..end])
    }

    /// Forgets all messages so far; numbering goes on. For writers that nobody will ask again.
    pub fn forget(&mut self) {
        self.first = self.next();
        self.bytes.clear();
        self.ends.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::MessageLog;

    #[test]
    fn messages_keep_their_numbers_and_bytes() {
        let mut log = MessageLog::default();
        log.push(b"one");
        log.append::<8>(|to| {
            to[..3].copy_from_slice(b"two");
            3
        });
        assert_eq!(
            (log.get(0), log.get(1), log.get(2), log.get(3)),
            (None, Some(&b"one"[..]), Some(&b"two"[..]), None)
        );
        log.forget();
        log.push(b"three");
        assert_eq!((log.get(2), log.get(3), log.next()), (None, Some(&b"three"[..]), 4));
    }
}
