//! A run over all targets, with a watch on inputs that never come back.

use crate::corpus;
use crate::mutate::Mutator;
use crate::random::Random;
use crate::targets::{Target, targets};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// An input that takes longer than this hangs; real ones take microseconds, on a loaded machine milliseconds.
const HANG: Duration = Duration::from_secs(30);

/// Most inputs that are mutated further, per target.
const POOL_MAX: usize = 512;

/// What to run.
pub struct Campaign {
    /// Inputs, all targets together; each target gets its share.
    pub inputs: u64,
    /// Seed.
    pub seed: u64,
    /// Only this target.
    pub only: Option<String>,
    /// Write new inputs to the corpus.
    pub keep: bool,
}

/// To the watch: which target is at work now, and signs of life.
enum Beat {
    Target(&'static str, u64),
    Alive,
}

impl Campaign {
    /// Runs every target and tells a line about each; the error is the line that repeats a failure.
    pub fn run(&self, mut tell: impl FnMut(&str)) -> Result<(), String> {
        let chosen: Vec<_> = targets()
            .into_iter()
            .filter(|t| self.only.as_deref().is_none_or(|name| name == t.name()))
            .collect();
        if chosen.is_empty() {
            let names: Vec<_> = targets().iter().map(|target| target.name()).collect();
            return Err(format!("no target of that name; there are {}", names.join(", ")));
        }
        let (beats, watched) = channel();
        let seed = self.seed;
        let watch = std::thread::spawn(move || watch(&watched, seed));
        let shares: u64 = chosen.iter().map(|target| target.share()).sum();
        for mut target in chosen {
            let inputs = (self.inputs * target.share()).div_ceil(shares);
            let found = self.target(target.as_mut(), inputs, &beats)?;
            tell(&format!("{:<10} {inputs:>9} inputs, {found} kinds of outcome", target.name()));
        }
        drop(beats);
        watch.join().map_err(|_| "the watch failed".to_owned())
    }

    fn target(&self, target: &mut dyn Target, inputs: u64, beats: &Sender<Beat>) -> Result<usize, String> {
        let alive = |beat| beats.send(beat).map_err(|_| "the watch is gone".to_owned());
        alive(Beat::Target(target.name(), inputs))?;
        let mut random = Random::new(self.seed ^ corpus::hash(target.name().as_bytes()));
        let mut mutator = Mutator::default();
        let mut pool = target.seeds();
        pool.extend(corpus::read(target.name()));
        let (mut seen, mut new) = (HashSet::new(), Vec::new());
        // What is kept already must pass unchanged.
        for input in pool.clone() {
            seen.insert(attempt(target, &input)?);
        }
        for nth in 0..inputs {
            if nth % 256 == 0 {
                alive(Beat::Alive)?;
            }
            let input = mutator.mutated(&mut random, &pool);
            if seen.insert(attempt(target, &input)?) && pool.len() < POOL_MAX {
                new.push(input.clone());
                pool.push(input);
            }
        }
        if self.keep {
            corpus::keep(target.name(), &new)
                .map_err(|fault| format!("the corpus cannot be written: {fault}"))?;
        }
        Ok(seen.len())
    }

    /// Runs one input from a file.
    pub fn one(name: &str, path: &Path) -> Result<(), String> {
        let input = std::fs::read(path).map_err(|fault| format!("{}: {fault}", path.display()))?;
        let mut chosen = targets().into_iter().find(|target| target.name() == name);
        let target = chosen.as_mut().ok_or_else(|| format!("no target {name}"))?;
        attempt(target.as_mut(), &input).map(|mark| println!("{name}: passed, outcome {mark:016x}"))
    }
}

/// Runs one input; a panic or a broken promise becomes the line that repeats it.
fn attempt(target: &mut dyn Target, input: &[u8]) -> Result<u64, String> {
    let why = match catch_unwind(AssertUnwindSafe(|| target.run(input))) {
        Ok(Ok(mark)) => return Ok(mark),
        Ok(Err(broken)) => broken,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            text.or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_else(|| "panic".into())
        }
    };
    let path: PathBuf =
        std::env::temp_dir().join(format!("tickline-fuzz-{}-{:016x}", target.name(), corpus::hash(input)));
    let saved = std::fs::write(&path, input)
        .map_or_else(|fault| format!("(not saved: {fault})"), |()| path.display().to_string());
    Err(format!(
        "{why}; repeat with: cargo run -p tickline-fuzz --release -- --target {} --input {saved}",
        target.name()
    ))
}

/// Ends the process if the signs of life stop.
fn watch(beats: &Receiver<Beat>, seed: u64) {
    let mut current = ("", 0);
    loop {
        match beats.recv_timeout(HANG) {
            Ok(Beat::Target(name, inputs)) => current = (name, inputs),
            Ok(Beat::Alive) => {}
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                let (name, inputs) = current;
                eprintln!(
                    "{name} hangs; repeat with: cargo run -p tickline-fuzz --release -- --target {name} --seed {seed} --inputs {inputs}"
                );
                // The hanging thread cannot be ended alone.
                std::process::abort();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Campaign, attempt};
    use crate::targets::Target;
    use std::sync::mpsc::channel;

    /// A decoder with two faults: it panics on a long input, and breaks its promise on one that starts with 0xFF.
    struct Planted;

    impl Target for Planted {
        fn name(&self) -> &'static str {
            "planted"
        }

        fn share(&self) -> u64 {
            1
        }

        fn seeds(&self) -> Vec<Vec<u8>> {
            vec![b"sound".to_vec()]
        }

        fn run(&mut self, input: &[u8]) -> Result<u64, String> {
            assert!(input.len() < 40, "planted panic");
            if input.first() == Some(&0xFF) { Err("planted promise".into()) } else { Ok(input.len() as u64) }
        }
    }

    #[test]
    fn a_panic_and_a_broken_promise_are_found_and_the_line_repeats_them() {
        let campaign = Campaign { inputs: 20_000, seed: 3, only: None, keep: false };
        let (beats, _watched) = channel();
        let found = campaign.target(&mut Planted, campaign.inputs, &beats).unwrap_err();
        assert!(found.starts_with("planted p") && found.contains("--target planted --input "), "{found}");
        let saved = found.split("--input ").nth(1).unwrap();
        assert!(
            attempt(&mut Planted, &std::fs::read(saved).unwrap()).is_err(),
            "the saved input fails again"
        );
        for (input, text) in [(vec![0; 40], "planted panic"), (vec![0xFF], "planted promise")] {
            let line = attempt(&mut Planted, &input).unwrap_err();
            assert!(line.starts_with(text), "{line}");
            std::fs::remove_file(line.split("--input ").nth(1).unwrap()).unwrap();
        }
        let _ = std::fs::remove_file(saved); // one of the two may have been the same input
    }
}
