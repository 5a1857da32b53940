//! Goal: the books of real order flow are right to the share at every truth point.
//! Method: play each capture through arbitration and books, and compare every row that the order-book file speaks of. The data
//! is not part of the project: without it (`TICKLINE_DATA`, else `../shared/data`) the tests say so and pass.

use flate2::read::GzDecoder;
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use tickline_book::{Books, Level};
use tickline_inspect::{Options, Row, Stream, rows, summary};
use tickline_packet::arbiter::Event;
use tickline_packet::pcap::Capture;
use tickline_units::{Side, Symbol};
use tickline_wire::itch;

fn itch_data() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("TICKLINE_DATA").map_or(root, PathBuf::from).join("itch");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {} is absent; set TICKLINE_DATA to the data folder", folder.display());
    None
}

fn unzipped(path: &Path) -> impl Read + use<> {
    GzDecoder::new(File::open(path).unwrap_or_else(|why| panic!("{}: {why}", path.display())))
}

fn stream(path: &Path) -> Stream {
    Stream::new(Capture::open(path).unwrap(), &Options::default())
}

/// Sequence number -> the order-book file's row, for one symbol.
fn truth(folder: &Path, capture: &str, symbol: &str) -> (usize, HashMap<u64, Vec<i64>>) {
    let whole: Json =
        serde_json::from_reader(unzipped(&folder.join(format!("{capture}.truth.json.gz")))).unwrap();
    let book = &whole["books"][symbol];
    let first = book["first_row"].as_u64().unwrap() as usize;
    let sequences: Vec<Option<u64>> =
        book["seq"].as_array().unwrap().iter().map(|sequence| sequence.as_u64()).collect();
    let lines = BufReader::new(unzipped(&folder.join(format!("{symbol}.orderbook.csv.gz")))).lines();
    let told = sequences
        .into_iter()
        .zip(lines.skip(first))
        .filter_map(|(sequence, line)| {
            let row = line.unwrap().split(',').map(|number| number.parse().unwrap()).collect();
            Some((sequence?, row))
        })
        .collect();
    (book["levels"].as_u64().unwrap() as usize, told)
}

/// A row of ours as the file would have it: an empty level is 9999999999 or -9999999999 there, 0 here.
fn as_told(asks: &[Level], bids: &[Level]) -> Vec<i64> {
    let side = |level: &Level, empty| match level.price.0 {
        0 => [empty, 0],
        price => [i64::from(price), level.qty as i64],
    };
    asks.iter()
        .zip(bids)
        .flat_map(|(ask, bid)| [side(ask, 9_999_999_999), side(bid, -9_999_999_999)])
        .flatten()
        .collect()
}

/// Plays a capture and returns (truth points, those that were right, sequence numbers of wrong ones).
fn compare(folder: &Path, capture: &str, truth_of: &str, symbol: &str) -> (usize, usize, HashSet<u64>) {
    let (levels, told) = truth(folder, truth_of, symbol);
    let mut stream = stream(&folder.join(format!("{capture}.pcap.gz")));
    let (mut right, mut wrong) = (0, HashSet::new());
    rows(&mut stream, Symbol::new(symbol).unwrap(), levels, |row| {
        if let Some(expected) = told.get(&row.sequence) {
            if *expected == as_told(row.asks, row.bids) {
                right += 1;
            } else {
                wrong.insert(row.sequence);
            }
        }
        Ok(())
    })
    .unwrap();
    (told.len(), right, wrong)
}

#[test]
fn goog_is_right_at_every_truth_point_ten_levels_deep() {
    let Some(folder) = itch_data() else { return };
    let (points, right, _) = compare(&folder, "GOOG", "GOOG", "GOOG");
    assert_eq!((points, right), (143_181, 143_181));
}

#[test]
fn amzn_is_right_at_every_truth_point_five_levels_deep() {
    let Some(folder) = itch_data() else { return };
    let (points, right, _) = compare(&folder, "AMZN", "AMZN", "AMZN");
    assert_eq!((points, right), (151_932, 151_932));
}

#[test]
fn books_of_a_burst_that_starts_with_a_snapshot_are_right() {
    let Some(folder) = itch_data() else { return };
    // The file of the third symbol, AAPL, is not part of the data.
    for (symbol, expected) in [("AMZN", 8), ("GOOG", 1_505)] {
        let (points, right, _) = compare(&folder, "burst", "burst", symbol);
        assert_eq!((points, right), (expected, expected), "{symbol}");
    }
}

