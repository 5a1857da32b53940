//! `networks`: ready-made networks with random weights, in every precision, and a step of learning; plain loops beside them.

use crate::plain::Plain;
use crate::row::Row;
use crate::sample::Samples;
use crate::sums::Sums;
use clap::Args;
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use tickline_clock::monotonic;
use tickline_model::train::{Dice, Learner, Loss, Method, Recipe, Target};
use tickline_model::{Architecture, Level, Model, Plan, Precision, Predictor, zoo};

/// What to measure.
#[derive(Args)]
pub struct Options {
    /// Milliseconds for each variant of each network, in `turns` turns.
    #[arg(long, default_value_t = 120)]
    millis: u64,
    /// Turns of each variant; they take turns (A B A B).
    #[arg(long, default_value_t = 6)]
    turns: u64,
}

/// Different rows; they repeat.
const ROWS: usize = 256;
/// Time of one sample: what is faster is timed several at once.
const SAMPLE_NS: u64 = 20_000;
/// Steps of a recurrent network's way back.
const STEPS: usize = 50;

fn networks() -> Vec<(&'static str, Architecture)> {
    let relu = tickline_model::Activation::Relu;
    vec![
        ("mlp", zoo::mlp(40, 1, &[64, 64, 64], relu, 3, false)),
        ("lstm-64", zoo::lstm(40, &[64], 3)),
        ("lstm-128", zoo::lstm(40, &[128], 3)),
        ("stac-a", zoo::stac(zoo::Stac::A, true)),
        ("bin-c-tabl", zoo::bin_c_tabl(40, 10, 3, 0.1)),
        ("cnn-lstm-attention", zoo::cnn_lstm_attention(40, 10, 3)),
        ("cnn-lstm-attention-streaming", zoo::cnn_lstm_attention_streaming(40, 10, 3)),
        ("deeplob", zoo::deeplob(100, 3)),
        ("deeplob-streaming", zoo::deeplob_streaming(3)),
    ]
}

/// One variant of a network: a name and what answers row after row.
struct Variant<'a> {
    name: String,
    note: String,
    samples: Samples,
    /// Rows timed at once.
    block: u64,
    /// What is done before each row and not timed.
    ahead: Option<Box<dyn FnMut() + 'a>>,
    call: Box<dyn FnMut(usize) + 'a>,
}

/// Runs the benchmark.
pub fn run(options: &Options) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (name, architecture) in networks() {
        rows.extend(forward(options, name, architecture)?);
    }
    rows.extend(learning(options)?);
    Ok(rows)
}

fn random(name: &str, architecture: Architecture) -> Result<Model, String> {
    let plan = Plan::compile(&architecture).map_err(|error| error.to_string())?;
    let parameters = plan.initial(&mut Dice::new(7));
    Ok(Model::bare(name, architecture, parameters))
}

fn noise(count: usize) -> Vec<f32> {
    let mut dice = Dice::new(1);
    (0..count).map(|_| (2.0 * dice.unit() - 1.0) as f32).collect()
}

fn forward(options: &Options, name: &str, architecture: Architecture) -> Result<Vec<Row>, String> {
    let model = random(name, architecture)?;
    let (columns, outputs) = (model.contract.names.len(), model.outputs());
    let input = noise(ROWS * columns);
    let row = |nth: usize| &input[nth % ROWS * columns..][..columns];
    agree(&model, row)?;
    let level = Level::detect().name();
    let mut plain = Plain::new(&model)?;
    let mut variants = vec![Variant {
        name: format!("floor: plain loop, {name}"),
        note: "one row in, one answer out, one core".to_owned(),
        samples: Samples::with_capacity(1 << 16),
        block: 1,
        ahead: None,
        call: Box::new(move |nth| {
            black_box(plain.predict(row(nth)));
        }),
    }];
    let mut missing = Vec::new();
    for precision in Precision::ALL {
        let label = format!("{name} {}, rust", precision.name());
        if let Some(sums) = Sums::new(precision, model.multiply_adds(), model.parameters.len()) {
            variants.push(Variant {
                name: format!("sums alone, {name} {}", precision.name()),
                note: "as many multiply-adds, the weights read once, and nothing else".to_owned(),
                samples: Samples::with_capacity(1 << 16),
                block: 1,
                ahead: None,
                call: Box::new(move |_| sums.run()),
            });
        }
        // Calibration needs data; for speed any reach does.
        let reach = vec![4.0; model.architecture.nodes.len()];
        let packed = Model { precision, reach, ..model.clone() };
        match Predictor::new(&packed) {
            Ok(mut predictor) => {
                let mut out = vec![0.0; outputs];
                if model.architecture.stateful {
                    variants.push(prepared(&packed, label.clone(), row)?);
                }
                variants.push(Variant {
                    name: label,
                    note: format!(
                        "{level}; {} multiply-adds, {} parameters",
                        model.multiply_adds(),
                        model.parameters.len()
                    ),
                    samples: Samples::with_capacity(1 << 16),
                    block: 1,
                    ahead: None,
                    call: Box::new(move |nth| {
                        // While the window fills there is no answer; that is before anything is timed.
                        let _filling = predictor.predict(row(nth), &mut out);
                        black_box(&out);
                    }),
                });
            }
            Err(error) => missing.push(Row::absent("networks", &label, &error.text)),
        }
    }
    take_turns(options, &mut variants);
    Ok(variants.iter_mut().map(row_of).chain(missing).collect())
}

