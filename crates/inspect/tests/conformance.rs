//! Goal: every packet of the conformance captures shows every field with the name and value that another decoder shows.
//! Method: `conformance.txt` holds what tshark 4.0.17 with Open Markets Initiative's dissectors (ITCH 5.0, OUCH 5.0 over
//! SoupBinTCP) shows for each packet: per file the names, then a line of values a packet. Names are the specifications'; where that
//! dissector has another word (Locate Code, Canceled Shares, Cross Shares) the specification's stands. Prices are the integers on
//! the wire, times nanoseconds, codes their letters. The captures are not part of the project: without them (`TICKLINE_DATA`, else
//! `../shared/data`) the test says so and passes.

use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use tickline_inspect::{Format, messages};
use tickline_packet::pcap::Recording;

const GOLDEN: &str = include_str!("conformance.txt");

fn captures() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("TICKLINE_DATA").map_or(root, PathBuf::from).join("conformance");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {} is absent; set TICKLINE_DATA to the data folder", folder.display());
    None
}

type Fields = Vec<(String, String)>;

/// File -> one list of names and values a packet.
fn golden() -> Vec<(&'static str, Vec<Fields>)> {
    let blocks = GOLDEN.trim_end().split("\n\n").map(|block| {
        let mut lines = block.lines();
        let (file, names) = (lines.next().unwrap(), lines.next().unwrap());
        let packets = lines.map(|values| {
            assert_eq!(values.split('|').count(), names.split('|').count(), "{file}: {values}");
            names.split('|').map(str::to_owned).zip(values.split('|').map(str::to_owned)).collect()
        });
        (file, packets.collect())
    });
    blocks.collect()
}

/// A printed line as names and values, without what only we print; the appendage's elements stand in their order.
fn flattened(line: &Json, out: &mut Fields) {
    for (name, value) in line.as_object().unwrap() {
        match value {
            Json::Array(elements) => elements.iter().for_each(|element| flattened(element, out)),
            _ if ["frame", "capture_ns", "name"].contains(&name.as_str()) => {}
            Json::String(text) => out.push((name.clone(), text.clone())),
            other => out.push((name.clone(), other.to_string())),
        }
    }
}

fn shown(path: &Path) -> Vec<Json> {
    let recording = Recording::open(path).unwrap();
    let mut out = Vec::new();
    messages(&recording, Format::Json, &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_field_of_every_packet_is_the_one_another_decoder_shows() {
    let Some(folder) = captures() else { return };
    let (mut packets, mut fields) = (0, 0);
    for (file, expected) in golden() {
        let found = shown(&folder.join(file));
        assert_eq!(found.len(), expected.len(), "{file}: lines");
        for (nth, (line, expected)) in found.iter().zip(&expected).enumerate() {
            let mut ours = Fields::new();
            flattened(line, &mut ours);
            assert_eq!(ours, *expected, "{file}, packet {}", nth + 1);
            assert_eq!(line["frame"], nth + 1, "{file}: one message a packet");
            assert!(line["name"].as_str().is_some_and(|name| !name.is_empty()), "{file}: {line}");
            packets += 1;
            fields += ours.len();
        }
    }
    assert_eq!((packets, fields), (77, 937));
}

#[test]
fn the_table_speaks_of_every_file_and_none_has_a_packet_that_is_not_decoded() {
    let Some(folder) = captures() else { return };
    let mut files = Vec::new();
    for protocol in ["nasdaq-itch-5.0", "nasdaq-ouch-5.0"] {
        for entry in std::fs::read_dir(folder.join(protocol)).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{protocol}/{}", path.file_name().unwrap().to_str().unwrap());
            for line in shown(&path) {
                for trouble in ["malformed", "refused", "partial"] {
                    assert!(line.get(trouble).is_none(), "{name}: {line}");
                }
            }
            files.push(name);
        }
    }
    files.sort();
    assert_eq!(files, golden().iter().map(|(file, _)| *file).collect::<Vec<_>>());
}
