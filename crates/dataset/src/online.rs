//! A model that learns on while it is tested: each row is answered first, each label is learned when its future has come and not before.
use crate::answers::{Answers, best};
use crate::error::DataError;
use crate::task::Task;
use std::collections::VecDeque;
use std::ops::Range;
use tickline_model::train::{Confusion, Learner, Net, Recipe, Target, Targets, majority};
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
    /// Seed of dropout.
    pub seed: u64,
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
    /// Answers one row with what has been learned.
    single: Net<f32>,
    /// Rows whose future has not come.
    waiting: VecDeque<usize>,
    /// Labels of a stateless network that wait for their step.
    ready: Vec<usize>,
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
            input: Vec::new(),
            lesson: 0..0,
            at: 0,
            stretch: Stretch::default(),
            task,
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
        if self.plan.architecture().stateful {
            return self.take(row);
        }
        let window = self.plan.architecture().window;
        let whole = self.frozen.best(row).is_some();
        if !whole || !self.task.test.is_wanted(row) {
            return;
        }
        self.ready.push(row);
        if self.ready.len() < self.habit.batch {
            return;
        }
        self.input.clear();
        for row in &self.ready {
            self.input.extend_from_slice(self.task.test.span(row + 1 - window, row + 1));
        }
        let each = self.learner.net().answer().len() / self.plan.output().features() / self.habit.batch;
        let (rows, ready) = (&self.task.test, &self.ready);
        // One answer a window; where a network gives one a row, only the newest is asked for.
        let wanted = |nth: usize| {
            if (nth + 1).is_multiple_of(each) { rows.target(ready[nth / each]) } else { Target::Nothing }
        };
        self.learner.step(&self.input, wanted, self.habit.rate);
        self.ready.clear();
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
        self.learner.step(rows.span(first, row + 1), |nth| rows.target(first + nth), self.habit.rate);
        self.state.copy_from_slice(self.learner.net().state());
        self.lesson = row + 1..row + 1;
    }
}
