//! A slow model in f64 that shares no code with the engine.
use tickline_model::{Activation, Gate, Layer, Model, Reset};

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn hard_sigmoid(x: f64) -> f64 {
    (0.2 * x + 0.5).clamp(0.0, 1.0)
}

fn close(gate: Gate, x: f64) -> f64 {
    if gate == Gate::Hard { hard_sigmoid(x) } else { sigmoid(x) }
}

fn softmax(x: &[f64]) -> Vec<f64> {
    let top = x.iter().fold(f64::MIN, |a, b| a.max(*b));
    let sum: f64 = x.iter().map(|x| (x - top).exp()).sum();
    x.iter().map(|x| (x - top).exp() / sum).collect()
}

fn activate(activation: Activation, x: &[f64]) -> Vec<f64> {
    let each = |f: &dyn Fn(f64) -> f64| x.iter().map(|x| f(*x)).collect();
    match activation {
        Activation::None => x.to_vec(),
        Activation::Relu => each(&|x| x.max(0.0)),
        Activation::Swish => each(&|x| x * sigmoid(x)),
        Activation::Tanh => each(&f64::tanh),
        Activation::Sigmoid => each(&sigmoid),
        Activation::Softmax => softmax(x),
        Activation::LeakyRelu => each(&|x| if x > 0.0 { x } else { 0.01 * x }),
        Activation::HardSigmoid => each(&hard_sigmoid),
    }
}

/// `start + x M` for a row-major `M [x.len(), start.len()]`.
fn affine(x: &[f64], matrix: &[f32], start: &[f32]) -> Vec<f64> {
    let wide = start.len();
    (0..wide)
        .map(|j| {
            f64::from(start[j]) + (0..x.len()).map(|k| x[k] * f64::from(matrix[k * wide + j])).sum::<f64>()
        })
        .collect()
}

/// The slow model's memory.
#[derive(Default)]
pub struct Slow {
    rows: Vec<Vec<f64>>,
    h: Vec<Vec<f64>>,
    c: Vec<Vec<f64>>,
}

impl Slow {
    /// One tick; `None` while the window fills.
    pub fn tick(&mut self, model: &Model, row: &[f32]) -> Option<Vec<f64>> {
        let contract = &model.contract;
        let clip = f64::from(contract.clip);
        let scaled = row.iter().enumerate().map(|(at, x)| {
            ((f64::from(*x) - f64::from(contract.mean[at])) / f64::from(contract.scale[at]))
                .clamp(-clip, clip)
        });
        self.rows.push(scaled.collect());
        if self.rows.len() < contract.window {
            return None;
        }
        let net = &model.architecture;
        self.h.resize(net.nodes.len(), Vec::new());
        self.c.resize(net.nodes.len(), Vec::new());
        if !net.stateful {
            self.h.iter_mut().chain(&mut self.c).for_each(|state| state.fill(0.0));
        }
        let mut outputs = vec![self.rows[self.rows.len() - contract.window..].concat()];
        let mut rest = &model.parameters[..];
        let mut take = |size: usize| {
            let (own, behind) = rest.split_at(size);
            rest = behind;
            own
        };
        for (at, node) in net.nodes.iter().enumerate() {
            let x = outputs[node.inputs[0]].clone();
            let wide = x.len();
            let out = match node.layer {
                Layer::Dense { outputs, activation } => {
                    let (weight, bias) = (take(wide * outputs), take(outputs));
                    activate(activation, &affine(&x, weight, bias))
                }
                Layer::Lstm { units, gate } => {
                    let tensors = [take(wide * 4 * units), take(units * 4 * units), take(4 * units)];
                    self.lstm(at, (units, gate), &x, &tensors)
                }
                Layer::Gru { units, gate, reset } => {
                    let tensors = [take(wide * 3 * units), take(units * 3 * units), take(6 * units)];
                    self.gru(at, (units, gate, reset), &x, &tensors)
                }
                Layer::Add => x.iter().zip(&outputs[node.inputs[1]]).map(|(a, b)| a + b).collect(),
                Layer::Activate { activation } => activate(activation, &x),
                _ => x,
            };
            outputs.push(out);
        }
        outputs.pop()
    }

    fn lstm(&mut self, at: usize, (units, kind): (usize, Gate), x: &[f64], tensors: &[&[f32]]) -> Vec<f64> {
        let sigmoid = |x| close(kind, x);
        self.h[at].resize(units, 0.0);
        self.c[at].resize(units, 0.0);
        let a = affine(x, tensors[0], tensors[2]);
        let b = affine(&self.h[at], tensors[1], &vec![0.0; 4 * units]);
        for u in 0..units {
            let gate = |g: usize| a[g * units + u] + b[g * units + u];
            self.c[at][u] = sigmoid(gate(1)) * self.c[at][u] + sigmoid(gate(0)) * gate(2).tanh();
            self.h[at][u] = sigmoid(gate(3)) * self.c[at][u].tanh();
        }
        self.h[at].clone()
    }

    fn gru(
        &mut self,
        at: usize,
        (units, kind, reset): (usize, Gate, Reset),
        x: &[f64],
        tensors: &[&[f32]],
    ) -> Vec<f64> {
        let sigmoid = |x| close(kind, x);
        self.h[at].resize(units, 0.0);
        let a = affine(x, tensors[0], &tensors[2][..3 * units]);
        let b = affine(&self.h[at], tensors[1], &tensors[2][3 * units..]);
        let through: Vec<f64> =
            (0..units).map(|u| sigmoid(a[units + u] + b[units + u]) * self.h[at][u]).collect();
        let early = affine(&through, tensors[1], &tensors[2][3 * units..]);
        for u in 0..units {
            let z = sigmoid(a[u] + b[u]);
            let r = sigmoid(a[units + u] + b[units + u]);
            let kept = if reset == Reset::Before { early[2 * units + u] } else { r * b[2 * units + u] };
            let n = (a[2 * units + u] + kept).tanh();
            self.h[at][u] = z * self.h[at][u] + (1.0 - z) * n;
        }
        self.h[at].clone()
    }
}
