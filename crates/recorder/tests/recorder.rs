//! Goal: every record stands in the journal once and in order, or is declared missed; across laps, restarts and runs.
//! Method: rings made as a run makes them, written by the publishers that a line has, and journals read back with the reader.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tickline_journal::{
    Channels, Clock, FORMAT, Gap, Reader, RunHeader, SEGMENT_BYTES_MIN, Settings, Sync, info, kind,
};
use tickline_recorder::{Opening, Recorder, RecorderError, Taps};
use tickline_ring::broadcast::Publisher;
use tickline_ring::control::{Control, State};
use tickline_ring::names::counter;
use tickline_ring::{Segment, Shape};
use tickline_units::Nanos;
use tickline_wire::flat::journal::{JOURNAL_BYTES, JournalBody};
use tickline_wire::flat::{control, fill, journal, order, signal};

const SLOTS: u32 = 64;
const FRAME_BYTES: usize = 256;

/// A run's folder with its rings and their writers, and a journal beside it.
struct Line {
    folder: PathBuf,
    frames: Publisher,
    signals: Publisher,
    orders: Publisher,
    fills: Publisher,
    control: Control,
    sent: u64,
}

impl Line {
    fn new(name: &str) -> Line {
        let folder = std::env::temp_dir().join(format!("tickline-recorder-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let ring = |file: &str, payload| {
            let shape = Shape::Broadcast { slots: SLOTS, payload };
            Publisher::attach(Arc::new(Segment::create(folder.join(file), shape).unwrap())).unwrap()
        };
        let frames = ring("frames", JOURNAL_BYTES + FRAME_BYTES);
        let (signals, orders) = (ring("signals", signal::SIGNAL_BYTES), ring("orders", order::ORDER_BYTES));
        let fills = ring("fills", fill::FILL_BYTES);
        Segment::create(folder.join("control"), Shape::Control).unwrap();
        let control = Control::open(folder.join("control")).unwrap();
        Line { folder, frames, signals, orders, fills, control, sent: 0 }
    }

    fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    fn opening(&self, run: u64) -> Opening {
        Opening {
            folder: self.journal(),
            settings: Settings { segment_bytes_max: SEGMENT_BYTES_MIN, sync: Sync::Segment },
            header: RunHeader {
                format: FORMAT,
                run,
                line: "rig".into(),
                config: "c0ffee".into(),
                seed: 3,
                versions: BTreeMap::new(),
                replay: true,
                waits: None,
                segment: 0,
                lines: [None, None, None],
                clock: Clock::default(),
                channels: Channels::default(),
                resumed: None,
            },
            taps: Taps {
                frame: self.folder.join("frames"),
                signal: self.folder.join("signals"),
                order: self.folder.join("orders"),
                fill: self.folder.join("fills"),
            },
            control: self.folder.join("control"),
        }
    }

    fn record(&self, run: u64) -> Recorder {
        self.opening(run).open(Nanos(1)).unwrap()
    }

    /// A frame whose bytes follow from its number, as the feed publishes it.
    fn frame(&mut self) {
        self.sent += 1;
        let payload = bytes_of(self.sent);
        let record = self.frames.claim(1, JOURNAL_BYTES + payload.len()).unwrap();
        let body = journal::place(record).unwrap();
        *body = JournalBody {
            time_ns: self.sent * 10,
            stamp_ns: self.sent,
            kind: kind::FRAME,
            source: (self.sent % 2) as u16,
            bytes: payload.len() as u32,
            ..Default::default()
        };
        record[JOURNAL_BYTES..].copy_from_slice(&payload);
        self.frames.commit(self.sent);
    }

    /// What a frame led to: effects first, as a fused line publishes them.
    fn effects(&mut self) {
        let time_ns = self.sent * 10;
        let mut bytes = [0; 256];
        fill::write(&mut bytes, &fill::FillBody { due_ns: time_ns, epoch: 2, ..Default::default() });
        self.fills.publish(3, 7, &bytes[..fill::FILL_BYTES]).unwrap();
        order::write(&mut bytes, &order::OrderBody { time_ns, epoch: 2, ..Default::default() });
        self.orders.publish(2, 6, &bytes[..order::ORDER_BYTES]).unwrap();
        signal::write(&mut bytes, &signal::SignalBody { time_ns, ..Default::default() });
        self.signals.publish(1, 5, &bytes[..signal::SIGNAL_BYTES]).unwrap();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn bytes_of(n: u64) -> Vec<u8> {
    (0..n * 13 % FRAME_BYTES as u64).map(|at| (n + at) as u8).collect()
}

/// What stands in a journal: head and payload of everything but headers.
fn said(folder: &Path) -> Vec<(JournalBody, Vec<u8>)> {
    let mut reader = Reader::open(folder).unwrap();
    let mut said = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        if entry.body.kind != kind::RUN_HEADER {
            said.push((entry.body, entry.payload.to_vec()));
        }
    }
    assert_eq!(reader.torn(), None);
    said
}

/// Every frame from 1 to `last` once, in order and whole, but for those that gaps declare; how many those are.
fn frames_whole(folder: &Path, last: u64) -> u64 {
    let (mut next, mut missed) = (1, 0);
    for (body, payload) in said(folder) {
        match body.kind {
            kind::FRAME => {
                assert_eq!(
                    (body.time_ns, body.stamp_ns, u64::from(body.source)),
                    (next * 10, next, next % 2)
                );
                assert_eq!(payload, bytes_of(next));
                next += 1;
            }
            kind::GAP if body.source == kind::FRAME => {
                let gap = Gap::of(&payload).unwrap();
                assert_eq!(gap.first, next);
                next += gap.count;
                missed += gap.count;
            }
            _ => {}
        }
    }
    assert_eq!(next, last + 1);
    missed
}

#[test]
fn everything_stands_once_and_nothing_before_the_frame_that_led_to_it() {
    let mut line = Line::new("order");
    let mut recorder = line.record(1);
    for n in 0..500u64 {
        line.frame();
        if n % 3 == 0 {
            line.effects();
        }
        if n % 7 == 0 {
            recorder.poll(Nanos(n)).unwrap();
        }
    }
    recorder.close(Nanos(500)).unwrap();
    assert_eq!(frames_whole(&line.journal(), 500), 0);
    let mut reached = 0;
    let mut counts = [0; 9];
    for (body, payload) in said(&line.journal()) {
        counts[usize::from(body.kind)] += 1;
        if body.kind == kind::FRAME {
            reached = body.time_ns;
        }
        assert!(
            body.time_ns <= reached,
            "kind {} of {} stands behind {reached} only",
            body.kind,
            body.time_ns
        );
        match body.kind {
            kind::SIGNAL => {
                assert_eq!((signal::read_copy(&payload).unwrap().time_ns, body.stamp_ns), (body.time_ns, 5))
            }
            kind::ORDER => {
                assert_eq!((order::read_copy(&payload).unwrap().time_ns, body.epoch), (body.time_ns, 2))
            }
            kind::FILL => {
                assert_eq!((fill::read_copy(&payload).unwrap().due_ns, body.epoch), (body.time_ns, 2))
            }
            _ => {}
        }
    }
    assert_eq!(&counts[1..5], [500, 167, 167, 167]);
    assert!(info(&line.journal()).unwrap().segments.len() > 10, "segments follow one another");
}

#[test]
fn a_lap_is_declared_where_it_happened_and_counted() {
    let mut line = Line::new("lap");
    let mut recorder = line.record(1);
    for burst in [10, u64::from(SLOTS) * 3, 5, u64::from(SLOTS) + 1] {
        for _ in 0..burst {
            line.frame();
        }
        while recorder.poll(Nanos(1)).unwrap() > 0 {}
    }
    let missed = recorder.missed();
    recorder.close(Nanos(2)).unwrap();
    assert_eq!(frames_whole(&line.journal(), line.sent), missed.frame);
    assert!(missed.frame >= u64::from(SLOTS) * 2, "two laps of {SLOTS}: {missed:?}");
    assert_eq!(line.control.service("recorder").unwrap().counter(counter("lapped")), missed.frame);
    assert_eq!(info(&line.journal()).unwrap().runs[0].missed, missed);
}

#[test]
fn a_frame_longer_than_a_record_is_declared_missed() {
    let mut line = Line::new("long");
    let mut recorder = line.record(1);
    line.frame();
    line.sent += 1;
    let record = line.frames.claim(1, JOURNAL_BYTES).unwrap();
    *journal::place(record).unwrap() = JournalBody { kind: kind::FRAME, bytes: 9_000, ..Default::default() };
    line.frames.commit(2);
    line.frame();
    recorder.poll(Nanos(1)).unwrap();
    recorder.close(Nanos(1)).unwrap();
    assert_eq!(frames_whole(&line.journal(), 3), 1);
    assert_eq!(line.control.service("recorder").unwrap().counter(counter("malformed")), 1);
}

/// A dead recorder has written some of what it took: dropping one leaves what is in memory unwritten, as SIGKILL does.
#[test]
fn the_next_recorder_of_a_run_takes_what_the_dead_one_had_not_written() {
    let mut line = Line::new("restart");
    for restart in 0..20u64 {
        let mut recorder = line.record(7);
        for n in 0..30 {
            line.frame();
            line.effects();
            if n % 10 == restart % 10 {
                recorder.poll(Nanos(restart)).unwrap();
            }
        }
        drop(recorder);
        if restart == 9 {
            // Gone for longer than the rings remember.
            for _ in 0..SLOTS * 2 {
                line.frame();
            }
        }
    }
    line.record(7).close(Nanos(100)).unwrap();
    let missed = frames_whole(&line.journal(), line.sent);
    let found = info(&line.journal()).unwrap();
    let run = &found.runs[0];
    assert_eq!((found.runs.len(), run.restarts, run.missed.frame), (1, 20, missed));
    assert!((u64::from(SLOTS)..u64::from(SLOTS) * 3).contains(&missed), "{missed} missed in one long pause");
    assert_eq!(run.missed.signal, 0, "signals stayed in their ring");
    assert_eq!(run.kinds["signal"].entries, 600);
    let told: u64 = headers(&line.journal())
        .iter()
        .filter_map(|header| header.resumed)
        .map(|resumed| resumed.missed.frame)
        .sum();
    assert_eq!(told, missed, "the header says what was missed");
}

fn headers(folder: &Path) -> Vec<RunHeader> {
    let mut reader = Reader::open(folder).unwrap();
    let mut headers = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        if entry.body.kind == kind::RUN_HEADER {
            let read = reader.header().unwrap().clone();
            headers.push(read);
        }
    }
    headers
}

#[test]
fn a_new_run_begins_at_the_beginning_of_its_rings_in_the_same_journal() {
    let mut line = Line::new("runs");
    for _ in 0..5 {
        line.frame();
    }
    let mut recorder = line.record(1);
    recorder.poll(Nanos(1)).unwrap();
    recorder.close(Nanos(1)).unwrap();
    line.record(2).close(Nanos(1)).unwrap();
    let found = info(&line.journal()).unwrap();
    assert_eq!(
        found.runs.iter().map(|run| (run.run, run.kinds["frame"].entries, run.restarts)).collect::<Vec<_>>(),
        [(1, 5, 0), (2, 5, 0)]
    );
}

#[test]
fn arming_halting_and_epochs_are_entries() {
    let line = Line::new("commands");
    let mut recorder = line.record(1);
    let block = line.control.line();
    block.raise_epoch();
    recorder.poll(Nanos(1)).unwrap();
    block.arm();
    recorder.poll(Nanos(2)).unwrap();
    recorder.poll(Nanos(3)).unwrap();
    block.disarm(1, 3, "a test");
    recorder.poll(Nanos(4)).unwrap();
    recorder.close(Nanos(5)).unwrap();
    let commands: Vec<_> = said(&line.journal())
        .iter()
        .map(|(body, payload)| {
            let said = control::read_copy(payload).unwrap();
            assert_eq!((body.kind, body.time_ns, body.epoch), (kind::CONTROL, said.time_ns, 1));
            (said.time_ns, said.verb)
        })
        .collect();
    assert_eq!(commands, [(1, control::verb::HALT), (2, control::verb::ARM), (4, control::verb::HALT)]);
}

#[test]
fn one_recorder_at_a_time_writes_a_journal_and_behind_damage_nobody() {
    let mut line = Line::new("busy");
    let mut recorder = line.record(1);
    line.frame();
    line.frame();
    recorder.poll(Nanos(1)).unwrap();
    let refused = line.opening(1).open(Nanos(1)).map(drop).unwrap_err();
    assert!(matches!(&refused, RecorderError::Journal(fault) if fault.code() == "JOURNAL_BUSY"), "{refused}");
    recorder.close(Nanos(1)).unwrap();
    let path = line.journal().join(tickline_journal::segment_name(1));
    let mut bytes = fs::read(&path).unwrap();
    bytes[40] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let refused = line.opening(1).open(Nanos(1)).map(drop).unwrap_err();
    assert!(refused.to_string().starts_with("JOURNAL_DAMAGED"), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), bytes, "nothing is cut off where something sound follows");
    assert_eq!(line.control.service("recorder").unwrap().state(), State::Empty);
}
