//! Goal: every limit refuses one step beyond its edge and passes on it, with its own reason.
//! Method: one good case; for each limit the change that stays on the edge and the change that crosses it.

use tickline_gate::{
    ARMED, Decisions, Gate, KIND_CANCEL, KIND_ENTER, KIND_REPLACE, LANE_NORMAL, LineState, Order, Rate,
    Refusal, Seen, SessionLimits, SessionState, TIF_IOC, TOKEN_WORDS, Token, TokenImage, Used, check,
};
use tickline_units::Nanos;

/// Everything the gate looks at.
#[derive(Clone)]
struct Case {
    order: Order,
    token: Token,
    used: Used,
    limits: SessionLimits,
    session: SessionState,
    line: LineState,
    now: u64,
}

fn good() -> Case {
    Case {
        order: Order {
            decision: 1000,
            time_ns: 5_000,
            epoch: 7,
            token: 3,
            price: 1_000_000,
            qty: 100,
            target: 0,
            instrument: 4,
            strategy: 2,
            side: 1,
            lane: LANE_NORMAL,
            kind: KIND_ENTER,
            tif: TIF_IOC,
        },
        token: Token {
            epoch: 7,
            expiry_ns: 6_000,
            price_low: 900_000,
            price_high: 1_100_000,
            qty_max: 200,
            instrument: 4,
            strategy: 2,
            qty_total: 1_000,
            notional_total: 1_000_000_000,
            messages_total: 50,
            side: 1,
            lane: LANE_NORMAL,
        },
        used: Used { qty: 500, notional: 500_000_000, messages: 20 },
        limits: SessionLimits {
            order_qty_max: 300,
            order_notional_max: 400_000_000,
            messages_per_second: 100,
            working_orders_max: 10,
        },
        session: SessionState {
            ready: true,
            backlog: false,
            instrument: true,
            target: true,
            working: 0,
            user_refs_left: 1_000,
            rate: true,
            decision: Seen::New,
        },
        line: LineState { armed: ARMED, epoch: 7 },
        now: 5_000,
    }
}

fn checked(case: &Case) -> Result<(), Refusal> {
    let image = case.token.image(8);
    check(&case.order, &image, &case.used, &case.limits, &case.session, &case.line, Nanos(case.now))
}

type Change = fn(&mut Case);

/// Limit, a change that stays on its edge, one step further.
const EDGES: &[(Refusal, Change, Change)] = &[
    (Refusal::Disarmed, |c| c.line.armed = ARMED, |c| c.line.armed = ARMED + 1),
    (Refusal::Disarmed, |_| (), |c| c.line.armed = 0),
    (Refusal::Epoch, |_| (), |c| c.order.epoch = 6),
    (Refusal::Epoch, |_| (), |c| c.order.epoch = 8),
    (Refusal::Kind, |c| c.order.kind = KIND_REPLACE, |c| c.order.kind = KIND_REPLACE + 1),
    (Refusal::Kind, |c| c.order.kind = KIND_ENTER, |c| c.order.kind = 0),
    (Refusal::Side, |_| (), |c| c.order.side = 0),
    (Refusal::Side, |c| (c.order.side, c.token.side) = (2, 2), |c| (c.order.side, c.token.side) = (3, 3)),
    (Refusal::Lane, |c| (c.order.lane, c.token.lane) = (1, 1), |c| (c.order.lane, c.token.lane) = (2, 2)),
    (Refusal::TimeInForce, |c| c.order.tif = 0, |c| c.order.tif = 1),
    (Refusal::TimeInForce, |c| c.order.tif = 3, |c| c.order.tif = 4),
    (Refusal::SessionDown, |_| (), |c| c.session.ready = false),
    (Refusal::Backlog, |_| (), |c| c.session.backlog = true),
    (Refusal::Instrument, |_| (), |c| c.session.instrument = false),
    (Refusal::Target, |_| (), |c| c.session.target = false),
    (Refusal::TokenEpoch, |_| (), |c| c.token.epoch = 6),
    (Refusal::TokenExpired, |c| c.now = 6_000, |c| c.now = 6_001),
    (Refusal::TokenInstrument, |_| (), |c| c.token.instrument = 5),
    (Refusal::TokenStrategy, |_| (), |c| c.token.strategy = 3),
    (Refusal::TokenSide, |_| (), |c| c.token.side = 2),
    (Refusal::TokenLane, |_| (), |c| c.token.lane = 1),
    (Refusal::MessagesTotal, |c| c.used.messages = 49, |c| c.used.messages = 50),
    (Refusal::MessagesTotal, |_| (), |c| c.used.messages = u64::MAX),
    (Refusal::SessionRate, |_| (), |c| c.session.rate = false),
    (
        Refusal::PriceZero,
        |c| (c.order.price, c.token.price_low) = (1, 0),
        |c| (c.order.price, c.token.price_low) = (0, 0),
    ),
    (Refusal::PriceLow, |c| c.order.price = 900_000, |c| c.order.price = 899_999),
    (Refusal::PriceHigh, |c| c.order.price = 1_100_000, |c| c.order.price = 1_100_001),
    (Refusal::QtyZero, |c| c.order.qty = 1, |c| c.order.qty = 0),
    (Refusal::QtyMax, |c| c.order.qty = 200, |c| c.order.qty = 201),
    (Refusal::QtyTotal, |c| c.used.qty = 900, |c| c.used.qty = 901),
    (Refusal::QtyTotal, |_| (), |c| c.used.qty = u64::MAX),
    (Refusal::NotionalTotal, |c| c.used.notional = 900_000_000, |c| c.used.notional = 900_000_001),
    (Refusal::NotionalTotal, |_| (), |c| c.used.notional = u64::MAX),
    (Refusal::SessionQty, |c| c.limits.order_qty_max = 100, |c| c.limits.order_qty_max = 99),
    (
        Refusal::SessionNotional,
        |c| c.limits.order_notional_max = 100_000_000,
        |c| c.limits.order_notional_max = 99_999_999,
    ),
    (Refusal::SessionWorking, |c| c.session.working = 9, |c| c.session.working = 10),
    (Refusal::Duplicate, |_| (), |c| c.session.decision = Seen::Before),
    (Refusal::DecisionOld, |_| (), |c| c.session.decision = Seen::TooOld),
    (Refusal::UserRefs, |c| c.session.user_refs_left = 1, |c| c.session.user_refs_left = 0),
];

