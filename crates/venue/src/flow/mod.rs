//! Generated order flow: a pure function of state, randomness and time.
//!
//! Per symbol: arrivals cluster (`arrivals`), a latent value moves (`value`), and each event is an addition, a
//! cancellation, a replacement or a marketable order whose side leans towards the value (`crowd`). The book itself is the
//! engine's; the flow looks at it before each event, so it reacts to users' orders as a market would.

mod arrivals;
mod crowd;
mod rng;
mod value;

pub use arrivals::Arrivals;
pub use rng::Rng;
pub use value::Value;

use crate::engine::{Command, Engine};
use crowd::Crowd;
use tickline_units::Nanos;

/// One symbol of generated flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Smallest price step, in 1/10,000 dollar, at least 1.
    pub tick: u32,
    /// Opening price, in 1/10,000 dollar; at least 40 ticks are used.
    pub price: u32,
}

/// How much comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Events a second of each symbol, on average.
    pub per_second: f64,
    /// Peak of a burst as a multiple of the average.
    pub burst: f64,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates { per_second: 400.0, burst: 20.0 }
    }
}

struct Stream {
    arrivals: Arrivals,
    value: Value,
    crowd: Crowd,
    rng: Rng,
    due: u64,
    /// Fraction of a nanosecond is kept, so that rounding does not change the rate.
    at: f64,
    waited: f64,
}

/// The flow of all symbols. Symbols have independent streams of randomness: adding one does not change the others.
pub struct Flow {
    streams: Vec<Stream>,
    start: u64,
    next_ref: u64,
}

impl Flow {
    /// Flow of `listings` from time `start` on; references count up from `first_ref`.
    pub fn new(seed: u64, listings: &[Listing], rates: Rates, start: Nanos, first_ref: u64) -> Flow {
        let stream = |(place, listing): (usize, &Listing)| {
            let mut rng = Rng::new(seed, place as u64);
            let mut arrivals = Arrivals::new(rates.per_second, rates.burst, &mut rng);
            let value = Value::new(listing.price as f64 / listing.tick.max(1) as f64, &mut rng);
            let waited = arrivals.next(&mut rng);
            let due = start.0 + (waited * 1e9) as u64;
            Stream {
                arrivals,
                value,
                crowd: Crowd::new(place as u16, listing.tick),
                rng,
                due,
                at: waited,
                waited,
            }
        };
        Flow {
            streams: listings.iter().enumerate().map(stream).collect(),
            start: start.0,
            next_ref: first_ref,
        }
    }

    /// The orders that rest when the day begins: twenty levels a side around the opening price.
    pub fn open(&mut self, out: &mut Vec<Command>) {
        for stream in &mut self.streams {
            stream.crowd.open(stream.value.ticks(), &mut stream.rng, &mut self.next_ref, out);
        }
    }

    /// Time of the next event; `None` without symbols.
    #[inline]
    pub fn due(&self) -> Option<Nanos> {
        self.streams.iter().map(|stream| Nanos(stream.due)).min()
    }

    /// Appends the commands of the next event and returns its time. `engine` is the book as it stands then.
    pub fn step(&mut self, engine: &Engine, out: &mut Vec<Command>) -> Option<Nanos> {
        let stream = self.streams.iter_mut().min_by_key(|stream| stream.due)?;
        let time = stream.due;
        stream.value.pass(stream.waited, stream.arrivals.burst_began, &mut stream.rng);
        stream.crowd.act(stream.value.ticks(), engine, &mut stream.rng, &mut self.next_ref, out);
        stream.waited = stream.arrivals.next(&mut stream.rng);
        stream.at += stream.waited;
        stream.due = self.start + (stream.at * 1e9) as u64;
        Some(Nanos(time))
    }

    /// The latent value of a symbol, in ticks: for tests and studies, never for strategies.
    pub fn value(&self, symbol: u16) -> Option<f64> {
        self.streams.get(symbol as usize).map(|stream| stream.value.ticks())
    }
}
