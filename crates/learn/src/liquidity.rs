//! Dropout that is raised when liquidity is low: what a thin book shows is learned from less trustingly.
use crate::bytes::{In, Out};
use crate::norm::Norm;
use tickline_model::train::by_liquidity;

/// How far, and against what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Liquidity {
    /// The factor on every dropout rate lies in `[1, most]`; at least 1. No rate is raised above 0.9.
    pub most: f32,
    /// Rows of an instrument that its present liquidity looks back over; at least 1.
    pub fast: u32,
    /// Rows of an instrument that its usual liquidity looks back over; above `fast`.
    pub slow: u32,
}

impl Liquidity {
    /// The first number that makes no sense, in words.
    pub(crate) fn wrong(&self) -> Option<String> {
        let Liquidity { most, fast, slow } = *self;
        let sound = most >= 1.0 && most.is_finite() && fast >= 1 && slow > fast;
        (!sound).then(|| {
            format!("liquidity over {fast} and {slow} rows within {most}; give a smaller number, a larger one, and at least 1")
        })
    }
}

/// Where each instrument's liquidity stands against its own norm.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Liquidities {
    asked: Option<Liquidity>,
    norms: Vec<Norm>,
}

impl Liquidities {
    /// Without `asked` every factor is 1.
    pub(crate) fn new(asked: Option<Liquidity>, instruments: usize) -> Liquidities {
        Liquidities { asked, norms: vec![Norm::default(); instruments] }
    }

    /// A sound row of an instrument shows this liquidity; `None`: it cannot be told.
    pub(crate) fn saw(&mut self, instrument: usize, liquidity: Option<f64>) {
        if let (Some(Liquidity { fast, slow, .. }), Some(value)) = (self.asked, liquidity) {
            self.norms[instrument].add(value, fast, slow);
        }
    }

    /// The factor on dropout for a step that an instrument's row leads to: usual over present liquidity, from 1 to `most`; `most` while
    /// nothing is known.
    pub(crate) fn factor(&self, instrument: usize) -> f32 {
        let norm = self.norms.get(instrument).copied().unwrap_or_default();
        self.asked.map_or(1.0, |Liquidity { most, .. }| by_liquidity(norm.usual(), norm.now(), most))
    }

    pub(crate) fn save(&self, out: &mut Out) {
        self.norms.iter().for_each(|norm| norm.save(out));
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        self.norms.iter_mut().try_for_each(|norm| norm.load(from))
    }
}

#[cfg(test)]
mod tests {
    use super::{Liquidities, Liquidity};
    use crate::bytes::{In, Out};

    const ASKED: Liquidity = Liquidity { most: 3.0, fast: 5, slow: 50 };

    #[test]
    fn a_thin_book_raises_its_own_instruments_factor_and_a_deep_one_lowers_none() {
        let mut both = Liquidities::new(Some(ASKED), 2);
        assert_eq!(both.factor(0), 3.0, "who does not know learns carefully");
        (0..200).for_each(|_| both.saw(0, Some(8.0)));
        both.saw(1, Some(0.5));
        assert_eq!((both.factor(0), both.factor(1)), (1.0, 1.0));
        (0..10).for_each(|_| both.saw(0, Some(4.0)));
        assert!(both.factor(0) > 1.4 && both.factor(0) < 2.0 && both.factor(1) == 1.0, "{}", both.factor(0));
        (0..10).for_each(|_| both.saw(0, Some(0.1)));
        assert_eq!(both.factor(0), 3.0);
        (0..400).for_each(|_| both.saw(0, Some(0.1)));
        assert!((both.factor(0) - 1.0).abs() < 0.05, "thin has become usual: {}", both.factor(0));
        (0..10).for_each(|_| both.saw(0, Some(50.0)));
        assert_eq!(both.factor(0), 1.0);
        let before = both.clone();
        both.saw(0, None);
        both.saw(0, Some(f64::NAN));
        assert_eq!(both, before, "what cannot be told changes nothing");
        let mut out = Out::default();
        both.save(&mut out);
        let mut kept = Liquidities::new(Some(ASKED), 2);
        assert_eq!((kept.load(&mut In(&out.0)), &kept), (Some(()), &both));
    }

    #[test]
    fn off_is_a_factor_of_one_and_numbers_without_sense_are_named() {
        let mut off = Liquidities::new(None, 1);
        off.saw(0, Some(1.0));
        assert_eq!((off.factor(0), off.factor(7)), (1.0, 1.0));
        assert_eq!(ASKED.wrong(), None);
        for (wrong, says) in [
            (Liquidity { most: 0.5, ..ASKED }, "within 0.5"),
            (Liquidity { most: f32::NAN, ..ASKED }, "within NaN"),
            (Liquidity { fast: 50, ..ASKED }, "over 50 and 50"),
            (Liquidity { fast: 0, ..ASKED }, "over 0 and 50"),
        ] {
            assert!(wrong.wrong().expect("refused").contains(says));
        }
    }
}
