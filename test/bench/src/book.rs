//! `book`: cost of a message through decoding, full books and features, against decoding alone (the floor) and the book that most people
//! write first (the peer), interleaved.

use crate::messages::Messages;
use crate::naive_book::NaiveBooks;
use crate::row::Row;
use crate::sample::Samples;
use clap::Args;
use std::hint::black_box;
use std::path::PathBuf;
use tickline_book::Books;
use tickline_clock::monotonic;
use tickline_features::{Features, LEVELS};
use tickline_units::Side;
use tickline_wire::itch::{self, Update};

/// What to measure on.
#[derive(Args)]
pub struct Options {
    /// Passes over all messages; the variants take turns (A B C A B C).
    #[arg(long, default_value_t = 9)]
    turns: usize,
    /// Folder that holds `itch/GOOG.pcap.gz` and `itch/AMZN.pcap.gz`; generated flow is used when they are absent.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
}

/// Messages timed together: long enough for the clock, short enough that most are not interrupted on a busy machine.
const CHUNK: usize = 4096;

/// Picoseconds per message, so that samples stay whole numbers.
struct Variant {
    name: &'static str,
    ps: Samples,
}

/// Runs the benchmark.
pub fn run(options: &Options) -> Result<Vec<Row>, String> {
    let messages = Messages::load(&options.data)?;
    let samples = options.turns * messages.len().div_ceil(CHUNK);
    let names = [
        "floor: decode",
        "decode + books",
        "decode + books + features",
        "peer: decode + HashMap and BTreeMap",
    ];
    let mut variants = names.map(|name| Variant { name, ps: Samples::with_capacity(samples) });
    let mut rows = 0;
    for _ in 0..options.turns {
        let [floor, ours, features, naive] = &mut variants;
        pass(&messages, &mut floor.ps, |update| {
            black_box(update);
        });
        let mut books = Books::default();
        let mut moved = 0u64;
        pass(&messages, &mut ours.ps, |update| {
            let change = books.apply(update);
            moved += u64::from(change.left.qty.0) + u64::from(change.entered.qty.0);
        });
        black_box(moved);
        let mut maker = RowMaker::new();
        pass(&messages, &mut features.ps, |update| maker.apply(update));
        rows = maker.rows;
        let mut peer = NaiveBooks::default();
        pass(&messages, &mut naive.ps, |update| peer.apply(update));
        same(&books, &peer)?;
    }
    let base = variants[3].ps.percentile(0.5);
    let books = variants[1].ps.percentile(0.5);
    let each_row = (variants[2].ps.percentile(0.5) - books) * messages.len() as f64 / rows.max(1) as f64;
    let about = format!("{}, {} messages", messages.origin, messages.len());
    let mut out: Vec<Row> = variants
        .iter_mut()
        .enumerate()
        .map(|(nth, variant)| {
            let speed =
                if nth == 1 { format!("; {:.2} x the peer's speed", base / books) } else { String::new() };
            row(variant.name, &mut variant.ps, format!("{about}; ns a message{speed}"))
        })
        .collect();
    out.push(Row {
        bench: "book",
        name: "features, each row".to_owned(),
        unit: "ns",
        p50: Some(each_row / 1e3),
        p99: None,
        p999: None,
        max: None,
        rate: Some(1e12 / each_row),
        note: format!("{about}; difference of two rows above over {rows} rows of features"),
    });
    Ok(out)
}

fn row(name: &str, ps: &mut Samples, note: String) -> Row {
    let mut at = |share| Some(ps.percentile(share) / 1e3);
    let (p50, p99, p999, max) = (at(0.5), at(0.99), at(0.999), at(1.0));
    Row {
        bench: "book",
        name: name.to_owned(),
        unit: "ns",
        p50,
        p99,
        p999,
        max,
        rate: p50.map(|ns| 1e9 / ns),
        note,
    }
}

/// One pass over all messages, decoded one by one; every chunk is a sample.
fn pass(messages: &Messages, ps: &mut Samples, mut each: impl FnMut(&Update)) {
    let (mut begin, mut chunk) = (monotonic().0, 0);
    for message in messages.iter() {
        if let Ok(update) = itch::decode(message) {
            each(&update);
        }
        chunk += 1;
        if chunk == CHUNK {
            let now = monotonic().0;
            ps.push((now - begin) * 1000 / CHUNK as u64);
            (begin, chunk) = (now, 0);
        }
    }
}

/// A row of features for every message that touches a book: more rows than the line makes, which makes one a frame.
struct RowMaker {
    books: Books,
    features: Vec<Features>,
    levels: [f32; LEVELS],
    values: [f32; 40],
    rows: u64,
}

impl RowMaker {
    fn new() -> RowMaker {
        let features = (0..4).map(|_| Features::new()).collect();
        RowMaker { books: Books::default(), features, levels: [0.0; LEVELS], values: [0.0; 40], rows: 0 }
    }

    fn apply(&mut self, update: &Update) {
        let change = self.books.apply(update);
        let features = self.features.get_mut(change.book.0 as usize).filter(|_| change.touches());
        let (Some(features), Some(book)) = (features, self.books.book(change.book)) else { return };
        if let Some(trade) = &change.trade {
            features.trade(trade);
        }
        features.row(&book, update.header.time, &mut self.levels, &mut self.values);
        black_box((&self.levels, &self.values));
        self.rows += 1;
    }
}

/// Both books must be right, or neither time means anything.
fn same(books: &Books, peer: &NaiveBooks) -> Result<(), String> {
    for locate in 1..=8 {
        let Some(book) = books.of_locate(locate).and_then(|id| books.book(id)) else { continue };
        for side in [Side::Buy, Side::Sell] {
            let best = book.best(side);
            let ours = (best.qty > 0).then_some((best.price.0, best.qty));
            if ours != peer.best(locate, side) {
                return Err(format!("{} differs from the peer's book: {ours:?}", book.symbol().text()));
            }
        }
    }
    if books.anomalies().total() > 0 || books.is_empty() {
        return Err(format!("{} messages failed a check", books.anomalies().total()));
    }
    Ok(())
}
