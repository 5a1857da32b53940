//! The envelope: how far weights may move, and how well they must do, to be published.

/// The declared limits; each is what must hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Envelope {
    /// Most that weights may differ from those in place: length of the difference over the length of those in place.
    pub change_max: f64,
    /// Most that weights may differ from the model that the line started with, measured likewise.
    pub drift_max: f64,
    /// How far the running macro-F1 of the learning model may stand below that of the frozen one, 0 to 1.
    pub score_slack: f64,
    /// Labels in the running evaluation before anything is published.
    pub labels_min: u64,
}

/// What is known of a candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Every weight is a finite number.
    pub finite: bool,
    /// Relative difference to the weights in place.
    pub change: f64,
    /// Relative difference to the first model.
    pub drift: f64,
    /// Running macro-F1 of the frozen model.
    pub frozen: f64,
    /// Running macro-F1 of the learning model.
    pub learning: f64,
    /// Labels in the running evaluation.
    pub labels: u64,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// May be published.
    Within,
    /// Too few labels to judge by; learning goes on.
    Early,
    /// A weight is NaN or infinite.
    NotFinite,
    /// Too far from the weights in place.
    Change,
    /// Too far from the first model.
    Drift,
    /// Does worse than the frozen model.
    Score,
}

impl Envelope {
    /// The first limit that does not hold; a NaN breaks every limit it is compared with.
    #[expect(
        clippy::neg_cmp_op_on_partial_ord,
        clippy::nonminimal_bool,
        reason = "limits are written as what must hold, so that NaN breaks them"
    )]
    pub fn judge(&self, judged: &Judged) -> Verdict {
        if !judged.finite {
            return Verdict::NotFinite;
        }
        if !(judged.change <= self.change_max) {
            return Verdict::Change;
        }
        if !(judged.drift <= self.drift_max) {
            return Verdict::Drift;
        }
        if !(judged.labels >= self.labels_min) {
            return Verdict::Early;
        }
        if !(judged.learning >= judged.frozen - self.score_slack) {
            return Verdict::Score;
        }
        Verdict::Within
    }
}

/// Length of `a - b` over the length of `b`; a `b` of zeros counts as length 1. Summed in a fixed order.
pub(crate) fn distance(a: &[f32], b: &[f32]) -> f64 {
    let (mut apart, mut own) = (0.0f64, 0.0f64);
    for (a, b) in a.iter().zip(b) {
        let difference = f64::from(*a) - f64::from(*b);
        apart += difference * difference;
        own += f64::from(*b) * f64::from(*b);
    }
    apart.sqrt() / if own > 0.0 { own.sqrt() } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::{Envelope, Judged, Verdict, distance};

    const LIMITS: Envelope = Envelope { change_max: 0.1, drift_max: 0.5, score_slack: 0.02, labels_min: 100 };
    const GOOD: Judged =
        Judged { finite: true, change: 0.1, drift: 0.5, frozen: 0.5, learning: 0.48, labels: 100 };

    /// Goal: each limit passes at its edge and is refused just beyond, and by NaN. Method: one field changed at a time.
    #[test]
    fn every_limit_on_both_sides_of_its_edge() {
        assert_eq!(LIMITS.judge(&GOOD), Verdict::Within);
        for bad in [0.1 + 1e-12, f64::INFINITY, f64::NAN] {
            assert_eq!(LIMITS.judge(&Judged { change: bad, ..GOOD }), Verdict::Change);
        }
        for bad in [0.5 + 1e-12, f64::NAN] {
            assert_eq!(LIMITS.judge(&Judged { drift: bad, ..GOOD }), Verdict::Drift);
        }
        for bad in [0.48 - 1e-12, f64::NAN] {
            assert_eq!(LIMITS.judge(&Judged { learning: bad, ..GOOD }), Verdict::Score);
        }
        assert_eq!(LIMITS.judge(&Judged { labels: 99, ..GOOD }), Verdict::Early);
        assert_eq!(LIMITS.judge(&Judged { finite: false, ..GOOD }), Verdict::NotFinite);
        let early_and_far = Judged { labels: 0, change: 0.2, ..GOOD };
        assert_eq!(LIMITS.judge(&early_and_far), Verdict::Change, "too far is too far at any time");
    }

    #[test]
    fn distance_is_relative_to_the_second() {
        assert_eq!(distance(&[3.0, 4.0], &[3.0, 0.0]), 4.0 / 3.0);
        assert_eq!(distance(&[3.0, 4.0], &[0.0, 0.0]), 5.0);
        assert!(distance(&[f32::NAN], &[1.0]).is_nan());
    }
}
