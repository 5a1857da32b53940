//! Goal: a checkpoint stays small whatever the retraining's window holds, since each lesson of it is written once; and wherever a learner dies between
//! the two files, the next one ends where an uninterrupted one would have. Method: real files, cut, damaged and left behind as a death would
//! leave them.
mod desks;
mod walk;

use desks::{Scratch, feed};
use std::fs;
use std::path::{Path, PathBuf};
use tickline_learn::{Desk, LearnError, Replay, Retrain, Settings};
use walk::{Given, bits, mlp, settings, walk};

/// Bytes of a lesson's record: its number, class, label, four columns, its sum.
const RECORD: usize = 8 + 1 + 1 + 16 + 8;
const LABELS: usize = 300;

fn retrains(labels: usize, each: u64) -> Settings {
    let retrain = Retrain { every_ns: 400_000, labels, each, batch: 8, steps: 150, rate: 1e-2 };
    Settings { retrain: Some(retrain), dropout: Some(0.1), ..settings() }
}

fn open(file: &Path, own: &Settings) -> Result<Desk, LearnError> {
    Desk::open(mlp(), Vec::new(), own.clone(), 1, Some(file.to_path_buf()), None)
}

fn window_of(file: &Path) -> PathBuf {
    file.with_extension("window")
}

fn bytes(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

/// Everything that must be the same, however it came about.
fn end(desk: &mut Desk) -> (Vec<u32>, Vec<u8>) {
    (bits(desk.beside()), desk.beside().checkpoint())
}

fn whole(rows: &[Given], own: &Settings) -> (Vec<u32>, Vec<u8>) {
    let mut desk = Desk::open(mlp(), Vec::new(), own.clone(), 1, None, None).expect("fits");
    feed(&mut desk, rows);
    end(&mut desk)
}

#[test]
fn a_checkpoint_is_as_small_as_without_a_window_and_each_lesson_is_written_once() {
    let (rows, scratch) = (walk(6_000, 3, true), Scratch::new("small"));
    let sizes = [100, 20_000].map(|labels| {
        let file = scratch.0.join(format!("of-{labels}"));
        let own = retrains(labels, 1);
        let mut desk = open(&file, &own).expect("fits");
        let mut before = 0;
        for part in rows.chunks(500) {
            feed(&mut desk, part);
            desk.keep().expect("written");
            let (now, added) = (bytes(&window_of(&file)), desk.beside().counts().labels);
            if labels == 20_000 {
                assert_eq!(now, added * RECORD as u64, "each lesson once");
                assert!(now > before);
                before = now;
            } else {
                // Written anew once it is three times what the window holds; between two checkpoints come fewer than 50.
                assert!(now <= ((3 * labels + 50) * RECORD) as u64, "{now}");
            }
        }
        bytes(&file)
    });
    let plain = scratch.0.join("plain");
    let mut desk = open(&plain, &Settings { retrain: None, ..retrains(1, 1) }).expect("fits");
    feed(&mut desk, &rows);
    desk.keep().expect("written");
    assert_eq!(bytes(&window_of(&plain)), 0, "nothing to write, no file");
    assert!(sizes[1] == sizes[0] && sizes[1] < bytes(&plain) + 4_000, "{sizes:?}, {} without", bytes(&plain));
    let mut inside = open(&scratch.0.join("of-20000"), &retrains(20_000, 1)).expect("its own");
    assert!(inside.beside().checkpoint().len() as u64 > sizes[1] + 100_000, "what would be written else");
}

/// Goal: a death at any moment of a checkpoint, with what it leaves in both files. Method: each moment by hand, at several checkpoints: before the
/// window's file is written anew, right when it is, and long after.
#[test]
fn every_moment_of_a_checkpoint() {
    let rows = walk(1_500, 51, true);
    let replay = Some(Replay { capacity: 64, oversample: 10.0, sharpness: 0.6, correction: 1.0 });
    let kinds = [retrains(LABELS, 1), Settings { replay, ..retrains(LABELS, 2) }];
    for (kind, own) in kinds.iter().enumerate() {
        let wanted = whole(&rows, own);
        for cut in [40, 333, 777, 1_250] {
            for moment in
                ["kept", "appended", "torn record", "foreign record", "old window", "half a rewrite"]
            {
                let scratch = Scratch::new(&format!("window-{kind}-{cut}-{}", moment.replace(' ', "-")));
                let file = scratch.0.join("learner");
                let mut desk = open(&file, own).expect("fits");
                feed(&mut desk, &rows[..cut]);
                desk.keep().expect("written");
                let (checkpoint, lessons) = (fs::read(&file).expect("there"), bytes(&window_of(&file)));
                match moment {
                    "kept" => {}
                    // The next checkpoint's lessons are there, the checkpoint is not; and the walk went another way than it will.
                    "appended" => {
                        for given in &walk(1_500, 52, true)[cut..cut + 120] {
                            walk::give(desk.beside(), given);
                        }
                        desk.keep().expect("written");
                        assert!(bytes(&window_of(&file)) > lessons, "it is written anew at no cut");
                        fs::write(&file, &checkpoint).expect("put back");
                    }
                    "torn record" | "foreign record" => {
                        let mut window = fs::read(window_of(&file)).expect("there");
                        let last = window[window.len() - RECORD..].to_vec();
                        window.extend_from_slice(if moment == "torn record" { &last[..20] } else { &last });
                        fs::write(window_of(&file), window).expect("written");
                    }
                    // Another learner's that was thrown away without it.
                    "old window" => {
                        fs::remove_file(&file).expect("there");
                    }
                    _ => fs::write(file.with_extension("window.partial"), vec![7; 99]).expect("written"),
                }
                drop(desk);
                let mut desk = open(&file, own).expect("its own");
                let from = if moment == "old window" { 0 } else { cut - 30 };
                feed(&mut desk, &rows[from..]);
                assert!(end(&mut desk) == wanted, "kind {kind}, {moment} at {cut}");
                desk.keep().expect("written");
                let mut again = open(&file, own).expect("its own");
                assert!(end(&mut again) == wanted, "kind {kind}, {moment} at {cut}: read again");
            }
        }
    }
}

#[test]
fn a_window_that_is_missing_or_damaged_is_refused_by_name_and_changes_nothing() {
    let (rows, scratch, own) = (walk(2_000, 5, true), Scratch::new("damaged"), retrains(LABELS, 1));
    let file = scratch.0.join("learner");
    let mut desk = open(&file, &own).expect("fits");
    feed(&mut desk, &rows[..400]);
    desk.keep().expect("written");
    let wanted = end(&mut desk);
    let window = fs::read(window_of(&file)).expect("there");
    let lessons = window.len() / RECORD;
    assert!(lessons > LABELS, "some have left the window");
    let refusal = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut other = window.clone();
        change(&mut other);
        fs::write(window_of(&file), other).expect("written");
        open(&file, &own).err().map(|error| error.to_string())
    };
    let oldest = (lessons - LABELS) * RECORD;
    let named = format!("lesson {} of the retraining's window is missing or damaged", lessons - 1);
    let text = refusal(&|bytes| bytes.truncate(window.len() - 1)).expect("refused");
    assert!(text.contains(&named) && text.contains("learner: ") && text.contains("remove both"), "{text}");
    assert!(refusal(&|bytes| bytes[oldest] ^= 1).is_some());
    assert!(refusal(&Vec::clear).is_some());
    assert!(refusal(&|bytes| bytes.copy_within(oldest..oldest + RECORD, oldest + RECORD)).is_some());
    fs::remove_file(window_of(&file)).expect("there");
    assert!(open(&file, &own).is_err());
    assert_eq!(
        refusal(&|bytes| drop(bytes.drain(..oldest))),
        None,
        "what has left the window is not asked for"
    );
    assert_eq!(refusal(&|_| {}), None);
    assert!(end(&mut open(&file, &own).expect("its own")) == wanted);
}

