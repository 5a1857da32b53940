//! Reference number -> slot: open addressing with linear probing and backward-shift deletion, so it never fills with
//! tombstones. Half full at most.

const EMPTY: u64 = 0;

#[derive(Clone, Copy)]
struct Entry {
    key: u64,
    slot: u32,
}

/// A map from reference (never 0) to slot.
pub(crate) struct Refs {
    entries: Vec<Entry>,
    shift: u32,
    len: usize,
}

impl Refs {
    /// Room for `capacity` references before the first growth.
    pub(crate) fn with_capacity(capacity: usize) -> Refs {
        let size = (capacity.max(8) * 2).next_power_of_two();
        Refs { entries: vec![Entry { key: EMPTY, slot: 0 }; size], shift: 64 - size.trailing_zeros(), len: 0 }
    }

    #[inline]
    fn home(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }

    /// Where `key` is (`Ok`) or would go (`Err`).
    #[inline]
    fn find(&self, key: u64) -> Result<usize, usize> {
        let mask = self.entries.len() - 1;
        let mut at = self.home(key);
        loop {
            let found = self.entries[at].key;
            if found == key {
                return Ok(at);
            }
            if found == EMPTY {
                return Err(at);
            }
            at = (at + 1) & mask;
        }
    }

    /// The slot of `key`.
    #[inline]
    pub(crate) fn get(&self, key: u64) -> Option<u32> {
        if key == EMPTY {
            return None;
        }
        self.find(key).ok().map(|at| self.entries[at].slot)
    }

    /// Adds `key`, which is not 0; false when it is already there.
    #[inline]
    pub(crate) fn insert(&mut self, key: u64, slot: u32) -> bool {
        debug_assert!(key != EMPTY);
        let Err(at) = self.find(key) else { return false };
        self.entries[at] = Entry { key, slot };
        self.len += 1;
        if self.len * 2 > self.entries.len() {
            self.grow();
        }
        true
    }

    /// Takes `key` out and gives its slot.
    #[inline]
    pub(crate) fn remove(&mut self, key: u64) -> Option<u32> {
        if key == EMPTY {
            return None;
        }
        let mut hole = self.find(key).ok()?;
        let slot = self.entries[hole].slot;
        let mask = self.entries.len() - 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let entry = self.entries[at];
            if entry.key == EMPTY {
                break;
            }
            // An entry may move back to the hole only when its home is not between the hole and itself.
            let home = self.home(entry.key);
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(hole) & mask) {
                self.entries[hole] = entry;
                hole = at;
            }
        }
        self.entries[hole].key = EMPTY;
        self.len -= 1;
        Some(slot)
    }

    #[cold]
    fn grow(&mut self) {
        let mut bigger = Refs::with_capacity(self.entries.len());
        for entry in self.entries.iter().filter(|entry| entry.key != EMPTY) {
            bigger.insert(entry.key, entry.slot);
        }
        *self = bigger;
    }
}

#[cfg(test)]
mod tests {
    use super::Refs;
    use std::collections::HashMap;

    /// Goal: the map equals `HashMap` under inserts and removals with clustered keys. Method: 200,000 seeded steps.
    #[test]
    fn equals_a_hash_map() {
        let (mut ours, mut theirs) = (Refs::with_capacity(4), HashMap::new());
        let mut state = 7u64;
        for step in 0..200_000u32 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = 1 + (state >> 33) % 3_000;
            if state & (1 << 20) == 0 {
                let new = !theirs.contains_key(&key);
                assert_eq!(ours.insert(key, step), new);
                theirs.entry(key).or_insert(step);
            } else {
                assert_eq!(ours.remove(key), theirs.remove(&key));
            }
            assert_eq!(ours.get(key), theirs.get(&key).copied());
            assert_eq!(ours.len, theirs.len());
        }
        assert!(theirs.iter().all(|(&key, &slot)| ours.get(key) == Some(slot)));
        assert_eq!((ours.get(0), ours.remove(0)), (None, None));
    }
}
