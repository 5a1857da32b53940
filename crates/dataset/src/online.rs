//! A model that learns on while it is tested: each row is answered first, each label is learned when its future has come and not before.
use crate::answers::{Answers, best};
use crate::error::DataError;
use crate::task::Task;
use std::collections::VecDeque;
use std::ops::Range;
use tickline_model::train::{
    CLASSES, Confusion, Drawn, Learner, Memory, Net, Recipe, Replay, Target, Targets, majority,
};
use tickline_model::{Model, Plan};

/// How to learn on.
#[derive(Debug, Clone, PartialEq)]
pub struct Habit {
    /// What a step does.
    pub recipe: Recipe,
    /// Learning rate, the same all the way.
    pub rate: f32,
    /// Labels a step; in a stateful network rows a step, however far slopes go back.
    pub batch: usize,
    /// Newest labels that steps draw from, evenly; 0: each step takes the newest `batch` alone. Labels that follow one another look at the
    /// same future, so a step of them is of one mind. Networks that carry state learn from the newest stretch in any case.
    pub memory: usize,
    /// New labels between two steps that draw from memory; without a memory `batch` counts.
    pub every: usize,
    /// Seed of dropout and of what is drawn.
    pub seed: u64,
    /// How far rare classes are weighted up, 0 to 1, by how often each has been known of late: the balance of the market that it is in, not
    /// of the one that it was trained on.
    pub balance: f64,
    /// Rows of each class in training: what is known of them at the beginning; zeros where nothing is.
    pub classes: [f64; 3],
}

/// Labels that the balance of classes looks back over.
const BALANCE: f64 = 5000.0;
/// Distinguishes the seed of what is drawn from that of dropout, as the line's learner does.
const DRAWS: u64 = 0x7265_6361_6c6c_2121;

/// How often each class was wanted of late.
#[derive(Debug, Clone, Copy)]
struct Balance {
    counts: [f64; 3],
    share: f64,
}

impl Balance {
    fn new(classes: [f64; 3], share: f64) -> Balance {
        let rows: f64 = classes.iter().sum();
        let known = |count: f64| if rows > 0.0 { count / rows * BALANCE } else { BALANCE / 3.0 };
        Balance { counts: classes.map(known), share }
    }

    fn add(&mut self, class: u8) {
        for (nth, count) in self.counts.iter_mut().enumerate() {
            *count += f64::from(u8::from(nth == usize::from(class))) - *count / BALANCE;
        }
    }

    /// From 1 each (share 0) to inverse frequency (share 1), with mean 1 over the rows: as in training.
    fn weights(&self) -> [f32; 3] {
        let rows: f64 = self.counts.iter().sum();
        let raw = self.counts.map(|count| (1.0 - self.share) + self.share * rows / (3.0 * count.max(1.0)));
        let mean: f64 = raw.iter().zip(&self.counts).map(|(weight, count)| weight * count / rows).sum();
        raw.map(|weight| (weight / mean) as f32)
    }
}

fn weight(weights: &[f32; 3], target: Target<'_>) -> f32 {
    match target {
        Target::Class(class) => weights.get(usize::from(class)).copied().unwrap_or(1.0),
        _ => 1.0,
    }
}

/// What steps draw from.
struct Recall {
    replay: Replay,
    drawn: Vec<Drawn>,
    /// Labels since the last step.
    fresh: usize,
}

impl Recall {
    fn new(habit: &Habit, inputs: usize) -> Result<Recall, DataError> {
        let replay = Replay::new(Memory {
            capacity: habit.memory,
            inputs,
            answers: 1,
            classes: CLASSES.len(),
            sharpness: 0.0,
            oversample: 1.0,
            seed: habit.seed ^ DRAWS,
        })?;
        Ok(Recall { replay, drawn: vec![Drawn::default(); habit.batch], fresh: 0 })
    }

    /// Draws a batch once enough is new and in memory: its inputs and classes.
    fn draw(&mut self, every: usize, input: &mut Vec<f32>) -> Option<Vec<u8>> {
        if self.fresh < every
            || self.replay.len() < self.drawn.len()
            || !self.replay.draw(&mut self.drawn, 0.0)
        {
            return None;
        }
        self.fresh = 0;
        input.clear();
        let mut classes = Vec::with_capacity(self.drawn.len());
        for drawn in &self.drawn {
            input.extend_from_slice(self.replay.input(*drawn)?);
            classes.extend(self.replay.wanted(*drawn)?);
        }
        Some(classes)
    }
}

