// @hot
//! Latency histograms in shared memory, HDR layout: exact below 128 ns, then 64 bins per doubling (1.6 % wide) up to 2^40 ns.
//!
//! Single writer, no read-modify-write instruction, 3-6 ns per value; readers see each bin whole, and the bins of one moment within
//! a few values of each other.

use crate::segment::Segment;
use crate::sync::Ordering::Relaxed;
use std::sync::Arc;

/// Values below this have a bin each.
const LINEAR: u64 = 128;
/// log2 of the bins per doubling.
const SUB_BITS: u32 = 6;
/// Values are clamped to below 2^`TOP_BITS` ns (18 minutes).
const TOP_BITS: u32 = 40;
/// Number of bins.
pub const BINS: usize = LINEAR as usize + ((TOP_BITS - SUB_BITS - 1) << SUB_BITS) as usize;
/// Bytes of one histogram.
pub(crate) const HISTOGRAM_BYTES: usize = 64 + BINS * 8;

const COUNT: usize = 0;
const MAX: usize = 8;
const SUM: usize = 16;
const FIRST_BIN: usize = 64;

/// Bin of a value in ns.
#[inline]
pub const fn bin_of(ns: u64) -> usize {
    if ns < LINEAR {
        return ns as usize;
    }
    let ns = if ns >> TOP_BITS != 0 { (1 << TOP_BITS) - 1 } else { ns };
    let doubling = 63 - ns.leading_zeros();
    let sub = (ns >> (doubling - SUB_BITS)) as usize & ((1 << SUB_BITS) - 1);
    LINEAR as usize + (((doubling - SUB_BITS - 1) as usize) << SUB_BITS) + sub
}

/// Middle of a bin in ns: what a percentile reports, at most 0.8 % off.
pub const fn bin_value(bin: usize) -> u64 {
    if bin < LINEAR as usize {
        return bin as u64;
    }
    let doubling = ((bin - LINEAR as usize) >> SUB_BITS) as u32 + SUB_BITS + 1;
    let sub = (bin & ((1 << SUB_BITS) - 1)) as u64;
    let width = 1u64 << (doubling - SUB_BITS);
    (1u64 << doubling) + sub * width + width / 2
}

/// One histogram of a service block.
#[derive(Clone)]
pub struct Histogram {
    segment: Arc<Segment>,
    at: usize,
}

impl Histogram {
    pub(crate) fn new(segment: Arc<Segment>, at: usize) -> Histogram {
        Histogram { segment, at }
    }

    /// Counts a value. Only the block's service may.
    #[inline]
    pub fn record(&self, ns: u64) {
        let m = &self.segment.mapping;
        let add = |at: usize, n: u64| {
            let word = m.word64(self.at + at);
            word.store(word.load(Relaxed).wrapping_add(n), Relaxed);
        };
        add(FIRST_BIN + bin_of(ns) * 8, 1);
        add(COUNT, 1);
        add(SUM, ns);
        if ns > m.word64(self.at + MAX).load(Relaxed) {
            m.word64(self.at + MAX).store(ns, Relaxed);
        }
    }

    /// Values counted.
    pub fn count(&self) -> u64 {
        self.segment.mapping.word64(self.at + COUNT).load(Relaxed)
    }

    /// Largest value, exact.
    pub fn max(&self) -> u64 {
        self.segment.mapping.word64(self.at + MAX).load(Relaxed)
    }

    /// Mean in ns; 0 without values.
    pub fn mean(&self) -> f64 {
        let count = self.count();
        if count == 0 {
            0.0
        } else {
            self.segment.mapping.word64(self.at + SUM).load(Relaxed) as f64 / count as f64
        }
    }

    /// Values in a bin.
    pub fn bin(&self, bin: usize) -> u64 {
        assert!(bin < BINS, "bin {bin} of {BINS}");
        self.segment.mapping.word64(self.at + FIRST_BIN + bin * 8).load(Relaxed)
    }

    /// Smallest value that at least `share` (0 to 1) of all values do not exceed, within 0.8 %; 0 without values. The top is exact.
    pub fn percentile(&self, share: f64) -> u64 {
        let total: u64 = (0..BINS).map(|bin| self.bin(bin)).sum();
        let wanted = ((total as f64 * share).ceil() as u64).clamp(1, total.max(1));
        let mut seen = 0;
        for bin in 0..BINS {
            seen += self.bin(bin);
            if seen >= wanted {
                return bin_value(bin).min(self.max());
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_monotone_and_their_middle_is_within_one_percent() {
        let mut last = 0;
        let mut ns = 0u64;
        while ns < 1 << 40 {
            let bin = bin_of(ns);
            assert!(bin >= last && bin < BINS, "{ns}");
            last = bin;
            let middle = bin_value(bin);
            assert_eq!(bin_of(middle), bin);
            assert!(middle.abs_diff(ns) as f64 <= ns as f64 * 0.008, "{ns} shown as {middle}");
            ns += 1 + ns / 97;
        }
        assert_eq!(bin_of((1 << 40) - 1), BINS - 1);
        assert_eq!(bin_of(u64::MAX), BINS - 1);
    }
}
