//! The payload of a declared gap: what the recorder could not take because it was overwritten before.

/// A range of records that were missed; `source` of the entry is their kind. 16 bytes: two little-endian u64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Number in its stream of the first, from 1.
    pub first: u64,
    /// How many.
    pub count: u64,
}

impl Gap {
    /// As written.
    pub fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.first.to_le_bytes());
        bytes[8..].copy_from_slice(&self.count.to_le_bytes());
        bytes
    }

    /// As read; `None` for another length.
    pub fn of(payload: &[u8]) -> Option<Gap> {
        let (first, count) = payload.split_first_chunk::<8>()?;
        Some(Gap { first: u64::from_le_bytes(*first), count: u64::from_le_bytes(count.try_into().ok()?) })
    }
}
