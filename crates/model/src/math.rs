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

/// `0.2 x + 0.5`, kept in [0, 1].
#[inline(always)]
pub(crate) fn hard_sigmoid<L: Lanes>(x: L) -> L {
    L::splat(1.0).min(L::splat(0.0).max(x.mul_add(L::splat(0.2), L::splat(0.5))))
}

/// `2^(x factor)` as [`power_of_two`] gives it.
#[inline(always)]
fn limited<L: Lanes>(x: L, factor: f32, coarse: bool) -> L {
    power_of_two(x.mul(L::splat(factor)), coarse)
}

/// `2^x`, its exponent at most 40, to 1.7e-7 of it; coarsely to 8e-5: the best polynomials of the fifth and third degree between two powers.
#[inline(always)]
fn power_of_two<L: Lanes>(x: L, coarse: bool) -> L {
    let t = x.exponent(40.0);
    let r = t.fraction();
    let of = |constant, slope| r.mul_add(L::splat(slope), L::splat(constant));
    let p = if coarse {
        of(0.226_067_16, 7.802_452e-2).mul_add(r.mul(r), of(0.999_925_2, 0.695_833_54))
    } else {
        let square = r.mul(r);
        let high = of(8.989_34e-3, 1.877_576_7e-3).mul_add(square, of(0.240_153_62, 5.582_631_8e-2));
        high.mul_add(square, of(0.999_999_9, 0.693_153_1))
    };
    p.times_power_below(t, r)
}

/// `exp(x)` of what is not above zero, to 1e-7 absolute; sooner than [`exp`].
#[inline(always)]
pub(crate) fn decay<L: Lanes>(x: L) -> L {
    limited(x, std::f32::consts::LOG2_E, false)
}

const DOWN: f32 = -std::f32::consts::LOG2_E;
const TWICE: f32 = 2.0 * std::f32::consts::LOG2_E;

/// `1 / (1 + exp(-x))`; coarsely as in [`open_lstm`].
#[inline(always)]
pub(crate) fn gate<L: Lanes>(x: L, coarse: bool) -> L {
    if !coarse {
        return sigmoid(x);
    }
    let one = L::splat(1.0);
    one.div(one.add(limited(x, DOWN, true)))
}

/// `1 - 2 / (1 + exp(2 x))`; coarsely as in [`open_lstm`].
#[inline(always)]
pub(crate) fn squash<L: Lanes>(x: L, coarse: bool) -> L {
    if !coarse {
        return tanh(x);
    }
    let one = L::splat(1.0);
    one.sub(L::splat(2.0).div(one.add(limited(x, TWICE, true))))
}

/// What the sums of an LSTM's gates are multiplied by before [`open_lstm`]: in its weights.
pub(crate) const LSTM_FACTORS: [f32; 4] = [DOWN, DOWN, TWICE, DOWN];

/// The cell of an LSTM's units, and what [`close_lstm`] makes their output of beside it: `c' = sigmoid(f) c + sigmoid(i) tanh(g)`,
/// `h = sigmoid(o) tanh(c')`, each with one division; from the gates' sums times [`LSTM_FACTORS`].
///
/// Powers are limited to `2^40`, so that three factors do not overflow; what that cuts off is below 1e-12. Both err at most 6e-7 (of a cell
/// above 1: of it); coarsely, for sums that are rounded to bf16 or 8 bits and err a hundred times more, 1.5e-4.
#[inline(always)]
pub(crate) fn open_lstm<L: Lanes>([i, f, g, o]: [L; 4], c: L, coarse: bool) -> [L; 2] {
    let one = L::splat(1.0);
    let (i, f) = (one.add(power_of_two(i, coarse)), one.add(power_of_two(f, coarse)));
    let g = power_of_two(g, coarse);
    let new = i.mul(one.add(g));
    let cell = c.mul_add(new, g.sub(one).mul(f)).div(new.mul(f));
    [cell, one.add(power_of_two(o, coarse))]
}

/// The output of the units that [`open_lstm`] opened.
#[inline(always)]
pub(crate) fn close_lstm<L: Lanes>([cell, o]: [L; 2], coarse: bool) -> L {
    let (one, t) = (L::splat(1.0), limited(cell, TWICE, coarse));
    t.sub(one).div(o.mul(one.add(t)))
}

