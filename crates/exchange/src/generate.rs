//! Writes a capture of generated flow, without sockets and as fast as the machine allows: for training, tests and
//! benchmarks. The same seed gives the same bytes.

use crate::config::Instrument;
use crate::opening;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use tickline_packet::pcap::PcapWriter;
use tickline_units::{Nanos, Side};
use tickline_venue::Venue;
use tickline_venue::engine::{Command, Engine, SelfTrade};
use tickline_venue::feed_out::{FeedOut, PACKET_BYTES_MAX};
use tickline_venue::flow::{Flow, Rates, Rng};
use tickline_venue::port::OrderPort;
use tickline_wire::ethernet::Endpoint;
use tickline_wire::mold::Session;

/// Day of the captures, 2026-01-02 00:00 UTC, in ns since 1970.
const DAY: u64 = 1_767_312_000_000_000_000;
/// Without a message for this long, a heartbeat is sent.
const HEARTBEAT: u64 = 1_000_000_000;
const SECOND: f64 = 1e9;

/// Where the lines' packets come from and go to.
const FROM: Endpoint = Endpoint { address: [10, 77, 1, 1], port: 26400 };
const LINES: [Endpoint; 2] =
    [Endpoint { address: [239, 77, 1, 1], port: 26477 }, Endpoint { address: [239, 77, 1, 2], port: 26477 }];

/// What to write.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Seed of the flow.
    pub seed: u64,
    /// Length of the session.
    pub seconds: f64,
    /// Symbols and their ticks.
    pub instruments: Vec<Instrument>,
    /// Rates of the flow.
    pub rates: Rates,
    /// End with every order deleted, so that the books are as they were.
    pub flat: bool,
    /// Also write line B: the same packets, 0.5 to 5 us later.
    pub line_b: bool,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Written {
    /// Messages in the session.
    pub messages: u64,
    /// Frames in the file, both lines.
    pub frames: u64,
}

/// Writes the file.
///
/// # Errors
/// The file cannot be written.
pub fn generate(recipe: &Recipe, file: &Path) -> io::Result<Written> {
    write(recipe, BufWriter::with_capacity(1 << 20, File::create(file)?))
}

/// Writes the capture to `to`.
///
/// # Errors
/// `to` refuses bytes.
pub fn write(recipe: &Recipe, to: impl Write) -> io::Result<Written> {
    let symbols = opening::symbols(&recipe.instruments);
    let located = symbols.iter().zip(1..).map(|(&symbol, locate)| (symbol, locate)).collect();
    let mut feed = FeedOut::new(Session(*b"TICKLINE  "), located);
    feed.open(opening::OPEN);
    let engine = Engine::new(symbols.len() as u16, 1 << 14, SelfTrade::default());
    let mut venue = Venue::new(engine, OrderPort::new(&[], Vec::new()), Some(feed));
    let mut flow = opening::flow(recipe.seed, &recipe.instruments, recipe.rates, opening::OPEN);
    let mut out = Lines::new(PcapWriter::new(to)?, recipe.line_b, recipe.seed);
    let end = Nanos(opening::OPEN.0 + (recipe.seconds * SECOND) as u64);
    run(&mut venue, &mut flow, &mut out, end)?;
    if recipe.flat {
        clear(&mut venue, end);
    }
    let feed = venue.feed.as_mut().expect("given above");
    feed.close(end);
    out.packets(feed, end)?;
    out.send(end, &feed.end())?;
    Ok(Written { messages: feed.messages(), frames: out.finish()? })
}

fn run<W: Write>(venue: &mut Venue, flow: &mut Flow, out: &mut Lines<W>, end: Nanos) -> io::Result<()> {
    let mut commands = Vec::new();
    let mut time = opening::OPEN;
    let mut quiet_since = time.0;
    flow.open(&mut commands);
    loop {
        for command in commands.drain(..) {
            venue.command(time, &command);
        }
        let feed = venue.feed.as_mut().expect("the venue publishes");
        if out.packets(feed, time)? {
            quiet_since = time.0;
        }
        match flow.due() {
            Some(due) if due < end => {
                while due.0 - quiet_since > HEARTBEAT {
                    quiet_since += HEARTBEAT;
                    out.send(Nanos(quiet_since), &feed.heartbeat())?;
                }
            }
            _ => return Ok(()),
        }
        let Some(due) = flow.step(&venue.engine, &mut commands) else { return Ok(()) };
        time = due;
    }
}

/// Deletes every order.
fn clear(venue: &mut Venue, time: Nanos) {
    let engine = &venue.engine;
    let sides = (0..engine.symbols()).flat_map(|symbol| [(symbol, Side::Buy), (symbol, Side::Sell)]);
    let levels = sides
        .flat_map(|(symbol, side)| (0..engine.levels(symbol, side)).map(move |depth| (symbol, side, depth)));
    let resting: Vec<_> = levels
        .flat_map(|(symbol, side, depth)| engine.queue(symbol, side, depth).map(|resting| resting.order))
        .collect();
    for order in resting {
        venue.command(time, &Command::Cancel { order });
    }
}

