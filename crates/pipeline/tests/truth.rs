//! Goal: books rebuilt from the captures equal the exchange's own book files at every point where these say something.
//! Method: each capture of `TICKLINE_DATA` (default: `../shared/data` beside the repository) runs through arbitration and books; after
//! each sequence number named by the truth file the top levels are compared with its row.
//! Skipped, with a word, where the data is absent: it is private and not part of the project.

use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use tickline_book::{BookId, Books, Level};
use tickline_packet::arbiter::{Arbiter, Config, Event, Gap, Join};
use tickline_packet::pcap::Capture;
use tickline_pipeline::{Outlet, Pipeline, Settings};
use tickline_units::{Nanos, Side, Symbol};
use tickline_wire::flat::features::{FeaturesBody, features_flag};
use tickline_wire::itch;

fn data(file: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TICKLINE_DATA").map(PathBuf::from);
    let root = root.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    let path = root.join("itch").join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is absent", path.display());
    None
}

fn text(path: &Path) -> String {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// Four numbers a level: ask price, ask size, bid price, bid size; an empty level is four zeros here.
fn book_row(books: &Books, id: BookId, levels: usize) -> Vec<i64> {
    let book = books.book(id).unwrap();
    let (mut asks, mut bids) = ([Level::default(); 10], [Level::default(); 10]);
    book.top(Side::Sell, levels, &mut asks);
    book.top(Side::Buy, levels, &mut bids);
    let four = |(ask, bid): (&Level, &Level)| {
        [ask.price.0 as i64, ask.qty as i64, bid.price.0 as i64, bid.qty as i64]
    };
    asks[..levels].iter().zip(&bids[..levels]).flat_map(four).collect()
}

fn truth_row(line: &str) -> Vec<i64> {
    let numbers: Vec<i64> = line.split(',').map(|n| n.trim().parse().unwrap()).collect();
    numbers.chunks(2).flat_map(|pair| if pair[1] == 0 { [0, 0] } else { [pair[0], pair[1]] }).collect()
}

struct Truth {
    levels: usize,
    /// Row of the book file by sequence number.
    rows: BTreeMap<u64, Vec<i64>>,
}

fn truth(symbol: &str) -> Option<Truth> {
    let statements: serde_json::Value =
        serde_json::from_str(&text(&data(&format!("{symbol}.truth.json.gz"))?)).unwrap();
    let file = text(&data(&format!("{symbol}.orderbook.csv.gz"))?);
    let lines: Vec<&str> = file.lines().collect();
    let book = &statements["books"][symbol];
    let first = book["first_row"].as_u64().unwrap() as usize;
    let rows = book["seq"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .filter_map(|(nth, sequence)| Some((sequence.as_u64()?, truth_row(lines[first + nth]))));
    // Where one sequence number closes several rows, the last one holds.
    Some(Truth { levels: book["levels"].as_u64().unwrap() as usize, rows: rows.collect() })
}

/// Plays a capture and calls `each` with the books after every message.
fn play(path: &Path, mut each: impl FnMut(&Books, u64)) -> (Books, Vec<Gap>) {
    let capture = Capture::open(path).unwrap();
    let mut arbiter = Arbiter::new(Config { join: Join::Beginning, ..Config::default() });
    let (mut books, mut gaps) = (Books::default(), Vec::new());
    for frame in capture.frames() {
        let sound = arbiter.accept(&frame, |event| match event {
            Event::Message { sequence, bytes } => {
                books.apply(&itch::decode(bytes).unwrap());
                each(&books, sequence);
            }
            Event::Gap(gap) => gaps.push(gap),
            _ => {}
        });
        assert_eq!(sound, Ok(()));
    }
    (books, gaps)
}

fn check(symbol: &str, expected_points: usize) {
    let (Some(path), Some(truth)) = (data(&format!("{symbol}.pcap.gz")), truth(symbol)) else { return };
    let mut checked = 0;
    let (books, gaps) = play(&path, |books, sequence| {
        if let Some(row) = truth.rows.get(&sequence) {
            let id = books.find(Symbol::new(symbol).unwrap()).unwrap();
            assert_eq!(&book_row(books, id, truth.levels), row, "{symbol} after message {sequence}");
            checked += 1;
        }
    });
    assert_eq!(checked, expected_points);
    assert_eq!((gaps.len(), books.anomalies().total()), (0, 0));
}

#[test]
fn goog_equals_its_book_file_at_ten_levels() {
    check("GOOG", 143_181);
}

#[test]
fn amzn_equals_its_book_file_at_five_levels() {
    check("AMZN", 151_932);
}

#[test]
fn two_lossy_lines_make_the_book_of_the_whole_one_except_where_both_lost() {
    let (Some(whole), Some(lines)) = (data("GOOG.pcap.gz"), data("GOOG.ab.pcap.gz")) else { return };
    let mut hashes = BTreeMap::new();
    play(&whole, |books, sequence| {
        if sequence % 997 == 0 {
            hashes.insert(sequence, books.hash());
        }
    });
    let mut first_differs = None;
    let (_, gaps) = play(&lines, |books, sequence| {
        if hashes.get(&sequence).is_some_and(|hash| *hash != books.hash()) {
            first_differs.get_or_insert(sequence);
        }
    });
    assert_eq!(gaps.len(), 5, "{gaps:?}");
    assert!(first_differs.is_none_or(|sequence| sequence > gaps[0].first));
    assert!(first_differs.is_some(), "lost messages do change a book");
}

/// Frames of the GOOG capture that carry a message changing its book or trading it, counted from the file by hand.
const FRAMES_WITH_UPDATES: u64 = 135_698;

/// Keeps what a test wants to know of the rows.
#[derive(Default)]
struct Rows {
    rows: u64,
    stale: u64,
    last_fresh: u64,
    last: Option<FeaturesBody>,
}

impl Outlet for Rows {
    fn row(&mut self, fill: impl FnOnce(&mut FeaturesBody)) {
        let mut body = FeaturesBody::default();
        fill(&mut body);
        self.rows += 1;
        if body.flags & features_flag::BOOK_STALE != 0 {
            self.stale += 1;
        } else {
            self.last_fresh = body.seq;
        }
        assert!(body.levels.iter().chain(&body.values).all(|x| x.is_finite()));
        if let Some(last) = &self.last {
            assert!(
                body.seq > last.seq || body.flags & features_flag::BOOK_STALE != 0,
                "one row a decision number"
            );
            assert!(body.time_ns >= last.time_ns);
        }
        self.last = Some(body);
    }
}

#[test]
fn rows_are_stale_from_the_first_gap_to_the_end_of_the_session_and_nowhere_else() {
    let (Some(whole), Some(lines)) = (data("GOOG.pcap.gz"), data("GOOG.ab.pcap.gz")) else { return };
    let settings = Settings {
        instruments: vec![Symbol::new("GOOG").unwrap()],
        arbiter: Config { join: Join::Beginning, ..Config::default() },
        books: Default::default(),
    };
    let run = |path: &Path| {
        let (mut pipeline, mut rows) = (Pipeline::new(&settings), Rows::default());
        let mut published = 0;
        let capture = Capture::open(path).unwrap();
        let mut last = Nanos(0);
        for frame in capture.frames() {
            published += pipeline.accept(&frame, &mut rows);
            last = frame.time;
        }
        published += pipeline.idle(Nanos(last.0 + 1_000_000_000), last, &mut rows);
        assert_eq!((published as u64, pipeline.counts().rows), (rows.rows, rows.rows));
        assert_eq!(pipeline.books().grown(), 0, "what is set aside by default is enough for a day");
        (pipeline, rows)
    };
    let (pipeline, rows) = run(&whole);
    assert_eq!((rows.stale, pipeline.counts().gaps), (0, 0));
    assert_eq!(rows.rows, FRAMES_WITH_UPDATES);
    let book = pipeline.books().book(BookId(0)).unwrap();
    let last = rows.last.unwrap();
    assert_eq!((last.bid, last.ask), (book.best(Side::Buy).price.0, book.best(Side::Sell).price.0));
    let (pipeline, rows) = run(&lines);
    assert_eq!(pipeline.counts().gaps, 5);
    let gap = pipeline.gaps()[0];
    assert!(rows.last_fresh < gap.first && rows.stale > 100_000, "fresh up to {}, {gap:?}", rows.last_fresh);
    assert!(pipeline.books().is_stale(BookId(0)));
}
