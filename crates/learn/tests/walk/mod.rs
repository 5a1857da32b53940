//! Rows for tests: walks of two instruments with a column that tells the future or noise, and the small models that learn from them.
#![allow(dead_code, reason = "each test file uses its part")]
use tickline_learn::{Beside, Cadence, Did, Envelope, Pace, Row, Score, Settings, Turn};
use tickline_model::file::{Loaded, decode, encode};
use tickline_model::train::{Dice, Method, Recipe};
use tickline_model::{Activation, Architecture, Model, Plan, zoo};

pub const COLUMNS: usize = 4;
pub const HORIZON: usize = 5;
pub const OPEN: Envelope = Envelope { change_max: 1e9, drift_max: 1e9, score_slack: 2.0, labels_min: 0 };

pub fn load(net: Architecture) -> Loaded {
    let parameters = Plan::compile(&net).expect("compiles").initial(&mut Dice::new(7));
    let model = Model::bare("small", net, parameters);
    decode(&encode(&model).expect("valid")).expect("just written")
}

/// The model of a learner's weights as they are.
pub fn taught(beside: &Beside, name: &str) -> Loaded {
    let mut model = mlp().model;
    model.name = name.to_owned();
    model.parameters.copy_from_slice(beside.parameters());
    decode(&encode(&model).expect("valid")).expect("just written")
}

pub fn mlp() -> Loaded {
    load(zoo::mlp(COLUMNS, 1, &[8], Activation::Relu, 3, false))
}

pub fn settings() -> Settings {
    Settings {
        symbols: vec!["A".into(), "B".into()],
        seed: 1,
        recipe: Recipe { method: Method::AdamW, ..Recipe::default() },
        rate: 5e-3,
        pace: Pace::default(),
        dropout: None,
        liquidity: None,
        cadence: Cadence::Tick,
        turn: Turn::ALWAYS,
        batch: 1,
        steps: 8,
        horizon: HORIZON,
        threshold: 0.5,
        window: 500,
        offer_ns: 50_000,
        envelope: OPEN,
        replay: None,
        retrain: None,
        actor_critic: None,
        gate: None,
    }
}

/// A learner without shadows.
pub fn start(model: Loaded, settings: Settings, run: u64) -> Beside {
    Beside::new(model, Vec::new(), settings, run).expect("fits")
}

/// How one of the models that answer does, by its role.
pub fn score(beside: &Beside, role: &str) -> Score {
    beside.standings().iter().find(|standing| standing.role == role).expect("it answers").score
}

/// One row of a walk, owned.
#[derive(Clone)]
pub struct Given {
    /// The row without its values.
    pub row: Row<'static>,
    /// Its values.
    pub values: [f32; COLUMNS],
}

/// Rows of two instruments; with `leak`, column 0 says where the mid goes.
pub fn walk(rows: usize, seed: u64, leak: bool) -> Vec<Given> {
    let mut dice = Dice::new(seed);
    let mids: Vec<Vec<f64>> = (0..2)
        .map(|_| {
            (0..rows + HORIZON)
                .scan(10_000.0, |mid, _| {
                    *mid += dice.below(3) as f64 - 1.0;
                    Some(*mid)
                })
                .collect()
        })
        .collect();
    (0..rows)
        .map(|at| {
            let (instrument, nth) = (at % 2, at / 2);
            let [now, later] = [nth, nth + HORIZON].map(|nth| mids[instrument][nth]);
            let noise = |dice: &mut Dice| dice.unit() as f32 * 2.0 - 1.0;
            let told = if leak { (later - now).clamp(-1.0, 1.0) as f32 } else { noise(&mut dice) };
            let values = [told, noise(&mut dice), noise(&mut dice), noise(&mut dice)];
            let row = Row {
                seq: 100 + at as u64,
                time_ns: 1_000 * at as u64,
                instrument,
                mid: Some(now),
                // Thin for a fifth of the time, so that what is raised then falls again.
                liquidity: (at % 13 != 0).then_some(if at % 500 < 100 { 0.25 } else { 1.0 }),
                traded: at % 7 == 0,
                stale: false,
                sound: at % 31 != 0,
                values: &[],
            };
            Given { row, values }
        })
        .collect()
}

pub fn give(beside: &mut Beside, given: &Given) -> Did {
    // Each shadow takes the same columns.
    let values = given.values.repeat(beside.values() / COLUMNS);
    beside.row(&Row { values: &values, ..given.row })
}

pub fn run(beside: &mut Beside, rows: &[Given]) {
    for given in rows {
        if give(beside, given).offer {
            beside.judge().expect("a model");
            beside.settle();
        }
    }
}

pub fn bits(beside: &Beside) -> Vec<u32> {
    beside.parameters().iter().map(|value| value.to_bits()).collect()
}

/// The same rows up to and with `at`; after them the market turns over.
pub fn turned_after(rows: &[Given], at: usize) -> Vec<Given> {
    let mut other = rows.to_vec();
    for given in &mut other[at + 1..] {
        given.row.mid = given.row.mid.map(|mid| 20_000.0 - mid);
        given.values = [9.0; COLUMNS];
    }
    other
}

/// Asserts that a learner that goes on from its checkpoint after any of `cuts` rows ends as the one that never stopped, which is returned.
pub fn restarts(fresh: impl Fn() -> Beside, rows: &[Given], cuts: &[usize], what: &str) -> Beside {
    let mut whole = fresh();
    run(&mut whole, rows);
    for &cut in cuts {
        let mut first = fresh();
        run(&mut first, &rows[..cut]);
        let kept = first.checkpoint();
        // It dies a little later, and what it did meanwhile is gone.
        run(&mut first, &rows[cut..(cut + 20).min(rows.len())]);
        let mut second = fresh();
        second.resume(&kept).expect("ours");
        // The ring still holds some rows from before the checkpoint.
        run(&mut second, &rows[cut.saturating_sub(30)..]);
        assert_eq!(bits(&second), bits(&whole), "{what}, cut at {cut}");
        assert_eq!((second.counts(), second.standings()), (whole.counts(), whole.standings()));
        assert_eq!(second.sharpe(), whole.sharpe());
        assert!(second.checkpoint() == whole.checkpoint(), "{what}, cut at {cut}");
    }
    whole
}
