//! Why there is no data set.
use std::fmt;
use tickline_model::ModelError;

/// A refusal; its text begins with a stable code and says what to do.
#[derive(Debug, Clone, PartialEq)]
pub enum DataError {
    /// The capture cannot be read.
    Capture(String),
    /// The data are not what the task needs.
    Data(String),
    /// A model takes what no row has.
    Contract(String),
    /// The model engine refuses.
    Model(ModelError),
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataError::Capture(text) => write!(f, "TRAIN_CAPTURE: {text}"),
            DataError::Data(text) => write!(f, "TRAIN_DATA: {text}"),
            DataError::Contract(text) => write!(f, "MODEL_CONTRACT: {text}"),
            DataError::Model(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for DataError {}

impl From<ModelError> for DataError {
    fn from(error: ModelError) -> DataError {
        DataError::Model(error)
    }
}
