//! A capture's ordered messages: frames through arbitration, at the times they were recorded.

use std::collections::BTreeMap;
use tickline_packet::arbiter::{Arbiter, Config, Event, Gap};
use tickline_packet::pcap::Capture;
use tickline_units::Nanos;
use tickline_wire::ethernet::Endpoint;
use tickline_wire::mold::Session;

/// How a capture is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Destinations of line A and B where they are known.
    pub lines: [Option<Endpoint>; 2],
    /// Window, patience and joining of the arbiter.
    pub arbiter: Config,
}

/// A capture, the arbiter it goes through, and perhaps a second capture that fills its gaps.
pub struct Stream {
    capture: Capture,
    arbiter: Arbiter,
    spare: BTreeMap<(Session, u64), Box<[u8]>>,
    filled: Vec<Gap>,
}

impl Stream {
    /// From a capture in memory.
    pub fn new(capture: Capture, options: &Options) -> Stream {
        let arbiter = Arbiter::new(options.arbiter);
        Stream { capture, arbiter, spare: BTreeMap::new(), filled: Vec::new() }
    }

    /// Takes what the capture lost from another capture of the same sessions, as a re-request would have brought it.
    pub fn fill_from(mut self, other: &mut Stream) -> Stream {
        let mut current = None;
        other.run(|event| match event {
            Event::Session { session, .. } => current = Some(session),
            Event::Message { sequence, bytes } => {
                if let Some(session) = current {
                    self.spare.insert((session, sequence), bytes.into());
                }
            }
            _ => {}
        });
        self
    }

    /// Calls `each` with every event in order; at the end of the capture whatever is still missing is declared lost.
    pub fn run(&mut self, mut each: impl FnMut(Event<'_>)) {
        let (spare, filled) = (&self.spare, &mut self.filled);
        let mut current = None;
        let mut last = Nanos(0);
        let mut through = |event: Event<'_>| match event {
            Event::Gap(gap) if covers(spare, current, gap) => {
                filled.push(gap);
                for sequence in gap.first..gap.first + gap.count {
                    if let Some(bytes) = current.and_then(|session| spare.get(&(session, sequence))) {
                        each(Event::Message { sequence, bytes });
                    }
                }
            }
            other => {
                if let Event::Session { session, .. } = other {
                    current = Some(session);
                }
                each(other);
            }
        };
        for frame in self.capture.frames() {
            last = last.max(frame.time);
            self.arbiter.poll(frame.time, &mut through);
            // Malformed packets are counted per line by the arbiter; the summary shows them.
            let _ = self.arbiter.accept(&frame, &mut through);
        }
        if self.arbiter.missing().is_some() {
            // The end of the file is when they are given up.
            self.arbiter.poll(Nanos(u64::MAX), |event| match event {
                Event::Gap(gap) => through(Event::Gap(Gap { time: last, ..gap })),
                other => through(other),
            });
        }
    }

    /// Gaps that the second capture filled.
    pub fn filled(&self) -> &[Gap] {
        &self.filled
    }

    /// What is read.
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// Where the stream stands.
    pub fn arbiter(&self) -> &Arbiter {
        &self.arbiter
    }
}

fn covers(spare: &BTreeMap<(Session, u64), Box<[u8]>>, current: Option<Session>, gap: Gap) -> bool {
    current.is_some_and(|session| {
        let range = (session, gap.first)..(session, gap.first.saturating_add(gap.count));
        spare.range(range).count() as u64 == gap.count
    })
}
