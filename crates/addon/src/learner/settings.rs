//! The learner's settings as TypeScript gives them.
use super::refused;
use napi::Result;
use napi_derive::napi;
use tickline_learn::{
    ActorCritic, Anneal, Cadence, Envelope, Gate, LearnError, Liquidity, Pace, Plateau, Replay, Retrain,
    Settings, Turn, Volatility,
};
use tickline_model::Precision;
use tickline_model::train::{Loss, Method, Recipe};

fn setting(text: String) -> napi::Error {
    refused(LearnError::Setting(text))
}

/// How to learn; `crates/learn` has each meaning.
#[napi(object)]
pub struct LearnerSettings {
    /// Model file that the line started with.
    pub model: String,
    /// Symbols in the line's order.
    pub symbols: Vec<String>,
    /// Seed, a whole number below 2^53.
    pub seed: f64,
    /// How the rate moves.
    pub schedule: LearnerSchedule,
    /// "cross_entropy", "squares" or "cautious".
    pub loss: String,
    /// "cautious": cost of claiming a class too much.
    pub over: f64,
    /// "cautious": cost of claiming a class too little.
    pub under: f64,
    /// Share of values left out in a step; absent: as the model has it.
    pub dropout: Option<f64>,
    /// Dropout that is raised when liquidity is low; absent: it stays as it is.
    pub liquidity: Option<LearnerLiquidity>,
    /// How far uphill the gradient is taken; 0: not.
    pub sharpness: f64,
    /// Share of steps that are taken so; absent: all.
    pub sharp_share: Option<f64>,
    /// How far inputs are moved, in scaled units; 0: not.
    pub adversary: f64,
    /// What the factors of a step's products are rounded to: "f32" or "bf16"; absent: "f32".
    pub precision: Option<String>,
    /// "sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw" or "sophia".
    pub method: String,
    /// Learning rate.
    pub rate: f64,
    /// Weight decay.
    pub decay: f64,
    /// Longest gradient.
    pub clip: f64,
    /// Weight of each class in the loss; empty: 1 each.
    pub class_weights: Vec<f64>,
    /// "tick", "trade" or "every".
    pub cadence: String,
    /// Interval of "every", ns of line time.
    pub every_ns: f64,
    /// Learners that take steps in turn; absent: 1.
    pub turns: Option<u32>,
    /// Which of them it is, from 0; absent: 0.
    pub turn: Option<u32>,
    /// Labels that a step learns from at most.
    pub batch: u32,
    /// Rows that a step of a stateful network goes back through.
    pub steps: u32,
    /// Events ahead that labels look; 0: as the model says.
    pub horizon: u32,
    /// Moves above it are up or down, 1/10,000 dollar.
    pub threshold: f64,
    /// Labels that the running evaluation looks back over.
    pub window: u32,
    /// Learning from a memory; absent: from the newest labels alone.
    pub replay: Option<LearnerReplay>,
    /// Learning by reward; absent: labels are learned.
    pub actor_critic: Option<LearnerActorCritic>,
    /// Learning anew from a rolling window; absent: never.
    pub retrain: Option<LearnerRetrain>,
    /// Models that answer every row and never trade.
    pub shadows: Vec<LearnerShadow>,
    /// How a model takes the live one's place; absent: weights within the envelope are published as they are learned.
    pub gate: Option<LearnerGate>,
    /// Line time between two offers, ns.
    pub offer_ns: f64,
    /// Envelope: most relative change a publication.
    pub change_max: f64,
    /// Envelope: most relative distance from the first model.
    pub drift_max: f64,
    /// Envelope: how far macro-F1 may stand below the frozen model's.
    pub score_slack: f64,
    /// Envelope: labels before the first publication.
    pub labels_min: u32,
    /// Identity of the run, a whole number below 2^53.
    pub run: f64,
    /// Checkpoint file; absent: nothing is kept.
    pub checkpoint: Option<String>,
    /// The line's weights segment; absent: nothing is published.
    pub weights: Option<String>,
}

