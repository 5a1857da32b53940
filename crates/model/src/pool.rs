// @hot
//! Pools: what a sliding window sees, channel by channel.
use crate::block::{Line, flat, flat_mut};
use crate::layer::{Pooling, Sweep};
use crate::program::Span;

/// Folds what `sweep` sees of `x` into `y`; `present`: rows of `x` that are no padding.
#[allow(clippy::too_many_arguments, reason = "two values and how a window slides over them")]
#[inline(always)]
pub(crate) fn pool(
    x: &[Line],
    from: Span,
    y: &mut [Line],
    to: Span,
    present: std::ops::Range<usize>,
    (channels, width): (usize, usize),
    pooling: Pooling,
    sweep: &Sweep,
) {
    let (x, y) = (flat(x), flat_mut(y));
    for t in 0..to.rows {
        for w in 0..width {
            let place = t * to.wide() * 16 + w * channels;
            let y = &mut y[place..place + channels];
            let mut count = 0u32;
            for time in
                (t * sweep.stride_time..).take(sweep.kernel_time).filter(|time| present.contains(time))
            {
                for j in 0..sweep.kernel_width {
                    let at = time * from.wide() * 16 + (w * sweep.stride_width + j) * channels;
                    let x = &x[at..at + channels];
                    if count == 0 {
                        y.copy_from_slice(x);
                    } else if pooling == Pooling::Max {
                        y.iter_mut().zip(x).for_each(|(y, x)| *y = if *x > *y { *x } else { *y });
                    } else {
                        y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
                    }
                    count += 1;
                }
            }
            if pooling == Pooling::Average {
                let share = 1.0 / count as f32;
                y.iter_mut().for_each(|y| *y *= share);
            }
        }
    }
}
