//! A training run over a data set, batch by batch.
use crate::architecture::Architecture;
use crate::error::{Fault, ModelError};
use crate::plan::Plan;
use crate::train::rows::Rows;
use crate::train::{Dice, Learner, Recipe, Schedule};

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Seed of weights, order and dropout.
    pub seed: u64,
    /// Windows a step, or, for a stateful network, stretches of the data walked through side by side.
    pub batch: usize,
    /// Rows a step of each stretch, for a stateful network: how far back in time slopes go.
    pub steps: usize,
    /// Passes over the data.
    pub epochs: usize,
    /// Highest learning rate.
    pub rate: f32,
    /// How the rate moves.
    pub schedule: Schedule,
    /// What a step does.
    pub recipe: Recipe,
}

impl Default for Settings {
    fn default() -> Settings {
        let schedule = Schedule::Anneal { warm: 0.05 };
        Settings {
            seed: 1,
            batch: 128,
            steps: 50,
            epochs: 10,
            rate: 1e-3,
            schedule,
            recipe: Recipe::default(),
        }
    }
}

/// A training run that advances batch by batch. The same rows, settings and instruction set give the same weights, bit for bit, however the
/// run is cut.
pub struct Trainer {
    learner: Learner,
    settings: Settings,
    rows: Rows,
    order: Order,
    input: Vec<f32>,
    done: usize,
}

/// Which rows come when.
enum Order {
    /// Last rows of windows, shuffled each epoch.
    Windows(Vec<u32>),
    /// For each stretch its pieces in order: first row, and whether it begins anew.
    Stretches(Vec<Vec<(u32, bool)>>),
}

impl Trainer {
    /// Starts from random weights that the seed determines.
    ///
    /// # Errors
    /// An architecture that does not compile or does not fit the rows; [`Fault::Contract`] when no whole window or stretch is in the rows.
    pub fn new(architecture: &Architecture, settings: Settings, rows: Rows) -> Result<Trainer, ModelError> {
        let plan = Plan::compile(architecture)?;
        let start = plan.initial(&mut Dice::new(settings.seed));
        Trainer::from(&plan, start, settings, rows)
    }

    /// Starts from given parameters, to train on.
    ///
    /// # Errors
    /// As [`Trainer::new`]'s, and parameters that are not the plan's.
    pub fn from(plan: &Plan, start: Vec<f32>, settings: Settings, rows: Rows) -> Result<Trainer, ModelError> {
        let net = plan.architecture();
        if net.columns != rows.columns() || settings.batch == 0 || settings.epochs == 0 {
            let text = format!(
                "a network of {} columns, rows of {}, batch {}, epochs {}",
                net.columns,
                rows.columns(),
                settings.batch,
                settings.epochs
            );
            return Err(ModelError::new(Fault::Contract, text));
        }
        let mut settings = settings;
        let order = if net.stateful {
            stretches(&rows, &mut settings)
        } else {
            let ends = rows.window_ends(net.window);
            settings.batch = settings.batch.min(ends.len().max(1));
            Order::Windows(ends)
        };
        let empty = match &order {
            Order::Windows(ends) => ends.is_empty(),
            Order::Stretches(lanes) => lanes.is_empty(),
        };
        if empty {
            let text = format!(
                "no usable window of {} or stretch of {} in {} rows",
                net.window,
                settings.steps,
                rows.len()
            );
            return Err(ModelError::new(Fault::Contract, text));
        }
        let seed = settings.seed ^ 0x6c65_6172_6e65_7221;
        let learner =
            Learner::new(plan, start, settings.recipe.clone(), seed, settings.batch, settings.steps)?;
        Ok(Trainer { learner, settings, rows, order, input: Vec::new(), done: 0 })
    }

    /// The parameters as they are now.
    pub fn parameters(&self) -> &[f32] {
        self.learner.parameters()
    }

    /// Puts parameters that were trained elsewhere in place; `false` when they are not as many.
    pub fn set_parameters(&mut self, parameters: &[f32]) -> bool {
        self.learner.set_parameters(parameters)
    }

    /// Batches of one pass over the data.
    pub fn batches_an_epoch(&self) -> usize {
        match &self.order {
            // The last rows of an epoch that do not fill a batch come again in the next one's order.
            Order::Windows(ends) => ends.len() / self.settings.batch,
            Order::Stretches(lanes) => lanes[0].len(),
        }
    }

    /// Batches of the whole run.
    pub fn batches(&self) -> usize {
        self.settings.epochs * self.batches_an_epoch()
    }

