//! The two kinds of numbers that training works with.
use crate::lanes::Lanes;
use crate::lanes::portable::Plain;
use crate::math;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// `f32`, or `f64` for checks.
pub trait Real:
    Copy
    + Default
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
{
    /// One.
    const ONE: Self;
    /// From a constant or a count.
    fn of(value: f64) -> Self;
    /// To `f64`.
    fn wide(self) -> f64;
    /// `exp(self)`; in `f32` this crate's own polynomial, so that no system library has a say in the weights.
    fn exp(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;

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
}

impl Real for f64 {
    const ONE: f64 = 1.0;
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
}

/// `y += a x`.
#[inline(always)]
pub(crate) fn add_scaled<T: Real>(y: &mut [T], a: T, x: &[T]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * *x;
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
    let fours = [sums[0] + sums[4], sums[1] + sums[5], sums[2] + sums[6], sums[3] + sums[7]];
    (fours[0] + fours[2]) + (fours[1] + fours[3])
}

/// `z += x W` for a row-major `W [x.len(), z.len()]`.
#[inline(always)]
pub(crate) fn add_product<T: Real>(z: &mut [T], x: &[T], w: &[T]) {
    for (x, row) in x.iter().zip(w.chunks_exact(z.len())) {
        add_scaled(z, *x, row);
    }
}

/// The backward half of [`add_product`]: `dw += x dz` and `dx += dz W`.
#[inline(always)]
pub(crate) fn add_product_back<T: Real>(x: &[T], w: &[T], dz: &[T], dw: &mut [T], dx: &mut [T]) {
    let wide = dz.len();
    for ((x, row), (dw, dx)) in
        x.iter().zip(w.chunks_exact(wide)).zip(dw.chunks_exact_mut(wide).zip(dx.iter_mut()))
    {
        add_scaled(dw, *x, dz);
        *dx += dot(row, dz);
    }
}
