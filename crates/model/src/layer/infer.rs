//! What a layer makes of the shapes it is given, and which it cannot take.
use super::{Layer, Padding, Sweep};
use crate::shape::Shape;

/// Largest kernel, stride, span or count of anything; bounds what a hostile file can ask for.
const SIZE_MAX: usize = 1 << 16;

fn sized(name: &str, size: usize) -> Result<usize, String> {
    if (1..=SIZE_MAX).contains(&size) {
        Ok(size)
    } else {
        Err(format!("{name} is {size}; 1 to {SIZE_MAX} are possible"))
    }
}

impl Sweep {
    /// Rows of padding before the first time and times given, for `time` times taken.
    pub(crate) fn times_of(&self, time: usize) -> (usize, usize) {
        let (kernel, stride) = (self.kernel_time, self.stride_time);
        match self.padding {
            Padding::Valid => (0, if time < kernel { 0 } else { (time - kernel) / stride + 1 }),
            Padding::Same => {
                let given = time.div_ceil(stride);
                ((((given - 1) * stride + kernel).saturating_sub(time)) / 2, given)
            }
            Padding::Causal => (kernel - 1, time.div_ceil(stride)),
        }
    }

    fn infer(&self, x: Shape, channels: usize, stateful: bool) -> Result<Shape, String> {
        for (name, size) in [
            ("kernel_time", self.kernel_time),
            ("kernel_width", self.kernel_width),
            ("stride_time", self.stride_time),
            ("stride_width", self.stride_width),
        ] {
            sized(name, size)?;
        }
        if stateful && self.stride_time != 1 {
            return Err(
                "a stride over time is not possible in a stateful network, which answers every row".into()
            );
        }
        if stateful && self.kernel_time > 1 && self.padding != Padding::Causal {
            return Err("padding must be causal in a stateful network".into());
        }
        if x.width < self.kernel_width {
            return Err(format!("kernel of {} places over {} places", self.kernel_width, x.width));
        }
        let time = self.times_of(x.time).1;
        if time == 0 {
            return Err(format!(
                "kernel of {} times over {} times without padding",
                self.kernel_time, x.time
            ));
        }
        Ok(Shape { time, width: (x.width - self.kernel_width) / self.stride_width + 1, channels })
    }
}

impl Layer {
    /// The shape this layer gives for the shapes it takes.
    ///
    /// # Errors
    /// A sentence saying what does not fit.
    pub(crate) fn infer(&self, inputs: &[Shape], stateful: bool) -> Result<Shape, String> {
        let [x] = inputs[..] else { return self.infer_join(inputs) };
        let folds = || {
            let text = "looks at a whole window, which a stateful network does not have; make the network a window network";
            if stateful { Err(text.to_owned()) } else { Ok(()) }
        };
        match *self {
            Layer::Dense { outputs, .. } => Ok(Shape::rows(x.time, sized("outputs", outputs)?)),
            Layer::Activate { .. } => Ok(x),
            Layer::Add | Layer::Concat => self.infer_join(inputs),
            Layer::Reshape { width, channels } => {
                if sized("width", width)?.checked_mul(sized("channels", channels)?) != Some(x.features()) {
                    return Err(format!(
                        "{width} places of {channels} are not the {} numbers given",
                        x.features()
                    ));
                }
                Ok(Shape { time: x.time, width, channels })
            }
            Layer::Flatten => folds().map(|()| Shape::rows(1, x.len())),
            Layer::Last => Ok(if stateful { x } else { x.with_time(1) }),
            Layer::Dropout { rate } => {
                let right = (0.0..1.0).contains(&rate);
                right.then_some(x).ok_or_else(|| format!("rate is {rate}; 0 to below 1 are possible"))
            }
            Layer::Lstm { units, .. } | Layer::Gru { units, .. } => {
                Ok(Shape::rows(x.time, sized("units", units)?))
            }
            Layer::Bl { outputs, times, .. } | Layer::Tabl { outputs, times, .. } => {
                folds()?;
                Ok(Shape::rows(sized("times", times)?, sized("outputs", outputs)?))
            }
            Layer::Bin => folds().map(|()| x),
            Layer::Conv { outputs, sweep, .. } => sweep.infer(x, sized("outputs", outputs)?, stateful),
            Layer::Pool { sweep, .. } => sweep.infer(x, x.channels, stateful),
            Layer::BatchNorm { epsilon, momentum } => {
                let right = epsilon > 0.0 && epsilon < 1.0 && (0.0..=1.0).contains(&momentum);
                let text = || format!("epsilon {epsilon} or momentum {momentum} is outside 0 to 1");
                right.then_some(x).ok_or_else(text)
            }
            Layer::Attention { units } => {
                sized("units", units)?;
                folds().map(|()| Shape::rows(1, x.features()))
            }
            Layer::LinearAttention { keys, outputs, decay } => {
                let most_exclusive = if stateful { 1.0 } else { 1.0 + f32::EPSILON };
                if !(decay > 0.0 && decay < most_exclusive) {
                    return Err(format!(
                        "decay is {decay}; it must be above 0 and, in a stateful network, below 1"
                    ));
                }
                sized("keys", keys)?;
                Ok(Shape::rows(x.time, sized("outputs", outputs)?))
            }
            Layer::LocalAttention { keys, outputs, span } => {
                sized("keys", keys)?;
                sized("span", span)?;
                Ok(Shape::rows(x.time, sized("outputs", outputs)?))
            }
        }
    }

