//! Goal: the session survives cut streams, lost connections and its own death, and never counts an execution twice.
//! Method: the real client against the real venue, both without sockets; bytes cross in pieces of any size, connections end at
//! any byte, clients restart. Truth is recounted from the venue's own stream by a model that shares no code with the client.

mod bench;

use bench::Bench;
use proptest::prelude::*;
use std::collections::HashSet;
use tickline_gate::Order;
use tickline_order::OrderState;
use tickline_trials::trials;
use tickline_units::{Nanos, Side};
use tickline_wire::flat::fill::fill_kind;
use tickline_wire::ouch::Inbound;
use tickline_wire::soup::{ClientPacket, Framer};

#[test]
fn a_fresh_session_logs_in_once_and_is_ready() {
    let mut bench = Bench::new();
    bench.settle();
    assert_eq!(bench.fills.iter().map(|fill| fill.kind).collect::<Vec<_>>(), [fill_kind::SESSION_UP]);
    assert_eq!(bench.client.messages_sent(), 1, "the account query");
    assert_eq!(bench.client.messages_received(), 1);
}

#[test]
fn an_order_goes_from_pending_to_done_with_its_executions_and_cancel() {
    let mut bench = Bench::new();
    bench.settle();
    bench.crowd(Side::Sell, 1_000_000, 30);
    assert!(bench.order(42, Side::Buy, 1_000_000, 100));
    assert_eq!(bench.client.orders().get(1).unwrap().state, OrderState::Pending);
    bench.pump(usize::MAX, usize::MAX);
    let record = *bench.client.orders().get(1).unwrap();
    assert_eq!((record.state, record.executed, record.leaves()), (OrderState::Live, 30, 70));
    assert!(bench.submit(&Order { decision: 43, epoch: 1, side: 1, kind: 2, target: 1, ..Order::default() }));
    assert!(bench.client.orders().get(1).unwrap().canceling);
    bench.pump(usize::MAX, usize::MAX);
    assert_eq!(bench.client.orders().get(1).unwrap().state, OrderState::Done);
    let told: Vec<_> = bench.fills[1..].iter().map(|f| (f.kind, f.decision, f.qty, f.leaves)).collect();
    assert_eq!(
        told,
        [
            (fill_kind::ACCEPTED, 42, 100, 100),
            (fill_kind::EXECUTED, 42, 30, 70),
            (fill_kind::CANCELED, 42, 70, 0)
        ]
    );
    bench.check();
}

#[test]
fn a_restart_rebuilds_positions_and_working_orders_and_says_that_they_are_recovered() {
    let mut bench = Bench::new();
    bench.settle();
    bench.crowd(Side::Sell, 1_000_000, 30);
    assert!(bench.order(7, Side::Buy, 1_000_000, 20));
    bench.pump(usize::MAX, usize::MAX);
    bench.restart();
    bench.settle();
    bench.check();
    assert_eq!(bench.client.positions().get(0).unwrap().shares, 20);
    let recovered: Vec<_> = bench.fills.iter().map(|f| (f.kind, f.decision, f.recovered)).collect();
    assert_eq!(
        recovered,
        [(fill_kind::ACCEPTED, 7, 1), (fill_kind::EXECUTED, 7, 1), (fill_kind::SESSION_UP, 0, 0)]
    );
    assert!(bench.order(8, Side::Buy, 1_000_000, 10));
    assert_eq!(bench.client.orders().next(), 3, "numbers go on above those seen");
    bench.pump(usize::MAX, usize::MAX);
    bench.check();
}

#[test]
fn an_order_that_never_reached_the_venue_ends_when_the_venue_says_so_and_not_before() {
    let mut bench = Bench::new();
    bench.settle();
    assert!(bench.order(7, Side::Buy, 900_000, 20));
    bench.pump(10, 0);
    bench.cut();
    assert_eq!(bench.client.orders().get(1).unwrap().state, OrderState::Pending, "silence says nothing");
    assert_eq!(bench.fills.last().unwrap().kind, fill_kind::SESSION_DOWN);
    bench.settle();
    assert_eq!(bench.client.orders().get(1).unwrap().state, OrderState::Done);
    let ends: Vec<_> = bench.fills.iter().filter(|f| f.decision == 7).collect();
    assert_eq!(ends.len(), 1);
    assert_eq!((ends[0].kind, ends[0].qty, ends[0].leaves, ends[0].reason), (fill_kind::CANCELED, 20, 0, 0));
    bench.check();
}

