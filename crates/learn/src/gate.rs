//! The promotion gate: which model may take the live one's place, and when the live one must give it back. Pure.
use crate::tally::Score;

/// What is declared; each is what must hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gate {
    /// Labels of one contest: challengers are judged over as many, then the next contest begins.
    pub labels: u64,
    /// How far a challenger's macro-F1 must stand above the live model's; above 0.
    pub margin: f64,
    /// Largest calibration error of a challenger, 0 to 1.
    pub calibration_max: f64,
    /// Largest relative distance of a shadow's weights from the model file's; learned weights have the envelope.
    pub drift_max: f64,
    /// Labels of a contest before the live model can be found to have fallen behind.
    pub fall_labels: u64,
    /// How far the live model's macro-F1 may stand below that of the one before it, or of the first.
    pub fall: f64,
}

/// What is known of a challenger besides its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitness {
    /// Its weights can take the live ones' place in one swap: same architecture and columns, and every number finite.
    pub fits: bool,
    /// Relative distance of its weights from the model file's; 0 where the envelope has judged already.
    pub drift: f64,
}

/// What follows for a challenger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It may take the live model's place.
    Promote,
    /// The contest has too few labels yet.
    Early,
    /// Its weights cannot be swapped in, or are too far from the model file's.
    Envelope,
    /// It does not beat the live model by the margin.
    Margin,
    /// Its confidence is not what its answers are worth.
    Calibration,
}

impl Gate {
    /// The first number that makes no sense, in words.
    pub(crate) fn wrong(&self) -> Option<String> {
        let Gate { labels, margin, calibration_max, drift_max, fall_labels, fall } = *self;
        let sound = labels >= 1 && fall_labels >= 1 && margin > 0.0 && fall > 0.0;
        let finite = margin.is_finite() && fall.is_finite() && calibration_max >= 0.0 && drift_max >= 0.0;
        (!(sound && finite)).then(|| {
            format!(
                "a gate of {labels} labels, margin {margin}, calibration {calibration_max}, drift {drift_max}, fall of {fall} over \
                 {fall_labels} labels; give at least 1 label and margins above 0"
            )
        })
    }

