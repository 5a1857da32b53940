//! Goal: a test that learns on answers each row before it has seen anything of that row's future, learns what the line's learner would, and
//! follows a market that changes.
//! Method: made-up markets; one whose future is altered; one whose rule turns round half way; the line's own learner on the same rows.
use tickline_dataset::{COLUMNS, Columns, Cut, Habit, Kind, Labelling, Market, Online, Stock, Task};
use tickline_learn::{Beside, Cadence, Envelope, Pace, Replay, Row, Settings, Turn};
use tickline_model::train::{CLASSES, Confusion, Dice, Recipe};
use tickline_model::{Contract, Model, Plan, file, zoo};

const ROWS: usize = 3000;
const HORIZON: usize = 7;
const THRESHOLD: f64 = 40.0;
const ALL: Cut = Cut { from: 0.0, cut: 0.0, to: 1.0, held: 0.0 };

/// A random walk whose next step column 0 tells; from row `turn` on it tells the opposite.
fn market(turn: usize) -> Market {
    let mut dice = Dice::new(11);
    let mut values: Vec<f32> = (0..ROWS * COLUMNS).map(|_| dice.unit() as f32).collect();
    let mut mids = vec![1e6];
    for at in 1..ROWS {
        let told = (values[(at - 1) * COLUMNS] > 0.5) == (at < turn);
        mids.push(mids[at - 1] + if told { 50.0 } else { -50.0 });
    }
    // What was told of a whole horizon shows at once.
    for at in 0..ROWS - HORIZON {
        let ups = (0..HORIZON).map(|ahead| values[(at + ahead) * COLUMNS]).sum::<f32>() / HORIZON as f32;
        values[at * COLUMNS + 1] = ups;
    }
    let (times, usable) = ((0..ROWS as u64).collect(), vec![true; ROWS]);
    Market { stocks: vec![Stock { values, mids, times, usable, stale: vec![false; ROWS] }] }
}

fn model(net: tickline_model::Architecture) -> Model {
    let plan = Plan::compile(&net).expect("compiles");
    let names = Columns::named("levels-1").expect("four columns").names();
    let (columns, window) = (names.len(), net.window);
    Model {
        contract: Contract { names, mean: vec![0.5; columns], scale: vec![0.3; columns], clip: 10.0, window },
        classes: CLASSES.map(str::to_owned).to_vec(),
        ..Model::bare("online", net, plan.initial(&mut Dice::new(3)))
    }
}

fn nets() -> [Model; 3] {
    [
        model(zoo::mlp(4, 1, &[16], tickline_model::Activation::Relu, 3, false)),
        model(zoo::bin_c_tabl(4, 5, 3, 0.0)),
        model(zoo::gru(4, &[8], 3)),
    ]
}

fn task(market: &Market, model: &Model, kind: Kind) -> Task {
    let labelling = Labelling { kind, horizon: HORIZON };
    Task::test_of(market, &model.contract, labelling, THRESHOLD, ALL).expect("enough rows")
}

fn habit(batch: usize) -> Habit {
    Habit {
        recipe: Recipe::default(),
        rate: 3e-3,
        batch,
        memory: 0,
        every: 0,
        seed: 5,
        balance: 0.0,
        classes: [0.0; 3],
    }
}

/// Draws from memory: the answer to each row still knows nothing of what comes after it.
fn recalling(every: usize, batch: usize) -> Habit {
    Habit { memory: 300, every, ..habit(batch) }
}

fn right(confusions: &[Confusion]) -> f64 {
    let count = |pick: &dyn Fn(usize, usize) -> bool| -> u64 {
        let cell = |at: usize| confusions.iter().map(|each| each.0[at / 3][at % 3]).sum::<u64>();
        (0..9).filter(|at| pick(at / 3, at % 3)).map(cell).sum()
    };
    count(&|truth, answer| truth == answer) as f64 / count(&|_, _| true) as f64
}

#[test]
fn no_answer_and_no_weight_knows_what_comes_later() {
    for kind in [Kind::Exact, Kind::Smoothed] {
        for model in nets() {
            let plain = market(ROWS);
            let mut other = plain.clone();
            let stock = &mut other.stocks[0];
            stock.mids[2001..].iter_mut().for_each(|mid| *mid = 3e6 - *mid);
            stock.values[2001 * COLUMNS..].iter_mut().for_each(|value| *value = 1.0 - *value);
            let run = |market: &Market, habit: Habit| {
                let mut online = Online::new(&model, task(market, &model, kind), habit).expect("a test");
                // Row 2000 is the last that both share, and everything up to it must be equal: weights bit for bit.
                online.advance(2001);
                let bits: Vec<u32> = online.parameters().iter().map(|w| w.to_bits()).collect();
                (bits, online.steps(), online.advance(500).map(|stretch| stretch.learning))
            };
            for habit in [habit(4), recalling(4, 8)] {
                let (a, b) = (run(&plain, habit.clone()), run(&other, habit));
                assert!(a.1 > 100, "{} steps", a.1);
                assert_eq!((&a.0, a.1), (&b.0, b.1), "{kind:?}");
                assert_ne!(a.2, b.2, "the rows after it differ");
            }
        }
    }
}

