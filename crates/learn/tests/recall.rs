//! Goal: learning from a memory in which rare moves come a hundred times as often finds them, answers for the market's frequencies all the
//! same, and goes on after a crash to the bit. Method: walks on which a move is rare and a column tells it.
mod walk;

use tickline_learn::{Beside, Cadence, Replay, Settings};
use tickline_model::train::Dice;
use tickline_model::zoo;
use walk::{COLUMNS, Given, HORIZON, bits, load, mlp, run, score, settings, start, walk};

const MEMORY: Replay = Replay { capacity: 512, oversample: 100.0, sharpness: 0.6, correction: 1.0 };

/// The walk of one instrument, flat but for a step up in 50 events and a step down in 80; column 0 tells two thirds of them, and false ones.
fn rare(rows: usize, seed: u64) -> Vec<Given> {
    let mut dice = Dice::new(seed);
    let mut given = walk(rows, seed, false);
    let steps: Vec<f64> = (0..rows + HORIZON)
        .map(|_| {
            if dice.below(50 * HORIZON) == 0 {
                1.0
            } else if dice.below(80 * HORIZON) == 0 {
                -1.0
            } else {
                0.0
            }
        })
        .collect();
    let mut mid = 10_000.0;
    for (at, one) in given.iter_mut().enumerate() {
        mid += steps[at];
        let next: f64 = steps[at + 1..=at + HORIZON].iter().sum();
        (one.row.instrument, one.row.mid, one.row.sound) = (0, Some(mid), true);
        let told = if dice.below(3) > 0 { next.clamp(-1.0, 1.0) } else { 0.0 };
        let lie = if dice.below(60) == 0 { dice.below(3) as f64 - 1.0 } else { 0.0 };
        one.values[0] = (told + lie).clamp(-1.0, 1.0) as f32;
    }
    given
}

fn own(replay: Option<Replay>) -> Settings {
    Settings { replay, cadence: Cadence::Every(8_000), batch: 16, rate: 5e-3, window: 4_000, ..settings() }
}

/// Goal: rare moves are found sooner than from the newest labels alone, and the confidence is still what the answers are worth, though three
/// quarters of what was learned from were moves. Method: the same rows with and without memory; the running evaluation of the first part.
#[test]
fn rare_moves_are_found_and_answers_stay_honest() {
    let rows = rare(8_000, 3);
    let scored = |replay| {
        let mut beside = start(mlp(), own(replay), 1);
        run(&mut beside, &rows);
        score(&beside, "learning")
    };
    let (with, without) = (scored(Some(MEMORY)), scored(None));
    assert!(with.macro_f1 > 0.5 && with.macro_f1 > without.macro_f1 + 0.1, "{with:?} {without:?}");
    assert!(with.calibration < 0.05, "the prior is put right: {with:?}");
    let moves = rows.len() as f64 * (1.0 / 50.0 + 1.0 / 80.0) / rows.len() as f64;
    assert!(
        with.coverage < 2.0 * moves && with.coverage > 0.3 * moves,
        "calls are about as rare as moves: {with:?}"
    );
}

#[test]
fn learning_from_memory_changes_no_answer_before_the_first_step() {
    let rows = rare(600, 5);
    let silent = Settings { cadence: Cadence::Every(u64::MAX / 4), ..own(Some(MEMORY)) };
    let mut beside = start(mlp(), silent, 1);
    run(&mut beside, &rows);
    let [frozen, learning] = ["frozen", "learning"].map(|role| score(&beside, role));
    assert_eq!(frozen, learning);
}

#[test]
fn a_memory_survives_a_crash_to_the_bit() {
    let rows = rare(1_500, 7);
    let kinds = [
        (mlp(), own(Some(MEMORY))),
        (mlp(), Settings { cadence: Cadence::Tick, batch: 4, ..own(Some(MEMORY)) }),
        (load(zoo::lstm(COLUMNS, &[6], 3)), Settings { batch: 1, ..own(Some(MEMORY)) }),
    ];
    for (model, settings) in kinds {
        let fresh = || start(model.clone(), settings.clone(), 9);
        let mut whole = fresh();
        run(&mut whole, &rows);
        assert!(whole.counts().steps > 100, "{:?}", whole.counts());
        for cut in [1, 40, 700, 1_499] {
            let mut first = fresh();
            run(&mut first, &rows[..cut]);
            let kept = first.checkpoint();
            run(&mut first, &rows[cut..(cut + 9).min(rows.len())]);
            let mut second = fresh();
            second.resume(&kept).expect("ours");
            run(&mut second, &rows[cut.saturating_sub(30)..]);
            assert_eq!(bits(&second), bits(&whole), "cut at {cut}, {:?}", settings.cadence);
            assert_eq!(second.checkpoint(), whole.checkpoint());
        }
    }
}

#[test]
fn a_memory_that_makes_no_sense_is_refused_by_name() {
    let fault = |model, replay| {
        Beside::new(model, Vec::new(), own(Some(replay)), 1).expect_err("does not fit").to_string()
    };
    assert!(fault(mlp(), Replay { oversample: 0.5, ..MEMORY.clone() }).contains("oversampling 0.5"));
    assert!(fault(mlp(), Replay { capacity: 0, ..MEMORY.clone() }).contains("0 lessons"));
    assert!(fault(mlp(), Replay { correction: f64::NAN, ..MEMORY }).contains("correction NaN"));
}
