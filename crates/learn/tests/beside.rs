//! Goal: learning beside the line looks at no future, learns what is there, keeps to its envelope, and goes on after a crash as if nothing
//! had happened. Method: synthetic walks of two instruments with a feature that tells the future (leak) or noise, on real learners.
use std::path::PathBuf;
use tickline_learn::{
    Beside, Cadence, Counts, Desk, Did, Envelope, LearnError, Outcome, Row, Settings, Verdict,
};
use tickline_model::file::{Loaded, decode, encode};
use tickline_model::train::{Dice, Method, Recipe};
use tickline_model::{Activation, Architecture, Model, Plan, zoo};

const COLUMNS: usize = 4;
const HORIZON: usize = 5;
const OPEN: Envelope = Envelope { change_max: 1e9, drift_max: 1e9, score_slack: 2.0, labels_min: 0 };

fn load(net: Architecture) -> Loaded {
    let parameters = Plan::compile(&net).expect("compiles").initial(&mut Dice::new(7));
    let model = Model::bare("small", net, parameters);
    decode(&encode(&model).expect("valid")).expect("just written")
}

fn mlp() -> Loaded {
    load(zoo::mlp(COLUMNS, 1, &[8], Activation::Relu, 3, false))
}

fn settings() -> Settings {
    Settings {
        symbols: vec!["A".into(), "B".into()],
        seed: 1,
        recipe: Recipe { method: Method::AdamW, ..Recipe::default() },
        rate: 5e-3,
        cadence: Cadence::Tick,
        batch: 1,
        steps: 8,
        horizon: HORIZON,
        threshold: 0.5,
        window: 500,
        offer_ns: 50_000,
        envelope: OPEN,
    }
}

/// One row of a walk, owned.
#[derive(Clone)]
struct Given {
    row: Row<'static>,
    values: [f32; COLUMNS],
}

/// Rows of two instruments; with `leak`, column 0 says where the mid goes.
fn walk(rows: usize, seed: u64, leak: bool) -> Vec<Given> {
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
                traded: at % 7 == 0,
                stale: false,
                sound: at % 31 != 0,
                values: &[],
            };
            Given { row, values }
        })
        .collect()
}

fn give(beside: &mut Beside, given: &Given) -> Did {
    beside.row(&Row { values: &given.values, ..given.row })
}

fn run(beside: &mut Beside, rows: &[Given]) {
    for given in rows {
        if give(beside, given).offer {
            beside.judge().expect("a model");
            beside.settle();
        }
    }
}

fn bits(beside: &Beside) -> Vec<u32> {
    beside.parameters().iter().map(|value| value.to_bits()).collect()
}

fn kinds() -> Vec<(Loaded, Settings)> {
    let every = |cadence, batch| Settings { cadence, batch, ..settings() };
    vec![
        (mlp(), settings()),
        (mlp(), every(Cadence::Trade, 4)),
        (mlp(), every(Cadence::Every(10_000), 8)),
        (load(zoo::mlp(COLUMNS, 3, &[8], Activation::Relu, 3, false)), every(Cadence::Every(10_000), 8)),
        (load(zoo::lstm(COLUMNS, &[6], 3)), settings()),
    ]
}

#[test]
fn a_feature_that_tells_the_future_is_found_and_noise_is_not() {
    for (leak, cadence, batch) in
        [(true, Cadence::Tick, 1), (true, Cadence::Every(8_000), 8), (false, Cadence::Tick, 1)]
    {
        let mut beside = Beside::new(mlp(), Settings { cadence, batch, ..settings() }, 1).expect("fits");
        run(&mut beside, &walk(6_000, 3, leak));
        let scores = beside.scores();
        assert_eq!(scores.labels, 500);
        if leak {
            assert!(scores.learning_f1 > 0.9 && scores.learning_f1 > scores.frozen_f1 + 0.2, "{scores:?}");
        } else {
            assert!(scores.learning_mcc.abs() < 0.15, "{scores:?}");
        }
    }
}