#[test]
fn every_limit_passes_on_its_edge_and_refuses_one_step_beyond() {
    assert_eq!(checked(&good()), Ok(()));
    for (at, (refusal, on_edge, beyond)) in EDGES.iter().enumerate() {
        let mut case = good();
        on_edge(&mut case);
        assert_eq!(checked(&case), Ok(()), "edge {at}: {refusal:?}");
        let mut case = good();
        beyond(&mut case);
        assert_eq!(checked(&case), Err(*refusal), "edge {at}");
    }
}

#[test]
fn every_reason_is_tested_somewhere() {
    let elsewhere = [Refusal::Malformed, Refusal::TokenSlot, Refusal::TokenMissing, Refusal::TokenTorn];
    for refusal in Refusal::ALL {
        assert!(EDGES.iter().any(|edge| edge.0 == *refusal) || elsewhere.contains(refusal), "{refusal:?}");
    }
}

#[test]
fn a_token_that_is_missing_zero_or_torn_in_any_way_refuses() {
    let case = good();
    let whole = case.token.image(8);
    assert_eq!(whole.token(), Ok(case.token));
    assert_eq!(TokenImage::default().token(), Err(Refusal::TokenMissing));
    let no_magic = TokenImage {
        words: {
            let mut w = whole.words;
            w[7] &= !0xFFFF_0000;
            w
        },
        ..whole
    };
    assert_eq!(no_magic.token(), Err(Refusal::TokenMissing));
    assert_eq!(case.token.image(0).token(), Err(Refusal::TokenMissing), "begin 0 was never written");
    assert_eq!(case.token.image(9).token(), Err(Refusal::TokenTorn), "odd begin: being written");
    assert_eq!(
        TokenImage { begin_again: 10, ..whole }.token(),
        Err(Refusal::TokenTorn),
        "written while read"
    );
    let mut old_end = whole;
    old_end.words[7] = case.token.image(6).words[7];
    assert_eq!(old_end.token(), Err(Refusal::TokenTorn), "the writer died before the end");
}

#[test]
fn a_slot_outside_the_table_refuses_and_the_last_one_passes() {
    let case = good();
    let image = case.token.image(8);
    let mut gate = Gate::new(case.limits, 4, 7).unwrap();
    let last = Order { token: 3, ..case.order };
    let outside = Order { token: 4, ..case.order };
    let mut admit = |order: &Order| {
        gate.admit(order, &image, &case.session, &case.line, Nanos(case.now)).map(|passed| *passed.order())
    };
    assert_eq!(admit(&outside), Err(Refusal::TokenSlot));
    assert_eq!(admit(&Order { token: u32::MAX, ..case.order }), Err(Refusal::TokenSlot));
    assert_eq!(admit(&last), Ok(last));
}

#[test]
fn a_cancel_takes_a_message_and_needs_no_price_quantity_or_decision() {
    let case = good();
    let image = case.token.image(8);
    let mut gate = Gate::new(case.limits, 4, 7).unwrap();
    let cancel = Order { kind: KIND_CANCEL, price: 0, qty: 0, target: 9, ..case.order };
    for messages in 1..=50 {
        assert!(gate.admit(&cancel, &image, &case.session, &case.line, Nanos(case.now)).is_ok());
        assert_eq!(gate.used(3), Used { qty: 0, notional: 0, messages });
    }
    let refused = gate.admit(&cancel, &image, &case.session, &case.line, Nanos(case.now));
    assert_eq!(refused, Err(Refusal::MessagesTotal));
}