/// The answer alone, where the recurrent half was computed after the answer before.
fn prepared<'a>(
    model: &Model,
    label: String,
    row: impl Fn(usize) -> &'a [f32] + 'a,
) -> Result<Variant<'a>, String> {
    let predictor = Rc::new(RefCell::new(Predictor::new(model).map_err(|error| error.to_string())?));
    let (next, mut out) = (predictor.clone(), vec![0.0; model.outputs()]);
    Ok(Variant {
        name: format!("{label}, answer"),
        note: "recurrent half computed after the answer before and not timed; less the clock's own cost"
            .to_owned(),
        samples: Samples::with_capacity(1 << 16),
        block: 1,
        ahead: Some(Box::new(move || next.borrow_mut().prepare())),
        call: Box::new(move |nth| {
            let _filling = predictor.borrow_mut().predict(row(nth), &mut out);
            black_box(&out);
        }),
    })
}

/// What two looks at the clock cost, in ns: the median.
fn clock_ns() -> u64 {
    let mut samples = Samples::with_capacity(1001);
    for _ in 0..1001 {
        let begin = monotonic().0;
        samples.push(monotonic().0 - begin);
    }
    samples.percentile(0.5) as u64
}

fn row_of(variant: &mut Variant<'_>) -> Row {
    let note = format!("{}; mean of {} calls", variant.note, variant.block);
    variant.samples.row_of_ps("networks", &variant.name, note)
}

/// Times variants in turns, each for its share of the time.
fn take_turns(options: &Options, variants: &mut [Variant<'_>]) {
    for variant in variants.iter_mut() {
        // A window's worth of rows and more, so that everything answers and is warm.
        (0..ROWS).for_each(|nth| (variant.call)(nth));
        let begin = monotonic().0;
        (0..16).for_each(|nth| (variant.call)(nth));
        let each = ((monotonic().0 - begin) / 16).max(1);
        variant.block = if variant.ahead.is_some() { 1 } else { (SAMPLE_NS / each).clamp(1, 64) };
    }
    let clock = clock_ns();
    let budget = options.millis * 1_000_000 / options.turns.max(1);
    for _ in 0..options.turns {
        for variant in variants.iter_mut() {
            let (start, mut nth) = (monotonic().0, 0);
            loop {
                let cost = match &mut variant.ahead {
                    Some(ahead) => {
                        ahead();
                        clock
                    }
                    None => 0,
                };
                let begin = monotonic().0;
                for _ in 0..variant.block {
                    (variant.call)(nth);
                    nth += 1;
                }
                let end = monotonic().0;
                variant.samples.push((end - begin).saturating_sub(cost) * 1000 / variant.block);
                if end - start > budget {
                    break;
                }
            }
        }
    }
}

/// The engine and the plain loop must say the same of the first rows.
fn agree<'r>(model: &Model, row: impl Fn(usize) -> &'r [f32]) -> Result<(), String> {
    let mut plain = Plain::new(model)?;
    let mut predictor = Predictor::new(model).map_err(|error| error.to_string())?;
    let mut out = vec![0.0; model.outputs()];
    for nth in 0..model.contract.window + 4 {
        let wanted = plain.predict(row(nth));
        let given = predictor.predict(row(nth), &mut out).is_ok();
        if given != wanted.is_some() {
            return Err(format!("{}: row {nth} is answered by one of engine and plain loop", model.name));
        }
        let Some(wanted) = wanted else { continue };
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4;
        if !out.iter().zip(wanted).all(near) {
            return Err(format!("{}: row {nth} gives {out:?}, the plain loop {wanted:?}", model.name));
        }
    }
    Ok(())
}

/// One step of learning, batch 1.
fn learning(options: &Options) -> Result<Vec<Row>, String> {
    let all = networks();
    let mut variants = Vec::new();
    let (exact, rounded, free) = (Precision::F32, Precision::Bf16, f32::INFINITY);
    for (name, method, precision, clip, label) in [
        ("mlp", Method::Sgd, exact, free, "mlp step of SGD, rust"),
        ("mlp", Method::Adam, exact, free, "mlp step of Adam, rust"),
        ("lstm-64", Method::Sgd, exact, free, "lstm-64 50 rows back, SGD, rust"),
        ("lstm-64", Method::Sgd, rounded, free, "lstm-64 bf16 50 rows back, SGD, rust"),
        // As the line's learner does by default.
        ("lstm-64", Method::AdamW, exact, 1.0, "lstm-64 clipped 50 rows back, AdamW, rust"),
        ("lstm-64", Method::AdamW, rounded, 1.0, "lstm-64 clipped bf16 50 rows back, AdamW, rust"),
    ] {
        let architecture = all.iter().find(|each| each.0 == name).map(|each| each.1.clone());
        let model = random(name, architecture.ok_or("no such network")?)?;
        let steps = if model.architecture.stateful { STEPS } else { 1 };
        let recipe = Recipe { loss: Loss::CrossEntropy, method, clip, precision, ..Recipe::default() };
        let mut learner = Learner::of(&model, recipe, 1, 1, steps).map_err(|error| error.to_string())?;
        let wide = model.contract.names.len() * steps;
        let input = noise(8 * wide);
        variants.push(Variant {
            name: label.to_owned(),
            note: format!("forward, backward and step; {} parameters", model.parameters.len()),
            samples: Samples::with_capacity(1 << 16),
            block: 1,
            ahead: None,
            call: Box::new(move |nth| {
                let rows = &input[nth % 8 * wide..][..wide];
                black_box(learner.step(rows, |at| Target::Class((at % 3) as u8), 1e-3));
            }),
        });
    }
    take_turns(options, &mut variants);
    Ok(variants.iter_mut().map(row_of).collect())
}
