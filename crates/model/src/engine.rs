//! Runs a program: one row in, one answer out, no allocation.
use crate::block::{LANES, Line, flat_mut, lines};
use crate::error::{ModelError, NoSignal};
use crate::kernel;
use crate::lanes::portable::Plain;
use crate::lanes::{Lanes, Level};
use crate::model::Model;
use crate::net::Net;
use crate::program::{Op, Program, half_lines, scaling_lines};

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
    history: Vec<f32>,
    rows: usize,
}

impl State {
    /// A state that has seen nothing.
    pub fn new(program: &Program) -> State {
        let history = if program.window > 1 { 2 * program.window * program.columns } else { 0 };
        State {
            lines: vec![Line::ZERO; program.state_lines],
            prepared: None,
            history: vec![0.0; history],
            rows: 0,
        }
    }

    /// Forgets everything, as after a gap in the data.
    pub fn reset(&mut self) {
        self.lines.fill(Line::ZERO);
        self.history.fill(0.0);
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
    /// Runs what has no fast form.
    net: Option<Net<f32>>,
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
        Engine { level: level.min(Level::detect()), scratch, net, program }
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
        let result = self.program.output;
        if row.len() != self.program.columns || out.len() != result.values {
            return Err(NoSignal::Length);
        }
        if weights.lines.len() != self.program.weights_lines()
            || state.lines.len() != self.program.state_lines
        {
            return Err(NoSignal::Length);
        }
        if !kernel::all_finite(row) {
            return Err(NoSignal::InputNotFinite);
        }
        match self.level {
            // SAFETY: L1; `level` is never above what this processor has.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { tick_avx512(&self.program, &mut self.scratch, weights, state, row)? },
            // SAFETY: L1; as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { tick_avx2(&self.program, &mut self.scratch, weights, state, row)? },
            _ => tick::<Plain>(&self.program, &mut self.scratch, weights, state, row)?,
        }
        self.run_net(weights, state);
        let answer = kernel::head(&self.scratch[result.at..], result.values);
        if !kernel::all_finite(answer) {
            state.reset();
            return Err(NoSignal::OutputNotFinite);
        }
        out.copy_from_slice(answer);
        Ok(())
    }

    /// Runs the network on what [`take_input`] made of the row, where layers have no fast form.
    fn run_net(&mut self, weights: Weights<'_>, state: &mut State) {
        let Some(net) = &mut self.net else { return };
        let (program, own) = (&self.program, net.state().len());
        net.set_state(kernel::head(&state.lines, own));
        let scaling = scaling_lines(program.columns);
        let parameters = kernel::head(&weights.lines[scaling..], program.plan.parameters());
        let (input, rest) = self.scratch.split_at_mut(program.output.at);
        let answer = net.forward(parameters, kernel::head(input, program.input.values), None);
        flat_mut(rest)[..answer.len()].copy_from_slice(answer);
        flat_mut(&mut state.lines)[..own].copy_from_slice(net.state());
    }

