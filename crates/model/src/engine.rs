//! Runs a program: one row in, one answer out, no allocation.
use crate::block::{Line, lines};
use crate::digit::by_digit;
use crate::error::{ModelError, NoSignal};
use crate::lanes::Level;
use crate::model::Model;
use crate::program::Program;
use crate::recurrent::Prepare;
use crate::tick::{Answer, Chain, Tick};
use std::marker::PhantomData;

/// Packed weights and the version they are told apart by (the model hash); borrowed for one tick.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    /// [`Program::weights_lines`] lines made by [`Program::pack`].
    pub lines: &'a [Line],
    /// Differs whenever the lines do.
    pub version: u64,
}

/// What one stream of rows (one instrument) leaves behind from tick to tick: recurrent state and history.
#[derive(Debug, Clone)]
pub struct State {
    lines: Vec<Line>,
    /// Version of the weights for which the recurrent halves are computed; `None`: they are stale.
    prepared: Option<u64>,
    /// Version of the weights of which convolutions have kept something for the next tick.
    kept: Option<u64>,
    /// Scaled rows, each stored twice, `window` rows apart, so that the newest `window` rows are always contiguous.
    history: Vec<Line>,
    rows: usize,
}

impl State {
    /// A state that has seen nothing.
    pub fn new(program: &Program) -> State {
        let history = if program.window > 1 { 2 * program.window * lines(program.columns) } else { 0 };
        State {
            lines: vec![Line::ZERO; program.state_lines],
            prepared: None,
            kept: None,
            history: vec![Line::ZERO; history],
            rows: 0,
        }
    }

    /// Forgets everything, as after a gap in the data.
    pub fn reset(&mut self) {
        self.lines.fill(Line::ZERO);
        self.history.fill(Line::ZERO);
        (self.prepared, self.kept) = (None, None);
        self.rows = 0;
    }
}

/// A program with its scratch memory on one instruction set.
#[derive(Debug)]
pub struct Engine {
    program: Program,
    level: Level,
    scratch: Vec<Line>,
    /// For inputs as their products read them.
    spare: Vec<Line>,
    /// The next tick goes through recurrent layers from the last units to the first.
    back: bool,
}

impl Engine {
    /// An engine on the best instruction set this processor has.
    pub fn new(program: Program) -> Engine {
        Engine::on(program, Level::detect())
    }

    /// An engine on a given instruction set, or on the best available one below it.
    pub fn on(program: Program, level: Level) -> Engine {
        let scratch = vec![Line::ZERO; program.scratch_lines];
        Engine {
            level: level.min(Level::detect()),
            scratch,
            spare: vec![Line::ZERO; program.spare_lines],
            back: false,
            program,
        }
    }

    /// The instruction set it runs on.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The program it runs.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Answers one row: `row` has [`Program::columns`] numbers, unscaled; `out` gets [`Program::outputs`] numbers.
    ///
    /// Recurrent state advances only when there is an answer. Cost: the bytes of the weights over cache bandwidth; with
    /// [`Engine::prepare`] called after the tick before, recurrent weights are not read here.
    ///
    /// # Errors
    /// A reason not to trade on this tick; `out` is then untouched.
    pub fn predict(
        &mut self,
        weights: Weights<'_>,
        state: &mut State,
        row: &[f32],
        out: &mut [f32],
    ) -> Result<(), NoSignal> {
        let program = &self.program;
        if row.len() != program.columns
            || out.len() != program.outputs()
            || weights.lines.len() != program.weights_lines()
            || state.lines.len() != program.state_lines
        {
            return Err(NoSignal::Length);
        }
        if !program.stateful && !state.lines.is_empty() {
            // A recurrent layer in a window network begins each window with nothing behind it.
            state.lines.fill(Line::ZERO);
        }
        let prepared = state.prepared == Some(weights.version);
        self.back = !self.back;
        let mut tick = Tick {
            scratch: &mut self.scratch,
            spare: &mut self.spare,
            weights: weights.lines,
            state: &mut state.lines,
            guard: Line::ZERO,
            ticks: state.rows,
            fresh: state.kept == Some(weights.version),
        };
        let mut outcome = Ok(());
        let answer = Answer {
            program,
            tick: &mut tick,
            prepared,
            back: self.back,
            row,
            history: &mut state.history,
            rows: &mut state.rows,
            out,
            outcome: &mut outcome,
        };
        // SAFETY: L1; `level` is never above what this processor has.
        unsafe {
            match program.chain {
                Some(true) => {
                    by_digit!(program.precision, D, self.level.run(Chain::<D, true>(answer, PhantomData)));
                }
                Some(false) => {
                    by_digit!(program.precision, D, self.level.run(Chain::<D, false>(answer, PhantomData)));
                }
                None => self.level.run(answer),
            }
        }
        match outcome {
            Ok(()) if program.stateful => {
                (state.prepared, state.kept) = (None, Some(weights.version));
                state.rows += 1;
            }
            Ok(()) => {}
            Err(NoSignal::OutputNotFinite) => state.reset(),
            Err(_) => {}
        }
        outcome
    }

