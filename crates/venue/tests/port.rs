//! Goal: the order port keeps OUCH 5.0: what is accepted, refused with which reason, ignored, and what each event tells.
//! Method: messages in as bytes, the user's stream out, against a book that the test fills; every limit on both sides.

use tickline_units::{Nanos, Price, Qty, Side, Symbol};
use tickline_venue::engine::{Engine, Enter, Event, Life, Owner, Ref, SelfTrade};
use tickline_venue::port::{Account, FIRST_REF, OrderPort, PRICE_MAX, Reject, SHARES_MAX, Tradable, UserId};
use tickline_wire::ouch::{
    AccountQuery, Appendage, CancelOrder, DisableOrderEntry, EnableOrderEntry, EnterOrder, Inbound,
    MassCancel, ModifyOrder, Outbound, PRICE_MARKET, ReplaceOrder, TIF_DAY, TIF_IOC,
};

const NONE: Appendage<'static> = Appendage::NONE;
const PRICE: u64 = 1_000_000;

struct Desk {
    engine: Engine,
    port: OrderPort,
    events: Vec<Event>,
    time: u64,
    seen: [u64; 2],
    crowd: u64,
}

impl Desk {
    fn new() -> Desk {
        let account = |user: &[u8; 6]| Account { user: *user, password: *b"secret    " };
        let tradable = |name: &str| Tradable { symbol: Symbol::new(name).unwrap(), tick: 100 };
        Desk {
            engine: Engine::new(2, 64, SelfTrade::default()),
            port: OrderPort::new(
                &[account(b"ONE   "), account(b"TWO   ")],
                vec![tradable("TLKA"), tradable("TLKB")],
            ),
            events: Vec::new(),
            time: 0,
            seen: [1, 1],
            crowd: 1,
        }
    }

    fn user(&self, at: usize) -> UserId {
        self.port.users().nth(at).unwrap()
    }

    /// A message of user `at`; what is told to that user.
    fn ask(&mut self, at: usize, message: &Inbound<'_>) -> Vec<String> {
        let mut bytes = [0; 128];
        let length = message.encode(&mut bytes).unwrap();
        self.time += 1;
        let user = self.user(at);
        self.events.clear();
        self.port
            .receive(user, &bytes[..length], Nanos(self.time), &mut self.engine, &mut self.events)
            .unwrap();
        self.told(at)
    }

    /// What user `at` was told since the last look, in short.
    fn told(&mut self, at: usize) -> Vec<String> {
        let user = self.user(at);
        let mut told = Vec::new();
        while let Some(bytes) = self.port.message(user, self.seen[at]) {
            self.seen[at] += 1;
            told.push(short(&Outbound::decode(bytes).unwrap()));
        }
        told
    }

    /// An order of the crowd.
    fn crowd(&mut self, side: Side, qty: u32, price: u64) {
        let (order, symbol, owner, life, mpid) = (Ref(self.crowd), 0, Owner::PUBLIC, Life::Day, 0);
        self.crowd += 1;
        self.events.clear();
        let (price, qty) = (Price(price as u32), Qty(qty));
        let enter = Enter { order, symbol, owner, side, price, qty, life, mpid };
        self.engine.enter(&enter, &mut self.events);
        let events = std::mem::take(&mut self.events);
        self.port.route(Nanos(self.time), &events, &self.engine);
    }
}

fn short(message: &Outbound<'_>) -> String {
    match message {
        Outbound::OrderAccepted(m, _) => format!("A{} {}@{}", m.user_ref, m.qty, m.price),
        Outbound::OrderReplaced(m, _) => {
            format!("U{}>{} {}@{}", m.original_user_ref, m.user_ref, m.qty, m.price)
        }
        Outbound::Executed(m, _) => format!("E{} {}@{}{}", m.user_ref, m.qty, m.price, m.liquidity as char),
        Outbound::Canceled(m, _) => format!("C{} {}{}", m.user_ref, m.qty, m.reason as char),
        Outbound::AiqCanceled(m, _) => format!("D{} {}{}@{}", m.user_ref, m.qty, m.reason as char, m.price),
        Outbound::Rejected(m, _) => format!("J{} {:#x}", m.user_ref, m.reason),
        Outbound::Modified(m, _) => format!("M{} {}{}", m.user_ref, m.qty, m.side as char),
        Outbound::MassCancelResponse(m, _) => format!("X{}", m.user_ref),
        Outbound::DisableResponse(m, _) => format!("G{}", m.user_ref),
        Outbound::EnableResponse(m, _) => format!("K{}", m.user_ref),
        Outbound::AccountQueryResponse(m, _) => format!("Q{}", m.next_user_ref),
        other => panic!("{other:?}"),
    }
}

