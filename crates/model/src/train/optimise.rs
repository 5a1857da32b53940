//! Optimisers on a flat vector of parameters.

/// Moves parameters against a gradient.
pub trait Optimiser {
    /// One step with the given learning rate.
    fn step(&mut self, parameters: &mut [f32], gradient: &[f32], rate: f32);
}

/// Gradient descent with momentum (0: none).
#[derive(Debug, Clone)]
pub struct Sgd {
    momentum: f32,
    velocity: Vec<f32>,
}

impl Sgd {
    /// For `parameters` parameters.
    pub fn new(parameters: usize, momentum: f32) -> Sgd {
        Sgd { momentum, velocity: vec![0.0; parameters] }
    }
}

impl Optimiser for Sgd {
    fn step(&mut self, parameters: &mut [f32], gradient: &[f32], rate: f32) {
        for ((w, g), v) in parameters.iter_mut().zip(gradient).zip(&mut self.velocity) {
            *v = self.momentum * *v + *g;
            *w -= rate * *v;
        }
    }
}

/// Adam (Kingma and Ba 2015) with decoupled weight decay (Loshchilov and Hutter 2019; 0: none).
#[derive(Debug, Clone)]
pub struct Adam {
    decay: f32,
    first: Vec<f32>,
    second: Vec<f32>,
    /// `beta^t`, for the bias correction.
    powers: [f64; 2],
}

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

impl Adam {
    /// For `parameters` parameters.
    pub fn new(parameters: usize, decay: f32) -> Adam {
        Adam { decay, first: vec![0.0; parameters], second: vec![0.0; parameters], powers: [1.0; 2] }
    }
}

impl Optimiser for Adam {
    fn step(&mut self, parameters: &mut [f32], gradient: &[f32], rate: f32) {
        self.powers[0] *= f64::from(BETA_1);
        self.powers[1] *= f64::from(BETA_2);
        let first_scale = (1.0 / (1.0 - self.powers[0])) as f32;
        let second_scale = (1.0 / (1.0 - self.powers[1])) as f32;
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((w, g), (m, v)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *m = BETA_1 * *m + (1.0 - BETA_1) * *g;
            *v = BETA_2 * *v + (1.0 - BETA_2) * *g * *g;
            let step = (*m * first_scale) / ((*v * second_scale).sqrt() + EPSILON);
            *w -= rate * (step + self.decay * *w);
        }
    }
}
