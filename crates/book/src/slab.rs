// @hot
//! Fixed-place storage with reuse: an item keeps its number until it is freed.

/// "No item": never the number of one.
pub(crate) const NIL: u32 = u32::MAX;

/// A vector whose freed places are reused last-freed-first, so that a busy book stays in cache.
pub(crate) struct Slab<T> {
    items: Vec<T>,
    free: Vec<u32>,
    grown: u64,
}

impl<T: Copy> Slab<T> {
    /// Room for `capacity` items before the first allocation.
    pub(crate) fn with_capacity(capacity: usize) -> Slab<T> {
        Slab { items: Vec::with_capacity(capacity), free: Vec::with_capacity(capacity), grown: 0 }
    }

    /// Stores `item` and returns its number. Panics only past 2^32 - 2 items, which do not fit in memory.
    #[inline]
    pub(crate) fn insert(&mut self, item: T) -> u32 {
        if let Some(at) = self.free.pop() {
            self.items[at as usize] = item;
            return at;
        }
        if self.items.len() == self.items.capacity() {
            self.grow();
        }
        let at = self.items.len() as u32;
        assert!(at != NIL, "slab is full");
        self.items.push(item);
        at
    }

    #[cold]
    fn grow(&mut self) {
        self.grown += 1;
        let more = self.items.capacity().max(64);
        self.items.reserve_exact(more);
        // Every item may be free at once; reserving here keeps `remove` free of allocation.
        self.free.reserve_exact(self.items.capacity() - self.free.len());
    }

    /// Frees a place; its number may be given out again.
    #[inline]
    pub(crate) fn remove(&mut self, at: u32) {
        self.free.push(at);
    }

    /// The item with this number.
    #[inline]
    pub(crate) fn at(&self, at: u32) -> &T {
        &self.items[at as usize]
    }

    /// The item with this number, to change.
    #[inline]
    pub(crate) fn at_mut(&mut self, at: u32) -> &mut T {
        &mut self.items[at as usize]
    }

    /// Frees everything, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.items.clear();
        self.free.clear();
    }

    /// Times the memory had to grow past what was asked for.
    pub(crate) fn grown(&self) -> u64 {
        self.grown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_reused_and_memory_is_not_grown_within_capacity() {
        let mut slab = Slab::with_capacity(3);
        let numbers: Vec<u32> = (0..3).map(|item| slab.insert(item)).collect();
        assert_eq!(numbers, [0, 1, 2]);
        slab.remove(1);
        assert_eq!(slab.insert(7), 1);
        assert_eq!((*slab.at(0), *slab.at(1), *slab.at(2)), (0, 7, 2));
        assert_eq!(slab.grown(), 0);
        slab.insert(8);
        assert_eq!(slab.grown(), 1);
    }
}