#[test]
fn it_learns_what_the_learner_of_the_line_learns_bit_for_bit() {
    let market = market(ROWS);
    let [mlp, tabl, gru] = nets();
    let replay = Replay { capacity: 300, oversample: 1.0, sharpness: 0.0, correction: 0.0 };
    for (model, habit, batch, steps, replay) in [
        (mlp.clone(), habit(1), 1, 1, None),
        (tabl.clone(), habit(1), 1, 1, None),
        (gru, habit(6), 1, 6, None),
        (mlp, recalling(1, 8), 8, 1, Some(replay.clone())),
        (tabl, recalling(1, 8), 8, 1, Some(replay)),
    ] {
        let mut online = Online::new(&model, task(&market, &model, Kind::Exact), habit).expect("a test");
        while online.advance(1000).is_some() {}
        let folder = std::env::temp_dir().join(format!("tickline-online-{}", std::process::id()));
        let path = folder.with_extension("tlm");
        file::save(&path, &model).expect("saved");
        let settings = Settings {
            symbols: vec!["ONE".to_owned()],
            seed: 5,
            recipe: Recipe::default(),
            rate: 3e-3,
            pace: Pace::default(),
            dropout: None,
            liquidity: None,
            replay,
            retrain: None,
            actor_critic: None,
            gate: None,
            cadence: Cadence::Tick,
            turn: Turn::ALWAYS,
            batch,
            steps,
            horizon: HORIZON,
            threshold: THRESHOLD,
            window: 100,
            offer_ns: u64::MAX,
            envelope: Envelope { change_max: 1.0, drift_max: 1.0, score_slack: 1.0, labels_min: 1 },
        };
        let mut beside =
            Beside::new(file::load(&path).expect("loaded"), Vec::new(), settings, 1).expect("a learner");
        std::fs::remove_file(&path).expect("removed");
        let stock = &market.stocks[0];
        for at in 0..ROWS {
            let values = &stock.values[at * COLUMNS..at * COLUMNS + 4];
            let (seq, mid) = (at as u64, Some(stock.mids[at]));
            let plain = Row {
                seq,
                time_ns: seq,
                instrument: 0,
                mid,
                liquidity: None,
                traded: false,
                stale: false,
                sound: true,
                values,
            };
            beside.row(&plain);
        }
        assert_eq!(online.steps(), beside.counts().steps, "{}", model.architecture.nodes.len());
        let bits = |parameters: &[f32]| parameters.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(online.parameters()), bits(beside.parameters()));
    }
}

#[test]
fn a_market_that_turns_is_followed_and_the_frozen_model_is_not_better() {
    let market = market(ROWS / 2);
    for model in nets() {
        let mut online = Online::new(&model, task(&market, &model, Kind::Exact), habit(8)).expect("a test");
        let stretches: Vec<_> = std::iter::from_fn(|| online.advance(ROWS / 6)).collect();
        let learning: Vec<f64> = stretches.iter().map(|each| right(&[each.learning])).collect();
        let frozen = right(&stretches.iter().map(|each| each.frozen).collect::<Vec<_>>());
        assert!(learning[2] > 0.6, "before the turn: {learning:?}");
        assert!(learning[5] > 0.6 && learning[5] > learning[3], "after it: {learning:?}");
        assert!(frozen < 0.55, "{frozen}");
        let rows: u64 =
            stretches.iter().map(|each| each.persistence.0.as_flattened().iter().sum::<u64>()).sum();
        let own: u64 = stretches.iter().map(|each| each.learning.0.as_flattened().iter().sum::<u64>()).sum();
        assert_eq!(rows, own, "every forecaster answers the same rows");
    }
}

#[test]
fn several_stocks_are_refused() {
    let mut two = market(ROWS);
    two.stocks.push(two.stocks[0].clone());
    let [model, ..] = nets();
    let refusal = Online::new(&model, task(&two, &model, Kind::Exact), habit(1)).err().expect("refused");
    assert!(refusal.to_string().starts_with("TRAIN_DATA: 2 stocks"), "{refusal}");
}