/// How the learning rate moves with the steps taken.
#[napi(object)]
pub struct LearnerSchedule {
    /// Steps over which it rises from 0.
    pub warm_steps: u32,
    /// Falls over so many steps; 0: it does not.
    pub anneal_steps: u32,
    /// Share of the rate that is left then.
    pub anneal_floor: f64,
    /// Begins anew at the end.
    pub anneal_again: bool,
    /// Steps whose mean loss is one look of the plateau; 0: none looks.
    pub plateau_every: u32,
    /// What it is multiplied by when the loss no longer falls.
    pub plateau_cut: f64,
    /// Looks without a smaller loss before a cut.
    pub plateau_patience: u32,
    /// Share of the rate that cuts leave.
    pub plateau_floor: f64,
    /// Largest factor by volatility; 0: it does not count.
    pub volatility_most: f64,
    /// Labels that the present volatility looks back over.
    pub volatility_fast: u32,
    /// Labels that the usual volatility looks back over.
    pub volatility_slow: u32,
}

impl LearnerSchedule {
    fn pace(&self) -> Pace {
        let (steps, floor) = (u64::from(self.anneal_steps), self.anneal_floor as f32);
        let (every, patience) = (u64::from(self.plateau_every), self.plateau_patience);
        let (cut, least) = (self.plateau_cut as f32, self.plateau_floor as f32);
        let (most, fast, slow) = (self.volatility_most as f32, self.volatility_fast, self.volatility_slow);
        Pace {
            warm: u64::from(self.warm_steps),
            anneal: (steps > 0).then_some(Anneal { steps, floor, again: self.anneal_again }),
            plateau: (every > 0).then_some(Plateau { cut, patience, every, floor: least }),
            volatility: (most > 0.0).then_some(Volatility { most, fast, slow }),
        }
    }
}

/// Dropout that is raised when liquidity is low.
#[napi(object)]
pub struct LearnerLiquidity {
    /// Largest factor on dropout.
    pub most: f64,
    /// Rows that the present liquidity looks back over.
    pub fast: u32,
    /// Rows that the usual liquidity looks back over.
    pub slow: u32,
}

/// Learning from a memory.
#[napi(object)]
pub struct LearnerReplay {
    /// Labels kept, or stretches of a stateful network.
    pub capacity: u32,
    /// Most times as often as it came that a rare class comes.
    pub oversample: f64,
    /// How much more often comes what the network was wrong about.
    pub sharpness: f64,
    /// How far importance weights put that right.
    pub correction: f64,
}

/// Learning by reward instead of labels.
#[napi(object)]
pub struct LearnerActorCritic {
    /// How much of the next decision's value counts, 0 to below 1.
    pub discount: f64,
    /// Share of decisions taken by even dice, 0 to below 1.
    pub explore: f64,
    /// Learning rate of the critic.
    pub critic_rate: f64,
    /// Trades that the Sharpe ratio looks back over.
    pub trades: u32,
    /// Cost of a trade, a share of its price.
    pub cost: f64,
}

/// Learning anew from a rolling window of labels.
#[napi(object)]
pub struct LearnerRetrain {
    /// Line time between two beginnings, ns.
    pub every_ns: f64,
    /// Labels that the window holds.
    pub labels: u32,
    /// Of so many labels one is kept.
    pub each: u32,
    /// Labels a step.
    pub batch: u32,
    /// Steps of one retraining.
    pub steps: u32,
    /// Learning rate at its beginning.
    pub rate: f64,
}

/// A model beside the live one.
#[napi(object)]
pub struct LearnerShadow {
    /// Its name.
    pub name: String,
    /// Its model file.
    pub model: String,
}

/// The promotion gate.
#[napi(object)]
pub struct LearnerGate {
    /// Labels of one contest.
    pub labels: u32,
    /// How far a challenger's macro-F1 must stand above the live model's.
    pub margin: f64,
    /// Largest calibration error of a challenger.
    pub calibration_max: f64,
    /// Largest relative distance of a shadow's weights from the model file's.
    pub drift_max: f64,
    /// Labels before the live model can be found to have fallen behind.
    pub fall_labels: u32,
    /// How far its macro-F1 may stand below an earlier model's.
    pub fall: f64,
}

