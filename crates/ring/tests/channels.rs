//! Goal: the three channels keep their promises within one process: order, exactness, back-pressure, lapping, late join, restart.
//! Method: small rings driven step by step, and two threads moving a known stream.

use std::sync::Arc;
use tickline_ring::broadcast::{Join, Publisher, Subscriber};
use tickline_ring::latest::{Reader, Writer};
use tickline_ring::lossless::{Consumer, Producer};
use tickline_ring::{Refusal, Segment, Shape};

const MANY: u64 = if cfg!(miri) { 300 } else { 200_000 };

fn lossless(slots: u32, payload: usize) -> Arc<Segment> {
    Arc::new(Segment::anonymous(Shape::Lossless { slots, payload }).unwrap())
}

fn broadcast(slots: u32, payload: usize) -> Arc<Segment> {
    Arc::new(Segment::anonymous(Shape::Broadcast { slots, payload }).unwrap())
}

/// Payload of record `n`: its length and every byte follow from `n`.
fn payload(n: u64, buffer: &mut [u8; 96]) -> &[u8] {
    let length = (n * 7 % 96 + 1) as usize;
    for (at, byte) in buffer[..length].iter_mut().enumerate() {
        *byte = (n as usize * 31 + at) as u8;
    }
    &buffer[..length]
}

#[test]
fn lossless_delivers_every_record_once_in_order_between_threads() {
    let segment = lossless(8, 96);
    let writer = segment.clone();
    let thread = std::thread::spawn(move || {
        let mut producer = Producer::attach(writer).unwrap();
        let mut buffer = [0; 96];
        for n in 1..=MANY {
            while producer.send(n as u32, n * 3, payload(n, &mut buffer)) == Err(Refusal::Full) {
                std::thread::yield_now();
            }
        }
    });
    let mut consumer = Consumer::attach(segment).unwrap();
    let (mut expected, mut buffer) = (1, [0; 96]);
    while expected <= MANY {
        let handled = consumer
            .poll(
                |record| {
                    assert_eq!(
                        (record.sequence, record.kind, record.stamp_ns),
                        (expected, expected as u32, expected * 3)
                    );
                    assert_eq!(record.payload, payload(expected, &mut buffer));
                    expected += 1;
                },
                3,
            )
            .unwrap();
        if handled == 0 {
            std::thread::yield_now();
        }
    }
    thread.join().unwrap();
}

#[test]
fn lossless_takes_exactly_its_slots_then_refuses_until_one_is_freed() {
    let segment = lossless(4, 8);
    let mut producer = Producer::attach(segment.clone()).unwrap();
    let mut consumer = Consumer::attach(segment).unwrap();
    for n in 1..=4u64 {
        assert_eq!(producer.send(0, 0, &n.to_le_bytes()), Ok(n));
    }
    assert_eq!(producer.send(0, 0, &[0; 8]), Err(Refusal::Full));
    assert_eq!(consumer.poll(|_| {}, 1), Ok(1));
    assert_eq!(producer.send(0, 0, &[0; 8]), Ok(5));
    assert_eq!(producer.send(0, 0, &[0; 8]), Err(Refusal::Full));
}

#[test]
fn a_payload_of_the_whole_slot_passes_and_one_byte_more_is_refused() {
    let segment = lossless(2, 32);
    let mut producer = Producer::attach(segment.clone()).unwrap();
    assert_eq!(producer.payload_max(), 32);
    assert_eq!(producer.send(0, 0, &[1; 32]), Ok(1));
    assert_eq!(producer.send(0, 0, &[1; 33]), Err(Refusal::TooLong));
    let mut publisher = Publisher::attach(broadcast(2, 32)).unwrap();
    assert_eq!(publisher.publish(0, 0, &[1; 32]), Ok(1));
    assert_eq!(publisher.publish(0, 0, &[1; 33]), Err(Refusal::TooLong));
}

#[test]
fn an_abandoned_claim_is_never_seen_and_its_slot_is_used_again() {
    let segment = lossless(4, 8);
    let mut producer = Producer::attach(segment.clone()).unwrap();
    let mut consumer = Consumer::attach(segment).unwrap();
    producer.try_claim(1, 8).unwrap().copy_from(&[9; 8]);
    assert_eq!(consumer.poll(|_| panic!("nothing was committed"), 10), Ok(0));
    assert_eq!(producer.send(2, 0, &[7; 8]), Ok(1));
    assert_eq!(consumer.poll(|record| assert_eq!(record.payload, [7; 8]), 10), Ok(1));
}