    fn infer_join(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let Some(first) = inputs.first().copied() else { return Err("has no input".into()) };
        match self {
            Layer::Add if inputs.iter().all(|shape| *shape == first) => Ok(first),
            Layer::Add => Err(format!("adds values of different shapes: {}", list(inputs))),
            Layer::Concat
                if inputs.iter().all(|shape| (shape.time, shape.width) == (first.time, first.width)) =>
            {
                Ok(Shape { channels: inputs.iter().map(|shape| shape.channels).sum(), ..first })
            }
            Layer::Concat => Err(format!("joins values of different times or widths: {}", list(inputs))),
            _ => Err(format!("takes one input, not {}", inputs.len())),
        }
    }

    /// Multiply-adds for the shapes taken and given.
    pub(crate) fn multiply_adds(&self, x: Shape, y: Shape) -> usize {
        match *self {
            Layer::Dense { outputs, .. } => x.len() * outputs,
            Layer::Lstm { units, .. } => 4 * units * (x.features() + units) * x.time,
            Layer::Gru { units, .. } => 3 * units * (x.features() + units) * x.time,
            Layer::Bl { outputs, times, .. } => bilinear(x, outputs, times),
            Layer::Tabl { outputs, times, .. } => {
                x.len() * outputs + x.time * x.time * outputs + x.time * times * outputs
            }
            Layer::Conv { outputs, sweep, .. } => {
                y.time * y.width * sweep.kernel_time * sweep.kernel_width * x.channels * outputs
            }
            Layer::Bin => 4 * x.len(),
            Layer::BatchNorm { .. } => x.len(),
            Layer::Attention { units } => x.len() * (units + 1) + x.time * units,
            Layer::LinearAttention { keys, outputs, .. } => {
                x.len() * (2 * keys + outputs) + x.time * 2 * keys * (outputs + 1)
            }
            Layer::LocalAttention { keys, outputs, span } => {
                x.len() * (2 * keys + outputs) + x.time * span * (keys + outputs)
            }
            _ => 0,
        }
    }
}

/// The cheaper order of the two products of a bilinear layer.
fn bilinear(x: Shape, outputs: usize, times: usize) -> usize {
    let times_first = x.features() * x.time * times + x.features() * outputs * times;
    times_first.min(x.len() * outputs + x.time * outputs * times)
}

fn list(shapes: &[Shape]) -> String {
    shapes.iter().map(Shape::to_string).collect::<Vec<_>>().join(", ")
}
