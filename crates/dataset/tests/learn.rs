//! Goal: what is learned is what the rows say and nothing else: no look-ahead, nothing from labels that were dealt at random, the same
//! weights from the same data and seed.
//! Method: a made-up market whose future is written into one column; networks of the zoo trained on it for a few seconds.
use tickline_dataset::{
    Answers, COLUMNS, Columns, Cut, Kind, Labelling, Market, Size, Stock, Task, Wanted, network,
};
use tickline_model::Plan;
use tickline_model::train::{Confusion, Dice, Recipe, Settings, Targets, Trainer};
use tickline_trials::trials;

const ROWS: usize = 4000;
const HORIZON: usize = 5;
const CUT: Cut = Cut { from: 0.0, cut: 0.7, to: 1.0, held: 0.0 };

/// A random walk. All columns are noise; with `leak`, column 0 holds the mid of `HORIZON` rows later less the one now.
fn market(leak: bool) -> Market {
    let mut dice = Dice::new(7);
    let mut mids = vec![1e6];
    for at in 1..ROWS {
        mids.push(mids[at - 1] + (dice.below(3) as f64 - 1.0) * 50.0);
    }
    let mut values: Vec<f32> = (0..ROWS * COLUMNS).map(|_| dice.unit() as f32).collect();
    for at in 0..ROWS {
        let later = mids[(at + HORIZON).min(ROWS - 1)];
        if leak {
            values[at * COLUMNS] = (later - mids[at]) as f32;
        }
    }
    let times = (0..ROWS as u64).collect();
    let (usable, stale) = (vec![true; ROWS], vec![false; ROWS]);
    Market { stocks: vec![Stock { values, mids, times, usable, stale }] }
}

fn levels(count: usize) -> Columns {
    Columns::named(&format!("levels-{count}")).expect("columns")
}

fn wanted(kind: Kind) -> Wanted {
    Wanted::Direction { labelling: Labelling { kind, horizon: HORIZON }, flat_share: 0.33 }
}

fn task(leak: bool) -> Task {
    Task::new(&market(leak), levels(2), wanted(Kind::Exact), CUT, 10.0, false).expect("enough rows")
}

fn settings(task: &Task, seed: u64) -> Settings {
    let recipe = Recipe { class_weights: task.class_weights(1.0), decay: 1e-3, ..Recipe::default() };
    Settings { seed, batch: 16, steps: 5, epochs: 6, rate: 5e-3, recipe, ..Settings::default() }
}

fn trained(name: &str, task: &Task, seed: u64) -> (Plan, Vec<f32>) {
    let size = Size { window: 4, hidden: vec![16], dropout: 0.1, classes: 3 };
    let net = network(name, task.contract.names.len(), &size).expect("a network");
    let mut run = Trainer::new(&net, settings(task, seed), task.train.clone()).expect("rows fit");
    while run.advance(50).is_some() {}
    (Plan::compile(&net).expect("compiles"), run.parameters().to_vec())
}

fn accuracy(confusion: &Confusion) -> f64 {
    let right: u64 = (0..3).map(|class| confusion.0[class][class]).sum();
    let all: u64 = confusion.0.as_flattened().iter().sum();
    right as f64 / all as f64
}

/// Networks by seed.
fn each<'a>(names: &'a [&'a str]) -> impl Iterator<Item = (&'a str, u64)> {
    (1..=trials(1, 10)).flat_map(|seed| names.iter().map(move |name| (*name, seed)))
}

fn tested(name: &str, task: &Task, seed: u64) -> f64 {
    let (plan, parameters) = trained(name, task, seed);
    accuracy(&Answers::of(&plan, &parameters, task).expect("answers").scores(task).confusion)
}

#[test]
fn a_column_that_holds_the_future_is_exploited_and_noise_is_not() {
    for (name, seed) in each(&["logistic", "mlp", "lstm", "bin-c-tabl"]) {
        let (leaky, honest) = (tested(name, &task(true), seed), tested(name, &task(false), seed));
        // The shares of the classes in the test part differ from a third by chance alone.
        assert!(leaky > 0.6, "{name} finds {leaky} of what is given away");
        assert!(honest < 0.42, "{name} finds {honest} in noise");
    }
}

#[test]
fn from_labels_dealt_at_random_nothing_is_learned() {
    for (name, seed) in each(&["logistic", "mlp", "bin-c-tabl"]) {
        let dealt = task(true).shuffled(seed + 2);
        let score = tested(name, &dealt, seed);
        let most = accuracy(&dealt.majority());
        assert!(score < most + 0.06, "{name}: {score} where the majority has {most}");
    }
}

#[test]
fn shuffling_deals_the_same_labels_and_leaves_the_test_alone() {
    let (honest, dealt) = (task(false), task(false).shuffled(9));
    assert_eq!(Task::counts(&honest.train), Task::counts(&dealt.train));
    assert_ne!(honest.train.targets(), dealt.train.targets());
    assert_eq!((honest.test, honest.threshold), (dealt.test, dealt.threshold));
}

#[test]
fn the_same_data_and_seed_give_the_same_weights_bit_for_bit() {
    for name in ["mlp", "gru", "bin-c-tabl", "cnn-lstm-attention"] {
        let bits = |seed| trained(name, &task(true), seed).1.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(5), bits(5), "{name}");
        assert_ne!(bits(5), bits(6), "{name}");
    }
}