/// The output of a GRU's units from the sums of `z` and `r` and both halves of `n`: `h' = n + sigmoid(z) (h - n)` where
/// `n = tanh(given + sigmoid(r) kept)`; limits as in [`open_lstm`]. It errs at most 1e-6, coarsely 1.5e-4, times `kept` where that is above 1.
#[inline(always)]
pub(crate) fn gru<L: Lanes>([z, r, given, kept]: [L; 4], h: L, coarse: bool) -> L {
    let one = L::splat(1.0);
    let n = given.add(kept.div(one.add(limited(r, DOWN, coarse))));
    let (z, t) = (limited(z, DOWN, coarse), limited(n, TWICE, coarse));
    let below = one.add(t);
    t.sub(one).mul_add(z, h.mul(below)).div(below.mul(one.add(z)))
}

/// As [`open_lstm`] with gates of straight pieces, `hard_sigmoid` in place of `sigmoid`; within the same bounds, times the old cell
/// where that is above 1.
#[inline(always)]
pub(crate) fn hard_lstm<L: Lanes>([i, f, g, o]: [L; 4], c: L, coarse: bool) -> (L, L) {
    let new = hard_sigmoid(i).mul(squash(g, coarse));
    let cell = hard_sigmoid(f).mul_add(c, new);
    (cell, hard_sigmoid(o).mul(squash(cell, coarse)))
}

/// As [`gru`] with gates of straight pieces; within the same bounds.
#[inline(always)]
pub(crate) fn hard_gru<L: Lanes>([z, r, given, kept]: [L; 4], h: L, coarse: bool) -> L {
    let n = squash(hard_sigmoid(r).mul_add(kept, given), coarse);
    hard_sigmoid(z).mul_add(h.sub(n), n)
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
        Activation::HardSigmoid => hard_sigmoid(x),
    }
}