    /// Batches done.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Trains at most `batches` batches more and returns the mean loss of the answers that something was wanted of; `None` at the end of
    /// the run.
    pub fn advance(&mut self, batches: usize) -> Option<f64> {
        let (mut loss, mut wanted, mut moved) = (0.0, 0, false);
        for _ in 0..batches {
            if self.done >= self.batches() {
                break;
            }
            let (sum, count) = self.batch();
            (loss, wanted, moved) = (loss + sum, wanted + count, true);
            self.done += 1;
        }
        moved.then(|| loss / wanted.max(1) as f64)
    }

    fn batch(&mut self) -> (f64, usize) {
        let place = self.done % self.batches_an_epoch();
        let share = self.done as f32 / self.batches() as f32;
        let rate = self.settings.rate * self.settings.schedule.factor(share);
        let (rows, input) = (&self.rows, &mut self.input);
        input.clear();
        match &mut self.order {
            Order::Windows(ends) => {
                if place == 0 {
                    self.learner.dice().shuffle(ends);
                }
                let window = self.learner.net().plan().architecture().window;
                let ends = &ends[place * self.settings.batch..(place + 1) * self.settings.batch];
                for end in ends {
                    let end = *end as usize + 1;
                    input.extend_from_slice(rows.span(end - window, end));
                }
                self.learner.step(input, |nth| rows.target(ends[nth] as usize), rate)
            }
            Order::Stretches(lanes) => {
                let steps = self.settings.steps;
                for (lane, pieces) in lanes.iter().enumerate() {
                    let (first, anew) = pieces[place];
                    if anew {
                        self.learner.net().reset_lane(lane);
                    }
                    input.extend_from_slice(rows.span(first as usize, first as usize + steps));
                }
                let row = |nth: usize| lanes[nth / steps][place].0 as usize + nth % steps;
                self.learner.step(input, |nth| rows.target(row(nth)), rate)
            }
        }
    }

    /// Everything needed to go on later as if nothing had happened; of the run's state, not of its rows and settings.
    pub fn checkpoint(&self) -> Vec<u8> {
        let order = match &self.order {
            Order::Windows(ends) => &ends[..],
            Order::Stretches(_) => &[],
        };
        let mut bytes = (self.done as u64).to_le_bytes().to_vec();
        bytes.extend((order.len() as u64).to_le_bytes());
        order.iter().for_each(|end| bytes.extend(end.to_le_bytes()));
        bytes.extend(self.learner.checkpoint());
        bytes
    }

    /// Goes on from a checkpoint of a run with the same rows, settings and architecture.
    ///
    /// # Errors
    /// [`Fault::Checksum`] or [`Fault::Architecture`]; nothing has changed then.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), ModelError> {
        let damaged = || ModelError::new(Fault::Checksum, "the checkpoint is damaged or of other rows");
        let (done, rest) = bytes.split_first_chunk::<8>().ok_or_else(damaged)?;
        let (count, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
        let length = usize::try_from(u64::from_le_bytes(*count)).ok().and_then(|count| count.checked_mul(4));
        let (order, rest) = length.and_then(|length| rest.split_at_checked(length)).ok_or_else(damaged)?;
        let ends: Vec<u32> =
            order.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        let fits = match &self.order {
            Order::Windows(own) => {
                let (mut a, mut b) = (own.clone(), ends.clone());
                a.sort_unstable();
                b.sort_unstable();
                a == b
            }
            Order::Stretches(_) => ends.is_empty(),
        };
        if !fits {
            return Err(damaged());
        }
        self.learner.restore(rest)?;
        if let Order::Windows(own) = &mut self.order {
            *own = ends;
        }
        self.done = u64::from_le_bytes(*done) as usize;
        Ok(())
    }
}

/// Cuts every sequence into pieces of `steps` rows and deals the pieces, in order, to at most `batch` stretches of equal length.
fn stretches(rows: &Rows, settings: &mut Settings) -> Order {
    let steps = settings.steps.max(1);
    let mut pieces = Vec::new();
    for sequence in rows.sequences() {
        let whole = sequence.len() / steps;
        pieces.extend((0..whole).map(|nth| ((sequence.start + nth * steps) as u32, nth == 0)));
    }
    settings.steps = steps;
    settings.batch = settings.batch.min(pieces.len().max(1));
    let each = pieces.len() / settings.batch;
    if each == 0 {
        return Order::Stretches(Vec::new());
    }
    let lanes = pieces.chunks_exact(each).take(settings.batch).map(|lane| {
        let mut lane = lane.to_vec();
        lane[0].1 = true;
        lane
    });
    Order::Stretches(lanes.collect())
}
