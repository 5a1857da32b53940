//! Goal: words of the venue may come twice, late and in any order; positions and cash come out the same.
//! Method: random orders are played forward into words; the words are shuffled and some repeated; a model adds up the
//! executions that are left standing.

use proptest::prelude::*;
use std::collections::HashMap;
use tickline_order::{ClOrdId, Ledger, OrderState, SessionError};
use tickline_trials::trials;
use tickline_units::{Side, Symbol};
use tickline_wire::flat::fill::{FillBody, fill_kind};
use tickline_wire::ouch::{Appendage, BrokenTrade, Canceled, Executed, OrderAccepted, Outbound, Rejected};

const NONE: Appendage<'static> = Appendage::NONE;

fn ledger() -> Ledger {
    Ledger::new(&[Symbol(*b"TLKA    "), Symbol(*b"TLKB    ")], 64, 256)
}

fn accepted(user_ref: u32, side: Side, symbol: [u8; 8], qty: u32) -> Outbound<'static> {
    let cl_ord_id = ClOrdId { epoch: 1, decision: u64::from(user_ref) }.encode().unwrap();
    let word = OrderAccepted {
        time_ns: u64::from(user_ref),
        user_ref,
        side: side.letter(),
        qty,
        symbol,
        price: 5_000,
        tif: b'0',
        display: b'Y',
        order_ref: 9,
        capacity: b'P',
        sweep: b'N',
        cross: b'N',
        state: b'L',
        cl_ord_id,
    };
    Outbound::OrderAccepted(word, NONE)
}

fn executed(user_ref: u32, qty: u32, price: u64, match_number: u64) -> Outbound<'static> {
    Outbound::Executed(Executed { time_ns: 50, user_ref, qty, price, liquidity: b'R', match_number }, NONE)
}

fn canceled(user_ref: u32, qty: u32, time_ns: u64) -> Outbound<'static> {
    Outbound::Canceled(Canceled { time_ns, user_ref, qty, reason: b'U' }, NONE)
}

fn broken(user_ref: u32, match_number: u64) -> Outbound<'static> {
    Outbound::BrokenTrade(
        BrokenTrade { time_ns: 60, user_ref, match_number, reason: b'E', cl_ord_id: [b' '; 14] },
        NONE,
    )
}

fn apply(ledger: &mut Ledger, word: &Outbound<'_>) -> Vec<FillBody> {
    let mut fills = Vec::new();
    ledger.apply(word, 1, &mut |fill| fills.push(fill)).unwrap();
    fills
}

#[test]
fn a_fill_after_the_cancel_still_counts() {
    let mut ledger = ledger();
    apply(&mut ledger, &accepted(1, Side::Buy, *b"TLKA    ", 100));
    apply(&mut ledger, &canceled(1, 100, 40));
    assert_eq!(ledger.orders().get(1).unwrap().state, OrderState::Done);
    let fills = apply(&mut ledger, &executed(1, 30, 5_000, 1));
    assert_eq!((fills[0].kind, fills[0].qty, fills[0].leaves), (fill_kind::EXECUTED, 30, 0));
    assert_eq!(ledger.positions().get(0).unwrap().shares, 30);
    assert_eq!(ledger.orders().working(), 0);
}

#[test]
fn an_execution_before_the_accept_counts_once_the_order_has_a_name() {
    let mut ledger = ledger();
    assert!(apply(&mut ledger, &executed(1, 30, 5_000, 1)).is_empty());
    assert_eq!(ledger.positions().get(0).unwrap().shares, 0);
    let fills = apply(&mut ledger, &accepted(1, Side::Sell, *b"TLKB    ", 100));
    let told: Vec<_> = fills.iter().map(|fill| (fill.kind, fill.qty, fill.leaves)).collect();
    assert_eq!(told, [(fill_kind::ACCEPTED, 100, 70), (fill_kind::EXECUTED, 30, 70)]);
    assert_eq!(ledger.positions().get(1).unwrap().shares, -30);
    assert_eq!(ledger.orders().next(), 2);
}

#[test]
fn a_repeated_word_changes_nothing_and_is_counted() {
    let mut ledger = ledger();
    let words = [accepted(1, Side::Buy, *b"TLKA    ", 100), executed(1, 30, 5_000, 1), canceled(1, 20, 40)];
    for word in &words {
        assert_eq!(apply(&mut ledger, word).len(), 1);
    }
    for word in &words {
        assert!(apply(&mut ledger, word).is_empty());
    }
    let record = ledger.orders().get(1).unwrap();
    assert_eq!((record.executed, record.canceled, record.leaves()), (30, 20, 50));
    assert_eq!(ledger.counts().repeated, 3);
}

