// @hot
//! Present and usual size of something that comes again and again: running means over fewer and over more of its newest values.
use crate::bytes::{In, Out};

/// Two means over about so many of the newest values; plain means until there are as many.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Norm {
    now: f64,
    usual: f64,
    count: u64,
}

impl Norm {
    /// Takes a value; one that is not finite is passed over. `fast` and `slow`: values that the means look back over, at least 1.
    pub(crate) fn add(&mut self, value: f64, fast: u32, slow: u32) {
        if !value.is_finite() {
            return;
        }
        self.count += 1;
        let share = |over: u32| 1.0 / self.count.min(u64::from(over)) as f64;
        self.now += (value - self.now) * share(fast);
        self.usual += (value - self.usual) * share(slow);
    }

    /// The mean over the newest few; 0 before the first.
    pub(crate) fn now(&self) -> f32 {
        self.now as f32
    }

    /// The mean over many; 0 before the first.
    pub(crate) fn usual(&self) -> f32 {
        self.usual as f32
    }

    /// Nothing was seen yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn save(&self, out: &mut Out) {
        out.float(self.now);
        out.float(self.usual);
        out.number(self.count);
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        (self.now, self.usual, self.count) = (from.float()?, from.float()?, from.number()?);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Norm;

    #[test]
    fn the_present_follows_at_once_and_the_usual_slowly() {
        let mut norm = Norm::default();
        assert!(norm.is_empty());
        [2.0, 4.0].iter().for_each(|value| norm.add(*value, 10, 100));
        assert_eq!((norm.now(), norm.usual()), (3.0, 3.0), "plain means so far");
        (0..500).for_each(|_| norm.add(3.0, 10, 100));
        norm.add(f64::NAN, 10, 100);
        norm.add(f64::INFINITY, 10, 100);
        assert!((norm.now() - 3.0).abs() < 1e-6 && (norm.usual() - 3.0).abs() < 1e-2);
        (0..20).for_each(|_| norm.add(9.0, 10, 100));
        assert!(norm.now() > 8.0 && norm.usual() < 4.5, "{norm:?}");
    }
}
