//! Goal: after attaching, the channels and the control block allocate nothing.
//! Method: a counting global allocator around a million operations.
#![cfg(not(any(loom, miri)))]

use std::sync::Arc;
use tickline_ring::broadcast::{Join, Publisher, Subscriber};
use tickline_ring::control::Control;
use tickline_ring::latest::{Reader, Writer};
use tickline_ring::lossless::{Consumer, Producer};
use tickline_ring::{Segment, Shape};
use tickline_trials::{Counting, allocations};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_million_operations_allocate_nothing() {
    let make = |shape| Arc::new(Segment::anonymous(shape).unwrap());
    let lossless = make(Shape::Lossless { slots: 64, payload: 64 });
    let broadcast = make(Shape::Broadcast { slots: 64, payload: 64 });
    let latest = make(Shape::Latest { payload: 64 });
    let mut producer = Producer::attach(lossless.clone()).unwrap();
    let mut consumer = Consumer::attach(lossless).unwrap();
    let mut publisher = Publisher::attach(broadcast.clone()).unwrap();
    let mut subscriber = Subscriber::attach(broadcast, Join::Next).unwrap();
    let mut writer = Writer::<[u64; 8]>::attach(latest.clone()).unwrap();
    let mut reader = Reader::<[u64; 8]>::attach(latest).unwrap();
    let block = Control::new(make(Shape::Control)).unwrap().service("feed").unwrap();
    let histogram = block.histogram(0);
    let before = allocations();
    let mut seen = 0u64;
    for n in 0..200_000u64 {
        producer.send(1, n, &[n as u8; 64]).unwrap();
        consumer.poll(|record| seen += u64::from(record.payload[63] == n as u8), 8).unwrap();
        publisher.publish(1, n, &[n as u8; 64]).unwrap();
        subscriber.poll(|record| seen += u64::from(record.payload[63] == n as u8), 8).unwrap();
        writer.write(&[n; 8]);
        seen += u64::from(reader.read() == Some([n; 8]));
        block.add(0, 1);
        block.set_heartbeat(n);
        histogram.record(n);
    }
    let after = allocations();
    assert_eq!((seen, after - before), (600_000, 0));
    assert!(before > 0, "the counter counts");
}
