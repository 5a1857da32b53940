//! Which numbers of a row a model takes.
use tickline_features::{LEVELS, NAMES, relative, relative_names, relative_place};

/// Numbers of a row: level values, then derived ones.
pub const COLUMNS: usize = LEVELS + NAMES.len();

/// Derived features that tell of trades. Sizes and prices of hidden orders enter them, and in captures made from book files those are
/// placed with knowledge of the future.
const TRADED: [&str; 5] = ["buy_rate", "sell_rate", "signed_volume", "signed_volume_1000", "vwap"];

/// Derived features without a unit of the stock's own, of the five best levels alone.
const UNITLESS: [&str; 13] = [
    "imbalance_1",
    "imbalance_2",
    "imbalance_3",
    "imbalance_4",
    "imbalance_5",
    "depth_imbalance_3",
    "depth_imbalance_5",
    "volatility_burst",
    "rsi",
    "z_mid",
    "z_spread",
    "z_ofi",
    "gap_log",
];

/// Names of the columns, in order, as a model file's contract has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(Vec<String>);

impl Columns {
    /// What can be chosen, for messages.
    pub const KNOWN: &str = "levels, levels-N, relative, relative-N (N from 1 to 10), flow, book, derived, or several joined by +";

    /// The columns of a choice, or of several joined by `+`:
    ///
    /// - `levels` (10), `levels-1` to `levels-10`: ask price, ask size, bid price, bid size a level, best first;
    /// - `relative`, `relative-1` to `relative-10`: the same in no unit of the stock's own;
    /// - `flow`: moves, volatility, imbalances and order flow of the visible book, of five levels at most, in no unit of the stock's own;
    /// - `book`: derived features of the visible book alone;
    /// - `derived`: all of them, trades included.
    pub fn named(choice: &str) -> Option<Columns> {
        let mut names: Vec<String> = Vec::new();
        for part in choice.split('+') {
            let more = set(part)?;
            if more.iter().any(|name| names.contains(name)) {
                return None;
            }
            names.extend(more);
        }
        Some(Columns(names))
    }

    /// Their names.
    pub fn names(self) -> Vec<String> {
        self.0
    }
}

fn set(name: &str) -> Option<Vec<String>> {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let (kind, levels) = match name.rsplit_once('-') {
        None => (name, LEVELS / 4),
        Some((kind, number)) => (kind, number.parse().ok().filter(|n| (1..=LEVELS / 4).contains(n))?),
    };
    match (kind, name) {
        ("levels", _) => Some((0..4 * levels).map(|at| format!("level.{at}")).collect()),
        ("relative", _) => Some((0..4 * levels).map(|at| format!("level.{at}.rel")).collect()),
        (_, "flow") => Some(relative_names().map(str::to_owned).chain(UNITLESS.map(str::to_owned)).collect()),
        (_, "book") => {
            Some(own(&NAMES.into_iter().filter(|name| !TRADED.contains(name)).collect::<Vec<_>>()))
        }
        (_, "derived") => Some(own(&NAMES)),
        _ => None,
    }
}

/// Place of a column: in a row, or past it, where [`value`] makes it of the row's numbers.
pub fn column(name: &str) -> Option<usize> {
    if let Some(place) = relative_place(name) {
        return Some(COLUMNS + place);
    }
    match name.strip_prefix("level.") {
        Some(number) => number.parse::<usize>().ok().filter(|at| *at < LEVELS && number == at.to_string()),
        None => NAMES.iter().position(|known| *known == name).map(|at| LEVELS + at),
    }
}

/// The number at a place that [`column`] gave.
#[inline]
pub fn value(levels: &[f32; LEVELS], values: &[f32; NAMES.len()], place: usize) -> f32 {
    if place < LEVELS {
        levels[place]
    } else if place < COLUMNS {
        values[place - LEVELS]
    } else {
        relative(levels, values, place - COLUMNS)
    }
}

/// As [`value`], of a row of [`COLUMNS`] numbers.
pub(crate) fn value_of(row: &[f32], place: usize) -> f32 {
    match (row.first_chunk(), row.last_chunk()) {
        (Some(levels), Some(values)) if row.len() == COLUMNS => value(levels, values, place),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, Columns, TRADED, UNITLESS, column, value, value_of};
    use tickline_features::{NAMES, RELATIVE};

    #[test]
    fn every_choice_names_columns_that_a_row_has() {
        for (choice, count) in [
            ("levels", 40),
            ("levels-1", 4),
            ("levels-5", 20),
            ("relative", 40),
            ("relative-5", 20),
            ("flow", 26),
            ("book", 35),
            ("derived", 40),
            ("relative-5+flow", 46),
            ("levels+book", 75),
        ] {
            let names = Columns::named(choice).expect("known").names();
            assert_eq!(names.len(), count, "{choice}");
            assert!(names.iter().all(|name| column(name).is_some_and(|at| at < COLUMNS + RELATIVE)));
        }
        for wrong in
            ["levels-0", "levels-11", "levels-x", "flow-5", "everything", "", "flow+", "book+derived"]
        {
            assert_eq!(Columns::named(wrong), None, "{wrong}");
        }
        assert!(TRADED.iter().chain(&UNITLESS).all(|name| NAMES.contains(name)));
        assert_eq!((column("level.39"), column("level.40"), column("level.07")), (Some(39), None, None));
    }

    #[test]
    fn columns_of_the_visible_book_know_no_trade() {
        for choice in ["levels", "relative", "flow", "book"] {
            let names = Columns::named(choice).expect("known").names();
            assert!(names.iter().all(|name| TRADED.iter().all(|traded| !name.starts_with(traded))));
        }
    }

    #[test]
    fn a_place_gives_the_same_of_a_row_and_of_its_parts() {
        let row: Vec<f32> = (0..COLUMNS).map(|at| 1.0 + at as f32).collect();
        let (levels, values) = (row.first_chunk().expect("40"), row.last_chunk().expect("40"));
        for place in 0..COLUMNS + RELATIVE {
            assert_eq!(value(levels, values, place), value_of(&row, place));
        }
        assert_eq!((value_of(&row, 3), value_of(&row, 41)), (4.0, 42.0));
        assert_eq!(value_of(&row[1..], 3), 0.0);
    }
}
