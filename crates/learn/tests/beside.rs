//! Goal: learning beside the line looks at no future, learns what is there, keeps to its envelope, and goes on after a crash as if nothing
//! had happened. Method: synthetic walks of two instruments with a feature that tells the future (leak) or noise, on real learners.
mod walk;

use tickline_learn::{
    Anneal, Beside, Cadence, Counts, Envelope, LearnError, Liquidity, Pace, Plateau, Settings, Turn, Verdict,
    Volatility,
};
use tickline_model::file::Loaded;
use tickline_model::train::{Loss, Method, Recipe};
use tickline_model::{Activation, zoo};
use walk::{
    COLUMNS, Given, HORIZON, OPEN, bits, give, load, mlp, restarts, run, score, settings, start,
    turned_after, walk,
};

fn kinds() -> Vec<(Loaded, Settings)> {
    let every = |cadence, batch| Settings { cadence, batch, ..settings() };
    vec![
        (mlp(), settings()),
        (mlp(), every(Cadence::Trade, 4)),
        (mlp(), every(Cadence::Every(10_000), 8)),
        (load(zoo::mlp(COLUMNS, 3, &[8], Activation::Relu, 3, false)), every(Cadence::Every(10_000), 8)),
        (load(zoo::lstm(COLUMNS, &[6], 3)), settings()),
        (mlp(), Settings { cadence: Cadence::Trade, batch: 4, ..everything(Method::Sophia, Loss::Squares) }),
        (load(zoo::lstm(COLUMNS, &[6], 3)), everything(Method::RmsProp, Loss::CrossEntropy)),
    ]
}

/// The same in turns with another.
fn in_turns() -> Vec<(Loaded, Settings)> {
    let turn = Turn { of: 2, own: 1 };
    kinds().into_iter().map(|(model, own)| (model, Settings { turn, ..own })).collect()
}

/// Every setting of the mathematics at once.
fn everything(method: Method, loss: Loss) -> Settings {
    let recipe = Recipe {
        method,
        loss,
        decay: 1e-3,
        clip: 0.5,
        sharpness: 0.05,
        adversary: 0.02,
        ..Recipe::default()
    };
    let pace = Pace {
        warm: 20,
        anneal: Some(Anneal { steps: 100, floor: 0.2, again: true }),
        plateau: Some(Plateau { cut: 0.7, patience: 2, every: 10, floor: 0.1 }),
        volatility: Some(Volatility { most: 3.0, fast: 10, slow: 100 }),
    };
    let liquidity = Some(Liquidity { most: 3.0, fast: 10, slow: 100 });
    Settings { recipe, pace, dropout: Some(0.1), liquidity, ..settings() }
}

/// Goal: dropout rises while the book of the instrument at hand is thin, falls when it is deep again, and the weights follow. Method: a walk
/// that is thin for a stretch in one of two instruments, beside a learner that does not look.
#[test]
fn dropout_follows_liquidity_and_the_weights_follow_dropout() {
    let asked = Some(Liquidity { most: 3.0, fast: 10, slow: 400 });
    let mut rows = walk(2_000, 43, true);
    for (at, given) in rows.iter_mut().enumerate() {
        let thin = (1_000..1_200).contains(&at) && at % 2 == 0;
        given.row.liquidity = Some(if thin { 0.2 } else { 1.0 });
    }
    for model in [mlp(), load(zoo::lstm(COLUMNS, &[6], 3))] {
        let with =
            |liquidity| start(model.clone(), Settings { dropout: Some(0.2), liquidity, ..settings() }, 1);
        let (mut looking, mut blind) = (with(asked), with(None));
        let mut most = [1.0f32; 2];
        for (at, given) in rows.iter().enumerate() {
            let stepped = give(&mut looking, given).stepped;
            give(&mut blind, given);
            let factor = looking.stride().dropout;
            if stepped {
                most[at % 2] = most[at % 2].max(factor);
            }
            match at {
                ..1_000 => assert_eq!((factor, bits(&looking)), (1.0, bits(&blind)), "at {at}"),
                1_190..1_200 if stepped && at % 2 == 0 => assert!(factor > 2.5, "{factor} at {at}"),
                1_999 => assert_eq!(factor, 1.0, "it is deep again"),
                _ => {}
            }
        }
        assert!(most[0] > 2.5 && most[0] <= 3.0 && most[1] == 1.0, "each by its own book: {most:?}");
        assert_ne!(bits(&looking), bits(&blind));
        assert_eq!((blind.stride().dropout, blind.stride().rate), (1.0, settings().rate));
    }
}

