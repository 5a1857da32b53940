//! Goal: whatever two lines do to a stream, each message comes out once, in order, unless it is declared lost; and nothing is
//! declared lost that came in time.
//! Method: hand-made cases for each rule, then random losses, delays, duplicates and heartbeats against a slow model that
//! only knows arrival times.

use proptest::prelude::*;
use std::collections::BTreeMap;
use tickline_packet::arbiter::{Arbiter, Config, Event, Gap, HELD_BYTES_MAX, Join};
use tickline_packet::{Frame, RECOVERY};
use tickline_trials::trials;
use tickline_units::Nanos;
use tickline_wire::mold::{END_OF_SESSION, Header, Malformed, Packer, Session};

const ONE: Session = Session(*b"SESSION001");
const TWO: Session = Session(*b"SESSION002");
const PATIENCE: u64 = 1_000;

#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Start(Session, u64),
    Message(u64, Vec<u8>),
    Gap(Gap),
    End(u64),
}

fn arbiter(window: usize, join: Join) -> Arbiter {
    Arbiter::new(Config { window, patience: Nanos(PATIENCE), join })
}

fn seen(into: &mut Vec<Seen>) -> impl FnMut(Event<'_>) {
    |event| {
        into.push(match event {
            Event::Session { session, next } => Seen::Start(session, next),
            Event::Message { sequence, bytes } => Seen::Message(sequence, bytes.to_vec()),
            Event::Gap(gap) => Seen::Gap(gap),
            Event::End { next } => Seen::End(next),
        });
    }
}

/// The content of message `n`, of a length that follows from `n`.
fn body(n: u64) -> Vec<u8> {
    (0..1 + n % HELD_BYTES_MAX as u64).map(|at| (n ^ at) as u8).collect()
}

fn packet(session: Session, first: u64, count: u64) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    let mut packer = Packer::new(&mut bytes, session, first);
    for n in first..first + count {
        assert!(packer.push(&body(n)));
    }
    let length = packer.finish();
    bytes.truncate(length);
    bytes
}

fn end(session: Session, next: u64) -> Vec<u8> {
    Header { session, sequence: next, count: END_OF_SESSION }.bytes().to_vec()
}

fn feed(arbiter: &mut Arbiter, line: u8, time: u64, payload: &[u8]) -> Vec<Seen> {
    let mut out = Vec::new();
    let frame = Frame { line, time: Nanos(time), due: Nanos(0), payload };
    arbiter.accept(&frame, seen(&mut out)).expect("a sound packet");
    out
}

fn messages(range: std::ops::Range<u64>) -> Vec<Seen> {
    range.map(|n| Seen::Message(n, body(n))).collect()
}

fn gap(first: u64, count: u64, time: u64) -> Seen {
    Seen::Gap(Gap { first, count, time: Nanos(time) })
}

#[test]
fn the_second_line_brings_only_duplicates() {
    let mut a = arbiter(64, Join::Anywhere);
    assert_eq!(feed(&mut a, 0, 0, &packet(ONE, 7, 2))[0], Seen::Start(ONE, 7));
    assert_eq!(feed(&mut a, 1, 1, &packet(ONE, 7, 2)), []);
    assert_eq!(feed(&mut a, 1, 2, &packet(ONE, 9, 1)), messages(9..10));
    assert_eq!(feed(&mut a, 0, 3, &packet(ONE, 9, 2)), messages(10..11));
    assert_eq!((a.line(0).first, a.line(0).duplicates), (3, 1));
    assert_eq!((a.line(1).first, a.line(1).duplicates), (1, 2));
}

#[test]
fn what_one_line_lost_comes_from_the_other_and_order_is_kept() {
    let mut a = arbiter(64, Join::Anywhere);
    feed(&mut a, 0, 0, &packet(ONE, 1, 1));
    assert_eq!(feed(&mut a, 0, 10, &packet(ONE, 4, 2)), []);
    assert_eq!(a.missing(), Some((2, 2, Nanos(10))));
    assert_eq!(feed(&mut a, 1, 20, &packet(ONE, 2, 2)), messages(2..6));
    assert_eq!((a.missing(), a.gaps(), a.line(0).lost), (None, (0, 0), 2));
}

#[test]
fn a_hole_is_declared_at_the_patience_and_not_a_nanosecond_before() {
    let mut a = arbiter(64, Join::Anywhere);
    feed(&mut a, 0, 0, &packet(ONE, 1, 1));
    feed(&mut a, 0, 100, &packet(ONE, 3, 1));
    let mut out = Vec::new();
    a.poll(Nanos(100 + PATIENCE - 1), seen(&mut out));
    assert_eq!(out, []);
    a.poll(Nanos(100 + PATIENCE), seen(&mut out));
    assert_eq!(out, [&[gap(2, 1, 1100)][..], &messages(3..4)].concat());
    assert_eq!(feed(&mut a, 1, 1101, &packet(ONE, 2, 1)), [], "too late");
    assert_eq!(a.gaps(), (1, 1));
}

