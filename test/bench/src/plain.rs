//! Networks as the loops that most people write first: over the parameters as they are in the file, one value after another.

use tickline_model::{Activation, Gate, Layer, Model, Padding, Plan, Pooling, Shape, Sweep};

/// A network at work.
pub struct Plain<'a> {
    model: &'a Model,
    plan: Plan,
    values: Vec<Vec<f32>>,
    states: Vec<[Vec<f32>; 2]>,
    rows: Vec<f32>,
}

impl<'a> Plain<'a> {
    /// A network that has seen nothing.
    ///
    /// # Errors
    /// What the model's check finds, and a layer that has no loop here.
    pub fn new(model: &'a Model) -> Result<Plain<'a>, String> {
        let plan = model.verify().map_err(|error| error.to_string())?;
        let values = (0..=plan.nodes().len()).map(|at| vec![0.0; plan.shape(at).len()]).collect();
        let mut states = Vec::new();
        for (at, node) in plan.nodes().iter().enumerate() {
            let before = plan.shape(node.inputs[0]).features();
            states.push(match node.layer {
                Layer::Lstm { units, .. } => [vec![0.0; units], vec![0.0; units]],
                Layer::Conv { sweep, .. } | Layer::Pool { sweep, .. } => {
                    [vec![0.0; (sweep.kernel_time - 1) * before], Vec::new()]
                }
                Layer::Dense { .. } | Layer::Activate { .. } | Layer::Add | Layer::Concat => {
                    Default::default()
                }
                Layer::Reshape { .. } | Layer::Flatten | Layer::Last | Layer::Dropout { .. } => {
                    Default::default()
                }
                Layer::Bl { .. } | Layer::Tabl { .. } | Layer::Bin | Layer::Attention { .. } => {
                    Default::default()
                }
                Layer::LocalAttention { .. } if plan.architecture().stateful => Default::default(),
                ref other => return Err(format!("node {at}: no plain loop for a {}", other.name())),
            });
        }
        Ok(Plain { model, plan, values, states, rows: Vec::new() })
    }

    /// Answers a row, unscaled; `None` while the window fills.
    pub fn predict(&mut self, row: &[f32]) -> Option<&[f32]> {
        let contract = &self.model.contract;
        let all = self.values[0].len();
        if self.rows.len() == all {
            self.rows.drain(..row.len());
        }
        let scaled = row.iter().zip(contract.mean.iter().zip(&contract.scale));
        self.rows.extend(
            scaled.map(|(x, (mean, scale))| ((x - mean) / scale).clamp(-contract.clip, contract.clip)),
        );
        if self.rows.len() < all {
            return None;
        }
        self.values[0].copy_from_slice(&self.rows);
        for at in 0..self.plan.nodes().len() {
            let mut y = std::mem::take(&mut self.values[at + 1]);
            self.layer(at, &mut y);
            self.values[at + 1] = y;
        }
        self.values.last().map(Vec::as_slice)
    }

    fn layer(&mut self, at: usize, y: &mut [f32]) {
        let node = &self.plan.nodes()[at];
        let (from, to) = (self.plan.shape(node.inputs[0]), self.plan.shape(at + 1));
        let (x, w) = (&self.values[node.inputs[0]], &self.model.parameters[self.plan.owned(at)]);
        match node.layer {
            Layer::Dense { outputs, .. } => {
                let (weight, bias) = w.split_at(from.features() * outputs);
                for (y, x) in y.chunks_exact_mut(outputs).zip(x.chunks_exact(from.features())) {
                    y.copy_from_slice(bias);
                    add_product(x, weight, y);
                }
            }
            Layer::Lstm { units, gate: Gate::Sigmoid } => {
                if !self.plan.architecture().stateful {
                    self.states[at].iter_mut().for_each(|state| state.fill(0.0));
                }
                lstm(w, units, x, from.features(), &mut self.states[at], y);
            }
            Layer::Bl { outputs, times, .. } => bilinear(w, from, outputs, times, None, x, y),
            Layer::Tabl { outputs, times, .. } => bilinear(w, from, outputs, times, Some(()), x, y),
            Layer::Bin => bin(w, from, x, y),
            Layer::Conv { sweep, .. } => {
                let whole =
                    extended(&sweep, from, x, self.plan.architecture().stateful, &mut self.states[at][0]);
                conv(w, &sweep, from, to, &whole, y);
            }
            Layer::Pool { pooling, sweep } => {
                let whole =
                    extended(&sweep, from, x, self.plan.architecture().stateful, &mut self.states[at][0]);
                pool(pooling, &sweep, (from, to), &whole, y);
            }
            Layer::Attention { units } => attention(w, units, x, y),
            Layer::LocalAttention { keys, span, .. } => {
                local_attention(w, (keys, span), x, &mut self.states[at], y);
            }
            Layer::Last => y.copy_from_slice(&x[x.len() - y.len()..]),
            Layer::Concat => {
                let mut first = 0;
                for input in &node.inputs {
                    let channels = self.plan.shape(*input).channels;
                    let parts = self.values[*input].chunks_exact(channels);
                    for (y, x) in y.chunks_exact_mut(to.channels).zip(parts) {
                        y[first..first + channels].copy_from_slice(x);
                    }
                    first += channels;
                }
            }
            Layer::Add => {
                y.copy_from_slice(x);
                for input in &node.inputs[1..] {
                    y.iter_mut().zip(&self.values[*input]).for_each(|(y, x)| *y += x);
                }
            }
            _ => y.copy_from_slice(x),
        }
        match node.layer.activation() {
            Activation::Softmax => y.chunks_exact_mut(to.features()).for_each(|y| softmax(y.iter_mut())),
            each => y.iter_mut().for_each(|y| *y = activate(each, *y)),
        }
    }
}

/// `y += x W`, weights row by row of inputs.
fn add_product(x: &[f32], weights: &[f32], y: &mut [f32]) {
    for (x, row) in x.iter().zip(weights.chunks_exact(y.len())) {
        for (y, w) in y.iter_mut().zip(row) {
            *y += x * w;
        }
    }
}

fn lstm(w: &[f32], units: usize, x: &[f32], inputs: usize, state: &mut [Vec<f32>; 2], out: &mut [f32]) {
    let (kernel, rest) = w.split_at(inputs * 4 * units);
    let (recurrent, bias) = rest.split_at(units * 4 * units);
    let [h, c] = state;
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    for (x, out) in x.chunks_exact(inputs).zip(out.chunks_exact_mut(units)) {
        let mut gates = bias.to_vec();
        add_product(x, kernel, &mut gates);
        add_product(h, recurrent, &mut gates);
        for unit in 0..units {
            let gate = |nth: usize| gates[nth * units + unit];
            c[unit] = sigmoid(gate(1)) * c[unit] + sigmoid(gate(0)) * gate(2).tanh();
            h[unit] = sigmoid(gate(3)) * c[unit].tanh();
        }
        out.copy_from_slice(h);
    }
}

/// BL, and with `attends` TABL.
fn bilinear(
    w: &[f32],
    from: Shape,
    outputs: usize,
    times: usize,
    attends: Option<()>,
    x: &[f32],
    y: &mut [f32],
) {
    let (time, features) = (from.time, from.features());
    let (w1, mut rest) = w.split_at(features * outputs);
    let mut inner = vec![0.0; time * outputs];
    for (inner, x) in inner.chunks_exact_mut(outputs).zip(x.chunks_exact(features)) {
        add_product(x, w1, inner);
    }
    if attends.is_some() {
        let (mix, behind) = rest.split_at(time * time);
        let (l, behind) = behind.split_at(1);
        rest = behind;
        for o in 0..outputs {
            let share = |s: usize, t: usize| if s == t { 1.0 / time as f32 } else { mix[s * time + t] };
            let energy = |t: usize| (0..time).map(|s| share(s, t) * inner[s * outputs + o]).sum::<f32>();
            let mut attention: Vec<f32> = (0..time).map(energy).collect();
            softmax(attention.iter_mut());
            for (t, a) in attention.iter().enumerate() {
                inner[t * outputs + o] *= l[0] + (1.0 - l[0]) * a;
            }
        }
    }
    let (w2, bias) = rest.split_at(time * times);
    y.copy_from_slice(bias);
    for (t, inner) in inner.chunks_exact(outputs).enumerate() {
        for (j, y) in y.chunks_exact_mut(outputs).enumerate() {
            y.iter_mut().zip(inner).for_each(|(y, x)| *y += w2[t * times + j] * x);
        }
    }
}

fn bin(w: &[f32], from: Shape, x: &[f32], y: &mut [f32]) {
    let (time, features) = (from.time, from.features());
    let (l1, b1) = (&w[2..2 + time], &w[2 + time..2 + 2 * time]);
    let (l2, b2) = w[2 + 2 * time..].split_at(features);
    let moments = |values: &mut dyn Iterator<Item = f32>| {
        let all: Vec<f32> = values.collect();
        let mean = all.iter().sum::<f32>() / all.len() as f32;
        let variance = all.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / all.len() as f32;
        let deviation = variance.sqrt();
        (mean, if deviation < 1e-4 { 1.0 } else { deviation })
    };
    for (t, (y, x)) in y.chunks_exact_mut(features).zip(x.chunks_exact(features)).enumerate() {
        let (mean, deviation) = moments(&mut x.iter().copied());
        for (y, x) in y.iter_mut().zip(x) {
            *y = w[0] * (l1[t] * (x - mean) / deviation + b1[t]);
        }
    }
    for f in 0..features {
        let (mean, deviation) = moments(&mut (0..time).map(|t| x[t * features + f]));
        for t in 0..time {
            let at = t * features + f;
            y[at] += w[1] * (l2[f] * (x[at] - mean) / deviation + b2[f]);
        }
    }
}

/// Additive attention over the rows of `x`.
fn attention(w: &[f32], units: usize, x: &[f32], y: &mut [f32]) {
    let (weight, rest) = w.split_at(y.len() * units);
    let (bias, query) = rest.split_at(units);
    let mut shares = Vec::new();
    for x in x.chunks_exact(y.len()) {
        let mut hidden = bias.to_vec();
        add_product(x, weight, &mut hidden);
        shares.push(hidden.iter().zip(query).map(|(hidden, query)| hidden.tanh() * query).sum());
    }
    softmax(shares.iter_mut());
    y.fill(0.0);
    add_product(&shares, x, y);
}

/// Attention of one row to the last `span`; `past`: their keys and values.
fn local_attention(
    w: &[f32],
    (keys, span): (usize, usize),
    x: &[f32],
    past: &mut [Vec<f32>; 2],
    y: &mut [f32],
) {
    let (query, rest) = w.split_at(x.len() * keys);
    let (key, value) = rest.split_at(x.len() * keys);
    let [all_k, all_v] = past;
    let mut q = vec![0.0; keys];
    add_product(x, query, &mut q);
    for (all, weight, wide) in [(&mut *all_k, key, keys), (&mut *all_v, value, y.len())] {
        if all.len() == span * wide {
            all.drain(..wide);
        }
        let known = all.len();
        all.resize(known + wide, 0.0);
        add_product(x, weight, &mut all[known..]);
    }
    let scale = (keys as f32).sqrt();
    let score = |k: &[f32]| k.iter().zip(&q).map(|(k, q)| k * q).sum::<f32>() / scale;
    let mut shares: Vec<f32> = all_k.chunks_exact(keys).map(score).collect();
    softmax(shares.iter_mut());
    y.fill(0.0);
    add_product(&shares, all_v, y);
}

/// The input with what stands before and after it; a stateful network's past is carried on.
fn extended(sweep: &Sweep, from: Shape, x: &[f32], stateful: bool, past: &mut [f32]) -> Vec<f32> {
    let row = from.features();
    let missing = sweep.kernel_time - 1;
    let (before, after) = match sweep.padding {
        Padding::Valid => (0, 0),
        Padding::Same => (missing / 2, missing - missing / 2),
        Padding::Causal => (missing, 0),
    };
    let mut whole = vec![0.0; (before + from.time + after) * row];
    whole[before * row..before * row + x.len()].copy_from_slice(x);
    if stateful && before > 0 {
        whole[..before * row].copy_from_slice(past);
        past.copy_from_slice(&whole[whole.len() - before * row..]);
    }
    whole
}

fn conv(w: &[f32], sweep: &Sweep, from: Shape, to: Shape, x: &[f32], y: &mut [f32]) {
    let run = sweep.kernel_width * from.channels;
    let (weight, bias) = w.split_at(sweep.kernel_time * run * to.channels);
    for (at, y) in y.chunks_exact_mut(to.channels).enumerate() {
        let (t, place) = (at / to.width * sweep.stride_time, at % to.width * sweep.stride_width);
        y.copy_from_slice(bias);
        for i in 0..sweep.kernel_time {
            let first = (t + i) * from.features() + place * from.channels;
            add_product(&x[first..first + run], &weight[i * run * to.channels..], y);
        }
    }
}

fn pool(pooling: Pooling, sweep: &Sweep, (from, to): (Shape, Shape), x: &[f32], y: &mut [f32]) {
    let missing = sweep.kernel_time - 1;
    let before = if sweep.padding == Padding::Same { missing / 2 } else { 0 };
    let present = |t: usize| sweep.padding != Padding::Same || (t >= before && t < before + from.time);
    for (at, y) in y.iter_mut().enumerate() {
        let (channel, place, t) =
            (at % to.channels, at / to.channels % to.width, at / to.channels / to.width * sweep.stride_time);
        let times = (t..t + sweep.kernel_time).filter(|t| present(*t));
        let seen = times.flat_map(|t| {
            (0..sweep.kernel_width).map(move |j| {
                t * from.features() + (place * sweep.stride_width + j) * from.channels + channel
            })
        });
        let (sum, most, count) = seen.fold((0.0, f32::MIN, 0), |(sum, most, count), at| {
            (sum + x[at], f32::max(most, x[at]), count + 1)
        });
        *y = if pooling == Pooling::Max { most } else { sum / count as f32 };
    }
}

fn activate(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::None | Activation::Softmax => x,
        Activation::Relu => x.max(0.0),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Swish => x / (1.0 + (-x).exp()),
        Activation::LeakyRelu => x.max(0.01 * x),
        Activation::HardSigmoid => (0.2 * x + 0.5).clamp(0.0, 1.0),
    }
}

fn softmax<'a>(values: impl Iterator<Item = &'a mut f32>) {
    let mut values: Vec<&mut f32> = values.collect();
    let most = values.iter().map(|x| **x).fold(f32::MIN, f32::max);
    values.iter_mut().for_each(|x| **x = (**x - most).exp());
    let all: f32 = values.iter().map(|x| **x).sum();
    values.iter_mut().for_each(|x| **x /= all);
}
