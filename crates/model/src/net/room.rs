//! Memory of a network at work that begins at a cache line.
use std::ops::{Deref, DerefMut};

/// Bytes of a cache line.
const LINE: usize = 64;

/// A vector that begins at a cache line: sixteen numbers across two lines cost two accesses each.
#[derive(Debug)]
pub(crate) struct Room<T> {
    values: Vec<T>,
    start: usize,
    count: usize,
}

impl<T: Copy + Default> Room<T> {
    /// So many zeros.
    pub(crate) fn zeros(count: usize) -> Room<T> {
        let values = vec![T::default(); count + LINE / size_of::<T>()];
        let over = values.as_ptr() as usize % LINE;
        Room { start: (LINE - over) % LINE / size_of::<T>(), values, count }
    }

    /// Makes it as long as that; a new length means zeros throughout, the same one leaves everything.
    pub(crate) fn resize(&mut self, count: usize) -> &mut [T] {
        if self.count != count {
            *self = Room::zeros(count);
        }
        self
    }
}

impl<T: Copy + Default> Default for Room<T> {
    fn default() -> Room<T> {
        Room { values: Vec::new(), start: 0, count: 0 }
    }
}

impl<T: Copy + Default> Clone for Room<T> {
    fn clone(&self) -> Room<T> {
        let mut own = Room::zeros(self.count);
        own.copy_from_slice(self);
        own
    }
}

impl<T> Deref for Room<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.values[self.start..self.start + self.count]
    }
}

impl<T> DerefMut for Room<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[self.start..self.start + self.count]
    }
}

impl<T: PartialEq> PartialEq for Room<T> {
    fn eq(&self, other: &Room<T>) -> bool {
        **self == **other
    }
}

#[cfg(test)]
mod tests {
    use super::Room;

    #[test]
    fn numbers_are_kept_and_begin_at_a_line_in_copies_too() {
        for count in [0, 1, 16, 77] {
            let mut room = Room::<f64>::zeros(count);
            room.iter_mut().enumerate().for_each(|(at, value)| *value = at as f64);
            for room in [&room, &room.clone()] {
                assert_eq!((room.as_ptr() as usize % 64, room.len()), (0, count));
                assert!(room.iter().enumerate().all(|(at, value)| *value == at as f64));
            }
            assert_eq!(room, room.clone());
            assert_eq!(room.resize(5), [0.0; 5], "another length");
            assert_eq!(room.as_ptr() as usize % 64, 0);
        }
    }
}
