//! What can be wrong with the segment of weights.
use std::fmt;
use tickline_model::ModelError;
use tickline_ring::SegmentError;

/// Why weights cannot be attached or published.
#[derive(Debug)]
pub enum WeightsError {
    /// The segment itself.
    Segment(SegmentError),
    /// The model, or its fit to the running one.
    Model(ModelError),
    /// The segment is too small for three copies of the model's weights.
    Room {
        /// Bytes after the segment's header.
        given: usize,
        /// Bytes needed there.
        needed: usize,
    },
    /// The segment holds weights of another architecture or contract.
    Foreign {
        /// Fingerprint in the segment.
        found: u64,
        /// Fingerprint of the model.
        expected: u64,
    },
    /// Another process is publishing.
    Busy,
    /// The lock on the segment's file cannot be taken.
    Lock(String),
}

impl WeightsError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            WeightsError::Segment(_) => "WEIGHTS_SEGMENT",
            WeightsError::Model(error) => error.fault.name(),
            WeightsError::Room { .. } => "WEIGHTS_ROOM",
            WeightsError::Foreign { .. } => "WEIGHTS_FOREIGN",
            WeightsError::Busy => "WEIGHTS_BUSY",
            WeightsError::Lock(_) => "WEIGHTS_LOCK",
        }
    }
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WeightsError::Segment(error) => write!(f, "WEIGHTS_SEGMENT: {error}"),
            WeightsError::Model(error) => write!(f, "{error}"),
            WeightsError::Room { given, needed } => write!(
                f,
                "WEIGHTS_ROOM: the weights segment has {given} bytes, three copies of this model need {needed}; make it larger"
            ),
            WeightsError::Foreign { found, expected } => write!(
                f,
                "WEIGHTS_FOREIGN: the running line's model has fingerprint {found:016x}, this one {expected:016x}; \
                 another architecture or other columns need a restart of the line"
            ),
            WeightsError::Busy => {
                write!(
                    f,
                    "WEIGHTS_BUSY: another process is publishing weights to this line; try again when it is done"
                )
            }
            WeightsError::Lock(text) => write!(f, "WEIGHTS_LOCK: {text}"),
        }
    }
}

impl std::error::Error for WeightsError {}

impl From<SegmentError> for WeightsError {
    fn from(error: SegmentError) -> Self {
        WeightsError::Segment(error)
    }
}

impl From<ModelError> for WeightsError {
    fn from(error: ModelError) -> Self {
        WeightsError::Model(error)
    }
}
