//! The two kinds of numbers that networks are computed with.
use crate::activation::Activation;
use crate::lanes::portable::Plain;
use crate::lanes::{Lanes, Level};
use crate::math;
use crate::net::gemm::{self, Grid, Panels};
use crate::net::lstm::Ticks;
use crate::net::sequence::{self, Backward, Forward};
use crate::net::{curve, single};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// `f32`, or `f64` for checks.
pub trait Real:
    Copy
    + Default
    + PartialOrd
    + Send
    + std::fmt::Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + 'static
{
    /// One.
    const ONE: Self;
    /// A right-hand matrix laid out for [`Real::multiply`].
    type Packed: Default + Clone + std::fmt::Debug;
    /// From a constant or a count.
    fn of(value: f64) -> Self;
    /// To `f64`.
    fn wide(self) -> f64;
    /// `exp(self)`; in `f32` this crate's own polynomial, so that no system library has a say in the weights.
    fn exp(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Lays out the `rows x columns` matrix that `grid` shows in `b`.
    fn pack(b: &[Self], grid: Grid, rows: usize, columns: usize, to: &mut Self::Packed);
    /// `c += a b`: `a` is `rows` rows of the packed matrix's rows; rows of `c` begin `stride` numbers apart and may overlap.
    fn multiply(
        level: Level,
        rows: usize,
        a: &[Self],
        grid: Grid,
        b: &Self::Packed,
        c: &mut [Self],
        stride: usize,
    );
    /// `y += x w` for a single row; `w` row-major.
    fn row(level: Level, x: &[Self], w: &[Self], y: &mut [Self]);
    /// The way back of [`Real::row`]: `dx += w dy`, `dw += x dy`.
    fn row_back(level: Level, x: &[Self], w: &[Self], dy: &[Self], dx: &mut [Self], dw: &mut [Self]);
    /// The half of [`Real::row_back`] that the input wants, `dx += w dy`.
    fn row_slopes(level: Level, w: &[Self], dy: &[Self], dx: &mut [Self]);
    /// `c += a b` for each `a` with its rows, grid and row-major `c`; `b` has rows, columns and grid. Of factors as bf16 when `rounded`, where
    /// these numbers can be.
    fn products<const N: usize>(
        level: Level,
        rounded: bool,
        lefts: [(&[Self], usize, Grid, &mut [Self]); N],
        (b, depth, columns, grid): (&[Self], usize, usize, Grid),
        room: &mut Self::Packed,
    ) {
        let _only_f32_rounds = rounded;
        Self::pack(b, grid, depth, columns, room);
        for (a, rows, grid, c) in lefts {
            Self::multiply(level, rows, a, grid, room, c, columns);
        }
    }
    /// The recurrent half of an LSTM over one sequence, whose sums by its inputs are in `cache.gates`; false, and nothing done, where there
    /// is no shorter way than tick by tick.
    fn lstm_ticks(
        _level: Level,
        _rounded: bool,
        _recurrent: &[Self],
        _cache: Ticks<&mut [Self]>,
        _y: &mut [Self],
        _state: &mut [Self],
        _room: &mut Self::Packed,
    ) -> bool {
        false
    }
    /// The way back of [`Real::lstm_ticks`] down to slopes by the sums before the gates; `carried` is zeros.
    #[allow(clippy::too_many_arguments, reason = "weights, slopes and memory of one layer")]
    fn lstm_ticks_back(
        _level: Level,
        _rounded: bool,
        _recurrent: &[Self],
        _cache: Ticks<&[Self]>,
        _dy: &[Self],
        _dz: &mut [Self],
        _carried: &mut [Self],
        _room: &mut Self::Packed,
    ) -> bool {
        false
    }
    /// Applies an activation, softmax excepted, in place.
    fn activate(level: Level, activation: Activation, values: &mut [Self]);
    /// Turns slopes by `y = activation(z)` into slopes by `z`, softmax excepted. `z` is read for swish only.
    fn activate_back(level: Level, activation: Activation, z: &[Self], y: &[Self], slopes: &mut [Self]);

    /// `1 / (1 + exp(-self))`.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Self::ONE / (Self::ONE + (-self).exp())
    }

    /// Hyperbolic tangent.
    #[inline(always)]
    fn tanh(self) -> Self {
        let two = Self::ONE + Self::ONE;
        Self::ONE - two / (Self::ONE + (self + self).exp())
    }
}

