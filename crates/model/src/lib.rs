//! Neural networks that answer inside a tick.
//!
//! A [`Model`] is data: contract, [`Architecture`], parameters; [`file`] reads and writes it. A [`Plan`] knows every shape and where each
//! parameter lies; [`train::Net`] runs any plan forward and backward. A [`Program`] lays a model out for the processor, an [`Engine`]
//! runs it tick by tick on packed weights. The room knows neither what features mean nor where weights are shared.
//!
//! Unsafe code is confined to `block` (lines seen as numbers), `lanes` (intrinsics, invariant L1), its callers in `engine`, and the entry
//! functions of `net` and `train`.

mod activation;
mod architecture;
mod attention;
mod block;
mod calibrate;
mod contract;
mod digit;
mod early;
mod engine;
pub mod ensemble;
mod error;
pub mod file;
mod kernel;
mod lanes;
mod layer;
mod lstm;
mod math;
mod model;
mod narrow;
mod net;
mod pack;
mod plan;
mod pool;
mod product;
mod program;
mod rearrange;
mod recurrent;
mod row;
pub mod schema;
mod shape;
mod stream;
mod tensor;
mod tick;
pub mod train;
mod window;
pub mod zoo;

pub use activation::Activation;
pub use architecture::{Architecture, Node};
pub use block::{LANES, Line, flat, flat_mut, lines};
pub use calibrate::{Difference, difference, quantise};
pub use contract::Contract;
pub use engine::{Engine, Predictor, State, Weights};
pub use error::{Fault, ModelError, NoSignal};
pub use lanes::Level;
pub use layer::{Gate, Layer, Padding, Pooling, Reset, Sweep};
pub use model::{Model, Precision, TrainingRecord};
pub use plan::{COLUMNS_MAX, NODES_MAX, PARAMETERS_MAX, Plan, Slice, VALUE_MAX};
pub use program::Program;
pub use shape::Shape;
pub use tensor::{Rule, Start, TensorSpec};
