//! Learning by reward instead of labels: the network's answer is a policy over sell, stay out and buy, and a critic says what was better than
//! thought (actor-critic; Sutton and Barto 2018, section 13.5).
//!
//! Nothing of it trades: when the future of a row has come, what each decision there would have earned is known. Then the policy as it is
//! decides about that row, by its dice, so that what is learned from is the policy's own. A decision to trade closes a trade with the
//! return of the move, less its cost. Its reward is the Sharpe ratio of the newest trades, itself among them, and what it has changed that
//! ratio by times their number: in sum, to the first order, its return over their deviation. The ratio alone would reward any trade of a
//! good hundred, the change alone none of a bad one. Staying out has none.
use crate::beside::Beside;
use crate::bytes::{In, Out};
use crate::critic::Critic;
use crate::error::LearnError;
use crate::network::Network;
use crate::school::School;
use crate::settings::Settings;
use crate::trades::Trades;
use tickline_model::file::Loaded;
use tickline_model::train::{CLASSES, Dice};
use tickline_model::{ModelError, Plan};

/// Distinguishes its dice from the learner's.
const SEED: u64 = 0x6163_746f_7221_2121;
/// Advantages are kept within this: one wild move must not be the whole policy.
const ADVANTAGE_MAX: f32 = 5.0;
const FLAT: u8 = 1;
/// Even dice.
const EVEN: [f32; CLASSES.len()] = [1.0 / CLASSES.len() as f32; CLASSES.len()];

/// How to learn by reward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActorCritic {
    /// How much of the next decision's value counts, 0 to below 1.
    pub discount: f32,
    /// Share of decisions taken by even dice, 0 to below 1: a policy that is sure of one class would learn of no other.
    pub explore: f32,
    /// Learning rate of the critic.
    pub critic_rate: f32,
    /// Trades that the Sharpe ratio looks back over, at least 2.
    pub trades: usize,
    /// Cost of a trade, a share of its price, at least 0.
    pub cost: f64,
}

impl ActorCritic {
    /// The first number that makes no sense, in words.
    pub(crate) fn wrong(&self) -> Option<String> {
        let ActorCritic { discount, explore, critic_rate, trades, cost } = *self;
        let shares = [discount, explore].iter().all(|share| (0.0..1.0).contains(share));
        let sound = shares && critic_rate > 0.0 && critic_rate.is_finite();
        (!(sound && trades >= 2 && cost >= 0.0 && cost.is_finite())).then(|| {
            format!(
                "actor-critic with discount {discount}, exploring {explore}, critic rate {critic_rate}, {trades} trades, cost {cost}; give 0 to below 1 \
                 for both, above 0, at least 2, and at least 0"
            )
        })
    }
}

/// A decision whose successor is not known yet.
#[derive(Debug, Clone, PartialEq)]
struct Decision {
    input: Vec<f32>,
    action: u8,
    reward: f32,
    /// How much less likely the policy was to take it than what took it, policy and even dice: 1 without those, 0 where it never would.
    own: f32,
}

/// Policy, critic and trades.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    asked: ActorCritic,
    policy: Network,
    critic: Critic,
    trades: Trades,
    dice: Dice,
    /// By instrument: the newest decision, and whether there is one.
    last: Vec<(Decision, bool)>,
}

impl Actor {
    /// # Errors
    /// [`LearnError::Setting`] for what does not go together with learning by reward; [`LearnError::Model`].
    pub(crate) fn new(
        asked: ActorCritic,
        loaded: &Loaded,
        plan: &Plan,
        settings: &Settings,
    ) -> Result<Actor, LearnError> {
        let wrong = |text: &str| Err(LearnError::Setting(text.to_owned()));
        if loaded.model.architecture.stateful {
            return wrong(
                "learner.actor_critic takes networks without a state; use a model over a window, or remove it",
            );
        }
        if settings.replay.is_some() || !settings.recipe.loss.by_logits() {
            return wrong(
                "learner.actor_critic learns from the policy's own decisions as they come, by loss: cross_entropy; remove learner.replay and learner.loss",
            );
        }
        let (columns, window) = (loaded.model.contract.names.len(), loaded.model.contract.window);
        let decision = Decision { input: vec![0.0; columns * window], action: FLAT, reward: 0.0, own: 1.0 };
        let seed = settings.seed ^ SEED;
        let critic = Critic::new(columns, window, (asked.discount, asked.critic_rate), seed);
        let policy: Result<Network, ModelError> = Network::new(plan);
        Ok(Actor {
            asked,
            policy: policy?,
            critic: critic?,
            trades: Trades::new(asked.trades),
            dice: Dice::new(seed),
            last: vec![(decision, false); settings.symbols.len()],
        })
    }

