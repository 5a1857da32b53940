//! Labels: which way the mid price goes, un-smoothed or smoothed, and the forecast that needs no model.
use tickline_model::train;

/// What a move is measured between, `k` the horizon in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The mid `k` rows later against the mid now.
    Exact,
    /// The mean of the next `k` mids against the mean of the last `k`, this one included (Zhang et al. 2019, equation 4 without its
    /// quotient). It moves in small steps, so what has just happened mostly goes on: scores on it flatter.
    Smoothed,
}

impl Kind {
    /// `exact` or `smoothed`.
    pub fn named(name: &str) -> Option<Kind> {
        match name {
            "exact" => Some(Kind::Exact),
            "smoothed" => Some(Kind::Smoothed),
            _ => None,
        }
    }
}

/// How rows are labelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labelling {
    /// Between what.
    pub kind: Kind,
    /// Rows ahead; at least 1.
    pub horizon: usize,
}

impl Labelling {
    /// The move of each row, in the mids' unit; NaN where it is not known.
    pub fn moves(self, mids: &[f64]) -> Vec<f64> {
        let k = self.horizon;
        let exact = |at: usize| mids.get(at + k).map_or(f64::NAN, |later| later - mids[at]);
        if self.kind == Kind::Exact {
            return (0..mids.len()).map(exact).collect();
        }
        // Mids are multiples of a half below 2^32: sums of fewer than 2^20 of them are exact, so nothing drifts.
        let mut sums = vec![0.0];
        sums.extend(mids.iter().scan(0.0, |sum, mid| {
            *sum += mid;
            Some(*sum)
        }));
        let mean = |from: usize, to: usize| (sums[to] - sums[from]) / k as f64;
        let smoothed = |at: usize| {
            let known = at + 1 >= k && at + k < mids.len();
            if known { mean(at + 1, at + 1 + k) - mean(at + 1 - k, at + 1) } else { f64::NAN }
        };
        (0..mids.len()).map(smoothed).collect()
    }

    /// The size up to which a move is flat: `flat_share` of the moves of the training part are.
    pub fn threshold(self, moves: impl Iterator<Item = f64>, flat_share: f64) -> f64 {
        train::threshold(moves.filter(|size| !size.is_nan()).map(f64::abs).collect(), flat_share)
    }

    /// The persistence forecast: the newest move that is known at each row happens again; flat before there is one.
    pub fn persistence(self, moves: &[f64], threshold: f64) -> Vec<u8> {
        let before = |at: usize| at.checked_sub(self.horizon).map_or(f64::NAN, |from| moves[from]);
        (0..moves.len()).map(|at| class(before(at), threshold).unwrap_or(1)).collect()
    }
}

/// 0 down, 1 flat, 2 up; `None` for a move that is not known. A move of the threshold itself is flat.
pub fn class(change: f64, threshold: f64) -> Option<u8> {
    (!change.is_nan()).then(|| train::class(change, threshold))
}

#[cfg(test)]
mod tests {
    use super::{Kind, Labelling, class};

    const EXACT: Labelling = Labelling { kind: Kind::Exact, horizon: 2 };
    const SMOOTHED: Labelling = Labelling { kind: Kind::Smoothed, horizon: 2 };

    fn shown(moves: &[f64]) -> Vec<Option<u8>> {
        moves.iter().map(|change| class(*change, 0.0)).collect()
    }

    #[test]
    fn exact_labels_look_the_horizon_ahead_and_persistence_as_far_behind() {
        let mids = [10.0, 10.0, 11.0, 9.0, 9.0];
        let moves = EXACT.moves(&mids);
        assert_eq!(shown(&moves), [Some(2), Some(0), Some(0), None, None]);
        assert_eq!(EXACT.persistence(&moves, 0.0), [1, 1, 2, 0, 0]);
        assert_eq!(class(1.0, 1.0), Some(1));
    }

    #[test]
    fn smoothed_labels_are_means_of_what_comes_against_what_was() {
        let mids = [10.0, 12.0, 11.0, 15.0, 9.0, 9.0];
        let moves = SMOOTHED.moves(&mids);
        assert!(moves[0].is_nan() && moves[4].is_nan() && moves[5].is_nan());
        assert_eq!(moves[1..4], [13.0 - 11.0, 12.0 - 11.5, 9.0 - 13.0]);
        // At row 3 the newest move whose means are both past is that of row 1.
        assert_eq!(SMOOTHED.persistence(&moves, 1.0), [1, 1, 1, 2, 1, 0]);
    }

    #[test]
    fn nothing_known_at_a_row_depends_on_rows_after_it() {
        let mids: Vec<f64> = (0..60).map(|at| f64::from(at * at % 23)).collect();
        let mut other = mids.clone();
        other[40..].iter_mut().for_each(|mid| *mid += 100.0);
        for kind in [Kind::Exact, Kind::Smoothed] {
            let labelling = Labelling { kind, horizon: 7 };
            let (a, b) = (labelling.moves(&mids), labelling.moves(&other));
            assert_eq!(labelling.persistence(&a, 1.0)[..40], labelling.persistence(&b, 1.0)[..40]);
            assert_eq!(shown(&a[..33]), shown(&b[..33]));
            assert_ne!(shown(&a[33..]), shown(&b[33..]));
        }
    }

    #[test]
    fn the_threshold_leaves_the_wanted_share_flat() {
        let mids: Vec<f64> = (0..1001).map(|at| f64::from(at * at)).collect();
        let moves = Labelling { kind: Kind::Exact, horizon: 1 }.moves(&mids);
        let cut = EXACT.threshold(moves.iter().copied(), 0.4);
        let flat = moves.iter().filter(|change| class(**change, cut) == Some(1)).count();
        assert!((399..=402).contains(&flat), "{flat}");
        assert_eq!(EXACT.threshold([f64::NAN].into_iter(), 0.4), 0.0);
    }
}
