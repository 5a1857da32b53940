//! `ring-end`: one end of a pair that carries 64-byte messages, driven line by line on standard input, so that whoever starts both ends
//! can let several pairs take turns. TypeScript's ends (`test/bench/ring-end.ts`) understand the same lines.
//!
//! - `trips N`: N round trips, one message under way at a time; the near end answers with their percentiles in ns.
//! - `pour N`: N messages one way, as fast as they go; the far end answers with its time from the first to the last, in ns.
//! - `clock N`: N readings of the clock; answers with the percentiles of the gaps between them: the cost of one, and what else runs.
//!
//! Every answer is one line of JSON. Every message is checked word by word by whoever receives it.

mod floor;
mod lossless;
mod peer;

use crate::sample::Samples;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::io::{BufRead, Write, stdin, stdout};
use std::path::PathBuf;
use tickline_clock::monotonic;

/// Bytes of a message.
const SIZE: usize = 64;
/// A message in words.
pub type Message = [u64; SIZE / 8];
/// Looks at an empty channel, tens of seconds of them, before an end takes the other for dead.
const LOOKS_MAX: u64 = 1 << 33;

/// Which end to be.
#[derive(Args)]
pub struct Options {
    /// What carries the messages.
    #[arg(long)]
    by: Carrier,
    /// Near starts round trips and pours; far answers; `peer` has both ends in one process.
    #[arg(long)]
    side: Side,
    /// Folder with the segments: `floor`, `there` and `back`.
    #[arg(long)]
    dir: PathBuf,
    /// Core to run on; with `--by peer` the near end's, the far end takes `--far-core`.
    #[arg(long)]
    core: Option<usize>,
    /// See `--core`.
    #[arg(long)]
    far_core: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Carrier {
    /// Words of shared memory and a flag: no protocol.
    Floor,
    /// Our lossless channel.
    Lossless,
    /// rtrb between two threads: another project's ring, on the heap.
    Rtrb,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Side {
    Near,
    Far,
}

/// The end that starts.
pub trait Near {
    /// Sends `message` and spins until it is back and found equal.
    fn trip(&mut self, message: &Message);
    /// Sends `message`, spinning while there is no room.
    fn send(&mut self, message: &Message);
}

/// The end that answers.
pub trait Far {
    /// Sends back `count` messages.
    fn echo(&mut self, count: u64);
    /// Takes `count` messages from number `first` on, each as [`message`] makes it; returns ns from the first to the last.
    fn drain(&mut self, first: u64, count: u64) -> u64;
}

/// Message number `n`: another number in every word.
#[inline(always)]
pub fn message(n: u64) -> Message {
    std::array::from_fn(|at| if at % 2 == 0 { n + at as u64 } else { !n })
}

/// One look at a channel that is still empty.
#[inline(always)]
pub fn look(looks: &mut u64) {
    *looks += 1;
    assert!(*looks < LOOKS_MAX, "the other end has gone");
    std::hint::spin_loop();
}

/// What an end answers; absent figures are another end's.
#[derive(Default, Serialize)]
struct Answer {
    p50: f64,
    p99: f64,
    p999: f64,
    max: f64,
    ns: u64,
}

impl Answer {
    fn of(mut samples: Samples) -> Answer {
        let mut at = |share| samples.percentile(share);
        Answer { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1.0), ns: 0 }
    }
}

/// Serves lines until standard input ends.
///
/// # Errors
/// A segment cannot be opened, a core cannot be had, or a line is not understood.
pub fn run(options: &Options) -> Result<(), String> {
    pin(options.core)?;
    let text = |error: tickline_ring::SegmentError| error.to_string();
    let dir = &options.dir;
    let alone = (|_, _, _| {}, || 0);
    match (options.by, options.side) {
        (Carrier::Floor, Side::Near) => {
            serve_near(&mut floor::Near::open(dir).map_err(text)?, alone.0, alone.1)
        }
        (Carrier::Floor, Side::Far) => serve_far(&mut floor::Far::open(dir).map_err(text)?),
        (Carrier::Lossless, Side::Near) => {
            serve_near(&mut lossless::Near::open(dir).map_err(text)?, alone.0, alone.1)
        }
        (Carrier::Lossless, Side::Far) => serve_far(&mut lossless::Far::open(dir).map_err(text)?),
        (Carrier::Rtrb, _) => peer::serve(options.far_core),
    }
}

/// Moves this thread to one core.
fn pin(core: Option<usize>) -> Result<(), String> {
    let Some(core) = core else { return Ok(()) };
    // SAFETY: all zeroes is the empty set; the set is ours and as large as the call is told.
    let code = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set)
    };
    if code == 0 { Ok(()) } else { Err(format!("core {core}: {}", std::io::Error::last_os_error())) }
}

/// Answers each line with what `work` makes of its word and number.
fn serve(mut work: impl FnMut(&str, u64) -> Option<Answer>) -> Result<(), String> {
    for line in stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let asked = line.split_once(' ').and_then(|(word, count)| Some((word, count.parse().ok()?)));
        let answer = asked.and_then(|(word, count)| work(word, count));
        let answer = answer.ok_or_else(|| format!("\"{line}\" is neither trips N, pour N nor clock N"))?;
        let text = serde_json::to_string(&answer).expect("an answer is plain data");
        writeln!(stdout(), "{text}").map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The near end's lines. Where the far end is in this process, `begin` tells it before the work begins (true: pour; the first message's
/// number; how many), and `end` waits for its ns.
fn serve_near(
    near: &mut impl Near,
    begin: impl Fn(bool, u64, u64),
    end: impl Fn() -> u64,
) -> Result<(), String> {
    let mut next = 1;
    serve(|word, count| match word {
        "trips" => {
            begin(false, next, count);
            let mut samples = Samples::with_capacity(count as usize);
            for n in next..next + count {
                let message = message(n);
                let began = monotonic().0;
                near.trip(&message);
                samples.push(monotonic().0 - began);
            }
            next += count;
            end();
            Some(Answer::of(samples))
        }
        "pour" => {
            begin(true, next, count);
            (next..next + count).for_each(|n| near.send(&message(n)));
            next += count;
            Some(Answer { ns: end(), ..Answer::default() })
        }
        "clock" => Some(clock(count)),
        _ => None,
    })
}

fn serve_far(far: &mut impl Far) -> Result<(), String> {
    let mut next = 1;
    serve(|word, count| {
        let ns = match word {
            "trips" => {
                far.echo(count);
                0
            }
            "pour" => far.drain(next, count),
            _ => return None,
        };
        next += count;
        Some(Answer { ns, ..Answer::default() })
    })
}

/// Gaps between readings of the clock.
fn clock(count: u64) -> Answer {
    let mut samples = Samples::with_capacity(count as usize);
    let mut before = monotonic().0;
    for _ in 0..count {
        let now = monotonic().0;
        samples.push(now - before);
        before = now;
    }
    Answer::of(samples)
}
