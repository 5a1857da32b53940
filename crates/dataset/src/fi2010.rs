//! The FI-2010 data set (Ntakaris et al. 2018) as its authors publish it: text, one row a feature, one column a sample.
use crate::error::DataError;
use crate::task::Task;
use std::io::BufRead;
use std::ops::Range;
use std::path::Path;
use tickline_model::Contract;
use tickline_model::train::{NO_CLASS, Rows, Targets};

/// Rows of a file: features, then a row of labels for each horizon.
pub const FI_ROWS: usize = 149;
/// Features of a sample: 40 level values, then 104 made from them.
pub const FI_COLUMNS: usize = 144;
/// Events that the label rows look ahead, in order.
const HORIZONS: [usize; 5] = [10, 20, 30, 50, 100];
/// Events between two samples.
const EVENTS: usize = 10;

/// One file of the data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Fi2010 {
    /// [`FI_COLUMNS`] numbers a sample.
    pub values: Vec<f32>,
    /// Class of each sample (0 down, 1 flat, 2 up) for 10, 20, 30, 50 and 100 events ahead.
    pub classes: [Vec<u8>; 5],
}

impl Fi2010 {
    /// Reads a file such as `Train_Dst_NoAuction_ZScore_CF_7.txt`.
    ///
    /// # Errors
    /// [`DataError::Capture`] when it cannot be read; [`DataError::Data`] naming the row and what stands there when it has not 149 rows
    /// of equally many numbers, the last five of labels 1 (up), 2 (flat) and 3 (down).
    pub fn read(path: &Path) -> Result<Fi2010, DataError> {
        let name = path.display();
        let unreadable = |error: std::io::Error| DataError::Capture(format!("{name}: {error}"));
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut rows: Vec<Vec<f32>> = Vec::new();
        for line in std::io::BufReader::new(file).lines() {
            let line = line.map_err(unreadable)?;
            if line.trim().is_empty() {
                continue;
            }
            rows.push(numbers(&line, rows.len()).map_err(|text| DataError::Data(format!("{name}: {text}")))?);
        }
        Fi2010::of(&rows).map_err(|text| {
            DataError::Data(format!(
                "{name}: {text}; FI-2010 has {FI_ROWS} rows (144 features, 5 of labels) and a column for each sample"
            ))
        })
    }

    fn of(rows: &[Vec<f32>]) -> Result<Fi2010, String> {
        let samples = rows.first().map_or(0, Vec::len);
        if rows.len() != FI_ROWS {
            return Err(format!("{} rows", rows.len()));
        }
        if let Some(row) = rows.iter().position(|row| row.len() != samples) {
            return Err(format!("row {} has {} numbers, row 1 {samples}", row + 1, rows[row].len()));
        }
        let (features, labels) = rows.split_at(FI_COLUMNS);
        let values = (0..samples).flat_map(|sample| features.iter().map(move |row| row[sample])).collect();
        let mut classes: [Vec<u8>; 5] = Default::default();
        for (nth, row) in labels.iter().enumerate() {
            for (sample, label) in row.iter().enumerate() {
                let class = match label {
                    1.0 => 2,
                    2.0 => 1,
                    3.0 => 0,
                    other => {
                        let row = FI_COLUMNS + nth + 1;
                        return Err(format!(
                            "row {row}, sample {}: label {other}, not 1, 2 or 3",
                            sample + 1
                        ));
                    }
                };
                classes[nth].push(class);
            }
        }
        Ok(Fi2010 { values, classes })
    }

