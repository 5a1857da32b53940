//! One step of learning at a time: what a trainer repeats over a data set and a live learner does beside the line.
mod checkpoint;

use crate::error::{Fault, ModelError};
use crate::model::{Model, Precision};
use crate::net::Net;
use crate::net::Room;
use crate::plan::Plan;
use crate::train::rows::Target;
use crate::train::{Dice, Optimiser, Recipe, adversary};

/// Parameters that learn.
#[derive(Debug, Clone)]
pub struct Learner {
    net: Net<f32>,
    recipe: Recipe,
    parameters: Room<f32>,
    gradient: Room<f32>,
    optimiser: Optimiser,
    /// Weight decay of each parameter; empty when there is none.
    decays: Vec<f32>,
    dice: Dice,
    slopes: Vec<f32>,
    losses: Vec<f32>,
    spare: Vec<f32>,
    moved: Vec<f32>,
    /// The gradient is never written down: one row at a time through dense layers, it is taken up factor by factor.
    outer: bool,
}

impl Learner {
    /// Starts from given parameters. `batch` sequences of `steps` rows a step (`steps` counts for stateful networks only).
    ///
    /// # Errors
    /// [`Fault::Shape`] when the parameters are not the plan's, a cross-entropy meets a network that does not end in a softmax,
    /// or the recipe asks for int8.
    pub fn new(
        plan: &Plan,
        parameters: Vec<f32>,
        recipe: Recipe,
        seed: u64,
        batch: usize,
        steps: usize,
    ) -> Result<Learner, ModelError> {
        let (given, wanted) = (parameters.len(), plan.parameters());
        if given != wanted {
            let text = format!("{given} parameters where the layers need {wanted}");
            return Err(ModelError::new(Fault::Shape, text));
        }
        if recipe.loss.by_logits() && !plan.architecture().classifies() {
            let text = "cross-entropy needs a network that ends in a softmax; use another loss";
            return Err(ModelError::new(Fault::Shape, text));
        }
        if recipe.precision == Precision::Int8 {
            let text = "steps of learning are computed in f32 or bf16, not in int8";
            return Err(ModelError::new(Fault::Shape, text));
        }
        let mut net = Net::new(plan, batch, steps)?.rounded(recipe.precision == Precision::Bf16);
        if recipe.adversary <= 0.0 {
            net = net.without_input_slopes();
        }
        let optimiser = Optimiser::new(recipe.method, wanted);
        let mut own = Room::zeros(wanted);
        own.copy_from_slice(&parameters);
        let elsewhere = recipe.adversary > 0.0 || recipe.sharpness > 0.0;
        let outer = !elsewhere && net.is_outer() && optimiser.has_outer();
        let mut decays = Vec::new();
        if recipe.decay > 0.0 {
            for slice in plan.slices() {
                let decay = if slice.spec.decays { recipe.decay } else { 0.0 };
                decays.extend(std::iter::repeat_n(decay, slice.spec.len()));
            }
        }
        Ok(Learner {
            optimiser,
            gradient: Room::zeros(if outer { 0 } else { wanted }),
            outer,
            slopes: vec![0.0; net.answer().len()],
            losses: vec![0.0; net.answer().len() / plan.output().features()],
            spare: Vec::new(),
            moved: Vec::new(),
            dice: Dice::new(seed),
            net,
            recipe,
            parameters: own,
            decays,
        })
    }

    /// Starts from a model's parameters; for learning beside the line, with a batch of 1.
    ///
    /// # Errors
    /// As [`Learner::new`]'s and [`Model::verify`]'s.
    pub fn of(
        model: &Model,
        recipe: Recipe,
        seed: u64,
        batch: usize,
        steps: usize,
    ) -> Result<Learner, ModelError> {
        Learner::new(&model.verify()?, model.parameters.clone(), recipe, seed, batch, steps)
    }

    /// The parameters as they are now.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// Puts other parameters in place, as on a rollback; the optimiser's memory stays. `false` when they are not as many.
    pub fn set_parameters(&mut self, parameters: &[f32]) -> bool {
        let fits = parameters.len() == self.parameters.len();
        if fits {
            self.parameters.copy_from_slice(parameters);
        }
        fits
    }

    /// The loss of each answer of the last step, before the step; 0 where nothing was wanted.
    pub fn losses(&self) -> &[f32] {
        &self.losses
    }

    /// The network it runs: for its state and answers.
    pub fn net(&mut self) -> &mut Net<f32> {
        &mut self.net
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.optimiser.steps()
    }

    /// Answers without learning; a stateful network's state advances.
    pub fn answer(&mut self, input: &[f32]) -> &[f32] {
        self.net.forward(&self.parameters, input, None)
    }

