//! A capture as background flow: ITCH messages become commands of the engine, so that users' orders meet real flow.
//!
//! History is kept beside the engine: what each order of the capture has left by the capture alone. The engine may have
//! less of it (users took some), never more: after every message an order is cut to what history says. So without users'
//! orders the book equals history's, and with them it differs by what they did and nothing else. What users took stays
//! taken, also from the order that replaces one they took from.

use crate::engine::{Engine, Enter, Event, Hit, Life, Owner, Ref};
use crate::refs::Refs;
use tickline_units::{Price, Qty, Side, Symbol};
use tickline_wire::itch::{Body, Update};

/// Matches in the presence of a capture are numbered from here, above those that the capture itself mentions.
pub const FIRST_MATCH: u64 = 1 << 52;

/// An order as history has it.
#[derive(Clone, Copy)]
struct Past {
    order: u64,
    price: Price,
    /// Shares left by history alone.
    qty: u32,
    symbol: u16,
    side: Side,
    mpid: u32,
}

/// A symbol seen in the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub symbol: Symbol,
    /// Its locate code in the capture.
    pub locate: u16,
}

/// What a message did besides events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// It is told by the engine's events alone.
    Told,
    /// It does not touch the book: to be passed on as it is.
    AsIs,
    /// A symbol came, or its locate code: at this place of the engine. The message itself is passed on if it is a
    /// directory entry, else told by events.
    Listed(u16, Seen),
}

/// History so far.
pub struct Background {
    symbols: Vec<Seen>,
    /// Place in the engine by locate code; `NOWHERE` when none.
    places: Vec<u16>,
    index: Refs,
    orders: Vec<Past>,
    free: Vec<u32>,
    unknown: u64,
}

const NOWHERE: u16 = u16::MAX;

impl Background {
    /// No history. `symbols` are already listed in the engine, in this order.
    pub fn new(symbols: &[Symbol]) -> Background {
        Background {
            symbols: symbols.iter().map(|&symbol| Seen { symbol, locate: 0 }).collect(),
            places: vec![NOWHERE; 1 << 16],
            index: Refs::with_capacity(1 << 14),
            orders: Vec::with_capacity(1 << 14),
            free: Vec::new(),
            unknown: 0,
        }
    }

    /// Messages about orders that were never added, or not of their book: tolerated and counted.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Symbols in the order of the engine's places.
    pub fn symbols(&self) -> &[Seen] {
        &self.symbols
    }

    /// Plays one message of the capture.
    pub fn update(&mut self, update: &Update, engine: &mut Engine, out: &mut Vec<Event>) -> Passed {
        let locate = update.header.locate;
        match update.body {
            Body::StockDirectory(ref entry) => return self.list(locate, entry.symbol, engine),
            Body::Add(ref add) => {
                let terms = (add.order, add.side, add.shares, add.price, 0);
                return self.add(locate, add.symbol, terms, engine, out);
            }
            Body::AddMpid(ref add) => {
                let terms = (add.order, add.side, add.shares, add.price, u32::from_be_bytes(add.mpid));
                return self.add(locate, add.symbol, terms, engine, out);
            }
            Body::Executed(ref done) => self.executed(done.order, done.shares, None, true, engine, out),
            Body::ExecutedPrice(ref done) => {
                let printable = done.printable.0 == b'Y';
                self.executed(done.order, done.shares, Some(done.price), printable, engine, out);
            }
            Body::Cancel(ref cancel) => self.reduced(cancel.order, cancel.shares.0, engine, out),
            Body::Delete(ref delete) => self.reduced(delete.order, u32::MAX, engine, out),
            Body::Replace(ref new) => {
                self.replaced(new.order, new.new_order, new.shares, new.price, engine, out);
            }
            Body::Trade(ref trade) => match self.places[locate as usize] {
                NOWHERE => return Passed::AsIs,
                place => engine.print(place, trade.side, trade.price, trade.shares, out),
            },
            _ => return Passed::AsIs,
        }
        Passed::Told
    }

