//! What learns: labels come in, steps are taken when they are due, from the newest labels or from a memory of older ones.
use crate::bytes::{In, Out};
use crate::dropout::with_dropout;
use crate::error::LearnError;
use crate::log::Log;
use crate::pace::Rate;
use crate::recall::Recall;
use crate::settings::Settings;
use tickline_model::file::Loaded;
use tickline_model::train::{CLASSES, Learner, NO_CLASS, Replay, Target};
use tickline_model::{Layer, Plan};

/// Labels that wait for a step of a stateless network.
#[derive(Debug, Clone, PartialEq)]
struct Ready {
    /// `[batch][window][columns]`.
    input: Vec<f32>,
    classes: Vec<u8>,
    /// How much each counts.
    weights: Vec<f32>,
    /// Labels in it.
    filled: usize,
    /// Place of the next label.
    next: usize,
}

/// How the last step was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stride {
    /// Its learning rate; 0 before the first step.
    pub rate: f32,
    /// What the rates of dropout were multiplied by; 1 before the first step.
    pub dropout: f32,
}

/// A learner with its schedule and what it learns from.
#[derive(Debug, Clone)]
pub(crate) struct School {
    learner: Learner,
    rate: Rate,
    base_rate: f32,
    stride: Stride,
    by_logits: bool,
    /// Answers that the network gives to one input, of which the newest has a label.
    each: usize,
    /// Numbers of the rows of a stateful network's stretch; `None` for others.
    rows: Option<usize>,
    ready: Ready,
    recall: Option<Recall>,
}

/// What a loss by probabilities wants for each class.
const CERTAIN: [[f32; CLASSES.len()]; CLASSES.len()] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

fn target(class: Option<&u8>, by_logits: bool) -> Target<'static> {
    match class {
        Some(class) if by_logits && *class != NO_CLASS => Target::Class(*class),
        Some(class) => CERTAIN.get(usize::from(*class)).map_or(Target::Nothing, |row| Target::Values(row)),
        None => Target::Nothing,
    }
}

/// Whether a network leaves values out while it learns.
fn drops(plan: &Plan) -> bool {
    plan.architecture().nodes.iter().any(|node| matches!(node.layer, Layer::Dropout { rate } if rate > 0.0))
}

impl School {
    /// `plan` is the model's. A step takes `batch` inputs, or `steps` rows of a stateful network.
    ///
    /// # Errors
    /// [`LearnError::Setting`] and [`LearnError::Model`].
    pub(crate) fn new(loaded: &Loaded, plan: &Plan, settings: &Settings) -> Result<School, LearnError> {
        let model = &loaded.model;
        let steps = if model.architecture.stateful { settings.steps } else { 1 };
        let lesson = match settings.dropout {
            Some(share) => Plan::compile(&with_dropout(&model.architecture, share))?,
            None => plan.clone(),
        };
        if settings.liquidity.is_some() && !drops(&lesson) {
            return Err(LearnError::Setting(format!(
                "learner.liquidity raises dropout, but model {:?} is learned without any; set learner.dropout above 0, or remove \
                 learner.liquidity",
                model.name
            )));
        }
        let (start, recipe) = (model.parameters.clone(), settings.recipe.clone());
        let mut learner = Learner::new(&lesson, start, recipe, settings.seed, settings.batch, steps)?;
        let (columns, window) = (model.contract.names.len(), model.contract.window);
        let stretch = model.architecture.stateful.then(|| learner.net().state().len());
        let recall = settings.replay.as_ref();
        let recall =
            recall.map(|replay| Recall::new(replay, plan, settings, columns, stretch, &model.parameters));
        let each = learner.net().answer().len() / plan.output().features() / settings.batch;
        Ok(School {
            rate: Rate::new(settings.pace),
            base_rate: settings.rate,
            stride: Stride { rate: 0.0, dropout: 1.0 },
            by_logits: settings.recipe.loss.by_logits(),
            each,
            rows: stretch.map(|_| steps * columns),
            ready: Ready {
                input: vec![0.0; settings.batch * window * columns],
                classes: vec![NO_CLASS; settings.batch],
                weights: vec![1.0; settings.batch],
                filled: 0,
                next: 0,
            },
            recall: recall.transpose()?,
            learner,
        })
    }

