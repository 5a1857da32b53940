//! Goal: the gate decides as a slow model that keeps the whole history and shares no code with it.
//! Method: random orders, tokens and time around the edges; the model recounts everything sent on each order.

use proptest::prelude::*;
use tickline_gate::{
    ARMED, Decisions, Gate, LineState, Order, Seen, SessionLimits, SessionState, Token, Used,
};
use tickline_trials::trials;
use tickline_units::Nanos;

const SLOTS: u32 = 2;
const LIMITS: SessionLimits =
    SessionLimits { order_qty_max: 6, order_notional_max: 50, messages_per_second: 5, working_orders_max: 3 };

/// One attempt.
#[derive(Clone, Debug)]
struct Attempt {
    order: Order,
    token: Token,
    armed: bool,
    whole: bool,
    line_epoch_step: bool,
    working: u32,
    wait_ns: u64,
}

/// What was sent: slot, epoch, time, kind, quantity, price, decision.
struct Sent(u32, u32, u64, u8, u64, u64, u64);

/// Whether the attempt should pass, by recounting the history.
fn model(sent: &[Sent], a: &Attempt, epoch: u32, now: u64) -> bool {
    let (o, t) = (&a.order, &a.token);
    let cancel = o.kind == 2;
    let mine = || sent.iter().filter(|s| s.0 == o.token && s.1 == epoch);
    let (qty, price) = (u128::from(o.qty), u128::from(o.price));
    let sum = |f: fn(&Sent) -> u128| mine().filter(|s| s.3 != 2).map(f).sum::<u128>();
    let message_ok = (mine().count() as u64) < t.messages_total
        && sent.iter().filter(|s| now - s.2 < 1_000_000_000).count() < LIMITS.messages_per_second as usize;
    let binding_ok = a.armed
        && a.whole
        && o.token < SLOTS
        && o.epoch == epoch
        && t.epoch == epoch
        && now <= t.expiry_ns
        && (o.instrument, o.strategy, o.side, o.lane) == (t.instrument, t.strategy, t.side, t.lane)
        && [1, 2].contains(&o.side)
        && [0, 1].contains(&o.lane)
        && [1, 2, 3].contains(&o.kind)
        && [0, 3].contains(&o.tif);
    let size_ok = (1..=u128::from(t.qty_max.min(LIMITS.order_qty_max))).contains(&qty)
        && o.price != 0
        && (t.price_low..=t.price_high).contains(&o.price)
        && qty * price <= u128::from(LIMITS.order_notional_max)
        && sum(|s| s.4.into()) + qty <= t.qty_total.into()
        && sum(|s| u128::from(s.4) * u128::from(s.5)) + qty * price <= t.notional_total.into()
        && a.working < LIMITS.working_orders_max
        && !sent.iter().any(|s| s.1 == epoch && s.3 != 2 && s.6 == o.decision);
    binding_ok && message_ok && (cancel || size_ok)
}

/// Mostly `usual`, sometimes anything small.
fn near<T: Clone + std::fmt::Debug + 'static>(
    usual: T,
    other: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<T> {
    prop_oneof![12 => Just(usual), 1 => other].boxed()
}