/// Slope of `y = activation(z)`, softmax excepted; all but swish are known from `y`.
#[inline(always)]
pub(crate) fn slope<L: Lanes>(activation: Activation, z: L, y: L) -> L {
    let (zero, one) = (L::splat(0.0), L::splat(1.0));
    // 1 where y is above zero, else 0: the least positive number is scaled up to 1 in two steps and cut there.
    let above = |y: L| one.min(zero.max(y).mul(L::splat(1e30)).mul(L::splat(1e30)));
    match activation {
        Activation::None | Activation::Softmax => one,
        Activation::Relu => above(y),
        Activation::Swish => {
            let s = sigmoid(z);
            y.mul_add(one.sub(s), s)
        }
        Activation::Tanh => one.sub(y.mul(y)),
        Activation::Sigmoid => y.mul(one.sub(y)),
        Activation::LeakyRelu => above(y).mul_add(L::splat(0.99), L::splat(0.01)),
        Activation::HardSigmoid => above(y).mul(above(one.sub(y))).mul(L::splat(0.2)),
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

    struct Cells<'a, const G: usize, const HARD: bool>(&'a [Line; 5], bool, &'a mut [Line; 2]);

    impl<const G: usize, const HARD: bool> Kernel for Cells<'_, G, HARD> {
        #[inline(always)]
        fn run<L: Lanes>(self) {
            let [i, f, g, o, c] = self.0;
            let (gates, old) = ([L::load(i), L::load(f), L::load(g), L::load(o)], L::load(c));
            let (cell, h) = match (G, HARD) {
                (4, false) => {
                    let mut sums = gates;
                    for (sum, factor) in sums.iter_mut().zip(super::LSTM_FACTORS) {
                        *sum = sum.mul(L::splat(factor));
                    }
                    let open = super::open_lstm(sums, old, self.1);
                    (open[0], super::close_lstm(open, self.1))
                }
                (4, true) => super::hard_lstm(gates, old, self.1),
                (_, false) => (old, super::gru(gates, old, self.1)),
                (_, true) => (old, super::hard_gru(gates, old, self.1)),
            };
            cell.store(&mut self.2[0]);
            h.store(&mut self.2[1]);
        }
    }

    /// What a recurrent unit is defined to be: cell and output.
    fn exactly<const G: usize, const HARD: bool>([a, b, c, d, old]: [f64; 5]) -> [f64; 2] {
        let sigmoid = |x: f64| {
            if HARD { (0.2 * x + 0.5).clamp(0.0, 1.0) } else { 1.0 / (1.0 + (-x).exp()) }
        };
        if G == 4 {
            let cell = sigmoid(b) * old + sigmoid(a) * c.tanh();
            return [cell, sigmoid(d) * cell.tanh()];
        }
        let n = (c + sigmoid(b) * d).tanh();
        [old, n + sigmoid(a) * (old - n)]
    }

    fn worst<const G: usize, const HARD: bool>(level: Level, coarse: bool) -> f64 {
        let mut dice = crate::train::Dice::new(5);
        let mut worst = 0.0f64;
        for round in 0..10_000 {
            let reach = if round % 4 == 0 { 200.0 } else { 6.0 };
            let gates: [Line; 5] = std::array::from_fn(|nth| {
                // A GRU's output is never beyond 1.
                let reach = if G == 3 && nth == 4 { 1.0 } else { reach };
                Line(std::array::from_fn(|_| ((dice.unit() * 2.0 - 1.0) * reach) as f32))
            });
            let mut out = [Line::ZERO; 2];
            // SAFETY: L1; only available levels are asked for.
            unsafe { level.run(Cells::<G, HARD>(&gates, coarse, &mut out)) };
            for lane in 0..16 {
                let each = gates.each_ref().map(|line| f64::from(line.0[lane]));
                // What a GRU's `r` errs is multiplied by what it lets through, and so is a hard forget gate's: near 0 it is not exact.
                let through = if G == 3 { each[3].abs() } else { each[4].abs() };
                let size = if G == 3 || HARD { through.max(1.0) } else { 1.0 };
                for (out, exact) in out.iter().zip(exactly::<G, HARD>(each)) {
                    worst = worst.max((f64::from(out.0[lane]) - exact).abs() / exact.abs().max(size));
                }
            }
        }
        worst
    }

    /// Goal: units with shared divisions are those with one a curve. Method: 160,000 random sums and states, large ones among them, in f64.
    #[test]
    fn recurrent_units_stay_within_their_bounds_on_every_level() {
        for level in Level::available() {
            for (coarse, bounds) in [(false, [6e-7, 1e-6]), (true, [1.5e-4, 1.5e-4])] {
                let smooth = [worst::<4, false>(level, coarse), worst::<3, false>(level, coarse)];
                let hard = [worst::<4, true>(level, coarse), worst::<3, true>(level, coarse)];
                let found = [smooth, hard].concat();
                for (worst, bound) in found.iter().copied().zip(bounds.into_iter().cycle()) {
                    assert!(worst > 0.0 && worst < bound, "{level:?} {coarse}: {found:?}");
                }
            }
        }
    }

    /// Goal: sums of any size give what they should in the limit, and never a number that is none.
    #[test]
    fn recurrent_units_of_enormous_sums_are_their_limits() {
        for level in Level::available() {
            for size in [90.0f32, 1e4, 1e9, 1e14, 1e20, 1e38] {
                for coarse in [false, true] {
                    for signs in 0..32u32 {
                        let sign = |nth: usize| if signs >> nth & 1 == 0 { 1.0 } else { -1.0 };
                        let each: [f32; 5] =
                            std::array::from_fn(|nth| sign(nth) * if nth == 4 { 0.5 } else { size });
                        let lines = each.map(|value| Line([value; 16]));
                        let mut out = [Line::ZERO; 2];
                        // SAFETY: L1; only available levels are asked for.
                        unsafe { level.run(Cells::<4, false>(&lines, coarse, &mut out)) };
                        for (out, exact) in out.iter().zip(exactly::<4, false>(each.map(f64::from))) {
                            let error = (f64::from(out.0[3]) - exact).abs();
                            assert!(error < 2e-4, "{level:?} {coarse} {each:?}: {} not {exact}", out.0[3]);
                        }
                    }
                }
            }
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
