//! What flows between nodes: a block of numbers with three axes.
use std::fmt;

/// Sizes of one value, stored `[time][width][channels]`, channels innermost.
///
/// A stateful network's values have one time a tick; a window network's have as many as its window, until a layer folds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows of history.
    pub time: usize,
    /// Places in a row; a network's input has one a column.
    pub width: usize,
    /// Numbers at a place.
    pub channels: usize,
}

impl Shape {
    /// `[time][1][features]`.
    pub fn rows(time: usize, features: usize) -> Shape {
        Shape { time, width: 1, channels: features }
    }

    /// Numbers at one time.
    pub fn features(self) -> usize {
        self.width * self.channels
    }

    /// Numbers in all.
    pub fn len(self) -> usize {
        self.time * self.width * self.channels
    }

    /// True when an axis is empty; no value of a checked network is.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The same with another number of times.
    #[must_use]
    pub fn with_time(self, time: usize) -> Shape {
        Shape { time, ..self }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.time, self.width, self.channels)
    }
}
