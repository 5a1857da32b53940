//! The market turned over: what was bid is asked, what rose falls. A row and its mirror image are equally true of a market that has no
//! preference, so a training part with its image added teaches no drift of its one day.
use tickline_features::{LEVELS, NAMES};

/// Derived features that are turned round.
const SIGNED: [&str; 28] = [
    "mid_move",
    "micro_move",
    "imbalance_1",
    "imbalance_2",
    "imbalance_3",
    "imbalance_4",
    "imbalance_5",
    "imbalance_6",
    "imbalance_7",
    "imbalance_8",
    "imbalance_9",
    "imbalance_10",
    "depth_imbalance_3",
    "depth_imbalance_5",
    "depth_imbalance_10",
    "ofi",
    "ofi_100",
    "ofi_deep",
    "ofi_deep_100",
    "signed_volume",
    "signed_volume_1000",
    "ma_50",
    "ma_1000",
    "vwap",
    "macd",
    "macd_signal",
    "z_mid",
    "z_ofi",
];
/// Those that change places.
const SWAPPED: [(&str, &str); 2] = [("buy_rate", "sell_rate"), ("slope_bid", "slope_ask")];
/// The relative strength index is turned round its middle.
const MIDDLE: (&str, f32) = ("rsi", 100.0);

/// Writes the mirror image of a row of [`crate::COLUMNS`] numbers: prices are reflected at `level`, 1/10,000 dollar.
pub(crate) fn mirror(row: &[f32], level: f32, out: &mut Vec<f32>) {
    out.clear();
    out.extend_from_slice(row);
    let reflected = |price: f32| if price > 0.0 { 2.0 * level - price } else { 0.0 };
    for own in (0..LEVELS).step_by(4) {
        (out[own], out[own + 2]) = (reflected(row[own + 2]), reflected(row[own]));
        (out[own + 1], out[own + 3]) = (row[own + 3], row[own + 1]);
    }
    let place = |name: &str| NAMES.iter().position(|known| *known == name).map(|at| LEVELS + at);
    for at in SIGNED.iter().filter_map(|name| place(name)) {
        out[at] = -row[at];
    }
    for (one, other) in SWAPPED {
        if let (Some(one), Some(other)) = (place(one), place(other)) {
            out.swap(one, other);
        }
    }
    if let Some(at) = place(MIDDLE.0) {
        out[at] = MIDDLE.1 - row[at];
    }
}

#[cfg(test)]
mod tests {
    use super::mirror;
    use crate::columns::{COLUMNS, column, value_of};
    use tickline_features::{DEPTH, Features, LEVELS, NAMES, RELATIVE, Snapshot};
    use tickline_model::train::Dice;

    const LEVEL: u32 = 2_000_000;

    /// A random walk of books, some with an empty level.
    fn walk(seed: u64) -> Vec<Snapshot> {
        let mut dice = Dice::new(seed);
        let mut centre = LEVEL;
        let step = |_| {
            centre = centre + 100 * dice.below(4) as u32 - 100 * dice.below(4) as u32;
            let (mut book, mut bid, mut ask) = (Snapshot::default(), centre, centre + 100);
            for level in 0..DEPTH - dice.below(2) {
                (book.bid[level], book.bid_qty[level]) = (bid, 1 + dice.below(900) as u32);
                (book.ask[level], book.ask_qty[level]) = (ask, 1 + dice.below(900) as u32);
                bid -= 100 * (1 + dice.below(3) as u32);
                ask += 100 * (1 + dice.below(3) as u32);
            }
            book
        };
        (0..1500).map(step).collect()
    }

    fn image(book: &Snapshot) -> Snapshot {
        let turned = |prices: [u32; DEPTH]| prices.map(|price| if price > 0 { 2 * LEVEL - price } else { 0 });
        let Snapshot { bid, bid_qty, ask, ask_qty } = *book;
        Snapshot { bid: turned(ask), bid_qty: ask_qty, ask: turned(bid), ask_qty: bid_qty }
    }

    fn rows(books: impl Iterator<Item = Snapshot>) -> Vec<Vec<f32>> {
        let mut features = Features::new();
        let row = |(at, book): (usize, Snapshot)| {
            let (mut levels, mut values) = ([0.0; LEVELS], [0.0; NAMES.len()]);
            features.row_of(book, at as u64 * 1000, &mut values);
            book.write(&mut levels);
            [&levels[..], &values].concat()
        };
        books.enumerate().map(row).collect()
    }

    /// Goal: the image of a row is the row of the image. Method: a walk of books and its image through the features of the line.
    #[test]
    fn the_image_of_a_row_is_the_row_of_the_image() {
        let books = walk(5);
        let (plain, turned) = (rows(books.iter().copied()), rows(books.iter().map(image)));
        let mut made = Vec::new();
        for (at, (row, wanted)) in plain.iter().zip(&turned).enumerate() {
            mirror(row, LEVEL as f32, &mut made);
            for place in 0..COLUMNS + RELATIVE {
                let (a, b) = (value_of(&made, place), value_of(wanted, place));
                assert!((a - b).abs() <= 1e-3 * b.abs().max(1.0), "row {at}, place {place}: {a}, not {b}");
            }
        }
        let place = column("mid_move").expect("a column");
        assert!(plain.iter().any(|row| row[place] != 0.0), "the walk moves");
    }

    #[test]
    fn twice_turned_is_the_row_itself() {
        let row: Vec<f32> = (0..COLUMNS).map(|at| 100.0 + at as f32).collect();
        let (mut once, mut twice) = (Vec::new(), Vec::new());
        mirror(&row, 5000.0, &mut once);
        mirror(&once, 5000.0, &mut twice);
        assert_eq!(twice, row);
        assert!(once.iter().zip(&row).filter(|(a, b)| a != b).count() > LEVELS);
    }
}
