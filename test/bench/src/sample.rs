//! Samples of one measured thing and their percentiles.

use crate::row::Row;

/// Times in ns, gathered without growing.
pub struct Samples {
    ns: Vec<u64>,
}

impl Samples {
    /// Room for `capacity` samples; further ones are dropped.
    pub fn with_capacity(capacity: usize) -> Samples {
        Samples { ns: Vec::with_capacity(capacity) }
    }

    /// Adds a sample.
    #[inline]
    pub fn push(&mut self, ns: u64) {
        if self.ns.len() < self.ns.capacity() {
            self.ns.push(ns);
        }
    }

    /// True before the first.
    pub fn is_empty(&self) -> bool {
        self.ns.is_empty()
    }

    /// The value that `share` of the samples do not exceed; 0 without samples.
    pub fn percentile(&mut self, share: f64) -> f64 {
        self.ns.sort_unstable();
        let place = ((self.ns.len() as f64 * share).ceil() as usize).clamp(1, self.ns.len().max(1)) - 1;
        self.ns.get(place).map_or(0.0, |ns| *ns as f64)
    }

    /// As a row of `bench`.
    pub fn row(&mut self, bench: &'static str, name: &str, note: String) -> Row {
        Row {
            bench,
            name: name.to_owned(),
            unit: "ns",
            p50: Some(self.percentile(0.5)),
            p99: Some(self.percentile(0.99)),
            p999: Some(self.percentile(0.999)),
            max: Some(self.percentile(1.0)),
            rate: None,
            note,
        }
    }

    /// As a row of `bench` in ns, when the samples are picoseconds of one thing each.
    pub fn row_of_ps(&mut self, bench: &'static str, name: &str, note: String) -> Row {
        let mut at = |share| Some(self.percentile(share) / 1e3);
        let (p50, p99, p999, max) = (at(0.5), at(0.99), at(0.999), at(1.0));
        let rate = p50.map(|ns| 1e9 / ns);
        Row { bench, name: name.to_owned(), unit: "ns", p50, p99, p999, max, rate, note }
    }
}
