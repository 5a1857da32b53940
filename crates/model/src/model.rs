//! A model as data: contract, layers, parameters, and the record of its training.
use crate::architecture::Architecture;
use crate::contract::Contract;
use crate::error::{Fault, ModelError};
use crate::plan::Plan;
use sha2::{Digest, Sha256};

/// How a model came to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrainingRecord {
    /// Settings, data and results, for people.
    pub text: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Rows trained on.
    pub rows: u64,
    /// Hash of the rows trained on.
    pub data_hash: u64,
}

/// What the weights are rounded to when they are packed for running; a file always holds f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// As trained.
    #[default]
    F32,
    /// Weights and what they meet with 8 bits of mantissa; sums in f32.
    Bf16,
    /// Weights as 8-bit numbers with a scale a row, what they meet as 8-bit numbers calibrated on data; sums exact.
    Int8,
}

impl Precision {
    /// Every precision; its place is its number in the file.
    pub const ALL: [Precision; 3] = [Precision::F32, Precision::Bf16, Precision::Int8];

    /// The precision of a file's number.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The file's number.
    pub fn code(self) -> u16 {
        self as u16
    }

    /// Name for tables.
    pub const fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
            Precision::Int8 => "int8",
        }
    }
}

/// A whole model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Short name for people.
    pub name: String,
    /// What it takes.
    pub contract: Contract,
    /// What it does.
    pub architecture: Architecture,
    /// All parameters, where [`Plan::slices`] says.
    pub parameters: Vec<f32>,
    /// Meaning of the outputs, one each; `down, flat, up` for direction models.
    pub classes: Vec<String>,
    /// Events ahead that the labels looked; 0 when that has no meaning.
    pub horizon: u32,
    /// How it was trained.
    pub training: TrainingRecord,
    /// What it runs in.
    pub precision: Precision,
    /// Largest size of each node's first input seen in calibration, for int8; empty or zero where not calibrated.
    pub reach: Vec<f32>,
}

impl Model {
    /// A model without a record: `identity` contract, f32, no classes; parameters as given.
    pub fn bare(name: &str, architecture: Architecture, parameters: Vec<f32>) -> Model {
        let mut contract = Contract::identity(architecture.columns);
        contract.window = architecture.window;
        Model {
            name: name.to_owned(),
            contract,
            architecture,
            parameters,
            classes: Vec::new(),
            horizon: 0,
            training: TrainingRecord::default(),
            precision: Precision::F32,
            reach: Vec::new(),
        }
    }

    /// Checks that this model can answer together with the first of an ensemble: the same columns in the same order, the same classes, and
    /// labels as far ahead. Scaling, window, precision and layers are each member's own.
    ///
    /// # Errors
    /// [`Fault::Contract`] that names the difference.
    pub fn joins(&self, first: &Model) -> Result<(), ModelError> {
        let wrong = |text: String| {
            let fix = "members of an ensemble take the same columns in the same order, tell the same classes apart and look as far ahead";
            Err(ModelError::new(Fault::Contract, format!("{text}; {fix}")))
        };
        let (own, its) = (&self.contract.names, &first.contract.names);
        if own.len() != its.len() {
            return wrong(format!("it takes {} columns, the first member {}", own.len(), its.len()));
        }
        if let Some(at) = (0..own.len()).find(|at| own[*at] != its[*at]) {
            return wrong(format!("its column {at} is {:?}, the first member's {:?}", own[at], its[at]));
        }
        if self.classes != first.classes || self.outputs() != first.outputs() {
            return wrong(format!("it tells {:?} apart, the first member {:?}", self.classes, first.classes));
        }
        if self.horizon != first.horizon {
            let (own, its) = (self.horizon, first.horizon);
            return wrong(format!("it looks {own} events ahead, the first member {its}"));
        }
        Ok(())
    }

