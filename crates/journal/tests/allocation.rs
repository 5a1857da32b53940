//! Goal: an entry allocates nothing. Method: a counting global allocator around a few hundred thousand entries, gaps and flushes.

mod rig;

use rig::{Folder, open};
use tickline_journal::kind;
use tickline_trials::{Counting, allocations};
use tickline_units::Nanos;
use tickline_wire::flat::journal::JournalBody;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn entries_allocate_nothing() {
    let folder = Folder::new();
    let mut writer = open(&folder.0, 1, 1 << 30);
    let payload = [7; 100];
    let before = allocations();
    for n in 0..200_000u64 {
        let body = JournalBody { time_ns: n, stamp_ns: n, kind: kind::FRAME, ..Default::default() };
        writer.append(&body, &payload).unwrap();
        if n % 1000 == 0 {
            writer.declare(kind::SIGNAL, 3, &body).unwrap();
            writer.flush(Nanos(n)).unwrap();
        }
    }
    assert_eq!(allocations() - before, 0);
    assert!(before > 0, "the counter counts");
    assert_eq!(writer.next(), 200_202);
    assert_eq!(writer.channels().all(), [200_001, 601, 1, 1]);
}
