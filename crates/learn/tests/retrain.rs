//! Goal: retraining comes at its hour, learns its window and nothing else, trades by the gate alone, and goes on after a crash as if nothing
//! had happened. Method: synthetic walks with a column that tells the future, on real learners that themselves hardly learn.
mod walk;

use tickline_learn::{Beside, Cadence, Declared, Gate, Replay, Retrain, Settings, Standing};
use tickline_model::file::Loaded;
use tickline_model::{Activation, zoo};
use walk::{COLUMNS, Given, give, load, mlp, restarts, run, score, settings, start, turned_after, walk};

/// Every 2,000 rows of a walk, whose rows are 1 us apart.
const EVERY_NS: u64 = 2_000_000;
const RETRAIN: Retrain =
    Retrain { every_ns: EVERY_NS, labels: 500, each: 1, batch: 16, steps: 400, rate: 1e-2 };
const GATE: Gate =
    Gate { labels: 400, margin: 0.05, calibration_max: 0.9, drift_max: 1e9, fall_labels: 200, fall: 0.05 };

/// A learner that retrains and otherwise stays nearly as it is.
fn retrains(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings { rate: 1e-9, retrain: Some(RETRAIN), ..settings() };
    change(&mut settings);
    settings
}

fn retrained(beside: &Beside) -> Option<Standing> {
    beside.standings().into_iter().find(|standing| standing.role == "retrained")
}

#[test]
fn it_begins_on_the_hour_takes_a_step_a_row_and_learns_what_is_there() {
    let rows = walk(6_500, 3, true);
    let mut beside = start(mlp(), retrains(|_| {}), 1);
    let mut steps = Vec::new();
    for (at, given) in rows.iter().enumerate() {
        let did = give(&mut beside, given);
        if did.retrained {
            steps.push(at);
        }
        let ended = [2_399, 4_399, 6_399].iter().filter(|end| at >= **end).count() as u64;
        assert_eq!((beside.counts().retrained, retrained(&beside).is_some()), (ended, ended > 0), "at {at}");
        if did.offer {
            beside.judge().expect("a model");
            beside.settle();
        }
    }
    let wanted: Vec<usize> = [2_000, 4_000, 6_000].iter().flat_map(|begin| *begin..*begin + 400).collect();
    assert_eq!(steps, wanted);
    let (own, frozen) = (retrained(&beside).expect("made").score, score(&beside, "frozen"));
    assert!(own.macro_f1 > 0.85 && own.macro_f1 > frozen.macro_f1 + 0.2, "{own:?} {frozen:?}");
    assert_eq!(beside.counts().promoted, 0, "without a gate it is evaluated and nothing else");
    let mut noise = start(mlp(), retrains(|_| {}), 1);
    run(&mut noise, &walk(6_500, 3, false));
    assert!(retrained(&noise).expect("made").score.mcc.abs() < 0.15);
}

#[test]
fn the_gate_promotes_it_and_what_is_in_place_stays_when_the_next_one_comes() {
    for model in [mlp(), load(zoo::lstm(COLUMNS, &[6], 3))] {
        let stateful = model.model.architecture.stateful;
        let own = retrains(|settings| {
            settings.gate = Some(GATE);
            if let (true, Some(retrain)) = (stateful, &mut settings.retrain) {
                *retrain = Retrain { labels: 100, batch: 1, steps: 1_000, ..retrain.clone() };
            }
        });
        let mut beside = start(model, own, 1);
        run(&mut beside, &walk(9_000, 5, true));
        let change = beside.changes().first().expect("promoted").clone();
        assert_eq!((change.name.as_str(), beside.counts().rolled_back), ("retrained", 0), "{change:?}");
        assert!(change.to_f1 > change.from_f1 + 0.05 && change.labels >= 400);
        assert!(beside.counts().retrained >= 3);
        let placed = beside.in_place();
        assert!(beside.changes().iter().any(|change| change.to == placed));
        let live = beside.standings().into_iter().find(|standing| standing.role == "live").expect("a gate");
        assert!(live.score.macro_f1 > score(&beside, "frozen").macro_f1 + 0.2, "{live:?}");
    }
}

