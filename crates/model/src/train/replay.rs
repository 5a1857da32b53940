//! A memory of what was learned from, drawn from again: the more wrong the network was about something, the more often it comes.
use crate::error::{Fault, ModelError};
use crate::train::Dice;
use crate::train::power::power;
use crate::train::prior::prior_shift;
use crate::train::sum_tree::SumTree;

mod lessons;

/// How a [`Replay`] keeps and draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    /// Lessons kept; the oldest make room.
    pub capacity: usize,
    /// Numbers of a lesson's input: a window, or a stretch of rows and the state before it.
    pub inputs: usize,
    /// Answers of a lesson that something may be wanted of: 1, or the rows of a stretch.
    pub answers: usize,
    /// Classes that lessons are filed under.
    pub classes: usize,
    /// Priorities are losses to this power: 0 draws evenly, 1 in full proportion (Schaul et al. 2016 take 0.6).
    pub sharpness: f64,
    /// A class that is rarer than the most frequent one is drawn as often as that, but at most this many times as often as it comes; 1: as
    /// it comes, 100: rare ones up to a hundredfold.
    pub oversample: f64,
    /// Seed of what is drawn.
    pub seed: u64,
}

/// One lesson drawn.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Drawn {
    /// Which; counts from 0 as lessons are added.
    pub lesson: u64,
    /// What its gradient counts, so that drawing by priority does not tilt what is learned within a class; at most 1.
    pub weight: f32,
}

/// Prioritised replay (Schaul et al. 2016, proportional variant), filed by class.
///
/// A class is drawn by its share in memory times its oversampling; within it a lesson by `(loss + 0.001)^sharpness`. So what the network
/// learns of classes' frequencies depends on the oversampling alone and is put right exactly by [`Replay::shift`], and importance weights
/// put right the rest. Draws are stratified. The seed and what was added and learned determine every draw, bit for bit; nothing is
/// allocated after construction, except by [`Replay::checkpoint`].
///
/// One turn: [`Replay::draw`], [`Replay::input`] and [`Replay::wanted`] of each, a [`crate::train::Learner::step_weighted`], then
/// [`Replay::learned`] with that step's losses.
#[derive(Debug, Clone)]
pub struct Replay {
    memory: Memory,
    dice: Dice,
    /// Lessons added.
    added: u64,
    inputs: Vec<f32>,
    wanted: Vec<u8>,
    /// Class that a place is filed under.
    class: Vec<u8>,
    /// Of each class: masses by place.
    trees: Vec<SumTree>,
    /// Of each class: lessons in memory.
    counts: Vec<u64>,
    /// Largest priority so far: what is new comes at least once, soon.
    top: f64,
}

/// Added to every loss, so that nothing is forgotten for good.
const LEAST: f64 = 1e-3;
/// Most that a loss counts.
const MOST: f64 = 1e6;

impl Replay {
    /// An empty memory.
    ///
    /// # Errors
    /// [`Fault::Contract`] naming what is out of range: sizes must be at least 1, classes at most 255, `sharpness` in 0..=2, `oversample`
    /// in 1..=1e6, and all inputs at most 2^30 numbers.
    pub fn new(memory: Memory) -> Result<Replay, ModelError> {
        let wrong = |text: String| Err(ModelError::new(Fault::Contract, text));
        let Memory { capacity, inputs, answers, classes, sharpness, oversample, seed } = memory;
        if [capacity, inputs, answers, classes].contains(&0) || classes > 255 {
            return wrong(format!(
                "a replay of {capacity} lessons of {inputs} inputs and {answers} answers in {classes} classes; each must be at least 1 \
                 and classes at most 255"
            ));
        }
        if !((0.0..=2.0).contains(&sharpness) && (1.0..=1e6).contains(&oversample)) {
            return wrong(format!(
                "a replay's sharpness {sharpness} must be in 0..=2 and its oversampling {oversample} in 1..=1e6"
            ));
        }
        let whole = capacity.checked_mul(inputs.max(answers)).filter(|numbers| *numbers <= 1 << 30);
        let Some(_) = whole.filter(|_| capacity <= 1 << 24) else {
            return wrong(format!(
                "a replay of {capacity} lessons of {inputs} numbers is too large; 2^30 in all are possible"
            ));
        };
        Ok(Replay {
            dice: Dice::new(seed),
            added: 0,
            inputs: vec![0.0; capacity * inputs],
            wanted: vec![0; capacity * answers],
            class: vec![0; capacity],
            trees: vec![SumTree::new(capacity); classes],
            counts: vec![0; classes],
            top: 1.0,
            memory,
        })
    }