#[test]
fn every_cadence_takes_its_steps_and_no_more() {
    let rows = walk(2_000, 5, true);
    let counts = |cadence, batch| -> Counts {
        let mut beside = Beside::new(mlp(), Settings { cadence, batch, ..settings() }, 1).expect("fits");
        run(&mut beside, &rows);
        beside.counts()
    };
    let tick = counts(Cadence::Tick, 1);
    let sound = rows.iter().filter(|given| given.row.sound).count() as u64;
    assert_eq!((tick.rows, tick.unsound), (2_000, 2_000 - sound));
    assert!(
        tick.labels <= sound && tick.labels + 2 * HORIZON as u64 >= sound,
        "all but the newest have labels"
    );
    assert_eq!(tick.steps, tick.labels);
    let trades = rows.iter().filter(|given| given.row.traded).count() as u64;
    let trade = counts(Cadence::Trade, 4);
    assert!(trade.steps <= trades && trade.steps + 3 >= trades, "{trade:?} of {trades} trades");
    let timed = counts(Cadence::Every(100_000), 16);
    assert_eq!(timed.steps, 19, "2 ms in 100 us; the first interval has no label yet at its first row");
    assert!(timed.skipped > 0, "some 97 labels an interval, 16 taken");
}

/// What was answered and learned up to a row is the same whatever comes after it.
#[test]
fn nothing_before_a_row_depends_on_what_comes_after() {
    let rows = walk(1_200, 9, true);
    let mut other = rows.clone();
    for given in &mut other[701..] {
        given.row.mid = given.row.mid.map(|mid| 20_000.0 - mid);
        given.values = [9.0; COLUMNS];
    }
    for (model, settings) in kinds() {
        let at = |rows: &[Given]| {
            let mut beside = Beside::new(model.clone(), settings.clone(), 1).expect("fits");
            run(&mut beside, &rows[..=700]);
            (bits(&beside), beside.scores())
        };
        assert_eq!(at(&rows), at(&other));
    }
}

#[test]
fn the_same_rows_give_the_same_weights_and_a_restart_changes_nothing() {
    let rows = walk(1_000, 11, true);
    for (model, settings) in kinds() {
        let fresh = || Beside::new(model.clone(), settings.clone(), 42).expect("fits");
        let mut whole = fresh();
        run(&mut whole, &rows);
        assert!(whole.counts().steps > 50, "{:?}", whole.counts());
        for cut in [0, 1, 13, 500, 999] {
            let mut first = fresh();
            run(&mut first, &rows[..cut]);
            let kept = first.checkpoint();
            // It dies a little later, and what it did meanwhile is gone.
            run(&mut first, &rows[cut..(cut + 20).min(rows.len())]);
            let mut second = fresh();
            second.resume(&kept).expect("ours");
            // The ring still holds some rows from before the checkpoint.
            run(&mut second, &rows[cut.saturating_sub(30)..]);
            assert_eq!(bits(&second), bits(&whole), "cut at {cut}, {:?}", settings.cadence);
            assert_eq!((second.counts(), second.scores()), (whole.counts(), whole.scores()));
            assert_eq!(second.checkpoint(), whole.checkpoint());
        }
    }
}

#[test]
fn another_run_or_lost_rows_drop_what_waits_and_keep_the_weights() {
    let rows = walk(1_000, 13, true);
    let mut first = Beside::new(mlp(), settings(), 1).expect("fits");
    run(&mut first, &rows[..500]);
    let kept = first.checkpoint();
    let labels_of_next = |run: u64, from: usize| {
        let mut second = Beside::new(mlp(), settings(), run).expect("fits");
        second.resume(&kept).expect("ours");
        assert_eq!(bits(&second), bits(&first));
        let labelled = (from..from + 2 * HORIZON).filter(|at| give(&mut second, &rows[*at]).labelled).count();
        (labelled, second.counts().gaps)
    };
    assert_eq!(
        labels_of_next(1, 500).1,
        1,
        "500 was the next, but the row at the checkpoint was not seen again"
    );
    assert_eq!(labels_of_next(1, 600), (0, 1), "a hundred rows lost: no label spans them");
    assert_eq!(labels_of_next(2, 0), (0, 1), "a new run");
    let mut lapped = first.clone();
    lapped.gap();
    let labelled = (600..600 + 2 * HORIZON).filter(|at| give(&mut lapped, &rows[*at]).labelled).count();
    assert_eq!(labelled, 0);
    assert!(give(&mut lapped, &rows[600 + 2 * HORIZON]).labelled);
}

#[test]
fn a_stale_book_ends_what_waits_for_that_instrument_alone() {
    let rows = walk(400, 17, true);
    let mut beside = Beside::new(mlp(), settings(), 1).expect("fits");
    run(&mut beside, &rows[..100]);
    let mut stale = rows[100].clone();
    stale.row.stale = true;
    give(&mut beside, &stale);
    let labelled: Vec<usize> = (101..101 + 2 * HORIZON)
        .filter(|at| give(&mut beside, &rows[*at]).labelled)
        .map(|at| at % 2)
        .collect();
    assert!(!labelled.is_empty() && labelled.iter().all(|instrument| *instrument == 1), "{labelled:?}");
}

