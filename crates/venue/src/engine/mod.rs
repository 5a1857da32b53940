//! Price-time matching over many symbols.
//!
//! Integers only; no time, no randomness. Each command appends its events to the caller's buffer, in the order they
//! happen; after warm-up (slabs and index grown to the session's size) a command allocates nothing.

mod command;
mod event;
mod history;
mod ladder;
mod store;
mod view;

pub use command::{Command, Enter, Life, MARKET, Owner, Ref};
pub use event::{Event, Gone, Refused, Trade};
pub use history::Hit;
pub use view::{Depth, Resting};

use ladder::Key;
use store::{NONE, Slot, Store};
use tickline_units::{Price, Qty, Side};

/// What happens when an order would trade with a resting order of the same user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SelfTrade {
    /// The incoming order's remainder goes; the resting order stays.
    #[default]
    CancelNewest,
    /// The resting order goes; the incoming one continues.
    CancelOldest,
}

/// The books of all symbols and the rules that change them.
pub struct Engine {
    store: Store,
    self_trade: SelfTrade,
    matches: u64,
    self_trades: u64,
}

/// An order on its way in.
#[derive(Clone, Copy)]
struct Incoming {
    order: Ref,
    owner: Owner,
    symbol: u16,
    side: Side,
    price: Price,
    left: u32,
}

impl Incoming {
    /// The worst key on the other side that it trades with.
    #[inline]
    fn limit(&self) -> Key {
        if self.price == MARKET { Key::WORST } else { Key::of(self.side.opposite(), self.price) }
    }
}

impl Engine {
    /// An empty engine for symbols `0..symbols`, with room for `orders` resting orders before slabs grow.
    pub fn new(symbols: u16, orders: usize, self_trade: SelfTrade) -> Engine {
        Engine { store: Store::new(symbols, orders), self_trade, matches: 0, self_trades: 0 }
    }

    /// Does one command and appends what happened. A command that cannot be done appends one `Refused` and changes nothing.
    #[inline]
    pub fn apply(&mut self, command: &Command, out: &mut Vec<Event>) {
        match *command {
            Command::Enter(enter) => self.enter(&enter, out),
            Command::Cancel { order } => self.cancel(order, Gone::Cancelled, out),
            Command::Reduce { order, by } => self.reduce(order, by, out),
            Command::Replace { old, new, price, qty, life } => self.replace(old, new, price, qty, life, out),
            Command::MassCancel { owner, symbol, side } => {
                self.mass_cancel(owner, symbol, side, Gone::MassCancelled, out);
            }
            Command::Print { symbol, side, price, qty } => self.print(symbol, side, price, qty, out),
        }
    }

    /// A new order: trades with what it meets, then rests or lapses.
    #[inline]
    pub fn enter(&mut self, enter: &Enter, out: &mut Vec<Event>) {
        if let Some(why) = self.refusal(enter.order, enter.symbol, enter.price, enter.qty) {
            out.push(Event::Refused { order: enter.order, why });
            return;
        }
        let Enter { order, symbol, owner, side, price, qty, life, mpid } = *enter;
        self.come(Incoming { order, owner, symbol, side, price, left: qty.0 }, life, mpid, out);
    }

    /// The whole order goes.
    #[inline]
    pub fn cancel(&mut self, order: Ref, why: Gone, out: &mut Vec<Event>) {
        match self.store.refs.get(order.0) {
            Some(slot) => self.remove(slot, why, out),
            None => out.push(Event::Refused { order, why: Refused::Unknown }),
        }
    }

    /// `by` shares go, at most all of them; priority stays.
    #[inline]
    pub fn reduce(&mut self, order: Ref, by: Qty, out: &mut Vec<Event>) {
        let Some(slot) = self.store.refs.get(order.0) else {
            out.push(Event::Refused { order, why: Refused::Unknown });
            return;
        };
        if by.0 == 0 {
            out.push(Event::Refused { order, why: Refused::Qty });
            return;
        }
        let Slot { qty, level, owner, .. } = self.store.slots[slot as usize];
        if by.0 >= qty {
            self.remove(slot, Gone::Cancelled, out);
            return;
        }
        let symbol = self.store.levels[level as usize].symbol;
        let left = Qty(self.store.shrink(slot, by.0));
        out.push(Event::Reduced { order, by, left, symbol, owner, why: Gone::Cancelled });
    }

    /// A new reference, price and quantity; priority is lost. A marketable replacement shows as a removal, its trades
    /// and an addition of what is left.
    pub fn replace(&mut self, old: Ref, new: Ref, price: Price, qty: Qty, life: Life, out: &mut Vec<Event>) {
        let Some(slot) = self.store.refs.get(old.0) else {
            out.push(Event::Refused { order: old, why: Refused::Unknown });
            return;
        };
        let Slot { level, owner, .. } = self.store.slots[slot as usize];
        let (symbol, side) =
            (self.store.levels[level as usize].symbol, self.store.levels[level as usize].side);
        if let Some(why) = self.refusal(new, symbol, price, qty) {
            out.push(Event::Refused { order: new, why });
            return;
        }
        let incoming = Incoming { order: new, owner, symbol, side, price, left: qty.0 };
        let meets = self
            .store
            .ladder(symbol, side.opposite())
            .best()
            .is_some_and(|best| best.key >= incoming.limit());
        if meets || life == Life::Ioc || price == MARKET {
            self.remove(slot, Gone::Replaced, out);
            self.come(incoming, life, 0, out);
        } else {
            let left = self.store.slots[slot as usize].qty;
            self.store.shrink(slot, left);
            self.store.rest(new, owner, symbol, side, price, qty);
            out.push(Event::Replaced { old, new, price, qty, symbol, owner, side });
        }
    }

