//! What can be wrong with a model file or with a swap: each fault is its own code.
use std::fmt;

/// Stable codes of model faults; the text of [`Fault::name`] is what tools and tests may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The file cannot be read or written.
    Io,
    /// The first eight bytes are not a model file's.
    Magic,
    /// The container's format version is not one this build reads.
    Version,
    /// The file is shorter or longer than its header says.
    Length,
    /// The payload's SHA-256 differs from the header's.
    Checksum,
    /// The payload is not a well-formed FlatBuffers model.
    Payload,
    /// A layer kind or activation this build does not know, or parameters a layer cannot have.
    Layer,
    /// A tensor is missing, misnamed or of another shape than its layer needs.
    Shape,
    /// A weight, mean or scale is NaN or infinite.
    NotFinite,
    /// The feature contract is wrong: unknown or repeated column, a scale or clip that is not positive, a wrong window.
    Contract,
    /// A weight swap would change the architecture.
    Architecture,
}

impl Fault {
    /// Every fault, for tables and tests.
    pub const ALL: [Fault; 11] = [
        Fault::Io,
        Fault::Magic,
        Fault::Version,
        Fault::Length,
        Fault::Checksum,
        Fault::Payload,
        Fault::Layer,
        Fault::Shape,
        Fault::NotFinite,
        Fault::Contract,
        Fault::Architecture,
    ];

    /// The stable code as users see it.
    pub const fn name(self) -> &'static str {
        match self {
            Fault::Io => "MODEL_IO",
            Fault::Magic => "MODEL_MAGIC",
            Fault::Version => "MODEL_VERSION",
            Fault::Length => "MODEL_LENGTH",
            Fault::Checksum => "MODEL_CHECKSUM",
            Fault::Payload => "MODEL_PAYLOAD",
            Fault::Layer => "MODEL_LAYER",
            Fault::Shape => "MODEL_SHAPE",
            Fault::NotFinite => "MODEL_NOT_FINITE",
            Fault::Contract => "MODEL_CONTRACT",
            Fault::Architecture => "MODEL_ARCHITECTURE",
        }
    }
}

/// A fault, where it is and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelError {
    /// Which fault.
    pub fault: Fault,
    /// What is wrong where, and the fix; one sentence or two.
    pub text: String,
}

impl ModelError {
    /// A fault with its explanation.
    pub fn new(fault: Fault, text: impl Into<String>) -> Self {
        ModelError { fault, text: text.into() }
    }

    /// The same fault with the file it was found in named first.
    #[must_use]
    pub fn in_file(mut self, path: &str) -> Self {
        self.text = format!("{path}: {}", self.text);
        self
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fault.name(), self.text)
    }
}

impl std::error::Error for ModelError {}

/// Why a tick got no prediction. Counted, never turned into a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum NoSignal {
    /// An input is NaN or infinite.
    InputNotFinite = 1,
    /// The input row or the output has another length than the model's.
    Length = 2,
    /// The model looks at a window of rows and has not seen enough of them yet.
    Filling = 3,
    /// The network's output is NaN or infinite.
    OutputNotFinite = 4,
}

impl NoSignal {
    /// Name as in counters.
    pub const fn name(self) -> &'static str {
        match self {
            NoSignal::InputNotFinite => "input_not_finite",
            NoSignal::Length => "length",
            NoSignal::Filling => "filling",
            NoSignal::OutputNotFinite => "output_not_finite",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn codes_are_distinct() {
        for (at, fault) in Fault::ALL.iter().enumerate() {
            assert!(Fault::ALL[..at].iter().all(|other| other.name() != fault.name()));
        }
    }
}