    fn list(&mut self, locate: u16, symbol: Symbol, engine: &mut Engine) -> Passed {
        let place = match self.symbols.iter().position(|seen| seen.symbol == symbol) {
            Some(place) => place as u16,
            None => {
                self.symbols.push(Seen { symbol, locate });
                engine.list()
            }
        };
        self.symbols[place as usize].locate = locate;
        self.places[locate as usize] = place;
        Passed::Listed(place, self.symbols[place as usize])
    }

    fn add(
        &mut self,
        locate: u16,
        symbol: Symbol,
        (order, side, shares, price, mpid): (u64, Side, Qty, Price, u32),
        engine: &mut Engine,
        out: &mut Vec<Event>,
    ) -> Passed {
        let mut passed = Passed::Told;
        if self.places[locate as usize] == NOWHERE {
            passed = self.list(locate, symbol, engine);
        }
        let past = Past { order, price, qty: shares.0, symbol: self.places[locate as usize], side, mpid };
        if self.remember(past) {
            engine.insert(&past.as_order(shares), out);
        }
        passed
    }

    /// False when history has an order of that reference, or it is 0: the message is ignored.
    fn remember(&mut self, past: Past) -> bool {
        if past.order == 0 || self.index.get(past.order).is_some() {
            self.unknown += 1;
            return false;
        }
        let slot = match self.free.pop() {
            Some(slot) => {
                self.orders[slot as usize] = past;
                slot
            }
            None => {
                self.orders.push(past);
                (self.orders.len() - 1) as u32
            }
        };
        self.index.insert(past.order, slot)
    }

    fn known(&mut self, order: u64) -> Option<u32> {
        let slot = self.index.get(order);
        self.unknown += slot.is_none() as u64;
        slot
    }

    /// History takes `by` shares of an order, at most all; what is left.
    fn shrink(&mut self, slot: u32, by: u32) -> Qty {
        let past = &mut self.orders[slot as usize];
        past.qty = past.qty.saturating_sub(by);
        let (order, left) = (past.order, past.qty);
        if left == 0 {
            self.index.remove(order);
            self.free.push(slot);
        }
        Qty(left)
    }

    fn executed(
        &mut self,
        order: u64,
        shares: Qty,
        price: Option<Price>,
        printable: bool,
        engine: &mut Engine,
        out: &mut Vec<Event>,
    ) {
        let Some(slot) = self.known(order) else { return };
        let past = self.orders[slot as usize];
        let qty = Qty(shares.0.min(past.qty));
        let (symbol, side, shown) = (past.symbol, past.side, past.price);
        let price = price.unwrap_or(shown);
        if qty.0 > 0 {
            engine.hit(&Hit { order: Ref(order), symbol, side, shown, price, qty, printable }, out);
        }
        let left = self.shrink(slot, qty.0);
        engine.clamp(Ref(order), left, out);
    }

    fn reduced(&mut self, order: u64, by: u32, engine: &mut Engine, out: &mut Vec<Event>) {
        let Some(slot) = self.known(order) else { return };
        let left = self.shrink(slot, by);
        engine.clamp(Ref(order), left, out);
    }

    fn replaced(
        &mut self,
        old: u64,
        new: u64,
        shares: Qty,
        price: Price,
        engine: &mut Engine,
        out: &mut Vec<Event>,
    ) {
        let Some(slot) = self.known(old) else { return };
        let was = self.orders[slot as usize];
        let has = engine.order(Ref(old)).map_or(0, |resting| resting.qty.0);
        let taken = was.qty - has.min(was.qty);
        self.shrink(slot, u32::MAX);
        let past = Past { order: new, price, qty: shares.0, ..was };
        let left = Qty(shares.0.saturating_sub(taken));
        if self.remember(past) && left.0 > 0 {
            engine.supersede(Ref(old), &past.as_order(left), out);
        } else {
            engine.clamp(Ref(old), Qty(0), out);
        }
    }
}

impl Past {
    fn as_order(&self, qty: Qty) -> Enter {
        let &Past { order, price, symbol, side, mpid, .. } = self;
        let order = Ref(order);
        Enter { order, symbol, owner: Owner::PUBLIC, side, price, qty, life: Life::Day, mpid }
    }
}