fn order(user_ref: u32, side: u8, qty: u32, price: u64) -> EnterOrder {
    let (symbol, cl_ord_id) = (*b"TLKA    ", *b"E0010000000001");
    let (tif, display, capacity, sweep, cross) = (TIF_DAY, b'Y', b'P', b'N', b'N');
    EnterOrder { user_ref, side, qty, symbol, price, tif, display, capacity, sweep, cross, cl_ord_id }
}

fn enter(user_ref: u32, side: u8, qty: u32, price: u64) -> Inbound<'static> {
    Inbound::EnterOrder(order(user_ref, side, qty, price), NONE)
}

fn replace(original_user_ref: u32, user_ref: u32, qty: u32, price: u64) -> Inbound<'static> {
    let (tif, display, sweep, cl_ord_id) = (TIF_DAY, b'Y', b'N', *b"E0010000000002");
    let replace = ReplaceOrder { original_user_ref, user_ref, qty, price, tif, display, sweep, cl_ord_id };
    Inbound::ReplaceOrder(replace, NONE)
}

fn cancel(user_ref: u32, qty: u32) -> Inbound<'static> {
    Inbound::CancelOrder(CancelOrder { user_ref, qty }, NONE)
}

#[test]
fn each_wrong_term_is_refused_with_its_reason_and_the_edge_passes() {
    let good = order(0, b'B', 100, PRICE);
    let cases: [(EnterOrder, Option<Reject>); 21] = [
        (EnterOrder { side: b'X', ..good }, Some(Reject::InvalidSide)),
        (EnterOrder { side: b'T', price: PRICE + 100, ..good }, None),
        (EnterOrder { symbol: *b"NOPE    ", ..good }, Some(Reject::InvalidSymbol)),
        (EnterOrder { symbol: *b"TLKB    ", ..good }, None),
        (EnterOrder { qty: 0, ..good }, Some(Reject::InvalidQuantity)),
        (EnterOrder { qty: 1, ..good }, None),
        (EnterOrder { qty: SHARES_MAX, ..good }, None),
        (EnterOrder { qty: SHARES_MAX + 1, ..good }, Some(Reject::InvalidQuantity)),
        (EnterOrder { price: 0, ..good }, Some(Reject::InvalidPrice)),
        (EnterOrder { price: 100, ..good }, None),
        (EnterOrder { price: 150, ..good }, Some(Reject::InvalidPrice)),
        (EnterOrder { price: PRICE_MAX, symbol: *b"TLKB    ", ..good }, None),
        (EnterOrder { price: PRICE_MAX + 100, ..good }, Some(Reject::InvalidPrice)),
        (EnterOrder { price: PRICE_MARKET + 1, ..good }, Some(Reject::InvalidPrice)),
        (EnterOrder { price: u64::MAX, ..good }, Some(Reject::InvalidPrice)),
        (EnterOrder { tif: b'6', ..good }, Some(Reject::Other)),
        (EnterOrder { display: b'N', ..good }, Some(Reject::InvalidDisplay)),
        (EnterOrder { display: b'A', ..good }, None),
        (EnterOrder { capacity: b'?', ..good }, Some(Reject::Other)),
        (EnterOrder { sweep: b'Y', ..good }, Some(Reject::IsoNotAllowed)),
        (EnterOrder { cross: b'O', ..good }, Some(Reject::InvalidCross)),
    ];
    let mut desk = Desk::new();
    for (at, (order, reason)) in cases.into_iter().enumerate() {
        let user_ref = at as u32 + 1;
        let told = desk.ask(0, &Inbound::EnterOrder(EnterOrder { user_ref, ..order }, NONE));
        match reason {
            Some(reason) => assert_eq!(told, [format!("J{user_ref} {:#x}", reason as u16)], "case {at}"),
            None => assert_eq!(told, [format!("A{user_ref} {}@{}", order.qty, order.price)], "case {at}"),
        }
    }
    assert_eq!((desk.port.counts().accepted, desk.port.counts().rejected), (7, 14));
}

