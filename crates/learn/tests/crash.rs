//! Goal: wherever a learner dies, the next one ends where an uninterrupted one would have: the same weights, decisions and checkpoint, bit for
//! bit, and the line keeps what was in place. Method: first every moment of an offer by hand, then real processes and SIGKILL at chance moments
//! (some, or hundreds in the long mode).
mod desks;
mod walk;

use desks::{Scratch, feed, newest, publish};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tickline_learn::{
    ActorCritic, Cadence, Desk, Envelope, Gate, Liquidity, Outcome, Replay, Retrain, Settings,
};
use tickline_model::train::Dice;
use tickline_ring::Segment;
use tickline_trials::trials;
use walk::{Given, OPEN, bits, give, mlp, settings, walk};

fn open(file: &Path, line: &Arc<Segment>, own: &Settings) -> Desk {
    Desk::open(mlp(), Vec::new(), own.clone(), 1, Some(file.to_path_buf()), Some(line.clone()))
        .expect("opens")
}

/// Everything that must be the same, the checkpoint included.
fn whole(name: &str, rows: &[Given], own: &Settings) -> (Vec<u32>, u64, Vec<u8>) {
    let scratch = Scratch::new(&format!("whole-{name}"));
    let line = scratch.line("weights");
    let mut desk = open(&scratch.0.join("learner"), &line, own);
    feed(&mut desk, rows);
    (bits(desk.beside()), desk.beside().in_place(), desk.beside().checkpoint())
}

fn same(desk: &mut Desk, wanted: &(Vec<u32>, u64, Vec<u8>), moment: &str) {
    assert_eq!(bits(desk.beside()), wanted.0, "{moment}");
    assert_eq!(desk.beside().in_place(), wanted.1, "{moment}");
    assert!(desk.beside().checkpoint() == wanted.2, "{moment}: the checkpoint differs");
}

/// Gives rows until an offer is due, and returns how many were given.
fn until_offer(desk: &mut Desk, rows: &[Given], nth: usize) -> usize {
    let mut offers = 0;
    for (at, given) in rows.iter().enumerate() {
        if give(desk.beside(), given).offer {
            offers += 1;
            if offers == nth {
                return at + 1;
            }
            desk.offer().expect("doors open");
        }
    }
    panic!("no {nth} offers in {} rows", rows.len());
}

#[test]
fn every_moment_of_an_offer() {
    let rows = walk(1_500, 51, true);
    let own = settings();
    let wanted = whole("moments", &rows, &own);
    for moment in ["before judging", "judged", "kept", "published", "half a file"] {
        for nth in [1, 2, 7] {
            let scratch = Scratch::new(&format!("moment-{}-{nth}", moment.replace(' ', "-")));
            let (line, file) = (scratch.line("weights"), scratch.0.join("learner"));
            let mut desk = open(&file, &line, &own);
            let given = until_offer(&mut desk, &rows, nth);
            if moment != "before judging" {
                desk.beside().judge().expect("a model");
            }
            if moment == "kept" || moment == "published" {
                desk.keep().expect("written");
            }
            if moment == "published" {
                publish(&line, &desk.beside().candidate().expect("learned"));
            }
            if moment == "half a file" {
                let bytes = desk.beside().checkpoint();
                std::fs::write(file.with_extension("partial"), &bytes[..bytes.len() / 2]).expect("written");
            }
            let before = newest(&line);
            drop(desk);
            let mut desk = open(&file, &line, &own);
            if moment != "kept" {
                assert_eq!(newest(&line), before, "{moment}: the line keeps what is in place");
            }
            feed(&mut desk, &rows[given.saturating_sub(900)..]);
            same(&mut desk, &wanted, moment);
            assert_eq!(newest(&line), wanted.1);
        }
    }
}

#[test]
fn after_a_quarantine_a_rollback_and_a_stand_down() {
    // The column that tells the future begins to lie now and then.
    let mut rows = walk(6_000, 31, true);
    for (at, given) in rows.iter_mut().enumerate().skip(3_000) {
        given.values[0] *= if at % 400 < 200 { -1.0 } else { 1.0 };
    }
    let narrow = Envelope { change_max: 0.02, ..OPEN };
    let strict = Envelope { score_slack: 0.05, labels_min: 20, ..OPEN };
    for (name, envelope, rate) in [("quarantine", narrow, 1e-2), ("rollback", strict, 2e-3)] {
        let own = Settings { envelope, window: 40, rate, ..settings() };
        let wanted = whole(name, &rows, &own);
        let scratch = Scratch::new(name);
        let (line, file) = (scratch.line("weights"), scratch.0.join("learner"));
        let (mut desk, mut at, mut seen) = (open(&file, &line, &own), 0, 0);
        while at < rows.len() {
            let offered = give(desk.beside(), &rows[at]).offer;
            at += 1;
            if offered && !matches!(desk.offer().expect("doors open"), Outcome::Published | Outcome::Nothing)
            {
                seen += 1;
                if seen % 5 == 1 {
                    drop(desk);
                    desk = open(&file, &line, &own);
                    at = at.saturating_sub(500);
                }
            }
        }
        assert!(seen > 3, "{name}: {seen}");
        same(&mut desk, &wanted, name);
    }
    let scratch = Scratch::new("stand-down");
    let (line, file) = (scratch.line("weights"), scratch.0.join("learner"));
    let mut desk = open(&file, &line, &settings());
    feed(&mut desk, &rows[..400]);
    let mut person = mlp();
    (person.model.parameters[0], person.hash) = (0.5, 42);
    publish(&line, &person);
    feed(&mut desk, &rows[400..600]);
    drop(desk);
    let mut desk = open(&file, &line, &settings());
    feed(&mut desk, &rows[200..1_000]);
    assert!(desk.beside().stands_down());
    assert_eq!(newest(&line), 42, "a person's model stays, over a restart too");
}

