//! Rounding a trained model to bf16 or int8, and what that costs.
use crate::engine::Predictor;
use crate::error::ModelError;
use crate::model::{Model, Precision};
use crate::net::Net;
use crate::train::{Rows, Target};

/// Rows looked at for calibration; more change little.
const ROWS_MAX: usize = 20_000;

/// The same model for another precision. For int8 the largest size of every layer's input is measured on `rows`, which should be the
/// training part; inputs beyond it are limited to it. Without whole windows in `rows` every tick measures its own.
///
/// # Errors
/// What [`Model::verify`] finds.
pub fn quantise(model: &Model, precision: Precision, rows: &Rows) -> Result<Model, ModelError> {
    let plan = model.verify()?;
    let mut made = Model { precision, reach: Vec::new(), ..model.clone() };
    if precision != Precision::Int8 {
        return Ok(made);
    }
    let nodes = plan.nodes();
    let mut reach = vec![0.0f32; nodes.len()];
    let mut net = Net::<f32>::new(&plan, 1, 1)?;
    let window = plan.architecture().window;
    for sequence in rows.sequences() {
        net.reset();
        for end in (sequence.start + window..=sequence.end).take(ROWS_MAX) {
            net.forward(&model.parameters, rows.span(end - window, end), None);
            for (reach, node) in reach.iter_mut().zip(nodes) {
                *reach = net.value(node.inputs[0]).iter().fold(*reach, |top, value| top.max(value.abs()));
            }
        }
    }
    made.reach = if reach.iter().all(|reach| *reach > 0.0) { reach } else { Vec::new() };
    Ok(made)
}

/// How far the answers of two models of one network are apart over the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Difference {
    /// Answers compared.
    pub answers: u64,
    /// Largest difference of one number.
    pub largest: f64,
    /// Mean difference of one number.
    pub mean: f64,
    /// Share of answers whose largest number is the same one.
    pub agreement: f64,
    /// Share of right answers of the first and of the second model, where classes are known.
    pub right: [f64; 2],
}

/// Runs two models, as the engine runs them, over raw rows (`[rows][columns]`, not scaled) that `rows` knows the targets of.
///
/// # Errors
/// What [`Predictor::new`] finds.
pub fn difference(first: &Model, second: &Model, raw: &[f32], rows: &Rows) -> Result<Difference, ModelError> {
    let mut predictors = [Predictor::new(first)?, Predictor::new(second)?];
    let (columns, outputs) = (rows.columns(), first.outputs());
    let (mut a, mut b) = (vec![0.0f32; outputs], vec![0.0f32; outputs]);
    let (mut out, mut known, mut right, mut same) = (Difference::default(), 0u64, [0u64; 2], 0u64);
    for sequence in rows.sequences() {
        predictors.iter_mut().for_each(Predictor::reset);
        for row in sequence {
            let raw = &raw[row * columns..(row + 1) * columns];
            let answered = [predictors[0].predict(raw, &mut a), predictors[1].predict(raw, &mut b)];
            if answered.iter().any(Result::is_err) {
                continue;
            }
            out.answers += 1;
            for (a, b) in a.iter().zip(&b) {
                let apart = f64::from((a - b).abs());
                out.largest = out.largest.max(apart);
                out.mean += apart;
            }
            let best = [largest(&a), largest(&b)];
            same += u64::from(best[0] == best[1]);
            if let Target::Class(class) = rows.target(row) {
                known += 1;
                (0..2).for_each(|nth| right[nth] += u64::from(best[nth] == usize::from(class)));
            }
        }
    }
    out.mean /= (out.answers * outputs as u64).max(1) as f64;
    out.agreement = same as f64 / out.answers.max(1) as f64;
    out.right = right.map(|right| right as f64 / known.max(1) as f64);
    Ok(out)
}

fn largest(answer: &[f32]) -> usize {
    (0..answer.len()).rev().max_by(|a, b| answer[*a].total_cmp(&answer[*b])).unwrap_or(0)
}