#[test]
fn a_second_hole_has_its_own_clock() {
    let mut a = arbiter(64, Join::Anywhere);
    feed(&mut a, 0, 0, &packet(ONE, 1, 1));
    feed(&mut a, 0, 100, &packet(ONE, 3, 1));
    feed(&mut a, 0, 600, &packet(ONE, 5, 1));
    let mut out = Vec::new();
    a.poll(Nanos(1_100), seen(&mut out));
    assert_eq!(out.pop(), Some(Seen::Message(3, body(3))));
    assert_eq!(a.missing(), Some((4, 1, Nanos(600))));
    a.poll(Nanos(1_599), seen(&mut out));
    assert_eq!(out, [gap(2, 1, 1_100)]);
    a.poll(Nanos(1_600), seen(&mut out));
    assert_eq!(out[1], gap(4, 1, 1_600));
}

#[test]
fn a_heartbeat_reveals_a_lost_tail() {
    let mut a = arbiter(64, Join::Anywhere);
    feed(&mut a, 0, 0, &packet(ONE, 1, 1));
    assert_eq!(feed(&mut a, 0, 50, &packet(ONE, 2, 0)), []);
    assert_eq!(a.missing(), None);
    feed(&mut a, 0, 60, &packet(ONE, 4, 0));
    assert_eq!(a.missing(), Some((2, 2, Nanos(60))));
    assert_eq!(feed(&mut a, 0, 60 + PATIENCE, &packet(ONE, 4, 0)), [gap(2, 2, 1_060)]);
    assert_eq!(a.line(0).heartbeats, 3);
}

#[test]
fn a_full_window_gives_the_first_hole_up() {
    let mut a = arbiter(4, Join::Anywhere);
    feed(&mut a, 0, 0, &packet(ONE, 1, 1));
    assert_eq!(feed(&mut a, 0, 1, &packet(ONE, 3, 3)), []);
    assert_eq!(feed(&mut a, 0, 2, &packet(ONE, 6, 1)), [&[gap(2, 1, 2)][..], &messages(3..7)].concat());
}

#[test]
fn the_end_waits_for_what_is_missing_and_comes_once() {
    let mut a = arbiter(64, Join::Anywhere);
    feed(&mut a, 0, 0, &packet(ONE, 1, 1));
    assert_eq!(feed(&mut a, 0, 1, &end(ONE, 4)), []);
    assert_eq!(feed(&mut a, 1, 2, &packet(ONE, 2, 2)), [messages(2..4), vec![Seen::End(4)]].concat());
    assert!(a.ended());
    assert_eq!(feed(&mut a, 1, 3, &end(ONE, 4)), []);
}

#[test]
fn a_session_that_ended_makes_way_at_once_and_its_stragglers_are_dropped() {
    let mut a = arbiter(64, Join::Anywhere);
    feed(&mut a, 0, 0, &packet(ONE, 5, 1));
    feed(&mut a, 0, 1, &end(ONE, 6));
    assert_eq!(feed(&mut a, 0, 2, &packet(TWO, 1, 1)), [vec![Seen::Start(TWO, 1)], messages(1..2)].concat());
    assert_eq!(feed(&mut a, 1, 3, &packet(ONE, 5, 1)), []);
    assert_eq!((a.session(), a.dropped().session), (Some(TWO), 1));
}

#[test]
fn a_session_that_has_not_ended_is_replaced_only_by_three_packets_in_a_row() {
    let mut a = arbiter(64, Join::Anywhere);
    feed(&mut a, 0, 0, &packet(ONE, 5, 1));
    for _ in 0..3 {
        assert_eq!(feed(&mut a, 0, 1, &packet(TWO, 9, 1)), []);
        assert_eq!(feed(&mut a, 0, 2, &packet(TWO, 9, 1)), []);
        feed(&mut a, 0, 3, &packet(ONE, 6, 1));
    }
    feed(&mut a, 0, 4, &packet(ONE, 8, 1));
    feed(&mut a, 0, 5, &packet(TWO, 1, 1));
    feed(&mut a, 0, 6, &packet(TWO, 2, 1));
    let out = feed(&mut a, 0, 7, &packet(TWO, 3, 1));
    assert_eq!(out, [vec![gap(7, 1, 7)], messages(8..9), vec![Seen::Start(TWO, 1)]].concat());
    assert_eq!(
        feed(&mut a, 0, 8, &packet(TWO, 1, 2)),
        messages(1..4),
        "what was dropped is asked for, not lost"
    );
}

#[test]
fn one_packet_far_ahead_is_not_believed_two_are() {
    let mut a = arbiter(64, Join::Anywhere);
    feed(&mut a, 0, 0, &packet(ONE, 1, 1));
    assert_eq!(feed(&mut a, 0, 1, &packet(ONE, 1 << 60, 1)), []);
    assert_eq!(feed(&mut a, 0, 2, &packet(ONE, 2, 1)), messages(2..3));
    assert_eq!(feed(&mut a, 0, 3, &packet(ONE, 1_000, 1)), []);
    let out = feed(&mut a, 1, 4, &packet(ONE, 1_000, 1));
    assert_eq!(out, [vec![gap(3, 997, 4)], messages(1_000..1_001)].concat());
    assert_eq!(a.dropped().far, 2);
}

