//! Logarithms and powers from sums, products and quotients alone, so that no system library has a say in what is learned.

/// Natural logarithm of a positive, normal number; relative error below 4e-16 and absolute below 4e-16 near 1. Zero, negative and
/// subnormal numbers give minus infinity, NaN and infinity themselves.
pub(crate) fn ln(x: f64) -> f64 {
    if !(x >= f64::MIN_POSITIVE && x.is_finite()) {
        return if x.is_nan() || x == f64::INFINITY { x } else { f64::NEG_INFINITY };
    }
    let bits = x.to_bits();
    let (mut exponent, mut m) =
        ((bits >> 52) as i64 - 1023, f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52));
    if m > std::f64::consts::SQRT_2 {
        (exponent, m) = (exponent + 1, m * 0.5);
    }
    // ln m = 2 atanh s = 2 (s + s^3/3 + s^5/5 + ..), |s| < 0.172: eleven terms leave less than 1e-18.
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let series = (0..11).rev().fold(0.0, |sum, n| sum * square + 1.0 / f64::from(2 * n + 1));
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series
}

/// `exp(x)`, limited to `[exp(-700), exp(700)]`; relative error below 1e-15 (and `|x|` times that of a rounding). NaN stays.
pub(crate) fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let n = (x * std::f64::consts::LOG2_E).round();
    // ln 2 in two parts, so that the reduced argument loses nothing.
    let r = (x - n * 0.693_147_180_369_123_8) - n * 1.908_214_929_270_587_7e-10;
    let series = (1..=14).rev().fold(1.0, |sum, k| 1.0 + r / f64::from(k) * sum);
    if n.is_nan() { n } else { series * f64::from_bits(((n as i64 + 1023) as u64) << 52) }
}

/// `x^to` for `x` from 0 on; 0 to a positive power is 0, anything to the power 0 is 1.
pub(crate) fn power(x: f64, to: f64) -> f64 {
    if to == 0.0 {
        1.0
    } else if to == 1.0 || x == 0.0 {
        x
    } else {
        exp(to * ln(x))
    }
}

#[cfg(test)]
mod tests {
    use super::{exp, ln, power};
    use crate::train::Dice;

    /// Goal: the bounds in this module's text. Method: 200,000 numbers over thirty decades against the system library.
    #[test]
    fn logarithms_and_powers_are_the_system_s_to_the_last_bits() {
        let mut dice = Dice::new(11);
        for _ in 0..200_000 {
            let x = f64::exp((dice.unit() - 0.5) * 70.0);
            assert!((ln(x) - x.ln()).abs() <= 6e-16 * x.ln().abs().max(1.0), "ln {x}");
            let y = (dice.unit() - 0.5) * 100.0;
            assert!((exp(y) / y.exp() - 1.0).abs() < 2e-15, "exp {y}");
            let to = dice.unit() * 2.0;
            assert!((power(x, to) / x.powf(to) - 1.0).abs() < 5e-14, "{x}^{to}");
        }
        assert_eq!((ln(1.0), exp(0.0), power(0.0, 0.6), power(3.0, 0.0)), (0.0, 1.0, 0.0, 1.0));
        assert!(ln(f64::NAN).is_nan() && exp(f64::NAN).is_nan());
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
    }
}
