//! Goal: no order of the writer's and readers' steps, under weak memory, shows a torn, lost or repeated record.
//! Method: loom runs small models of each protocol step in every order. Run with `npm run loom`; empty in an ordinary build.
#![cfg(loom)]

use loom::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tickline_ring::broadcast::{Join, Publisher, Subscriber};
use tickline_ring::latest::{Reader, Writer};
use tickline_ring::lossless::{Consumer, Producer};
use tickline_ring::{Kind, Refusal, Segment};

/// A payload of two words that only belong together.
fn payload(n: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    bytes[8..].copy_from_slice(&(!n).to_le_bytes());
    bytes
}

fn number(payload: &[u8]) -> u64 {
    let word = |at: usize| u64::from_le_bytes(payload[at..at + 8].try_into().unwrap());
    assert_eq!(word(0), !word(8), "torn");
    word(0)
}

/// Loom with at most three forced switches; fails when it tried so few orders that the model cannot have branched. Both ends attach
/// before the thread starts: loom only remembers the last access to a word, so a thread that has just looked at a word hides the
/// other thread's earlier look from its store.
fn model(check: impl Fn() + Sync + Send + 'static) {
    let orders = Arc::new(AtomicUsize::new(0));
    let count = orders.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        check();
    });
    let orders = orders.load(Ordering::Relaxed);
    println!("{orders} orders");
    assert!(orders > 100, "loom tried only {orders} orders");
}

#[test]
fn lossless_commit_and_free_with_a_wrap() {
    model(|| {
        let segment = Arc::new(Segment::model(Kind::Lossless, 2, 16));
        let mut producer = Producer::attach(segment.clone()).unwrap();
        let mut consumer = Consumer::attach(segment).unwrap();
        let writer = thread::spawn(move || {
            let mut next = 1;
            // The ring has two slots, so the third needs a freed one; when refused, it is not sent at all.
            while next <= 3 && producer.send(0, next, &payload(next)) != Err(Refusal::Full) {
                next += 1;
            }
            next - 1
        });
        let mut seen = 0;
        let mut look = |consumer: &mut Consumer| {
            consumer
                .poll(
                    |record| {
                        seen += 1;
                        assert_eq!(
                            (number(record.payload), record.sequence, record.stamp_ns),
                            (seen, seen, seen)
                        );
                    },
                    1,
                )
                .unwrap()
        };
        for _ in 0..3 {
            look(&mut consumer);
        }
        let sent = writer.join().unwrap();
        while look(&mut consumer) > 0 {}
        assert!(sent >= 2);
        assert_eq!(seen, sent);
    });
}

#[test]
fn lossless_reader_while_a_second_writer_takes_over() {
    model(|| {
        let segment = Arc::new(Segment::model(Kind::Lossless, 2, 16));
        let mut dying = Producer::attach(segment.clone()).unwrap();
        let mut consumer = Consumer::attach(segment.clone()).unwrap();
        let writer = thread::spawn(move || {
            dying.send(0, 1, &payload(1)).unwrap();
            // Dies with its second record begun and half written; the next writer takes the slot over and goes on.
            dying.try_claim(0, 16).unwrap().copy_from(&[7; 16]);
            let mut next = Producer::attach(segment).unwrap();
            assert_eq!(next.send(0, 2, &payload(2)), Ok(2));
            assert_eq!(dying.send(0, 9, &payload(9)), Err(Refusal::Fenced));
            next.send(0, 3, &payload(3)).is_ok()
        });
        let mut seen = 0;
        let mut look = |consumer: &mut Consumer| {
            consumer
                .poll(
                    |record| {
                        seen += 1;
                        assert_eq!((number(record.payload), record.sequence), (seen, seen));
                        assert_eq!(record.epoch, 1 + u32::from(seen > 1));
                    },
                    1,
                )
                .unwrap()
        };
        for _ in 0..3 {
            look(&mut consumer);
        }
        let third = writer.join().unwrap();
        while look(&mut consumer) > 0 {}
        assert_eq!(seen, 2 + u64::from(third));
    });
}

/// The head moves over a half turn, its two words, while another reader attaches in its place.
#[test]
fn lossless_head_is_whole_while_it_passes_a_half_turn() {
    model(|| {
        let first = (1u64 << 32) - 1;
        let segment = Arc::new(Segment::model_at(Kind::Lossless, 2, 16, first));
        let mut producer = Producer::attach(segment.clone()).unwrap();
        let mut consumer = Consumer::attach(segment.clone()).unwrap();
        producer.send(0, 0, &payload(1)).unwrap();
        let reader = thread::spawn(move || {
            for _ in 0..2 {
                let next = consumer.next();
                consumer.poll(|record| assert_eq!(record.sequence, next), 1).unwrap();
            }
            consumer.next()
        });
        // Meanwhile the writer fills the slots that the head leaves.
        producer.send(0, 0, &payload(2)).unwrap();
        let sent = 2 + u64::from(producer.send(0, 0, &payload(3)).is_ok());
        let next = Consumer::attach(segment.clone()).unwrap().next();
        assert!((first..=first + 2).contains(&next), "{next:x}");
        let next = reader.join().unwrap();
        assert!(next > first);
        let mut after = Consumer::attach(segment).unwrap();
        assert_eq!(after.next(), next);
        while after.poll(|record| assert!(record.sequence >= next), 1).unwrap() > 0 {}
        assert_eq!(after.next(), first + sent);
    });
}

#[test]
fn broadcast_reader_is_lapped_but_never_fooled() {
    model(|| {
        let segment = Arc::new(Segment::model(Kind::Broadcast, 2, 16));
        let mut reader = Subscriber::attach(segment.clone(), Join::Next).unwrap();
        let mut publisher = Publisher::attach(segment).unwrap();
        let writer = thread::spawn(move || {
            for n in 1..=3 {
                publisher.publish(0, n, &payload(n)).unwrap();
            }
        });
        let mut last = 0;
        let mut got = 0;
        let mut look = |reader: &mut Subscriber| {
            reader
                .poll(
                    |record| {
                        assert_eq!(
                            (number(record.payload), record.stamp_ns),
                            (record.sequence, record.sequence)
                        );
                        assert!(record.sequence > last);
                        last = record.sequence;
                        got += 1;
                    },
                    1,
                )
                .unwrap()
        };
        look(&mut reader);
        writer.join().unwrap();
        while look(&mut reader) > 0 {}
        assert_eq!(last, 3);
        assert_eq!(got + reader.lost(), 3);
    });
}

#[test]
fn latest_is_whole_and_never_older_than_before() {
    model(|| {
        let segment = Arc::new(Segment::model(Kind::Latest, 3, 16));
        let mut reader = Reader::<[u64; 2]>::attach(segment.clone()).unwrap();
        let mut source = Writer::attach(segment).unwrap();
        let writer = thread::spawn(move || {
            for n in 1..=4u64 {
                source.write(&[n, !n]);
            }
        });
        let mut last = 0;
        for _ in 0..2 {
            if let Some([low, high]) = reader.read() {
                assert_eq!(low, !high);
                assert!(low >= last);
                last = low;
            }
        }
        writer.join().unwrap();
        assert_eq!(reader.read(), Some([4, !4]));
    });
}
