//! Goal: the live model gives its place only to a better one and gets it back when that falls behind, the same way every time and after a
//! crash. Method: whole learners on walks whose first column tells the future; shadows that know it, that do not, and that cannot take part.
mod walk;

use tickline_learn::{Beside, Declared, Gate, Move, Settings};
use tickline_model::file::{Loaded, decode, encode};
use tickline_model::train::Dice;
use tickline_model::{Activation, zoo};
use walk::{COLUMNS, Given, bits, give, load, mlp, run, settings, start, taught, walk};

const GATE: Gate =
    Gate { labels: 400, margin: 0.05, calibration_max: 0.2, drift_max: 100.0, fall_labels: 150, fall: 0.05 };
/// A rate at which nothing is learned in a test's time.
const STILL: f32 = 1e-9;

fn gated() -> Settings {
    Settings { gate: Some(GATE), rate: STILL, ..settings() }
}

/// A shadow that has learned what column 0 tells.
fn knowing() -> Loaded {
    let mut teacher = start(mlp(), settings(), 1);
    run(&mut teacher, &walk(6_000, 3, true));
    taught(&teacher, "knowing")
}

/// The same architecture with weights of chance.
fn random(seed: u64) -> Loaded {
    let mut model = mlp().model;
    let mut dice = Dice::new(seed);
    model.name = format!("random {seed}");
    model.parameters.iter_mut().for_each(|weight| *weight = (dice.unit() - 0.5) as f32);
    decode(&encode(&model).expect("valid")).expect("just written")
}

/// Always sure: the knowing model with its last layer scaled up and its answers muddled in a third of the cases is not; this one is right
/// more often than the live model and claims far more than that.
fn boasting(from: &Loaded) -> Loaded {
    let mut model = from.model.clone();
    model.name = "boasting".to_owned();
    model.parameters.iter_mut().for_each(|weight| *weight *= 3.0);
    decode(&encode(&model).expect("valid")).expect("just written")
}

fn declared(shadows: &[(&str, Loaded)]) -> Vec<Declared> {
    shadows
        .iter()
        .map(|(name, loaded)| Declared { name: (*name).to_owned(), loaded: loaded.clone() })
        .collect()
}

fn line(shadows: &[(&str, Loaded)], settings: Settings) -> Beside {
    Beside::new(mlp(), declared(shadows), settings, 1).expect("fits")
}

/// Column 0 tells the truth about two thirds of the time.
fn muddled(rows: usize, seed: u64) -> Vec<Given> {
    let mut dice = Dice::new(seed);
    let mut rows = walk(rows, seed, true);
    for given in &mut rows {
        if dice.below(3) == 0 {
            given.values[0] = dice.below(3) as f32 - 1.0;
        }
    }
    rows
}

#[test]
fn a_good_shadow_is_promoted_once_and_bad_ones_never() {
    let rows = walk(6_000, 11, true);
    let shadows = [("bad", random(5)), ("knowing", knowing()), ("worse", random(6))];
    let mut beside = line(&shadows, gated());
    run(&mut beside, &rows);
    let changes = beside.changes();
    assert_eq!(changes.len(), 1, "{changes:?}");
    let only = &changes[0];
    assert_eq!((only.what, only.name.as_str()), (Move::Promote, "knowing"));
    assert_eq!((only.from, only.to), (mlp().hash, shadows[1].1.hash));
    assert!(only.labels >= GATE.labels && only.to_f1 >= only.from_f1 + GATE.margin, "{only:?}");
    assert_eq!(beside.in_place(), shadows[1].1.hash);
    assert_eq!((beside.counts().promoted, beside.counts().rolled_back), (1, 0));
    let live = beside.standings().into_iter().find(|standing| standing.role == "live").expect("gated");
    assert!(live.hash == Some(only.to) && live.score.macro_f1 > 0.8, "{live:?}");
}

#[test]
fn nothing_is_promoted_that_does_not_beat_the_live_model_or_is_not_what_it_claims() {
    let (rows, good) = (muddled(6_000, 13), knowing());
    let none = |shadows: &[(&str, Loaded)], settings: Settings| {
        let mut beside = line(shadows, settings);
        run(&mut beside, &rows);
        assert_eq!((beside.changes().len(), beside.in_place()), (0, mlp().hash), "{:?}", beside.changes());
        beside
    };
    none(&[("a", random(21)), ("b", random(22)), ("c", random(23))], gated());
    let strict = Gate { margin: 0.9, ..GATE };
    none(&[("good", good.clone())], Settings { gate: Some(strict), ..gated() });
    let honest = Gate { calibration_max: 0.15, ..GATE };
    let boaster = none(&[("boasting", boasting(&good))], Settings { gate: Some(honest), ..gated() });
    let standing = &boaster.standings()[4];
    assert!(standing.name == "boasting" && standing.score.calibration > 0.15, "{standing:?}");
    assert!(
        standing.score.macro_f1 > boaster.standings()[0].score.macro_f1 + 0.1,
        "it would have been better: {standing:?}"
    );
    let near = Gate { drift_max: 1e-3, ..GATE };
    none(&[("far", good.clone())], Settings { gate: Some(near), ..gated() });
    let wide = load(zoo::mlp(COLUMNS, 1, &[9], Activation::Relu, 3, false));
    let other = none(&[("another architecture", wide)], gated());
    assert!(
        !other.standings()[4].fits && other.standings()[4].score.labels > 0,
        "it is evaluated all the same"
    );
}