#[test]
fn a_number_that_is_not_higher_is_ignored_and_the_query_says_the_next() {
    let mut desk = Desk::new();
    assert_eq!(desk.ask(0, &enter(5, b'B', 10, PRICE)), ["A5 10@1000000"]);
    for repeated in [5, 4, 0] {
        assert!(desk.ask(0, &enter(repeated, b'B', 10, PRICE)).is_empty());
    }
    assert_eq!(desk.ask(0, &Inbound::AccountQuery(AccountQuery {}, NONE)), ["Q6"]);
    assert_eq!(desk.ask(1, &enter(1, b'B', 10, PRICE)), ["A1 10@1000000"], "numbers are each user's own");
    assert_eq!(desk.port.counts().ignored, 3);
}

#[test]
fn both_sides_of_a_trade_are_told_and_a_market_order_never_rests() {
    let mut desk = Desk::new();
    desk.ask(0, &enter(1, b'S', 100, PRICE));
    assert_eq!(desk.ask(1, &enter(1, b'B', 150, PRICE)), ["A1 150@1000000", "E1 100@1000000R"]);
    assert_eq!(desk.told(0), ["E1 100@1000000A"]);
    desk.crowd(Side::Sell, 20, PRICE);
    assert_eq!(desk.told(1), ["E1 20@1000000A"]);
    assert_eq!(desk.ask(0, &enter(2, b'S', 50, PRICE_MARKET))[1..], ["E2 30@1000000R", "C2 20I"]);
    let ioc = EnterOrder { tif: TIF_IOC, ..order(3, b'B', 10, PRICE) };
    assert_eq!(desk.ask(0, &Inbound::EnterOrder(ioc, NONE))[1..], ["C3 10I"]);
    assert_eq!(desk.engine.best(0, Side::Buy), None);
}

#[test]
fn a_replacement_counts_what_was_executed_and_may_trade() {
    let mut desk = Desk::new();
    desk.ask(0, &enter(1, b'B', 100, PRICE));
    desk.crowd(Side::Sell, 40, PRICE);
    assert_eq!(desk.told(0), ["E1 40@1000000A"]);
    assert_eq!(desk.ask(0, &replace(1, 2, 90, PRICE - 100)), ["U1>2 50@999900"]);
    assert_eq!(desk.ask(0, &replace(1, 3, 90, PRICE)), ["J3 0x15"], "the old order is gone");
    assert_eq!(desk.ask(0, &replace(2, 4, 90, PRICE + 50)), ["J4 0x1d"]);
    desk.crowd(Side::Sell, 10, PRICE);
    assert_eq!(desk.ask(0, &replace(2, 5, 90, PRICE)), ["U2>5 50@1000000", "E5 10@1000000R"]);
    assert_eq!(
        desk.ask(0, &replace(5, 6, 50, PRICE)),
        ["C5 40U"],
        "50 are executed: nothing is left to work"
    );
    assert_eq!(desk.engine.levels(0, Side::Buy), 0);
}

#[test]
fn a_cancel_names_the_size_that_stays_and_a_modification_keeps_priority() {
    let mut desk = Desk::new();
    desk.ask(0, &enter(1, b'S', 100, PRICE));
    desk.crowd(Side::Sell, 100, PRICE);
    assert_eq!(desk.ask(0, &cancel(1, 100)), [""; 0], "no smaller than it is");
    assert_eq!(desk.ask(0, &cancel(1, 80)), ["C1 20U"]);
    let modify = |qty, side| Inbound::ModifyOrder(ModifyOrder { user_ref: 1, side, qty }, NONE);
    assert_eq!(desk.ask(0, &modify(81, b'S')), [""; 0]);
    assert_eq!(desk.ask(0, &modify(60, b'B')), [""; 0], "a sale becomes no purchase");
    assert_eq!(desk.ask(0, &modify(60, b'T')), ["M1 60T"]);
    desk.crowd(Side::Buy, 10, PRICE);
    assert_eq!(desk.told(0), ["E1 10@1000000A"], "still first in the queue");
    assert_eq!(desk.ask(0, &cancel(1, 10)), ["C1 50U"], "10 are executed: the size of 10 leaves nothing");
    assert_eq!(desk.ask(0, &cancel(1, 0)), [""; 0]);
}

