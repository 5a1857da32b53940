//! What the venue process is to do: the JSON file that the supervisor derives from the line's YAML.

use serde::Deserialize;
use std::fmt;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use tickline_units::Symbol;

/// How the venue's time runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// By the monotonic clock.
    Live,
    /// By the capture, behind execution's horizon.
    Follow,
}

/// What the loop does when there is nothing to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Idle {
    /// Looks again at once.
    Spin,
    /// Lets others run, then looks again.
    Yield,
    /// Sleeps until a socket has something or something is due.
    #[default]
    Park,
}

/// Where the background flow comes from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Source {
    /// Generated from the line's seed.
    Generated,
    /// Played from a capture.
    Capture {
        /// pcap or pcapng, gzip allowed.
        path: PathBuf,
    },
}

/// A multicast group and its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Group, 224.0.0.0 to 239.255.255.255.
    pub group: Ipv4Addr,
    /// UDP port.
    pub port: u16,
}

/// The two market data lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Itch {
    /// Line A.
    pub a: Group,
    /// Line B.
    pub b: Group,
    /// Address of the interface to send on.
    pub interface: Ipv4Addr,
}

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// IPv4 address.
    pub host: Ipv4Addr,
    /// Port.
    pub port: u16,
}

/// The order port.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ouch {
    /// Address to listen on.
    pub host: Ipv4Addr,
    /// TCP port.
    pub port: u16,
    /// User of 1 to 6 characters.
    pub user: String,
    /// Password of 1 to 10 characters.
    pub password: String,
}

/// The `venue` part of a line.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VenuePart {
    /// Background flow.
    pub flow: Source,
    /// Market data.
    pub itch: Itch,
    /// Re-request server.
    pub rerequest: Place,
    /// Order port.
    pub ouch: Ouch,
    /// Replay: simulated wire delay of an order, ns.
    pub delay_out_ns: u64,
    /// Replay: simulated wire delay of an answer, ns; execution adds it.
    #[serde(default)]
    pub delay_back_ns: u64,
}

/// An instrument of the line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    /// Stock symbol.
    pub symbol: String,
    /// Price step, 1/10,000 dollar.
    pub tick: u32,
}

/// Another user of the order port.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// User of 1 to 6 characters.
    pub user: String,
    /// Password of 1 to 10 characters.
    pub password: String,
}

/// Average rate and bursts of generated flow.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Events a second of each symbol.
    pub per_second: f64,
    /// Peak of a burst as a multiple of that.
    pub burst: f64,
}

/// The whole file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the line.
    pub line: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Live or follow.
    pub mode: Mode,
    /// What the loop does when there is nothing to do.
    #[serde(default)]
    pub idle: Idle,
    /// The line's venue.
    pub venue: VenuePart,
    /// The line's instruments; empty with a capture: every symbol it lists.
    pub instruments: Vec<Instrument>,
    /// Users besides `venue.ouch`.
    #[serde(default)]
    pub users: Vec<Login>,
    /// Rates of generated flow.
    #[serde(default)]
    pub rates: Option<Rates>,
    /// Live: seconds after which the flow ends; without it, at the stop signal or the capture's end.
    #[serde(default)]
    pub duration_s: Option<f64>,
    /// Live: the flow starts once the feed's block in the control segment says that it is ready.
    #[serde(default)]
    pub wait_for_feed: bool,
}

/// A file that cannot be used: one sentence with the file, the place and the fix.
#[derive(Debug)]
pub struct ConfigError {
    file: PathBuf,
    what: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exchange-config: {}: {}", self.file.display(), self.what)
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Not readable, not JSON of this shape, or a value out of range.
    pub fn read(file: &Path) -> Result<Config, ConfigError> {
        let fault = |what: String| ConfigError { file: file.to_owned(), what };
        let text = std::fs::read_to_string(file)
            .map_err(|error| fault(format!("cannot be read ({error}); check the path")))?;
        let config: Config = serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?;
        config.check().map_err(fault)?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        for (at, instrument) in self.instruments.iter().enumerate() {
            if Symbol::new(&instrument.symbol).is_none() {
                let given = &instrument.symbol;
                return Err(format!("instruments.{at}.symbol: \"{given}\" must have 1 to 8 characters"));
            }
            if !(1..=1_000_000).contains(&instrument.tick) {
                return Err(format!("instruments.{at}.tick: {} must be from 1 to 1000000", instrument.tick));
            }
        }
        if self.instruments.is_empty() && self.venue.flow == Source::Generated {
            return Err("instruments: must name at least one when the flow is generated".into());
        }
        if self.mode == Mode::Follow && self.venue.flow == Source::Generated {
            return Err("venue.flow: a replay follows a capture; give { kind: capture, path: FILE }".into());
        }
        for (at, group) in [("a", self.venue.itch.a), ("b", self.venue.itch.b)] {
            if !group.group.is_multicast() {
                return Err(format!("venue.itch.{at}.group: {} is no multicast group", group.group));
            }
        }
        if let Some(rates) = self.rates
            && !(rates.per_second > 0.0
                && rates.per_second <= 1e6
                && rates.burst >= 0.0
                && rates.burst <= 1e3)
        {
            return Err("rates: per_second must be above 0 and at most 1000000, burst from 0 to 1000".into());
        }
        if let Some(seconds) = self.duration_s
            && !(seconds > 0.0 && seconds <= 1e6)
        {
            return Err(format!("duration_s: {seconds} must be above 0 and at most 1000000"));
        }
        for (at, login) in self.logins().enumerate() {
            login.account().ok_or_else(|| {
                format!(
                    "user {at} (\"{}\"): user of 1 to 6, password of 1 to 10 printable characters",
                    login.user
                )
            })?;
        }
        Ok(())
    }

    /// Every user of the order port, `venue.ouch` first.
    pub fn logins(&self) -> impl Iterator<Item = Login> + '_ {
        let Ouch { user, password, .. } = &self.venue.ouch;
        let first = Login { user: user.clone(), password: password.clone() };
        std::iter::once(first).chain(self.users.iter().cloned())
    }
}

impl Login {
    /// As the order port knows it; `None` when a field is empty, too long or not printable.
    pub fn account(&self) -> Option<tickline_venue::port::Account> {
        use tickline_wire::soup::Login;
        let fits = !self.user.is_empty() && !self.password.is_empty();
        let login = Login::new(&self.user, &self.password, "", 0).ok().filter(|_| fits)?;
        Some(tickline_venue::port::Account { user: login.user, password: login.password })
    }
}