    /// Checks the whole model and returns its plan.
    ///
    /// # Errors
    /// Every fault of contract, architecture, shapes and numbers, the first found.
    pub fn verify(&self) -> Result<Plan, ModelError> {
        self.contract.verify()?;
        let (contract, net) = (&self.contract, &self.architecture);
        if (contract.names.len(), contract.window) != (net.columns, net.window) {
            let text = format!(
                "the contract has {} columns and a window of {}, the network {} and {}",
                contract.names.len(),
                contract.window,
                net.columns,
                net.window
            );
            return Err(ModelError::new(Fault::Contract, text));
        }
        let plan = Plan::compile(net)?;
        let (given, wanted) = (self.parameters.len(), plan.parameters());
        if given != wanted {
            let text = format!("{given} parameters where the layers need {wanted}");
            return Err(ModelError::new(Fault::Shape, text));
        }
        if let Some(at) = self.parameters.iter().position(|value| !value.is_finite()) {
            let text = format!("parameter {at} is {}; train the model again", self.parameters[at]);
            return Err(ModelError::new(Fault::NotFinite, text));
        }
        let (classes, outputs) = (self.classes.len(), plan.outputs());
        if classes != 0 && classes != outputs {
            return Err(ModelError::new(Fault::Shape, format!("{classes} classes for {outputs} outputs")));
        }
        let reach = &self.reach;
        if reach.len() > net.nodes.len() || !reach.iter().all(|reach| *reach >= 0.0 && reach.is_finite()) {
            let text = "a calibrated reach is negative, NaN or infinite; calibrate the model again";
            return Err(ModelError::new(Fault::NotFinite, text));
        }
        Ok(plan)
    }

    /// Values the model gives each tick.
    pub fn outputs(&self) -> usize {
        Plan::compile(&self.architecture).map_or(0, |plan| plan.outputs())
    }

    /// Multiply-adds of one tick.
    pub fn multiply_adds(&self) -> usize {
        Plan::compile(&self.architecture).map_or(0, |plan| plan.multiply_adds())
    }

    /// Names what a weight swap must leave alone: columns, network, classes and precision. Scaling and reach may change with the weights.
    pub fn fingerprint(&self) -> u64 {
        let text = format!(
            "{:?}|{:?}|{:?}|{:?}",
            self.contract.names, self.architecture, self.classes, self.precision
        );
        head(&Sha256::digest(text.as_bytes()))
    }

    /// Checks that `other`'s weights may take the place of this model's.
    ///
    /// # Errors
    /// [`Fault::Contract`] or [`Fault::Architecture`] saying what differs.
    pub fn accepts(&self, other: &Model) -> Result<(), ModelError> {
        if self.contract.names != other.contract.names || self.contract.window != other.contract.window {
            return Err(ModelError::new(
                Fault::Contract,
                format!(
                    "{:?} takes other columns than {:?}; restart the line to change them",
                    other.name, self.name
                ),
            ));
        }
        if self.architecture != other.architecture || self.classes != other.classes {
            return Err(ModelError::new(
                Fault::Architecture,
                format!(
                    "{:?} has other layers or classes than {:?}; restart the line to change them",
                    other.name, self.name
                ),
            ));
        }
        Ok(())
    }
}

/// The first eight bytes of a digest as a number whose hexadecimal form reads like the digest's.
pub(crate) fn head(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::Model;
    use crate::error::Fault;
    use crate::train::Dice;
    use crate::{Activation, Plan, zoo};

    fn member(columns: usize, change: impl Fn(&mut Model)) -> Model {
        let net = zoo::mlp(columns, 1, &[4], Activation::Relu, 3, false);
        let parameters = Plan::compile(&net).expect("compiles").initial(&mut Dice::new(1));
        let mut model = Model::bare("member", net, parameters);
        change(&mut model);
        model
    }

    #[test]
    fn a_member_that_does_not_fit_is_refused_by_its_difference() {
        let first = member(4, |_| {});
        let own = |model: &mut Model| (model.contract.mean[0], model.contract.clip) = (5.0, 3.0);
        assert_eq!(member(4, own).joins(&first), Ok(()), "scaling is each member's own");
        let refused = |other: Model| {
            let error = other.joins(&first).expect_err("refused");
            assert_eq!(error.fault, Fault::Contract);
            error.text
        };
        assert!(refused(member(5, |_| {})).contains("5 columns, the first member 4"));
        let turned = refused(member(4, |model| model.contract.names.swap(1, 2)));
        assert!(turned.contains("column 1 is \"level.2\", the first member's \"level.1\""), "{turned}");
        let classes = || ["fall", "flat", "rise"].map(str::to_owned).to_vec();
        assert!(refused(member(4, |model| model.classes = classes())).contains("\"fall\""));
        assert!(refused(member(4, |model| model.horizon += 7)).contains("looks 7 events ahead"));
    }
}