/// What the killed processes learn with: everything that a checkpoint must hold.
fn full() -> Settings {
    let gate = Gate {
        labels: 150,
        margin: 0.01,
        calibration_max: 1.0,
        drift_max: 10.0,
        fall_labels: 50,
        fall: 0.02,
    };
    Settings {
        gate: Some(gate),
        replay: Some(Replay { capacity: 128, oversample: 100.0, sharpness: 0.6, correction: 1.0 }),
        cadence: Cadence::Every(4_000),
        batch: 8,
        envelope: Envelope { score_slack: 0.2, labels_min: 50, change_max: 0.5, drift_max: 5.0 },
        dropout: Some(0.1),
        liquidity: Some(Liquidity { most: 3.0, fast: 10, slow: 200 }),
        retrain: Some(Retrain {
            every_ns: 1_000_000,
            labels: 100,
            each: 2,
            batch: 8,
            steps: 150,
            rate: 1e-2,
        }),
        window: 200,
        rate: 1e-2,
        ..settings()
    }
}

/// Likewise by reward.
fn by_reward() -> Settings {
    let asked = ActorCritic { discount: 0.5, explore: 0.1, critic_rate: 1e-3, trades: 100, cost: 0.0 };
    Settings { actor_critic: Some(asked), replay: None, ..full() }
}

/// What a folder's processes learn with.
fn of(folder: &Path) -> Settings {
    if folder.join(BY_REWARD).exists() { by_reward() } else { full() }
}

/// File of a folder whose processes learn by reward.
const BY_REWARD: &str = "by-reward";
const FOLDER: &str = "TICKLINE_CRASH_FOLDER";

fn crash_rows() -> Vec<Given> {
    let mut rows = walk(6_000, 57, true);
    rows.iter_mut().skip(3_500).for_each(|given| given.values[0] = -given.values[0]);
    rows
}

/// The process that is killed: it takes up its checkpoint, learns what it has not seen, and says at its end where it is.
#[test]
#[ignore = "a part of kill_nine_at_any_moment, which runs it as a process"]
fn victim() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let line = Arc::new(Segment::open(folder.join("weights")).expect("there"));
    let mut desk = open(&folder.join("learner"), &line, &of(&folder));
    feed(&mut desk, &crash_rows());
    std::fs::write(folder.join("done"), desk.beside().checkpoint()).expect("written");
}

#[test]
fn kill_nine_at_any_moment() {
    kill("kill", trials(8, 200), |_| {});
}

#[test]
fn kill_nine_while_it_learns_by_reward() {
    kill("kill-by-reward", trials(4, 100), |folder| {
        std::fs::write(folder.join(BY_REWARD), "").expect("written")
    });
}

/// Kills processes of a folder so many times, and holds what the last ones come to against one that was not killed.
fn kill(name: &str, kills: usize, prepare: impl FnOnce(&Path)) {
    let scratch = Scratch::new(name);
    prepare(&scratch.0);
    let wanted = whole(&format!("{name}-whole"), &crash_rows(), &of(&scratch.0));
    let _line = scratch.line("weights");
    let victim = || {
        let mut command = Command::new(std::env::current_exe().expect("this test"));
        command.args(["--exact", "victim", "--ignored"]).env(FOLDER, &scratch.0);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started")
    };
    let (mut dice, mut killed, mut halves) = (Dice::new(61), 0, 0);
    while killed < kills {
        let mut child = victim();
        std::thread::sleep(Duration::from_micros(2_000 + dice.below(120_000) as u64));
        child.kill().expect("killed or over");
        killed += usize::from(!child.wait().expect("over").success());
        halves += usize::from(
            ["learner.partial", "learner.window.partial"].iter().any(|half| scratch.0.join(half).exists()),
        );
        if scratch.0.join("done").exists() {
            // It came to its end: the next one begins anew.
            assert!(std::fs::read(scratch.0.join("done")).expect("read") == wanted.2, "after {killed} kills");
            ["done", "learner"]
                .iter()
                .for_each(|file| std::fs::remove_file(scratch.0.join(file)).expect("there"));
            let segment = Arc::new(Segment::open(scratch.0.join("weights")).expect("there"));
            publish(&segment, &mlp());
        }
    }
    assert!(victim().wait().expect("over").success());
    assert!(
        std::fs::read(scratch.0.join("done")).expect("it ended") == wanted.2,
        "after {killed} kills, {halves} of them while writing"
    );
    println!("{killed} kills, {halves} while the checkpoint was being written");
}
