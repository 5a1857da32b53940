//! What can be wrong before learning starts, and with its doors.
use std::fmt;
use tickline_model::ModelError;
use tickline_weights::WeightsError;

/// Why a learner cannot start, go on from a checkpoint, or publish.
#[derive(Debug)]
pub enum LearnError {
    /// The model cannot be learned beside the line.
    Model(ModelError),
    /// A setting does not fit the model; the text names it, its value and what is possible.
    Setting(String),
    /// The checkpoint is damaged or belongs to another model or other settings; the text says which.
    Checkpoint(String),
    /// The checkpoint file cannot be read or written.
    File(String),
    /// The line's weights cannot be published.
    Weights(WeightsError),
}

impl LearnError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            LearnError::Model(error) => error.fault.name(),
            LearnError::Setting(_) => "LEARN_SETTING",
            LearnError::Checkpoint(_) => "LEARN_CHECKPOINT",
            LearnError::File(_) => "LEARN_FILE",
            LearnError::Weights(error) => error.code(),
        }
    }
}

impl fmt::Display for LearnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LearnError::Model(error) => write!(f, "{error}"),
            LearnError::Setting(text) | LearnError::Checkpoint(text) | LearnError::File(text) => {
                write!(f, "{}: {text}", self.code())
            }
            LearnError::Weights(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for LearnError {}

impl From<ModelError> for LearnError {
    fn from(error: ModelError) -> Self {
        LearnError::Model(error)
    }
}

impl From<WeightsError> for LearnError {
    fn from(error: WeightsError) -> Self {
        LearnError::Weights(error)
    }
}
