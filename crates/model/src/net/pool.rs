//! Pooling over time and width.
use crate::layer::{Padding, Pooling, Sweep};
use crate::net::conv::extended;
use crate::net::pass::{Pass, zeros};
use crate::net::real::Real;
use crate::shape::Shape;

/// Places of the extended input that one output number sees.
fn seen(
    from: Shape,
    sweep: Sweep,
    t: usize,
    w: usize,
    channel: usize,
) -> impl Iterator<Item = usize> + Clone {
    let before = sweep.times_of(from.time).0;
    // Same padding is absent and not zero.
    let present =
        move |time: &usize| sweep.padding != Padding::Same || (*time >= before && *time < before + from.time);
    let times = (0..sweep.kernel_time).map(move |i| t * sweep.stride_time + i).filter(present);
    let place = move |j: usize| (w * sweep.stride_width + j) * from.channels + channel;
    times.flat_map(move |time| (0..sweep.kernel_width).map(move |j| time * from.features() + place(j)))
}

impl<T: Real> Pass<'_, T> {
    /// Each output number's place and what it sees.
    fn each(&self, sweep: &Sweep, mut call: impl FnMut(usize, &mut dyn Iterator<Item = usize>)) {
        for t in 0..self.to.time {
            for w in 0..self.to.width {
                for channel in 0..self.to.channels {
                    let at = (t * self.to.width + w) * self.to.channels + channel;
                    call(at, &mut seen(self.from, *sweep, t, w, channel));
                }
            }
        }
    }

    /// Cache: the extended inputs.
    pub(super) fn pool(
        &mut self,
        pooling: Pooling,
        sweep: &Sweep,
        y: &mut [T],
        cache: &mut [T],
        state: &mut [T],
    ) {
        self.extend(sweep, cache, state);
        let whole = extended(self.from, sweep).len();
        for (y, x) in y.chunks_exact_mut(self.to.len()).zip(cache.chunks_exact(whole)) {
            self.each(sweep, |at, seen| {
                y[at] = match pooling {
                    Pooling::Max => x[largest(x, seen)],
                    Pooling::Average => {
                        let (mut sum, mut count) = (T::default(), 0u32);
                        for place in seen {
                            sum += x[place];
                            count += 1;
                        }
                        sum * (T::ONE / T::of(f64::from(count)))
                    }
                };
            });
        }
    }

    pub(super) fn pool_back(&mut self, pooling: Pooling, sweep: &Sweep, dy: &[T], cache: &[T], dx: &mut [T]) {
        let whole = extended(self.from, sweep).len();
        let mut slopes = std::mem::take(&mut self.scratch.first);
        let samples = dy.chunks_exact(self.to.len()).zip(cache.chunks_exact(whole));
        for (lane, (dy, x)) in samples.enumerate() {
            let d = zeros(&mut slopes, whole);
            self.each(sweep, |at, seen| match pooling {
                Pooling::Max => d[largest(x, seen)] += dy[at],
                Pooling::Average => {
                    let places: Vec<usize> = seen.collect();
                    let share = dy[at] * (T::ONE / T::of(places.len() as f64));
                    places.iter().for_each(|place| d[*place] += share);
                }
            });
            self.extend_back(sweep, lane, d, dx);
        }
        self.scratch.first = slopes;
    }
}

/// The first of the largest; every pool sees something.
fn largest<T: Real>(x: &[T], seen: &mut dyn Iterator<Item = usize>) -> usize {
    let first = seen.next().unwrap_or(0);
    seen.fold(first, |best, place| if x[place] > x[best] { place } else { best })
}
