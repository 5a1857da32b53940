//! Labels: which way the mid price went. Un-smoothed: the mid at one event against the mid a fixed number of events later.

/// Down, flat, up.
pub const CLASSES: [&str; 3] = ["down", "flat", "up"];

/// Labels of one instrument's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    /// Class of each row: 0 down, 1 flat, 2 up; `None` where the future is not known.
    pub classes: Vec<Option<u8>>,
}

/// Class of a move: 0 down, 1 flat, 2 up. A move of the threshold itself is flat, and so is one that is no number.
pub fn class(change: f64, threshold: f64) -> u8 {
    if change > threshold {
        2
    } else if change < -threshold {
        0
    } else {
        1
    }
}

/// Labels rows by `mids[at + horizon] - mids[at]` against a threshold in the same unit.
pub fn label(mids: &[f64], horizon: usize, threshold: f64) -> Labels {
    let known = |at: usize| mids.get(at + horizon).map(|later| class(later - mids[at], threshold));
    Labels { classes: (0..mids.len()).map(known).collect() }
}

/// The threshold that makes about `flat_share` of moves of these sizes flat; to be taken from the training part only.
pub fn threshold(mut sizes: Vec<f64>, flat_share: f64) -> f64 {
    sizes.sort_by(f64::total_cmp);
    let place = (sizes.len() as f64 * flat_share) as usize;
    sizes.get(place.min(sizes.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::{class, label, threshold};

    #[test]
    fn labels_look_exactly_the_horizon_ahead() {
        let mids = [10.0, 10.0, 11.0, 9.0, 9.0];
        assert_eq!(label(&mids, 2, 0.0).classes, [Some(2), Some(0), Some(0), None, None]);
        assert_eq!(
            label(&mids, 2, 1.0).classes,
            [Some(1), Some(1), Some(0), None, None],
            "the threshold itself is flat"
        );
        assert_eq!(class(f64::NAN, 0.0), 1);
    }

    #[test]
    fn the_threshold_leaves_the_wanted_share_flat() {
        let mids: Vec<f64> = (0..1001).map(|at| f64::from(at * at)).collect();
        let sizes = mids.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let cut = threshold(sizes, 0.4);
        let flat = label(&mids, 1, cut).classes.iter().filter(|class| **class == Some(1)).count();
        assert!((399..=402).contains(&flat), "{flat}");
        assert_eq!(threshold(Vec::new(), 0.4), 0.0);
    }
}