    /// Lessons in memory.
    pub fn len(&self) -> usize {
        self.added.min(self.memory.capacity as u64) as usize
    }

    /// True before the first lesson.
    pub fn is_empty(&self) -> bool {
        self.added == 0
    }

    /// How it keeps and draws.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Keeps a lesson, in the oldest one's place when memory is full: its input, what is wanted of each answer
    /// ([`crate::train::NO_CLASS`]: nothing), and the class to file it under. `false`, and nothing kept, when sizes or the class are not
    /// this memory's.
    pub fn add(&mut self, input: &[f32], wanted: &[u8], class: u8) -> bool {
        let Memory { inputs, answers, classes, .. } = self.memory;
        if (input.len(), wanted.len()) != (inputs, answers) || usize::from(class) >= classes {
            return false;
        }
        let place = self.place(self.added);
        if self.added >= self.memory.capacity as u64 {
            let old = usize::from(self.class[place]);
            self.counts[old] -= 1;
            self.trees[old].set(place, 0.0);
        }
        self.inputs[place * inputs..(place + 1) * inputs].copy_from_slice(input);
        self.wanted[place * answers..(place + 1) * answers].copy_from_slice(wanted);
        self.class[place] = class;
        self.counts[usize::from(class)] += 1;
        self.trees[usize::from(class)].set(place, self.top);
        self.added += 1;
        true
    }

    /// Draws as many lessons as `out` holds, some perhaps more than once. `correction` is how far importance weights go: 0 not at all, 1
    /// fully (Schaul et al. raise it from 0.4 to 1 over a run). `false`, and nothing drawn, while memory is empty.
    pub fn draw(&mut self, out: &mut [Drawn], correction: f64) -> bool {
        if self.is_empty() {
            return false;
        }
        let masses: f64 = (0..self.memory.classes).map(|class| self.class_mass(class)).sum();
        let (share, mut top) = (1.0 / out.len() as f64, 0.0f32);
        for (nth, out) in out.iter_mut().enumerate() {
            let point = (nth as f64 + self.dice.unit()) * share * masses;
            let (class, within) = self.class_at(point);
            let tree = &self.trees[class];
            // A class that something is filed under has mass, so its tree finds a place.
            let place = tree.find(within * tree.total()).unwrap_or(0);
            let chance = tree.mass(place) / tree.total();
            let weight = power(1.0 / (self.counts[class] as f64 * chance), correction) as f32;
            *out = Drawn { lesson: self.lesson(place), weight };
            top = top.max(weight);
        }
        out.iter_mut().for_each(|drawn| drawn.weight /= top);
        true
    }

    /// A drawn lesson's input; `None` once newer lessons have taken its place.
    pub fn input(&self, drawn: Drawn) -> Option<&[f32]> {
        let (place, size) = (self.held(drawn)?, self.memory.inputs);
        Some(&self.inputs[place * size..(place + 1) * size])
    }

    /// What was wanted of each of a drawn lesson's answers; `None` as for [`Replay::input`].
    pub fn wanted(&self, drawn: Drawn) -> Option<&[u8]> {
        let (place, size) = (self.held(drawn)?, self.memory.answers);
        Some(&self.wanted[place * size..(place + 1) * size])
    }

    /// Gives a drawn lesson the priority of its newest loss (the mean over its answers). One that is negative or NaN counts as 0, one that
    /// is no longer held is passed over.
    pub fn learned(&mut self, drawn: Drawn, loss: f64) {
        let Some(place) = self.held(drawn) else { return };
        let loss = if loss > 0.0 { loss.min(MOST) } else { 0.0 };
        let priority = power(loss + LEAST, self.memory.sharpness);
        self.top = self.top.max(priority);
        self.trees[usize::from(self.class[place])].set(place, priority);
    }

    /// Each class's share in memory, and its share in what is drawn now.
    pub fn shares(&self, class: usize) -> (f64, f64) {
        let masses: f64 = (0..self.memory.classes).map(|class| self.class_mass(class)).sum();
        let all = self.len().max(1) as f64;
        (self.counts[class] as f64 / all, if masses > 0.0 { self.class_mass(class) / masses } else { 0.0 })
    }

    /// What to add to each logit of a network that learns from here, so that it answers for the frequencies in memory and not for the
    /// oversampled ones: see [`prior_shift`].
    pub fn shift(&self) -> Vec<f32> {
        let (held, drawn): (Vec<f64>, Vec<f64>) =
            (0..self.memory.classes).map(|class| self.shares(class)).unzip();
        prior_shift(&held, &drawn)
    }