    /// Every order of a user goes, oldest first, optionally of one symbol or side only.
    pub fn mass_cancel(
        &mut self,
        owner: Owner,
        symbol: Option<u16>,
        side: Option<Side>,
        why: Gone,
        out: &mut Vec<Event>,
    ) {
        if !owner.is_user() {
            return;
        }
        let mut at = self.store.oldest_of(owner);
        while at != NONE {
            let next = self.store.younger(at);
            let level = self.store.levels[self.store.slots[at as usize].level as usize];
            if symbol.is_none_or(|only| only == level.symbol) && side.is_none_or(|only| only == level.side) {
                self.remove(at, why, out);
            }
            at = next;
        }
    }

    /// A trade of hidden orders.
    pub fn print(&mut self, symbol: u16, side: Side, price: Price, qty: Qty, out: &mut Vec<Event>) {
        self.matches += 1;
        out.push(Event::Printed { match_id: self.matches, price, qty, symbol, side });
    }

    /// Adds a symbol without orders and gives its place.
    pub fn list(&mut self) -> u16 {
        self.store.list()
    }

    /// The next match gets number `first`, if that is higher than the numbers given so far.
    pub fn number_matches_from(&mut self, first: u64) {
        self.matches = self.matches.max(first.saturating_sub(1));
    }

    /// Number of self-trades prevented so far.
    pub fn self_trades_prevented(&self) -> u64 {
        self.self_trades
    }

    // Limits say what must hold.
    #[allow(clippy::nonminimal_bool)]
    #[inline]
    fn refusal(&self, order: Ref, symbol: u16, price: Price, qty: Qty) -> Option<Refused> {
        if !((symbol as usize) < self.store.ladders.len()) {
            return Some(Refused::Symbol);
        }
        if !(price.0 > 0 && price <= MARKET) {
            return Some(Refused::Price);
        }
        if !(qty.0 > 0) {
            return Some(Refused::Qty);
        }
        if !(order.0 != 0 && self.store.refs.get(order.0).is_none()) {
            return Some(Refused::Ref);
        }
        None
    }

    #[inline]
    fn come(&mut self, mut incoming: Incoming, life: Life, mpid: u32, out: &mut Vec<Event>) {
        let stopped = self.take(&mut incoming, out);
        let Incoming { order, owner, symbol, side, price, left } = incoming;
        if left == 0 {
            return;
        }
        let qty = Qty(left);
        if stopped {
            out.push(Event::Lapsed { order, qty, symbol, owner, why: Gone::SelfTrade });
        } else if life == Life::Ioc || price == MARKET {
            out.push(Event::Lapsed { order, qty, symbol, owner, why: Gone::Unfilled });
        } else {
            self.store.rest(order, owner, symbol, side, price, qty);
            out.push(Event::Added { order, price, qty, mpid, symbol, owner, side });
        }
    }

    /// Trades the incoming order against the other side, best price first, oldest first. True: a self-trade stopped it.
    #[inline]
    fn take(&mut self, incoming: &mut Incoming, out: &mut Vec<Event>) -> bool {
        let (limit, other) = (incoming.limit(), incoming.side.opposite());
        while incoming.left > 0 {
            let Some(best) = self.store.ladder(incoming.symbol, other).best() else { break };
            if best.key < limit {
                break;
            }
            let slot = self.store.levels[best.level as usize].head;
            let owner = self.store.slots[slot as usize].owner;
            if owner.is_user() && owner == incoming.owner {
                self.self_trades += 1;
                match self.self_trade {
                    SelfTrade::CancelNewest => return true,
                    SelfTrade::CancelOldest => self.remove(slot, Gone::SelfTrade, out),
                }
                continue;
            }
            self.fill(slot, incoming, None, true, out);
        }
        false
    }

    /// One trade of `incoming` with the order in `slot`, as much as both have, at `price` or the resting order's.
    #[inline]
    fn fill(
        &mut self,
        slot: u32,
        incoming: &mut Incoming,
        price: Option<Price>,
        printable: bool,
        out: &mut Vec<Event>,
    ) {
        let Slot { order, qty, level, owner, .. } = self.store.slots[slot as usize];
        let shown = self.store.levels[level as usize].price;
        let traded = qty.min(incoming.left);
        incoming.left -= traded;
        self.matches += 1;
        out.push(Event::Traded(Trade {
            match_id: self.matches,
            resting: order,
            incoming: incoming.order,
            price: price.unwrap_or(shown),
            shown,
            qty: Qty(traded),
            resting_left: Qty(qty - traded),
            incoming_left: Qty(incoming.left),
            symbol: incoming.symbol,
            resting_owner: owner,
            incoming_owner: incoming.owner,
            side: incoming.side.opposite(),
            printable,
        }));
        self.store.shrink(slot, traded);
    }

    #[inline]
    fn remove(&mut self, slot: u32, why: Gone, out: &mut Vec<Event>) {
        let Slot { order, qty, level, owner, .. } = self.store.slots[slot as usize];
        let symbol = self.store.levels[level as usize].symbol;
        self.store.shrink(slot, qty);
        out.push(Event::Removed { order, qty: Qty(qty), symbol, owner, why });
    }
}
