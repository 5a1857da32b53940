//! Where the background flow comes from, behind one face: generated, or played from a capture.

use crate::config::{Config, Source};
use crate::opening;
use crate::survey::{self, Survey};
use tickline_packet::arbiter::Arbiter;
use tickline_packet::pcap::{Capture, Fault, Player, Speed};
use tickline_units::{Nanos, Symbol};
use tickline_venue::Venue;
use tickline_venue::background::{Background, FIRST_MATCH};
use tickline_venue::engine::Command;
use tickline_venue::flow::{Flow, Rates};

enum Kind {
    Generated { flow: Flow, commands: Vec<Command> },
    Captured(Box<Captured>),
}

struct Captured {
    /// Until the flow begins.
    capture: Option<Capture>,
    /// From then on.
    player: Option<Player>,
    arbiter: Arbiter,
    background: Background,
}

/// The background flow of a live venue.
pub struct BackgroundFlow {
    kind: Kind,
    symbols: Vec<Symbol>,
    open: Nanos,
    ended: bool,
}

impl BackgroundFlow {
    /// Opens what the configuration names.
    ///
    /// # Errors
    /// The capture cannot be played.
    pub fn new(config: &Config) -> Result<BackgroundFlow, Fault> {
        let named = opening::symbols(&config.instruments);
        match &config.venue.flow {
            Source::Generated => {
                let rates = config.rates.map_or_else(Rates::default, |rates| Rates {
                    per_second: rates.per_second,
                    burst: rates.burst,
                });
                let flow = opening::flow(config.seed, &config.instruments, rates, opening::OPEN);
                let kind = Kind::Generated { flow, commands: Vec::with_capacity(512) };
                Ok(BackgroundFlow { kind, symbols: named, open: opening::OPEN, ended: false })
            }
            Source::Capture { path } => {
                let capture = Capture::open(path)?;
                let survey = Survey::of(&capture);
                let symbols = listed(&named, &survey);
                let background = Background::new(&symbols);
                let arbiter = survey::arbiter(&capture);
                let captured = Captured { capture: Some(capture), player: None, arbiter, background };
                let kind = Kind::Captured(Box::new(captured));
                Ok(BackgroundFlow { kind, symbols, open: survey.open, ended: false })
            }
        }
    }

    /// Symbols in the engine's order.
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// Venue time at which the flow begins.
    pub fn open(&self) -> Nanos {
        self.open
    }

    /// True when the day's system events and directory are ours to publish; a capture has its own.
    pub fn opens_day(&self) -> bool {
        matches!(self.kind, Kind::Generated { .. })
    }

    /// The flow begins at `now` (monotonic): the opening book rests.
    pub fn begin(&mut self, now: Nanos, venue: &mut Venue) {
        match &mut self.kind {
            Kind::Generated { flow, commands } => {
                flow.open(commands);
                commands.drain(..).for_each(|command| venue.command(self.open, &command));
            }
            Kind::Captured(captured) => {
                venue.engine.number_matches_from(FIRST_MATCH);
                let play = |capture| Player::new(capture, now, Speed::Times(1.0));
                captured.player = captured.capture.take().map(play);
            }
        }
    }

    /// Monotonic time at which the next event is due; `None` when there is none. `open` is the venue time at `began`.
    pub fn due(&self, open: Nanos, began: Nanos) -> Option<Nanos> {
        match &self.kind {
            Kind::Generated { flow, .. } => flow.due().map(|due| Nanos(due.0 - open.0 + began.0)),
            Kind::Captured(captured) => captured.player.as_ref().and_then(Player::next_due),
        }
    }

    /// Plays the next event if it is due at `now`; false when none is.
    pub fn step(&mut self, now: Nanos, open: Nanos, began: Nanos, venue: &mut Venue) -> bool {
        if self.ended || self.due(open, began).is_none_or(|due| due > now) {
            return false;
        }
        match &mut self.kind {
            Kind::Generated { flow, commands } => {
                let Some(time) = flow.step(&venue.engine, commands) else { return false };
                commands.drain(..).for_each(|command| venue.command(time, &command));
            }
            Kind::Captured(captured) => {
                let Captured { player, arbiter, background, .. } = &mut **captured;
                let Some(frame) = player.as_mut().and_then(|player| player.poll(now)) else { return false };
                survey::release(arbiter, &frame, |_, update, bytes| {
                    venue.update(update.header.time, update, bytes, background);
                });
            }
        }
        true
    }

    /// True when a capture has been played to its end; generated flow has none.
    pub fn is_over(&self) -> bool {
        match &self.kind {
            Kind::Generated { .. } => false,
            Kind::Captured(captured) => {
                captured.player.as_ref().is_some_and(|player| player.next_time().is_none())
            }
        }
    }

    /// Nothing more comes.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// True after `end`.
    pub fn ended(&self) -> bool {
        self.ended
    }
}

/// The engine's symbols: those that the line names, then the capture's others.
pub fn listed(named: &[Symbol], survey: &Survey) -> Vec<Symbol> {
    let mut symbols = named.to_vec();
    symbols.extend(survey.symbols.iter().filter(|symbol| !named.contains(symbol)));
    symbols
}