    /// The parameters as they answer: those that learn, with the classes' frequencies put right.
    pub(crate) fn parameters(&self) -> &[f32] {
        self.recall.as_ref().map_or_else(|| self.learner.parameters(), Recall::parameters)
    }

    /// A price has moved by `change` from `mid`.
    pub(crate) fn moved(&mut self, change: f64, mid: f64) {
        self.rate.moved(change, mid);
    }

    /// Takes the label of one input. True when an older label makes room that no step has taken.
    pub(crate) fn take(&mut self, input: &[f32], class: u8) -> bool {
        self.take_weighted(input, class, 1.0)
    }

    /// As [`School::take`]; its slopes count `weight`, which may be negative: away from the class. Memory knows no weights.
    pub(crate) fn take_weighted(&mut self, input: &[f32], class: u8, weight: f32) -> bool {
        let ready = &mut self.ready;
        if let Some(recall) = &mut self.recall {
            recall.add(input, &[class], class);
            ready.filled = 1;
            return false;
        }
        let at = ready.next * input.len();
        ready.input[at..at + input.len()].copy_from_slice(input);
        ready.classes[ready.next] = class;
        ready.weights[ready.next] = weight;
        ready.next = (ready.next + 1) % ready.classes.len();
        let full = ready.filled == ready.classes.len();
        ready.filled += usize::from(!full);
        full
    }

    /// Leaves what waits for a step: how many labels no step takes. Memory keeps its own.
    pub(crate) fn leave(&mut self) -> u64 {
        let left = if self.recall.is_none() { self.ready.filled as u64 } else { 0 };
        self.clear();
        left
    }

    fn clear(&mut self) {
        self.ready.classes.fill(NO_CLASS);
        (self.ready.filled, self.ready.next) = (0, 0);
    }

    /// How the last step was taken.
    pub(crate) fn stride(&self) -> Stride {
        self.stride
    }

    /// The rate of the next step, which leaves out `dropout` times as many values; it counts as taken once the step is.
    fn lengthen(&mut self, dropout: f32) -> Stride {
        self.learner.net().set_dropout_factor(dropout);
        Stride { rate: self.base_rate * self.rate.factor(self.learner.steps()), dropout }
    }

    /// Takes a step from the labels that wait, or from memory when new ones came; false when there is nothing to learn from. `dropout` is
    /// the factor on its rates.
    pub(crate) fn step(&mut self, dropout: f32) -> bool {
        if self.ready.filled == 0 {
            return false;
        }
        let stride = self.lengthen(dropout);
        let rate = stride.rate;
        let (loss, wanted) = if self.recall.is_some() {
            let Some(done) = self.step_drawn(rate) else { return false };
            done
        } else {
            let (by_logits, each, ready) = (self.by_logits, self.each, &self.ready);
            // One answer a window; where a network gives one a row, only the newest has a label.
            let wanted = |nth: usize| {
                if (nth + 1).is_multiple_of(each) {
                    target(ready.classes.get(nth / each), by_logits)
                } else {
                    Target::Nothing
                }
            };
            let weight = |nth: usize| ready.weights.get(nth / each).copied().unwrap_or(0.0);
            self.learner.step_weighted(&ready.input, wanted, weight, rate)
        };
        self.rate.stepped(loss, wanted);
        self.clear();
        self.stride = stride;
        true
    }

    /// Learns from a stateful network's stretch of rows, which begins with `state`; `state` is then the one at its end. `class` is what a
    /// memory files it under, `dropout` the factor on its rates.
    pub(crate) fn stretch(
        &mut self,
        input: &[f32],
        (classes, class): (&[u8], u8),
        state: &mut [f32],
        dropout: f32,
    ) -> bool {
        let stride = self.lengthen(dropout);
        let rate = stride.rate;
        self.remember(input, (classes, class), state);
        // The stream goes on from where the newest weights see it.
        self.learner.net().set_state(state);
        let (loss, wanted) = if self.recall.is_some() {
            self.learner.answer(input);
            state.copy_from_slice(self.learner.net().state());
            let Some(done) = self.step_drawn(rate) else { return false };
            done
        } else {
            let by_logits = self.by_logits;
            let done = self.learner.step(input, |nth| target(classes.get(nth), by_logits), rate);
            state.copy_from_slice(self.learner.net().state());
            done
        };
        self.rate.stepped(loss, wanted);
        self.stride = stride;
        true
    }

