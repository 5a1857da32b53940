//! Who answers each row, how they do, and what was decided about them.
use napi_derive::napi;
use tickline_learn::{Change, Move, Score, Standing};

/// How well a model's answers fit the newest labels.
#[napi(object)]
pub struct LearnerScore {
    /// Labels looked at.
    pub labels: f64,
    /// Mean of the classes' F1, 0 to 1.
    pub macro_f1: f64,
    /// Matthews correlation, -1 to 1.
    pub mcc: f64,
    /// Share of right answers.
    pub accuracy: f64,
    /// Share of labels at which it said up or down.
    pub coverage: f64,
    /// Expected calibration error, 0 to 1.
    pub calibration: f64,
}

impl From<Score> for LearnerScore {
    fn from(score: Score) -> LearnerScore {
        let Score { labels, macro_f1, mcc, accuracy, coverage, calibration } = score;
        LearnerScore { labels: labels as f64, macro_f1, mcc, accuracy, coverage, calibration }
    }
}

/// One of those who answer.
#[napi(object)]
pub struct LearnerStanding {
    /// `model file`, `learning`, `persistence`, `in place`, `before it`, or a shadow's name.
    pub name: String,
    /// `frozen`, `learning`, `baseline`, `live`, `previous`, `shadow` or `retrained`.
    pub role: String,
    /// Hash of its weights, 16 hexadecimal digits; empty for what has none.
    pub hash: String,
    /// Over the running evaluation.
    pub score: LearnerScore,
    /// Over the contest at hand.
    pub contest: LearnerScore,
    /// A shadow that could take the live model's place.
    pub fits: bool,
}

impl From<Standing> for LearnerStanding {
    fn from(standing: Standing) -> LearnerStanding {
        LearnerStanding {
            name: standing.name,
            role: standing.role.to_owned(),
            hash: standing.hash.map_or_else(String::new, |hash| format!("{hash:016x}")),
            score: standing.score.into(),
            contest: standing.contest.into(),
            fits: standing.fits,
        }
    }
}

/// A promotion or a rollback.
#[napi(object)]
pub struct LearnerChange {
    /// Line time, ns.
    pub time_ns: f64,
    /// `promoted` or `rolled back`.
    pub what: String,
    /// Who is live since.
    pub name: String,
    /// Hash of the model that was live.
    pub from: String,
    /// Hash of the model that is live since.
    pub to: String,
    /// Labels that both were judged by.
    pub labels: f64,
    /// Macro-F1 of the one that was live.
    pub from_f1: f64,
    /// Macro-F1 of the one that is.
    pub to_f1: f64,
}

impl From<&Change> for LearnerChange {
    fn from(change: &Change) -> LearnerChange {
        let what = match change.what {
            Move::Promote => "promoted",
            Move::RollBack => "rolled back",
        };
        LearnerChange {
            time_ns: change.time_ns as f64,
            what: what.to_owned(),
            name: change.name.clone(),
            from: format!("{:016x}", change.from),
            to: format!("{:016x}", change.to),
            labels: change.labels as f64,
            from_f1: change.from_f1,
            to_f1: change.to_f1,
        }
    }
}
