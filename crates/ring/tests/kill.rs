//! Goal: a writer that is killed at any point leaves a channel that a new writer continues, with no torn, lost or repeated record.
//! Method: a child process sends two records to a shared segment, is stopped after N machine instructions (ptrace single steps) and
//! killed with SIGKILL. N is spread over both sends, so that the long run tries every state of the memory that the protocol passes. Death
//! is certain when the pidfd reports it; then the parent attaches the next writer and the reader goes on, and only then the child is
//! reaped, for which nobody has to wait. Where ptrace is not allowed, the child is killed at random moments while it writes without pause.
//!
//! The time from certain death to the next record is what this room's code takes, unless the scheduler gave the core to somebody else
//! meanwhile; the kernel counts that for each thread, and such times are told apart. The two tests take turns, or they would do it to each
//! other.
//!
//! 300 kills per channel, 10,000 in the long mode.
#![cfg(not(any(loom, miri)))]

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tickline_clock::monotonic;
use tickline_ring::broadcast::{Join, Publisher, Subscriber};
use tickline_ring::lossless::{Consumer, Producer};
use tickline_ring::{Record, Segment, Shape};
use tickline_trials::trials;

const PAYLOAD: usize = 64;

fn kills() -> u64 {
    trials(300, 10_000)
}

/// The message that says who wrote it, with every byte following from that.
fn message(child: u64, n: u64) -> [u8; PAYLOAD] {
    let mut bytes = [(child * 31 + n) as u8; PAYLOAD];
    bytes[..8].copy_from_slice(&child.to_le_bytes());
    bytes[8..16].copy_from_slice(&n.to_le_bytes());
    bytes
}

/// What the reader has seen, checked as it comes.
#[derive(Default)]
struct Seen {
    sequence: u64,
    epoch: u32,
    from: (u64, u64),
    records: u64,
}

impl Seen {
    fn take(&mut self, record: &Record<'_>) {
        let word = |at: usize| u64::from_le_bytes(record.payload[at..at + 8].try_into().unwrap());
        let from = (word(0), word(8));
        assert_eq!(record.payload, message(from.0, from.1), "torn");
        assert_eq!(record.sequence, self.sequence + 1, "lost or repeated");
        assert!(record.epoch >= self.epoch, "epochs do not go back");
        assert!(from > self.from, "repeated message {from:?} after {:?}", self.from);
        self.sequence = record.sequence;
        self.epoch = record.epoch;
        self.from = from;
        self.records += 1;
    }
}

/// Starts a child that runs `write` after it has stopped itself for its tracer. The child must not allocate or lock: it is forked
/// from a process with threads.
fn child(traced: bool, write: impl FnOnce()) -> libc::pid_t {
    // SAFETY: the child only touches its own copy of memory, the shared segment, and makes raw system calls.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // SAFETY: raw system calls; `_exit` never returns.
        unsafe {
            if traced && libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) != 0 {
                libc::_exit(9);
            }
            if traced {
                libc::raise(libc::SIGSTOP);
            }
            write();
            libc::_exit(0);
        }
    }
    pid
}

fn pidfd(pid: libc::pid_t) -> OwnedFd {
    // SAFETY: the descriptor that the call returns is new and ours.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        assert!(fd >= 0, "pidfd_open: {}", std::io::Error::last_os_error());
        OwnedFd::from_raw_fd(fd as i32)
    }
}

/// Waits for the child to stop; false when it ended instead.
fn stopped(pid: libc::pid_t) -> bool {
    let mut status = 0;
    // SAFETY: `pid` is our child; `status` is valid.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    libc::WIFSTOPPED(status)
}

/// A child that is certainly dead; reaped when dropped.
struct Dead {
    pid: Option<libc::pid_t>,
    /// The moment of certainty in ns.
    certain_ns: u64,
    /// How often this thread had lost its core by then.
    lost: i64,
}

impl Dead {
    fn now(pid: Option<libc::pid_t>) -> Dead {
        Dead { pid, lost: cores_lost(), certain_ns: monotonic().0 }
    }
}

impl Drop for Dead {
    fn drop(&mut self) {
        let mut status = 0;
        if let Some(pid) = self.pid {
            // SAFETY: our own child; `status` is valid.
            unsafe { libc::waitpid(pid, &mut status, 0) };
        }
    }
}

