//! A capture becomes rows with labels: the same books and features as in the line, mid prices a horizon ahead, a split in time.

use std::path::Path;
use tickline_features::NAMES;
use tickline_model::train::{label, move_sizes, persistence, threshold};
use tickline_packet::arbiter::{Config, Join};
use tickline_packet::pcap::Capture;
use tickline_pipeline::{Outlet, Pipeline, Settings};
use tickline_units::{Nanos, Symbol};
use tickline_wire::flat::features::{FeaturesBody, features_flag};

/// Rows that inference does not answer either.
const UNUSABLE: u16 =
    features_flag::BOOK_STALE | features_flag::CROSSED | features_flag::ONE_SIDED | features_flag::WARMING_UP;
/// Fewest rows of a part; below this nothing can be learned or shown.
const ROWS_MIN: usize = 500;

/// What to extract.
pub(super) struct Extract<'a> {
    pub(super) capture: &'a Path,
    pub(super) symbols: &'a [String],
    pub(super) horizon: usize,
    pub(super) train_share: f64,
    pub(super) flat_share: f64,
}

/// Usable rows of a stretch of time, instrument after instrument.
#[derive(Default)]
pub(super) struct Part {
    /// Derived features, unscaled.
    pub(super) rows: Vec<f32>,
    /// Class of each row.
    pub(super) classes: Vec<u8>,
    /// The persistence forecast of each row.
    pub(super) persistence: Vec<u8>,
}

impl Part {
    /// Rows of a class.
    pub(super) fn count(&self, class: u8) -> u32 {
        self.classes.iter().filter(|each| **each == class).count() as u32
    }

    /// Names the data: equal rows and classes hash equally.
    pub(super) fn hash(&self) -> u64 {
        tickline_model::file::digest(
            self.rows.iter().flat_map(|value| value.to_le_bytes()).chain(self.classes.iter().copied()),
        )
    }
}

/// Training and test part.
pub(super) struct Split {
    pub(super) train: Part,
    pub(super) test: Part,
    /// In 1/10,000 dollar.
    pub(super) threshold: f64,
}

/// One instrument's rows in order.
#[derive(Default)]
struct Stock {
    values: Vec<[f32; NAMES.len()]>,
    mids: Vec<f64>,
    times: Vec<u64>,
    usable: Vec<bool>,
}

/// Every instrument's rows.
struct Stocks(Vec<Stock>);

impl Outlet for Stocks {
    fn row(&mut self, fill: impl FnOnce(&mut FeaturesBody)) {
        let mut body = FeaturesBody::default();
        fill(&mut body);
        let Some(stock) = self.0.get_mut(usize::from(body.instrument)) else { return };
        let held = stock.mids.last().copied().unwrap_or(0.0);
        let whole = body.bid > 0 && body.ask > 0;
        let mid = (f64::from(body.bid) + f64::from(body.ask)) / 2.0;
        stock.mids.push(if whole { mid } else { held });
        stock.times.push(body.time_ns);
        stock.usable.push(whole && body.flags & UNUSABLE == 0);
        stock.values.push(body.values);
    }
}

fn read(extract: &Extract<'_>) -> Result<Vec<Stock>, String> {
    let symbol = |text: &String| {
        Symbol::new(text)
            .ok_or_else(|| format!("TRAIN_DATA: {text:?} is no stock symbol; give 1 to 8 capital letters"))
    };
    let instruments = extract.symbols.iter().map(symbol).collect::<Result<Vec<_>, _>>()?;
    let capture = Capture::open(extract.capture).map_err(|fault| format!("TRAIN_CAPTURE: {fault}"))?;
    let mut stocks = Stocks(instruments.iter().map(|_| Stock::default()).collect());
    let arbiter = Config { join: Join::Beginning, ..Default::default() };
    let mut pipeline = Pipeline::new(&Settings { instruments, arbiter, books: Default::default() });
    let mut last = Nanos(0);
    for frame in capture.frames() {
        last = frame.time;
        pipeline.accept(&frame, &mut stocks);
    }
    pipeline.idle(Nanos(last.0.saturating_add(1_000_000_000)), Nanos(0), &mut stocks);
    Ok(stocks.0)
}

/// Reads the capture and splits its rows. A training row whose label looks past the cut is dropped, so that no label of the training
/// part has seen the test part.
///
/// # Errors
/// A text that begins with a stable code.
pub(super) fn split(extract: &Extract<'_>) -> Result<Split, String> {
    let stocks = read(extract)?;
    let path = extract.capture.display();
    let mut times: Vec<u64> = stocks.iter().flat_map(|stock| stock.times.iter().copied()).collect();
    times.sort_unstable();
    let place = (times.len() as f64 * extract.train_share) as usize;
    let Some(cut) = times.get(place).copied() else {
        return Err(format!(
            "TRAIN_DATA: {path}: no rows for {}; check the symbols",
            extract.symbols.join(", ")
        ));
    };
    let horizon = extract.horizon;
    let trained = |stock: &Stock| stock.times.partition_point(|time| *time < cut);
    let sizes = stocks.iter().flat_map(|stock| move_sizes(&stock.mids[..trained(stock)], horizon)).collect();
    let threshold = threshold(sizes, extract.flat_share);
    let mut split = Split { train: Part::default(), test: Part::default(), threshold };
    for stock in &stocks {
        let classes = label(&stock.mids, horizon, threshold).classes;
        let before = persistence(&stock.mids, horizon, threshold);
        let end = trained(stock);
        for (at, class) in classes.iter().enumerate() {
            let (Some(class), true) = (class, stock.usable[at]) else { continue };
            let part = match at {
                at if at + horizon < end => &mut split.train,
                at if at >= end => &mut split.test,
                _ => continue,
            };
            part.rows.extend_from_slice(&stock.values[at]);
            part.classes.push(*class);
            part.persistence.push(before[at]);
        }
    }
    for (name, part) in [("training", &split.train), ("test", &split.test)] {
        let rows = part.classes.len();
        if rows < ROWS_MIN {
            return Err(format!(
                "TRAIN_DATA: {path}: {rows} usable rows in the {name} part, at least {ROWS_MIN} are needed; use a longer capture"
            ));
        }
        if let Some(class) = (0..3).find(|class| part.count(*class) == 0) {
            let class = tickline_model::train::CLASSES[usize::from(class)];
            return Err(format!(
                "TRAIN_DATA: {path}: no {class} row in the {name} part; use a longer capture or another horizon"
            ));
        }
    }
    Ok(split)
}