#[test]
fn outside_the_envelope_nothing_is_offered_and_the_learner_goes_back() {
    let rows = walk(600, 19, true);
    let cases = [
        (Envelope { change_max: 1e-9, ..OPEN }, Verdict::Change),
        (Envelope { drift_max: 1e-9, ..OPEN }, Verdict::Drift),
        (Envelope { score_slack: -2.0, ..OPEN }, Verdict::Score),
        (Envelope { labels_min: 10_000, ..OPEN }, Verdict::Early),
    ];
    for (envelope, wanted) in cases {
        let mut beside = Beside::new(mlp(), Settings { envelope, ..settings() }, 1).expect("fits");
        let start = bits(&beside);
        let mut verdicts = Vec::new();
        for given in &rows {
            if give(&mut beside, given).offer {
                verdicts.push(beside.judge().expect("a model"));
                assert!(beside.candidate().is_none());
                assert_eq!(bits(&beside) == start, wanted != Verdict::Early);
            }
        }
        assert!(verdicts.len() > 5 && verdicts.iter().all(|verdict| *verdict == wanted), "{verdicts:?}");
        let withheld = if wanted == Verdict::Early { 0 } else { verdicts.len() as u64 };
        assert_eq!((beside.counts().withheld, beside.counts().published), (withheld, 0));
    }
}

#[test]
fn damaged_and_foreign_checkpoints_are_refused_and_change_nothing() {
    let rows = walk(300, 23, true);
    let mut beside = Beside::new(mlp(), settings(), 1).expect("fits");
    run(&mut beside, &rows);
    let kept = beside.checkpoint();
    let refused = |mut other: Beside, bytes: &[u8]| {
        let before = other.checkpoint();
        let error = other.resume(bytes).expect_err("refused");
        assert!(matches!(error, LearnError::Checkpoint(_)), "{error}");
        assert_eq!(other.checkpoint(), before);
        error.to_string()
    };
    let fresh = || Beside::new(mlp(), settings(), 1).expect("fits");
    for at in (0..kept.len()).step_by(997) {
        let mut bytes = kept.clone();
        bytes[at] ^= 4;
        assert!(refused(fresh(), &bytes).contains("damaged"));
        assert!(refused(fresh(), &kept[..at]).contains("damaged"));
    }
    let other = Settings { rate: 1e-3, ..settings() };
    assert!(refused(Beside::new(mlp(), other, 1).expect("fits"), &kept).contains("other settings"));
}

