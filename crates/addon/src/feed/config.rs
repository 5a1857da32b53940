//! What `services/feed` asks for, as JSON.

use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use tickline_packet::pcap::Speed;
use tickline_units::Symbol;

/// The whole of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Instruments that get features, in the line's order.
    pub(super) instruments: Vec<String>,
    pub(super) source: Source,
    /// Path of the broadcast segment; without it rows go to memory that nobody reads (rehearsal).
    pub(super) features: Option<PathBuf>,
    /// Path of the control segment; without it counters and histograms go to memory that nobody reads.
    pub(super) control: Option<PathBuf>,
    /// Path of the broadcast segment that frames are published to as they came; without it they are not.
    pub(super) frames: Option<PathBuf>,
}

/// Where frames come from.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Source {
    /// A capture, played at a pace.
    Pcap { path: PathBuf, speed: SpeedConfig },
    /// A capture, played round and round: a frame at each poll, at the time of the poll.
    Circle { path: PathBuf },
    /// Two multicast lines, and where to ask for what both lost.
    Socket { interface: Ipv4Addr, a: Line, b: Option<Line>, rerequest: Option<Server> },
}

/// `"max"` or a multiple of the recorded pace.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum SpeedConfig {
    Times(f64),
    Named(String),
}

/// A multicast line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) group: Ipv4Addr,
    pub(super) port: u16,
}

/// A unicast server.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    pub(super) host: Ipv4Addr,
    pub(super) port: u16,
}

impl Line {
    pub(super) fn address(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.group, self.port)
    }
}

impl Server {
    pub(super) fn address(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.host, self.port)
    }
}

impl SpeedConfig {
    fn speed(&self) -> Option<Speed> {
        match self {
            SpeedConfig::Times(times) => Speed::parse(&times.to_string()),
            SpeedConfig::Named(name) => Speed::parse(name),
        }
    }
}

impl Config {
    /// Reads and checks it; the text of an error names the field and what it accepts.
    pub(super) fn parse(json: &str) -> Result<Config, String> {
        serde_json::from_str(json).map_err(|error| format!("FEED_CONFIG: {error}"))
    }

    /// The instruments as symbols.
    pub(super) fn symbols(&self) -> Result<Vec<Symbol>, String> {
        let mut symbols: Vec<Symbol> = Vec::with_capacity(self.instruments.len());
        for (place, text) in self.instruments.iter().enumerate() {
            let refused = |why| {
                format!(
                    "FEED_CONFIG: instruments[{place}] is {text:?}: {why}; give 1 to 8 printable characters, each symbol once"
                )
            };
            let symbol = Symbol::new(text).ok_or_else(|| refused("no stock symbol"))?;
            if symbols.contains(&symbol) {
                return Err(refused("listed twice"));
            }
            symbols.push(symbol);
        }
        if symbols.is_empty() || symbols.len() > 1024 {
            return Err(format!(
                "FEED_CONFIG: instruments has {} entries, accepted are 1 to 1024",
                symbols.len()
            ));
        }
        Ok(symbols)
    }
}

impl Source {
    /// The pace, checked.
    pub(super) fn speed(speed: &SpeedConfig) -> Result<Speed, String> {
        speed.speed().ok_or_else(|| {
            "FEED_CONFIG: source.speed is neither \"max\" nor a number above 0 up to 1,000,000".to_owned()
        })
    }
}
