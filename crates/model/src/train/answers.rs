//! Answers of a network to every row of a data set, many at once: for evaluation.
use crate::error::ModelError;
use crate::net::Net;
use crate::plan::Plan;
use crate::train::rows::Rows;

/// Windows answered at once.
const BATCH: usize = 64;
/// Rows of a stateful network answered at once.
const STEPS: usize = 64;

/// The answers, `[rows][outputs]`; NaN where a row's window is not whole. A stateful network begins anew with each sequence.
///
/// # Errors
/// As [`Net::new`]'s.
pub fn answers(plan: &Plan, parameters: &[f32], rows: &Rows) -> Result<Vec<f32>, ModelError> {
    let wide = plan.output().features();
    let mut out = vec![f32::NAN; rows.len() * wide];
    let net = plan.architecture();
    if net.stateful {
        let mut many = Net::new(plan, 1, STEPS)?;
        let mut single = Net::new(plan, 1, 1)?;
        for sequence in rows.sequences() {
            many.reset();
            let mut row = sequence.start;
            while sequence.end - row >= STEPS {
                let answer = many.forward(parameters, rows.span(row, row + STEPS), None);
                out[row * wide..(row + STEPS) * wide].copy_from_slice(answer);
                row += STEPS;
            }
            single.set_state(many.state());
            for row in row..sequence.end {
                let answer = single.forward(parameters, rows.span(row, row + 1), None);
                out[row * wide..(row + 1) * wide].copy_from_slice(answer);
            }
        }
        return Ok(out);
    }
    let ends: Vec<usize> =
        rows.sequences().flat_map(|sequence| sequence.start + net.window - 1..sequence.end).collect();
    let mut many = Net::new(plan, BATCH, 1)?;
    let mut input = Vec::new();
    for ends in ends.chunks(BATCH) {
        input.clear();
        for end in ends {
            input.extend_from_slice(rows.span(end + 1 - net.window, end + 1));
        }
        // The last, smaller batch is filled up with zeros.
        input.resize(many.inputs(), 0.0);
        let answer = many.forward(parameters, &input, None);
        let each = answer.len() / BATCH;
        for (end, answer) in ends.iter().zip(answer.chunks_exact(each)) {
            out[end * wide..(end + 1) * wide].copy_from_slice(&answer[each - wide..]);
        }
    }
    Ok(out)
}
