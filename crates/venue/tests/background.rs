//! Goal: a capture played as background gives history's book, and with users' orders it differs by what they did alone.
//! Method: the same messages go to `crates/book`, which knows nothing of matching; real flow where the data is at hand,
//! generated flow with random users' orders otherwise; small scripts for each rule.

use proptest::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tickline_book::{Books, Capacity};
use tickline_packet::arbiter::{Arbiter, Config, Event as Line};
use tickline_packet::pcap::Capture;
use tickline_trials::trials;
use tickline_units::{Nanos, Price, Qty, Side, Symbol};
use tickline_venue::background::Background;
use tickline_venue::engine::{Engine, Enter, Event, Gone, Life, Owner, Ref, SelfTrade};
use tickline_venue::feed_out::FeedOut;
use tickline_venue::flow::{Flow, Listing, Rates};
use tickline_wire::itch::{self, Body, Header, Letter, Update};
use tickline_wire::mold::{Packet, Session};

const SIDES: [Side; 2] = [Side::Buy, Side::Sell];

/// Every order of a symbol as history's book has it: reference, price, shares; in priority order.
fn history(books: &Books, symbol: Symbol, side: Side) -> Vec<(u64, u32, u32)> {
    let mut orders = Vec::new();
    if let Some(book) = books.find(symbol).and_then(|id| books.book(id)) {
        book.orders(side, |order| orders.push((order.reference, order.price.0, order.qty.0)));
    }
    orders
}

/// The same of the engine.
fn played(engine: &Engine, place: u16, side: Side) -> Vec<(u64, u32, u32)> {
    (0..engine.levels(place, side))
        .flat_map(|depth| engine.queue(place, side, depth).map(|o| (o.order.0, o.price.0, o.qty.0)))
        .collect()
}

fn data(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TICKLINE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let file = root.join("itch").join(name);
    if file.exists() {
        return Some(file);
    }
    println!("skipped: {} is not there", file.display());
    None
}

#[test]
fn a_real_day_without_users_gives_the_book_of_history() {
    for name in ["GOOG.pcap.gz", "AMZN.pcap.gz", "burst.pcap.gz"] {
        let Some(file) = data(name) else { continue };
        let capture = Capture::open(&file).unwrap();
        let mut arbiter = Arbiter::new(Config::default());
        let mut books = Books::new(Capacity::default());
        let (mut engine, mut background) =
            (Engine::new(0, 1 << 14, SelfTrade::default()), Background::new(&[]));
        let (mut events, mut count, mut compared) = (Vec::new(), 0u64, 0);
        for frame in capture.frames() {
            arbiter
                .accept(&frame, |line| {
                    let Line::Message { bytes, .. } = line else { return };
                    let update = itch::decode(bytes).unwrap();
                    books.apply(&update);
                    background.update(&update, &mut engine, &mut events);
                    events.clear();
                    count += 1;
                })
                .unwrap();
            if count / 1_009 > compared {
                compare(&books, &engine, &background, false);
                compared += 1;
            }
        }
        compare(&books, &engine, &background, true);
        assert_eq!(background.unknown(), 0, "{name}");
        println!("{name}: {count} messages, {compared} comparisons of every order");
    }
}

fn compare(books: &Books, engine: &Engine, background: &Background, last: bool) {
    for (place, seen) in background.symbols().iter().enumerate() {
        for side in SIDES {
            let (got, want) = (played(engine, place as u16, side), history(books, seen.symbol, side));
            assert!(got == want, "{:?} {side:?}: {} orders, history {}", seen.symbol, got.len(), want.len());
            assert!(!last || !want.is_empty() || books.is_empty() || engine.levels(place as u16, side) == 0);
        }
    }
}

const PLACE: Symbol = Symbol(*b"TLKA    ");

fn update(body: impl Into<Body>) -> Update {
    Update { header: Header { time: Nanos(0), locate: 1, tracking: 0 }, body: body.into() }
}

fn add(order: u64, side: Side, shares: u32, price: u32) -> Update {
    update(itch::Add { order, side, shares: Qty(shares), symbol: PLACE, price: Price(price) })
}

fn executed(order: u64, shares: u32) -> Update {
    update(itch::Executed { order, shares: Qty(shares), match_number: 1 })
}

/// A venue with one symbol, history's own book beside it, and one user.
struct Scene {
    engine: Engine,
    background: Background,
    books: Books,
    events: Vec<Event>,
    next: u64,
}

impl Scene {
    fn new() -> Scene {
        Scene {
            engine: Engine::new(1, 64, SelfTrade::default()),
            background: Background::new(&[PLACE]),
            books: Books::new(Capacity { orders: 64, levels: 64, books: 1, levels_per_side: 64 }),
            events: Vec::new(),
            next: 1 << 52,
        }
    }

