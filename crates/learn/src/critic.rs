//! The critic: what a state is worth, learned by temporal differences (Sutton 1988, TD(0)).
use crate::bytes::{In, Out};
use tickline_model::train::{Dice, Learner, Loss, Method, Recipe, Target};
use tickline_model::{Activation, Architecture, Layer, ModelError, Plan};

/// Units of its hidden layer.
const HIDDEN: usize = 16;

/// A small network of its own over the policy's inputs.
#[derive(Debug, Clone)]
pub(crate) struct Critic {
    learner: Learner,
    discount: f32,
    rate: f32,
}

impl Critic {
    /// # Errors
    /// The model engine's.
    pub(crate) fn new(
        columns: usize,
        window: usize,
        (discount, rate): (f32, f32),
        seed: u64,
    ) -> Result<Critic, ModelError> {
        let mut net = Architecture::over_window(columns, window);
        if window > 1 {
            net.then(Layer::Flatten);
        }
        net.dense(HIDDEN, Activation::Relu);
        net.dense(1, Activation::None);
        let plan = Plan::compile(&net)?;
        let mut start = plan.initial(&mut Dice::new(seed));
        // Every state is worth nothing at first: the last layer, 16 weights and a bias, is 0.
        let last = start.len() - HIDDEN - 1;
        start[last..].fill(0.0);
        let recipe = Recipe { loss: Loss::Squares, method: Method::Adam, ..Recipe::default() };
        Ok(Critic { learner: Learner::new(&plan, start, recipe, seed, 1, 1)?, discount, rate })
    }

    /// What a state is worth.
    pub(crate) fn value(&mut self, state: &[f32]) -> f32 {
        self.learner.answer(state).first().copied().unwrap_or(0.0)
    }

    /// Learns that `state` gave `reward` and led to one that is worth `next`: how much better that was than thought, the advantage.
    pub(crate) fn learn(&mut self, state: &[f32], reward: f32, next: f32) -> f32 {
        let wanted = reward + self.discount * next;
        let advantage = wanted - self.value(state);
        self.learner.step(state, |_| Target::Values(std::slice::from_ref(&wanted)), self.rate);
        advantage
    }

    pub(crate) fn save(&self, out: &mut Out) {
        out.bytes(&self.learner.checkpoint());
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        self.learner.restore(from.bytes()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Critic;

    /// Goal: values are those of the chain. Method: two states in turn with rewards 1 and 0, whose values are known:
    /// `A = 1 + B / 2`, `B = A / 2`.
    #[test]
    fn values_of_a_chain_are_found() {
        let (a, b) = ([1.0f32, 0.0], [0.0f32, 1.0]);
        let mut critic = Critic::new(2, 1, (0.5, 3e-3), 7).expect("small");
        assert_eq!((critic.value(&a), critic.value(&b)), (0.0, 0.0));
        for _ in 0..4_000 {
            let next = critic.value(&b);
            critic.learn(&a, 1.0, next);
            let next = critic.value(&a);
            critic.learn(&b, 0.0, next);
        }
        let (found, other) = (critic.value(&a), critic.value(&b));
        assert!((found - 4.0 / 3.0).abs() < 0.05 && (other - 2.0 / 3.0).abs() < 0.05, "{found} {other}");
        let advantage = critic.learn(&a, 2.0, other);
        assert!((advantage - 1.0).abs() < 0.1, "one more than thought: {advantage}");
    }
}