impl Real for f32 {
    const ONE: f32 = 1.0;
    type Packed = Panels;
    #[inline(always)]
    fn of(value: f64) -> f32 {
        value as f32
    }
    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn exp(self) -> f32 {
        math::exp(Plain::splat(self)).first()
    }
    #[inline(always)]
    fn sqrt(self) -> f32 {
        f32::sqrt(self)
    }
    fn pack(b: &[f32], grid: Grid, rows: usize, columns: usize, to: &mut Panels) {
        to.fill(b, grid, rows, columns);
    }
    fn multiply(level: Level, rows: usize, a: &[f32], grid: Grid, b: &Panels, c: &mut [f32], stride: usize) {
        gemm::multiply(level, rows, a, grid, b, c, stride);
    }
    fn row(level: Level, x: &[f32], w: &[f32], y: &mut [f32]) {
        single::row(level, x, w, y);
    }
    fn row_back(level: Level, x: &[f32], w: &[f32], dy: &[f32], dx: &mut [f32], dw: &mut [f32]) {
        single::row_back(level, x, w, dy, dx, dw);
    }
    fn row_slopes(level: Level, w: &[f32], dy: &[f32], dx: &mut [f32]) {
        single::slopes(level, w, dy, dx);
    }
    fn products<const N: usize>(
        level: Level,
        rounded: bool,
        lefts: [(&[f32], usize, Grid, &mut [f32]); N],
        (b, depth, columns, grid): (&[f32], usize, usize, Grid),
        room: &mut Panels,
    ) {
        if rounded {
            let room = room.rounded();
            room.fill(level, b, grid, depth, columns);
            return lefts.into_iter().for_each(|(a, rows, grid, c)| room.multiply(level, rows, a, grid, c));
        }
        room.fill(b, grid, depth, columns);
        for (a, rows, grid, c) in lefts {
            gemm::multiply(level, rows, a, grid, room, c, columns);
        }
    }
    fn lstm_ticks(
        level: Level,
        rounded: bool,
        recurrent: &[f32],
        cache: Ticks<&mut [f32]>,
        y: &mut [f32],
        state: &mut [f32],
        room: &mut Panels,
    ) -> bool {
        let units = state.len() / 2;
        if !sequence::takes(units) {
            return false;
        }
        let halves = (rounded && sequence::rounds(y.len() / units)).then(|| room.lines());
        let Ticks { gates, squashed, h_before, c_before } = cache;
        // SAFETY: L1; levels come from `Level::detect` or lie below it.
        unsafe {
            level.run(Forward { units, recurrent, halves, gates, squashed, h_before, c_before, y, state });
        }
        true
    }
    fn lstm_ticks_back(
        level: Level,
        rounded: bool,
        recurrent: &[f32],
        cache: Ticks<&[f32]>,
        dy: &[f32],
        dz: &mut [f32],
        carried: &mut [f32],
        room: &mut Panels,
    ) -> bool {
        let units = carried.len() / 2;
        if !sequence::takes(units) {
            return false;
        }
        let halves = (rounded && sequence::rounds(dy.len() / units)).then(|| room.lines());
        let Ticks { gates, squashed, c_before, .. } = cache;
        // SAFETY: L1; as above.
        unsafe {
            level.run(Backward { units, recurrent, halves, gates, squashed, c_before, dy, dz, carried });
        }
        true
    }
    fn activate(level: Level, activation: Activation, values: &mut [f32]) {
        curve::activate(level, activation, values);
    }
    fn activate_back(level: Level, activation: Activation, z: &[f32], y: &[f32], slopes: &mut [f32]) {
        curve::activate_back(level, activation, z, y, slopes);
    }
}

/// A matrix for the `f64` checks: row-major.
#[derive(Debug, Clone, Default)]
pub struct Plainly {
    columns: usize,
    values: Vec<f64>,
}