#[test]
fn a_new_writer_goes_on_after_the_last_commit_and_fences_the_old_one() {
    let segment = lossless(4, 8);
    let mut old = Producer::attach(segment.clone()).unwrap();
    let mut consumer = Consumer::attach(segment.clone()).unwrap();
    old.send(0, 0, &[1; 8]).unwrap();
    old.send(0, 0, &[2; 8]).unwrap();
    assert_eq!(consumer.poll(|_| {}, 1), Ok(1));
    old.try_claim(0, 8).unwrap().copy_from(&[0xEE; 8]);
    let mut new = Producer::attach(segment).unwrap();
    assert_eq!((old.epoch(), new.epoch(), new.next()), (1, 2, 3));
    assert_eq!(old.send(0, 0, &[0xEE; 8]), Err(Refusal::Fenced));
    assert_eq!(new.send(0, 0, &[3; 8]), Ok(3));
    let mut seen = Vec::new();
    consumer.poll(|record| seen.push((record.sequence, record.epoch, record.payload[0])), 10).unwrap();
    assert_eq!(seen, [(2, 1, 2), (3, 2, 3)]);
}

#[test]
fn a_new_reader_goes_on_at_the_first_unfinished_record() {
    let segment = lossless(4, 8);
    let mut producer = Producer::attach(segment.clone()).unwrap();
    for n in 1..=3u8 {
        producer.send(0, 0, &[n; 8]).unwrap();
    }
    let mut first = Consumer::attach(segment.clone()).unwrap();
    assert_eq!(first.poll(|_| {}, 2), Ok(2));
    drop(first);
    let mut second = Consumer::attach(segment).unwrap();
    assert!(second.ready());
    assert_eq!(second.poll(|record| assert_eq!(record.payload, [3; 8]), 10), Ok(1));
    assert!(!second.ready());
}

#[test]
fn broadcast_readers_each_see_everything_and_a_slow_one_learns_what_it_lost() {
    let segment = broadcast(8, 8);
    let mut publisher = Publisher::attach(segment.clone()).unwrap();
    let mut quick = Subscriber::attach(segment.clone(), Join::Next).unwrap();
    let mut slow = Subscriber::attach(segment, Join::Next).unwrap();
    let mut seen = 0;
    for n in 1..=20u64 {
        assert_eq!(publisher.publish(5, n, &n.to_le_bytes()), Ok(n));
        quick.poll(|record| seen += u64::from(record.payload == n.to_le_bytes()), 10).unwrap();
    }
    assert_eq!((seen, quick.lost()), (20, 0));
    let mut values = Vec::new();
    slow.poll(|record| values.push(record.sequence), 10).unwrap();
    assert_eq!((values, slow.lost()), (vec![20], 19));
}

#[test]
fn a_reader_exactly_a_ring_behind_is_not_lapped_and_one_record_more_laps_it() {
    let segment = broadcast(4, 8);
    let mut publisher = Publisher::attach(segment.clone()).unwrap();
    let mut reader = Subscriber::attach(segment, Join::Next).unwrap();
    for n in 1..=4u64 {
        publisher.publish(0, 0, &n.to_le_bytes()).unwrap();
    }
    let mut values = Vec::new();
    reader.poll(|record| values.push(record.sequence), 10).unwrap();
    assert_eq!((&values[..], reader.lost()), (&[1, 2, 3, 4][..], 0));
    for n in 5..=9u64 {
        publisher.publish(0, 0, &n.to_le_bytes()).unwrap();
    }
    assert!(reader.ready());
    values.clear();
    reader.poll(|record| values.push(record.sequence), 10).unwrap();
    assert_eq!((&values[..], reader.lost()), (&[9][..], 4));
}

#[test]
fn late_readers_join_where_they_ask_to() {
    let segment = broadcast(8, 8);
    let mut publisher = Publisher::attach(segment.clone()).unwrap();
    let first = |join| {
        let mut reader = Subscriber::attach(segment.clone(), join).unwrap();
        let mut first = 0;
        reader.poll(|record| first = record.sequence, 1).unwrap();
        first
    };
    assert_eq!([first(Join::Next), first(Join::Newest), first(Join::Oldest)], [0, 0, 0]);
    for n in 1..=20u64 {
        publisher.publish(0, 0, &n.to_le_bytes()).unwrap();
    }
    assert_eq!([first(Join::Next), first(Join::Newest), first(Join::Oldest)], [0, 20, 14]);
}

