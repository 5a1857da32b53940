//! One line of a benchmark's result; `test/bench/row.ts` is the same shape.

use serde::Serialize;

/// A measured thing. Times are in `unit`; what was not measured is `null`.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Benchmark: `ring`, `decode`, `book`, `gate`, `model`, `line`.
    pub bench: &'static str,
    /// What was measured, with its variant.
    pub name: String,
    /// Unit of the percentiles: `ns`, `us`; or of the rate alone.
    pub unit: &'static str,
    /// Median.
    pub p50: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// 99.9th percentile.
    pub p999: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
    /// Things per second.
    pub rate: Option<f64>,
    /// Conditions and comparisons, for people.
    pub note: String,
}

impl Row {
    /// The row of something that could not be measured here.
    pub fn absent(bench: &'static str, name: &str, why: &str) -> Row {
        Row {
            bench,
            name: name.to_owned(),
            unit: "ns",
            p50: None,
            p99: None,
            p999: None,
            max: None,
            rate: None,
            note: format!("not measured: {why}"),
        }
    }
}