    fn history(&mut self, update: Update) -> Vec<Event> {
        self.events.clear();
        self.books.apply(&update);
        self.background.update(&update, &mut self.engine, &mut self.events);
        self.events.clone()
    }

    fn user(&mut self, side: Side, qty: u32, price: u32) -> Ref {
        self.events.clear();
        let order = Ref(self.next);
        self.next += 1;
        let (owner, price, qty, life, mpid) = (Owner(1), Price(price), Qty(qty), Life::Day, 0);
        let enter = Enter { order, symbol: 0, owner, side, price, qty, life, mpid };
        self.engine.enter(&enter, &mut self.events);
        order
    }

    fn left(&self, order: u64) -> u32 {
        self.engine.order(Ref(order)).map_or(0, |order| order.qty.0)
    }
}

/// Trades of a list: resting reference and shares.
fn trades(events: &[Event]) -> Vec<(u64, u32)> {
    let trade = |event: &Event| match event {
        Event::Traded(trade) => Some((trade.resting.0, trade.qty.0)),
        _ => None,
    };
    events.iter().filter_map(trade).collect()
}

#[test]
fn an_execution_of_history_fills_the_user_ahead_first_and_the_order_is_cut_to_history() {
    let mut scene = Scene::new();
    scene.history(add(1, Side::Buy, 100, 1000));
    let better = scene.user(Side::Buy, 30, 1100);
    let behind = scene.user(Side::Buy, 30, 1000);
    scene.history(add(2, Side::Buy, 100, 1000));
    assert_eq!(trades(&scene.history(executed(1, 40))), [(better.0, 30), (1, 10)]);
    assert_eq!((scene.left(1), scene.left(behind.0)), (60, 30), "history says 60 of the order are left");
    // Order 2 stands behind the user: the user is filled first, history's quantity goes from order 2 all the same.
    let events = scene.history(executed(2, 50));
    assert_eq!(trades(&events), [(behind.0, 30), (2, 20)]);
    assert!(matches!(
        events.last(),
        Some(Event::Reduced { by: Qty(30), left: Qty(50), why: Gone::Cancelled, .. })
    ));
}

#[test]
fn an_execution_with_a_price_meets_only_users_at_that_price_or_better() {
    let mut scene = Scene::new();
    scene.history(add(1, Side::Sell, 100, 1000));
    let user = scene.user(Side::Sell, 10, 950);
    let done = |price| itch::ExecutedPrice {
        order: 1,
        shares: Qty(20),
        match_number: 1,
        printable: Letter(b'N'),
        price: Price(price),
    };
    assert_eq!(trades(&scene.history(update(done(940)))), [(1, 20)], "the buyer paid 940 at most");
    assert_eq!(trades(&scene.history(update(done(950)))), [(user.0, 10), (1, 10)]);
    assert_eq!(scene.left(1), 60);
}

#[test]
fn a_new_order_of_history_trades_with_users_and_rests_across_its_own_kind() {
    let mut scene = Scene::new();
    scene.history(add(1, Side::Sell, 100, 1000));
    let user = scene.user(Side::Sell, 30, 1000);
    let events = scene.history(add(2, Side::Buy, 50, 1000));
    assert_eq!(trades(&events), [(user.0, 30)], "history did not let 2 trade with 1");
    assert_eq!((scene.left(1), scene.left(2)), (100, 20));
    // By history alone 2 has 50: an execution of 30 takes what there is and no more.
    assert_eq!(trades(&scene.history(executed(2, 30))), [(2, 20)]);
    assert_eq!(scene.left(2), 0);
}

#[test]
fn what_a_user_took_stays_taken_also_after_a_replacement() {
    let mut scene = Scene::new();
    scene.history(add(1, Side::Sell, 100, 1000));
    scene.user(Side::Buy, 40, 1000);
    assert_eq!(scene.left(1), 60);
    scene.history(update(itch::Cancel { order: 1, shares: Qty(10) }));
    assert_eq!(scene.left(1), 60, "history has 90, the book less: nothing to cut");
    let new = itch::Replace { order: 1, new_order: 2, shares: Qty(80), price: Price(1010) };
    scene.history(update(new));
    assert_eq!((scene.left(1), scene.left(2)), (0, 50), "90 - 60 = 30 were taken and stay taken");
    let small = itch::Replace { order: 2, new_order: 3, shares: Qty(20), price: Price(1010) };
    scene.history(update(small));
    assert_eq!((scene.left(2), scene.left(3)), (0, 0));
    scene.history(update(itch::Delete { order: 3 }));
    assert_eq!(scene.background.unknown(), 0);
}

