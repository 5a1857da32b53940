//! Runs a program: one row in, one answer out, no allocation.
use crate::block::{Line, flat_mut, lines};
use crate::digit::by_digit;
use crate::error::{ModelError, NoSignal};
use crate::kernel;
use crate::lanes::portable::Plain;
use crate::lanes::{Lanes, Level};
use crate::model::Model;
use crate::net::Net;
use crate::program::{Program, scaling_lines};
use crate::recurrent::Prepare;
use crate::tick::{Answer, Chain, Tick, give};
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
            history: vec![Line::ZERO; history],
            rows: 0,
        }
    }

    /// Forgets everything, as after a gap in the data.
    pub fn reset(&mut self) {
        self.lines.fill(Line::ZERO);
        self.history.fill(Line::ZERO);
        self.prepared = None;
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
    /// Runs what has no fast form.
    net: Option<Net<f32>>,
    /// The input of `net`.
    gathered: Vec<f32>,
}

impl Engine {
    /// An engine on the best instruction set this processor has.
    pub fn new(program: Program) -> Engine {
        Engine::on(program, Level::detect())
    }

    /// An engine on a given instruction set, or on the best available one below it.
    pub fn on(program: Program, level: Level) -> Engine {
        let scratch = vec![Line::ZERO; program.scratch_lines];
        let net = if program.is_fast() { None } else { Net::new(&program.plan, 1, 1).ok() };
        let net = net.map(|net| net.on(level));
        let inputs = if program.is_fast() { 0 } else { program.columns * program.window };
        Engine {
            level: level.min(Level::detect()),
            scratch,
            spare: vec![Line::ZERO; program.spare_lines],
            gathered: vec![0.0; inputs],
            net,
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
        if !program.plan.architecture().stateful && !state.lines.is_empty() {
            // A recurrent layer in a window network begins each window with nothing behind it.
            state.lines.fill(Line::ZERO);
        }
        let prepared = state.prepared == Some(weights.version);
        let mut tick = Tick {
            scratch: &mut self.scratch,
            spare: &mut self.spare,
            weights: weights.lines,
            state: &mut state.lines,
            guard: Line::ZERO,
        };
        let mut outcome = Ok(());
        let answer = Answer {
            program,
            tick: &mut tick,
            prepared,
            row,
            history: &mut state.history,
            rows: &mut state.rows,
            out,
            outcome: &mut outcome,
        };
        // SAFETY: L1; `level` is never above what this processor has.
        unsafe {
            if program.is_chain {
                by_digit!(program.precision, D, self.level.run(Chain(answer, PhantomData::<D>)));
            } else {
                self.level.run(answer);
            }
        }
        if outcome.is_ok() && !self.program.is_fast() {
            self.run_net(weights, state);
            outcome = self.give(out);
        }
        match outcome {
            Ok(()) => state.prepared = None,
            Err(NoSignal::OutputNotFinite) => state.reset(),
            Err(_) => {}
        }
        outcome
    }

    /// Gives what the network answered.
    fn give(&mut self, out: &mut [f32]) -> Result<(), NoSignal> {
        give::<Plain>(self.program.output, &self.scratch, Plain::splat(0.0), out)
    }

    /// Runs the network on what the tick made of the row, where layers have no fast form.
    fn run_net(&mut self, weights: Weights<'_>, state: &mut State) {
        let Some(net) = &mut self.net else { return };
        let (program, own) = (&self.program, net.state().len());
        net.set_state(kernel::head(&state.lines, own));
        let scaling = scaling_lines(program.columns);
        let parameters = kernel::head(&weights.lines[scaling..], program.plan.parameters());
        let (input, rest) = self.scratch.split_at_mut(program.output.at);
        let rows = input.chunks_exact(lines(program.columns)).take(program.window);
        for (row, to) in rows.zip(self.gathered.chunks_exact_mut(program.columns)) {
            to.copy_from_slice(kernel::head(row, program.columns));
        }
        let answer = net.forward(parameters, &self.gathered, None);
        flat_mut(rest)[..answer.len()].copy_from_slice(answer);
        flat_mut(&mut state.lines)[..own].copy_from_slice(net.state());
    }

    /// Computes the recurrent halves of the next tick, off the path; what the next [`Engine::predict`] gives is the same with
    /// and without.
    pub fn prepare(&mut self, weights: Weights<'_>, state: &mut State) {
        let right = weights.lines.len() == self.program.weights_lines()
            && state.lines.len() == self.program.state_lines;
        let stateful = self.program.plan.architecture().stateful;
        if !right || !stateful || state.lines.is_empty() || self.net.is_some() {
            return;
        }
        let (program, weights_lines) = (&self.program, weights.lines);
        let ahead =
            Prepare { program, weights: weights_lines, spare: &mut self.spare, state: &mut state.lines };
        // SAFETY: L1; `level` is never above what this processor has.
        unsafe { self.level.run(ahead) };
        state.prepared = Some(weights.version);
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