    /// Learns from `input`, `[batch][time][columns]` scaled numbers; `target(nth)` is what is wanted of the `nth` answer (`[batch][time]`,
    /// one time where a window is folded). Returns the sum of the losses before the step and how many answers something was wanted of;
    /// with none wanted only the state advances.
    pub fn step<'t>(
        &mut self,
        input: &[f32],
        target: impl Fn(usize) -> Target<'t>,
        rate: f32,
    ) -> (f64, usize) {
        self.step_weighted(input, target, |_| 1.0, rate)
    }

    /// As [`Learner::step`]; the slopes of the `nth` answer count `weight(nth)`, as importance weights of a replay do. Losses do not.
    pub fn step_weighted<'t>(
        &mut self,
        input: &[f32],
        target: impl Fn(usize) -> Target<'t>,
        weight: impl Fn(usize) -> f32,
        rate: f32,
    ) -> (f64, usize) {
        let wish = |nth: usize| (target(nth), weight(nth));
        let before =
            (self.recipe.sharpness > 0.0 || self.recipe.adversary > 0.0).then(|| self.net.state().to_vec());
        self.gradient.fill(0.0);
        let (loss, wanted) = self.learn(input, &wish, true);
        if wanted == 0 {
            return (0.0, 0);
        }
        let after = before.as_ref().map(|_| self.net.state().to_vec());
        if let Some(before) = &before {
            self.adversarial(input, &wish, before);
            self.sharpen(input, &wish, before);
        }
        if let Some(after) = &after {
            self.net.set_state(after);
        }
        if self.outer {
            self.step_outer(rate);
        } else {
            self.clip();
            self.optimiser.step(&mut self.parameters, &self.gradient, rate, &self.decays);
        }
        self.net.plan().enforce(&mut self.parameters);
        if self.net.measures() {
            self.net.measure(&mut self.parameters);
        }
        (loss, wanted)
    }

    /// Forward, loss, backward; each answer's loss is kept when this is the step's own place.
    fn learn<'t>(
        &mut self,
        input: &[f32],
        wish: &impl Fn(usize) -> (Target<'t>, f32),
        own: bool,
    ) -> (f64, usize) {
        let wide = self.net.plan().output().features();
        let answer = self.net.forward(&self.parameters, input, Some(&mut self.dice));
        let (mut loss, mut wanted) = (0.0, 0usize);
        let answers = answer.chunks_exact(wide).zip(self.slopes.chunks_exact_mut(wide));
        for (nth, ((answer, slopes), kept)) in answers.zip(&mut self.losses).enumerate() {
            let (target, weight) = wish(nth);
            wanted += usize::from(target != Target::Nothing);
            let of_one = self.recipe.loss.slopes(answer, target, &self.recipe.class_weights, slopes);
            if weight != 1.0 {
                slopes.iter_mut().for_each(|slope| *slope *= weight);
            }
            if own {
                *kept = of_one as f32;
            }
            loss += of_one;
        }
        if wanted > 0 {
            let share = 1.0 / wanted as f32;
            self.slopes.iter_mut().for_each(|slope| *slope *= share);
            let logits = self.recipe.loss.by_logits();
            if self.outer {
                self.net.backward_outer(&self.parameters, &self.slopes, logits);
            } else {
                self.net.backward(&self.parameters, &self.slopes, logits, &mut self.gradient);
            }
        }
        (loss, wanted)
    }

    /// Adds the gradient at inputs moved along the sign of their slopes, and halves the sum.
    fn adversarial<'t>(&mut self, input: &[f32], wish: &impl Fn(usize) -> (Target<'t>, f32), state: &[f32]) {
        let reach = self.recipe.adversary;
        if reach <= 0.0 {
            return;
        }
        let mut moved = std::mem::take(&mut self.moved);
        adversary(input, self.net.input_slopes(), reach, &mut moved);
        self.net.set_state(state);
        self.learn(&moved, wish, false);
        self.gradient.iter_mut().for_each(|g| *g *= 0.5);
        self.moved = moved;
    }

    /// Replaces the gradient by the one `sharpness` uphill.
    fn sharpen<'t>(&mut self, input: &[f32], wish: &impl Fn(usize) -> (Target<'t>, f32), state: &[f32]) {
        let share = f64::from(self.recipe.sharp_share);
        if self.recipe.sharpness <= 0.0 || (share < 1.0 && self.dice.unit() >= share) {
            return;
        }
        let reach = f64::from(self.recipe.sharpness) / length(&self.gradient).max(1e-12);
        let mut own = std::mem::take(&mut self.spare);
        own.clear();
        own.extend_from_slice(&self.parameters);
        for (w, g) in self.parameters.iter_mut().zip(self.gradient.iter()) {
            *w += reach as f32 * g;
        }
        self.gradient.fill(0.0);
        self.net.set_state(state);
        self.learn(input, wish, false);
        self.parameters.copy_from_slice(&own);
        self.spare = own;
    }

    fn clip(&mut self) {
        if !self.recipe.clip.is_finite() {
            return;
        }
        let length = length(&self.gradient);
        if length > f64::from(self.recipe.clip) {
            let scale = (f64::from(self.recipe.clip) / length) as f32;
            self.gradient.iter_mut().for_each(|g| *g *= scale);
        }
    }

    /// A step by gradients that are outer products: `|x d'| = |x| |d|`, so their length is known before any is formed.
    fn step_outer(&mut self, rate: f32) {
        let nodes = self.net.plan().nodes().len();
        let owns = |net: &Net<f32>, at: usize| !net.plan().owned(at).is_empty();
        let mut scale = 1.0;
        if self.recipe.clip.is_finite() {
            let squares = (0..nodes).filter(|at| owns(&self.net, *at)).map(|at| {
                let (x, d) = self.net.factors(at);
                length(d).powi(2) * (length(x).powi(2) + 1.0)
            });
            let (length, most) = (squares.sum::<f64>().sqrt(), f64::from(self.recipe.clip));
            if length > most {
                scale = (most / length) as f32;
            }
        }
        let pace = self.optimiser.begin(rate);
        for node in (0..nodes).filter(|at| owns(&self.net, *at)) {
            let (x, d) = self.net.factors(node);
            self.spare.clear();
            self.spare.extend(d.iter().map(|d| d * scale));
            let owned = self.net.plan().owned(node);
            let (decay, bias) = (self.decays.get(owned.start).copied().unwrap_or(0.0), owned.end - d.len());
            let (matrix, last) = self.parameters[owned.clone()].split_at_mut(bias - owned.start);
            self.optimiser.outer(pace, matrix, owned.start, x, &self.spare, decay);
            self.optimiser.outer(pace, last, bias, &[1.0], &self.spare, 0.0);
        }
    }

    pub(crate) fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }
}

