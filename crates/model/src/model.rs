//! A model as data: contract, layers, parameters, and the record of its training.
use crate::contract::Contract;
use crate::error::{Fault, ModelError};
use crate::layer::{Layer, widths};
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

/// A whole model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Short name for people.
    pub name: String,
    /// What it takes.
    pub contract: Contract,
    /// What it does.
    pub layers: Vec<Layer>,
    /// All parameters, layer after layer, tensor after tensor, in the order of [`Layer::tensors`].
    pub parameters: Vec<f32>,
    /// Meaning of the outputs, one each; `down, flat, up` for direction models.
    pub classes: Vec<String>,
    /// Events ahead that the labels looked; 0 when that has no meaning.
    pub horizon: u32,
    /// How it was trained.
    pub training: TrainingRecord,
}

impl Model {
    /// Checks the whole model and returns the widths between its layers.
    ///
    /// # Errors
    /// Every fault of contract, layers, shapes and numbers, the first found.
    pub fn verify(&self) -> Result<Vec<usize>, ModelError> {
        self.contract.verify()?;
        let widths = widths(self.contract.inputs(), &self.layers)?;
        let wanted: usize = self.layers.iter().map(Layer::parameter_count).sum();
        if self.parameters.len() != wanted {
            let given = self.parameters.len();
            return Err(ModelError::new(
                Fault::Shape,
                format!("{given} parameters where the layers need {wanted}"),
            ));
        }
        if let Some(at) = self.parameters.iter().position(|value| !value.is_finite()) {
            let value = self.parameters[at];
            return Err(ModelError::new(
                Fault::NotFinite,
                format!("parameter {at} is {value}; train the model again"),
            ));
        }
        let outputs = widths[self.layers.len()];
        if !self.classes.is_empty() && self.classes.len() != outputs {
            let classes = self.classes.len();
            return Err(ModelError::new(Fault::Shape, format!("{classes} classes for {outputs} outputs")));
        }
        Ok(widths)
    }

    /// Values the model gives each tick.
    pub fn outputs(&self) -> usize {
        widths(self.contract.inputs(), &self.layers).map_or(0, |widths| widths[self.layers.len()])
    }

    /// Multiply-adds of one tick.
    pub fn multiply_adds(&self) -> usize {
        self.layers.iter().map(Layer::multiply_adds).sum()
    }

    /// Names what a weight swap must leave alone: columns, window, layers and classes. Scaling may change with the weights.
    pub fn fingerprint(&self) -> u64 {
        let text = format!(
            "{:?}|{}|{:?}|{:?}",
            self.contract.names, self.contract.window, self.layers, self.classes
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
        if self.layers != other.layers || self.classes != other.classes {
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
