//! Goal: a run that is judged on rows held out keeps its best pass, ends when patience does, and goes on after a crash as if nothing had
//! happened; what is held out is neither learned nor looked at by any label.
//! Method: a made-up market of pure noise, which every pass after the first learns by heart; the plain trainer beside it.
use tickline_dataset::{
    COLUMNS, Columns, Cut, Fitting, Kind, Labelling, Market, Size, Stock, Task, Wanted, network,
};
use tickline_model::Architecture;
use tickline_model::train::{Dice, Recipe, Settings, Target, Trainer};

const ROWS: usize = 6000;
const HORIZON: usize = 5;
const CUT: Cut = Cut { from: 0.0, cut: 0.5, to: 1.0, held: 0.25 };
/// First row that is held out.
const HELD: usize = 2250;
const NETWORKS: [&str; 3] = ["mlp", "bin-c-tabl", "gru"];

fn market() -> Market {
    let mut dice = Dice::new(21);
    let mut mids = vec![1e6];
    for at in 1..ROWS {
        mids.push(mids[at - 1] + (dice.below(3) as f64 - 1.0) * 50.0);
    }
    let values = (0..ROWS * COLUMNS).map(|_| dice.unit() as f32).collect();
    let times = (0..ROWS as u64).collect();
    Market { stocks: vec![Stock { values, mids, times, usable: vec![true; ROWS], stale: vec![false; ROWS] }] }
}

fn task_of(market: &Market, cut: Cut, mirror: bool) -> Task {
    let labelling = Labelling { kind: Kind::Exact, horizon: HORIZON };
    let columns = Columns::named("levels-2").expect("columns");
    let wanted = Wanted::Direction { labelling, flat_share: 0.33 };
    Task::new(market, columns, wanted, cut, 10.0, mirror).expect("enough rows")
}

fn settings(task: &Task) -> Settings {
    let recipe = Recipe { class_weights: task.class_weights(1.0), ..Recipe::default() };
    Settings { seed: 2, batch: 16, steps: 10, epochs: 12, rate: 1e-2, recipe, ..Settings::default() }
}

fn net(name: &str, task: &Task) -> Architecture {
    let size = Size { window: 4, hidden: vec![32], dropout: 0.1, classes: 3 };
    network(name, task.contract.names.len(), &size).expect("a network")
}

fn fitting(name: &str, task: &Task, patience: usize) -> Fitting {
    Fitting::new(&net(name, task), settings(task), task, patience).expect("rows fit")
}

fn bits(parameters: &[f32]) -> Vec<u32> {
    parameters.iter().map(|value| value.to_bits()).collect()
}

fn finished(mut run: Fitting, batches: usize) -> Fitting {
    while run.advance(batches).expect("trains").is_some() {}
    run
}

#[test]
fn what_is_held_out_is_neither_trained_on_nor_looked_at_by_a_label() {
    let (whole, plain) = (task_of(&market(), Cut { held: 0.0, ..CUT }, false), market());
    assert!(whole.held.is_none());
    for mirror in [false, true] {
        let task = task_of(&plain, CUT, mirror);
        let held = task.held.as_ref().expect("held out");
        let wanted = |rows: &tickline_model::train::Rows| {
            (0..rows.len()).filter(|row| rows.target(*row) != Target::Nothing).count()
        };
        let times = if mirror { 2 } else { 1 };
        assert_eq!((task.train.len(), wanted(&task.train)), (times * HELD, times * (HELD - HORIZON)));
        assert_eq!(wanted(held), ROWS / 2 - HELD - HORIZON, "a label beyond the cut is the test part's");
        assert_eq!((task.threshold, task.test.targets()), (whole.threshold, whole.test.targets()));
        let mut other = market();
        other.stocks[0].values[HELD * COLUMNS..].iter_mut().for_each(|value| *value += 9.0);
        let changed = task_of(&other, CUT, mirror);
        assert_eq!((&changed.train, &changed.contract), (&task.train, &task.contract));
        assert_ne!((changed.held.as_ref(), changed.data_hash), (Some(held), task.data_hash));
    }
}

#[test]
fn the_best_pass_is_kept_and_patience_ends_the_run() {
    let task = task_of(&market(), CUT, false);
    for name in NETWORKS {
        let run = finished(fitting(name, &task, 2), 1000);
        let judged = run.judgement().expect("passes were judged");
        let (each, passes) = (run.batches() / 12, judged.losses.len());
        assert!(passes < 12 && passes == judged.best + 3, "{name}: {judged:?}");
        assert_eq!((run.done(), run.over()), (passes * each, true), "{name}");
        // Noise learned by heart is worse than the three classes said alike, whose loss is ln 3.
        assert!(judged.losses[passes - 1] > judged.losses[judged.best], "{name}: {judged:?}");
        assert!((judged.losses[judged.best] - 3f64.ln()).abs() < 0.1, "{name}: {judged:?}");
        let mut plain = Trainer::new(&net(name, &task), settings(&task), task.train.clone()).expect("fits");
        plain.advance((judged.best + 1) * each);
        assert_eq!(
            bits(run.parameters()),
            bits(plain.parameters()),
            "{name}: the weights after the best pass"
        );
    }
}

#[test]
fn without_rows_held_out_a_run_is_the_plain_trainers() {
    let task = task_of(&market(), Cut { held: 0.0, ..CUT }, false);
    let run = finished(fitting("bin-c-tabl", &task, 1), 70);
    let mut plain =
        Trainer::new(&net("bin-c-tabl", &task), settings(&task), task.train.clone()).expect("fits");
    while plain.advance(1000).is_some() {}
    assert_eq!((run.judgement(), run.done()), (None, run.batches()));
    assert_eq!(bits(run.parameters()), bits(plain.parameters()));
}

#[test]
fn a_run_that_is_cut_anywhere_ends_with_the_same_weights_and_the_same_judgement() {
    let task = task_of(&market(), CUT, true);
    for name in NETWORKS {
        let whole = finished(fitting(name, &task, 2), 1000);
        for cut in [1, whole.batches() / 12, whole.done() - 1, whole.done()] {
            let mut first = fitting(name, &task, 2);
            while first.done() < cut {
                first.advance((cut - first.done()).min(37)).expect("trains");
            }
            let mut second = fitting(name, &task, 2);
            second.restore(&first.checkpoint()).expect("its own checkpoint");
            assert_eq!((second.done(), second.judgement()), (first.done(), first.judgement()), "{name}");
            let second = finished(second, 11);
            assert_eq!(second.judgement(), whole.judgement(), "{name}, cut at {cut}");
            assert_eq!(bits(second.parameters()), bits(whole.parameters()), "{name}, cut at {cut}");
        }
    }
}

#[test]
fn a_checkpoint_that_does_not_fit_changes_nothing() {
    let task = task_of(&market(), CUT, false);
    let mut judged = fitting("mlp", &task, 2);
    while judged.judgement().is_none() {
        judged.advance(1000).expect("trains");
    }
    let (good, before) = (judged.checkpoint(), judged.judgement());
    let own = bits(judged.parameters());
    for length in [0, 7, 8, 100, good.len() - 1, good.len() - 4] {
        assert!(judged.restore(&good[..length]).is_err(), "{length} bytes");
    }
    assert!(fitting("gru", &task, 2).restore(&good).is_err());
    let unjudged = task_of(&market(), Cut { held: 0.0, ..CUT }, false);
    assert!(fitting("mlp", &unjudged, 2).restore(&good).is_err());
    assert_eq!((judged.judgement(), bits(judged.parameters())), (before, own));
    assert!(judged.restore(&good).is_ok());
}
