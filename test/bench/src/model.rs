//! `model`: the forward pass of the shipped model and a step of an LSTM of 64 units, against the loops that most people write first.

use crate::row::Row;
use crate::sample::Samples;
use clap::Args;
use std::hint::black_box;
use std::path::PathBuf;
use tickline_clock::monotonic;
use tickline_model::{Activation, Architecture, Gate, Layer, Level, Model, Plan, Predictor, file};

/// What to measure.
#[derive(Args)]
pub struct Options {
    /// The model file.
    #[arg(long, default_value = "ops/models/demo.tlm")]
    file: PathBuf,
    /// Rows in a turn.
    #[arg(long, default_value_t = 20_000)]
    rows: usize,
    /// Turns of each variant; they take turns (A B A B).
    #[arg(long, default_value_t = 11)]
    turns: usize,
}

/// Rows timed together.
const BLOCK: usize = 16;
/// Different rows; they repeat.
const ROWS: usize = 256;
const COLUMNS: usize = 40;
const UNITS: usize = 64;

/// Runs the benchmark.
pub fn run(options: &Options) -> Result<Vec<Row>, String> {
    let shipped = file::load(&options.file).map_err(|error| error.to_string())?.model;
    let lstm = lstm();
    let samples = || Samples::with_capacity(options.turns * options.rows.div_ceil(BLOCK));
    let [mut plain_mlp, mut mlp, mut plain_lstm, mut step] = [samples(), samples(), samples(), samples()];
    for _ in 0..options.turns {
        compare(&shipped, options.rows, &mut plain_mlp, &mut mlp)?;
        compare(&lstm, options.rows, &mut plain_lstm, &mut step)?;
    }
    let level = Level::detect().name();
    let each = format!("mean of {BLOCK} rows; f32, {level}, one core");
    let widths = widths(&shipped);
    Ok(vec![
        plain_mlp.row_of_ps("model", &format!("floor: plain loop, mlp {widths}"), each.clone()),
        mlp.row_of_ps("model", &format!("mlp {widths} f32, rust"), each.clone()),
        plain_lstm.row_of_ps("model", "floor: plain loop, lstm-64 step", each.clone()),
        step.row_of_ps(
            "model",
            "lstm-64 step f32, rust",
            format!("{each}; {COLUMNS} inputs, nothing prepared"),
        ),
    ])
}

/// The widths of dense layers, as people write them.
fn widths(model: &Model) -> String {
    let outputs = model.architecture.nodes.iter().filter_map(|node| match node.layer {
        Layer::Dense { outputs, .. } => Some(outputs.to_string()),
        _ => None,
    });
    let widths: Vec<String> = std::iter::once(model.contract.inputs().to_string()).chain(outputs).collect();
    widths.join("-")
}

/// An LSTM of arbitrary weights near those of a trained one.
fn lstm() -> Model {
    let mut net = Architecture::stateful(COLUMNS);
    net.then(Layer::Lstm { units: UNITS, gate: Gate::Sigmoid });
    let count = 4 * UNITS * (COLUMNS + UNITS + 1);
    let parameters = (0..count).map(|at| ((at * 7919 % 2001) as f32 / 1000.0 - 1.0) * 0.12).collect();
    Model::bare("lstm-64", net, parameters)
}

/// One turn of both; they must say the same.
fn compare(model: &Model, rows: usize, plain: &mut Samples, ours: &mut Samples) -> Result<(), String> {
    let contract = &model.contract;
    let columns = contract.names.len();
    let value = |row: usize, at: usize| {
        contract.mean[at] + contract.scale[at] * ((row * 31 + at * 17) % 200) as f32 / 100.0
            - contract.scale[at]
    };
    let input: Vec<Vec<f32>> = (0..ROWS).map(|row| (0..columns).map(|at| value(row, at)).collect()).collect();
    let mut slow = Plain::new(model)?;
    time(rows, plain, |row| {
        black_box(slow.predict(&input[row % ROWS]));
    });
    let mut predictor = Predictor::new(model).map_err(|error| error.to_string())?;
    let mut out = vec![0.0; slow.outputs()];
    let mut silent = 0;
    time(rows, ours, |row| silent += usize::from(predictor.predict(&input[row % ROWS], &mut out).is_err()));
    if silent > 0 {
        return Err(format!("{}: no answer to {silent} of {rows} rows", model.name));
    }
    slow.reset();
    predictor.reset();
    for row in &input {
        predictor.predict(row, &mut out).map_err(|reason| reason.name().to_owned())?;
        let wanted = slow.predict(row);
        if let Some(at) = (0..out.len())
            .find(|&at| (out[at] - wanted[at]).abs().partial_cmp(&1e-3).is_none_or(std::cmp::Ordering::is_gt))
        {
            return Err(format!(
                "{}: output {at} is {}, the plain loop's {}",
                model.name, out[at], wanted[at]
            ));
        }
    }
    Ok(())
}