#[test]
fn joining_at_the_beginning_declares_what_came_before() {
    let mut a = arbiter(64, Join::Beginning);
    assert_eq!(feed(&mut a, 0, 0, &packet(ONE, 3, 1)), [Seen::Start(ONE, 1)]);
    assert_eq!(feed(&mut a, 0, PATIENCE, &packet(ONE, 4, 1))[0], gap(1, 2, PATIENCE));
}

#[test]
fn a_recovered_message_fills_its_hole() {
    let mut a = arbiter(64, Join::Anywhere);
    feed(&mut a, 0, 0, &packet(ONE, 1, 1));
    feed(&mut a, 0, 1, &packet(ONE, 4, 1));
    let mut out = Vec::new();
    a.recover(3, &body(3), Nanos(2), seen(&mut out));
    a.recover(2, &body(2), Nanos(3), seen(&mut out));
    a.recover(2, &body(2), Nanos(4), seen(&mut out));
    a.recover(99, &body(99), Nanos(5), seen(&mut out));
    assert_eq!(out, messages(2..5));
    assert_eq!((a.line(RECOVERY).first, a.line(RECOVERY).duplicates), (2, 1));
}

#[test]
fn a_malformed_packet_changes_nothing_but_its_count() {
    let mut a = arbiter(64, Join::Anywhere);
    feed(&mut a, 0, 0, &packet(ONE, 1, 1));
    let mut bytes = packet(ONE, 2, 2);
    bytes.pop();
    let frame = Frame { line: 1, time: Nanos(1), due: Nanos(0), payload: &bytes };
    let outcome = a.accept(&frame, |_| panic!("delivered"));
    assert_eq!(outcome, Err(Malformed::Truncated { block: 1 }));
    assert_eq!((a.next(), a.line(1).malformed, a.line(1).packets), (2, 1, 0));
}

/// One packet of the sent stream and what the network did to it on both lines: `None` lost, else delays of its copies.
#[derive(Clone, Debug)]
struct Sent {
    messages: u64,
    pause: u64,
    fate: [Vec<u64>; 2],
}

fn sent() -> impl Strategy<Value = Vec<Sent>> {
    let copies = || {
        prop_oneof![
            6 => (0..400u64).prop_map(|delay| vec![delay]),
            2 => Just(vec![]),
            1 => (0..3_000u64, 0..3_000u64).prop_map(|(one, two)| vec![one, two]),
        ]
    };
    let one = (0..4u64, 0..600u64, copies(), copies()).prop_map(|(messages, pause, a, b)| Sent {
        messages,
        pause,
        fate: [a, b],
    });
    prop::collection::vec(one, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: trials(400, 10_000), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_message_comes_once_in_order_or_is_declared_lost(stream in sent()) {
        // Arrivals, and the model: when each number first came, and when something behind it first did.
        let (mut arrivals, mut next, mut clock) = (vec![(0, 0u8, 1, 0)], 1, 1);
        for one in &stream {
            clock += one.pause;
            for (line, delays) in one.fate.iter().enumerate() {
                arrivals.extend(delays.iter().map(|delay| (clock + delay, line as u8, next, one.messages)));
            }
            next += one.messages;
        }
        arrivals.sort_by_key(|&(time, line, ..)| (time, line));
        let mut came = BTreeMap::<u64, u64>::new();
        let mut passed = BTreeMap::<u64, u64>::new();
        for &(time, _, first, count) in &arrivals {
            for n in first..first + count {
                came.entry(n).or_insert(time);
            }
            for n in 1..first {
                passed.entry(n).or_insert(time);
            }
        }

        let mut a = arbiter(1 << 10, Join::Anywhere);
        let mut out = Vec::new();
        for &(time, line, first, count) in &arrivals {
            out.extend(feed(&mut a, line, time, &packet(ONE, first, count)));
        }
        let last = clock + 10_000;
        out.extend(feed(&mut a, 0, last, &end(ONE, next)));
        a.poll(Nanos(last + PATIENCE), seen(&mut out));

        let mut expected = 1;
        for event in &out[1..out.len() - 1] {
            match event {
                Seen::Message(n, bytes) => {
                    prop_assert_eq!((*n, bytes), (expected, &body(expected)));
                    expected += 1;
                }
                Seen::Gap(gap) => {
                    prop_assert_eq!(gap.first, expected);
                    for n in gap.first..gap.first + gap.count {
                        let behind = passed.get(&n).copied().unwrap_or(last);
                        prop_assert!(gap.time.0 >= behind + PATIENCE, "{} given up too early", n);
                        let in_time = came.get(&n).is_some_and(|&time| time < behind + PATIENCE);
                        prop_assert!(!in_time, "{} came in time", n);
                    }
                    expected += gap.count;
                }
                other => prop_assert!(false, "unexpected {:?}", other),
            }
        }
        prop_assert_eq!(expected, next);
        prop_assert_eq!(out.last(), Some(&Seen::End(next)));
        let counted = a.delivered() + a.gaps().1;
        prop_assert_eq!(counted, next - 1);
    }
}
