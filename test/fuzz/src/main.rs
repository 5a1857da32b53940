//! Throws mutated bytes at every decoder of the tree: none may panic, hang, read what is not there, or corrupt a book.
//!
//! `cargo run -p tickline-fuzz --release -- --inputs 10000000 --seed 7`. The same seed gives the same inputs. A failure leaves its input
//! in a file and prints the one line that repeats it.
#![forbid(unsafe_code)]

mod campaign;
mod corpus;
mod mutate;
mod random;
mod targets;

use campaign::Campaign;
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to run.
#[derive(Parser)]
struct Arguments {
    /// Inputs, all targets together.
    #[arg(long, default_value_t = 1_000_000)]
    inputs: u64,
    /// Seed of everything that is random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this target.
    #[arg(long)]
    target: Option<String>,
    /// Only this input, as it is.
    #[arg(long, requires = "target")]
    input: Option<PathBuf>,
    /// Keep inputs that showed something new: writes them to the corpus.
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.input {
        Some(path) => Campaign::one(arguments.target.as_deref().unwrap_or_default(), path),
        None => Campaign {
            inputs: arguments.inputs,
            seed: arguments.seed,
            only: arguments.target,
            keep: arguments.keep,
        }
        .run(|line| println!("{line}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::campaign::Campaign;
    use super::mutate::Mutator;
    use super::random::Random;
    use super::targets::{Target, targets};

    #[test]
    fn a_few_hundred_thousand_inputs_break_nothing() {
        let campaign = Campaign { inputs: 300_000, seed: 20_120_621, only: None, keep: false };
        assert_eq!(campaign.run(|_| {}), Ok(()));
    }

    #[test]
    fn the_same_seed_gives_the_same_inputs() {
        let inputs = || {
            let (mut random, mut mutator) = (Random::new(5), Mutator::default());
            (0..500)
                .map(|_| mutator.mutated(&mut random, &[b"seed one".to_vec(), vec![0; 40]]))
                .collect::<Vec<_>>()
        };
        assert_eq!(inputs(), inputs());
    }

    #[test]
    fn every_target_accepts_some_inputs_and_refuses_some() {
        for target in targets() {
            let mut target: Box<dyn Target> = target;
            let (mut random, mut mutator) = (Random::new(9), Mutator::default());
            let seeds = target.seeds();
            let marks: std::collections::BTreeSet<u64> = (0..3_000)
                .map(|_| target.run(&mutator.mutated(&mut random, &seeds)).expect("no failure"))
                .collect();
            assert!(marks.len() > 3, "{}: mutations reach only {} outcomes", target.name(), marks.len());
        }
    }
}
