//! Goal: generated flow is deterministic, keeps the book usable and moves as a market moves.
//! Method: run it through the engine for minutes of venue time and measure what a stranger would see.

use tickline_units::{Nanos, Side};
use tickline_venue::engine::{Engine, Event, SelfTrade};
use tickline_venue::flow::{Flow, Listing, Rates};

const SECOND: u64 = 1_000_000_000;

fn listings() -> Vec<Listing> {
    vec![Listing { tick: 100, price: 1_000_000 }, Listing { tick: 100, price: 453_200 }]
}

/// What a run of the flow looks like from outside.
#[derive(Default, Debug)]
struct Seen {
    events: u64,
    samples: f64,
    spread: f64,
    levels_min: usize,
    trades: u64,
    refused: u64,
    moves: u64,
    /// Correlation of the imbalance at the touch with the change of the middle over the next 50 events.
    foresight: f64,
    /// Greatest distance of the middle from the latent value, ticks.
    astray: f64,
    hash: u64,
}

fn run(seed: u64, seconds: u64) -> Seen {
    let mut engine = Engine::new(2, 4096, SelfTrade::default());
    let mut flow = Flow::new(seed, &listings(), Rates::default(), Nanos(0), 1);
    let (mut commands, mut events) = (Vec::new(), Vec::new());
    let mut seen = Seen { levels_min: usize::MAX, ..Seen::default() };
    let mut tape: Vec<(f64, f64)> = Vec::new();
    flow.open(&mut commands);
    loop {
        for command in commands.drain(..) {
            engine.apply(&command, &mut events);
        }
        for event in events.drain(..) {
            seen.events += 1;
            seen.trades += matches!(event, Event::Traded(_)) as u64;
            seen.refused += matches!(event, Event::Refused { .. }) as u64;
            seen.hash = seen.hash.wrapping_mul(31).wrapping_add(engine.self_trades_prevented() + 1);
        }
        let (bid, ask) = (engine.best(0, Side::Buy).unwrap(), engine.best(0, Side::Sell).unwrap());
        let middle = (bid.price.0 + ask.price.0) as f64 / 200.0;
        let imbalance = (bid.qty as f64 - ask.qty as f64) / (bid.qty + ask.qty) as f64;
        if tape.last().is_some_and(|last| last.1 != middle) {
            seen.moves += 1;
        }
        tape.push((imbalance, middle));
        seen.samples += 1.0;
        seen.spread += (ask.price.0 - bid.price.0) as f64 / 100.0;
        seen.astray = seen.astray.max((middle - flow.value(0).unwrap()).abs());
        for symbol in 0..2 {
            for side in [Side::Buy, Side::Sell] {
                seen.levels_min = seen.levels_min.min(engine.levels(symbol, side));
            }
        }
        if flow.due().unwrap().0 > seconds * SECOND {
            break;
        }
        flow.step(&engine, &mut commands);
    }
    seen.spread /= seen.samples;
    let pairs: Vec<(f64, f64)> = tape.iter().zip(&tape[50..]).map(|(a, b)| (a.0, b.1 - a.1)).collect();
    seen.foresight = correlation(&pairs);
    seen.hash ^= engine.hash();
    seen
}

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let (mx, my) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let cov = pairs.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum::<f64>();
    let (vx, vy) = pairs.iter().fold((0.0, 0.0), |v, p| (v.0 + (p.0 - mx).powi(2), v.1 + (p.1 - my).powi(2)));
    cov / (vx * vy).sqrt()
}

#[test]
fn the_same_seed_gives_the_same_book_and_another_seed_another() {
    let (one, again, other) = (run(7, 20), run(7, 20), run(8, 20));
    assert_eq!((one.events, one.hash), (again.events, again.hash));
    assert_ne!(one.hash, other.hash);
}

#[test]
fn the_book_stays_usable_and_imbalance_says_something_about_the_next_move() {
    for seed in 1..4 {
        let seen = run(seed, 120);
        println!("{seen:?}");
        let rate = seen.events as f64 / 120.0 / 2.0;
        assert!((280.0..560.0).contains(&rate), "{rate} events a second of each symbol");
        assert_eq!(seen.refused, 0, "the crowd names only orders that rest");
        assert!(seen.levels_min >= 10, "{} levels", seen.levels_min);
        assert!((1.0..2.5).contains(&seen.spread), "spread {}", seen.spread);
        assert!(seen.trades as f64 > 0.02 * seen.events as f64, "{} trades", seen.trades);
        assert!(seen.moves > 600, "the middle moved {} times", seen.moves);
        assert!(seen.astray < 30.0, "the middle lost the value by {} ticks", seen.astray);
        assert!((0.08..0.75).contains(&seen.foresight), "correlation {}", seen.foresight);
    }
}
