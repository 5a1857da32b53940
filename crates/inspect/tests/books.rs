//! Goal: the books of real order flow are right to the share at every truth point.
//! Method: play each capture through arbitration and books, and compare every row that the order-book file speaks of. The data
//! is not part of the project: without it (`TICKLINE_DATA`, else `../shared/data`) the tests say so and pass.

use flate2::read::GzDecoder;
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use tickline_book::Level;
use tickline_inspect::{Options, Stream, rows, summary};
use tickline_packet::pcap::Capture;
use tickline_units::Symbol;

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
    assert_eq!((found.malformed, found.unknown, found.messages + found.losses), (0, 0, 156_275));
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

#[test]
fn before_the_first_gap_both_lines_give_the_books_of_one_and_filled_gaps_give_all_of_them() {
    let Some(folder) = itch_data() else { return };
    let single = goog_rows(&mut stream(&folder.join("GOOG.pcap.gz")));
    let mut lossy = stream(&folder.join("GOOG.ab.pcap.gz"));
    let both = goog_rows(&mut lossy);
    let lost: HashSet<u64> = single.keys().filter(|sequence| !both.contains_key(sequence)).copied().collect();
    assert_eq!(lost, HashSet::from([24_396, 24_397, 51_772, 62_568, 83_454, 101_447]));
    assert!(
        both.iter()
            .filter(|&(&sequence, _)| sequence < 24_396)
            .all(|(sequence, row)| single[sequence] == *row)
    );

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