#[test]
fn a_rejected_order_never_works_and_a_second_rejection_says_nothing() {
    let mut ledger = ledger();
    let cl_ord_id = ClOrdId { epoch: 2, decision: 9 }.encode().unwrap();
    let word = Outbound::Rejected(Rejected { time_ns: 1, user_ref: 3, reason: 7, cl_ord_id }, NONE);
    let fills = apply(&mut ledger, &word);
    assert_eq!(
        (fills[0].kind, fills[0].reason, fills[0].epoch, fills[0].decision),
        (fill_kind::REJECTED, 7, 2, 9)
    );
    assert!(apply(&mut ledger, &word).is_empty());
    assert_eq!(ledger.orders().working(), 0);
}

#[test]
fn words_that_positions_cannot_follow_end_the_session() {
    let mut ledger = ledger();
    let full = ledger.apply(&executed(65, 1, 1, 1), 1, &mut |_| ()).unwrap_err();
    assert_eq!(full, SessionError::Full { table: "orders", size: 64 });
    assert!(ledger.apply(&executed(64, 1, 1, 1), 1, &mut |_| ()).is_ok(), "the last number has a place");
    let price = ledger.apply(&executed(1, 1, 1 << 32, 2), 1, &mut |_| ()).unwrap_err();
    assert_eq!(price, SessionError::Price { user_ref: 1, price: 1 << 32 });
    for match_number in 0..600 {
        if let Err(error) = ledger.apply(&executed(1, 1, 1, match_number), 1, &mut |_| ()) {
            assert_eq!(error, SessionError::Full { table: "executions", size: 256 });
            return;
        }
    }
    panic!("a full table of executions must end the session");
}

/// One order: side, instrument, shares, its executions (shares, price, broken), shares canceled at the end.
type Life = (bool, bool, Vec<(u32, u32, bool)>, u32);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(trials(500, 10_000)))]
    #[test]
    fn shuffled_and_repeated_words_give_the_positions_of_the_model(
        lives in prop::collection::vec(
            (any::<bool>(), any::<bool>(), prop::collection::vec((1u32..50, 1u32..10_000, prop::bool::weighted(0.1)), 0..5), 0u32..20),
            1..20,
        ),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..200),
    ) {
        let lives: Vec<Life> = lives;
        let mut words = Vec::new();
        let mut model: HashMap<u16, (i64, i128)> = HashMap::new();
        let mut match_number = 0;
        for (at, (buys, second, executions, gone)) in lives.iter().enumerate() {
            let user_ref = at as u32 + 1;
            let (side, sign) = if *buys { (Side::Buy, 1) } else { (Side::Sell, -1) };
            let instrument = u16::from(*second);
            let qty = executions.iter().map(|e| e.0).sum::<u32>() + gone + 1;
            words.push(accepted(user_ref, side, if *second { *b"TLKB    " } else { *b"TLKA    " }, qty));
            for (shares, price, is_broken) in executions {
                match_number += 1;
                words.push(executed(user_ref, *shares, u64::from(*price), match_number));
                if *is_broken {
                    words.push(broken(user_ref, match_number));
                } else {
                    let (held, cash) = model.entry(instrument).or_default();
                    *held += sign * i64::from(*shares);
                    *cash -= i128::from(sign) * i128::from(*shares) * i128::from(*price);
                }
            }
            if *gone > 0 {
                words.push(canceled(user_ref, *gone, 1_000 + u64::from(user_ref)));
            }
        }
        // Every word at least once, in an order that the picks decide, with repetitions.
        let mut ledger = ledger();
        let mut waiting: Vec<usize> = (0..words.len()).collect();
        for pick in picks {
            let at = pick.index(words.len());
            ledger.apply(&words[at], 1, &mut |_| ()).unwrap();
            waiting.retain(|&other| other != at);
        }
        for at in waiting.into_iter().rev() {
            ledger.apply(&words[at], 1, &mut |_| ()).unwrap();
        }
        for instrument in 0..2u16 {
            let position = ledger.positions().get(instrument).unwrap();
            let expected = model.get(&instrument).copied().unwrap_or_default();
            prop_assert_eq!((position.shares, position.cash), expected);
        }
        for (at, (_, _, executions, gone)) in lives.iter().enumerate() {
            let record = ledger.orders().get(at as u32 + 1).unwrap();
            prop_assert_eq!(record.executed, executions.iter().map(|e| e.0).sum::<u32>());
            prop_assert_eq!((record.canceled, record.leaves()), (*gone, 1));
        }
        prop_assert_eq!(ledger.orders().working() as usize, lives.len());
    }
}
