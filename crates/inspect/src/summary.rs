//! Counts of everything in a capture.

use crate::report::{GapSummary, LineSummary, SessionSummary, SkippedSummary, Summary};
use crate::stream::Stream;
use std::collections::BTreeMap;
use tickline_book::Books;
use tickline_packet::arbiter::Event;
use tickline_wire::itch;

/// What the events of a stream add up to.
struct Counts {
    books: Books,
    by_letter: [u64; 256],
    unknown: u64,
    malformed: u64,
    gaps: Vec<GapSummary>,
    sessions: Vec<SessionSummary>,
}

/// Reads the whole capture.
pub fn summary(stream: &mut Stream) -> Summary {
    let mut counts = Counts {
        books: Books::default(),
        by_letter: [0; 256],
        unknown: 0,
        malformed: 0,
        gaps: Vec::new(),
        sessions: Vec::new(),
    };
    stream.run(|event| counts.take(event));
    let (capture, arbiter) = (stream.capture(), stream.arbiter());
    let lines: Vec<_> = [("A", 0), ("B", 1)]
        .into_iter()
        .filter_map(|(name, line)| {
            let destination = capture.lines()[usize::from(line)]?;
            Some(LineSummary::of(name, destination.to_string(), arbiter.line(line)))
        })
        .collect();
    let times = || capture.frames().map(|frame| frame.time.0);
    Summary {
        file: capture.file().to_owned(),
        packets: capture.len() as u64,
        messages: counts.by_letter.iter().sum::<u64>() + counts.unknown + counts.malformed,
        by_type: counts.by_type(),
        losses: counts.gaps.iter().map(|gap| gap.count).sum(),
        filled: stream.filled().iter().map(GapSummary::of).collect(),
        heartbeats: lines.iter().map(|line| line.heartbeats).sum(),
        unknown: counts.unknown,
        malformed: counts.malformed + lines.iter().map(|line| line.malformed).sum::<u64>(),
        lines,
        symbols: counts.books.by_symbol().map(|book| book.symbol().text()).collect(),
        anomalies: counts.books.anomalies().total(),
        gaps: counts.gaps,
        sessions: counts.sessions,
        capture_ns: [times().min().unwrap_or(0), times().max().unwrap_or(0)],
        skipped: SkippedSummary::of(capture.skipped(), arbiter.dropped()),
        truncated_at: capture.tail().map(|tail| tail.offset),
    }
}

impl Counts {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Message { sequence, bytes } => {
                if let Some(session) = self.sessions.last_mut() {
                    session.next = sequence + 1;
                }
                self.message(bytes);
            }
            Event::Gap(gap) => self.gaps.push(GapSummary::of(&gap)),
            Event::Session { session, next } => {
                if !self.sessions.is_empty() {
                    self.books.reset_day();
                }
                self.sessions.push(SessionSummary {
                    session: session.text(),
                    first: next,
                    next,
                    ended: false,
                });
            }
            Event::End { next } => {
                if let Some(session) = self.sessions.last_mut() {
                    (session.next, session.ended) = (next, true);
                }
            }
        }
    }

    fn message(&mut self, bytes: &[u8]) {
        match itch::decode(bytes) {
            Ok(update) => {
                self.by_letter[usize::from(update.body.letter())] += 1;
                self.books.apply(&update);
            }
            Err(fault) if fault.kind == itch::Kind::Unknown => self.unknown += 1,
            Err(_) => self.malformed += 1,
        }
    }

    fn by_type(&self) -> BTreeMap<String, u64> {
        let seen = itch::LETTERS.iter().filter(|&&letter| self.by_letter[usize::from(letter)] > 0);
        seen.map(|&letter| (char::from(letter).to_string(), self.by_letter[usize::from(letter)])).collect()
    }
}
