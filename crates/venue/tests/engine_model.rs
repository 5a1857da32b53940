//! Goal: the engine equals price-time matching as one would write it down, event by event.
//! Method: a slow model that keeps a flat list of orders and searches it each time; it shares no code with the engine
//! beyond the vocabulary of commands and events. Random commands over a small price range, so that they meet often.

use proptest::prelude::*;
use std::collections::{HashMap, HashSet};
use tickline_trials::trials;
use tickline_units::{Price, Qty, Side};
use tickline_venue::engine::{
    Command, Engine, Enter, Event, Gone, Life, MARKET, Owner, Ref, Refused, SelfTrade, Trade,
};

const SYMBOLS: u16 = 2;

#[derive(Clone, Copy, PartialEq, Debug)]
struct Flat {
    id: u64,
    owner: u16,
    symbol: u16,
    buys: bool,
    price: u32,
    qty: u32,
    arrived: u64,
}

/// The slow model.
struct Model {
    orders: Vec<Flat>,
    arrivals: u64,
    matches: u64,
    policy: SelfTrade,
}

fn side(buys: bool) -> Side {
    if buys { Side::Buy } else { Side::Sell }
}

impl Model {
    fn at(&self, id: u64) -> Option<usize> {
        self.orders.iter().position(|order| order.id == id)
    }

    fn refusal(&self, id: u64, symbol: u16, price: u32, qty: u32) -> Option<Refused> {
        if symbol >= SYMBOLS {
            Some(Refused::Symbol)
        } else if price == 0 || price > 0x7FFF_FFFF {
            Some(Refused::Price)
        } else if qty == 0 {
            Some(Refused::Qty)
        } else if id == 0 || self.at(id).is_some() {
            Some(Refused::Ref)
        } else {
            None
        }
    }

    /// The order on the other side that `new` meets first.
    fn meets(&self, new: &Flat) -> Option<usize> {
        let market = new.price == MARKET.0;
        let mut best: Option<usize> = None;
        for (at, order) in self.orders.iter().enumerate() {
            let crosses =
                market || if new.buys { order.price <= new.price } else { order.price >= new.price };
            if order.symbol != new.symbol || order.buys == new.buys || !crosses {
                continue;
            }
            let better = best.is_none_or(|best| {
                let best = &self.orders[best];
                if order.price != best.price {
                    (order.price < best.price) == new.buys
                } else {
                    order.arrived < best.arrived
                }
            });
            if better {
                best = Some(at);
            }
        }
        best
    }

    fn come(&mut self, mut new: Flat, life: Life, mpid: u32, out: &mut Vec<Event>) {
        let (order, owner) = (Ref(new.id), Owner(new.owner));
        while new.qty > 0 {
            let Some(at) = self.meets(&new) else { break };
            let other = self.orders[at];
            if other.owner == new.owner && new.owner != 0 {
                if self.policy == SelfTrade::CancelNewest {
                    let why = Gone::SelfTrade;
                    out.push(Event::Lapsed { order, qty: Qty(new.qty), symbol: new.symbol, owner, why });
                    return;
                }
                out.push(self.drop_at(at, Gone::SelfTrade));
                continue;
            }
            let qty = new.qty.min(other.qty);
            new.qty -= qty;
            self.orders[at].qty -= qty;
            self.matches += 1;
            out.push(Event::Traded(Trade {
                match_id: self.matches,
                resting: Ref(other.id),
                incoming: order,
                price: Price(other.price),
                shown: Price(other.price),
                qty: Qty(qty),
                resting_left: Qty(other.qty - qty),
                incoming_left: Qty(new.qty),
                symbol: new.symbol,
                resting_owner: Owner(other.owner),
                incoming_owner: owner,
                side: side(other.buys),
                printable: true,
            }));
            self.orders.retain(|order| order.qty > 0);
        }
        if new.qty == 0 {
            return;
        }
        let (qty, symbol) = (Qty(new.qty), new.symbol);
        if life == Life::Ioc || new.price == MARKET.0 {
            out.push(Event::Lapsed { order, qty, symbol, owner, why: Gone::Unfilled });
            return;
        }
        self.rest(new);
        out.push(Event::Added {
            order,
            price: Price(new.price),
            qty,
            mpid,
            symbol,
            owner,
            side: side(new.buys),
        });
    }

    fn rest(&mut self, mut new: Flat) {
        self.arrivals += 1;
        new.arrived = self.arrivals;
        self.orders.push(new);
    }

    fn drop_at(&mut self, at: usize, why: Gone) -> Event {
        let gone = self.orders.remove(at);
        Event::Removed {
            order: Ref(gone.id),
            qty: Qty(gone.qty),
            symbol: gone.symbol,
            owner: Owner(gone.owner),
            why,
        }
    }