/// The two lines into one file, in order of time.
struct Lines<W: Write> {
    file: PcapWriter<W>,
    packet: [u8; PACKET_BYTES_MAX],
    late: Option<Late>,
}

/// Line B's packets that are still under way.
struct Late {
    rng: Rng,
    packets: VecDeque<(u64, Vec<u8>)>,
    spare: Vec<Vec<u8>>,
    last: u64,
}

impl<W: Write> Lines<W> {
    fn new(file: PcapWriter<W>, line_b: bool, seed: u64) -> Lines<W> {
        let late =
            || Late { rng: Rng::new(seed, u64::MAX), packets: VecDeque::new(), spare: Vec::new(), last: 0 };
        Lines { file, packet: [0; PACKET_BYTES_MAX], late: line_b.then(late) }
    }

    /// Everything not sent yet, in packets; true when there was something.
    fn packets(&mut self, feed: &mut FeedOut, time: Nanos) -> io::Result<bool> {
        let mut any = false;
        loop {
            let mut packet = self.packet;
            let length = feed.pack(&mut packet);
            if length == 0 {
                feed.forget();
                return Ok(any);
            }
            any = true;
            self.send(time, &packet[..length])?;
        }
    }

    fn send(&mut self, time: Nanos, payload: &[u8]) -> io::Result<()> {
        let time = DAY + time.0;
        self.catch_up(time)?;
        self.file.udp(Nanos(time), FROM, LINES[0], payload)?;
        if let Some(late) = &mut self.late {
            late.last = late.last.max(time + 500 + late.rng.below(4_500) as u64);
            let mut copy = late.spare.pop().unwrap_or_default();
            copy.clear();
            copy.extend_from_slice(payload);
            late.packets.push_back((late.last, copy));
        }
        Ok(())
    }

    /// Writes line B's packets that came before `time`.
    fn catch_up(&mut self, time: u64) -> io::Result<()> {
        let Some(late) = &mut self.late else { return Ok(()) };
        while late.packets.front().is_some_and(|(at, _)| *at <= time) {
            let Some((at, payload)) = late.packets.pop_front() else { break };
            self.file.udp(Nanos(at), FROM, LINES[1], &payload)?;
            late.spare.push(payload);
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<u64> {
        self.catch_up(u64::MAX)?;
        self.file.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickline_packet::arbiter::{Config, Join};
    use tickline_packet::pcap::{Capture, Circle, Recording};
    use tickline_pipeline::{Outlet, Pipeline, Settings};
    use tickline_units::Symbol;
    use tickline_wire::flat::features::FeaturesBody;

    fn recipe(seed: u64) -> Recipe {
        let instrument = |symbol: &str| Instrument { symbol: symbol.into(), tick: 100 };
        let instruments = vec![instrument("TLKA"), instrument("TLKB")];
        Recipe { seed, seconds: 3.0, instruments, rates: Rates::default(), flat: false, line_b: true }
    }

    struct Rows(u64);

    impl Outlet for Rows {
        fn row(&mut self, fill: impl FnOnce(&mut FeaturesBody)) {
            fill(&mut FeaturesBody::default());
            self.0 += 1;
        }
    }

    /// Anomalies, gaps and rows of the first and of the third round when the capture is played in a circle.
    fn circle(flat: bool) -> (bool, u64, [u64; 2]) {
        let mut to = Vec::new();
        let written = write(&Recipe { flat, line_b: false, ..recipe(5) }, &mut to).unwrap();
        let capture = Capture::of(Recording::from_bytes("generated", to).unwrap(), [None, None]).unwrap();
        let mut circle = Circle::new(capture).unwrap();
        let mut pipeline = Pipeline::new(&Settings {
            instruments: vec![Symbol::new("TLKA").unwrap(), Symbol::new("TLKB").unwrap()],
            arbiter: Config { join: Join::Beginning, ..Config::default() },
            books: Default::default(),
        });
        let mut rounds = [0; 3];
        for now in 0.. {
            let mut rows = Rows(0);
            pipeline.accept(&circle.next(Nanos(now)), &mut rows);
            match circle.rounds() {
                round @ 0..3 => rounds[round as usize] += rows.0,
                _ => break,
            }
        }
        assert!(pipeline.counts().messages > 3 * written.messages);
        let anomalies = pipeline.books().anomalies();
        (anomalies == Default::default(), pipeline.counts().gaps, [rounds[0], rounds[2]])
    }

    #[test]
    fn a_flat_capture_can_be_played_in_a_circle_and_no_other() {
        let (sound, gaps, [first, third]) = circle(true);
        assert!(sound && gaps == 0 && first > 100 && first == third);
        assert!(!circle(false).0, "a round that leaves orders behind meets them again");
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let bytes = |seed| {
            let mut to = Vec::new();
            write(&recipe(seed), &mut to).unwrap();
            to
        };
        assert!(bytes(5) == bytes(5));
        assert!(bytes(5) != bytes(6));
    }
}
