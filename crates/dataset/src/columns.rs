//! Which numbers of a row a model takes.
use tickline_features::{LEVELS, NAMES};

/// Numbers of a row: level values, then derived ones.
pub const COLUMNS: usize = LEVELS + NAMES.len();

/// Derived features that tell of trades. Sizes and prices of hidden orders enter them, and in captures made from book files those are
/// placed with knowledge of the future.
const TRADED: [&str; 5] = ["buy_rate", "sell_rate", "signed_volume", "signed_volume_1000", "vwap"];

/// A named choice of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// Ask price, ask size, bid price, bid size of this many levels, best first.
    Levels(usize),
    /// Derived features of the visible book alone.
    Book,
    /// All derived features.
    Derived,
}

impl Columns {
    /// `levels` (10), `levels-1` to `levels-10`, `book`, `derived`.
    pub fn named(name: &str) -> Option<Columns> {
        match name {
            "levels" => Some(Columns::Levels(LEVELS / 4)),
            "book" => Some(Columns::Book),
            "derived" => Some(Columns::Derived),
            _ => {
                let levels = name.strip_prefix("levels-")?.parse().ok()?;
                (1..=LEVELS / 4).contains(&levels).then_some(Columns::Levels(levels))
            }
        }
    }

    /// Names of the columns, in order, as a model file's contract has them.
    pub fn names(self) -> Vec<String> {
        match self {
            Columns::Levels(levels) => (0..4 * levels).map(|at| format!("level.{at}")).collect(),
            Columns::Book => {
                NAMES.iter().filter(|name| !TRADED.contains(name)).map(|name| (*name).to_owned()).collect()
            }
            Columns::Derived => NAMES.map(str::to_owned).to_vec(),
        }
    }
}

/// Place of a column in a row.
pub fn column(name: &str) -> Option<usize> {
    match name.strip_prefix("level.") {
        Some(number) => number.parse::<usize>().ok().filter(|at| *at < LEVELS && number == at.to_string()),
        None => NAMES.iter().position(|known| *known == name).map(|at| LEVELS + at),
    }
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, Columns, TRADED, column};
    use tickline_features::NAMES;

    #[test]
    fn every_choice_names_columns_that_a_row_has() {
        for (choice, count) in
            [("levels", 40), ("levels-1", 4), ("levels-5", 20), ("book", 35), ("derived", 40)]
        {
            let names = Columns::named(choice).expect("known").names();
            assert_eq!(names.len(), count, "{choice}");
            assert!(names.iter().all(|name| column(name).is_some_and(|at| at < COLUMNS)));
        }
        for wrong in ["levels-0", "levels-11", "levels-x", "everything", ""] {
            assert_eq!(Columns::named(wrong), None, "{wrong}");
        }
        assert!(TRADED.iter().all(|name| NAMES.contains(name)));
        assert_eq!((column("level.39"), column("level.40"), column("level.07")), (Some(39), None, None));
    }
}
