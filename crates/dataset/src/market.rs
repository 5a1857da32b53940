//! A capture as rows: the same books and features as in the line.
use crate::columns::COLUMNS;
use crate::error::DataError;
use std::path::Path;
use tickline_features::{LEVELS, WINDOW as WARM};
use tickline_packet::arbiter::Join;
use tickline_packet::pcap::Capture;
use tickline_pipeline::{Outlet, Pipeline, Settings};
use tickline_units::{Nanos, Symbol};
use tickline_wire::flat::features::{FeaturesBody, features_flag};

/// Rows that inference does not answer either.
const UNUSABLE: u16 =
    features_flag::BOOK_STALE | features_flag::CROSSED | features_flag::ONE_SIDED | features_flag::WARMING_UP;

/// One instrument's rows in order.
#[derive(Debug, Clone, Default)]
pub struct Stock {
    /// [`COLUMNS`] numbers a row: levels, then derived features.
    pub values: Vec<f32>,
    /// Mid price of each row, 1/10,000 dollar; held while a side is empty.
    pub mids: Vec<f64>,
    /// Line time of each row, ns.
    pub times: Vec<u64>,
    /// Rows that a model answers.
    pub usable: Vec<bool>,
    /// Rows at which a stateful model forgets: the book was not to be trusted.
    pub stale: Vec<bool>,
}

impl Stock {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.mids.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.mids.is_empty()
    }
}

/// Every row of some instruments.
#[derive(Debug, Clone, Default)]
pub struct Market {
    /// In the order in which they were asked for.
    pub stocks: Vec<Stock>,
}

impl Outlet for Market {
    fn row(&mut self, fill: impl FnOnce(&mut FeaturesBody)) {
        let mut body = FeaturesBody::default();
        fill(&mut body);
        let Some(stock) = self.stocks.get_mut(usize::from(body.instrument)) else { return };
        let held = stock.mids.last().copied().unwrap_or(0.0);
        let whole = body.bid > 0 && body.ask > 0;
        let mid = (f64::from(body.bid) + f64::from(body.ask)) / 2.0;
        stock.mids.push(if whole { mid } else { held });
        stock.times.push(body.time_ns);
        stock.usable.push(whole && body.flags & UNUSABLE == 0);
        stock.stale.push(body.flags & features_flag::BOOK_STALE != 0);
        stock.values.extend_from_slice(&body.levels);
        stock.values.extend_from_slice(&body.values);
    }
}

impl Market {
    /// Plays a capture through the feed's pipeline.
    ///
    /// # Errors
    /// [`DataError::Capture`] when it cannot be read, [`DataError::Data`] for a text that is no symbol.
    pub fn read(capture: &Path, symbols: &[String]) -> Result<Market, DataError> {
        const { assert!(COLUMNS > LEVELS) };
        let symbol = |text: &String| {
            let wrong =
                || DataError::Data(format!("{text:?} is no stock symbol; give 1 to 8 capital letters"));
            Symbol::new(text).ok_or_else(wrong)
        };
        let instruments = symbols.iter().map(symbol).collect::<Result<Vec<_>, _>>()?;
        if let Some(twice) = symbols.iter().enumerate().find(|(at, text)| symbols[..*at].contains(text)) {
            return Err(DataError::Data(format!("{} is listed twice", twice.1)));
        }
        let capture = Capture::open(capture).map_err(|fault| DataError::Capture(fault.to_string()))?;
        let mut market = Market { stocks: instruments.iter().map(|_| Stock::default()).collect() };
        let arbiter = capture.arbiter(Join::Beginning);
        let mut pipeline = Pipeline::new(&Settings { instruments, arbiter, books: Default::default() });
        let mut last = Nanos(0);
        for frame in capture.frames() {
            last = frame.time;
            pipeline.accept(&frame, &mut market);
        }
        pipeline.idle(
            Nanos(last.0.saturating_add(arbiter.patience.0.max(1_000_000_000))),
            Nanos(0),
            &mut market,
        );
        Ok(market)
    }

    /// The line time at which `share` (0 to 1) of all rows are past; `u64::MAX` at 1.
    pub fn time_at(&self, share: f64) -> u64 {
        let mut times: Vec<u64> = self.stocks.iter().flat_map(|stock| stock.times.iter().copied()).collect();
        let place = (times.len() as f64 * share) as usize;
        if place >= times.len() {
            return u64::MAX;
        }
        *times.select_nth_unstable(place).1
    }

    /// Mean mid of the [`WARM`] rows before the time at which `share` of all rows are past, or of the first ones where there are none
    /// before: of rows, that is, which no test that begins there looks at. Over all stocks; NaN when there are no rows.
    pub fn price_at(&self, share: f64) -> f64 {
        let time = self.time_at(share);
        let (mut sum, mut count) = (0.0, 0.0);
        for stock in &self.stocks {
            let end = stock.times.partition_point(|each| *each < time).max(WARM.min(stock.len()));
            for mid in &stock.mids[end.saturating_sub(WARM)..end] {
                (sum, count) = (sum + mid, count + 1.0);
            }
        }
        sum / count
    }
}