/// Goal: every optimiser, loss and schedule learns beside the line what there is to learn. Method: the walk with a column that tells the
/// future; the learning model's macro-F1 against the frozen one's.
#[test]
fn every_method_loss_and_schedule_learns() {
    let rows = walk(8_000, 41, true);
    let methods = [
        (Method::Sgd, 0.2),
        (Method::Momentum { momentum: 0.9 }, 0.02),
        (Method::AdaGrad, 0.05),
        (Method::RmsProp, 5e-3),
        (Method::Adam, 1e-2),
        (Method::AdamW, 1e-2),
        (Method::Sophia, 5e-3),
    ];
    for (method, rate) in methods {
        for loss in [Loss::CrossEntropy, Loss::Squares, Loss::Cautious { over: 0.5, under: 0.2 }] {
            let own = Settings { rate, ..everything(method, loss) };
            let mut beside = start(mlp(), own, 1);
            run(&mut beside, &rows);
            let [frozen, learning] = ["frozen", "learning"].map(|role| score(&beside, role).macro_f1);
            assert!(learning > frozen + 0.15, "{method:?} {loss:?}: {frozen} {learning}");
        }
    }
}

#[test]
fn a_feature_that_tells_the_future_is_found_and_noise_is_not() {
    for (leak, cadence, batch) in
        [(true, Cadence::Tick, 1), (true, Cadence::Every(8_000), 8), (false, Cadence::Tick, 1)]
    {
        let mut beside = start(mlp(), Settings { cadence, batch, ..settings() }, 1);
        run(&mut beside, &walk(6_000, 3, leak));
        let [frozen, learning, persistence] =
            ["frozen", "learning", "baseline"].map(|role| score(&beside, role));
        assert_eq!([frozen.labels, learning.labels, persistence.labels], [500; 3]);
        assert!(persistence.mcc.abs() < 0.3, "{persistence:?}");
        if leak {
            assert!(learning.macro_f1 > 0.9 && learning.macro_f1 > frozen.macro_f1 + 0.2, "{learning:?}");
            assert!(learning.calibration < 0.15 && learning.coverage > 0.4, "{learning:?}");
        } else {
            assert!(learning.mcc.abs() < 0.15, "{learning:?}");
        }
    }
}