fn attempts() -> impl Strategy<Value = Attempt> {
    let order = (
        0u64..60,
        near(0u32, 0u32..3),
        1u32..14,
        0u32..8,
        near(1u8, 0u8..4),
        near(1u8, 0u8..5),
        near(3u8, 0u8..5),
    );
    let bind = (near(0u16, 0u16..3), near(0u16, 0u16..3), near(0u8, 0u8..3), near(0u64, 0u64..2), 0u32..2);
    let token =
        (2u32..5, 8u32..12, 4u32..8, 20u64..60, 100u64..400, 5u64..25, near(u64::MAX, 0u64..2_000_000_000));
    let line = (
        near(true, any::<bool>()),
        near(true, any::<bool>()),
        near(false, any::<bool>()),
        0u32..4,
        0u64..400_000_000,
    );
    (order, bind, token, line).prop_map(|(order, bind, token, line)| {
        let (decision, price_zero, price, qty, side, kind, tif) = order;
        let (instrument, strategy, lane, epoch_off, slot) = bind;
        let (price_low, price_high, qty_max, qty_total, notional_total, messages_total, expiry_ns) = token;
        Attempt {
            order: Order {
                decision,
                time_ns: 0,
                epoch: epoch_off as u32,
                token: slot + price_zero,
                price,
                qty,
                target: 0,
                instrument,
                strategy,
                side,
                lane,
                kind,
                tif,
            },
            token: Token {
                epoch: 0,
                expiry_ns,
                price_low,
                price_high,
                qty_max,
                instrument: 0,
                strategy: 0,
                qty_total,
                notional_total,
                messages_total,
                side: 1,
                lane: 0,
            },
            armed: line.0,
            whole: line.1,
            line_epoch_step: line.2,
            working: line.3,
            wait_ns: line.4,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(trials(2_000, 50_000)))]
    #[test]
    fn the_gate_and_the_model_let_the_same_orders_through(list in prop::collection::vec(attempts(), 1..60)) {
        let mut gate = Gate::new(LIMITS, SLOTS as usize, 1).unwrap();
        let (mut sent, mut now, mut epoch) = (Vec::new(), 0, 1);
        for mut attempt in list {
            now += attempt.wait_ns;
            epoch += u32::from(attempt.line_epoch_step);
            attempt.order.epoch += epoch;
            attempt.token.epoch = epoch;
            let image = attempt.token.image(if attempt.whole { 4 } else { 5 });
            let session = SessionState {
                ready: true,
                backlog: false,
                instrument: true,
                target: true,
                working: attempt.working,
                user_refs_left: 1,
                rate: false,
                decision: Seen::TooOld,
            };
            let line = LineState { armed: if attempt.armed { ARMED } else { 0 }, epoch };
            let passed = gate.admit(&attempt.order, &image, &session, &line, Nanos(now));
            prop_assert_eq!(passed.is_ok(), model(&sent, &attempt, epoch, now), "{:?}", passed);
            if passed.is_ok() {
                let o = attempt.order;
                sent.push(Sent(o.token, epoch, now, o.kind, o.qty.into(), o.price.into(), o.decision));
            }
        }
        for slot in 0..SLOTS {
            let mine: Vec<&Sent> = sent.iter().filter(|s| s.0 == slot && s.1 == gate.epoch()).collect();
            let entered = || mine.iter().filter(|s| s.3 != 2);
            let expected = Used {
                qty: entered().map(|s| s.4).sum(),
                notional: entered().map(|s| s.4 * s.5).sum(),
                messages: mine.len() as u64,
            };
            prop_assert_eq!(gate.used(slot), expected);
        }
    }

    #[test]
    fn hostile_orders_and_tokens_never_panic(
        words in prop::array::uniform8(any::<u64>()),
        numbers in prop::array::uniform5(any::<u32>()),
        small in prop::array::uniform4(any::<u8>()),
        decisions in prop::collection::vec(any::<u64>(), 1..20),
        now in any::<u64>(),
    ) {
        let mut gate = Gate::new(LIMITS, 4, 0).unwrap();
        let image = tickline_gate::TokenImage { words, begin_again: words[0] as u32 };
        for decision in decisions {
            let [epoch, token, price, qty, target] = numbers;
            let [side, lane, kind, tif] = small;
            let order = Order {
                decision, time_ns: now, epoch, token: token % 6, price, qty, target,
                instrument: 0, strategy: 0, side, lane, kind, tif,
            };
            let session = SessionState {
                ready: true, backlog: false, instrument: true, target: true, working: 0,
                user_refs_left: 1, rate: true, decision: Seen::New,
            };
            let outcome = gate.admit(&order, &image, &session, &LineState { armed: ARMED, epoch }, Nanos(now));
            prop_assert!(outcome.is_err(), "random words are a whole token with a chance of 2^-48");
        }
    }

    #[test]
    fn decisions_near_the_highest_are_told_apart_exactly(
        steps in prop::collection::vec(prop_oneof![8 => -200i64..200, 1 => 0i64..20_000, 1 => -6_000i64..0], 1..400),
    ) {
        let mut decisions = Decisions::default();
        let (mut marked, mut at, mut highest) = (std::collections::HashSet::new(), 10_000i64, 0u64);
        for step in steps {
            at = (at + step).max(0);
            let decision = at as u64;
            match decisions.seen(decision) {
                Seen::New => prop_assert!(!marked.contains(&decision)),
                Seen::Before => prop_assert!(marked.contains(&decision)),
                Seen::TooOld => prop_assert!(decision + Decisions::EXACT < highest),
            }
            decisions.mark(decision);
            highest = highest.max(decision);
            match decisions.seen(decision) {
                Seen::New => prop_assert!(false, "a marked decision is not new"),
                Seen::Before => {
                    marked.insert(decision);
                }
                Seen::TooOld => prop_assert!(decision + Decisions::EXACT < highest),
            }
        }
    }
}