/// How often the scheduler has taken the core from this thread.
fn cores_lost() -> i64 {
    // SAFETY: all zeroes is a valid rusage, and the call fills it.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &mut usage);
        usage.ru_nivcsw
    }
}

/// Times from certain death to the reader's next record.
#[derive(Default)]
struct Resumed {
    /// Those in which this thread kept its core, and those in which it did not.
    kept: Vec<Duration>,
    lost: Vec<Duration>,
}

impl Resumed {
    fn record(&mut self, dead: &Dead) {
        let took = Duration::from_nanos(monotonic().0 - dead.certain_ns);
        if cores_lost() == dead.lost { self.kept.push(took) } else { self.lost.push(took) }
    }
}

/// Kills the child and waits until the pidfd says that it is dead.
fn kill(pid: libc::pid_t) -> Dead {
    let fd = pidfd(pid);
    let mut watch = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: our own child and a valid array of one.
    unsafe {
        libc::kill(pid, libc::SIGKILL);
        assert_eq!(libc::poll(&mut watch, 1, 10_000), 1, "the child did not die");
    }
    Dead::now(Some(pid))
}

/// True when this process may trace its children.
fn may_trace() -> bool {
    let pid = child(true, || ());
    let traced = stopped(pid);
    if traced {
        kill(pid);
    }
    traced
}

/// Instructions that a child executes from its stop to its end.
fn instructions(write: impl FnOnce()) -> u64 {
    let pid = child(true, write);
    assert!(stopped(pid), "the child stops itself first");
    let mut steps = 0;
    while {
        // SAFETY: a stopped child of ours.
        assert_eq!(unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, pid, 0, 0) }, 0);
        stopped(pid)
    } {
        steps += 1;
    }
    steps
}

/// Place of the kill of run `run` in `steps`: spread evenly, each place once before any comes twice.
fn place(run: u64, steps: u64) -> u64 {
    let stride = (steps * 5 / 13..).find(|&stride| gcd(stride, steps) == 1).expect("numbers do not end");
    run * stride % steps
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Runs one writer up to `steps` instructions (or for as many microseconds, untraced) and kills it.
fn run_and_kill(traced: bool, steps: u64, write: impl FnOnce()) -> Dead {
    let pid = child(traced, write);
    if !traced {
        std::thread::sleep(Duration::from_micros(steps));
        return kill(pid);
    }
    assert!(stopped(pid), "the child stops itself first");
    for _ in 0..steps {
        // SAFETY: a stopped child of ours.
        assert_eq!(unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, pid, 0, 0) }, 0);
        if !stopped(pid) {
            return Dead::now(None);
        }
    }
    kill(pid)
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _absent = std::fs::remove_dir_all(&self.0);
    }
}

fn segment(name: &str, shape: Shape) -> (Folder, Arc<Segment>) {
    let folder = Folder(PathBuf::from(format!("/dev/shm/tickline-kill-{}-{name}", std::process::id())));
    std::fs::create_dir_all(&folder.0).unwrap();
    let segment = Arc::new(Segment::create(folder.0.join("ring"), shape).unwrap());
    (folder, segment)
}

fn report(name: &str, traced: bool, seen: &Seen, unseen: u64, mut resumed: Resumed) {
    resumed.kept.sort_unstable();
    let kept = resumed.kept.len();
    let at = |share: f64| resumed.kept[((kept - 1) as f64 * share) as usize];
    println!(
        "{name}: {} kills ({}), {} records whole, {unseen} writers died before their second commit, 0 torn, 0 repeated; \
         from certain death to the next record p50 {:?}, p99 {:?}, p99.9 {:?}, max {:?}; in {} of them the scheduler took the core away, max {:?}",
        kept + resumed.lost.len(),
        if traced {
            "stopped at single instructions of a send"
        } else {
            "at random moments: ptrace is not allowed here"
        },
        seen.records,
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        resumed.lost.len(),
        resumed.lost.iter().max().unwrap_or(&Duration::ZERO),
    );
    assert!(at(0.99) < Duration::from_millis(1), "the reader goes on within 1 ms of certain death");
}

