//! Any network for TypeScript, apart from a line's features: plain rows in, plain answers out, and one step of learning.

use crate::model::{Bound, refused};
use crate::model_data::{ModelData, of_data};
use crate::quick::{self, Shared};
use napi::bindgen_prelude::{ArrayBuffer, Env, Float32Array, ObjectFinalize, This, Unknown};
use napi::{Error, Result};
use napi_derive::napi;
use std::cell::RefCell;
use std::rc::Rc;
use tickline_model::train::{Learner, Loss, Method, Recipe, Target};
use tickline_model::{Model, Predictor};

/// Status of `predict` when nothing is bound.
const UNREADABLE: u32 = 5;

/// What the path works on.
struct Parts {
    predictor: Predictor,
    columns: usize,
    outputs: usize,
    bound: Option<(Bound, Bound)>,
    /// Row that `predict_next` answers next.
    next: u32,
}

impl Parts {
    fn predict(&mut self, row: u32) -> Option<u32> {
        let Some((input, output)) = &self.bound else { return Some(UNREADABLE) };
        let at = row as usize * self.columns;
        if at + self.columns > input.bytes / 4 {
            return Some(UNREADABLE);
        }
        // SAFETY: in bounds as just checked, aligned as `bind` checked; the buffers are kept alive and JavaScript, the only other one
        // to touch them, stands still during this call.
        let row = unsafe { std::slice::from_raw_parts(input.base.cast::<f32>().add(at), self.columns) };
        // SAFETY: as above; `bind` checked the size and that the two are different buffers.
        let answer = unsafe { std::slice::from_raw_parts_mut(output.base.cast::<f32>(), self.outputs) };
        self.predictor.predict(row, answer).err().map(|reason| reason as u32)
    }

    /// The rows that follow, round and round, each begun when the answer before it is there.
    fn predict_next(&mut self, count: u32) -> Option<u32> {
        let rows = self.bound.as_ref().map_or(0, |(input, _)| (input.bytes / 4 / self.columns) as u32);
        let mut silent = None;
        for _ in 0..count {
            silent = self.predict(self.next);
            self.next = if self.next + 1 < rows { self.next + 1 } else { 0 };
            settle();
        }
        silent
    }
}

/// Waits until all that stands before it is done, so that answers do not overlap; where the processor has no such instruction they may.
fn settle() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this architecture has it.
    unsafe {
        std::arch::x86_64::_mm_lfence();
    }
}

/// A network with one state.
#[napi(custom_finalize)]
pub struct NativeNetwork {
    model: Model,
    parts: Shared<Parts>,
}

impl ObjectFinalize for NativeNetwork {
    fn finalize(self, env: Env) -> Result<()> {
        if let Some((input, output)) = self.parts.borrow_mut().bound.take() {
            input.keep.unref(&env)?;
            output.keep.unref(&env)?;
        }
        Ok(())
    }
}

#[napi]
impl NativeNetwork {
    /// Packs a model for this processor.
    /// @throws MODEL_*
    #[napi(factory)]
    pub fn of(data: ModelData) -> Result<NativeNetwork> {
        let model = of_data(data)?;
        let predictor = Predictor::new(&model).map_err(refused)?;
        let (columns, outputs) = (model.contract.names.len(), model.outputs());
        let parts = Parts { predictor, columns, outputs, bound: None, next: 0 };
        Ok(NativeNetwork { model, parts: Rc::new(RefCell::new(parts)) })
    }

