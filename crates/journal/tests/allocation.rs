//! Goal: an entry allocates nothing. Method: a counting global allocator around a few hundred thousand entries, gaps and flushes.

mod rig;

use rig::{Folder, open};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use tickline_journal::kind;
use tickline_units::Nanos;
use tickline_wire::flat::journal::JournalBody;

struct Counting;

thread_local! {
    // By thread: the test harness allocates in its own.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

#[test]
fn entries_allocate_nothing() {
    let folder = Folder::new();
    let mut writer = open(&folder.0, 1, 1 << 30);
    let payload = [7; 100];
    let before = ALLOCATIONS.get();
    for n in 0..200_000u64 {
        let body = JournalBody { time_ns: n, stamp_ns: n, kind: kind::FRAME, ..Default::default() };
        writer.append(&body, &payload).unwrap();
        if n % 1000 == 0 {
            writer.declare(kind::SIGNAL, 3, &body).unwrap();
            writer.flush(Nanos(n)).unwrap();
        }
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
    assert!(before > 0, "the counter counts");
    assert_eq!(writer.next(), 200_202);
    assert_eq!(writer.channels().all(), [200_001, 601, 1, 1]);
}