#[test]
fn a_user_never_trades_with_itself() {
    let mut desk = Desk::new();
    desk.crowd(Side::Sell, 30, PRICE - 100);
    desk.ask(0, &enter(1, b'S', 100, PRICE));
    assert_eq!(
        desk.ask(0, &enter(2, b'B', 50, PRICE)),
        ["A2 50@1000000", "E2 30@999900R", "D2 20Q@1000000"],
        "the newest goes"
    );
    assert_eq!(desk.ask(1, &enter(1, b'B', 50, PRICE))[1..], ["E1 50@1000000R"], "another user may");
    assert_eq!(desk.engine.self_trades_prevented(), 1);
}

#[test]
fn a_mass_cancel_takes_one_symbol_or_all_and_only_the_users_own() {
    let mut desk = Desk::new();
    desk.ask(0, &enter(1, b'B', 10, PRICE));
    desk.ask(0, &Inbound::EnterOrder(EnterOrder { symbol: *b"TLKB    ", ..order(2, b'B', 20, PRICE) }, NONE));
    desk.ask(0, &enter(3, b'S', 30, PRICE + 100));
    desk.ask(1, &enter(1, b'B', 40, PRICE));
    let mass = |user_ref, symbol| Inbound::MassCancel(MassCancel { user_ref, firm: *b"TLKM", symbol }, NONE);
    assert_eq!(desk.ask(0, &mass(4, *b"NOPE    ")), ["J4 0x17"]);
    assert_eq!(desk.ask(0, &mass(5, *b"TLKA    ")), ["X5", "C1 10U", "C3 30U"]);
    assert_eq!(desk.ask(0, &mass(6, *b"        ")), ["X6", "C2 20U"]);
    assert_eq!(desk.ask(0, &mass(6, *b"        ")), [""; 0], "a repeated request");
    assert_eq!(desk.engine.best(0, Side::Buy).map(|best| best.qty), Some(40));
}

#[test]
fn a_disabled_user_can_cancel_but_not_enter_and_an_ended_connection_cancels_all() {
    let mut desk = Desk::new();
    desk.ask(0, &enter(1, b'B', 10, PRICE));
    let firm = *b"TLKM";
    assert_eq!(
        desk.ask(0, &Inbound::DisableOrderEntry(DisableOrderEntry { user_ref: 2, firm }, NONE)),
        ["G2"]
    );
    assert_eq!(desk.ask(0, &enter(3, b'B', 10, PRICE)), ["J3 0xc"]);
    assert_eq!(desk.ask(0, &replace(1, 4, 20, PRICE)), ["J4 0xc"]);
    assert_eq!(desk.ask(0, &cancel(1, 0)), ["C1 10U"]);
    assert_eq!(desk.ask(0, &Inbound::EnableOrderEntry(EnableOrderEntry { user_ref: 5, firm }, NONE)), ["K5"]);
    assert_eq!(desk.ask(0, &enter(6, b'B', 10, PRICE)), ["A6 10@1000000"]);
    let user = desk.user(0);
    desk.events.clear();
    desk.port.disconnect(user, Nanos(9), &mut desk.engine, &mut desk.events);
    assert_eq!(desk.told(0), ["C6 10Z"]);
    assert_eq!(desk.engine.levels(0, Side::Buy), 0);
}

#[test]
fn bytes_that_are_no_message_change_nothing() {
    let mut desk = Desk::new();
    let user = desk.user(0);
    for bytes in [&b""[..], b"?", b"O", b"O123", &[b'X'; 10]] {
        let done = desk.port.receive(user, bytes, Nanos(1), &mut desk.engine, &mut desk.events);
        assert!(done.is_err(), "{bytes:?}");
    }
    assert!(desk.told(0).is_empty());
    assert_eq!(desk.ask(0, &enter(1, b'B', 1, PRICE)), ["A1 1@1000000"]);
    assert!(desk.engine.order(Ref(FIRST_REF)).is_some());
}
