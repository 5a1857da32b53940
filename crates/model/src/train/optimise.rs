//! Optimisers on a flat vector of parameters.
use crate::block::LANES;
use crate::lanes::Level;
use crate::net::Room;
use crate::train::sweep;

/// How a gradient becomes a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// `w -= rate g`.
    Sgd,
    /// `v = momentum v + g`, `w -= rate v` (Polyak 1964).
    Momentum {
        /// Share of the old velocity kept.
        momentum: f32,
    },
    /// `s += g^2`, `w -= rate g / sqrt(s)` (Duchi et al. 2011).
    AdaGrad,
    /// `s = 0.9 s + 0.1 g^2`, `w -= rate g / sqrt(s)` (Hinton 2012).
    RmsProp,
    /// Adam (Kingma and Ba 2015); weight decay, when there is any, is added to the gradient.
    Adam,
    /// Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).
    AdamW,
    /// Momentum over a diagonal of the curvature taken from squared gradients, each step limited to `rate` (after Liu et al. 2023, Sophia,
    /// with the Gauss-Newton estimate that a sampled batch gives).
    Sophia,
}

impl Method {
    /// Adam's step with a weight decay: added to the gradient, or apart from it.
    fn decaying(self, pace: sweep::Adam, decay: f32) -> sweep::Adam {
        match self {
            Method::Adam => sweep::Adam { pull: decay, ..pace },
            _ => sweep::Adam { keep: 1.0 - pace.rate * decay, ..pace },
        }
    }
}

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;
/// Sophia: curvature scale, and the averages' speeds.
const SOPHIA: [f32; 3] = [0.04, 0.965, 0.99];

/// An optimiser with its memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimiser {
    method: Method,
    first: Room<f32>,
    second: Room<f32>,
    /// Gradients of a layer with few outputs.
    narrow: Vec<f32>,
    /// Steps taken, for Adam's bias correction.
    steps: u64,
    /// `beta^steps`.
    powers: [f64; 2],
}

