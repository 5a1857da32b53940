//! `ring`: round trips of a 64-byte message between two threads over shared memory, against the raw floor, interleaved.

use crate::row::Row;
use crate::sample::Samples;
use clap::Args;
use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tickline_ring::lossless::{Consumer, Producer};
use tickline_ring::{Segment, Shape};

/// How much to measure.
#[derive(Args)]
pub struct Options {
    /// Round trips per turn; the variants take turns (A B A B).
    #[arg(long, default_value_t = 20_000)]
    trips: usize,
    /// Turns of each variant.
    #[arg(long, default_value_t = 6)]
    turns: usize,
}

const SIZE: usize = 64;
type Message = [u64; SIZE / 8];

/// Something that carries a message to the other thread and back.
trait Pair {
    /// The near end: sends `message`, spins until it is back, checks it.
    fn trip(&mut self, message: &Message);
}

/// Runs the benchmark.
pub fn run(options: &Options) -> Result<Vec<Row>, String> {
    let mut floor = Samples::with_capacity(options.trips * options.turns);
    let mut ours = Samples::with_capacity(options.trips * options.turns);
    for _ in 0..options.turns {
        measure(&mut floor, options.trips, Floor::open);
        measure(&mut ours, options.trips, Lossless::open);
    }
    let base = floor.percentile(0.5);
    let ratio = ours.percentile(0.5) / base;
    Ok(vec![
        floor.row("ring", "rtt floor: raw flag and payload", format!("{SIZE} B, threads, spinning")),
        ours.row(
            "ring",
            "rtt rust lossless",
            format!("{SIZE} B, threads, spinning; {ratio:.2} x floor at p50"),
        ),
    ])
}

fn measure<P: Pair>(
    samples: &mut Samples,
    trips: usize,
    open: impl Fn(usize) -> (P, std::thread::JoinHandle<()>),
) {
    let warm = trips / 10;
    let (mut pair, echo) = open(warm + trips);
    let mut message: Message = [0; SIZE / 8];
    for trip in 0..warm + trips {
        message[0] = trip as u64;
        message[SIZE / 8 - 1] = !(trip as u64);
        let begin = tickline_clock::monotonic().0;
        pair.trip(&message);
        if trip >= warm {
            samples.push(tickline_clock::monotonic().0 - begin);
        }
    }
    echo.join().expect("the echo thread checks nothing that can fail");
}

/// One line of memory each way: payload words, then a flag that counts.
#[repr(align(128))]
struct Lane {
    flag: AtomicU64,
    payload: [AtomicU64; SIZE / 8],
}

impl Lane {
    fn send(&self, turn: u64, message: &Message) {
        for (word, value) in self.payload.iter().zip(message) {
            word.store(*value, Ordering::Relaxed);
        }
        self.flag.store(turn, Ordering::Release);
    }

    fn receive(&self, turn: u64) -> Message {
        while self.flag.load(Ordering::Acquire) != turn {
            spin_loop();
        }
        std::array::from_fn(|at| self.payload[at].load(Ordering::Relaxed))
    }
}

struct Floor {
    lanes: Arc<[Lane; 2]>,
    turn: u64,
}

impl Floor {
    fn open(trips: usize) -> (Floor, std::thread::JoinHandle<()>) {
        let lane = || Lane { flag: AtomicU64::new(0), payload: std::array::from_fn(|_| AtomicU64::new(0)) };
        let lanes = Arc::new([lane(), lane()]);
        let far = lanes.clone();
        let echo = std::thread::spawn(move || {
            for turn in 1..=trips as u64 {
                let message = far[0].receive(turn);
                far[1].send(turn, &message);
            }
        });
        (Floor { lanes, turn: 0 }, echo)
    }
}

impl Pair for Floor {
    #[inline]
    fn trip(&mut self, message: &Message) {
        self.turn += 1;
        self.lanes[0].send(self.turn, message);
        assert_eq!(self.lanes[1].receive(self.turn), *message);
    }
}

struct Lossless {
    there: Producer,
    back: Consumer,
}

impl Lossless {
    fn open(trips: usize) -> (Lossless, std::thread::JoinHandle<()>) {
        let segment = || {
            Arc::new(Segment::anonymous(Shape::Lossless { slots: 64, payload: SIZE }).expect("a valid shape"))
        };
        let (there, back) = (segment(), segment());
        let attach = "a fresh segment of the right kind";
        let (mut inlet, mut outlet) =
            (Consumer::attach(there.clone()).expect(attach), Producer::attach(back.clone()).expect(attach));
        let echo = std::thread::spawn(move || {
            let mut left = trips;
            while left > 0 {
                left -= inlet
                    .poll(|record| assert!(outlet.send(1, 0, record.payload).is_ok()), 1)
                    .expect("only this benchmark writes here");
            }
        });
        (
            Lossless {
                there: Producer::attach(there).expect(attach),
                back: Consumer::attach(back).expect(attach),
            },
            echo,
        )
    }
}

impl Pair for Lossless {
    #[inline]
    fn trip(&mut self, message: &Message) {
        // SAFETY: an array of u64 is its bytes.
        let bytes = unsafe { core::slice::from_raw_parts(message.as_ptr().cast::<u8>(), SIZE) };
        assert!(self.there.send(1, 0, bytes).is_ok());
        while self
            .back
            .poll(|record| assert_eq!(record.payload, bytes), 1)
            .expect("only this benchmark writes here")
            == 0
        {
            spin_loop();
        }
    }
}
