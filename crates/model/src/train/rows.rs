//! What is trained on: scaled rows in order, and what is wanted of each.
use crate::contract::Contract;
use crate::error::{Fault, ModelError};

/// A class that says: nothing is wanted of this row, it is only context.
pub const NO_CLASS: u8 = u8::MAX;

/// What is wanted of each row.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// A class each, or [`NO_CLASS`].
    Classes(Vec<u8>),
    /// `width` numbers each; a row whose first is NaN is only context.
    Values {
        /// Numbers a row.
        width: usize,
        /// Row after row.
        numbers: Vec<f32>,
    },
    /// The row itself, as an autoencoder gives it.
    Itself,
}

/// Rows of one or more sequences (instruments, days), one after another; windows and state never cross from one into the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    columns: usize,
    values: Vec<f32>,
    targets: Targets,
    /// First row of each sequence, and the number of rows at the end.
    starts: Vec<usize>,
}

impl Rows {
    /// Scales raw rows by a contract. `starts`: first row of each sequence, ascending from 0; empty for a single one.
    ///
    /// # Errors
    /// [`Fault::Contract`] when lengths do not fit; [`Fault::NotFinite`] naming the first row and column that is NaN or infinite.
    pub fn new(
        contract: &Contract,
        raw: &[f32],
        targets: Targets,
        starts: &[usize],
    ) -> Result<Rows, ModelError> {
        contract.verify()?;
        let columns = contract.names.len();
        let count = raw.len() / columns;
        let fault = |text: String| Err(ModelError::new(Fault::Contract, text));
        let wanted = match &targets {
            Targets::Classes(classes) => Some((classes.len(), 1)),
            Targets::Values { width, numbers } => Some((numbers.len(), *width)),
            Targets::Itself => None,
        };
        if raw.len() != count * columns || wanted.is_some_and(|(numbers, width)| numbers != count * width) {
            return fault(format!("{} numbers in rows of {columns}, with {wanted:?} targets", raw.len()));
        }
        let mut starts = starts.to_vec();
        if starts.is_empty() {
            starts.push(0);
        }
        if starts[0] != 0 || !starts.is_sorted() || starts.last().is_some_and(|last| *last > count) {
            return fault(format!(
                "sequences start at {starts:?} in {count} rows; ascending from 0 is possible"
            ));
        }
        starts.push(count);
        if let Some(at) = raw.iter().position(|value| !value.is_finite()) {
            let (row, column) = (at / columns, &contract.names[at % columns]);
            return Err(ModelError::new(
                Fault::NotFinite,
                format!("row {row}, column {column:?} is {}", raw[at]),
            ));
        }
        let mut values = raw.to_vec();
        contract.scale_rows(&mut values);
        Ok(Rows { columns, values, targets, starts })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.columns
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Numbers a row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// What is wanted.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The same rows with other targets, for shuffled-label tests and other horizons.
    ///
    /// # Errors
    /// [`Fault::Contract`] when there are not as many.
    pub fn with_targets(mut self, targets: Targets) -> Result<Rows, ModelError> {
        let fits = match &targets {
            Targets::Classes(classes) => classes.len() == self.len(),
            Targets::Values { width, numbers } => numbers.len() == width * self.len(),
            Targets::Itself => true,
        };
        if !fits {
            return Err(ModelError::new(
                Fault::Contract,
                format!("{} rows want as many targets", self.len()),
            ));
        }
        self.targets = targets;
        Ok(self)
    }

    /// The scaled numbers of rows `from..to`.
    pub fn span(&self, from: usize, to: usize) -> &[f32] {
        &self.values[from * self.columns..to * self.columns]
    }

    /// Ranges of rows, one a sequence.
    pub fn sequences(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.starts.windows(2).map(|pair| pair[0]..pair[1])
    }

    /// True when something is wanted of a row.
    pub fn is_wanted(&self, row: usize) -> bool {
        match &self.targets {
            Targets::Classes(classes) => classes[row] != NO_CLASS,
            Targets::Values { width, numbers } => !numbers[row * width].is_nan(),
            Targets::Itself => true,
        }
    }

    /// What is wanted of a row.
    pub fn target(&self, row: usize) -> Target<'_> {
        match &self.targets {
            Targets::Classes(classes) if classes[row] == NO_CLASS => Target::Nothing,
            Targets::Classes(classes) => Target::Class(classes[row]),
            Targets::Values { width, numbers } if numbers[row * width].is_nan() => Target::Nothing,
            Targets::Values { width, numbers } => Target::Values(&numbers[row * width..(row + 1) * width]),
            Targets::Itself => Target::Values(self.span(row, row + 1)),
        }
    }

    /// Last rows of all whole windows of which something is wanted.
    pub fn window_ends(&self, window: usize) -> Vec<u32> {
        let mut ends = Vec::new();
        for sequence in self.sequences() {
            let first = sequence.start + window - 1;
            ends.extend((first..sequence.end).filter(|row| self.is_wanted(*row)).map(|row| row as u32));
        }
        ends
    }
}

/// What is wanted of one answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target<'a> {
    /// A class.
    Class(u8),
    /// Numbers, as many as the answer has.
    Values(&'a [f32]),
    /// Nothing: the answer is not looked at.
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::{NO_CLASS, Rows, Target, Targets};
    use crate::contract::Contract;
    use crate::error::Fault;

    #[test]
    fn windows_stay_in_their_sequence_and_context_is_not_wanted() {
        let contract = Contract::identity(2);
        let raw: Vec<f32> = (0..16).map(|value| value as f32).collect();
        let classes = vec![0, 1, 2, NO_CLASS, 0, 1, 2, 0];
        let rows = Rows::new(&contract, &raw, Targets::Classes(classes), &[0, 4]).expect("fits");
        assert_eq!(rows.window_ends(1), [0, 1, 2, 4, 5, 6, 7]);
        assert_eq!(rows.window_ends(3), [2, 6, 7]);
        assert_eq!(rows.target(3), Target::Nothing);
        assert_eq!(rows.target(5), Target::Class(1));
        assert_eq!(rows.span(1, 2), [2.0, 3.0]);
        assert!(rows.window_ends(5).is_empty());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let contract = Contract::identity(2);
        let fault = |raw: &[f32], targets, starts: &[usize]| {
            Rows::new(&contract, raw, targets, starts).expect_err("does not fit").fault
        };
        assert_eq!(fault(&[0.0; 3], Targets::Itself, &[]), Fault::Contract);
        assert_eq!(fault(&[0.0; 4], Targets::Classes(vec![0]), &[]), Fault::Contract);
        assert_eq!(fault(&[0.0; 4], Targets::Itself, &[1]), Fault::Contract);
        assert_eq!(fault(&[0.0; 4], Targets::Itself, &[0, 3]), Fault::Contract);
        let error = Rows::new(&contract, &[0.0, 1.0, 0.0, f32::NAN], Targets::Itself, &[]).expect_err("NaN");
        assert_eq!(error.fault, Fault::NotFinite);
        assert!(error.text.contains("row 1, column \"level.1\""), "{}", error.text);
    }
}