#[test]
fn what_falls_behind_gives_its_place_back() {
    let mut rows = walk(9_000, 17, true);
    // From here on the column lies.
    rows.iter_mut().skip(4_000).for_each(|given| given.values[0] = -given.values[0]);
    let good = knowing();
    let mut beside = line(&[("knowing", good.clone())], gated());
    run(&mut beside, &rows);
    let moves: Vec<Move> = beside.changes().iter().map(|change| change.what).collect();
    assert_eq!(moves, [Move::Promote, Move::RollBack], "{:?}", beside.changes());
    let back = &beside.changes()[1];
    assert_eq!((back.from, back.to, back.name.as_str()), (good.hash, mlp().hash, "model file"));
    assert!(
        back.labels >= GATE.fall_labels
            && back.labels < 2 * GATE.labels
            && back.from_f1 < back.to_f1 - GATE.fall
    );
    assert_eq!((beside.in_place(), beside.counts().rolled_back), (mlp().hash, 1));
}

#[test]
fn what_has_learned_is_promoted_by_the_gate_alone_and_again_when_it_has_learned_more() {
    let rows = walk(8_000, 19, true);
    let mut beside = line(&[], Settings { rate: 2e-4, gate: Some(GATE), ..settings() });
    run(&mut beside, &rows);
    let changes = beside.changes();
    assert!(!changes.is_empty() && changes.len() < 12, "{changes:?}");
    assert!(changes.iter().all(|change| change.what == Move::Promote && change.name == "learned"));
    for pair in changes.windows(2) {
        assert_eq!(pair[0].to, pair[1].from, "each took the place of the one before");
    }
    assert!(
        changes
            .iter()
            .all(|change| change.to_f1 >= change.from_f1 + GATE.margin && change.labels >= GATE.labels)
    );
    assert_ne!(beside.in_place(), mlp().hash);
}

/// Goal: the same rows lead to the same decisions, and a crash at any moment changes none. Method: an uninterrupted learner against learners
/// that resume a checkpoint, for a stateless and a stateful network.
#[test]
fn decisions_are_the_same_every_time_and_after_a_crash() {
    let mut rows = walk(4_500, 23, true);
    rows.iter_mut().skip(2_500).for_each(|given| given.values[0] = -given.values[0]);
    let lstm = load(zoo::lstm(COLUMNS, &[6], 3));
    let kinds = [
        (mlp(), vec![("knowing", knowing()), ("bad", random(8))], 2e-3),
        (lstm.clone(), vec![("itself", lstm), ("other columns", mlp())], 1e-2),
    ];
    for (model, shadows, rate) in kinds {
        let own = Settings { gate: Some(Gate { labels: 300, ..GATE }), rate, ..settings() };
        let fresh = || Beside::new(model.clone(), declared(&shadows), own.clone(), 4).expect("fits");
        let mut whole = fresh();
        run(&mut whole, &rows);
        assert!(!whole.changes().is_empty());
        for cut in [0, 700, 1_600, 3_300] {
            let mut first = fresh();
            run(&mut first, &rows[..cut]);
            let mut second = fresh();
            second.resume(&first.checkpoint()).expect("ours");
            run(&mut second, &rows[cut.saturating_sub(20)..]);
            assert_eq!(second.changes(), whole.changes(), "cut at {cut}");
            assert_eq!((bits(&second), second.standings()), (bits(&whole), whole.standings()));
            assert_eq!(second.checkpoint(), whole.checkpoint());
        }
    }
}

#[test]
fn shadows_that_cannot_take_part_are_refused_by_name() {
    let refused = |shadows: &[(&str, Loaded)], gate: Option<Gate>| {
        let own = Settings { gate, ..settings() };
        Beside::new(mlp(), declared(shadows), own, 1).expect_err("refused").to_string()
    };
    let encoder = load(zoo::autoencoder(COLUMNS, &[3], 2));
    assert!(refused(&[("code", encoder)], None).contains("shadow \"code\""));
    assert!(refused(&[("a", random(1)), ("a", random(2))], None).contains("two shadows are called \"a\""));
    assert!(refused(&[], Some(Gate { margin: 0.0, ..GATE })).contains("margin 0"));
    assert!(refused(&[], Some(Gate { fall: f64::NAN, ..GATE })).contains("NaN"));
    let mut other = start(mlp(), settings(), 1);
    let kept = line(&[("a", random(1))], settings()).checkpoint();
    assert!(other.resume(&kept).expect_err("another panel").to_string().contains("other settings"));
    give(&mut other, &walk(1, 1, true)[0]);
}