#[test]
fn two_lossy_lines_give_the_manifests_gaps_and_the_same_books_elsewhere() {
    let Some(folder) = itch_data() else { return };
    let manifest: Json = serde_json::from_reader(File::open(folder.join("manifest.json")).unwrap()).unwrap();
    let listed: Vec<(u64, u64)> = manifest["captures"]["GOOG.ab.pcap.gz"]["double_losses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gap| (gap["first_seq"].as_u64().unwrap(), gap["messages"].as_u64().unwrap()))
        .collect();
    let found = summary(&mut stream(&folder.join("GOOG.ab.pcap.gz")));
    assert_eq!(found.gaps.iter().map(|gap| (gap.first, gap.count)).collect::<Vec<_>>(), listed);
    assert_eq!(found.packets, manifest["captures"]["GOOG.ab.pcap.gz"]["frames"].as_u64().unwrap());
    assert_eq!(listed, [(24_396, 2), (51_772, 1), (62_568, 1), (83_454, 1), (101_447, 1)]);
    assert_eq!((found.malformed, found.unknown, found.losses, found.messages), (0, 0, 6, 156_269));
    let lost = &manifest["captures"]["GOOG.ab.pcap.gz"]["lost"];
    let sent = manifest["captures"]["GOOG.ab.pcap.gz"]["sent_per_line"].as_u64().unwrap();
    for line in &found.lines {
        assert_eq!(line.packets, sent - lost[line.line].as_u64().unwrap(), "line {}", line.line);
    }
}

/// Rows of GOOG ten levels deep, as text, by sequence number.
fn goog_rows(stream: &mut Stream) -> HashMap<u64, Vec<u8>> {
    let mut found = HashMap::new();
    rows(stream, Symbol::new("GOOG").unwrap(), 10, |row| {
        let mut text = Vec::new();
        row.write_csv(&mut text);
        found.insert(row.sequence, text);
        Ok(())
    })
    .unwrap();
    found
}

/// Rows of GOOG ten levels deep, as `goog_rows`, from one capture with messages taken out before its books see them.
fn goog_rows_without(stream: &mut Stream, lost: &HashSet<u64>) -> HashMap<u64, Vec<u8>> {
    let (mut books, mut found) = (Books::default(), HashMap::new());
    let (mut asks, mut bids) = ([Level::default(); 10], [Level::default(); 10]);
    stream.run(|event| {
        let Event::Message { sequence, bytes } = event else { return };
        if lost.contains(&sequence) {
            return;
        }
        let change = books.apply(&itch::decode(bytes).unwrap());
        if let Some(book) = books.book(change.book) {
            book.top(Side::Sell, 10, &mut asks);
            book.top(Side::Buy, 10, &mut bids);
            let mut text = Vec::new();
            Row { sequence, asks: &asks, bids: &bids }.write_csv(&mut text);
            found.insert(sequence, text);
        }
    });
    found
}

/// What both lines lost cannot show in a book: everything else must.
const LOST: [u64; 6] = [24_396, 24_397, 51_772, 62_568, 83_454, 101_447];

#[test]
fn two_lossy_lines_give_a_row_for_every_message_and_only_the_listed_losses_are_missing_from_the_books() {
    let Some(folder) = itch_data() else { return };
    let lost = HashSet::from(LOST);
    let expected = goog_rows_without(&mut stream(&folder.join("GOOG.pcap.gz")), &lost);
    let both = goog_rows(&mut stream(&folder.join("GOOG.ab.pcap.gz")));
    assert_eq!(both.len(), 156_269 - LOST.len());
    assert!(both == expected, "books differ by more than the lost messages");
}

#[test]
fn before_the_first_gap_the_books_are_those_of_one_line_and_filled_gaps_make_all_of_them_so() {
    let Some(folder) = itch_data() else { return };
    let single = goog_rows(&mut stream(&folder.join("GOOG.pcap.gz")));
    let both = goog_rows(&mut stream(&folder.join("GOOG.ab.pcap.gz")));
    let mut before = both.iter().filter(|&(&sequence, _)| sequence < LOST[0]);
    assert!(before.all(|(sequence, row)| single[sequence] == *row));

    let mut filled =
        stream(&folder.join("GOOG.ab.pcap.gz")).fill_from(&mut stream(&folder.join("GOOG.pcap.gz")));
    assert!(goog_rows(&mut filled) == single, "the re-requested messages make every book right");
    assert_eq!(filled.filled().len(), 5);
}

#[test]
fn counts_by_type_are_the_manifests() {
    let Some(folder) = itch_data() else { return };
    let manifest: Json = serde_json::from_reader(File::open(folder.join("manifest.json")).unwrap()).unwrap();
    for name in ["GOOG.pcap.gz", "AMZN.pcap.gz", "burst.pcap.gz"] {
        let listed = &manifest["captures"][name];
        let found = summary(&mut stream(&folder.join(name)));
        assert_eq!(serde_json::to_value(&found.by_type).unwrap(), listed["messages"]["by_type"], "{name}");
        assert_eq!(found.messages, listed["messages"]["total"].as_u64().unwrap());
        assert_eq!(found.packets, listed["packets"]["total"].as_u64().unwrap());
        assert_eq!(found.heartbeats, listed["packets"]["heartbeat"].as_u64().unwrap());
        assert_eq!((found.losses, found.malformed, found.unknown, found.anomalies), (0, 0, 0, 0));
        assert_eq!(
            found.capture_ns.as_slice(),
            serde_json::from_value::<Vec<u64>>(listed["capture_ns"].clone()).unwrap()
        );
    }
}