/// Goal: what has left the window says nothing. Method: two pasts that differ in what the model saw, not in prices; the window is later.
#[test]
fn only_the_window_is_learned() {
    let rows = walk(2_500, 7, true);
    let with = |change: &dyn Fn(usize, &mut Given)| {
        let mut rows = rows.clone();
        rows.iter_mut().enumerate().for_each(|(at, given)| change(at, given));
        let mut beside = start(mlp(), retrains(|_| {}), 1);
        run(&mut beside, &rows);
        retrained(&beside).expect("made").hash
    };
    let own = with(&|_, _| {});
    let at = |wanted: usize| {
        move |at: usize, given: &mut Given| {
            if at == wanted {
                given.values = [0.9; COLUMNS]
            }
        }
    };
    assert_eq!(
        with(&|row, given| if row < 1_400 {
            given.values = [0.5; COLUMNS]
        }),
        own
    );
    assert_ne!(with(&at(1_800)), own, "it is in the window");
    assert_eq!(with(&at(2_450)), own, "its end was before");
    let thinned = |each| {
        let mut beside = start(mlp(), retrains(|own| own.retrain = Some(Retrain { each, ..RETRAIN })), 1);
        run(&mut beside, &rows);
        retrained(&beside).map(|one| one.hash)
    };
    assert_eq!(thinned(1), Some(own));
    assert!(thinned(4).is_some_and(|hash| hash != own), "one label in four spans four times as long");
    assert_eq!(thinned(200), None, "ten labels are less than a batch");
}

fn kinds() -> Vec<(Loaded, Settings)> {
    let small = Retrain { every_ns: 500_000, labels: 100, steps: 60, ..RETRAIN };
    let replay = Replay { capacity: 64, oversample: 10.0, sharpness: 0.6, correction: 1.0 };
    let own = |gate, replay, cadence, batch| {
        retrains(|settings| {
            (settings.retrain, settings.gate) = (Some(small.clone()), gate);
            (settings.replay, settings.cadence, settings.batch) = (replay, cadence, batch);
            settings.dropout = Some(0.1);
            settings.rate = 1e-3;
        })
    };
    let quick = Some(Gate { labels: 100, fall_labels: 50, ..GATE });
    vec![
        (mlp(), own(quick, None, Cadence::Tick, 1)),
        (
            load(zoo::mlp(COLUMNS, 3, &[8], Activation::Relu, 3, false)),
            own(quick, Some(replay.clone()), Cadence::Trade, 8),
        ),
        (load(zoo::lstm(COLUMNS, &[6], 3)), own(quick, None, Cadence::Tick, 1)),
        (load(zoo::lstm(COLUMNS, &[6], 3)), own(None, Some(replay), Cadence::Tick, 1)),
    ]
}

#[test]
fn a_restart_in_the_middle_changes_nothing_and_no_row_knows_what_comes_after() {
    let rows = walk(2_200, 11, true);
    let other = turned_after(&rows, 1_100);
    for (kind, (model, settings)) in kinds().into_iter().enumerate() {
        let fresh = || start(model.clone(), settings.clone(), 42);
        let whole = restarts(fresh, &rows, &[499, 520, 1_030, 1_600, 2_199], &format!("kind {kind}"));
        assert!(whole.counts().retrained >= 3, "kind {kind}: {:?}", whole.counts());
        let [mut one, mut two] = [fresh(), fresh()];
        run(&mut one, &rows[..=1_100]);
        run(&mut two, &other[..=1_100]);
        assert!(one.checkpoint() == two.checkpoint(), "kind {kind}");
    }
}

#[test]
fn numbers_without_sense_and_a_name_that_is_taken_are_refused() {
    let refused = |change: &dyn Fn(&mut Retrain)| {
        let mut own = RETRAIN;
        change(&mut own);
        let settings = Settings { retrain: Some(own), ..settings() };
        Beside::new(mlp(), Vec::new(), settings, 1).expect_err("refused").to_string()
    };
    assert!(refused(&|own| own.every_ns = 0).contains("every 0 ns"));
    assert!(refused(&|own| own.batch = 501).contains("of 501 from one in 1 of 500 labels"));
    assert!(refused(&|own| own.each = 0).contains("one in 0"));
    assert!(refused(&|own| own.steps = 0).contains("0 steps"));
    assert!(refused(&|own| own.rate = f32::NAN).contains("rate NaN"));
    let taken = vec![Declared { name: "retrained".to_owned(), loaded: mlp() }];
    let error = Beside::new(mlp(), taken, retrains(|_| {}), 1).expect_err("refused").to_string();
    assert!(error.contains("give it another"), "{error}");
}