/// Goal: a disk that takes no lesson stops publishing, not learning, and the next checkpoint makes up for it. Method: a folder where the file should be.
#[test]
fn a_window_that_cannot_be_written_is_written_later() {
    let (rows, scratch, own) = (walk(1_500, 7, true), Scratch::new("full"), retrains(LABELS, 1));
    let file = scratch.0.join("learner");
    let mut desk = open(&file, &own).expect("fits");
    feed(&mut desk, &rows[..300]);
    let old = fs::read(&file).expect("kept");
    let (aside, window) = (scratch.0.join("aside"), window_of(&file));
    fs::rename(&window, &aside).expect("there");
    fs::create_dir(&window).expect("made");
    for given in &rows[300..700] {
        if walk::give(desk.beside(), given).offer {
            let error = desk.offer().expect_err("nowhere to write").to_string();
            assert!(error.starts_with("LEARN_FILE") && error.contains("learner.window"), "{error}");
        }
    }
    assert!(fs::read(&file).expect("kept") == old, "the checkpoint before is untouched");
    fs::remove_dir(&window).expect("empty");
    fs::rename(&aside, &window).expect("there");
    feed(&mut desk, &rows[700..]);
    desk.keep().expect("written");
    assert!(end(&mut open(&file, &own).expect("its own")) == end(&mut desk));
}