    /// Computes the recurrent halves of the next tick, off the path; what the next [`Engine::predict`] gives is the same with
    /// and without.
    pub fn prepare(&mut self, weights: Weights<'_>, state: &mut State) {
        let right = weights.lines.len() == self.program.weights_lines()
            && state.lines.len() == self.program.state_lines;
        let stateful = self.program.stateful;
        if !right || !stateful || state.lines.is_empty() {
            return;
        }
        let (program, weights_lines) = (&self.program, weights.lines);
        let (ticks, fresh) = (state.rows, state.kept == Some(weights.version));
        let (spare, lines) = (&mut self.spare, &mut state.lines);
        let ahead = Prepare { program, weights: weights_lines, spare, state: lines, ticks, fresh };
        // SAFETY: L1; `level` is never above what this processor has.
        unsafe { self.level.run(ahead) };
        (state.prepared, state.kept) = (Some(weights.version), Some(weights.version));
    }
}

/// A model with its own weights and one state: the simplest way to run one.
#[derive(Debug)]
pub struct Predictor {
    engine: Engine,
    weights: Vec<Line>,
    version: u64,
    state: State,
}

impl Predictor {
    /// Packs a model for this processor.
    ///
    /// # Errors
    /// What [`Model::verify`] finds.
    pub fn new(model: &Model) -> Result<Predictor, ModelError> {
        Predictor::on(model, Level::detect())
    }

    /// Packs a model for an instruction set; see [`Engine::on`].
    ///
    /// # Errors
    /// What [`Model::verify`] finds.
    pub fn on(model: &Model, level: Level) -> Result<Predictor, ModelError> {
        let program = Program::new(model)?;
        let mut weights = vec![Line::ZERO; program.weights_lines()];
        program.pack(model, &mut weights)?;
        let state = State::new(&program);
        Ok(Predictor { engine: Engine::on(program, level), weights, version: 0, state })
    }

    /// Answers one row; see [`Engine::predict`].
    ///
    /// # Errors
    /// A reason not to trade on this tick.
    pub fn predict(&mut self, row: &[f32], out: &mut [f32]) -> Result<(), NoSignal> {
        let weights = Weights { lines: &self.weights, version: self.version };
        self.engine.predict(weights, &mut self.state, row, out)
    }

    /// See [`Engine::prepare`].
    pub fn prepare(&mut self) {
        let weights = Weights { lines: &self.weights, version: self.version };
        self.engine.prepare(weights, &mut self.state);
    }

    /// Takes another model's weights, keeping the state.
    ///
    /// # Errors
    /// An architecture or contract other than the running one's.
    pub fn swap(&mut self, model: &Model) -> Result<(), ModelError> {
        self.engine.program().pack(model, &mut self.weights)?;
        self.version += 1;
        Ok(())
    }

    /// Forgets the stream seen so far.
    pub fn reset(&mut self) {
        self.state.reset();
    }
}