    /// Samples.
    pub fn len(&self) -> usize {
        self.classes[0].len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A task on a training and a test file: `columns` is 40 (levels) or 144, `horizon` 10, 20, 30, 50 or 100 events, `held` the share of
    /// the training file that is held out at its end. The files are scaled already. The columns are called `fi2010.N`: no line has them, so no line takes the model.
    ///
    /// # Errors
    /// [`DataError::Data`] for other columns or horizons.
    pub fn task(
        train: &Fi2010,
        test: &Fi2010,
        columns: usize,
        horizon: usize,
        held: f64,
    ) -> Result<Task, DataError> {
        let Some(nth) = HORIZONS.iter().position(|each| *each == horizon) else {
            return Err(DataError::Data(format!(
                "FI-2010 has labels for {HORIZONS:?} events, not {horizon}"
            )));
        };
        if columns != 40 && columns != FI_COLUMNS {
            return Err(DataError::Data(format!(
                "{columns} columns; FI-2010 has 40 of levels, {FI_COLUMNS} in all"
            )));
        }
        let mut contract = Contract::identity(columns);
        contract.names = (0..columns).map(|at| format!("fi2010.{at}")).collect();
        let raw = |file: &Fi2010| -> Vec<f32> {
            file.values
                .chunks_exact(FI_COLUMNS)
                .flat_map(|sample| sample[..columns].iter().copied())
                .collect()
        };
        let rows = |file: &Fi2010, span: Range<usize>, known: usize| {
            let mut classes = file.classes[nth][span.clone()].to_vec();
            classes[known.min(span.len())..].fill(NO_CLASS);
            let raw = &raw(file)[span.start * columns..span.end * columns];
            Rows::new(&contract, raw, Targets::Classes(classes), &[])
        };
        let (classes, back) = (&test.classes[nth], horizon / EVENTS);
        let (all, trained) = (train.len(), train.len() - (train.len() as f64 * held) as usize);
        // A label that looks into what is held out is not learned.
        let known = if trained < all { trained.saturating_sub(back) } else { all };
        let before = |at: usize| at.checked_sub(back).map_or(1, |from| classes[from]);
        let bytes = train.values.iter().flat_map(|value| value.to_le_bytes());
        Ok(Task {
            train: rows(train, 0..trained, known)?,
            held: if trained < all { Some(rows(train, trained..all, all)?) } else { None },
            test: rows(test, 0..test.len(), test.len())?,
            test_raw: raw(test),
            persistence: (0..test.len()).map(before).collect(),
            events: (0..test.len()).collect(),
            horizon: back,
            stocks: 1,
            price: f64::NAN,
            threshold: f64::NAN,
            data_hash: tickline_model::file::digest(bytes.chain(train.classes[nth].iter().copied())),
            contract,
        })
    }
}

fn numbers(line: &str, row: usize) -> Result<Vec<f32>, String> {
    let number = |(at, text): (usize, &str)| match text.parse::<f32>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("row {}, sample {}: {text:?} is no number", row + 1, at + 1)),
    };
    line.split_ascii_whitespace().enumerate().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::{FI_COLUMNS, FI_ROWS, Fi2010, Task};

    fn file(samples: usize) -> Vec<Vec<f32>> {
        let label = |row: usize, sample: usize| ((row + sample) % 3 + 1) as f32;
        let value = |row: usize, sample: usize| row as f32 + sample as f32 / 100.0;
        let cell = |row, sample| if row < FI_COLUMNS { value(row, sample) } else { label(row, sample) };
        (0..FI_ROWS).map(|row| (0..samples).map(|sample| cell(row, sample)).collect()).collect()
    }

    #[test]
    fn samples_are_columns_and_labels_become_classes() {
        let read = Fi2010::of(&file(7)).expect("149 rows");
        assert_eq!(read.len(), 7);
        assert_eq!(read.values[2 * FI_COLUMNS + 5], 5.02);
        // Label rows 145 on: (144 + sample) % 3 + 1 is 1 (up), 2 (flat), 3 (down), ...
        assert_eq!(read.classes[0][..4], [2, 1, 0, 2]);
        assert_eq!(read.classes[1][..3], [1, 0, 2]);
        let task = Fi2010::task(&read, &read, 40, 20, 0.0).expect("a task");
        assert_eq!((task.contract.names.len(), task.train.len()), (40, 7));
        assert_eq!(task.persistence[..4], [1, 1, 1, 0], "what was known two samples before");
        assert!(Fi2010::task(&read, &read, 40, 15, 0.0).is_err());
        assert!(Fi2010::task(&read, &read, 41, 10, 0.0).is_err());
        let cut = Fi2010::task(&read, &read, 40, 20, 0.3).expect("a task");
        let held = cut.held.expect("two of seven samples");
        assert_eq!((cut.train.len(), held.len(), cut.test.len()), (5, 2, 7));
        // Two samples ahead: the last two that are trained on would look into what is held out.
        assert_eq!(Task::counts(&cut.train).iter().sum::<u32>(), 3);
        assert_eq!(held.span(0, 1), task.train.span(5, 6));
    }

    #[test]
    fn another_shape_is_refused_by_place() {
        let refusal = |change: &dyn Fn(&mut Vec<Vec<f32>>)| {
            let mut rows = file(4);
            change(&mut rows);
            Fi2010::of(&rows).expect_err("another shape")
        };
        assert_eq!(refusal(&|rows| rows.truncate(148)), "148 rows");
        assert_eq!(refusal(&|rows| rows[9].truncate(3)), "row 10 has 3 numbers, row 1 4");
        assert_eq!(refusal(&|rows| rows[146][2] = 4.0), "row 147, sample 3: label 4, not 1, 2 or 3");
        assert!(super::numbers("1.0 two", 3).expect_err("a word").contains("row 4, sample 2"));
    }
}
