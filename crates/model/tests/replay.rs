//! Goal: prioritised replay draws what it says it draws, forgets the oldest, repeats and goes on bit for bit, and its corrections undo it.
//! Method: a slow model that holds every lesson in a list; frequencies of many draws; a small network that learns oversampled classes.
use tickline_model::train::{
    Dice, Drawn, Learner, Memory, Method, NO_CLASS, Recipe, Replay, Target, shift_answer,
};
use tickline_model::{Fault, Plan, zoo};

fn memory(capacity: usize) -> Memory {
    Memory { capacity, inputs: 2, answers: 1, classes: 3, sharpness: 0.7, oversample: 100.0, seed: 5 }
}

/// What a slow model knows of a lesson.
#[derive(Clone)]
struct Known {
    number: u64,
    class: u8,
    mass: f64,
}

/// The chance of each lesson that is held, as the text says it.
fn chances(known: &[Known], memory: &Memory) -> Vec<f64> {
    let count = |class: u8| known.iter().filter(|each| each.class == class).count() as f64;
    let most = (0..3).map(count).fold(0.0, f64::max);
    let mass = |class: u8| most.min(count(class) * memory.oversample);
    let all: f64 = (0..3).map(mass).sum();
    let within = |class: u8| -> f64 { known.iter().filter(|e| e.class == class).map(|e| e.mass).sum() };
    known.iter().map(|e| mass(e.class) / all * e.mass / within(e.class)).collect()
}

#[test]
fn lessons_are_drawn_as_often_as_the_slow_model_says() {
    for (seed, oversample) in [(1, 1.0), (2, 3.0), (3, 100.0)] {
        let memory = Memory { oversample, seed, ..memory(24) };
        let (mut replay, mut dice) = (Replay::new(memory.clone()).expect("valid"), Dice::new(seed));
        let (mut known, mut top) = (Vec::<Known>::new(), 1.0f64);
        for number in 0..61 {
            // Class 2 is rare.
            let class = if dice.below(12) == 0 { 2 } else { dice.below(2) as u8 };
            assert!(replay.add(&[number as f32, 0.5], &[class], class));
            known.push(Known { number, class, mass: top });
            if known.len() > 24 {
                known.remove(0);
            }
            let (at, loss) = (dice.below(known.len()), dice.unit() * 4.0);
            replay.learned(Drawn { lesson: known[at].number, weight: 1.0 }, loss);
            known[at].mass = (loss + 1e-3).powf(0.7);
            top = top.max(known[at].mass);
        }
        let chances = chances(&known, &memory);
        let (mut seen, rounds) = (vec![0u32; known.len()], 4_000);
        let mut drawn = [Drawn::default(); 16];
        for _ in 0..rounds {
            assert!(replay.draw(&mut drawn, 1.0));
            // Weights are one over the chance within the class, and the largest of a draw is 1.
            let within = |drawn: &Drawn| {
                let own = known.iter().find(|e| e.number == drawn.lesson).expect("held");
                let class: Vec<&Known> = known.iter().filter(|e| e.class == own.class).collect();
                class.iter().map(|e| e.mass).sum::<f64>() / own.mass / class.len() as f64
            };
            let most = drawn.iter().map(within).fold(0.0, f64::max);
            for each in &drawn {
                let at = known.iter().position(|e| e.number == each.lesson).expect("held");
                assert_eq!(replay.input(*each), Some(&[known[at].number as f32, 0.5][..]));
                assert_eq!(replay.wanted(*each), Some(&[known[at].class][..]));
                assert!((f64::from(each.weight) - within(each) / most).abs() < 1e-6);
                seen[at] += 1;
            }
        }
        for (seen, chance) in seen.iter().zip(chances) {
            let (share, draws) = (f64::from(*seen), f64::from(rounds * 16));
            let spread = (draws * chance * (1.0 - chance)).sqrt();
            assert!(
                (share - draws * chance).abs() < 5.0 * spread + 1.0,
                "{share} of {draws}, chance {chance}"
            );
        }
    }
}

#[test]
fn one_turn_draws_every_class_by_its_share() {
    // Strata: with the classes' shares at whole multiples of a draw's share, each draw has exactly so many of each.
    let mut replay = Replay::new(Memory { oversample: 1.0, ..memory(16) }).expect("valid");
    for number in 0..16 {
        let class = [0, 0, 1, 0, 0, 0, 1, 2][number % 8];
        assert!(replay.add(&[0.0; 2], &[class], class));
    }
    let mut drawn = [Drawn::default(); 8];
    for _ in 0..100 {
        assert!(replay.draw(&mut drawn, 0.4));
        let mut counts = [0; 3];
        drawn.iter().for_each(|each| counts[usize::from(replay.wanted(*each).expect("held")[0])] += 1);
        assert_eq!(counts, [5, 2, 1]);
    }
}