    /// How often a class is drawn, in proportion: its count times its oversampling.
    fn class_mass(&self, class: usize) -> f64 {
        let most = self.counts.iter().copied().max().unwrap_or(0) as f64;
        let own = self.counts[class] as f64;
        most.min(own * self.memory.oversample)
    }

    /// The class that a point lies in, and how far into it, 0 to 1.
    fn class_at(&self, point: f64) -> (usize, f64) {
        let (mut left, mut last) = (point, (0, 0.0));
        for class in 0..self.memory.classes {
            let mass = self.class_mass(class);
            if mass > 0.0 {
                if left < mass {
                    return (class, left / mass);
                }
                (left, last) = (left - mass, (class, 1.0));
            }
        }
        // Rounding has put the point behind the last class.
        last
    }

    fn place(&self, lesson: u64) -> usize {
        (lesson % self.memory.capacity as u64) as usize
    }

    /// The lesson that lies in a place.
    fn lesson(&self, place: usize) -> u64 {
        let (capacity, place) = (self.memory.capacity as u64, place as u64);
        let round = self.added / capacity * capacity;
        if round + place < self.added { round + place } else { round + place - capacity }
    }

    fn held(&self, drawn: Drawn) -> Option<usize> {
        let oldest = self.added.saturating_sub(self.memory.capacity as u64);
        (oldest..self.added).contains(&drawn.lesson).then(|| self.place(drawn.lesson))
    }

    /// Everything a later [`Replay::restore`] needs to go on as if nothing had happened, to the bit.
    pub fn checkpoint(&self) -> Vec<u8> {
        let Memory { inputs, answers, .. } = self.memory;
        let mut bytes = CHECKPOINT.to_vec();
        for number in [self.dice.state(), self.added, self.top.to_bits()] {
            bytes.extend(number.to_le_bytes());
        }
        for place in 0..self.len() {
            let class = self.class[place];
            bytes.push(class);
            bytes.extend_from_slice(&self.wanted[place * answers..(place + 1) * answers]);
            bytes.extend(self.trees[usize::from(class)].mass(place).to_le_bytes());
            let input = &self.inputs[place * inputs..(place + 1) * inputs];
            input.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
        }
        bytes.extend(crate::file::digest(bytes.iter().copied()).to_le_bytes());
        bytes
    }

    /// Goes back to a checkpoint of a replay with the same memory.
    ///
    /// # Errors
    /// [`Fault::Checksum`] for damaged bytes, [`Fault::Architecture`] for those of another memory; nothing has changed then.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), ModelError> {
        let damaged = || {
            ModelError::new(Fault::Checksum, "the replay's checkpoint is damaged; go back to an older one")
        };
        let foreign = || {
            ModelError::new(Fault::Architecture, "the replay's checkpoint is of a memory with other settings")
        };
        let (body, sum) = bytes.split_last_chunk::<8>().ok_or_else(damaged)?;
        let whole = crate::file::digest(body.iter().copied()) == u64::from_le_bytes(*sum);
        let rest = body.strip_prefix(&CHECKPOINT).filter(|_| whole).ok_or_else(damaged)?;
        let (head, lessons) = rest.split_at_checked(24).ok_or_else(damaged)?;
        let mut numbers = head.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
        let mut number = || numbers.next().ok_or_else(damaged);
        let (dice, added, top) = (number()?, number()?, number()?);
        let mut fresh = Replay::new(self.memory.clone())?;
        (fresh.dice, fresh.added, fresh.top) = (Dice::new(dice), added, f64::from_bits(top));
        let Memory { inputs, answers, classes, .. } = self.memory;
        let each = 1 + answers + 8 + 4 * inputs;
        let fits = lessons.len() == fresh.len() * each
            && lessons.chunks_exact(each).all(|lesson| usize::from(lesson[0]) < classes);
        if !fits {
            return Err(foreign());
        }
        for (place, lesson) in lessons.chunks_exact(each).enumerate() {
            let (class, rest) = (usize::from(lesson[0]), &lesson[1..]);
            let (wanted, rest) = rest.split_at(answers);
            let (mass, input) = rest.split_first_chunk::<8>().ok_or_else(foreign)?;
            fresh.class[place] = lesson[0];
            fresh.counts[class] += 1;
            fresh.trees[class].set(place, f64::from_le_bytes(*mass));
            fresh.wanted[place * answers..(place + 1) * answers].copy_from_slice(wanted);
            let to = &mut fresh.inputs[place * inputs..(place + 1) * inputs];
            for (to, bytes) in to.iter_mut().zip(input.as_chunks::<4>().0) {
                *to = f32::from_le_bytes(*bytes);
            }
        }
        *self = fresh;
        Ok(())
    }
}

const CHECKPOINT: [u8; 8] = *b"TLREPLY1";
