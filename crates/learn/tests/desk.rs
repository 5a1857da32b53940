//! Goal: what runs in the line is what the learner says it is: published, kept, resumed, taken back, and ended by a person. Method: real
//! segments and files, and learners on synthetic walks.
mod desks;
mod walk;

use desks::{Scratch, feed, newest, publish};
use std::sync::Arc;
use tickline_learn::{Desk, Envelope, Outcome, Settings};
use tickline_model::Program;
use tickline_model::file::{decode, encode};
use tickline_ring::{Segment, Shape};
use tickline_weights::segment_bytes;
use walk::{OPEN, bits, give, mlp, settings, walk};

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
    let open =
        |run, line: &Arc<Segment>| Desk::open(mlp(), Vec::new(), settings(), run, file(), Some(line.clone()));
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
    let mut whole = Desk::open(mlp(), Vec::new(), settings(), 1, None, None).expect("fits");
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
    let line = Arc::new(Segment::create(scratch.0.join("weights"), Shape::Plain { bytes }).expect("fresh"));
    publish(&line, &mlp());
    let envelope = Envelope { score_slack: 0.05, labels_min: 20, ..OPEN };
    let settings = Settings { envelope, window: 40, rate: 2e-3, ..settings() };
    let mut desk = Desk::open(mlp(), Vec::new(), settings, 1, None, Some(line.clone())).expect("fits");
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
    let line = Arc::new(Segment::create(scratch.0.join("weights"), Shape::Plain { bytes }).expect("fresh"));
    publish(&line, &mlp());
    let folder = scratch.0.join("state");
    let mut desk =
        Desk::open(mlp(), Vec::new(), settings(), 1, Some(folder.join("learner")), Some(line.clone()))
            .expect("fits");
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
