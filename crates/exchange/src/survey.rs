//! A capture read once before it is played: which symbols it has, and when each message was released.

use tickline_packet::Frame;
use tickline_packet::arbiter::{Arbiter, Event, Join};
use tickline_packet::pcap::Capture;
use tickline_units::{Nanos, Symbol};
use tickline_wire::itch::{self, Body, Update};

/// What one frame released: each message with its sequence number and bytes.
pub fn release(arbiter: &mut Arbiter, frame: &Frame<'_>, mut each: impl FnMut(u64, &Update, &[u8])) {
    let mut deliver = |event: Event<'_>| {
        if let Event::Message { sequence, bytes } = event
            && let Ok(update) = itch::decode(bytes)
        {
            each(sequence, &update, bytes);
        }
    };
    arbiter.poll(frame.time, &mut deliver);
    // A malformed packet is counted by the arbiter; the other line brings what it carried.
    let _ = arbiter.accept(frame, &mut deliver);
}

/// The arbiter that both passes use, and the feed's replay does.
pub fn arbiter(capture: &Capture) -> Arbiter {
    Arbiter::new(capture.arbiter(Join::Anywhere))
}

/// What there is to know of a capture before it is played.
pub struct Survey {
    /// Symbols in the order in which they appear.
    pub symbols: Vec<Symbol>,
    /// ITCH time of the first message, ns since midnight.
    pub open: Nanos,
    first: u64,
    /// Capture time at which each message was released; a message that was lost has its predecessor's.
    times: Vec<u64>,
}

impl Survey {
    /// Reads the capture through.
    pub fn of(capture: &Capture) -> Survey {
        let mut survey = Survey { symbols: Vec::new(), open: Nanos(0), first: 0, times: Vec::new() };
        let mut arbiter = arbiter(capture);
        let mut reached = Nanos(0);
        for frame in capture.frames() {
            reached = reached.max(frame.time);
            release(&mut arbiter, &Frame { time: reached, ..frame }, |sequence, update, _| {
                survey.note(sequence, update, reached);
            });
        }
        survey
    }

    fn note(&mut self, sequence: u64, update: &Update, time: Nanos) {
        if self.times.is_empty() {
            (self.first, self.open) = (sequence, update.header.time);
        }
        let at = sequence.saturating_sub(self.first) as usize;
        // A session that starts again counts from 1: only the first has decisions.
        if at >= self.times.len() {
            let last = self.times.last().copied().unwrap_or(time.0);
            self.times.resize(at, last);
            self.times.push(time.0);
        }
        let symbol = match update.body {
            Body::StockDirectory(entry) => entry.symbol,
            Body::Add(add) => add.symbol,
            Body::AddMpid(add) => add.symbol,
            _ => return,
        };
        if !self.symbols.contains(&symbol) {
            self.symbols.push(symbol);
        }
    }

    /// Capture time at which the message with this number was released; `None` when the capture has no such message.
    pub fn time(&self, sequence: u64) -> Option<Nanos> {
        self.times.get(sequence.checked_sub(self.first)? as usize).map(|&time| Nanos(time))
    }
}