    /// Binds rows of `f32` and the memory that one answer is written to. Neither may be detached while bound.
    /// @throws MODEL_SHAPE when either is too small or not 8-aligned, or both are the same
    #[napi]
    pub fn bind(&self, env: Env, mut rows: ArrayBuffer, mut answer: ArrayBuffer) -> Result<()> {
        let mut parts = self.parts.borrow_mut();
        let aligned = rows.as_ptr().addr().is_multiple_of(8) && answer.as_ptr().addr().is_multiple_of(8);
        let apart = rows.as_ptr() != answer.as_ptr();
        if !aligned || !apart || rows.len() < 4 * parts.columns || answer.len() < 4 * parts.outputs {
            let (columns, outputs) = (parts.columns, parts.outputs);
            let text =
                format!("MODEL_SHAPE: rows of {columns} and an answer of {outputs} f32, 8-aligned, apart");
            return Err(Error::from_reason(text));
        }
        let bound = (Bound::new(&env, &mut rows)?, Bound::new(&env, &mut answer)?);
        if let Some((input, output)) = parts.bound.replace(bound) {
            input.keep.unref(&env)?;
            output.keep.unref(&env)?;
        }
        Ok(())
    }

    /// The function `predict(row)`: answers row `row` of the bound rows, unscaled, and returns nothing; or returns the model's reason for
    /// having no answer (`NoSignal`; 5: no such row) and writes nothing.
    #[napi(ts_return_type = "(row: number) => number | undefined")]
    pub fn predictor<'env>(&self, env: &'env Env, this: This<'_>) -> Result<Unknown<'env>> {
        quick::function(env, &this, "predict", &self.parts, |parts, [row]| Ok(parts.predict(row)))
    }

    /// The function `predictNext(count)`: answers the next `count` of the bound rows, round and round, each begun when the answer before it
    /// is there; returns as `predict`'s last. One answer a call beside many a call shows what a call costs.
    #[napi(ts_return_type = "(count: number) => number | undefined")]
    pub fn next_predictor<'env>(&self, env: &'env Env, this: This<'_>) -> Result<Unknown<'env>> {
        quick::function(
            env,
            &this,
            "predictNext",
            &self.parts,
            |parts, [count]| Ok(parts.predict_next(count)),
        )
    }

    /// Does the part of the next tick that does not need its row.
    #[napi]
    pub fn prepare(&self) {
        self.parts.borrow_mut().predictor.prepare();
    }

    /// Forgets the stream.
    #[napi]
    pub fn reset(&self) {
        self.parts.borrow_mut().predictor.reset();
    }

    /// The parameters after one step of learning from a batch of scaled inputs, `[batch][time][columns]`, and their wanted answers: a class
    /// each for a network that ends in a softmax, else as many numbers as it gives. Plain gradient descent, or Adam; the model itself
    /// stays as it is.
    /// @throws MODEL_*
    #[napi]
    pub fn learned(
        &self,
        input: Float32Array,
        wanted: Float32Array,
        batch: u32,
        adam: bool,
        rate: f64,
    ) -> Result<Float32Array> {
        let (classifies, batch) = (self.model.architecture.classifies(), batch as usize);
        let recipe = Recipe {
            loss: if classifies { Loss::CrossEntropy } else { Loss::Squares },
            method: if adam { Method::Adam } else { Method::Sgd },
            clip: f32::INFINITY,
            ..Recipe::default()
        };
        let columns = self.model.contract.names.len() * self.model.architecture.window;
        let steps = if self.model.architecture.stateful { input.len() / (batch * columns).max(1) } else { 1 };
        let mut learner = Learner::of(&self.model, recipe, 1, batch, steps).map_err(refused)?;
        let given = learner.net().plan().output().features();
        let wide = if classifies { 1 } else { given };
        let answers = learner.net().answer().len() / given;
        if input.len() != batch * steps * columns || wanted.len() != answers * wide {
            let text = format!(
                "MODEL_SHAPE: {} inputs and {} answers for a batch of {batch}",
                input.len(),
                wanted.len()
            );
            return Err(Error::from_reason(text));
        }
        let classes: Vec<u8> = wanted.iter().map(|class| *class as u8).collect();
        let target = |at: usize| {
            if classifies {
                Target::Class(classes[at])
            } else {
                Target::Values(&wanted[at * wide..(at + 1) * wide])
            }
        };
        learner.step(&input, target, rate as f32);
        Ok(learner.parameters().to_vec().into())
    }
}