#[test]
fn what_cannot_be_learned_is_refused_by_name() {
    let fault = |model: Loaded, settings: Settings| {
        Beside::new(model, settings, 1).expect_err("does not fit").to_string()
    };
    let text = fault(load(zoo::autoencoder(COLUMNS, &[3], 2)), settings());
    assert!(text.contains("softmax"), "{text}");
    assert!(fault(mlp(), Settings { batch: 2, ..settings() }).contains("batch 2"));
    assert!(fault(mlp(), Settings { horizon: 0, ..settings() }).contains("horizon"));
    assert!(fault(mlp(), Settings { rate: f32::NAN, ..settings() }).contains("rate NaN"));
    assert!(fault(mlp(), Settings { cadence: Cadence::Every(0), batch: 8, ..settings() }).contains("0 ns"));
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("tickline-learn-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("made");
        Scratch(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

mod line {
    use super::*;
    use std::sync::Arc;
    use tickline_model::Program;
    use tickline_ring::{Segment, Shape};
    use tickline_weights::{Reader, Writer, segment_bytes};

    fn publish(segment: &Arc<Segment>, loaded: &Loaded) {
        let program = Program::new(&loaded.model).expect("fits");
        let mut writer = Writer::attach(segment.clone(), program).expect("free");
        writer.publish(loaded).expect("published");
    }

    fn newest(segment: &Arc<Segment>) -> u64 {
        let program = Program::new(&mlp().model).expect("fits");
        Reader::attach(segment.clone(), &program).expect("laid out").newest().expect("published").version
    }

    fn feed(desk: &mut Desk, rows: &[Given]) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for given in rows {
            if give(desk.beside(), given).offer {
                outcomes.push(desk.offer().expect("doors open"));
            }
        }
        outcomes
    }

    /// Goal: what runs in the line is what the learner says, it survives the learner, and a person's model ends it. Method: a real segment
    /// and a real file; the "crash" is a desk dropped without a word.
    #[test]
    fn published_kept_resumed_and_ended_by_a_person() {
        let scratch = Scratch::new("line");
        let segment = |name: &str| {
            let bytes = segment_bytes(&Program::new(&mlp().model).expect("fits"));
            Arc::new(Segment::create(scratch.0.join(name), Shape::Plain { bytes }).expect("fresh"))
        };
        let (rows, line) = (walk(2_000, 29, true), segment("weights"));
        publish(&line, &mlp());
        let file = || Some(scratch.0.join("state/learner.checkpoint"));
        let open = |run, line: &Arc<Segment>| Desk::open(mlp(), settings(), run, file(), Some(line.clone()));
        let mut desk = open(1, &line).expect("fits");
        let outcomes = feed(&mut desk, &rows[..900]);
        assert!(
            outcomes.len() > 10 && outcomes.iter().all(|outcome| *outcome == Outcome::Published),
            "{outcomes:?}"
        );
        let learned = desk.beside().in_place();
        assert_eq!(newest(&line), learned);
        assert_ne!(learned, mlp().hash);
        assert_eq!(desk.checkpoints(), outcomes.len() as u64);
        // Killed; the same run goes on with what the ring still holds, and is where it would have been.
        drop(desk);
        let mut desk = open(1, &line).expect("ours");
        feed(&mut desk, &rows[600..]);
        let mut whole = Desk::open(mlp(), settings(), 1, None, None).expect("fits");
        feed(&mut whole, &rows);
        assert_eq!(bits(desk.beside()), bits(whole.beside()));
        // Another run begins with the file's model: what was learned is put back before anything is learned.
        let (last, fresh) = (desk.beside().in_place(), segment("weights-2"));
        publish(&fresh, &mlp());
        drop(desk);
        let mut desk = open(2, &fresh).expect("ours");
        assert_eq!(newest(&fresh), last);
        // A person's model stays.
        let mut other = mlp();
        other.model.parameters[0] += 1.0;
        let other = decode(&encode(&other.model).expect("valid")).expect("just written");
        publish(&fresh, &other);
        let outcomes = feed(&mut desk, &rows[..400]);
        assert!(
            outcomes.len() > 3 && outcomes.iter().all(|outcome| *outcome == Outcome::Nothing),
            "{outcomes:?}"
        );
        assert!(desk.beside().stands_down());
        assert_eq!(newest(&fresh), other.hash);
    }

    #[test]
    fn doing_worse_puts_the_first_model_back() {
        let scratch = Scratch::new("back");
        let bytes = segment_bytes(&Program::new(&mlp().model).expect("fits"));
        let line =
            Arc::new(Segment::create(scratch.0.join("weights"), Shape::Plain { bytes }).expect("fresh"));
        publish(&line, &mlp());
        let envelope = Envelope { score_slack: 0.05, labels_min: 20, ..OPEN };
        let settings = Settings { envelope, window: 40, rate: 2e-3, ..settings() };
        let mut desk = Desk::open(mlp(), settings, 1, None, Some(line.clone())).expect("fits");
        // It learns that column 0 tells the future; then the column begins to lie.
        let mut rows = walk(6_000, 31, true);
        for (at, given) in rows.iter_mut().enumerate().skip(3_000) {
            given.values[0] *= if at % 400 < 200 { -1.0 } else { 1.0 };
        }
        let outcomes = feed(&mut desk, &rows);
        assert!(outcomes.contains(&Outcome::Published), "{outcomes:?}");
        let at = outcomes.iter().rposition(|outcome| *outcome == Outcome::RolledBack).expect("a rollback");
        assert!(at > 20, "{outcomes:?}");
        assert_eq!(
            desk.beside().counts().rolled_back,
            outcomes.iter().filter(|outcome| **outcome == Outcome::RolledBack).count() as u64
        );
    }

    #[test]
    fn a_checkpoint_that_cannot_be_written_publishes_nothing() {
        let scratch = Scratch::new("full");
        let bytes = segment_bytes(&Program::new(&mlp().model).expect("fits"));
        let line =
            Arc::new(Segment::create(scratch.0.join("weights"), Shape::Plain { bytes }).expect("fresh"));
        publish(&line, &mlp());
        let folder = scratch.0.join("state");
        let mut desk =
            Desk::open(mlp(), settings(), 1, Some(folder.join("learner")), Some(line.clone())).expect("fits");
        std::fs::remove_dir(&folder).expect("empty");
        let mut refused = 0;
        for given in &walk(300, 37, true) {
            if give(desk.beside(), given).offer {
                let error = desk.offer().expect_err("no folder");
                assert!(error.to_string().starts_with("LEARN_FILE"), "{error}");
                refused += 1;
            }
        }
        assert!(refused > 2);
        assert_eq!(newest(&line), mlp().hash);
    }
}
