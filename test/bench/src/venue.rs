//! `venue`: commands of the matching engine, in the order in which generated flow gives them.

use crate::row::Row;
use crate::sample::Samples;
use clap::Args;
use std::hint::black_box;
use tickline_units::Nanos;
use tickline_venue::engine::{Command, Engine, Event, SelfTrade};
use tickline_venue::flow::{Flow, Listing, Rates};

/// How much to measure.
#[derive(Args)]
pub struct Options {
    /// Commands in the recorded flow.
    #[arg(long, default_value_t = 500_000)]
    commands: usize,
    /// Symbols.
    #[arg(long, default_value_t = 16)]
    symbols: u16,
    /// Turns of each variant; they take turns (A B A B).
    #[arg(long, default_value_t = 4)]
    turns: usize,
}

/// Commands timed together: one reading of the clock would cost as much as a command.
const BLOCK: usize = 32;
/// Share of the flow that fills the books before anything is timed.
const WARM: usize = 10;

/// Runs the benchmark.
pub fn run(options: &Options) -> Result<Vec<Row>, String> {
    if options.symbols == 0 || options.commands < WARM * BLOCK {
        return Err(format!("--symbols must be 1 or more, --commands {} or more", WARM * BLOCK));
    }
    let flow = record(options);
    let blocks = flow.len() / BLOCK * options.turns;
    let (mut floor, mut ours) = (Samples::with_capacity(blocks), Samples::with_capacity(blocks));
    let (mut events, mut all) = (0, 0.0);
    for _ in 0..options.turns {
        let mut count = 0u64;
        time(&flow, &mut floor, |command| {
            black_box(command);
            count += 1;
        });
        let mut engine = Engine::new(options.symbols, 1 << 16, SelfTrade::default());
        let mut out: Vec<Event> = Vec::with_capacity(1024);
        all += time(&flow, &mut ours, |command| {
            out.clear();
            engine.apply(command, &mut out);
            events += black_box(&out).len() as u64;
        });
    }
    let timed = ((flow.len() - flow.len() / WARM) * options.turns) as f64;
    let note = format!(
        "{} symbols, {:.2} events a command; mean of {BLOCK} commands; whole run {:.1} ns a command",
        options.symbols,
        events as f64 / (flow.len() * options.turns) as f64,
        all / timed
    );
    let mut row = ours.row("venue", "engine command", note);
    row.rate = Some(timed / all * 1e9);
    Ok(vec![floor.row("venue", "floor: reading the command", "no engine".into()), row])
}

/// The commands of generated flow, as the crowd gives them to a book that answers.
fn record(options: &Options) -> Vec<Command> {
    let listings = vec![Listing { tick: 100, price: 1_000_000 }; options.symbols as usize];
    let mut flow = Flow::new(1, &listings, Rates::default(), Nanos(0), 1);
    let mut engine = Engine::new(options.symbols, 1 << 16, SelfTrade::default());
    let (mut commands, mut events, mut all) = (Vec::new(), Vec::new(), Vec::with_capacity(options.commands));
    flow.open(&mut commands);
    while all.len() < options.commands {
        for command in commands.drain(..) {
            engine.apply(&command, &mut events);
            all.push(command);
        }
        events.clear();
        flow.step(&engine, &mut commands);
    }
    all
}

/// Ns per command of each block after the warm-up go to `samples`; the sum of all is returned.
fn time(flow: &[Command], samples: &mut Samples, mut each: impl FnMut(&Command)) -> f64 {
    let (warm, timed) = flow.split_at(flow.len() / WARM);
    warm.iter().for_each(&mut each);
    let mut all = 0;
    for block in timed.chunks(BLOCK) {
        let begin = tickline_clock::monotonic().0;
        block.iter().for_each(&mut each);
        let ns = tickline_clock::monotonic().0 - begin;
        samples.push(ns / block.len() as u64);
        all += ns;
    }
    all as f64
}