    /// The first condition that does not hold; a NaN breaks every one that it is compared with. Scores are over the same labels.
    #[expect(
        clippy::neg_cmp_op_on_partial_ord,
        reason = "conditions are written as what must hold, so that NaN breaks them"
    )]
    pub fn judge(&self, live: &Score, challenger: &Score, fitness: Fitness) -> Ruling {
        if !(challenger.labels >= self.labels && live.labels == challenger.labels) {
            return Ruling::Early;
        }
        if !(fitness.fits && fitness.drift <= self.drift_max) {
            return Ruling::Envelope;
        }
        if !(challenger.macro_f1 >= live.macro_f1 + self.margin) {
            return Ruling::Margin;
        }
        if !(challenger.calibration <= self.calibration_max) {
            return Ruling::Calibration;
        }
        Ruling::Promote
    }

    /// True when the live model has fallen behind `other`, over the same labels. It is kept only while it is known to hold.
    #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "a live score that is no number has fallen")]
    pub fn fallen(&self, live: &Score, other: &Score) -> bool {
        live.labels >= self.fall_labels
            && other.labels == live.labels
            && !(live.macro_f1 >= other.macro_f1 - self.fall)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fitness, Gate, Ruling};
    use crate::tally::Score;
    use tickline_model::train::Dice;

    const GATE: Gate = Gate {
        labels: 100,
        margin: 0.25,
        calibration_max: 0.1,
        drift_max: 1.0,
        fall_labels: 50,
        fall: 0.125,
    };
    const FIT: Fitness = Fitness { fits: true, drift: 1.0 };
    const LIVE: Score =
        Score { labels: 100, macro_f1: 0.5, mcc: 0.1, accuracy: 0.5, coverage: 0.5, calibration: 0.9 };
    const GOOD: Score = Score { macro_f1: 0.75, calibration: 0.1, ..LIVE };

    /// Goal: each condition passes at its edge and is refused just beyond, and by NaN. Method: one field changed at a time.
    #[test]
    fn every_condition_on_both_sides_of_its_edge() {
        assert_eq!(GATE.judge(&LIVE, &GOOD, FIT), Ruling::Promote);
        let early = Score { labels: 99, ..GOOD };
        assert_eq!(GATE.judge(&Score { labels: 99, ..LIVE }, &early, FIT), Ruling::Early);
        assert_eq!(
            GATE.judge(&Score { labels: 101, ..LIVE }, &GOOD, FIT),
            Ruling::Early,
            "not the same labels"
        );
        for bad in [0.75 - 1e-12, f64::NAN] {
            assert_eq!(GATE.judge(&LIVE, &Score { macro_f1: bad, ..GOOD }, FIT), Ruling::Margin);
        }
        assert_eq!(GATE.judge(&Score { macro_f1: f64::NAN, ..LIVE }, &GOOD, FIT), Ruling::Margin);
        for bad in [0.1 + 1e-12, f64::NAN] {
            assert_eq!(GATE.judge(&LIVE, &Score { calibration: bad, ..GOOD }, FIT), Ruling::Calibration);
        }
        for bad in [1.0 + 1e-12, f64::NAN, f64::INFINITY] {
            assert_eq!(GATE.judge(&LIVE, &GOOD, Fitness { drift: bad, ..FIT }), Ruling::Envelope);
        }
        assert_eq!(GATE.judge(&LIVE, &GOOD, Fitness { fits: false, ..FIT }), Ruling::Envelope);
    }

    #[test]
    fn a_live_model_falls_just_beyond_the_edge() {
        let other = Score { macro_f1: 0.625, ..LIVE };
        assert!(!GATE.fallen(&LIVE, &other));
        assert!(GATE.fallen(&Score { macro_f1: 0.5 - 1e-9, ..LIVE }, &other));
        assert!(GATE.fallen(&Score { macro_f1: f64::NAN, ..LIVE }, &other));
        let few = Score { labels: 49, macro_f1: 0.0, ..LIVE };
        assert!(!GATE.fallen(&few, &Score { labels: 49, ..other }), "too few labels");
        assert!(
            !GATE.fallen(&Score { macro_f1: 0.0, ..LIVE }, &Score { labels: 99, ..other }),
            "not the same labels"
        );
    }

    /// Goal: properties that hold whatever the numbers: what is promoted beat the live model by the margin over enough labels; a better score
    /// never loses a promotion; no model both beats another and falls behind it. Method: 100,000 random cases.
    #[test]
    fn promotion_is_monotone_and_never_contradicts_the_fall() {
        let mut dice = Dice::new(5);
        let mut promoted = 0;
        for _ in 0..100_000 {
            let mut score =
                |labels: u64| Score { labels, macro_f1: dice.unit(), calibration: dice.unit() / 5.0, ..LIVE };
            let (live, other) = (score(120), score(120));
            let gate = Gate {
                labels: 80 + dice.below(80) as u64,
                margin: dice.unit() / 5.0,
                fall: dice.unit() / 5.0,
                ..GATE
            };
            let fitness = Fitness { fits: dice.below(10) > 0, drift: dice.unit() * 1.2 };
            let ruling = gate.judge(&live, &other, fitness);
            if ruling == Ruling::Promote {
                promoted += 1;
                assert!(other.macro_f1 >= live.macro_f1 + gate.margin && other.labels >= gate.labels);
                assert!(
                    other.calibration <= gate.calibration_max
                        && fitness.fits
                        && fitness.drift <= gate.drift_max
                );
                let better = Score {
                    macro_f1: other.macro_f1 + dice.unit(),
                    calibration: other.calibration / 2.0,
                    ..other
                };
                assert_eq!(gate.judge(&live, &better, fitness), Ruling::Promote);
                assert!(!gate.fallen(&other, &live), "it was promoted over the one that it falls behind");
                assert_ne!(
                    gate.judge(&other, &live, fitness),
                    Ruling::Promote,
                    "each is promoted over the other"
                );
            }
        }
        assert!(promoted > 5_000, "{promoted}");
    }
}
