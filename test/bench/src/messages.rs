//! ITCH messages in memory for benchmarks: the captures where they are, generated flow otherwise.

use std::path::Path;
use tickline_packet::arbiter::{Arbiter, Config, Event, Join};
use tickline_packet::pcap::Capture;
use tickline_units::{Nanos, Symbol};
use tickline_venue::engine::{Command, Engine, SelfTrade};
use tickline_venue::feed_out::{FeedOut, PACKET_BYTES_MAX};
use tickline_venue::flow::{Flow, Listing, Rates};
use tickline_wire::mold::{Packet, Session};

/// Messages one after the other.
pub struct Messages {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Where they are from, for people.
    pub origin: String,
}

/// Messages generated when no capture is there.
const GENERATED: usize = 300_000;
const OPEN: Nanos = Nanos(34_200_000_000_000);

impl Messages {
    /// GOOG and AMZN of `data` (a folder that holds `itch/`), or generated flow of two symbols when it is absent.
    pub fn load(data: &Path) -> Result<Messages, String> {
        let captures = ["GOOG.pcap.gz", "AMZN.pcap.gz"].map(|file| data.join("itch").join(file));
        if !captures.iter().all(|path| path.exists()) {
            return Ok(Messages::generated());
        }
        let mut messages = Messages { bytes: Vec::new(), ends: Vec::new(), origin: "GOOG+AMZN".to_owned() };
        for path in &captures {
            let capture = Capture::open(path).map_err(|fault| fault.to_string())?;
            let mut arbiter = Arbiter::new(Config { join: Join::Beginning, ..Config::default() });
            for frame in capture.frames() {
                let each = |event: Event<'_>| {
                    if let Event::Message { bytes, .. } = event {
                        messages.push(bytes);
                    }
                };
                arbiter.accept(&frame, each).map_err(|fault| fault.to_string())?;
            }
        }
        Ok(messages)
    }

    fn generated() -> Messages {
        let mut messages =
            Messages { bytes: Vec::new(), ends: Vec::new(), origin: "generated flow".to_owned() };
        let listings = [Listing { tick: 100, price: 1_000_000 }, Listing { tick: 100, price: 2_000_000 }];
        let symbols = ["TLKA", "TLKB"].into_iter().filter_map(Symbol::new).zip(1..).collect();
        let mut engine = Engine::new(listings.len() as u16, 1 << 16, SelfTrade::default());
        let mut flow = Flow::new(1, &listings, Rates::default(), OPEN, 1);
        let mut feed = FeedOut::new(Session(*b"BENCH     "), symbols);
        feed.open(OPEN);
        let (mut commands, mut events): (Vec<Command>, Vec<_>) = (Vec::new(), Vec::new());
        flow.open(&mut commands);
        let mut time = OPEN;
        let mut packet = [0; PACKET_BYTES_MAX];
        while messages.len() < GENERATED {
            for command in commands.drain(..) {
                engine.apply(&command, &mut events);
            }
            feed.publish(time, &events);
            events.clear();
            loop {
                let length = feed.pack(&mut packet);
                let Ok(packed) = Packet::parse(&packet[..length]) else { break };
                packed.blocks().for_each(|message| messages.push(message));
            }
            feed.forget();
            time = flow.step(&engine, &mut commands).unwrap_or(time);
        }
        messages
    }

    fn push(&mut self, message: &[u8]) {
        self.bytes.extend_from_slice(message);
        self.ends.push(self.bytes.len());
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Each, in order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = 0;
        self.ends.iter().map(move |&end| {
            let message = &self.bytes[from..end];
            from = end;
            message
        })
    }
}
