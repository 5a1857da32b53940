//! Why a capture cannot be inspected.

use std::{fmt, io};
use tickline_packet::pcap;

/// What went wrong; each has a stable code.
#[derive(Debug)]
pub enum Fault {
    /// The capture cannot be read.
    Capture(pcap::Fault),
    /// The capture has no message of the symbol.
    Symbol {
        /// The capture.
        file: String,
        /// The symbol asked for.
        symbol: String,
        /// Symbols it has, at most ten, and how many there are.
        known: Vec<String>,
        /// Number of symbols.
        count: usize,
    },
    /// The output cannot be written.
    Output(io::Error),
}

impl Fault {
    /// Stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::Capture(fault) => fault.code(),
            Fault::Symbol { .. } => "CAPTURE_NO_SYMBOL",
            Fault::Output(_) => "OUTPUT",
        }
    }
}

impl From<pcap::Fault> for Fault {
    fn from(fault: pcap::Fault) -> Fault {
        Fault::Capture(fault)
    }
}

impl From<io::Error> for Fault {
    fn from(fault: io::Error) -> Fault {
        Fault::Output(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Capture(fault) => fault.fmt(f),
            Fault::Symbol { file, symbol, known, count } => {
                write!(f, "{file}: no message of symbol {symbol}; it has ")?;
                match count {
                    0 => write!(f, "no symbol at all"),
                    _ if *count > known.len() => {
                        write!(f, "{} and {} more", known.join(", "), count - known.len())
                    }
                    _ => write!(f, "{}", known.join(", ")),
                }
            }
            Fault::Output(fault) => {
                write!(f, "the output cannot be written ({fault}); check the disk or the reader")
            }
        }
    }
}

impl std::error::Error for Fault {}
