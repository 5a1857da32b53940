//! What a step of learning does.

use crate::Precision;
use crate::train::{Loss, Method};

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// What is to become small.
    pub loss: Loss,
    /// How a gradient becomes a step.
    pub method: Method,
    /// Weight decay of matrices.
    pub decay: f32,
    /// Gradients longer than this are shortened to it; infinite: never.
    pub clip: f32,
    /// Weight of each class in the loss; missing ones count 1.
    pub class_weights: Vec<f32>,
    /// Sharpness-aware minimisation (Foret et al. 2021): the gradient is taken this far uphill; 0: where the parameters are.
    pub sharpness: f32,
    /// Share of steps that are sharpness-aware, by the dice (Zhao et al. 2022, randomised sharpness-aware training): the cheaper variant,
    /// which costs so much of a second gradient; 1: every step.
    pub sharp_share: f32,
    /// Fast gradient sign (Goodfellow et al. 2015): each step also learns from inputs moved this far (in scaled units); 0: not.
    pub adversary: f32,
    /// What the factors of products over many rows are rounded to, [`Precision::F32`] or [`Precision::Bf16`]: see [`crate::train::Net::rounded`].
    /// Parameters, sums and the optimiser's memory are f32 in both.
    pub precision: Precision,
}

impl Default for Recipe {
    fn default() -> Recipe {
        Recipe {
            loss: Loss::CrossEntropy,
            method: Method::AdamW,
            decay: 0.0,
            clip: 1.0,
            class_weights: Vec::new(),
            sharpness: 0.0,
            sharp_share: 1.0,
            adversary: 0.0,
            precision: Precision::F32,
        }
    }
}