/// Held by the test that runs: each needs both cores.
static TURN: Mutex<()> = Mutex::new(());

/// What a child does with a lossless channel: the same code when its instructions are counted and when it is killed.
#[inline(never)]
fn send(producer: &mut Producer, child: u64, count: u64) {
    for n in 1..=count {
        while producer.send(0, 0, &message(child, n)).is_err() {}
    }
}

/// The same for a broadcast channel.
#[inline(never)]
fn publish(publisher: &mut Publisher, child: u64, count: u64) {
    for n in 1..=count {
        let _sequence = publisher.publish(0, 0, &message(child, n));
    }
}

#[test]
fn lossless_survives_its_writer_killed_at_every_step() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let traced = may_trace();
    let (_folder, segment) = segment("lossless", Shape::Lossless { slots: 4, payload: PAYLOAD });
    let mut consumer = Consumer::attach(segment.clone()).unwrap();
    let mut seen = Seen::default();
    let (mut resumed, mut unseen) = (Resumed::default(), 0);
    let steps = if traced {
        let spare = Arc::new(Segment::anonymous(Shape::Lossless { slots: 4, payload: PAYLOAD }).unwrap());
        let mut producer = Producer::attach(spare).unwrap();
        instructions(|| send(&mut producer, 1, 2))
    } else {
        300
    };
    for run in 1..=kills() {
        let mut producer = Producer::attach(segment.clone()).unwrap();
        let before = seen.records;
        let count = if traced { 2 } else { u64::MAX };
        let dead = run_and_kill(traced, place(run, steps), || send(&mut producer, run * 2, count));
        // What the dead one committed, then the next writer's first record, which must come at once.
        let mut next = Producer::attach(segment.clone()).unwrap();
        consumer.poll(|record| seen.take(record), usize::MAX).unwrap();
        unseen += u64::from(traced && seen.records - before < 2);
        next.send(0, 0, &message(run * 2 + 1, 1)).unwrap();
        assert_eq!(consumer.poll(|record| seen.take(record), 1), Ok(1));
        resumed.record(&dead);
        assert_eq!(seen.from, (run * 2 + 1, 1));
    }
    if traced && kills() >= 300 {
        assert!(unseen > 50, "some kills came before a commit: {unseen}");
        assert!(seen.records > kills() + 50, "and some after: {}", seen.records);
        println!("{steps} instructions a child");
    }
    report("lossless", traced, &seen, unseen, resumed);
}

#[test]
fn broadcast_survives_its_writer_killed_at_every_step() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let traced = may_trace();
    let (_folder, segment) = segment("broadcast", Shape::Broadcast { slots: 4, payload: PAYLOAD });
    let mut reader = Subscriber::attach(segment.clone(), Join::Next).unwrap();
    let mut seen = Seen::default();
    let (mut resumed, mut unseen) = (Resumed::default(), 0);
    let steps = if traced {
        let spare = Arc::new(Segment::anonymous(Shape::Broadcast { slots: 4, payload: PAYLOAD }).unwrap());
        let mut publisher = Publisher::attach(spare).unwrap();
        instructions(|| publish(&mut publisher, 1, 2))
    } else {
        300
    };
    for run in 1..=kills() {
        let mut publisher = Publisher::attach(segment.clone()).unwrap();
        let before = seen.records;
        // At most three records, so that the reader is never lapped and must see each one.
        let count = if traced { 2 } else { 3 };
        let dead = run_and_kill(traced, place(run, steps), || publish(&mut publisher, run * 2, count));
        let mut next = Publisher::attach(segment.clone()).unwrap();
        reader.poll(|record| seen.take(record), usize::MAX).unwrap();
        unseen += u64::from(traced && seen.records - before < 2);
        next.publish(0, 0, &message(run * 2 + 1, 1)).unwrap();
        assert_eq!(reader.poll(|record| seen.take(record), 1), Ok(1));
        resumed.record(&dead);
        assert_eq!((seen.from, reader.lost()), ((run * 2 + 1, 1), 0));
    }
    if traced && kills() >= 300 {
        assert!(unseen > 50, "some kills came before a commit: {unseen}");
        assert!(seen.records > kills() + 50, "and some after: {}", seen.records);
    }
    report("broadcast", traced, &seen, unseen, resumed);
}