impl LearnerSettings {
    fn method(&self) -> Result<Method> {
        Ok(match self.method.as_str() {
            "sgd" => Method::Sgd,
            "momentum" => Method::Momentum { momentum: 0.9 },
            "adagrad" => Method::AdaGrad,
            "rmsprop" => Method::RmsProp,
            "adam" => Method::Adam,
            "adamw" => Method::AdamW,
            "sophia" => Method::Sophia,
            other => return Err(setting(format!("method {other:?} is not known"))),
        })
    }

    fn loss(&self) -> Result<Loss> {
        match self.loss.as_str() {
            "cross_entropy" => Ok(Loss::CrossEntropy),
            "squares" => Ok(Loss::Squares),
            "cautious" => Ok(Loss::Cautious { over: self.over as f32, under: self.under as f32 }),
            other => Err(setting(format!("loss {other:?} is not cross_entropy, squares or cautious"))),
        }
    }

    fn precision(&self) -> Result<Precision> {
        match self.precision.as_deref() {
            None | Some("f32") => Ok(Precision::F32),
            Some("bf16") => Ok(Precision::Bf16),
            Some(other) => Err(setting(format!("precision {other:?} is not f32 or bf16"))),
        }
    }

    fn cadence(&self) -> Result<Cadence> {
        match self.cadence.as_str() {
            "tick" => Ok(Cadence::Tick),
            "trade" => Ok(Cadence::Trade),
            "every" => Ok(Cadence::Every(self.every_ns as u64)),
            other => Err(setting(format!("cadence {other:?} is not tick, trade or every"))),
        }
    }

    /// The room's settings; `horizon` is the model's when none is given.
    pub(super) fn settings(&self, horizon: u32) -> Result<Settings> {
        Ok(Settings {
            symbols: self.symbols.clone(),
            seed: self.seed as u64,
            recipe: Recipe {
                method: self.method()?,
                decay: self.decay as f32,
                clip: self.clip as f32,
                class_weights: self.class_weights.iter().map(|weight| *weight as f32).collect(),
                loss: self.loss()?,
                sharpness: self.sharpness as f32,
                sharp_share: self.sharp_share.unwrap_or(1.0) as f32,
                adversary: self.adversary as f32,
                precision: self.precision()?,
            },
            rate: self.rate as f32,
            pace: self.schedule.pace(),
            dropout: self.dropout.map(|share| share as f32),
            liquidity: self.liquidity.as_ref().map(|asked| Liquidity {
                most: asked.most as f32,
                fast: asked.fast,
                slow: asked.slow,
            }),
            cadence: self.cadence()?,
            turn: Turn { of: u64::from(self.turns.unwrap_or(1)), own: u64::from(self.turn.unwrap_or(0)) },
            batch: self.batch as usize,
            steps: self.steps as usize,
            horizon: if self.horizon == 0 { horizon as usize } else { self.horizon as usize },
            threshold: self.threshold,
            window: self.window as usize,
            offer_ns: self.offer_ns as u64,
            envelope: Envelope {
                change_max: self.change_max,
                drift_max: self.drift_max,
                score_slack: self.score_slack,
                labels_min: u64::from(self.labels_min),
            },
            replay: self.replay.as_ref().map(|asked| Replay {
                capacity: asked.capacity as usize,
                oversample: asked.oversample,
                sharpness: asked.sharpness,
                correction: asked.correction,
            }),
            actor_critic: self.actor_critic.as_ref().map(|asked| ActorCritic {
                discount: asked.discount as f32,
                explore: asked.explore as f32,
                critic_rate: asked.critic_rate as f32,
                trades: asked.trades as usize,
                cost: asked.cost,
            }),
            retrain: self.retrain.as_ref().map(|asked| Retrain {
                every_ns: asked.every_ns as u64,
                labels: asked.labels as usize,
                each: u64::from(asked.each),
                batch: asked.batch as usize,
                steps: u64::from(asked.steps),
                rate: asked.rate as f32,
            }),
            gate: self.gate.as_ref().map(|gate| Gate {
                labels: u64::from(gate.labels),
                margin: gate.margin,
                calibration_max: gate.calibration_max,
                drift_max: gate.drift_max,
                fall_labels: u64::from(gate.fall_labels),
                fall: gate.fall,
            }),
        })
    }
}