#[test]
fn broadcast_never_shows_torn_bytes_while_the_writer_laps_the_reader() {
    let segment = broadcast(2, 96);
    let writer = segment.clone();
    let mut reader = Subscriber::attach(segment, Join::Next).unwrap();
    let thread = std::thread::spawn(move || {
        let mut publisher = Publisher::attach(writer).unwrap();
        let mut buffer = [0; 96];
        for n in 1..=MANY {
            publisher.publish(0, 0, payload(n, &mut buffer)).unwrap();
        }
    });
    let (mut last, mut buffer, mut seen) = (0, [0; 96], 0);
    while last < MANY {
        let polled = reader
            .poll(
                |record| {
                    assert!(record.sequence > last);
                    last = record.sequence;
                    seen += 1;
                    assert_eq!(record.payload, payload(record.sequence, &mut buffer));
                },
                10,
            )
            .unwrap();
        if polled == 0 {
            std::thread::yield_now();
        }
    }
    thread.join().unwrap();
    assert_eq!(seen + reader.lost(), reader.next() - 1);
}

#[test]
fn latest_gives_nothing_then_the_newest_and_never_a_mixture() {
    let segment = Arc::new(Segment::anonymous(Shape::Latest { payload: 64 }).unwrap());
    let mut reader = Reader::<[u64; 8]>::attach(segment.clone()).unwrap();
    assert_eq!((reader.read(), reader.version()), (None, 0));
    let source = segment.clone();
    let thread = std::thread::spawn(move || {
        let mut writer = Writer::<[u64; 8]>::attach(source).unwrap();
        for n in 1..=MANY {
            writer.write(&[n; 8]);
        }
    });
    let mut last = 0;
    while last < MANY {
        if let Some(value) = reader.read() {
            assert_eq!(value, [value[0]; 8]);
            assert!(value[0] >= last);
            last = value[0];
        }
    }
    thread.join().unwrap();
    let mut next = Writer::<[u64; 8]>::attach(segment).unwrap();
    next.write(&[7; 8]);
    assert_eq!(reader.read(), Some([7; 8]));
}

/// Sets head and tail of a fresh channel: the low half of `sequence` and a number of half turns.
fn set_sequences(segment: &Segment, sequence: u64, half_turns: u32) {
    for at in [tickline_ring::layout::AT_HEAD, tickline_ring::layout::AT_TAIL] {
        // SAFETY: inside the header; nothing else is attached yet.
        unsafe { segment.base().add(at).cast::<[u32; 2]>().write([sequence as u32, half_turns]) };
    }
}

#[test]
fn an_owner_that_died_between_the_words_of_its_head_or_tail_is_understood() {
    for (sequence, half_turns) in [((7u64 << 32) - 3, 14), ((7 << 32) + 0x7FFF_FFFF, 15)] {
        for died in [false, true] {
            let segment = lossless(4, 8);
            set_sequences(&segment, sequence, half_turns - u32::from(!died));
            assert_eq!(Producer::attach(segment.clone()).unwrap().next(), sequence);
            assert_eq!(Consumer::attach(segment).unwrap().next(), sequence);
        }
    }
}

#[test]
fn sequences_pass_31_and_32_bits_without_a_gap() {
    for start in [(7u64 << 32) - 3, (7 << 32) + 0x7FFF_FFFC] {
        let segment = lossless(4, 8);
        set_sequences(&segment, start, (start >> 31) as u32);
        let mut producer = Producer::attach(segment.clone()).unwrap();
        let mut consumer = Consumer::attach(segment.clone()).unwrap();
        let mut expected = start;
        for _ in 0..10 {
            producer.send(0, 0, &[0; 8]).unwrap();
            producer.send(0, 0, &[0; 8]).unwrap();
            let check = |record: &tickline_ring::Record<'_>| {
                assert_eq!(record.sequence, expected);
                expected += 1;
            };
            consumer.poll(check, 9).unwrap();
            assert_eq!(Consumer::attach(segment.clone()).unwrap().next(), consumer.next());
        }
        assert_eq!((expected, Producer::attach(segment).unwrap().next()), (start + 20, start + 20));
    }
}