    fn replace(&mut self, old: u64, new: u64, price: u32, qty: u32, life: Life, out: &mut Vec<Event>) {
        let Some(at) = self.at(old) else {
            return out.push(Event::Refused { order: Ref(old), why: Refused::Unknown });
        };
        let was = self.orders[at];
        if let Some(why) = self.refusal(new, was.symbol, price, qty) {
            return out.push(Event::Refused { order: Ref(new), why });
        }
        let come = Flat { id: new, price, qty, ..was };
        if self.meets(&come).is_some() || life == Life::Ioc || price == MARKET.0 {
            out.push(self.drop_at(at, Gone::Replaced));
            self.come(come, life, 0, out);
        } else {
            self.orders.remove(at);
            self.rest(come);
            out.push(Event::Replaced {
                old: Ref(old),
                new: Ref(new),
                price: Price(price),
                qty: Qty(qty),
                symbol: was.symbol,
                owner: Owner(was.owner),
                side: side(was.buys),
            });
        }
    }

    fn apply(&mut self, command: &Command, out: &mut Vec<Event>) {
        match *command {
            Command::Enter(Enter { order, symbol, owner, side, price, qty, life, mpid }) => {
                if let Some(why) = self.refusal(order.0, symbol, price.0, qty.0) {
                    return out.push(Event::Refused { order, why });
                }
                let buys = side == Side::Buy;
                let (price, qty) = (price.0, qty.0);
                self.come(
                    Flat { id: order.0, owner: owner.0, symbol, buys, price, qty, arrived: 0 },
                    life,
                    mpid,
                    out,
                );
            }
            Command::Cancel { order } => match self.at(order.0) {
                Some(at) => out.push(self.drop_at(at, Gone::Cancelled)),
                None => out.push(Event::Refused { order, why: Refused::Unknown }),
            },
            Command::Reduce { order, by } => match self.at(order.0) {
                None => out.push(Event::Refused { order, why: Refused::Unknown }),
                Some(_) if by.0 == 0 => out.push(Event::Refused { order, why: Refused::Qty }),
                Some(at) if by.0 >= self.orders[at].qty => out.push(self.drop_at(at, Gone::Cancelled)),
                Some(at) => {
                    self.orders[at].qty -= by.0;
                    let Flat { qty, symbol, owner, .. } = self.orders[at];
                    let (left, owner) = (Qty(qty), Owner(owner));
                    out.push(Event::Reduced { order, by, left, symbol, owner, why: Gone::Cancelled });
                }
            },
            Command::Replace { old, new, price, qty, life } => {
                self.replace(old.0, new.0, price.0, qty.0, life, out)
            }
            Command::MassCancel { owner, symbol, side: only } => {
                let mut gone: Vec<Flat> = self
                    .orders
                    .iter()
                    .filter(|o| o.owner == owner.0 && owner.0 != 0)
                    .filter(|o| {
                        symbol.is_none_or(|s| s == o.symbol) && only.is_none_or(|s| s == side(o.buys))
                    })
                    .copied()
                    .collect();
                gone.sort_by_key(|order| order.arrived);
                for order in gone {
                    let at = self.at(order.id).expect("listed a moment ago");
                    out.push(self.drop_at(at, Gone::MassCancelled));
                }
            }
            Command::Print { symbol, side, price, qty } => {
                self.matches += 1;
                out.push(Event::Printed { match_id: self.matches, price, qty, symbol, side });
            }
        }
    }

    /// Orders of one side in priority order.
    fn book(&self, symbol: u16, buys: bool) -> Vec<(u64, u32, u32)> {
        let mut side: Vec<&Flat> =
            self.orders.iter().filter(|o| o.symbol == symbol && o.buys == buys).collect();
        side.sort_by_key(|o| (if buys { u32::MAX - o.price } else { o.price }, o.arrived));
        side.iter().map(|o| (o.id, o.price, o.qty)).collect()
    }
}

fn book(engine: &Engine, symbol: u16, side: Side) -> Vec<(u64, u32, u32)> {
    (0..engine.levels(symbol, side))
        .flat_map(|depth| engine.queue(symbol, side, depth).map(|o| (o.order.0, o.price.0, o.qty.0)))
        .collect()
}

fn command() -> impl Strategy<Value = Command> {
    let id = || 0u64..40;
    let price =
        || prop_oneof![20 => 1u32..16, 1 => Just(MARKET.0), 1 => Just(0u32), 1 => Just(0x8000_0000u32)];
    let qty = || prop_oneof![20 => 1u32..30, 1 => Just(0u32)];
    let any_side = || prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let life = || prop_oneof![3 => Just(Life::Day), 1 => Just(Life::Ioc)];
    prop_oneof![
        8 => (id(), 0..SYMBOLS + 1, 0u16..4, any_side(), price(), qty(), life()).prop_map(
            |(id, symbol, owner, side, price, qty, life)| Command::Enter(Enter {
                order: Ref(id), symbol: if symbol == SYMBOLS { 99 } else { symbol }, owner: Owner(owner),
                side, price: Price(price), qty: Qty(qty), life, mpid: (id % 3) as u32,
            })),
        2 => id().prop_map(|id| Command::Cancel { order: Ref(id) }),
        2 => (id(), qty()).prop_map(|(id, by)| Command::Reduce { order: Ref(id), by: Qty(by) }),
        3 => (id(), id(), price(), qty(), life()).prop_map(|(old, new, price, qty, life)| Command::Replace {
            old: Ref(old), new: Ref(new), price: Price(price), qty: Qty(qty), life }),
        1 => (0u16..4, prop::option::of(0..SYMBOLS), prop::option::of(any_side())).prop_map(
            |(owner, symbol, side)| Command::MassCancel { owner: Owner(owner), symbol, side }),
        1 => (0..SYMBOLS, any_side(), 1u32..16, 1u32..9).prop_map(|(symbol, side, price, qty)| Command::Print {
            symbol, side, price: Price(price), qty: Qty(qty) }),
    ]
}