/// Answers to one stretch of the test part, true class by answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stretch {
    /// The model as it was when the test began.
    pub frozen: Confusion,
    /// The one that learns.
    pub learning: Confusion,
    /// The newest known move happens again.
    pub persistence: Confusion,
    /// Always the most frequent class of the training part.
    pub majority: Confusion,
}

/// A test of a model beside itself, learning: prequential evaluation (Dawid 1984). It advances row by row, in order of time; what has been
/// answered is never looked at again.
pub struct Online {
    task: Task,
    plan: Plan,
    frozen: Answers,
    most: u8,
    learner: Learner,
    habit: Habit,
    balance: Balance,
    /// Answers one row with what has been learned.
    single: Net<f32>,
    /// Rows whose future has not come.
    waiting: VecDeque<usize>,
    /// Labels of a stateless network that wait for their step.
    ready: Vec<usize>,
    memory: Option<Recall>,
    input: Vec<f32>,
    /// Rows of a stateful network that no step has taken, and its state before them.
    lesson: Range<usize>,
    state: Vec<f32>,
    at: usize,
    sequences: Vec<Range<usize>>,
    stretch: Stretch,
}

impl Online {
    /// Begins at the first row of the test part.
    ///
    /// # Errors
    /// [`DataError::Data`] for several stocks, whose rows are not in order of time; the model engine's.
    pub fn new(model: &Model, task: Task, habit: Habit) -> Result<Online, DataError> {
        if task.stocks != 1 {
            return Err(DataError::Data(format!("{} stocks; learning on takes one at a time", task.stocks)));
        }
        let plan = model.verify()?;
        let stateful = plan.architecture().stateful;
        let (batch, steps) = if stateful { (1, habit.batch) } else { (habit.batch, 1) };
        let learner = Learner::of(model, habit.recipe.clone(), habit.seed, batch, steps)?;
        let single = Net::new(&plan, 1, 1)?;
        let inputs = plan.architecture().window * task.contract.names.len();
        let recalls = habit.memory > 0 && !stateful;
        let Targets::Classes(classes) = task.train.targets() else {
            return Err(DataError::Data("only models that tell classes apart learn on".to_owned()));
        };
        Ok(Online {
            most: majority(classes.iter().copied()),
            frozen: Answers::of(&plan, &model.parameters, &task)?,
            sequences: task.test.sequences().collect(),
            state: vec![0.0; single.state().len()],
            waiting: VecDeque::new(),
            ready: Vec::with_capacity(habit.batch),
            memory: if recalls { Some(Recall::new(&habit, inputs)?) } else { None },
            input: Vec::new(),
            lesson: 0..0,
            at: 0,
            stretch: Stretch::default(),
            task,
            balance: Balance::new(habit.classes, habit.balance),
            plan,
            learner,
            single,
            habit,
        })
    }

    /// Rows of the test part, those that are only context among them.
    pub fn rows(&self) -> usize {
        self.task.test.len()
    }

    /// Rows answered so far.
    pub fn done(&self) -> usize {
        self.at
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.learner.steps()
    }

    /// The parameters as they are now.
    pub fn parameters(&self) -> &[f32] {
        self.learner.parameters()
    }

    /// Answers at most `rows` rows more and gives how they went; `None` at the end.
    pub fn advance(&mut self, rows: usize) -> Option<Stretch> {
        let end = self.rows().min(self.at + rows);
        if self.at == end {
            return None;
        }
        self.stretch = Stretch::default();
        while self.at < end {
            self.row(self.at);
            self.at += 1;
        }
        Some(self.stretch)
    }

    fn row(&mut self, row: usize) {
        if self.sequences.first().is_some_and(|first| row >= first.end) {
            self.sequences.remove(0);
        }
        let begins = self.sequences.first().map_or(row, |own| own.start);
        if row == begins {
            self.begin(row);
        }
        let answer = self.answer(row, begins);
        if let (Some(answer), Target::Class(truth)) = (answer, self.task.test.target(row)) {
            self.stretch.learning.add(truth, answer);
            self.stretch.persistence.add(truth, self.task.persistence[row]);
            self.stretch.majority.add(truth, self.most);
            if let Some(frozen) = self.frozen.best(row) {
                self.stretch.frozen.add(truth, frozen);
            }
        }
        self.waiting.push_back(row);
        let now = self.task.events[row];
        while let Some(old) = self.waiting.front().copied() {
            if self.task.events[old] + self.task.horizon > now {
                break;
            }
            self.waiting.pop_front();
            self.know(old);
        }
    }

