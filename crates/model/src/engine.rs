//! Runs a plan: one row in, one answer out, no allocation.
use crate::block::{LANES, Line, flat_mut, lines};
use crate::error::{ModelError, NoSignal};
use crate::kernel;
use crate::lanes::portable::Plain;
use crate::lanes::{Lanes, Level};
use crate::model::Model;
use crate::plan::{Op, Plan, half_lines, scaling_lines};

/// Packed weights and the version they are told apart by (the model hash); borrowed for one tick.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    /// [`Plan::weights_lines`] lines made by [`Plan::pack`].
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
    pub fn new(plan: &Plan) -> State {
        let history = if plan.window > 1 { 2 * plan.window * plan.columns } else { 0 };
        State {
            lines: vec![Line::ZERO; plan.state_lines],
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

/// A plan with its scratch memory on one instruction set.
#[derive(Debug)]
pub struct Engine {
    plan: Plan,
    level: Level,
    scratch: Vec<Line>,
}

impl Engine {
    /// An engine on the best instruction set this processor has.
    pub fn new(plan: Plan) -> Engine {
        Engine::on(plan, Level::detect())
    }

    /// An engine on a given instruction set, or on the best available one below it.
    pub fn on(plan: Plan, level: Level) -> Engine {
        let scratch = vec![Line::ZERO; plan.scratch_lines];
        Engine { level: level.min(Level::detect()), scratch, plan }
    }

    /// The instruction set it runs on.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The plan it runs.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Answers one row: `row` has [`Plan::columns`] numbers, unscaled; `out` gets [`Plan::outputs`] numbers.
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
        let result = self.plan.output();
        if row.len() != self.plan.columns || out.len() != result.values {
            return Err(NoSignal::Length);
        }
        if weights.lines.len() != self.plan.weights_lines() || state.lines.len() != self.plan.state_lines {
            return Err(NoSignal::Length);
        }
        if !kernel::all_finite(row) {
            return Err(NoSignal::InputNotFinite);
        }
        match self.level {
            // SAFETY: L1; `level` is never above what this processor has.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { tick_avx512(&self.plan, &mut self.scratch, weights, state, row)? },
            // SAFETY: L1; as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { tick_avx2(&self.plan, &mut self.scratch, weights, state, row)? },
            _ => tick::<Plain>(&self.plan, &mut self.scratch, weights, state, row)?,
        }
        let answer = kernel::head(&self.scratch[result.at..], result.values);
        if !kernel::all_finite(answer) {
            state.reset();
            return Err(NoSignal::OutputNotFinite);
        }
        out.copy_from_slice(answer);
        Ok(())
    }

    /// Computes the recurrent halves of the next tick, off the path; what the next [`Engine::predict`] gives is the same with
    /// and without.
    pub fn prepare(&self, weights: Weights<'_>, state: &mut State) {
        if weights.lines.len() != self.plan.weights_lines() || state.lines.len() != self.plan.state_lines {
            return;
        }
        match self.level {
            // SAFETY: L1; `level` is never above what this processor has.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { prepare_avx512(&self.plan, weights, state) },
            // SAFETY: L1; as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { prepare_avx2(&self.plan, weights, state) },
            _ => prepare::<Plain>(&self.plan, weights, state),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn tick_avx512(
    plan: &Plan,
    scratch: &mut [Line],
    weights: Weights<'_>,
    state: &mut State,
    row: &[f32],
) -> Result<(), NoSignal> {
    tick::<crate::lanes::avx512::Zmm>(plan, scratch, weights, state, row)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn tick_avx2(
    plan: &Plan,
    scratch: &mut [Line],
    weights: Weights<'_>,
    state: &mut State,
    row: &[f32],
) -> Result<(), NoSignal> {
    tick::<crate::lanes::avx2::Pair>(plan, scratch, weights, state, row)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn prepare_avx512(plan: &Plan, weights: Weights<'_>, state: &mut State) {
    prepare::<crate::lanes::avx512::Zmm>(plan, weights, state);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn prepare_avx2(plan: &Plan, weights: Weights<'_>, state: &mut State) {
    prepare::<crate::lanes::avx2::Pair>(plan, weights, state);
}

#[inline(always)]
fn tick<L: Lanes>(
    plan: &Plan,
    scratch: &mut [Line],
    weights: Weights<'_>,
    state: &mut State,
    row: &[f32],
) -> Result<(), NoSignal> {
    take_input::<L>(plan, scratch, weights.lines, state, row)?;
    if plan.state_lines > 0 && state.prepared != Some(weights.version) {
        prepare::<L>(plan, weights, state);
    }
    for op in &plan.ops {
        run::<L>(op, scratch, weights.lines, state);
    }
    state.prepared = None;
    Ok(())
}

/// Scales the row into the network's input; with a window, through the history.
#[inline(always)]
fn take_input<L: Lanes>(
    plan: &Plan,
    scratch: &mut [Line],
    weights: &[Line],
    state: &mut State,
    row: &[f32],
) -> Result<(), NoSignal> {
    // The row is scaled at the start of the scratch memory, where the input lies; a window is then copied over it.
    let wide = lines(plan.columns);
    let input = &mut scratch[plan.input.at..plan.input.at + plan.input.lines()];
    let (scaled, scaling) = (&mut input[..wide], &weights[..scaling_lines(plan.columns)]);
    if let Some(last) = scaled.last_mut() {
        last.0 = [0.0; LANES];
    }
    flat_mut(scaled)[..row.len()].copy_from_slice(row);
    kernel::normalise::<L>(scaled, scaling);
    if plan.window == 1 {
        return Ok(());
    }
    let columns = plan.columns;
    let place = state.rows % plan.window;
    for at in [place, place + plan.window] {
        let values = kernel::head(scaled, columns);
        state.history[at * columns..(at + 1) * columns].copy_from_slice(values);
    }
    state.rows += 1;
    if state.rows < plan.window {
        return Err(NoSignal::Filling);
    }
    let oldest = (place + 1) * columns;
    let window = &state.history[oldest..oldest + plan.window * columns];
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
        Op::Softmax { from, to } => {
            let (before, out) = scratch.split_at_mut(to.at);
            let out = &mut out[..to.lines()];
            out.copy_from_slice(&before[from.at..from.at + to.lines()]);
            kernel::softmax::<L>(out, to.values);
        }
    }
}

#[inline(always)]
fn prepare<L: Lanes>(plan: &Plan, weights: Weights<'_>, state: &mut State) {
    for op in &plan.ops {
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
            Op::Dense { .. } | Op::Add { .. } | Op::Softmax { .. } => {}
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
        let plan = Plan::new(model)?;
        let mut weights = vec![Line::ZERO; plan.weights_lines()];
        plan.pack(model, &mut weights)?;
        let state = State::new(&plan);
        Ok(Predictor { engine: Engine::on(plan, level), weights, version: 0, state })
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
        self.engine.plan().pack(model, &mut self.weights)?;
        self.version += 1;
        Ok(())
    }

    /// Forgets the stream seen so far.
    pub fn reset(&mut self) {
        self.state.reset();
    }
}
