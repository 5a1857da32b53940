//! Goal: a model swapped under load never tears a prediction and never delays one; what does not fit is refused and changes nothing.
//! Method: two models whose answers are known bit for bit, a reader that predicts as fast as it can, a writer thread that swaps as fast as
//! it can and, in another test, a writer process that is killed.
use std::path::PathBuf;
use std::sync::Arc;
use tickline_model::file::{Loaded, decode, encode};
use tickline_model::{Activation, Engine, Model, Plan, Program, State, zoo};
use tickline_ring::{Segment, Shape};
use tickline_weights::{Reader, WeightsError, Writer, segment_bytes};

const SWAPS: usize = 40_000;
const ROW: [f32; 40] = [0.25; 40];

fn mlp(shade: f32, hidden: usize) -> Loaded {
    let net = zoo::mlp(40, 1, &[hidden, 64], Activation::Relu, 3, false);
    let count = Plan::compile(&net).expect("compiles").parameters();
    let parameters = (0..count).map(|at| shade * ((at * 7919 % 1009) as f32 / 1009.0 - 0.5)).collect();
    let model = Model::bare(&format!("shade {shade}"), net, parameters);
    decode(&encode(&model).expect("valid")).expect("just written")
}

/// A segment file of its own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder =
            if PathBuf::from("/dev/shm").is_dir() { "/dev/shm".into() } else { std::env::temp_dir() };
        Scratch(folder.join(format!("tickline-weights-{name}-{}", std::process::id())))
    }
    fn create(&self, bytes: usize) -> Arc<Segment> {
        Arc::new(Segment::create(&self.0, Shape::Plain { bytes }).expect("a fresh segment"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        tickline_ring::remove(&self.0).expect("removed");
    }
}

fn answer(engine: &mut Engine, state: &mut State, reader: &mut Reader) -> (u64, [u32; 3]) {
    let weights = reader.newest().expect("published");
    let mut out = [0.0; 3];
    engine.predict(weights, state, &ROW, &mut out).expect("finite");
    (weights.version, out.map(f32::to_bits))
}

#[test]
fn every_answer_under_swapping_is_one_of_the_two_models() {
    let models = [mlp(1.0, 64), mlp(-0.7, 64)];
    let plan = Program::new(&models[0].model).expect("valid");
    let scratch = Scratch::new("swap");
    let segment = scratch.create(segment_bytes(&plan));
    let mut writer = Writer::attach(segment, plan.clone()).expect("first writer");
    writer.publish(&models[0]).expect("fits");
    let far = Arc::new(Segment::open(&scratch.0).expect("mapped a second time"));
    let mut reader = Reader::attach(far, &plan).expect("laid out");
    let (mut engine, mut state) = (Engine::new(plan.clone()), State::new(&plan));

    let mut known = Vec::new();
    for model in &models {
        writer.publish(model).expect("fits");
        let (version, bits) = answer(&mut engine, &mut state, &mut reader);
        assert_eq!(version, model.hash);
        known.push((version, bits));
    }
    assert_ne!(known[0].1, known[1].1);

    let swapper = std::thread::spawn(move || {
        for swap in 0..SWAPS {
            writer.publish(&models[swap % 2]).expect("fits");
        }
    });
    let mut seen = [0u32; 2];
    while !swapper.is_finished() {
        let got = answer(&mut engine, &mut state, &mut reader);
        let which = known.iter().position(|known| *known == got).expect("a torn or unknown answer");
        seen[which] += 1;
    }
    swapper.join().expect("the writer refuses nothing");
    assert!(seen[0] > 10 && seen[1] > 10, "{seen:?} answers over {SWAPS} swaps");
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let (first, wider) = (mlp(1.0, 64), mlp(1.0, 48));
    let plan = Program::new(&first.model).expect("valid");
    let scratch = Scratch::new("refuse");
    let segment = scratch.create(segment_bytes(&plan));
    let mut writer = Writer::attach(segment.clone(), plan.clone()).expect("first writer");
    assert!(writer.newest().is_none());
    writer.publish(&first).expect("fits");

    let mut other_columns = first.clone();
    other_columns.model.contract.names[3] = "level.77".into();
    for (model, code) in [(&wider, "MODEL_ARCHITECTURE"), (&other_columns, "MODEL_ARCHITECTURE")] {
        assert_eq!(writer.publish(model).expect_err("does not fit").code(), code);
        assert_eq!(writer.newest(), Some(first.hash));
    }
    let foreign = Program::new(&wider.model).expect("valid");
    let error = Reader::attach(segment.clone(), &foreign).err().expect("another architecture");
    assert!(matches!(error, WeightsError::Foreign { .. }), "{error}");

    let again = Arc::new(Segment::open(&scratch.0).expect("mapped"));
    let error = Writer::attach(again.clone(), plan.clone()).err().expect("a second writer");
    assert!(matches!(error, WeightsError::Busy), "{error}");
    drop(writer);
    let writer = Writer::attach(again, plan).expect("the first is gone");
    assert_eq!(writer.newest(), Some(first.hash), "what was published stays");
}

#[test]
fn a_segment_too_small_is_refused_with_the_size_needed() {
    let model = mlp(1.0, 64);
    let plan = Program::new(&model.model).expect("valid");
    let scratch = Scratch::new("small");
    let segment = scratch.create(segment_bytes(&plan) / 2);
    let error = Writer::attach(segment, plan.clone()).err().expect("too small");
    assert!(matches!(error, WeightsError::Room { needed, .. } if needed == segment_bytes(&plan)), "{error}");
}
