//! Masses that can be drawn from in proportion: a binary tree of sums.

/// A fixed number of masses and their sums. Setting one and finding one cost the logarithm of their number.
///
/// Every sum is that of its two halves, computed anew at each change: sums depend on the masses alone and not on how they came to be, and
/// no error builds up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SumTree {
    /// Node `n` has the halves `2n` and `2n + 1`; the root is 1; masses are the last half.
    nodes: Vec<f64>,
    first: usize,
}

impl SumTree {
    /// `masses` masses of 0.
    pub(crate) fn new(masses: usize) -> SumTree {
        let first = masses.next_power_of_two().max(1);
        SumTree { nodes: vec![0.0; 2 * first], first }
    }

    /// Sum of all masses.
    pub(crate) fn total(&self) -> f64 {
        self.nodes[1]
    }

    /// One mass.
    pub(crate) fn mass(&self, at: usize) -> f64 {
        self.nodes[self.first + at]
    }

    /// Changes a mass; one that is negative, NaN or infinite counts as 0.
    pub(crate) fn set(&mut self, at: usize, mass: f64) {
        let mut node = self.first + at;
        self.nodes[node] = if mass > 0.0 && mass.is_finite() { mass } else { 0.0 };
        while node > 1 {
            node /= 2;
            self.nodes[node] = self.nodes[2 * node] + self.nodes[2 * node + 1];
        }
    }

    /// The mass in which `point`, from 0 up to the total, lies when masses stand side by side in order; `None` when all are 0. One that is
    /// 0 is never found, whatever rounding does.
    pub(crate) fn find(&self, point: f64) -> Option<usize> {
        if self.total() <= 0.0 {
            return None;
        }
        let (mut node, mut point) = (1, point);
        while node < self.first {
            let (left, right) = (self.nodes[2 * node], self.nodes[2 * node + 1]);
            if right <= 0.0 || (point < left && left > 0.0) {
                node *= 2;
            } else {
                point -= left;
                node = 2 * node + 1;
            }
        }
        Some(node - self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::SumTree;
    use crate::train::Dice;

    /// Goal: the tree finds what a walk over all masses finds. Method: random changes and points over random sizes; whole numbers, so that
    /// both are exact.
    #[test]
    fn a_point_is_found_where_a_walk_finds_it() {
        let mut dice = Dice::new(3);
        for size in [1, 2, 3, 7, 8, 33, 100] {
            let (mut tree, mut masses) = (SumTree::new(size), vec![0.0; size]);
            assert_eq!(tree.find(0.0), None);
            for _ in 0..400 {
                let at = dice.below(size);
                masses[at] = dice.below(4) as f64;
                tree.set(at, masses[at]);
                let total: f64 = masses.iter().sum();
                assert_eq!((tree.total(), tree.mass(at)), (total, masses[at]));
                let point = dice.unit() * total;
                let mut left = point;
                let walked = masses.iter().position(|mass| {
                    left -= mass;
                    left < 0.0
                });
                assert_eq!(tree.find(point), walked, "{point} in {masses:?}");
            }
        }
    }

    #[test]
    fn nothing_without_mass_is_found_and_history_leaves_no_trace() {
        let mut dice = Dice::new(4);
        let (mut worn, mut fresh) = (SumTree::new(37), SumTree::new(37));
        for _ in 0..20_000 {
            worn.set(dice.below(37), dice.unit() * 1e6);
        }
        for bad in [f64::NAN, f64::INFINITY, -1.0] {
            worn.set(5, bad);
            assert_eq!(worn.mass(5), 0.0);
        }
        for at in 0..37 {
            let mass = if at % 3 == 0 { 0.0 } else { dice.unit() * 0.1 };
            worn.set(at, mass);
            fresh.set(at, mass);
        }
        assert_eq!(worn, fresh, "to the bit");
        for _ in 0..20_000 {
            let at = worn.find(dice.unit() * worn.total()).expect("mass");
            assert!(worn.mass(at) > 0.0);
        }
        for edge in [-1.0, worn.total(), worn.total() * 2.0] {
            assert!(worn.mass(worn.find(edge).expect("mass")) > 0.0);
        }
    }
}
