//! Learning from a memory in which rare classes come more often than they did, and putting their frequencies right again.
//!
//! The network that is trained answers for the frequencies of what is drawn, the one that is published for those of the market: their logits
//! differ by the logarithm of the ratio (`shift`). The published weights are the truth here. Before a step the shift of that moment is
//! taken off their last bias, after it it is put back; so a shift that changes as the memory fills changes no answer by itself, and the
//! first answers are those of the model that learning began with.
use crate::bytes::{In, Out};
use crate::error::LearnError;
use crate::log::Log;
use crate::settings::{Replay as Asked, Settings};
use tickline_model::Plan;
use tickline_model::train::{CLASSES, Drawn, Learner, Memory, Replay, Target, shift_bias};

/// A memory and the weights as they answer.
#[derive(Debug, Clone)]
pub(crate) struct Recall {
    plan: Plan,
    replay: Replay,
    correction: f64,
    /// What was drawn for the step at hand.
    drawn: Vec<Drawn>,
    /// Its inputs, one after another.
    input: Vec<f32>,
    /// What is wanted of each of its answers.
    wanted: Vec<u8>,
    /// Weights as they answer.
    own: Vec<f32>,
    /// Weights as they learn.
    taught: Vec<f32>,
    shift: Vec<f32>,
}

/// Distinguishes the seed of what is drawn from that of dropout.
const SEED: u64 = 0x7265_6361_6c6c_2121;

impl Recall {
    /// `state`: numbers of a stateful network's state; `None` for others.
    ///
    /// # Errors
    /// [`LearnError::Setting`] for a network whose last layer has no bias to put the frequencies right in; [`LearnError::Model`] for
    /// numbers out of range.
    pub(crate) fn new(
        asked: &Asked,
        plan: &Plan,
        settings: &Settings,
        columns: usize,
        state: Option<usize>,
        start: &[f32],
    ) -> Result<Recall, LearnError> {
        let mut own = start.to_vec();
        shift_bias(plan, &mut own, &[0.0; CLASSES.len()])
            .map_err(|error| LearnError::Setting(format!("replay: {error}; learn without it")))?;
        let answers = state.map_or(1, |_| settings.steps);
        let inputs =
            state.map_or(plan.architecture().window * columns, |state| settings.steps * columns + state);
        let replay = Replay::new(Memory {
            capacity: asked.capacity,
            inputs,
            answers,
            classes: CLASSES.len(),
            sharpness: asked.sharpness,
            oversample: asked.oversample,
            seed: settings.seed ^ SEED,
        })?;
        if !(0.0..=1.0).contains(&asked.correction) {
            return Err(LearnError::Setting(format!("replay correction {}; give 0 to 1", asked.correction)));
        }
        Ok(Recall {
            plan: plan.clone(),
            correction: asked.correction,
            drawn: vec![Drawn::default(); settings.batch],
            input: vec![0.0; settings.batch * inputs],
            wanted: vec![0; settings.batch * answers],
            taught: own.clone(),
            own,
            replay,
            shift: vec![0.0; CLASSES.len()],
        })
    }

    pub(crate) fn parameters(&self) -> &[f32] {
        &self.own
    }

    pub(crate) fn set_parameters(&mut self, from: &mut In<'_>) -> Option<()> {
        from.fill_floats(&mut self.own)
    }

    /// Keeps an input with what is wanted of its answers.
    pub(crate) fn add(&mut self, input: &[f32], wanted: &[u8], class: u8) {
        self.replay.add(input, wanted, class);
    }

    /// Keeps a stretch of rows with the state before it.
    pub(crate) fn remember(&mut self, rows: &[f32], state: &[f32], wanted: &[u8], class: u8) {
        // The room for a batch of one is of the right size, and is filled anew by every draw.
        let (head, tail) = self.input.split_at_mut(rows.len());
        head.copy_from_slice(rows);
        tail.copy_from_slice(state);
        self.replay.add(&self.input, wanted, class);
    }

