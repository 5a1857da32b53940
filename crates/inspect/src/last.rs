//! One symbol's book at the end of a capture.

use crate::book::{BookRun, rows};
use crate::fault::Fault;
use crate::stream::Stream;
use serde::Serialize;
use tickline_units::Symbol;

/// A level as people and programs read it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LevelSummary {
    /// Dollars x 10,000.
    pub price: u32,
    /// Shares.
    pub shares: u64,
    /// Orders.
    pub orders: u32,
}

/// The book after the last message of the symbol.
#[derive(Clone, Debug, Serialize)]
pub struct LastBook {
    /// The symbol.
    pub symbol: String,
    /// Sequence number of its last message.
    pub sequence: u64,
    /// Messages of the symbol.
    pub messages: u64,
    /// True if messages were lost on the way: the book may be wrong.
    pub stale: bool,
    /// Messages that did not fit the book.
    pub anomalies: u64,
    /// Byte offset of a last record of the capture that was cut off.
    pub truncated_at: Option<u64>,
    /// Best first.
    pub asks: Vec<LevelSummary>,
    /// Best first.
    pub bids: Vec<LevelSummary>,
}

/// Plays the whole capture and keeps the last book, `levels` deep.
pub fn last_book(stream: &mut Stream, symbol: Symbol, levels: usize) -> Result<LastBook, Fault> {
    let (mut sequence, mut asks, mut bids) = (0, Vec::new(), Vec::new());
    let BookRun { rows: messages, gaps, anomalies, .. } = rows(stream, symbol, levels, |row| {
        sequence = row.sequence;
        for (kept, side) in [(&mut asks, row.asks), (&mut bids, row.bids)] {
            kept.clear();
            kept.extend(side.iter().filter(|level| level.orders > 0).map(|level| LevelSummary {
                price: level.price.0,
                shares: level.qty,
                orders: level.orders,
            }));
        }
        Ok(())
    })?;
    let truncated_at = stream.capture().tail().map(|tail| tail.offset);
    let stale = !gaps.is_empty();
    Ok(LastBook { symbol: symbol.text(), sequence, messages, stale, anomalies, truncated_at, asks, bids })
}

impl LastBook {
    /// The table people read.
    pub fn table(&self) -> String {
        let stale = if self.stale { ", STALE: messages were lost" } else { "" };
        let mut out =
            format!("{} after message {}, {} of its own{stale}\n", self.symbol, self.sequence, self.messages);
        out.push_str(&format!("{:>10} {:>12}   {:<12} {:<10}\n", "shares", "bid", "ask", "shares"));
        for nth in 0..self.asks.len().max(self.bids.len()) {
            let side = |levels: &[LevelSummary]| {
                levels.get(nth).map_or((String::new(), String::new()), |level| {
                    let price = format!("{}.{:04}", level.price / 10_000, level.price % 10_000);
                    (price, level.shares.to_string())
                })
            };
            let ((bid, bid_shares), (ask, ask_shares)) = (side(&self.bids), side(&self.asks));
            out.push_str(&format!("{bid_shares:>10} {bid:>12}   {ask:<12} {ask_shares:<10}\n"));
        }
        if let Some(offset) = self.truncated_at {
            out.push_str(&format!("the capture's last record, at byte {offset}, is cut off\n"));
        }
        out
    }
}
