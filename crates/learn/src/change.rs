//! What was decided about the live model, kept for those who ask why a hash trades.
use crate::bytes::{In, Out};

/// Decisions kept, the newest.
pub(crate) const CHANGES_MAX: usize = 64;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// A challenger beat the live model.
    Promote,
    /// The live model fell behind an earlier one.
    RollBack,
}

/// One decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Line time, ns.
    pub time_ns: u64,
    /// What was decided.
    pub what: Move,
    /// Who it is now: `model file`, `learned`, or a shadow's name.
    pub name: String,
    /// Hash of the model that was live.
    pub from: u64,
    /// Hash of the model that is to be.
    pub to: u64,
    /// Labels that both were judged by.
    pub labels: u64,
    /// Macro-F1 of the one that was live.
    pub from_f1: f64,
    /// Macro-F1 of the one that is to be.
    pub to_f1: f64,
}

impl Change {
    pub(crate) fn save(&self, out: &mut Out) {
        let what = u64::from(self.what == Move::RollBack);
        [self.time_ns, what, self.from, self.to, self.labels].iter().for_each(|value| out.number(*value));
        [self.from_f1, self.to_f1].iter().for_each(|value| out.float(*value));
        out.bytes(self.name.as_bytes());
    }

    pub(crate) fn load(from: &mut In<'_>) -> Option<Change> {
        Some(Change {
            time_ns: from.number()?,
            what: if from.number()? == 0 { Move::Promote } else { Move::RollBack },
            from: from.number()?,
            to: from.number()?,
            labels: from.number()?,
            from_f1: from.float()?,
            to_f1: from.float()?,
            name: String::from_utf8(from.bytes()?.to_vec()).ok()?,
        })
    }
}