fn length(gradient: &[f32]) -> f64 {
    let mut sums = [0.0f64; 8];
    let (groups, rest) = gradient.as_chunks::<8>();
    for group in groups {
        for lane in 0..8 {
            sums[lane] += f64::from(group[lane]) * f64::from(group[lane]);
        }
    }
    for g in rest {
        sums[0] += f64::from(*g) * f64::from(*g);
    }
    sums.iter().sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::{Learner, Recipe};
    use crate::activation::Activation;
    use crate::net::Room;
    use crate::plan::Plan;
    use crate::train::{Dice, Loss, Method, Target};
    use crate::{Architecture, zoo};

    fn learner(net: &Architecture, recipe: &Recipe, outer: bool) -> Learner {
        let plan = Plan::compile(net).expect("compiles");
        let start = plan.initial(&mut Dice::new(4));
        let mut learner = Learner::new(&plan, start, recipe.clone(), 1, 1, 1).expect("fits");
        if !outer {
            learner.outer = false;
            learner.gradient = Room::zeros(plan.parameters());
        }
        learner
    }

    /// Goal: a step that never forms the gradient is the step that does. Method: both beside each other over 200 rows, every method that has
    /// the shorter way, with and without decay, clipping, skips and odd widths.
    #[test]
    fn steps_by_factors_are_the_steps_by_gradients() {
        let nets = [
            zoo::mlp(40, 1, &[64, 64], Activation::Relu, 3, false),
            zoo::mlp(7, 3, &[19, 19, 5], Activation::Swish, 3, true),
            zoo::logistic(33, 1, 4),
        ];
        for (net, method) in
            nets.iter().flat_map(|net| [Method::Sgd, Method::Adam, Method::AdamW].map(|method| (net, method)))
        {
            for (decay, clip) in [(0.0, f32::INFINITY), (0.01, 0.3)] {
                let recipe = Recipe { method, decay, clip, ..Recipe::default() };
                let (mut fast, mut slow) = (learner(net, &recipe, true), learner(net, &recipe, false));
                assert!(fast.outer, "the shorter way is taken");
                let mut dice = Dice::new(6);
                for _ in 0..200 {
                    let row: Vec<f32> = (0..fast.net.inputs()).map(|_| dice.unit() as f32 - 0.5).collect();
                    let class = Target::Class(dice.below(3) as u8);
                    let (a, b) = (fast.step(&row, |_| class, 1e-2), slow.step(&row, |_| class, 1e-2));
                    assert!((a.0 - b.0).abs() < 1e-4 && a.1 == b.1, "{method:?}: {a:?} and {b:?}");
                }
                for (a, b) in fast.parameters().iter().zip(slow.parameters()) {
                    assert!((a - b).abs() < 1e-4, "{method:?}, decay {decay}: {a} and {b}");
                }
                assert_ne!(fast.parameters(), learner(net, &recipe, true).parameters(), "it has learned");
            }
        }
    }

    #[test]
    fn what_needs_the_whole_gradient_forms_it() {
        let mlp = zoo::mlp(4, 1, &[8], Activation::Relu, 3, false);
        for recipe in [
            Recipe { sharpness: 0.1, ..Recipe::default() },
            Recipe { adversary: 0.1, ..Recipe::default() },
            Recipe { method: Method::RmsProp, ..Recipe::default() },
        ] {
            assert!(!learner(&mlp, &recipe, true).outer);
        }
        assert!(!learner(&zoo::bin_c_tabl(4, 3, 3, 0.0), &Recipe::default(), true).outer);
        let squares = Recipe { loss: Loss::Squares, ..Recipe::default() };
        assert!(learner(&zoo::autoencoder(6, &[], 3), &squares, true).outer);
    }
}