impl Real for f64 {
    const ONE: f64 = 1.0;
    type Packed = Plainly;
    #[inline(always)]
    fn of(value: f64) -> f64 {
        value
    }
    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }
    #[inline(always)]
    fn exp(self) -> f64 {
        f64::exp(self)
    }
    #[inline(always)]
    fn sqrt(self) -> f64 {
        f64::sqrt(self)
    }
    fn pack(b: &[f64], grid: Grid, rows: usize, columns: usize, to: &mut Plainly) {
        to.columns = columns;
        to.values.clear();
        for row in 0..rows {
            to.values.extend((0..columns).map(|column| b[grid.place(row, column)]));
        }
    }
    fn multiply(_: Level, rows: usize, a: &[f64], grid: Grid, b: &Plainly, c: &mut [f64], stride: usize) {
        for row in 0..rows {
            let c = &mut c[row * stride..][..b.columns];
            for (k, b) in b.values.chunks_exact(b.columns).enumerate() {
                add_scaled(c, a[grid.place(row, k)], b);
            }
        }
    }
    fn row(_: Level, x: &[f64], w: &[f64], y: &mut [f64]) {
        for (x, w) in x.iter().zip(w.chunks_exact(y.len())) {
            add_scaled(y, *x, w);
        }
    }
    fn row_back(_: Level, x: &[f64], w: &[f64], dy: &[f64], dx: &mut [f64], dw: &mut [f64]) {
        let rows = w.chunks_exact(dy.len()).zip(dw.chunks_exact_mut(dy.len()));
        for ((x, dx), (w, dw)) in x.iter().zip(dx).zip(rows) {
            *dx += dot(w, dy);
            add_scaled(dw, *x, dy);
        }
    }
    fn row_slopes(_: Level, w: &[f64], dy: &[f64], dx: &mut [f64]) {
        for (dx, w) in dx.iter_mut().zip(w.chunks_exact(dy.len())) {
            *dx += dot(w, dy);
        }
    }
    fn activate(_: Level, activation: Activation, values: &mut [f64]) {
        for value in values {
            let z = *value;
            *value = match activation {
                Activation::None | Activation::Softmax => z,
                Activation::Relu => z.max(0.0),
                Activation::Swish => z * z.sigmoid(),
                Activation::Tanh => f64::tanh(z),
                Activation::Sigmoid => z.sigmoid(),
                Activation::LeakyRelu => z.max(0.01 * z),
                Activation::HardSigmoid => (0.2 * z + 0.5).clamp(0.0, 1.0),
            };
        }
    }
    fn activate_back(_: Level, activation: Activation, z: &[f64], y: &[f64], slopes: &mut [f64]) {
        for (at, (slope, y)) in slopes.iter_mut().zip(y).enumerate() {
            *slope *= match activation {
                Activation::None | Activation::Softmax => 1.0,
                Activation::Relu => f64::from(u8::from(*y > 0.0)),
                Activation::Swish => {
                    let s = z[at].sigmoid();
                    s + *y * (1.0 - s)
                }
                Activation::Tanh => 1.0 - *y * *y,
                Activation::Sigmoid => *y * (1.0 - *y),
                Activation::LeakyRelu => {
                    if *y > 0.0 {
                        1.0
                    } else {
                        0.01
                    }
                }
                Activation::HardSigmoid => {
                    if *y > 0.0 && *y < 1.0 {
                        0.2
                    } else {
                        0.0
                    }
                }
            };
        }
    }
}

/// `y += a x`.
#[inline(always)]
pub(crate) fn add_scaled<T: Real>(y: &mut [T], a: T, x: &[T]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * *x;
    }
}

/// `y += x`.
#[inline(always)]
pub(crate) fn add<T: Real>(y: &mut [T], x: &[T]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += *x;
    }
}

/// Adds every row of `x` to `y`.
#[inline(always)]
pub(crate) fn add_rows<T: Real>(y: &mut [T], x: &[T]) {
    for row in x.chunks_exact(y.len()) {
        add(y, row);
    }
}

/// Writes `y` into every row of `x`.
#[inline(always)]
pub(crate) fn fill_rows<T: Real>(x: &mut [T], y: &[T]) {
    for row in x.chunks_exact_mut(y.len()) {
        row.copy_from_slice(y);
    }
}

/// `sum x y`, in eight sums that are added in pairs: the order is fixed and the compiler can use vectors.
#[inline(always)]
pub(crate) fn dot<T: Real>(x: &[T], y: &[T]) -> T {
    let mut sums = [T::default(); 8];
    let (x_groups, x_rest) = x.as_chunks::<8>();
    let (y_groups, y_rest) = y.as_chunks::<8>();
    for (x, y) in x_groups.iter().zip(y_groups) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    for (lane, (x, y)) in x_rest.iter().zip(y_rest).enumerate() {
        sums[lane] += *x * *y;
    }
    in_pairs(sums)
}

/// The sum of `x`, in the order of [`dot`].
#[inline(always)]
pub(crate) fn sum<T: Real>(x: &[T]) -> T {
    let mut sums = [T::default(); 8];
    let (groups, rest) = x.as_chunks::<8>();
    for x in groups {
        for lane in 0..8 {
            sums[lane] += x[lane];
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += *x;
    }
    in_pairs(sums)
}

#[inline(always)]
fn in_pairs<T: Real>(sums: [T; 8]) -> T {
    let fours = [sums[0] + sums[4], sums[1] + sums[5], sums[2] + sums[6], sums[3] + sums[7]];
    (fours[0] + fours[2]) + (fours[1] + fours[3])
}
