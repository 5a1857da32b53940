//! The feature contract: which columns a model takes and how they are scaled.
use crate::error::{Fault, ModelError};
use crate::plan::{COLUMNS_MAX, VALUE_MAX};

/// Columns, scaling and history that a model was trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// Columns in input order: `level.0` .. `level.39` or names of derived features.
    pub names: Vec<String>,
    /// Subtracted from each column.
    pub mean: Vec<f32>,
    /// Divides each column; positive.
    pub scale: Vec<f32>,
    /// Scaled inputs are limited to `[-clip, clip]`; positive.
    pub clip: f32,
    /// Rows of history in one input, newest last; 1 for models that keep their own state or none.
    pub window: usize,
}

fn fault(text: String) -> ModelError {
    ModelError::new(Fault::Contract, text)
}

impl Contract {
    /// A contract that changes nothing: mean 0, scale 1, clip at 1e30; for tests and benchmarks.
    pub fn identity(columns: usize) -> Self {
        Contract {
            names: (0..columns).map(|at| format!("level.{at}")).collect(),
            mean: vec![0.0; columns],
            scale: vec![1.0; columns],
            clip: 1e30,
            window: 1,
        }
    }

    /// Values the network takes: columns times rows of history.
    pub fn inputs(&self) -> usize {
        self.names.len() * self.window
    }

    /// Checks everything that can be checked without knowing the features.
    ///
    /// # Errors
    /// [`Fault::Contract`] or, for a NaN or infinite number, [`Fault::NotFinite`].
    pub fn verify(&self) -> Result<(), ModelError> {
        let columns = self.names.len();
        if !(1..=COLUMNS_MAX).contains(&columns) {
            return Err(fault(format!("{columns} columns; a contract has 1 to {COLUMNS_MAX}")));
        }
        if self.mean.len() != columns || self.scale.len() != columns {
            let (mean, scale) = (self.mean.len(), self.scale.len());
            return Err(fault(format!("{columns} columns but {mean} means and {scale} scales")));
        }
        for (at, name) in self.names.iter().enumerate() {
            if name.is_empty() || self.names[..at].contains(name) {
                return Err(fault(format!("column {at} {name:?} is empty or repeated")));
            }
        }
        for (at, (mean, scale)) in self.mean.iter().zip(&self.scale).enumerate() {
            if !mean.is_finite() || !scale.is_finite() {
                let text = format!("mean or scale of column {at} {:?} is NaN or infinite", self.names[at]);
                return Err(ModelError::new(Fault::NotFinite, text));
            }
            if !(*scale >= f32::MIN_POSITIVE && (1.0 / scale).is_finite()) {
                return Err(fault(format!(
                    "scale {scale} of column {at} {:?} is not positive",
                    self.names[at]
                )));
            }
        }
        if !(self.clip > 0.0 && self.clip.is_finite()) {
            return Err(fault(format!("clip {} is not a positive number", self.clip)));
        }
        if !(self.window >= 1 && self.window <= COLUMNS_MAX && self.inputs() <= VALUE_MAX) {
            let window = self.window;
            return Err(fault(format!(
                "window of {window} rows x {columns} columns; at most {VALUE_MAX} values"
            )));
        }
        Ok(())
    }

    /// Scales whole rows in place, as the engine does: `clamp((x - mean) / scale, -clip, clip)`.
    pub fn scale_rows(&self, rows: &mut [f32]) {
        for row in rows.chunks_exact_mut(self.names.len()) {
            for (x, (mean, scale)) in row.iter_mut().zip(self.mean.iter().zip(&self.scale)) {
                *x = ((*x - mean) * (1.0 / scale)).clamp(-self.clip, self.clip);
            }
        }
    }

    /// Place of each column in a row, as `find` knows the names.
    ///
    /// # Errors
    /// [`Fault::Contract`] naming the first column that `find` does not know.
    pub fn resolve(&self, find: impl Fn(&str) -> Option<usize>) -> Result<Vec<u32>, ModelError> {
        let place = |name: &String| match find(name) {
            Some(at) => Ok(at as u32),
            None => Err(fault(format!(
                "column {name:?} is not a feature of this build; train the model again with this version"
            ))),
        };
        self.names.iter().map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Contract;
    use crate::error::Fault;

    #[test]
    fn each_breach_is_named() {
        let good = Contract::identity(3);
        assert_eq!(good.verify(), Ok(()));
        let breach = |change: &dyn Fn(&mut Contract)| {
            let mut contract = good.clone();
            change(&mut contract);
            contract.verify().expect_err("a breach").fault
        };
        assert_eq!(breach(&|c| c.names.clear()), Fault::Contract);
        assert_eq!(breach(&|c| c.names[1] = "level.0".into()), Fault::Contract);
        assert_eq!(breach(&|c| c.mean.push(0.0)), Fault::Contract);
        assert_eq!(breach(&|c| c.mean[2] = f32::NAN), Fault::NotFinite);
        assert_eq!(breach(&|c| c.scale[0] = f32::INFINITY), Fault::NotFinite);
        assert_eq!(breach(&|c| c.scale[0] = 0.0), Fault::Contract);
        assert_eq!(breach(&|c| c.scale[0] = -1.0), Fault::Contract);
        assert_eq!(breach(&|c| c.clip = 0.0), Fault::Contract);
        assert_eq!(breach(&|c| c.clip = f32::NAN), Fault::Contract);
        assert_eq!(breach(&|c| c.window = 0), Fault::Contract);
        assert_eq!(breach(&|c| c.window = 100_000), Fault::Contract);
    }

    #[test]
    fn an_unknown_column_is_refused() {
        let contract = Contract::identity(2);
        assert_eq!(contract.resolve(|name| name.strip_prefix("level.")?.parse().ok()), Ok(vec![0, 1]));
        let known = |name: &str| (name == "level.0").then_some(0);
        let error = contract.resolve(known).expect_err("level.1 is unknown");
        assert_eq!(error.fault, Fault::Contract);
        assert!(error.text.contains("level.1"));
    }
}