#[test]
fn the_training_part_never_saw_the_test_part() {
    for kind in [Kind::Exact, Kind::Smoothed] {
        let make = |market: &Market| {
            Task::new(market, levels(2), wanted(kind), CUT, 10.0, false).expect("enough rows")
        };
        let (plain, mut other) = (market(false), market(false));
        let first = (ROWS as f64 * CUT.cut) as usize;
        other.stocks[0].mids[first..].iter_mut().for_each(|mid| *mid *= 2.0);
        other.stocks[0].values[first * COLUMNS..].iter_mut().for_each(|value| *value += 9.0);
        let (a, b) = (make(&plain), make(&other));
        assert_eq!((&a.train, &a.contract, a.threshold), (&b.train, &b.contract, b.threshold), "{kind:?}");
        assert_eq!((a.data_hash, a.class_weights(1.0)), (b.data_hash, b.class_weights(1.0)));
        assert_ne!(a.test, b.test);
    }
}

#[test]
fn stale_rows_end_a_sequence_and_unusable_ones_are_left_out() {
    let mut broken = market(false);
    let stock = &mut broken.stocks[0];
    (stock.usable[100], stock.stale[100], stock.usable[200]) = (false, true, false);
    let made = Task::new(&broken, levels(2), wanted(Kind::Exact), CUT, 10.0, false).expect("enough rows");
    let spans: Vec<_> = made.train.sequences().collect();
    assert_eq!(spans, [0..100, 100..ROWS * 7 / 10 - 2]);
}

#[test]
fn too_little_or_one_sided_data_is_refused_by_part() {
    let refusal = |cut| {
        Task::new(&market(false), levels(2), wanted(Kind::Exact), cut, 10.0, false).expect_err("refused")
    };
    let text = refusal(Cut { cut: 0.01, ..CUT }).to_string();
    assert!(text.starts_with("TRAIN_DATA: ") && text.contains("training part"), "{text}");
    assert!(refusal(Cut { cut: 0.99, ..CUT }).to_string().contains("test part"));
    let mut rising = market(false);
    rising.stocks[0].mids = (0..ROWS).map(|at| 1e6 + at as f64).collect();
    let one = Task::new(&rising, levels(2), wanted(Kind::Exact), CUT, 10.0, false).expect_err("one class");
    assert!(one.to_string().contains("no down row in the training part"), "{one}");
}

#[test]
fn an_autoencoder_is_asked_for_the_row_itself() {
    let made = Task::new(&market(false), levels(1), Wanted::Itself, CUT, 10.0, false).expect("enough rows");
    assert_eq!((made.train.targets(), made.test.len()), (&Targets::Itself, ROWS * 3 / 10));
    let size = Size { window: 1, hidden: vec![8, 4], dropout: 0.0, classes: 3 };
    let net = network("autoencoder", 4, &size).expect("a network");
    let recipe = Recipe { loss: tickline_model::train::Loss::Squares, ..Recipe::default() };
    let settings = Settings { recipe, epochs: 20, rate: 1e-2, ..Settings::default() };
    let mut run = Trainer::new(&net, settings, made.train.clone()).expect("rows fit");
    while run.advance(100).is_some() {}
    let plan = Plan::compile(&net).expect("compiles");
    let (error, all) = Answers::of(&plan, run.parameters(), &made).expect("answers").squares(&made);
    assert!(error < 0.2 * all, "4 numbers fit through 4: {error} of {all}");
}

#[test]
fn a_mirrored_training_part_prefers_no_direction_and_leaves_the_test_alone() {
    let make = |mirror| {
        Task::new(&market(false), levels(2), wanted(Kind::Exact), CUT, 10.0, mirror).expect("enough rows")
    };
    let (plain, both) = (make(false), make(true));
    let [down, flat, up] = Task::counts(&plain.train);
    assert_eq!(Task::counts(&both.train), [down + up, 2 * flat, down + up]);
    assert_eq!(both.train.sequences().count(), 2 * plain.train.sequences().count());
    assert_eq!((plain.threshold, &plain.test_raw, plain.price), (both.threshold, &both.test_raw, both.price));
    assert_eq!((plain.test.targets(), &plain.persistence), (both.test.targets(), &both.persistence));
    assert_ne!(plain.data_hash, both.data_hash);
}

#[test]
fn an_ensemble_answers_with_the_mean_and_refuses_what_does_not_fit() {
    let task = task(true);
    let answers = |seed| {
        let (plan, parameters) = trained("logistic", &task, seed);
        Answers::of(&plan, &parameters, &task).expect("answers")
    };
    let (a, b) = (answers(1), answers(2));
    assert_eq!(Answers::mean(std::slice::from_ref(&a)).map(|one| one.scores(&task)), Ok(a.scores(&task)));
    let both = Answers::mean(&[a.clone(), b.clone()]).expect("the same rows");
    let turned = Answers::mean(&[b.clone(), a.clone()]).expect("in any order");
    assert!(both.scores(&task) == turned.scores(&task), "the order says nothing");
    // Where two agree, their mean does too.
    for row in 0..task.test.len() {
        assert!(a.best(row) != b.best(row) || both.best(row) == a.best(row), "row {row}");
    }
    let short = Task::new(&market(true), levels(2), wanted(Kind::Exact), Cut { to: 0.9, ..CUT }, 10.0, false);
    let short = short.expect("enough rows");
    let (plan, parameters) = trained("logistic", &task, 1);
    let other = Answers::of(&plan, &parameters, &short).expect("answers");
    for wrong in [vec![], vec![a, other]] {
        assert!(Answers::mean(&wrong).is_err());
    }
}