    /// Draws what the next step learns from; false while memory holds less than a batch.
    pub(crate) fn draw(&mut self) -> bool {
        if self.replay.len() < self.drawn.len() || !self.replay.draw(&mut self.drawn, self.correction) {
            return false;
        }
        let Memory { inputs, answers, .. } = *self.replay.memory();
        let rooms = self.input.chunks_exact_mut(inputs).zip(self.wanted.chunks_exact_mut(answers));
        for (drawn, (input, wanted)) in self.drawn.iter().zip(rooms) {
            if let (Some(kept), Some(classes)) = (self.replay.input(*drawn), self.replay.wanted(*drawn)) {
                input.copy_from_slice(kept);
                wanted.copy_from_slice(classes);
            }
        }
        true
    }

    /// Takes a step from drawn windows; `each` answers a window, the newest with a label. The losses and how many.
    pub(crate) fn windows(
        &mut self,
        learner: &mut Learner,
        each: usize,
        wish: impl Fn(Option<&u8>) -> Target<'static>,
        rate: f32,
    ) -> (f64, usize) {
        self.before(learner);
        let (wanted, drawn) = (&self.wanted, &self.drawn);
        let newest = |nth: usize| (nth + 1).is_multiple_of(each);
        let target = |nth: usize| if newest(nth) { wish(wanted.get(nth / each)) } else { Target::Nothing };
        let weight = |nth: usize| drawn.get(nth / each).map_or(0.0, |drawn| drawn.weight);
        let done = learner.step_weighted(&self.input, target, weight, rate);
        for (drawn, losses) in self.drawn.iter().zip(learner.losses().chunks_exact(each)) {
            self.replay.learned(*drawn, losses.last().copied().map_or(0.0, f64::from));
        }
        self.after(learner);
        done
    }

    /// Takes a step from a drawn stretch, whose rows are `rows` numbers. The losses and how many.
    pub(crate) fn stretch(
        &mut self,
        learner: &mut Learner,
        rows: usize,
        wish: impl Fn(Option<&u8>) -> Target<'static>,
        rate: f32,
    ) -> (f64, usize) {
        self.before(learner);
        let (rows, state) = self.input.split_at(rows);
        let (wanted, weight) = (&self.wanted, self.drawn.first().map_or(0.0, |drawn| drawn.weight));
        learner.net().set_state(state);
        let done = learner.step_weighted(rows, |nth| wish(wanted.get(nth)), |_| weight, rate);
        if let Some(drawn) = self.drawn.first() {
            self.replay.learned(*drawn, done.0 / done.1.max(1) as f64);
        }
        self.after(learner);
        done
    }

    /// From the weights as they answer to those that learn.
    fn before(&mut self, learner: &mut Learner) {
        self.shift = self.replay.shift();
        self.shift.iter_mut().for_each(|shift| *shift = -*shift);
        self.taught.copy_from_slice(&self.own);
        self.put(true);
        learner.set_parameters(&self.taught);
    }

    /// And back.
    fn after(&mut self, learner: &Learner) {
        self.shift.iter_mut().for_each(|shift| *shift = -*shift);
        self.own.copy_from_slice(learner.parameters());
        self.put(false);
    }

    fn put(&mut self, taught: bool) {
        let weights = if taught { &mut self.taught } else { &mut self.own };
        // `new` has seen that there is a bias to put it in.
        let _ = shift_bias(&self.plan, weights, &self.shift);
    }

    /// What it remembers, to be written lesson by lesson.
    pub(crate) fn replay(&self) -> &Replay {
        &self.replay
    }

    /// `apart`: its lessons are written elsewhere.
    pub(crate) fn save(&self, out: &mut Out, apart: bool) {
        out.bytes(&if apart { self.replay.outline() } else { self.replay.checkpoint() });
    }

    /// `log`: where its lessons are, when they were written elsewhere.
    pub(crate) fn load(&mut self, from: &mut In<'_>, log: Option<&Log<'_>>) -> Option<()> {
        let bytes = from.bytes()?;
        match log {
            None => self.replay.restore(bytes),
            Some(log) => self.replay.restore_outline(bytes, |lesson| log.lesson(lesson)),
        }
        .ok()
    }
}