#[test]
fn every_cadence_takes_its_steps_and_no_more() {
    let rows = walk(2_000, 5, true);
    let counts = |cadence, batch| -> Counts {
        let mut beside = start(mlp(), Settings { cadence, batch, ..settings() }, 1);
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

/// Goal: learners that take turns share the steps: together they take each one that is due once, each some of them, and each learns what is
/// there; alone again, they are as ever. Method: three of each kind beside one that takes every step, on the same rows.
#[test]
fn learners_in_turn_share_the_steps() {
    let rows = walk(4_000, 61, true);
    for (model, own) in kinds() {
        let (mut all, mut each) = (start(model.clone(), own.clone(), 1), Vec::new());
        for nth in 0..3 {
            let turn = Turn { of: 3, own: nth };
            each.push(start(model.clone(), Settings { turn, ..own.clone() }, 1));
        }
        for given in &rows {
            let due = give(&mut all, given).stepped;
            let took = each.iter_mut().filter_map(|one| give(one, given).stepped.then_some(())).count();
            assert!(took <= 1, "two have the same turn");
            if own.cadence == Cadence::Tick {
                assert_eq!(took == 1, due, "each step is somebody's");
            }
        }
        let (whole, mut sum) = (all.counts(), 0);
        for one in &each {
            let Counts { steps, labels, skipped, .. } = one.counts();
            assert_eq!(labels, whole.labels);
            assert!(steps * 5 > whole.steps && steps * 2 < whole.steps, "{steps} of {}", whole.steps);
            assert!(skipped > 0);
            sum += steps;
        }
        assert!(sum <= whole.steps + 3 && sum * 10 >= whole.steps * 8, "{sum} of {}", whole.steps);
        assert_ne!(bits(&each[0]), bits(&each[1]));
    }
    let leaked = |one: &Beside| score(one, "learning").macro_f1;
    for nth in 0..3 {
        let mut one = start(mlp(), Settings { turn: Turn { of: 3, own: nth }, ..settings() }, 1);
        run(&mut one, &walk(8_000, 3, true));
        assert!(leaked(&one) > 0.9, "{}", leaked(&one));
    }
}

/// What was answered and learned up to a row is the same whatever comes after it.
#[test]
fn nothing_before_a_row_depends_on_what_comes_after() {
    let rows = walk(1_200, 9, true);
    let other = turned_after(&rows, 700);
    for (model, settings) in kinds().into_iter().chain(in_turns()) {
        let at = |rows: &[Given]| {
            let mut beside = start(model.clone(), settings.clone(), 1);
            run(&mut beside, &rows[..=700]);
            (bits(&beside), beside.standings())
        };
        assert_eq!(at(&rows), at(&other));
    }
}

#[test]
fn the_same_rows_give_the_same_weights_and_a_restart_changes_nothing() {
    let rows = walk(1_000, 11, true);
    for (model, settings) in kinds().into_iter().chain(in_turns()) {
        let fresh = || start(model.clone(), settings.clone(), 42);
        let whole = restarts(fresh, &rows, &[0, 1, 13, 500, 999], &format!("{:?}", settings.cadence));
        assert!(whole.counts().steps > 25, "{:?}", whole.counts());
    }
}

#[test]
fn another_run_or_lost_rows_drop_what_waits_and_keep_the_weights() {
    let rows = walk(1_000, 13, true);
    let mut first = start(mlp(), settings(), 1);
    run(&mut first, &rows[..500]);
    let kept = first.checkpoint();
    let labels_of_next = |run: u64, from: usize| {
        let mut second = start(mlp(), settings(), run);
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
    let mut again = start(mlp(), settings(), 1);
    again.resume(&kept).expect("ours");
    again.gap();
    run(&mut again, &rows[480..]);
    let mut whole = first.clone();
    run(&mut whole, &rows[500..]);
    assert_eq!((again.counts().gaps, bits(&again)), (0, bits(&whole)), "what was lost had been seen before");
    let mut lapped = first.clone();
    lapped.gap();
    let labelled = (600..600 + 2 * HORIZON).filter(|at| give(&mut lapped, &rows[*at]).labelled).count();
    assert_eq!(labelled, 0);
    assert!(give(&mut lapped, &rows[600 + 2 * HORIZON]).labelled);
}

#[test]
fn a_stale_book_ends_what_waits_for_that_instrument_alone() {
    let rows = walk(400, 17, true);
    let mut beside = start(mlp(), settings(), 1);
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
        let mut beside = start(mlp(), Settings { envelope, ..settings() }, 1);
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
    let mut beside = start(mlp(), settings(), 1);
    run(&mut beside, &rows);
    let kept = beside.checkpoint();
    let refused = |mut other: Beside, bytes: &[u8]| {
        let before = other.checkpoint();
        let error = other.resume(bytes).expect_err("refused");
        assert!(matches!(error, LearnError::Checkpoint(_)), "{error}");
        assert_eq!(other.checkpoint(), before);
        error.to_string()
    };
    let fresh = || start(mlp(), settings(), 1);
    for at in (0..kept.len()).step_by(997) {
        let mut bytes = kept.clone();
        bytes[at] ^= 4;
        assert!(refused(fresh(), &bytes).contains("damaged"));
        assert!(refused(fresh(), &kept[..at]).contains("damaged"));
    }
    let other = Settings { rate: 1e-3, ..settings() };
    assert!(refused(start(mlp(), other, 1), &kept).contains("other settings"));
}

#[test]
fn what_cannot_be_learned_is_refused_by_name() {
    let fault = |model: Loaded, settings: Settings| {
        Beside::new(model, Vec::new(), settings, 1).expect_err("does not fit").to_string()
    };
    let text = fault(load(zoo::autoencoder(COLUMNS, &[3], 2)), settings());
    assert!(text.contains("softmax"), "{text}");
    assert!(fault(mlp(), Settings { batch: 2, ..settings() }).contains("batch 2"));
    assert!(fault(mlp(), Settings { horizon: 0, ..settings() }).contains("horizon"));
    assert!(fault(mlp(), Settings { rate: f32::NAN, ..settings() }).contains("rate NaN"));
    assert!(fault(mlp(), Settings { dropout: Some(1.0), ..settings() }).contains("dropout 1"));
    let slow = Pace { anneal: Some(Anneal { steps: 0, floor: 0.0, again: false }), ..Pace::default() };
    assert!(fault(mlp(), Settings { pace: slow, ..settings() }).contains("annealing over 0"));
    let turn = Settings { turn: Turn { of: 2, own: 2 }, ..settings() };
    assert!(fault(mlp(), turn).contains("turn 2 of 2"));
    let hinge = |over, under| {
        let recipe = Recipe { loss: Loss::Cautious { over, under }, ..Recipe::default() };
        Beside::new(mlp(), Vec::new(), Settings { recipe, ..settings() }, 1)
    };
    for (over, under) in
        [(0.5, 2.0), (1.0, 1.0), (0.0, 0.0), (1.0, -1.0), (f32::NAN, 0.1), (f32::INFINITY, 0.1)]
    {
        let text = hinge(over, under).expect_err("a missed move must cost less").to_string();
        assert!(text.contains("false alarms must cost more"), "{over} {under}: {text}");
    }
    assert!(hinge(1.0, 0.999).is_ok());
    let thin = Some(Liquidity { most: 0.5, fast: 1, slow: 2 });
    assert!(fault(mlp(), Settings { liquidity: thin, ..settings() }).contains("within 0.5"));
    let nothing = Settings { liquidity: Some(Liquidity { most: 2.0, fast: 1, slow: 2 }), ..settings() };
    assert!(fault(mlp(), nothing).contains("set learner.dropout above 0"));
    assert!(fault(mlp(), Settings { cadence: Cadence::Every(0), batch: 8, ..settings() }).contains("0 ns"));
}
