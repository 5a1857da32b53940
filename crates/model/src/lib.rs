//! Neural networks that answer inside a tick.
//!
//! A [`Model`] is data: contract, layers, parameters; [`file`] reads and writes it. A [`Plan`] lays it out for the processor, an
//! [`Engine`] runs the plan on packed weights. The room knows neither what features mean nor where weights are shared.
//!
//! Unsafe code is confined to `block` (lines seen as numbers), `lanes` (intrinsics, invariant L1) and the entry functions of
//! `engine`.

mod block;
mod contract;
mod engine;
mod error;
pub mod file;
mod kernel;
mod lanes;
mod layer;
mod math;
mod model;
mod plan;
pub mod schema;
pub mod train;

pub use block::{LANES, Line, flat, flat_mut, lines};
pub use contract::Contract;
pub use engine::{Engine, Predictor, State, Weights};
pub use error::{Fault, ModelError, NoSignal};
pub use lanes::Level;
pub use layer::{Activation, LAYERS_MAX, Layer, TensorSpec, WIDTH_MAX};
pub use model::{Model, TrainingRecord};
pub use plan::Plan;