/// Shares that rest by the events alone, per order; checks each event against what it must refer to.
#[derive(Default)]
struct Ledger {
    resting: HashMap<u64, u32>,
    matches: HashSet<u64>,
}

impl Ledger {
    fn take(&mut self, id: u64, qty: u32, left: u32) {
        let has = self.resting.get_mut(&id).expect("the event names an order that rests");
        *has -= qty;
        assert_eq!(*has, left, "what is left is what was there less what went");
        if left == 0 {
            self.resting.remove(&id);
        }
    }

    /// Follows the events of one command; `came` is the quantity of the order that came.
    fn follow(&mut self, came: u32, events: &[Event]) {
        let mut used = 0;
        for event in events {
            match *event {
                Event::Added { order, qty, .. } => {
                    assert!(self.resting.insert(order.0, qty.0).is_none(), "references are unique");
                    used += qty.0;
                }
                Event::Traded(trade) => {
                    assert!(trade.resting_owner.0 == 0 || trade.resting_owner != trade.incoming_owner);
                    assert!(self.matches.insert(trade.match_id), "match numbers are unique");
                    self.take(trade.resting.0, trade.qty.0, trade.resting_left.0);
                    used += trade.qty.0;
                }
                Event::Reduced { order, by, left, .. } => self.take(order.0, by.0, left.0),
                Event::Removed { order, qty, .. } => self.take(order.0, qty.0, 0),
                Event::Replaced { old, new, qty, .. } => {
                    assert!(self.resting.remove(&old.0).is_some());
                    assert!(self.resting.insert(new.0, qty.0).is_none());
                    used += qty.0;
                }
                Event::Lapsed { qty, .. } => used += qty.0,
                Event::Printed { match_id, .. } => assert!(self.matches.insert(match_id)),
                Event::Refused { .. } => return assert_eq!(events.len(), 1),
            }
        }
        assert_eq!(used, came, "every share that came rests, traded or lapsed");
    }
}

fn came(command: &Command) -> u32 {
    match *command {
        Command::Enter(Enter { qty, .. }) | Command::Replace { qty, .. } => qty.0,
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: trials(400, 10_000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equals_the_slow_model(
        commands in prop::collection::vec(command(), 1..250),
        policy in prop_oneof![Just(SelfTrade::CancelNewest), Just(SelfTrade::CancelOldest)],
    ) {
        let mut engine = Engine::new(SYMBOLS, 4, policy);
        let mut model = Model { orders: Vec::new(), arrivals: 0, matches: 0, policy };
        let (mut got, mut want, mut ledger) = (Vec::new(), Vec::new(), Ledger::default());
        for command in &commands {
            got.clear();
            want.clear();
            engine.apply(command, &mut got);
            model.apply(command, &mut want);
            prop_assert_eq!(&got, &want, "{:?}", command);
            ledger.follow(came(command), &got);
            for symbol in 0..SYMBOLS {
                for side in [Side::Buy, Side::Sell] {
                    prop_assert_eq!(book(&engine, symbol, side), model.book(symbol, side == Side::Buy));
                }
                if let (Some(bid), Some(ask)) = (engine.best(symbol, Side::Buy), engine.best(symbol, Side::Sell)) {
                    prop_assert!(bid.price < ask.price, "the book is crossed");
                }
            }
        }
        prop_assert_eq!(ledger.resting.len(), model.orders.len());
        prop_assert!(model.orders.iter().all(|order| ledger.resting.get(&order.id) == Some(&order.qty)));
    }
}

/// Goal: the comparison has teeth. Method: a model with the queue turned round must disagree.
#[test]
fn a_model_without_time_priority_is_told_apart() {
    let enter = |order: u64, side: Side, qty: u32| {
        Command::Enter(Enter {
            order: Ref(order),
            symbol: 0,
            owner: Owner::PUBLIC,
            side,
            price: Price(10),
            qty: Qty(qty),
            life: Life::Day,
            mpid: 0,
        })
    };
    let commands = [enter(1, Side::Buy, 5), enter(2, Side::Buy, 5), enter(3, Side::Sell, 5)];
    let mut engine = Engine::new(1, 4, SelfTrade::default());
    let mut model = Model { orders: Vec::new(), arrivals: 0, matches: 0, policy: SelfTrade::default() };
    let (mut got, mut want) = (Vec::new(), Vec::new());
    for (at, command) in commands.iter().enumerate() {
        engine.apply(command, &mut got);
        if at == 2 {
            model.orders.iter_mut().for_each(|order| order.arrived = 10 - order.arrived);
        }
        model.apply(command, &mut want);
    }
    assert_ne!(got, want);
}