    /// The future of a row has come: the price moved by `change` from `mid`. Judges the decision before, whose successor this row is, and
    /// gives it to the school with its advantage; then decides here. True when the school had no room but an older decision's.
    pub(crate) fn teach(
        &mut self,
        school: &mut School,
        instrument: usize,
        input: &[f32],
        (change, mid): (f64, f64),
    ) -> bool {
        let Actor { asked, policy, critic, trades, dice, last } = self;
        let Some((last, known)) = last.get_mut(instrument) else { return false };
        let answer = policy.probabilities(school.parameters(), input);
        let (even, throw) = (dice.unit() < f64::from(asked.explore), dice.unit());
        let action = draw(if even { &EVEN } else { answer }, throw);
        let own = share(answer.get(usize::from(action)).copied().unwrap_or(0.0), asked.explore);
        let mut skipped = false;
        if *known {
            let next = critic.value(input);
            let advantage = critic.learn(&last.input, last.reward, next);
            skipped = school.take_weighted(&last.input, last.action, lesson(advantage, last.own));
        }
        last.input.copy_from_slice(input);
        (last.action, last.own, last.reward, *known) = (action, own, 0.0, true);
        if action != FLAT {
            let before = trades.sharpe();
            trades.close((f64::from(action) - f64::from(FLAT)) * change / mid - asked.cost);
            let after = trades.sharpe();
            last.reward = (after + (after - before) * asked.trades as f64) as f32;
        }
        skipped
    }

    /// Rows were lost, or the book is stale: the newest decision will have no successor.
    pub(crate) fn forget(&mut self, instrument: usize) {
        if let Some((_, known)) = self.last.get_mut(instrument) {
            *known = false;
        }
    }

    pub(crate) fn save(&self, out: &mut Out) {
        self.critic.save(out);
        self.trades.save(out);
        out.number(self.dice.state());
        for (decision, known) in &self.last {
            out.floats(&decision.input);
            out.number(u64::from(*known) << 8 | u64::from(decision.action));
            out.floats(&[decision.reward, decision.own]);
        }
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        self.critic.load(from)?;
        self.trades.load(from)?;
        self.dice = Dice::new(from.number()?);
        for (decision, known) in &mut self.last {
            from.fill_floats(&mut decision.input)?;
            let word = from.number()?;
            (*known, decision.action) = (word >> 8 != 0, word as u8);
            let mut kept = [0.0; 2];
            from.fill_floats(&mut kept)?;
            [decision.reward, decision.own] = kept;
        }
        Some(())
    }
}

/// How likely the policy was to take a decision, over how likely policy and even dice together were.
fn share(policy: f32, explore: f32) -> f32 {
    let both = (1.0 - explore) * policy + explore * EVEN[0];
    if both > 0.0 { policy / both } else { 0.0 }
}

/// What a decision's slopes count: its advantage, if that was better than thought. One that was worse counts as much as the policy itself
/// would have taken it, so that what it leaves out already is not pushed away for ever.
fn lesson(advantage: f32, own: f32) -> f32 {
    let advantage = advantage.clamp(-ADVANTAGE_MAX, ADVANTAGE_MAX);
    if advantage.is_finite() { advantage * if advantage > 0.0 { 1.0 } else { own } } else { 0.0 }
}

/// The class that a throw from 0 to below 1 falls on; to stay out where probabilities are no numbers.
fn draw(probabilities: &[f32], throw: f64) -> u8 {
    let mut sum = 0.0;
    for (class, probability) in (0u8..).zip(probabilities) {
        sum += f64::from(*probability);
        if throw < sum {
            return class;
        }
    }
    FLAT
}

impl Beside {
    /// Learning by reward: the Sharpe ratio of the newest trades that the policy would have made, and how many it ever made; `None` when
    /// labels are learned.
    pub fn sharpe(&self) -> Option<(f64, u64)> {
        self.actor.as_ref().map(|actor| (actor.trades.sharpe(), actor.trades.count()))
    }

    /// Forgets the newest decision about an instrument.
    pub(crate) fn forget_decision(&mut self, instrument: usize) {
        if let Some(actor) = &mut self.actor {
            actor.forget(instrument);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{draw, lesson, share};

    #[test]
    fn throws_fall_on_classes_by_their_probability() {
        let policy = [0.25, 0.5, 0.25];
        assert_eq!(
            [0.0, 0.24, 0.26, 0.74, 0.76, 0.999].map(|throw| draw(&policy, throw)),
            [0, 0, 1, 1, 2, 2]
        );
        assert_eq!((draw(&[f32::NAN; 3], 0.5), draw(&[0.3, 0.3, 0.3], 0.95)), (1, 1));
    }

    #[test]
    fn what_even_dice_took_is_learned_by_its_worth() {
        assert_eq!((share(0.3, 0.0), share(0.0, 0.0), share(0.0, 0.3)), (1.0, 0.0, 0.0));
        assert!((share(1.0, 0.3) - 1.25).abs() < 1e-6, "1 of 0.7 and 0.1");
        assert_eq!((lesson(2.0, 0.1), lesson(-2.0, 0.5), lesson(9.0, 1.0)), (2.0, -1.0, 5.0));
        assert_eq!(lesson(f32::NAN, 1.0), 0.0);
    }
}
