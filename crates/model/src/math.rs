//! Polynomial exp, sigmoid and tanh over sixteen lanes, and the activations made of them.
//!
//! Largest errors over all inputs, checked by test against f64 on every instruction set: exp 2.5e-7 relative (arguments clamped to
//! [-87, 88]); sigmoid 1.4e-7 and tanh 2.8e-7 absolute. NaN in gives NaN out.
use crate::activation::Activation;
use crate::lanes::Lanes;

/// `1.5 * 2^23`: adding and subtracting it rounds to the nearest whole number.
pub(crate) const ROUND: f32 = 12_582_912.0;

/// `exp(x)`: Cody-Waite reduction by `ln 2` in two parts, then the polynomial of Cephes' `expf`.
#[inline(always)]
pub(crate) fn exp<L: Lanes>(x: L) -> L {
    power(L::splat(88.0).min(L::splat(-87.0).max(x)))
}

/// `exp(x)` of what lies in [-87, 88].
#[inline(always)]
fn power<L: Lanes>(x: L) -> L {
    let n = x.mul_add(L::splat(std::f32::consts::LOG2_E), L::splat(ROUND)).sub(L::splat(ROUND));
    let r = n.mul_add(L::splat(-0.693_359_4), x);
    let r = n.mul_add(L::splat(2.121_944_4e-4), r);
    let mut p = L::splat(1.987_569_1e-4);
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p.mul_add(r, L::splat(coefficient));
    }
    p.mul_add(r.mul(r), r).add(L::splat(1.0)).times_power(n)
}

/// `1 / (1 + exp(-x))`.
#[inline(always)]
pub(crate) fn sigmoid<L: Lanes>(x: L) -> L {
    let one = L::splat(1.0);
    one.div(one.add(exp(L::splat(0.0).sub(x))))
}

/// `1 - 2 / (1 + exp(2 x))`.
#[inline(always)]
pub(crate) fn tanh<L: Lanes>(x: L) -> L {
    let one = L::splat(1.0);
    one.sub(L::splat(2.0).div(one.add(exp(x.add(x)))))
}

/// `exp(x)`, `x` limited to [-28, 28]; coarsely to 6e-6 of it: `2^r` by a polynomial of the fourth degree.
#[inline(always)]
fn limited<L: Lanes>(x: L, coarse: bool) -> L {
    let x = L::splat(28.0).min(L::splat(-28.0).max(x));
    if !coarse {
        return power(x);
    }
    let t = x.mul(L::splat(std::f32::consts::LOG2_E));
    let n = t.add(L::splat(ROUND)).sub(L::splat(ROUND));
    let r = t.sub(n);
    let mut p = L::splat(9.666_368e-3);
    for coefficient in [5.592_197_6e-2, 0.240_223_5, 0.693_121_1, 1.0] {
        p = p.mul_add(r, L::splat(coefficient));
    }
    p.times_power(n)
}

/// `1 / (1 + exp(-x))`; coarsely as in [`cell`].
#[inline(always)]
pub(crate) fn gate<L: Lanes>(x: L, coarse: bool) -> L {
    if !coarse {
        return sigmoid(x);
    }
    let one = L::splat(1.0);
    one.div(one.add(limited(L::splat(0.0).sub(x), true)))
}

/// `1 - 2 / (1 + exp(2 x))`; coarsely as in [`cell`].
#[inline(always)]
pub(crate) fn squash<L: Lanes>(x: L, coarse: bool) -> L {
    if !coarse {
        return tanh(x);
    }
    let one = L::splat(1.0);
    one.sub(L::splat(2.0).div(one.add(limited(x.add(x), true))))
}

/// The cell and the output of an LSTM's units: `c' = sigmoid(f) c + sigmoid(i) tanh(g)`, `h = sigmoid(o) tanh(c')`, each with one division.
///
/// Powers are limited to `exp(+-28)`, so that three factors do not overflow; what that cuts off is below 1e-12. Coarsely is for sums that
/// are rounded to bf16 or 8 bits, which errs a thousand times more.
#[inline(always)]
pub(crate) fn cell<L: Lanes>([i, f, g, o]: [L; 4], c: L, coarse: bool) -> (L, L) {
    let (zero, one) = (L::splat(0.0), L::splat(1.0));
    let (i, f) = (one.add(limited(zero.sub(i), coarse)), one.add(limited(zero.sub(f), coarse)));
    let g = limited(g.add(g), coarse);
    let new = i.mul(one.add(g));
    let cell = c.mul(new).add(g.sub(one).mul(f)).div(new.mul(f));
    let (o, t) = (one.add(limited(zero.sub(o), coarse)), limited(cell.add(cell), coarse));
    (cell, t.sub(one).div(o.mul(one.add(t))))
}

/// `max(0, x)`.
#[inline(always)]
pub(crate) fn relu<L: Lanes>(x: L) -> L {
    L::splat(0.0).max(x)
}

