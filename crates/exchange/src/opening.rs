//! The venue at its opening, from a configuration.

use crate::config::{Config, Instrument};
use tickline_units::{Nanos, Symbol};
use tickline_venue::Venue;
use tickline_venue::engine::{Engine, SelfTrade};
use tickline_venue::feed_out::FeedOut;
use tickline_venue::flow::{Flow, Listing, Rates, Rng};
use tickline_venue::port::{OrderPort, Tradable};
use tickline_wire::mold::Session;

/// The session starts at 9:30, in nanoseconds since midnight.
pub const OPEN: Nanos = Nanos(34_200_000_000_000);

/// Price step of symbols that the configuration does not name: a cent.
pub const TICK: u32 = 100;

/// Stream of randomness for opening prices, apart from those of the flow.
const PRICES: u64 = 1 << 32;

/// Resting orders that the engine has room for before it grows.
const ORDERS: usize = 1 << 14;

/// Name of the market data and order session: the line's, cut to 10 characters.
pub fn session(line: &str) -> [u8; 10] {
    let mut name = [b' '; 10];
    for (to, from) in name.iter_mut().zip(line.bytes().filter(u8::is_ascii_graphic)) {
        *to = from.to_ascii_uppercase();
    }
    name
}

/// Symbols of the instruments, checked by the configuration.
pub fn symbols(instruments: &[Instrument]) -> Vec<Symbol> {
    instruments.iter().filter_map(|instrument| Symbol::new(&instrument.symbol)).collect()
}

/// Generated flow for the instruments; each opens between 20 and 200 dollars, by the seed.
pub fn flow(seed: u64, instruments: &[Instrument], rates: Rates, start: Nanos) -> Flow {
    let listing = |(at, instrument): (usize, &Instrument)| {
        let dollars = 20 + Rng::new(seed, PRICES + at as u64).below(180);
        let tick = instrument.tick;
        Listing { tick, price: (dollars * 10_000).next_multiple_of(tick) }
    };
    let listings: Vec<Listing> = instruments.iter().enumerate().map(listing).collect();
    Flow::new(seed, &listings, rates, start, 1)
}

/// The venue without orders. `listed` gives the symbols known from the start; locate codes count from 1.
pub fn venue(config: &Config, listed: &[Symbol], publishes: bool) -> Venue {
    let engine = Engine::new(listed.len() as u16, ORDERS, SelfTrade::default());
    let accounts: Vec<_> = config.logins().filter_map(|login| login.account()).collect();
    let tick = |symbol: &Symbol| {
        let named =
            config.instruments.iter().find(|instrument| Symbol::new(&instrument.symbol) == Some(*symbol));
        named.map_or(TICK, |instrument| instrument.tick)
    };
    let tradable = listed.iter().map(|symbol| Tradable { symbol: *symbol, tick: tick(symbol) }).collect();
    let feed = publishes.then(|| {
        let located = listed.iter().zip(1..).map(|(&symbol, locate)| (symbol, locate)).collect();
        FeedOut::new(Session(session(&config.line)), located)
    });
    Venue::new(engine, OrderPort::new(&accounts, tradable), feed)
}
