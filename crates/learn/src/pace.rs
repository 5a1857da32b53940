//! How fast to learn from step to step: warm-up, annealing, plateau and volatility, as factors on the learning rate.
use crate::bytes::{In, Out};
use crate::norm::Norm;
use tickline_model::train::{self, Schedule, by_volatility};

/// A rate that falls along a smooth step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anneal {
    /// Steps over which it falls; at least 1.
    pub steps: u64,
    /// Share of the rate that is left at the end, 0 to 1.
    pub floor: f32,
    /// Begins anew at the end (a warm restart); else it stays at the floor.
    pub again: bool,
}

/// A rate that is cut when the loss no longer falls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plateau {
    /// What it is multiplied by at a cut, 0 to 1.
    pub cut: f32,
    /// Looks without a smaller loss before a cut.
    pub patience: u32,
    /// Steps whose mean loss is one look; at least 1.
    pub every: u64,
    /// Share of the rate that cuts leave, 0 to 1.
    pub floor: f32,
}

/// A rate that is scaled by usual over present volatility.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Volatility {
    /// The factor lies in `[1/most, most]`; at least 1.
    pub most: f32,
    /// Labels that the present volatility looks back over; at least 1.
    pub fast: u32,
    /// Labels that the usual volatility looks back over; at least 1.
    pub slow: u32,
}

/// The schedule of a learner without an end. Its factors are multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pace {
    /// Steps over which the rate rises from 0; 0: it begins whole.
    pub warm: u64,
    /// Falls with the steps.
    pub anneal: Option<Anneal>,
    /// Falls with the loss.
    pub plateau: Option<Plateau>,
    /// Moves with the market.
    pub volatility: Option<Volatility>,
}

impl Pace {
    /// The first number that makes no sense, in words.
    pub(crate) fn wrong(&self) -> Option<String> {
        let share = |value: f32| (0.0..=1.0).contains(&value);
        if let Some(Anneal { steps, floor, .. }) = self.anneal
            && !(steps >= 1 && share(floor))
        {
            return Some(format!("annealing over {steps} steps to {floor}; give at least 1, and 0 to 1"));
        }
        if let Some(Plateau { cut, every, floor, .. }) = self.plateau
            && !(share(cut) && share(floor) && every >= 1)
        {
            return Some(format!(
                "a plateau cut of {cut} to {floor} at looks of {every} steps; give 0 to 1, 0 to 1, at least 1"
            ));
        }
        if let Some(Volatility { most, fast, slow }) = self.volatility
            && !(most >= 1.0 && most.is_finite() && fast >= 1 && slow > fast)
        {
            return Some(format!(
                "volatility over {fast} and {slow} labels within {most}; give a smaller number, a larger one, and at least 1"
            ));
        }
        None
    }
}

/// Where a schedule stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rate {
    pace: Pace,
    plateau: train::Plateau,
    /// What the plateau has left of the rate.
    cut: f32,
    /// Losses since the last look, their number, and the steps they came from.
    loss: f64,
    wanted: u64,
    looked: u64,
    /// Size of moves.
    moves: Norm,
}

impl Rate {
    pub(crate) fn new(pace: Pace) -> Rate {
        let (cut, patience) = pace.plateau.map_or((1.0, 0), |plateau| (plateau.cut, plateau.patience));
        Rate {
            pace,
            plateau: train::Plateau::new(cut, patience),
            cut: 1.0,
            loss: 0.0,
            wanted: 0,
            looked: 0,
            moves: Norm::default(),
        }
    }

    /// A label has formed: its price moved by `change`, from `mid`.
    pub(crate) fn moved(&mut self, change: f64, mid: f64) {
        if let Some(Volatility { fast, slow, .. }) = self.pace.volatility {
            self.moves.add((change / mid).abs(), fast, slow);
        }
    }

    /// A step was taken over `wanted` labels whose losses add up to `loss`.
    pub(crate) fn stepped(&mut self, loss: f64, wanted: usize) {
        let Some(plateau) = self.pace.plateau else { return };
        (self.loss, self.wanted, self.looked) =
            (self.loss + loss, self.wanted + wanted as u64, self.looked + 1);
        if self.looked >= plateau.every {
            self.cut = self.plateau.look(self.loss / self.wanted as f64).max(plateau.floor);
            (self.loss, self.wanted, self.looked) = (0.0, 0, 0);
        }
    }

    /// The factor on the rate of the next step, when `steps` were taken.
    pub(crate) fn factor(&self, steps: u64) -> f32 {
        let Pace { warm, anneal, volatility, .. } = self.pace;
        let rise = if steps < warm { (steps + 1) as f32 / warm as f32 } else { 1.0 };
        let fall = anneal.map_or(1.0, |Anneal { steps: over, floor, again }| {
            let done = if again { steps % over } else { steps.min(over) };
            Schedule::Anneal { warm: 0.0 }.factor((done as f64 / over as f64) as f32).max(floor)
        });
        let market = volatility.map_or(1.0, |Volatility { most, .. }| {
            if self.moves.is_empty() {
                1.0
            } else {
                by_volatility(self.moves.usual(), self.moves.now(), most)
            }
        });
        rise * fall * self.cut * market
    }

