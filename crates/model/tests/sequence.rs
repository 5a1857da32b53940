//! Goal: an LSTM's truncated backpropagation over one sequence, which has kernels of its own, gives what the general path gives, in every
//! instruction set; rounded to bf16 it stays near, repeats to the bit, and learns.
//! Method: the same sequence twice in a batch takes the general path and has twice the gradient.
mod random;

use random::Dice;
use tickline_model::train::{Learner, Net, Recipe, Target};
use tickline_model::{Level, Plan, Precision, zoo};

const COLUMNS: usize = 13;
const STEPS: usize = 21;

fn noise(dice: &mut Dice, count: usize) -> Vec<f32> {
    (0..count).map(|_| dice.unit()).collect()
}

/// Answers and gradient of the second of two passes in a row: state is carried from the first.
fn run(mut net: Net<f32>, parameters: &[f32], rows: &[f32], slopes: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let (batch, half) = (net.batch(), rows.len() / 2);
    let twice = |part: &[f32]| part.repeat(batch);
    net.forward(parameters, &twice(&rows[..half]), None);
    let answer = net.forward(parameters, &twice(&rows[half..]), None)[..slopes.len()].to_vec();
    let mut gradient = vec![0.0; parameters.len()];
    net.backward(parameters, &twice(slopes), false, &mut gradient);
    gradient.iter_mut().for_each(|slope| *slope /= batch as f32);
    (answer, gradient)
}

/// Length of the difference over length.
fn apart(a: &[f32], b: &[f32]) -> f64 {
    let squares = |each: &mut dyn Iterator<Item = f64>| each.map(|value| value * value).sum::<f64>();
    let difference = squares(&mut a.iter().zip(b).map(|(a, b)| f64::from(a - b)));
    (difference / squares(&mut b.iter().map(|b| f64::from(*b)))).sqrt()
}

#[test]
fn one_sequence_is_as_one_of_many_on_every_level_and_rounded_it_is_near() {
    for units in [32, 64, 96, 128, 20] {
        let mut dice = Dice(units as u64);
        let plan = Plan::compile(&zoo::lstm(COLUMNS, &[units, units], 3)).expect("compiles");
        let parameters = plan.initial(&mut tickline_model::train::Dice::new(9));
        let (rows, slopes) = (noise(&mut dice, 2 * STEPS * COLUMNS), noise(&mut dice, 3 * STEPS));
        let net = |batch, level| Net::<f32>::new(&plan, batch, STEPS).expect("fits").on(level);
        for level in Level::available() {
            let many = run(net(2, level), &parameters, &rows, &slopes);
            let one = run(net(1, level), &parameters, &rows, &slopes);
            let (answers, gradients) = (apart(&one.0, &many.0), apart(&one.1, &many.1));
            assert!(answers < 1e-6 && gradients < 3e-6, "{level:?} {units}: {answers}, {gradients}");
            let rounded = || run(net(1, level).rounded(true), &parameters, &rows, &slopes);
            let near = rounded();
            let (answers, gradients) = (apart(&near.0, &many.0), apart(&near.1, &many.1));
            assert!(answers > 0.0 && answers < 2e-3, "{level:?} {units}: answers {answers} apart");
            assert!(gradients > 0.0 && gradients < 1.5e-2, "{level:?} {units}: gradients {gradients} apart");
            assert_eq!(near, rounded(), "to the bit");
        }
    }
}

#[test]
fn the_first_of_many_rows_at_once_is_the_first_of_one_alone() {
    let plan = Plan::compile(&zoo::lstm(COLUMNS, &[64], 3)).expect("compiles");
    let parameters = plan.initial(&mut tickline_model::train::Dice::new(9));
    let rows = noise(&mut Dice(3), STEPS * COLUMNS);
    let mut many = Net::<f32>::new(&plan, 1, STEPS).expect("fits");
    let mut single = Net::<f32>::new(&plan, 1, 1).expect("fits");
    let at_once = many.forward(&parameters, &rows, None).to_vec();
    for (row, wanted) in rows.chunks_exact(COLUMNS).zip(at_once.chunks_exact(3)) {
        let answer = single.forward(&parameters, row, None);
        assert!(apart(answer, wanted) < 1e-6, "{answer:?} and {wanted:?}");
    }
}

/// A stretch whose class is told by the sign of a column some ticks ago.
fn lesson(dice: &mut Dice) -> (Vec<f32>, Vec<u8>) {
    let rows = noise(dice, STEPS * COLUMNS);
    let sign = |t: usize| u8::from(rows[t * COLUMNS + 2] > 0.0) * 2;
    let classes = (0..STEPS).map(|t| if t < 3 { 1 } else { sign(t - 3) }).collect();
    (rows, classes)
}

#[test]
fn rounded_steps_learn_as_well_and_repeat_to_the_bit() {
    let learned = |precision| {
        let plan = Plan::compile(&zoo::lstm(COLUMNS, &[32], 3)).expect("compiles");
        let start = plan.initial(&mut tickline_model::train::Dice::new(2));
        let recipe = Recipe { precision, ..Recipe::default() };
        let mut learner = Learner::new(&plan, start, recipe, 1, 1, STEPS).expect("fits");
        let mut dice = Dice(5);
        let mut late = 0.0;
        for step in 0..500 {
            let (rows, classes) = lesson(&mut dice);
            let (loss, wanted) = learner.step(&rows, |at| Target::Class(classes[at]), 5e-3);
            late += if step < 450 { 0.0 } else { loss / wanted as f64 / 50.0 };
        }
        (late, learner.parameters().iter().map(|value| value.to_bits()).collect::<Vec<u32>>())
    };
    let (exact, rounded) = (learned(Precision::F32), learned(Precision::Bf16));
    assert_ne!(exact.1, rounded.1, "products are rounded");
    assert_eq!(rounded, learned(Precision::Bf16), "to the bit");
    // Guessing between the two classes that come most is 0.69.
    assert!(exact.0 < 0.6 && rounded.0 < 1.05 * exact.0 + 0.01, "{} and {}", exact.0, rounded.0);
}

#[test]
fn steps_in_int8_are_refused() {
    let plan = Plan::compile(&zoo::lstm(4, &[32], 3)).expect("compiles");
    let recipe = Recipe { precision: Precision::Int8, ..Recipe::default() };
    let refused = Learner::new(&plan, vec![0.0; plan.parameters()], recipe, 1, 1, 4).err();
    assert!(refused.is_some_and(|error| error.text.contains("int8")));
}