/// An activation, softmax excepted.
#[inline(always)]
pub(crate) fn activation<L: Lanes>(activation: Activation, x: L) -> L {
    match activation {
        Activation::None | Activation::Softmax => x,
        Activation::Relu => relu(x),
        Activation::Swish => x.mul(sigmoid(x)),
        Activation::Tanh => tanh(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::LeakyRelu => x.mul(L::splat(0.01)).max(x),
    }
}

/// Slope of `y = activation(z)`, softmax excepted; all but swish are known from `y`.
#[inline(always)]
pub(crate) fn slope<L: Lanes>(activation: Activation, z: L, y: L) -> L {
    let (zero, one) = (L::splat(0.0), L::splat(1.0));
    // 1 where y is above zero, else 0: the least positive number is scaled up to 1 in two steps and cut there.
    let above = || one.min(zero.max(y).mul(L::splat(1e30)).mul(L::splat(1e30)));
    match activation {
        Activation::None | Activation::Softmax => one,
        Activation::Relu => above(),
        Activation::Swish => {
            let s = sigmoid(z);
            y.mul_add(one.sub(s), s)
        }
        Activation::Tanh => one.sub(y.mul(y)),
        Activation::Sigmoid => y.mul(one.sub(y)),
        Activation::LeakyRelu => above().mul_add(L::splat(0.99), L::splat(0.01)),
    }
}

#[cfg(test)]
mod tests {
    use crate::block::Line;
    use crate::lanes::portable::Plain;
    use crate::lanes::{Kernel, Lanes, Level};

    #[inline(always)]
    fn all<L: Lanes>(x: &Line, out: &mut [Line; 3]) {
        super::exp(L::load(x)).store(&mut out[0]);
        super::sigmoid(L::load(x)).store(&mut out[1]);
        super::tanh(L::load(x)).store(&mut out[2]);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn avx512(x: &Line, out: &mut [Line; 3]) {
        all::<crate::lanes::avx512::Zmm>(x, out);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn avx2(x: &Line, out: &mut [Line; 3]) {
        all::<crate::lanes::avx2::Pair>(x, out);
    }

    fn run(level: Level, x: &Line) -> [Line; 3] {
        let mut out = [Line::ZERO; 3];
        match level {
            // SAFETY: only available levels are asked for.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Avx512Vnni => unsafe { avx512(x, &mut out) },
            // SAFETY: only available levels are asked for.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { avx2(x, &mut out) },
            _ => all::<Plain>(x, &mut out),
        }
        out
    }

    /// Goal: the error bounds in this module's text hold. Method: 300,000 arguments over [-100, 100], dense near zero, against f64.
    #[test]
    fn errors_stay_within_the_stated_bounds_on_every_level() {
        for level in Level::available() {
            let mut worst = [0.0f64; 3];
            for step in -9_500..9_500i32 {
                let base = f64::from(step) / 9_500.0;
                let x = Line(std::array::from_fn(|lane| {
                    (base * base * base * 100.0 + lane as f64 * 1e-4) as f32
                }));
                let out = run(level, &x);
                for lane in 0..16 {
                    let exact = f64::from(x.0[lane]);
                    let sigmoid = 1.0 / (1.0 + (-exact).exp());
                    let power = exact.clamp(-87.0, 88.0).exp();
                    let error = [
                        (f64::from(out[0].0[lane]) - power).abs() / power,
                        (f64::from(out[1].0[lane]) - sigmoid).abs(),
                        (f64::from(out[2].0[lane]) - exact.tanh()).abs(),
                    ];
                    for (worst, error) in worst.iter_mut().zip(error) {
                        *worst = worst.max(error);
                    }
                }
            }
            assert!(worst[0] < 2.5e-7 && worst[1] < 1.4e-7 && worst[2] < 2.8e-7, "{level:?}: {worst:?}");
            assert!(worst.iter().all(|error| *error > 0.0), "the bound must be a real measurement");
        }
    }

    struct Cells<'a>(&'a [Line; 5], bool, &'a mut [Line; 2]);

    impl Kernel for Cells<'_> {
        #[inline(always)]
        fn run<L: Lanes>(self) {
            let [i, f, g, o, c] = self.0;
            let (cell, h) = super::cell([L::load(i), L::load(f), L::load(g), L::load(o)], L::load(c), self.1);
            cell.store(&mut self.2[0]);
            h.store(&mut self.2[1]);
        }
    }

    /// Goal: an LSTM's cell with shared divisions is the one with five. Method: 160,000 random gates and cells, large ones among them, in f64.
    #[test]
    fn cells_stay_within_their_bound_on_every_level() {
        let mut dice = crate::train::Dice::new(5);
        let kinds = [(false, 2e-6), (true, 2e-5)];
        for (level, (coarse, bound)) in
            Level::available().into_iter().flat_map(|level| kinds.map(|kind| (level, kind)))
        {
            let mut worst = 0.0f64;
            for round in 0..10_000 {
                let reach = if round % 4 == 0 { 200.0 } else { 6.0 };
                let gates: [Line; 5] = std::array::from_fn(|_| {
                    Line(std::array::from_fn(|_| ((dice.unit() * 2.0 - 1.0) * reach) as f32))
                });
                let mut out = [Line::ZERO; 2];
                // SAFETY: L1; only available levels are asked for.
                unsafe { level.run(Cells(&gates, coarse, &mut out)) };
                for lane in 0..16 {
                    let [i, f, g, o, c] = gates.each_ref().map(|line| f64::from(line.0[lane]));
                    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
                    let cell = sigmoid(f) * c + sigmoid(i) * g.tanh();
                    let h = sigmoid(o) * cell.tanh();
                    worst = worst.max((f64::from(out[0].0[lane]) - cell).abs() / cell.abs().max(1.0));
                    worst = worst.max((f64::from(out[1].0[lane]) - h).abs());
                }
            }
            assert!(worst > 0.0 && worst < bound, "{level:?} {coarse}: {worst}");
        }
    }

    #[test]
    fn nan_goes_through() {
        for level in Level::available() {
            for line in run(level, &Line([f32::NAN; 16])) {
                assert!(line.0.iter().all(|value| value.is_nan()), "{level:?}");
            }
        }
    }
}