    /// Goes through a stateful network's stretch as [`School::stretch`] does, without a step: it was another learner's turn.
    pub(crate) fn pass(&mut self, input: &[f32], classes: (&[u8], u8), state: &mut [f32]) {
        self.remember(input, classes, state);
        self.learner.net().set_state(state);
        self.learner.answer(input);
        state.copy_from_slice(self.learner.net().state());
    }

    /// Keeps a stretch of rows with the state before it in memory, if there is one.
    pub(crate) fn remember(&mut self, input: &[f32], (classes, class): (&[u8], u8), state: &[f32]) {
        if let Some(recall) = &mut self.recall {
            recall.remember(input, state, classes, class);
        }
    }

    /// Takes a step from memory alone, with dropout as it is set; false while memory holds less than a batch.
    pub(crate) fn recollect(&mut self) -> bool {
        let stride = self.lengthen(1.0);
        let Some((loss, wanted)) = self.step_drawn(stride.rate) else { return false };
        self.rate.stepped(loss, wanted);
        self.stride = stride;
        true
    }

    /// Takes a step from what memory gives: the losses and how many; `None` while it holds less than a batch.
    fn step_drawn(&mut self, rate: f32) -> Option<(f64, usize)> {
        let by_logits = self.by_logits;
        let wish = |class: Option<&u8>| target(class, by_logits);
        let recall = self.recall.as_mut()?;
        if !recall.draw() {
            return None;
        }
        Some(match self.rows {
            None => recall.windows(&mut self.learner, self.each, wish, rate),
            Some(rows) => recall.stretch(&mut self.learner, rows, wish, rate),
        })
    }

    /// What [`School::go_back`] needs to be as it is now: weights and the optimiser's memory.
    pub(crate) fn mark(&self) -> Vec<u8> {
        let mut out = Out::default();
        out.bytes(&self.learner.checkpoint());
        if let Some(recall) = &self.recall {
            out.floats(recall.parameters());
        }
        out.0
    }

    /// Goes back to a mark of its own; what it remembers of the market stays.
    ///
    /// # Errors
    /// [`LearnError::Checkpoint`] and [`LearnError::Model`] for a mark that is not its own.
    pub(crate) fn go_back(&mut self, mark: &[u8]) -> Result<(), LearnError> {
        let foreign = || LearnError::Checkpoint("a mark of another learner".to_owned());
        let mut from = In(mark);
        let bytes = from.bytes().ok_or_else(foreign)?;
        if let Some(recall) = &mut self.recall {
            recall.set_parameters(&mut from).ok_or_else(foreign)?;
        }
        self.learner.restore(bytes)?;
        Ok(())
    }

    /// What it remembers; `None` without a memory.
    pub(crate) fn remembered(&self) -> Option<&Replay> {
        self.recall.as_ref().map(Recall::replay)
    }

    /// `apart`: the lessons that it remembers are written elsewhere.
    pub(crate) fn save(&self, out: &mut Out, apart: bool) {
        out.bytes(&self.mark());
        self.rate.save(out);
        out.floats(&[self.stride.rate, self.stride.dropout]);
        out.floats(&self.ready.input);
        out.bytes(&self.ready.classes);
        out.floats(&self.ready.weights);
        [self.ready.filled, self.ready.next].iter().for_each(|value| out.number(*value as u64));
        if let Some(recall) = &self.recall {
            recall.save(out, apart);
        }
    }

    /// `log`: where the lessons that it remembers are, when they were written elsewhere.
    pub(crate) fn load(&mut self, from: &mut In<'_>, log: Option<&Log<'_>>) -> Option<()> {
        self.go_back(from.bytes()?).ok()?;
        self.rate.load(from)?;
        let mut stride = [0.0; 2];
        from.fill_floats(&mut stride)?;
        self.stride = Stride { rate: stride[0], dropout: stride[1] };
        let ready = &mut self.ready;
        from.fill_floats(&mut ready.input)?;
        from.fill_bytes(&mut ready.classes)?;
        from.fill_floats(&mut ready.weights)?;
        ready.filled = usize::try_from(from.number()?).ok()?;
        ready.next = usize::try_from(from.number()?).ok()?;
        if ready.filled > ready.classes.len() || ready.next >= ready.classes.len() {
            return None;
        }
        self.recall.as_mut().map_or(Some(()), |recall| recall.load(from, log))
    }
}