    /// Computes the recurrent halves of the next tick, off the path; what the next [`Engine::predict`] gives is the same with
    /// and without.
    pub fn prepare(&self, weights: Weights<'_>, state: &mut State) {
        if weights.lines.len() != self.program.weights_lines()
            || state.lines.len() != self.program.state_lines
        {
            return;
        }
        match self.level {
            // SAFETY: L1; `level` is never above what this processor has.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { prepare_avx512(&self.program, weights, state) },
            // SAFETY: L1; as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { prepare_avx2(&self.program, weights, state) },
            _ => prepare::<Plain>(&self.program, weights, state),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn tick_avx512(
    program: &Program,
    scratch: &mut [Line],
    weights: Weights<'_>,
    state: &mut State,
    row: &[f32],
) -> Result<(), NoSignal> {
    tick::<crate::lanes::avx512::Zmm>(program, scratch, weights, state, row)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn tick_avx2(
    program: &Program,
    scratch: &mut [Line],
    weights: Weights<'_>,
    state: &mut State,
    row: &[f32],
) -> Result<(), NoSignal> {
    tick::<crate::lanes::avx2::Pair>(program, scratch, weights, state, row)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn prepare_avx512(program: &Program, weights: Weights<'_>, state: &mut State) {
    prepare::<crate::lanes::avx512::Zmm>(program, weights, state);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn prepare_avx2(program: &Program, weights: Weights<'_>, state: &mut State) {
    prepare::<crate::lanes::avx2::Pair>(program, weights, state);
}

#[inline(always)]
fn tick<L: Lanes>(
    program: &Program,
    scratch: &mut [Line],
    weights: Weights<'_>,
    state: &mut State,
    row: &[f32],
) -> Result<(), NoSignal> {
    take_input::<L>(program, scratch, weights.lines, state, row)?;
    if !program.plan.architecture().stateful {
        // A recurrent layer in a window network begins each window with nothing behind it.
        state.lines.fill(Line::ZERO);
        state.prepared = None;
    }
    if program.state_lines > 0 && state.prepared != Some(weights.version) {
        prepare::<L>(program, weights, state);
    }
    for op in program.ops.iter().flatten() {
        run::<L>(op, scratch, weights.lines, state);
    }
    state.prepared = None;
    Ok(())
}

/// Scales the row into the network's input; with a window, through the history.
#[inline(always)]
fn take_input<L: Lanes>(
    program: &Program,
    scratch: &mut [Line],
    weights: &[Line],
    state: &mut State,
    row: &[f32],
) -> Result<(), NoSignal> {
    // The row is scaled at the start of the scratch memory, where the input lies; a window is then copied over it.
    let wide = lines(program.columns);
    let input = &mut scratch[program.input.at..program.input.at + program.input.lines()];
    let (scaled, scaling) = (&mut input[..wide], &weights[..scaling_lines(program.columns)]);
    if let Some(last) = scaled.last_mut() {
        last.0 = [0.0; LANES];
    }
    flat_mut(scaled)[..row.len()].copy_from_slice(row);
    kernel::normalise::<L>(scaled, scaling);
    if program.window == 1 {
        return Ok(());
    }
    let columns = program.columns;
    let place = state.rows % program.window;
    for at in [place, place + program.window] {
        let values = kernel::head(scaled, columns);
        state.history[at * columns..(at + 1) * columns].copy_from_slice(values);
    }
    state.rows += 1;
    if state.rows < program.window {
        return Err(NoSignal::Filling);
    }
    let oldest = (place + 1) * columns;
    let window = &state.history[oldest..oldest + program.window * columns];
    flat_mut(input)[..window.len()].copy_from_slice(window);
    Ok(())
}

#[inline(always)]
fn run<L: Lanes>(op: &Op, scratch: &mut [Line], weights: &[Line], state: &mut State) {
    match *op {
        Op::Dense { from, to, weights: at, activation } => {
            let (before, out) = scratch.split_at_mut(to.at);
            let x = kernel::head(&before[from.at..], from.values);
            kernel::dense::<L>(x, &weights[at..], &mut out[..to.lines()], to.values, activation);
        }
        Op::Lstm { from, to, weights: at, state: place } => {
            let (before, out) = scratch.split_at_mut(to.at);
            let x = kernel::head(&before[from.at..], from.values);
            let wide = to.lines();
            let (h, rest) = state.lines[place..place + 6 * wide].split_at_mut(wide);
            let (c, half) = rest.split_at_mut(wide);
            kernel::lstm::<L>(x, &weights[at..at + half_lines(4, x.len(), to.values)], half, h, c);
            out[..wide].copy_from_slice(h);
        }
        Op::Gru { from, to, weights: at, state: place } => {
            let (before, out) = scratch.split_at_mut(to.at);
            let x = kernel::head(&before[from.at..], from.values);
            let wide = to.lines();
            let (h, half) = state.lines[place..place + 4 * wide].split_at_mut(wide);
            kernel::gru::<L>(x, &weights[at..at + half_lines(3, x.len(), to.values)], half, h);
            out[..wide].copy_from_slice(h);
        }
        Op::Add { from, skip, to } => {
            let (before, out) = scratch.split_at_mut(to.at);
            let wide = to.lines();
            kernel::add::<L>(
                &before[from.at..from.at + wide],
                &before[skip.at..skip.at + wide],
                &mut out[..wide],
            );
        }
        Op::Activate { from, to, activation } => {
            let (before, out) = scratch.split_at_mut(to.at);
            let out = &mut out[..to.lines()];
            out.copy_from_slice(&before[from.at..from.at + to.lines()]);
            kernel::activate::<L>(out, to.values, activation);
        }
    }
}

#[inline(always)]
fn prepare<L: Lanes>(program: &Program, weights: Weights<'_>, state: &mut State) {
    for op in program.ops.iter().flatten() {
        match *op {
            Op::Lstm { from, to, weights: at, state: place } => {
                let first = at + half_lines(4, from.values, to.values);
                let packed = &weights.lines[first..first + half_lines(4, to.values, to.values)];
                let (h, rest) = state.lines[place..].split_at_mut(to.lines());
                let half = &mut rest[to.lines()..5 * to.lines()];
                kernel::recurrent::<L, 4>(kernel::head(h, to.values), packed, half);
            }
            Op::Gru { from, to, weights: at, state: place } => {
                let first = at + half_lines(3, from.values, to.values);
                let packed = &weights.lines[first..first + half_lines(3, to.values, to.values)];
                let (h, half) = state.lines[place..].split_at_mut(to.lines());
                kernel::recurrent::<L, 3>(kernel::head(h, to.values), packed, &mut half[..3 * to.lines()]);
            }
            Op::Dense { .. } | Op::Add { .. } | Op::Activate { .. } => {}
        }
    }
    state.prepared = Some(weights.version);
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
