//! A global allocator that counts, for tests that expect no allocation after the start.
//!
//! Invariants:
//! - C1: `alloc` and `dealloc` hand the caller's own arguments to the system's allocator and its answer back; other calls are made of these two.
//! - C2: counting neither allocates nor fails, at any moment of a thread's life: the count is a constant at first and drops nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    // By thread: the test harness and other tests allocate in theirs.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counted: `#[global_allocator] static ALLOCATOR: Counting = Counting;`.
pub struct Counting;

/// Allocations of this thread since it began, moves of a growing one among them; 0 for ever where [`Counting`] is not the allocator.
pub fn allocations() -> u64 {
    ALLOCATIONS.get()
}

// SAFETY: C1 keeps the contract of the system's allocator, C2 adds no panic and no call of this allocator to it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: C1: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: C1: the caller's promises are passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    #[test]
    fn a_box_and_its_growth_count_one_each_its_end_and_another_thread_none() {
        let before = allocations();
        let mut memory = black_box(Vec::<u8>::with_capacity(1));
        assert_eq!(allocations() - before, 1);
        memory.reserve_exact(2);
        assert_eq!(allocations() - before, 2);
        drop(black_box(memory));
        assert_eq!(allocations() - before, 2);
        let counted = std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                let begun = allocations();
                black_box(vec![0u8; 3]);
                allocations() - begun
            });
            let started = allocations();
            (other.join().unwrap(), allocations() - started)
        });
        assert_eq!(counted, (1, 0));
    }
}