    /// A sequence begins: nothing before it goes on.
    fn begin(&mut self, row: usize) {
        self.single.reset();
        self.state.fill(0.0);
        self.lesson = row..row;
    }

    /// The likeliest class, as far as has been learned; `None` while the window is not full.
    fn answer(&mut self, row: usize, begins: usize) -> Option<u8> {
        let window = self.plan.architecture().window;
        let first = (row + 1).checked_sub(window).filter(|first| *first >= begins)?;
        let wide = self.plan.output().features();
        let parameters = self.learner.parameters();
        let answer = self.single.forward(parameters, self.task.test.span(first, row + 1), None);
        best(&answer[answer.len() - wide..])
    }

    /// The future of a row has come.
    fn know(&mut self, row: usize) {
        if let Target::Class(class) = self.task.test.target(row) {
            self.balance.add(class);
        }
        if self.plan.architecture().stateful {
            return self.take(row);
        }
        let window = self.plan.architecture().window;
        // A window that is not full has no answer, and teaches nothing.
        if self.frozen.best(row).is_none() || !self.task.test.is_wanted(row) {
            return;
        }
        let span = |row: usize| self.task.test.span(row + 1 - window, row + 1);
        if let (Some(memory), Target::Class(class)) = (&mut self.memory, self.task.test.target(row)) {
            memory.replay.add(span(row), &[class], class);
            memory.fresh += 1;
            if let Some(classes) = memory.draw(self.habit.every, &mut self.input) {
                self.learn(&classes);
            }
            return;
        }
        self.ready.push(row);
        if self.ready.len() < self.habit.batch {
            return;
        }
        self.input.clear();
        self.ready.iter().for_each(|row| self.input.extend_from_slice(span(*row)));
        let class = |row: &usize| match self.task.test.target(*row) {
            Target::Class(class) => Some(class),
            _ => None,
        };
        let classes: Vec<u8> = self.ready.iter().filter_map(class).collect();
        self.ready.clear();
        self.learn(&classes);
    }

    /// A step from the windows in `input`, one class each.
    fn learn(&mut self, classes: &[u8]) {
        let each = self.learner.net().answer().len() / self.plan.output().features() / self.habit.batch;
        // One answer a window; where a network gives one a row, only the newest is asked for.
        let wanted = |nth: usize| {
            if (nth + 1).is_multiple_of(each) { Target::Class(classes[nth / each]) } else { Target::Nothing }
        };
        let weights = self.balance.weights();
        let weight = |nth: usize| weight(&weights, wanted(nth));
        self.learner.step_weighted(&self.input, wanted, weight, self.habit.rate);
    }

    /// As [`Online::know`], of a network that carries state: it learns from whole stretches, each from where the one before ended.
    fn take(&mut self, row: usize) {
        if row != self.lesson.end {
            return;
        }
        self.lesson.end = row + 1;
        if self.lesson.len() < self.habit.batch {
            return;
        }
        let (rows, first) = (&self.task.test, self.lesson.start);
        self.learner.net().set_state(&self.state);
        let (wanted, weights) = (|nth: usize| rows.target(first + nth), self.balance.weights());
        let weight = |nth: usize| weight(&weights, wanted(nth));
        self.learner.step_weighted(rows.span(first, row + 1), wanted, weight, self.habit.rate);
        self.state.copy_from_slice(self.learner.net().state());
        self.lesson = row + 1..row + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{BALANCE, Balance};

    #[test]
    fn the_balance_begins_with_training_and_follows_what_is_known() {
        let mut balance = Balance::new([100.0, 100.0, 200.0], 1.0);
        let [down, flat, up] = balance.weights();
        assert!((down - 2.0 * up).abs() < 1e-5 && (down - flat).abs() < 1e-6);
        for _ in 0..10 * BALANCE as usize {
            balance.add(0);
            balance.add(2);
        }
        let [down, flat, up] = balance.weights();
        assert!((down - up).abs() < 1e-3 && flat > 100.0 * down, "no flat row for long: {down} {flat} {up}");
        assert_eq!(Balance::new([5.0, 6.0, 7.0], 0.0).weights(), [1.0; 3]);
        assert_eq!(Balance::new([0.0; 3], 1.0).weights(), [1.0; 3]);
    }
}
