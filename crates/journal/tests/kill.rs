//! Goal: a writer that is killed loses nothing that it had flushed, and the next one goes on without a hole or a repetition.
//! Method: a child (this test again, told by its environment) writes entries whose bytes follow from their numbers and says through a pipe
//! what it has flushed; it is killed with SIGKILL after a random while, again and again over the same journal.
//!
//! 25 kills, 1,000 in the long mode.

mod rig;

use rig::{Folder, open, read};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tickline_journal::*;
use tickline_trials::trials;
use tickline_units::Nanos;
use tickline_wire::flat::journal::JournalBody;

const FOLDER: &str = "TICKLINE_JOURNAL_CHILD";
/// Segments of some thousand entries, so that kills meet their ends too.
const SEGMENT: u64 = 1 << 19;

/// The bytes of the `n`th frame.
fn frame(n: u64) -> Vec<u8> {
    (0..20 + n % 300).map(|at| (n * 7 + at) as u8).collect()
}

#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let mut writer = open(Path::new(&folder), 1, SEGMENT);
    let mut out = std::io::stdout();
    loop {
        let n = writer.channels().frame;
        let body = JournalBody { time_ns: n, kind: kind::FRAME, ..Default::default() };
        writer.append(&body, &frame(n)).unwrap();
        if n.is_multiple_of(1997) {
            writer.flush(Nanos(n)).unwrap();
            writeln!(out, "flushed {n}").unwrap();
        }
    }
}

/// What a line of the child says; the harness may have written before it on the same line.
fn number(text: &str) -> Option<u64> {
    text.split_once("flushed ")?.1.parse().ok()
}

#[test]
fn kills_lose_nothing_that_was_flushed() {
    // A journal of many kills is long, and all of it is read after each.
    for journal in 0..trials(1, 40) {
        kill_again_and_again(25 * journal, 25);
    }
}

/// One journal whose writer is killed `kills` times, at moments that go on from the `first`.
fn kill_again_and_again(first: u64, kills: u64) {
    let folder = Folder::new();
    let mut cut = 0;
    for kill in first..first + kills {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture"])
            .env(FOLDER, &folder.0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut flushed = 0;
        while let Some(Ok(text)) = lines.next() {
            if let Some(n) = number(&text) {
                flushed = n;
                break;
            }
        }
        std::thread::sleep(Duration::from_micros(500 + kill * kill * 7919 % 4000));
        process.kill().unwrap();
        for text in lines.map_while(Result::ok) {
            flushed = number(&text).unwrap_or(flushed);
        }
        process.wait().unwrap();

        let (said, end) = read(&folder.0);
        let torn = end.expect("a kill damages nothing");
        cut += torn.map_or(0, |torn| torn.bytes);
        assert!(said.len() as u64 >= flushed, "kill {kill}: {} entries of {flushed} flushed", said.len());
        for (n, entry) in said.iter().enumerate() {
            assert_eq!(entry.body.time_ns, n as u64 + 1, "kill {kill}: lost or repeated");
            assert_eq!(entry.payload, frame(n as u64 + 1), "kill {kill}: torn");
        }
    }
    open(&folder.0, 1, SEGMENT).close().unwrap();
    let found = info(&folder.0).unwrap();
    let run = &found.runs[0];
    assert_eq!((found.torn, run.restarts, run.cut), (None, kills, cut));
    assert!(found.entries > kills * 1997, "the children wrote: {} entries", found.entries);
}