#[test]
fn what_does_not_fit_is_refused_and_what_is_gone_is_passed_over() {
    let bad = [
        Memory { capacity: 0, ..memory(4) },
        Memory { classes: 256, ..memory(4) },
        Memory { sharpness: f64::NAN, ..memory(4) },
        Memory { oversample: 0.5, ..memory(4) },
        Memory { inputs: usize::MAX, ..memory(4) },
    ];
    for memory in bad {
        assert_eq!(Replay::new(memory).expect_err("out of range").fault, Fault::Contract);
    }
    let mut replay = Replay::new(memory(4)).expect("valid");
    assert!(!replay.draw(&mut [Drawn::default(); 3], 1.0), "nothing is there");
    assert!(!replay.add(&[0.0; 3], &[0], 0) && !replay.add(&[0.0; 2], &[], 0));
    assert!(!replay.add(&[0.0; 2], &[0], 3) && replay.is_empty());
    for number in 0..5u8 {
        assert!(replay.add(&[f32::from(number); 2], &[NO_CLASS], number % 3));
    }
    let first = Drawn { lesson: 0, weight: 1.0 };
    assert_eq!((replay.input(first), replay.wanted(first), replay.len()), (None, None, 4));
    let before = replay.checkpoint();
    replay.learned(first, 9.0);
    assert_eq!(replay.checkpoint(), before);
    for loss in [f64::NAN, -1.0, f64::INFINITY] {
        replay.learned(Drawn { lesson: 4, weight: 1.0 }, loss);
        assert!(replay.draw(&mut [Drawn::default(); 3], 1.0));
    }
}

#[test]
fn a_restored_memory_goes_on_to_the_bit_and_damage_changes_nothing() {
    let fresh = || Replay::new(memory(20)).expect("valid");
    let turn = |replay: &mut Replay, dice: &mut Dice| {
        let class = dice.below(3) as u8;
        assert!(replay.add(&[dice.unit() as f32, 1.0], &[class], class));
        let mut drawn = [Drawn::default(); 5];
        assert!(replay.draw(&mut drawn, 0.7));
        drawn.iter().for_each(|each| replay.learned(*each, dice.unit()));
        drawn.map(|each| (each.lesson, each.weight.to_bits()))
    };
    for turns in [7, 50] {
        let (mut whole, mut dice) = (fresh(), Dice::new(3));
        for _ in 0..turns {
            turn(&mut whole, &mut dice);
        }
        let kept = whole.checkpoint();
        let (mut resumed, mut again) = (fresh(), dice.clone());
        resumed.restore(&kept).expect("just kept");
        for _ in 0..50 {
            assert_eq!(turn(&mut whole, &mut dice), turn(&mut resumed, &mut again));
        }
        assert_eq!(whole.checkpoint(), resumed.checkpoint());
        let mut careful = fresh();
        let untouched = careful.checkpoint();
        for at in (0..kept.len()).step_by(31) {
            let mut damaged = kept.clone();
            damaged[at] ^= 16;
            assert_eq!(careful.restore(&damaged).expect_err("damaged").fault, Fault::Checksum);
            assert!(careful.restore(&kept[..at]).is_err());
        }
        let other = Replay::new(Memory { inputs: 3, ..memory(20) }).expect("valid").restore(&kept);
        assert_eq!(other.expect_err("other sizes").fault, Fault::Architecture);
        assert_eq!(careful.checkpoint(), untouched);
    }
}

/// Goal: oversampling finds rare classes sooner and the shift puts the frequencies right. Method: one input of which a class follows with a
/// known chance; logistic regression learns from replay alone.
#[test]
fn a_network_that_learns_from_replay_answers_for_the_true_frequencies() {
    let net = zoo::logistic(2, 1, 3);
    let plan = Plan::compile(&net).expect("compiles");
    let recipe = Recipe { method: Method::Sgd, clip: f32::INFINITY, ..Recipe::default() };
    let start = plan.initial(&mut Dice::new(1));
    let mut learner = Learner::new(&plan, start, recipe, 1, 32, 1).expect("fits");
    let mut replay = Replay::new(memory(4_000)).expect("valid");
    let mut dice = Dice::new(9);
    // Of class 2 there is one in 50, more often where the first input is 1.
    let chance = |x: f64| [0.0, 0.97 - 0.05 * x, 0.01 + 0.04 * x];
    for _ in 0..4_000 {
        let x = dice.below(2) as f64;
        let (roll, chance) = (dice.unit(), chance(x));
        let class = if roll < chance[2] { 2 } else { u8::from(roll < chance[1] + chance[2]) };
        assert!(replay.add(&[x as f32, 1.0], &[class], class));
    }
    let (mut drawn, mut input) = ([Drawn::default(); 32], Vec::new());
    for step in 0..3_000 {
        assert!(replay.draw(&mut drawn, 1.0));
        input.clear();
        drawn.iter().for_each(|each| input.extend_from_slice(replay.input(*each).expect("held")));
        let target = |nth: usize| Target::Class(replay.wanted(drawn[nth]).expect("held")[0]);
        let rate = 0.5 * (1.0 - step as f32 / 3_000.0);
        learner.step_weighted(&input, target, |nth| drawn[nth].weight, rate);
        for (each, loss) in drawn.iter().zip(learner.losses()) {
            replay.learned(*each, f64::from(*loss));
        }
    }
    let shift = replay.shift();
    for x in [0.0f32, 1.0] {
        let mut answer = [0.0; 3];
        answer.copy_from_slice(&learner.answer(&[[x, 1.0]; 32].concat())[..3]);
        let wanted = chance(f64::from(x));
        assert!(answer[2] > 4.0 * wanted[2] as f32, "oversampled: {answer:?}");
        shift_answer(&mut answer, &shift);
        assert!((f64::from(answer[2]) - wanted[2]).abs() < 0.012, "{answer:?}, true {wanted:?}");
    }
}