#[test]
fn unknown_references_are_tolerated_and_counted() {
    let mut scene = Scene::new();
    assert!(scene.history(executed(9, 1)).is_empty());
    scene.history(update(itch::Delete { order: 9 }));
    scene.history(update(itch::Replace { order: 9, new_order: 10, shares: Qty(1), price: Price(5) }));
    scene.history(add(1, Side::Buy, 5, 10));
    assert!(scene.history(add(1, Side::Buy, 5, 10)).is_empty(), "a reference that is in use");
    assert_eq!(scene.background.unknown(), 4);
}

/// Messages of seconds of generated flow in two symbols.
fn messages(seed: u64, seconds: u64) -> Vec<Vec<u8>> {
    let listings = [Listing { tick: 100, price: 500_000 }, Listing { tick: 100, price: 900_000 }];
    let mut flow = Flow::new(seed, &listings, Rates::default(), Nanos(0), 1);
    let mut engine = Engine::new(2, 4096, SelfTrade::default());
    let symbols = vec![(PLACE, 1), (Symbol(*b"TLKB    "), 2)];
    let mut feed = FeedOut::new(Session(*b"HISTORY   "), symbols);
    let (mut commands, mut events, mut out) = (Vec::new(), Vec::new(), Vec::new());
    feed.open(Nanos(0));
    flow.open(&mut commands);
    while flow.due().is_some_and(|due| due.0 < seconds * 1_000_000_000) {
        for command in commands.drain(..) {
            engine.apply(&command, &mut events);
        }
        feed.publish(Nanos(0), &events);
        events.clear();
        flow.step(&engine, &mut commands);
    }
    let mut packet = [0; 2048];
    loop {
        let length = feed.pack(&mut packet);
        if length == 0 {
            return out;
        }
        out.extend(Packet::parse(&packet[..length]).unwrap().blocks().map(<[u8]>::to_vec));
    }
}

/// One order of the user: after how many messages of history, on which side, how far across the touch, how much.
fn intrusion() -> impl Strategy<Value = (usize, Side, i32, u32, bool)> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    (1usize..60, side, -6i32..4, 1u32..400, any::<bool>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: trials(24, 500), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever users do: no order of history has more than history says, users are never crossed with history, they
    /// are filled at their limit or better, and every share they traded left a counterpart.
    #[test]
    fn users_orders_change_the_book_by_their_own_impact_only(
        seed in 0u64..1000,
        intrusions in prop::collection::vec(intrusion(), 1..60),
    ) {
        let mut scene = Scene::new();
        let (mut at, mut plan) = (0, intrusions.into_iter());
        let mut next = plan.next();
        let mut limits = HashMap::new();
        for (count, bytes) in messages(seed, 2).iter().enumerate() {
            let happened = scene.history(itch::decode(bytes).unwrap());
            check(&scene, &happened, &limits)?;
            let Some((wait, side, across, qty, cancel)) = next else { continue };
            if count < at + wait {
                continue;
            }
            (at, next) = (count, plan.next());
            let Some(best) = scene.engine.best(0, side.opposite()) else { continue };
            let ticks = if side == Side::Buy { across } else { -across };
            let price = (best.price.0 as i32 + ticks * 100).max(100) as u32;
            let order = Ref(scene.next);
            limits.insert(order.0, price);
            scene.user(side, qty, price);
            let happened = scene.events.clone();
            check(&scene, &happened, &limits)?;
            if cancel {
                scene.events.clear();
                scene.engine.cancel(order, Gone::Cancelled, &mut scene.events);
            }
        }
    }
}

fn check(scene: &Scene, events: &[Event], limits: &HashMap<u64, u32>) -> Result<(), TestCaseError> {
    for event in events {
        let Event::Traded(trade) = event else { continue };
        for (order, side) in [(trade.resting.0, trade.side), (trade.incoming.0, trade.side.opposite())] {
            if let Some(&limit) = limits.get(&order) {
                let holds = if side == Side::Buy { trade.price.0 <= limit } else { trade.price.0 >= limit };
                prop_assert!(holds, "a user's limit");
            }
        }
    }
    let mut best = [[None; 2]; 2];
    for (at, side) in SIDES.into_iter().enumerate() {
        let history: HashMap<u64, u32> =
            history(&scene.books, PLACE, side).into_iter().map(|(order, _, qty)| (order, qty)).collect();
        for (order, price, qty) in played(&scene.engine, 0, side) {
            let user = order >= 1 << 52;
            let better = |old: u32| if side == Side::Buy { price > old } else { price < old };
            let slot: &mut Option<u32> = &mut best[at][user as usize];
            if slot.is_none_or(better) {
                *slot = Some(price);
            }
            prop_assert!(user || history.get(&order).is_some_and(|&most| qty <= most), "more than history");
        }
    }
    for (bid, ask) in [(best[0][1], best[1][0]), (best[0][0], best[1][1])] {
        if let (Some(bid), Some(ask)) = (bid, ask) {
            prop_assert!(bid < ask, "a user's order is crossed with history's");
        }
    }
    Ok(())
}