impl Optimiser {
    /// For `parameters` parameters.
    pub fn new(method: Method, parameters: usize) -> Optimiser {
        let first = !matches!(method, Method::Sgd | Method::AdaGrad | Method::RmsProp);
        let second = !matches!(method, Method::Sgd | Method::Momentum { .. });
        let memory = |wanted| Room::zeros(if wanted { parameters } else { 0 });
        let (first, second) = (memory(first), memory(second));
        Optimiser { method, first, second, narrow: Vec::new(), steps: 0, powers: [1.0; 2] }
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// One step. `decay` is one number a parameter: its weight decay, zero for biases and the like; empty: none.
    pub fn step(&mut self, parameters: &mut [f32], gradient: &[f32], rate: f32, decay: &[f32]) {
        let pace = self.begin(rate);
        if matches!(self.method, Method::Adam | Method::AdamW) {
            return self.adam(parameters, gradient, decay, pace);
        }
        if !decay.is_empty() {
            // Decoupled: for plain gradient descent this is the same as adding it to the gradient.
            parameters.iter_mut().zip(decay).for_each(|(w, decay)| *w -= rate * decay * *w);
        }
        let pairs = parameters.iter_mut().zip(gradient);
        match self.method {
            Method::Sgd => sweep::descend(Level::detect(), parameters, gradient, rate),
            Method::Adam | Method::AdamW => {}
            Method::Momentum { momentum } => {
                for ((w, g), v) in pairs.zip(self.first.iter_mut()) {
                    *v = momentum * *v + g;
                    *w -= rate * *v;
                }
            }
            Method::AdaGrad => {
                for ((w, g), s) in pairs.zip(self.second.iter_mut()) {
                    *s += g * g;
                    *w -= rate * g / (s.sqrt() + EPSILON);
                }
            }
            Method::RmsProp => {
                for ((w, g), s) in pairs.zip(self.second.iter_mut()) {
                    *s = 0.9 * *s + 0.1 * g * g;
                    *w -= rate * g / (s.sqrt() + EPSILON);
                }
            }
            Method::Sophia => {
                let [scale, fast, slow] = SOPHIA;
                for ((w, g), (m, h)) in pairs.zip(self.first.iter_mut().zip(self.second.iter_mut())) {
                    *m = fast * *m + (1.0 - fast) * g;
                    *h = slow * *h + (1.0 - slow) * g * g;
                    *w -= rate * (*m / (scale * *h).max(1e-12)).clamp(-1.0, 1.0);
                }
            }
        }
    }

    fn adam(&mut self, parameters: &mut [f32], gradient: &[f32], decay: &[f32], pace: sweep::Adam) {
        let (level, mut at) = (Level::detect(), 0);
        // Neighbours mostly decay alike: all together where nothing does.
        let runs = decay.chunk_by(|a, b| a == b).map(|run| (run.len(), run[0]));
        let whole = decay.is_empty().then_some((parameters.len(), 0.0));
        for (count, decay) in runs.chain(whole) {
            let run = at..at + count;
            let (m, v) = (&mut self.first[run.clone()], &mut self.second[run.clone()]);
            let pace = self.method.decaying(pace, decay);
            sweep::adam(level, &mut parameters[run.clone()], &gradient[run], m, v, pace);
            at += count;
        }
    }

    /// Counts a step and gives what it has in common for all parameters.
    pub(crate) fn begin(&mut self, rate: f32) -> sweep::Adam {
        self.steps += 1;
        self.powers[0] *= f64::from(BETA_1);
        self.powers[1] *= f64::from(BETA_2);
        let [first, second] = self.powers.map(|power| 1.0 - power);
        let (spread, floor) = ((first / second.sqrt()) as f32, (first * f64::from(EPSILON)) as f32);
        sweep::Adam { betas: [BETA_1, BETA_2], rate, spread, floor, pull: 0.0, keep: 1.0 }
    }

    /// True for methods that have [`Optimiser::outer`].
    pub(crate) fn has_outer(&self) -> bool {
        matches!(self.method, Method::Sgd | Method::Adam | Method::AdamW)
    }

    /// The part of a step, begun by [`Optimiser::begin`], for the parameters from `at` on whose gradient is `x[i] d[j]`; `decay` is theirs.
    pub(crate) fn outer(
        &mut self,
        pace: sweep::Adam,
        w: &mut [f32],
        at: usize,
        x: &[f32],
        d: &[f32],
        decay: f32,
    ) {
        let (level, rate) = (Level::detect(), pace.rate);
        if self.method == Method::Sgd {
            if decay > 0.0 {
                w.iter_mut().for_each(|w| *w -= rate * decay * *w);
            }
            return sweep::descend_outer(level, w, x, d, rate);
        }
        let (m, v) = (&mut self.first[at..at + w.len()], &mut self.second[at..at + w.len()]);
        if d.len() < LANES {
            // Rows too short for a line: the few gradients are written down after all.
            self.narrow.clear();
            x.iter().for_each(|x| self.narrow.extend(d.iter().map(|d| x * d)));
            return sweep::adam(level, w, &self.narrow, m, v, self.method.decaying(pace, decay));
        }
        sweep::adam_outer(level, w, (x, d), m, v, self.method.decaying(pace, decay));
    }

    /// The memory, to be kept: steps, then both vectors.
    pub(crate) fn parts(&self) -> (u64, [&[f32]; 2]) {
        (self.steps, [&self.first, &self.second])
    }

    /// Puts kept memory back; `false` when it is not of this optimiser.
    pub(crate) fn restore(&mut self, steps: u64, first: &[f32], second: &[f32]) -> bool {
        if (first.len(), second.len()) != (self.first.len(), self.second.len()) {
            return false;
        }
        self.first.copy_from_slice(first);
        self.second.copy_from_slice(second);
        self.steps = steps;
        self.powers = [f64::from(BETA_1), f64::from(BETA_2)].map(|beta| {
            // The same products in the same order as step by step, so that a restored run is the same to the bit.
            (0..steps.min(200_000)).fold(1.0, |power, _| power * beta)
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Method, Optimiser};

    const METHODS: [Method; 7] = [
        Method::Sgd,
        Method::Momentum { momentum: 0.9 },
        Method::AdaGrad,
        Method::RmsProp,
        Method::Adam,
        Method::AdamW,
        Method::Sophia,
    ];

    /// Goal: every method finds the bottom of a stretched bowl. Method: 3000 steps with a falling rate.
    #[test]
    fn every_method_finds_the_bottom_of_a_bowl() {
        for method in METHODS {
            let mut optimiser = Optimiser::new(method, 2);
            let mut w = [3.0f32, -2.0];
            for step in 0..3_000 {
                let gradient = [w[0] - 1.0, 4.0 * (w[1] - 0.5)];
                let base = if method == Method::AdaGrad { 0.5 } else { 0.02 };
                optimiser.step(&mut w, &gradient, base * (1.0 - step as f32 / 3_000.0), &[]);
            }
            assert!((w[0] - 1.0).abs() < 2e-2 && (w[1] - 0.5).abs() < 2e-2, "{method:?}: {w:?}");
        }
    }

    #[test]
    fn decay_shrinks_only_what_it_is_given_for() {
        for method in METHODS {
            let mut optimiser = Optimiser::new(method, 2);
            let mut w = [1.0f32, 1.0];
            for _ in 0..50 {
                optimiser.step(&mut w, &[0.0, 0.0], 0.01, &[0.5, 0.0]);
            }
            assert!(w[0] < 0.99 && w[1] == 1.0, "{method:?}: {w:?}");
        }
    }

    #[test]
    fn a_restored_optimiser_goes_on_to_the_bit() {
        for method in METHODS {
            let run = |optimiser: &mut Optimiser, w: &mut [f32; 2], steps: usize| {
                for _ in 0..steps {
                    let gradient = [w[0] * 0.3 + 0.1, w[1] - 0.7];
                    optimiser.step(w, &gradient, 0.01, &[]);
                }
            };
            let (mut whole, mut w) = (Optimiser::new(method, 2), [1.0f32, 2.0]);
            run(&mut whole, &mut w, 40);
            let (steps, [first, second]) = whole.parts();
            let mut restored = Optimiser::new(method, 2);
            assert!(restored.restore(steps, first, second));
            let (mut a, mut b) = (w, w);
            run(&mut whole, &mut a, 40);
            run(&mut restored, &mut b, 40);
            assert_eq!(a.map(f32::to_bits), b.map(f32::to_bits), "{method:?}");
        }
    }
}