#[test]
fn heartbeats_are_sent_when_idle_and_a_silent_venue_is_dead_at_its_limit() {
    let mut bench = Bench::new();
    bench.settle();
    let base = bench.now;
    bench.client.tick(base + 999_000_000).unwrap();
    assert!(bench.client.outgoing().is_empty());
    bench.client.tick(base + 1_000_000_000).unwrap();
    assert_eq!(bench.client.outgoing(), b"\0\x01R");
    let heard = base;
    assert!(bench.client.tick(heard + 14_999_999_999).is_ok());
    assert_eq!(bench.client.tick(heard + 15_000_000_000).unwrap_err().code(), "ORDER_PEER_DEAD");
}

#[test]
fn a_venue_that_lost_its_history_is_refused() {
    let mut bench = Bench::new();
    bench.settle();
    let fresh = Bench::new();
    bench.cut();
    bench.venue = fresh.venue;
    bench.connect();
    let mut error = None;
    for _ in 0..10 {
        let Some(server) = &mut bench.server else { break };
        let pending = bench.client.outgoing().to_vec();
        server.space()[..pending.len()].copy_from_slice(&pending);
        server.filled(pending.len(), Nanos(5));
        bench.client.sent(pending.len());
        while let Ok(Some(_)) = server.next(&bench.venue.port) {}
        let bytes = server.outgoing().to_vec();
        server.sent(bytes.len());
        bench.client.space()[..bytes.len()].copy_from_slice(&bytes);
        bench.client.filled(bytes.len(), 5);
        if let Err(refused) = bench.client.receive(5, 100, &mut |_| ()) {
            error = Some(refused);
            break;
        }
    }
    let error = error.expect("a session whose next message is below ours");
    assert_eq!((error.code(), error.retry()), ("ORDER_SEQUENCE", false));
}

#[test]
fn what_is_written_is_the_order_as_ouch_says_it() {
    let mut bench = Bench::new();
    bench.settle();
    assert!(bench.order(36, Side::Sell, 1_234_500, 77));
    let mut framer = Framer::new(256);
    let bytes = bench.client.outgoing();
    framer.space()[..bytes.len()].copy_from_slice(bytes);
    framer.filled(bytes.len());
    let Ok(ClientPacket::Unsequenced(message)) = ClientPacket::decode(framer.next().unwrap().unwrap()) else {
        panic!("an unsequenced packet")
    };
    let Ok(Inbound::EnterOrder(enter, _)) = Inbound::decode(message) else { panic!("an enter order") };
    assert_eq!((enter.user_ref, enter.side, enter.qty, enter.price), (1, b'S', 77, 1_234_500));
    assert_eq!((&enter.symbol, &enter.cl_ord_id, enter.tif), (b"TLKA    ", b"E0010000000010", b'0'));
}

#[derive(Clone, Debug)]
enum Step {
    Crowd(bool, u32, u32),
    Order(bool, u32, u32),
    Cancel(u32),
    Pump(usize, usize),
    Cut,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let crowd = (any::<bool>(), 0u32..6, 1u32..50).prop_map(|(b, p, q)| Step::Crowd(b, p, q));
    let order = (any::<bool>(), 0u32..6, 1u32..50).prop_map(|(b, p, q)| Step::Order(b, p, q));
    let pump = (0usize..120, 0usize..200).prop_map(|(out, back)| Step::Pump(out, back));
    let step = prop_oneof![
        4 => crowd,
        5 => order,
        1 => (1u32..40).prop_map(Step::Cancel),
        9 => pump,
        1 => Just(Step::Cut),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..150)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(trials(400, 10_000)))]
    #[test]
    fn after_any_history_the_client_agrees_with_the_venue(steps in steps()) {
        let mut bench = Bench::new();
        bench.settle();
        let mut decision = 0;
        for step in steps {
            match step {
                Step::Crowd(buys, level, qty) => {
                    bench.crowd(if buys { Side::Buy } else { Side::Sell }, 1_000_000 + level * 100, qty);
                }
                Step::Order(buys, level, qty) => {
                    decision += 1;
                    bench.order(decision, if buys { Side::Buy } else { Side::Sell }, 1_000_000 + level * 100, qty);
                }
                Step::Cancel(target) => {
                    let side = bench.client.orders().get(target).map_or(1, |record| record.side as u8);
                    decision += 1;
                    bench.submit(&Order { decision, epoch: 1, side, kind: 2, target, ..Order::default() });
                }
                Step::Pump(out, back) => {
                    if bench.server.is_none() {
                        bench.connect();
                    }
                    bench.pump(out, back);
                }
                Step::Cut => bench.cut(),
                Step::Restart => bench.restart(),
            }
        }
        bench.settle();
        bench.check();
        let executed: HashSet<_> =
            bench.fills.iter().filter(|f| f.kind == fill_kind::EXECUTED).map(|f| (f.exec_id, f.user_ref)).collect();
        let told = bench.fills.iter().filter(|f| f.kind == fill_kind::EXECUTED).count();
        prop_assert_eq!(executed.len(), told, "each execution is told once");
    }
}
