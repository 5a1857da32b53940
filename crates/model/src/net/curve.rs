//! Activations over whole slices of `f32`, sixteen at a time on every instruction set.
use crate::activation::Activation;
use crate::block::{LANES, Line};
use crate::lanes::portable::Plain;
use crate::lanes::{Lanes, Level};
use crate::math::{activation, slope};

/// Applies an activation in place; softmax, which is no curve, leaves everything.
pub(crate) fn activate(level: Level, curve: Activation, values: &mut [f32]) {
    if matches!(curve, Activation::None | Activation::Softmax) {
        return;
    }
    match level {
        // SAFETY: L1; levels come from `Level::detect` or lie below it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx512Vnni => unsafe { activate_avx512(curve, values) },
        // SAFETY: L1; as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { activate_avx2(curve, values) },
        _ => forward::<Plain>(curve, values),
    }
}

/// Turns slopes by `y = activation(z)` into slopes by `z`; `z` is read for swish only.
pub(crate) fn activate_back(level: Level, curve: Activation, z: &[f32], y: &[f32], slopes: &mut [f32]) {
    if matches!(curve, Activation::None | Activation::Softmax) {
        return;
    }
    let z = if curve == Activation::Swish { z } else { y };
    match level {
        // SAFETY: L1; levels come from `Level::detect` or lie below it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx512Vnni => unsafe { back_avx512(curve, z, y, slopes) },
        // SAFETY: L1; as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { back_avx2(curve, z, y, slopes) },
        _ => backward::<Plain>(curve, z, y, slopes),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn activate_avx512(curve: Activation, values: &mut [f32]) {
    forward::<crate::lanes::avx512::Zmm>(curve, values);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn activate_avx2(curve: Activation, values: &mut [f32]) {
    forward::<crate::lanes::avx2::Pair>(curve, values);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn back_avx512(curve: Activation, z: &[f32], y: &[f32], slopes: &mut [f32]) {
    backward::<crate::lanes::avx512::Zmm>(curve, z, y, slopes);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn back_avx2(curve: Activation, z: &[f32], y: &[f32], slopes: &mut [f32]) {
    backward::<crate::lanes::avx2::Pair>(curve, z, y, slopes);
}

#[inline(always)]
fn forward<L: Lanes>(curve: Activation, values: &mut [f32]) {
    let (whole, rest) = values.as_chunks_mut::<LANES>();
    for chunk in whole {
        activation(curve, L::take(chunk)).give(chunk);
    }
    if !rest.is_empty() {
        let mut line = padded(rest);
        activation(curve, L::load(&line)).store(&mut line);
        rest.copy_from_slice(&line.0[..rest.len()]);
    }
}

#[inline(always)]
fn backward<L: Lanes>(curve: Activation, z: &[f32], y: &[f32], slopes: &mut [f32]) {
    let (whole, rest) = slopes.as_chunks_mut::<LANES>();
    let ((z, z_rest), (y, y_rest)) = (z.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (slopes, (z, y)) in whole.iter_mut().zip(z.iter().zip(y)) {
        L::take(slopes).mul(slope(curve, L::take(z), L::take(y))).give(slopes);
    }
    if !rest.is_empty() {
        let mut line = padded(rest);
        let by = slope(curve, L::load(&padded(z_rest)), L::load(&padded(y_rest)));
        L::load(&line).mul(by).store(&mut line);
        rest.copy_from_slice(&line.0[..rest.len()]);
    }
}

fn padded(values: &[f32]) -> Line {
    let mut line = Line::ZERO;
    line.0[..values.len()].copy_from_slice(values);
    line
}

#[cfg(test)]
mod tests {
    use crate::activation::Activation;
    use crate::lanes::Level;
    use crate::train::Real;

    /// Goal: curves and their slopes are those of f64, beside every kink and far from it. Method: 161 numbers in [-8, 8], none on a kink.
    #[test]
    fn curves_and_slopes_are_those_of_f64_on_every_level() {
        let z: Vec<f32> = (-80..=80).map(|at| at as f32 * 0.1 + 0.03).collect();
        let curves = Activation::ALL.into_iter().filter(|curve| *curve != Activation::Softmax);
        for (curve, level) in
            curves.flat_map(|curve| Level::available().into_iter().map(move |level| (curve, level)))
        {
            let (mut y, mut slopes) = (z.clone(), vec![1.0f32; z.len()]);
            super::activate(level, curve, &mut y);
            super::activate_back(level, curve, &z, &y, &mut slopes);
            let wide: Vec<f64> = z.iter().map(|z| f64::from(*z)).collect();
            let (mut exact, mut exact_slopes) = (wide.clone(), vec![1.0; z.len()]);
            f64::activate(level, curve, &mut exact);
            f64::activate_back(level, curve, &wide, &exact, &mut exact_slopes);
            for at in 0..z.len() {
                let error = (f64::from(y[at]) - exact[at])
                    .abs()
                    .max((f64::from(slopes[at]) - exact_slopes[at]).abs());
                assert!(error < 2e-6, "{curve:?} {level:?} {}: {} {}", z[at], y[at], slopes[at]);
            }
        }
    }
}