    pub(crate) fn save(&self, out: &mut Out) {
        let (best, waited, factor) = self.plateau.state();
        [best, f64::from(factor), f64::from(self.cut), self.loss].iter().for_each(|value| out.float(*value));
        [u64::from(waited), self.wanted, self.looked].iter().for_each(|value| out.number(*value));
        self.moves.save(out);
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        let (best, factor) = (from.float()?, from.float()?);
        (self.cut, self.loss) = (from.float()? as f32, from.float()?);
        let waited = u32::try_from(from.number()?).ok()?;
        (self.wanted, self.looked) = (from.number()?, from.number()?);
        self.moves.load(from)?;
        self.plateau.restore((best, waited, factor as f32));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Anneal, Pace, Plateau, Rate, Volatility};
    use crate::bytes::{In, Out};

    const ALL: Pace = Pace {
        warm: 10,
        anneal: Some(Anneal { steps: 100, floor: 0.2, again: false }),
        plateau: Some(Plateau { cut: 0.5, patience: 1, every: 4, floor: 0.1 }),
        volatility: Some(Volatility { most: 4.0, fast: 5, slow: 50 }),
    };

    #[test]
    fn the_rate_warms_up_then_falls_to_its_floor_and_begins_anew_when_asked() {
        let rate = Rate::new(Pace { plateau: None, volatility: None, ..ALL });
        assert!((rate.factor(0) - 0.1).abs() < 1e-6);
        assert!(rate.factor(9) > 0.97 && rate.factor(50) < 0.51 && rate.factor(50) > 0.49);
        assert_eq!((rate.factor(100), rate.factor(u64::MAX)), (0.2, 0.2));
        let again = Anneal { steps: 100, floor: 0.2, again: true };
        let rate = Rate::new(Pace { anneal: Some(again), ..Pace::default() });
        assert_eq!((rate.factor(0), rate.factor(100), rate.factor(99)), (1.0, 1.0, 0.2));
        assert_eq!(Rate::new(Pace::default()).factor(7), 1.0);
    }

    /// Goal: a loss that no longer falls cuts the rate, not below the floor. Method: looks of 4 steps, patience 1.
    #[test]
    fn a_plateau_cuts_to_its_floor() {
        let mut rate = Rate::new(Pace { plateau: ALL.plateau, ..Pace::default() });
        let mut factors = Vec::new();
        for step in 0..60 {
            rate.stepped(if step < 8 { 8.0 - f64::from(step) } else { 5.0 }, 1);
            factors.push(rate.factor(step as u64));
        }
        assert_eq!(factors[7], 1.0, "it fell so far");
        assert_eq!((factors[15], factors[23], factors[59]), (0.5, 0.25, 0.1));
    }

    #[test]
    fn a_wild_market_is_learned_from_slowly_and_a_calm_one_faster() {
        let mut rate = Rate::new(Pace { volatility: ALL.volatility, ..Pace::default() });
        assert_eq!(rate.factor(0), 1.0, "nothing is known yet");
        (0..200).for_each(|_| rate.moved(10.0, 1_000.0));
        assert!((rate.factor(0) - 1.0).abs() < 1e-3);
        (0..20).for_each(|_| rate.moved(-40.0, 1_000.0));
        assert!(rate.factor(0) < 0.6 && rate.factor(0) >= 0.25, "{}", rate.factor(0));
        (0..30).for_each(|_| rate.moved(0.5, 1_000.0));
        assert!(rate.factor(0) > 1.5 && rate.factor(0) <= 4.0, "{}", rate.factor(0));
        rate.moved(1.0, 0.0);
        assert!(rate.factor(0).is_finite(), "a price of 0 moves nothing");
    }

    #[test]
    fn a_kept_schedule_goes_on_to_the_bit() {
        let mut whole = Rate::new(ALL);
        let go = |rate: &mut Rate, from: u32, to: u32| {
            for at in from..to {
                rate.moved(f64::from(at * 7 % 13) - 6.0, 1_000.0);
                rate.stepped(f64::from(at * 5 % 11), 1 + at as usize % 3);
            }
        };
        go(&mut whole, 0, 90);
        let mut out = Out::default();
        whole.save(&mut out);
        let mut kept = Rate::new(ALL);
        assert_eq!(kept.load(&mut In(&out.0)), Some(()));
        assert_eq!(kept, whole);
        go(&mut whole, 90, 200);
        go(&mut kept, 90, 200);
        assert_eq!(kept.factor(200).to_bits(), whole.factor(200).to_bits());
        assert_eq!(kept.load(&mut In(&out.0[..20])), None);
    }

    #[test]
    fn numbers_without_sense_are_named() {
        assert_eq!(ALL.wrong(), None);
        let wrong = |pace: Pace| pace.wrong().expect("refused");
        assert!(
            wrong(Pace { anneal: Some(Anneal { steps: 0, floor: 0.1, again: true }), ..ALL })
                .contains("0 steps")
        );
        assert!(
            wrong(Pace {
                plateau: Some(Plateau { cut: f32::NAN, patience: 1, every: 1, floor: 0.0 }),
                ..ALL
            })
            .contains("NaN")
        );
        assert!(
            wrong(Pace { volatility: Some(Volatility { most: 0.5, fast: 1, slow: 2 }), ..ALL })
                .contains("0.5")
        );
        assert!(
            wrong(Pace { volatility: Some(Volatility { most: 2.0, fast: 5, slow: 5 }), ..ALL })
                .contains("5 and 5")
        );
    }
}