#[test]
fn budget_is_taken_once_a_pass_and_never_on_a_refusal() {
    let case = good();
    let image = case.token.image(8);
    let mut gate = Gate::new(case.limits, 4, 7).unwrap();
    let mut admit = |decision: u64| {
        let order = Order { decision, ..case.order };
        let outcome = gate.admit(&order, &image, &case.session, &case.line, Nanos(case.now)).map(|_| ());
        (outcome, gate.used(3))
    };
    for n in 1..=10 {
        assert_eq!(admit(n), (Ok(()), Used { qty: 100 * n, notional: 100_000_000 * n, messages: n }));
        assert_eq!(admit(n).1.messages, n, "refused as a duplicate or over budget, so nothing was taken");
    }
    assert_eq!(admit(11).0, Err(Refusal::QtyTotal));
}

#[test]
fn a_decision_passes_once_and_its_duplicate_is_refused() {
    let case = good();
    let image = case.token.image(8);
    let mut gate = Gate::new(case.limits, 4, 7).unwrap();
    let mut admit = |decision: u64| {
        let order = Order { decision, ..case.order };
        gate.admit(&order, &image, &case.session, &case.line, Nanos(case.now)).map(|_| ())
    };
    assert_eq!(admit(5_000), Ok(()));
    assert_eq!(admit(5_000), Err(Refusal::Duplicate));
    assert_eq!(admit(4_999), Ok(()), "a little out of order is not a duplicate");
    assert_eq!(admit(4_999), Err(Refusal::Duplicate));
    assert_eq!(admit(5_000 - Decisions::EXACT), Ok(()));
    assert_eq!(admit(1), Err(Refusal::DecisionOld));
}

#[test]
fn a_new_epoch_starts_its_budgets_and_decisions_anew_and_an_older_one_is_refused() {
    let case = good();
    let mut gate = Gate::new(case.limits, 4, 7).unwrap();
    let mut admit = |epoch: u32, decision: u64| {
        let order = Order { epoch, decision, ..case.order };
        let image = Token { epoch, ..case.token }.image(8);
        let line = LineState { armed: ARMED, epoch };
        let outcome = gate.admit(&order, &image, &case.session, &line, Nanos(case.now)).map(|_| ());
        (outcome, gate.used(3).qty)
    };
    assert_eq!(admit(7, 1), (Ok(()), 100));
    assert_eq!(admit(7, 2), (Ok(()), 200));
    assert_eq!(admit(8, 1), (Ok(()), 100));
    assert_eq!(admit(7, 3), (Err(Refusal::Epoch), 100));
}

#[test]
fn a_gate_that_restarts_in_the_epoch_goes_on_from_what_was_used_and_seen() {
    let case = good();
    let image = case.token.image(8);
    let mut gate = Gate::new(case.limits, 4, 7).unwrap();
    let before = Used { qty: 901, notional: 1, messages: 3 };
    gate.restore_used(3, 6, Used { qty: 5_000, ..before });
    assert_eq!(gate.used(3), Used::default(), "another epoch's totals do not count");
    gate.restore_used(3, 7, before);
    gate.restore_used(99, 7, before);
    gate.restore_decision(7, 1_000);
    gate.restore_decision(6, 1_001);
    let mut admit =
        |order: Order| gate.admit(&order, &image, &case.session, &case.line, Nanos(case.now)).map(|_| ());
    assert_eq!(admit(Order { decision: 1_001, ..case.order }), Err(Refusal::QtyTotal));
    assert_eq!(admit(Order { qty: 99, ..case.order }), Err(Refusal::Duplicate));
    assert_eq!(admit(Order { qty: 99, decision: 1_001, ..case.order }), Ok(()));
}

#[test]
fn the_rate_lets_the_last_message_of_a_second_pass_and_refuses_one_more() {
    let mut rate = Rate::new(3);
    for now in [10, 20, 30] {
        assert!(rate.allows(Nanos(now)));
        rate.count(Nanos(now));
    }
    assert!(!rate.allows(Nanos(30)));
    assert!(!rate.allows(Nanos(1_000_000_009)));
    assert!(rate.allows(Nanos(1_000_000_010)));
    assert!(!rate.allows(Nanos(5)), "time that goes back refuses");
}

#[test]
fn the_session_rate_and_its_refusal_meet_in_the_gate() {
    let case = good();
    let limits = SessionLimits { messages_per_second: 2, ..case.limits };
    let token = Token { expiry_ns: u64::MAX, ..case.token };
    let mut gate = Gate::new(limits, 4, 7).unwrap();
    let mut admit = |decision: u64, now: u64| {
        let order = Order { decision, ..case.order };
        gate.admit(&order, &token.image(8), &case.session, &case.line, Nanos(now)).map(|_| ())
    };
    assert_eq!(admit(1, 0), Ok(()));
    assert_eq!(admit(2, 999_999_999), Ok(()));
    assert_eq!(admit(3, 999_999_999), Err(Refusal::SessionRate));
    assert_eq!(admit(3, 1_000_000_000), Ok(()));
}

#[test]
fn words_of_any_value_never_make_a_token_larger_than_what_was_written() {
    let image = TokenImage { words: [u64::MAX; TOKEN_WORDS], begin_again: u32::MAX };
    assert_eq!(image.token(), Err(Refusal::TokenTorn), "a slot of ones has an odd begin");
}