fn time(rows: usize, samples: &mut Samples, mut each: impl FnMut(usize)) {
    for block in 0..rows.div_ceil(BLOCK) {
        let begin = monotonic().0;
        (0..BLOCK).for_each(|nth| each(block * BLOCK + nth));
        samples.push((monotonic().0 - begin) * 1000 / BLOCK as u64);
    }
}

/// The loops that most people write first, over the parameters as they are in the file.
struct Plain<'a> {
    model: &'a Model,
    plan: Plan,
    x: Vec<f32>,
    y: Vec<f32>,
    h: Vec<f32>,
    c: Vec<f32>,
}

impl<'a> Plain<'a> {
    fn new(model: &'a Model) -> Result<Plain<'a>, String> {
        let (x, y) = (Vec::with_capacity(1024), Vec::with_capacity(1024));
        let plan = model.verify().map_err(|error| error.to_string())?;
        Ok(Plain { model, plan, x, y, h: vec![0.0; UNITS], c: vec![0.0; UNITS] })
    }

    fn outputs(&self) -> usize {
        self.plan.outputs()
    }

    fn reset(&mut self) {
        self.h.fill(0.0);
        self.c.fill(0.0);
    }

    fn predict(&mut self, row: &[f32]) -> &[f32] {
        let contract = &self.model.contract;
        let scaled = row.iter().zip(contract.mean.iter().zip(&contract.scale));
        self.x.clear();
        self.x.extend(
            scaled.map(|(x, (mean, scale))| ((x - mean) / scale).clamp(-contract.clip, contract.clip)),
        );
        for at in 0..self.plan.nodes().len() {
            let (own, inputs) = (&self.model.parameters[self.plan.owned(at)], self.x.len());
            match *self.plan.layer(at) {
                Layer::Dense { outputs, activation } => {
                    sum(&self.x, &own[..inputs * outputs], &own[inputs * outputs..], &mut self.y);
                    match activation {
                        Activation::Softmax => softmax(&mut self.y),
                        each => self.y.iter_mut().for_each(|y| *y = activate(each, *y)),
                    }
                    std::mem::swap(&mut self.x, &mut self.y);
                }
                Layer::Lstm { units, gate: Gate::Sigmoid } => self.lstm(own, inputs, units),
                Layer::Activate { activation: Activation::Softmax } => softmax(&mut self.x),
                ref other => unreachable!("no such layer in these models: {other:?}"),
            }
        }
        &self.x
    }

    fn lstm(&mut self, own: &[f32], inputs: usize, units: usize) {
        let (kernel, rest) = own.split_at(inputs * 4 * units);
        let (recurrent, bias) = rest.split_at(units * 4 * units);
        sum(&self.x, kernel, bias, &mut self.y);
        for (from, h) in self.h.iter().enumerate() {
            for (y, w) in self.y.iter_mut().zip(&recurrent[from * 4 * units..]) {
                *y += h * w;
            }
        }
        let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
        for unit in 0..units {
            let gate = |nth: usize| self.y[nth * units + unit];
            self.c[unit] = sigmoid(gate(1)) * self.c[unit] + sigmoid(gate(0)) * gate(2).tanh();
            self.h[unit] = sigmoid(gate(3)) * self.c[unit].tanh();
        }
        self.x.clear();
        self.x.extend_from_slice(&self.h);
    }
}

/// `x W + b`, weights row by row of inputs.
fn sum(x: &[f32], weights: &[f32], bias: &[f32], y: &mut Vec<f32>) {
    y.clear();
    y.extend_from_slice(bias);
    for (x, row) in x.iter().zip(weights.chunks_exact(bias.len())) {
        for (y, w) in y.iter_mut().zip(row) {
            *y += x * w;
        }
    }
}

fn activate(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::None => x,
        Activation::Relu => x.max(0.0),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Swish => x / (1.0 + (-x).exp()),
        Activation::LeakyRelu => x.max(0.01 * x),
        Activation::HardSigmoid => (0.2 * x + 0.5).clamp(0.0, 1.0),
        Activation::Softmax => unreachable!("over a whole layer: see `predict`"),
    }
}

fn softmax(x: &mut [f32]) {
    let most = x.iter().copied().fold(f32::MIN, f32::max);
    x.iter_mut().for_each(|x| *x = (*x - most).exp());
    let all: f32 = x.iter().sum();
    x.iter_mut().for_each(|x| *x /= all);
}
