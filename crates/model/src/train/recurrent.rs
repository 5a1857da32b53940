//! One step of LSTM and GRU, forward and back; the equations are in `layer.rs`.
use crate::train::real::{Real, add_product, add_product_back};

/// Cache: i, f, g, o, tanh(c'), and h and c of before.
#[inline(always)]
pub(crate) fn lstm_step<T: Real>(
    own: &[T],
    units: usize,
    x: &[T],
    h: &mut [T],
    c: &mut [T],
    cache: &mut [T],
    y: &mut [T],
) {
    let (kernel, rest) = own.split_at(x.len() * 4 * units);
    let (recurrent, bias) = rest.split_at(units * 4 * units);
    let (gates, rest) = cache.split_at_mut(4 * units);
    let (squashed, rest) = rest.split_at_mut(units);
    let (h_before, rest) = rest.split_at_mut(units);
    let c_before = &mut rest[..units];
    h_before.copy_from_slice(h);
    c_before.copy_from_slice(c);
    gates.copy_from_slice(bias);
    add_product(gates, x, kernel);
    add_product(gates, h, recurrent);
    for u in 0..units {
        let (i, f) = (gates[u].sigmoid(), gates[units + u].sigmoid());
        let (g, o) = (gates[2 * units + u].tanh(), gates[3 * units + u].sigmoid());
        (gates[u], gates[units + u], gates[2 * units + u], gates[3 * units + u]) = (i, f, g, o);
        c[u] = f * c[u] + i * g;
        squashed[u] = c[u].tanh();
        h[u] = o * squashed[u];
    }
    y.copy_from_slice(h);
}

/// `dh`, `dc`: slopes by the state after this step on entry, by the state before it on return.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the mirror image of `lstm_step`")]
pub(crate) fn lstm_back<T: Real>(
    own: &[T],
    units: usize,
    x: &[T],
    cache: &[T],
    dy: &[T],
    dh: &mut [T],
    dc: &mut [T],
    slope: &mut [T],
    dx: &mut [T],
) {
    let (kernel, rest) = own.split_at(x.len() * 4 * units);
    let recurrent = &rest[..units * 4 * units];
    let (gates, rest) = cache.split_at(4 * units);
    let (squashed, rest) = rest.split_at(units);
    let (h_before, rest) = rest.split_at(units);
    let c_before = &rest[..units];
    let mut dz = vec![T::default(); 4 * units];
    for u in 0..units {
        let (i, f, g, o) = (gates[u], gates[units + u], gates[2 * units + u], gates[3 * units + u]);
        let d_out = dy[u] + dh[u];
        let d_cell = dc[u] + d_out * o * (T::ONE - squashed[u] * squashed[u]);
        dz[u] = d_cell * g * i * (T::ONE - i);
        dz[units + u] = d_cell * c_before[u] * f * (T::ONE - f);
        dz[2 * units + u] = d_cell * i * (T::ONE - g * g);
        dz[3 * units + u] = d_out * squashed[u] * o * (T::ONE - o);
        dc[u] = d_cell * f;
    }
    dh.fill(T::default());
    let (d_kernel, rest) = slope.split_at_mut(x.len() * 4 * units);
    let (d_recurrent, d_bias) = rest.split_at_mut(units * 4 * units);
    add_product_back(x, kernel, &dz, d_kernel, dx);
    add_product_back(h_before, recurrent, &dz, d_recurrent, dh);
    for (d, dz) in d_bias.iter_mut().zip(&dz) {
        *d += *dz;
    }
}

/// Cache: z, r, n, `q = h Rn + en`, h.
#[inline(always)]
pub(crate) fn gru_step<T: Real>(own: &[T], units: usize, x: &[T], h: &mut [T], cache: &mut [T], y: &mut [T]) {
    let (kernel, rest) = own.split_at(x.len() * 3 * units);
    let (recurrent, bias) = rest.split_at(units * 3 * units);
    let mut a = bias[..3 * units].to_vec();
    let mut b = bias[3 * units..].to_vec();
    add_product(&mut a, x, kernel);
    add_product(&mut b, h, recurrent);
    for u in 0..units {
        let z = (a[u] + b[u]).sigmoid();
        let r = (a[units + u] + b[units + u]).sigmoid();
        let q = b[2 * units + u];
        let n = (a[2 * units + u] + r * q).tanh();
        (cache[u], cache[units + u], cache[2 * units + u], cache[3 * units + u]) = (z, r, n, q);
        cache[4 * units + u] = h[u];
        h[u] = n + z * (h[u] - n);
    }
    y.copy_from_slice(h);
}

/// `dh`: slope by the state after this step on entry, by the state before it on return.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the mirror image of `gru_step`")]
pub(crate) fn gru_back<T: Real>(
    own: &[T],
    units: usize,
    x: &[T],
    cache: &[T],
    dy: &[T],
    dh: &mut [T],
    slope: &mut [T],
    dx: &mut [T],
) {
    let (kernel, rest) = own.split_at(x.len() * 3 * units);
    let recurrent = &rest[..units * 3 * units];
    let h_before = &cache[4 * units..5 * units];
    let mut da = vec![T::default(); 3 * units];
    let mut db = vec![T::default(); 3 * units];
    let mut through = vec![T::default(); units];
    for u in 0..units {
        let (z, r) = (cache[u], cache[units + u]);
        let (n, q) = (cache[2 * units + u], cache[3 * units + u]);
        let d = dy[u] + dh[u];
        let dn = d * (T::ONE - z) * (T::ONE - n * n);
        da[u] = d * (h_before[u] - n) * z * (T::ONE - z);
        da[units + u] = dn * q * r * (T::ONE - r);
        da[2 * units + u] = dn;
        (db[u], db[units + u], db[2 * units + u]) = (da[u], da[units + u], dn * r);
        through[u] = d * z;
    }
    dh.copy_from_slice(&through);
    let (d_kernel, rest) = slope.split_at_mut(x.len() * 3 * units);
    let (d_recurrent, d_bias) = rest.split_at_mut(units * 3 * units);
    add_product_back(x, kernel, &da, d_kernel, dx);
    add_product_back(h_before, recurrent, &db, d_recurrent, dh);
    for (d, slope) in d_bias.iter_mut().zip(da.iter().chain(&db)) {
        *d += *slope;
    }
}
