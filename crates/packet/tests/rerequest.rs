//! Goal: a hole is asked for, filled from partial answers, asked for again when no answer comes, and left to the arbiter's patience
//! after the last try; without a hole nothing is sent.
//! Method: a real socket on the loopback interface plays the server; time is a number handed in.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;
use tickline_packet::arbiter::{self, Arbiter, Event, Join};
use tickline_packet::rerequest::{Client, Config};
use tickline_packet::{Frame, RECOVERY};
use tickline_units::Nanos;
use tickline_wire::mold::{Header, Packer, Session};

const SESSION: Session = Session(*b"SESSION001");
const TIMEOUT: u64 = 1_000;
const PAUSE: u64 = 100;
const PATIENCE: u64 = 1_000_000;

struct Rig {
    server: UdpSocket,
    client: Client,
    arbiter: Arbiter,
    /// Message `n`, or the first number and the count of a gap, in order.
    events: Vec<(u64, u64)>,
}

fn packet(first: u64, count: u64) -> Vec<u8> {
    let mut bytes = vec![0; 2048];
    let mut packer = Packer::new(&mut bytes, SESSION, first);
    for n in first..first + count {
        assert!(packer.push(&n.to_be_bytes()));
    }
    let length = packer.finish();
    bytes.truncate(length);
    bytes
}

impl Rig {
    fn new(count_max: u16, tries_max: u32) -> Rig {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let SocketAddr::V4(address) = server.local_addr().unwrap() else { panic!("IPv4 was bound") };
        Rig { server, client: client(address, count_max, tries_max), arbiter: arbiter(), events: Vec::new() }
    }

    fn line(&mut self, now: u64, payload: &[u8]) {
        let frame = Frame { line: 0, time: Nanos(now), due: Nanos(now), payload };
        let events = &mut self.events;
        self.arbiter.accept(&frame, |event| note(events, event)).unwrap();
    }

    fn work(&mut self, now: u64) {
        let events = &mut self.events;
        self.client.work(&mut self.arbiter, Nanos(now), |event| note(events, event), |_| {});
    }

    /// The request that waits at the server, as (first number, count), and who asks.
    fn asked(&self) -> ((u64, u16), SocketAddr) {
        let mut bytes = [0; 64];
        let (length, from) = self.server.recv_from(&mut bytes).unwrap();
        assert_eq!(length, 20, "a request is a header");
        let header = Header::parse(&bytes[..length]).unwrap();
        assert_eq!(header.session, SESSION);
        ((header.sequence, header.count), from)
    }

    /// Sends an answer and works until it has been taken.
    fn answer(&mut self, now: u64, to: SocketAddr, payload: &[u8]) {
        let before = self.client.counts().answers;
        self.server.send_to(payload, to).unwrap();
        // Loopback delivers before `send_to` returns, but only the count is a promise.
        while self.client.counts().answers == before {
            self.work(now);
        }
    }
}

fn client(server: SocketAddrV4, count_max: u16, tries_max: u32) -> Client {
    Client::open(Config { server, timeout: Nanos(TIMEOUT), pause: Nanos(PAUSE), count_max, tries_max })
        .unwrap()
}

fn arbiter() -> Arbiter {
    Arbiter::new(arbiter::Config { window: 64, patience: Nanos(PATIENCE), join: Join::Beginning })
}

fn note(events: &mut Vec<(u64, u64)>, event: Event<'_>) {
    match event {
        Event::Message { sequence, bytes } => {
            assert_eq!(bytes, sequence.to_be_bytes());
            events.push((sequence, 1));
        }
        Event::Gap(gap) => events.push((gap.first, gap.count)),
        Event::Session { .. } | Event::End { .. } => {}
    }
}

fn messages(range: std::ops::RangeInclusive<u64>) -> Vec<(u64, u64)> {
    range.map(|n| (n, 1)).collect()
}

#[test]
fn without_a_hole_nothing_is_asked() {
    let mut rig = Rig::new(10, 3);
    rig.line(0, &packet(1, 5));
    for now in 0..10_000 {
        rig.work(now);
    }
    assert_eq!((rig.events, rig.client.counts().requests), (messages(1..=5), 0));
}

#[test]
fn partial_answers_fill_a_hole_request_by_request_after_the_pause() {
    let mut rig = Rig::new(4, 3);
    rig.line(0, &packet(1, 1));
    rig.line(0, &packet(10, 2)); // 2 to 9 are missing
    rig.work(0);
    let (wanted, from) = rig.asked();
    assert_eq!(wanted, (2, 4), "not more than the limit at once");
    rig.answer(10, from, &packet(2, 3));
    assert_eq!(rig.events, messages(1..=4));
    rig.work(PAUSE - 1);
    assert_eq!(rig.client.counts().requests, 1, "the pause is kept");
    rig.work(PAUSE);
    let (wanted, from) = rig.asked();
    assert_eq!(wanted, (5, 4), "the rest");
    rig.answer(PAUSE + 10, from, &packet(5, 4));
    rig.work(2 * PAUSE);
    let (wanted, from) = rig.asked();
    assert_eq!(wanted, (9, 1), "no more than what is missing");
    rig.answer(2 * PAUSE + 10, from, &packet(9, 1));
    assert_eq!(rig.events, messages(1..=11));
    assert_eq!(rig.arbiter.missing(), None);
    rig.work(PATIENCE / 2);
    assert_eq!((rig.client.counts().requests, rig.client.counts().answers), (3, 3));
    assert_eq!(rig.arbiter.line(RECOVERY).first, 8);
}

#[test]
fn no_answer_is_asked_again_at_the_timeout_and_the_last_try_leaves_it_to_patience() {
    let mut rig = Rig::new(10, 3);
    rig.line(0, &packet(1, 1));
    rig.line(0, &packet(4, 1));
    for (now, requests) in [
        (0, 1),
        (TIMEOUT - 1, 1),
        (TIMEOUT, 2),
        (2 * TIMEOUT - 1, 2),
        (2 * TIMEOUT, 3),
        (3 * TIMEOUT, 3),
        (PATIENCE - 1, 3),
    ] {
        rig.work(now);
        assert_eq!(rig.client.counts().requests, requests, "at {now}");
    }
    for _ in 0..3 {
        assert_eq!(rig.asked().0, (2, 2));
    }
    let events = &mut rig.events;
    rig.arbiter.poll(Nanos(PATIENCE), |event| note(events, event));
    assert_eq!(rig.events, [(1, 1), (2, 2), (4, 1)]);
}

#[test]
fn an_answer_after_the_line_filled_the_hole_is_only_a_duplicate() {
    let mut rig = Rig::new(10, 3);
    rig.line(0, &packet(1, 1));
    rig.line(0, &packet(3, 1));
    rig.work(0);
    let (_, from) = rig.asked();
    rig.line(5, &packet(2, 1));
    rig.answer(6, from, &packet(2, 1));
    assert_eq!(rig.events, messages(1..=3));
    assert_eq!(rig.arbiter.line(RECOVERY).duplicates, 1);
}

#[test]
fn a_malformed_answer_is_counted_and_asked_for_again() {
    let mut rig = Rig::new(10, 3);
    rig.line(0, &packet(1, 1));
    rig.line(0, &packet(3, 1));
    rig.work(0);
    let (_, from) = rig.asked();
    rig.answer(10, from, &packet(2, 1)[..25]);
    assert_eq!((rig.arbiter.line(RECOVERY).malformed, rig.events.len()), (1, 1));
    rig.work(TIMEOUT);
    let (wanted, from) = rig.asked();
    assert_eq!(wanted, (2, 1));
    rig.answer(TIMEOUT + 1, from, &packet(2, 1));
    assert_eq!(rig.events, messages(1..=3));
}

#[test]
fn a_stranger_is_not_listened_to_and_a_server_that_is_gone_is_counted() {
    let mut rig = Rig::new(10, 1_000);
    rig.line(0, &packet(1, 1));
    rig.line(0, &packet(3, 1));
    rig.work(0);
    let (_, from) = rig.asked();
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    stranger.send_to(&packet(2, 1), from).unwrap();
    rig.work(1);
    assert_eq!((rig.client.counts().answers, rig.events.len()), (0, 1));

    // A port that was just given back: nobody answers, the host says so.
    let gone = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let SocketAddr::V4(address) = gone.local_addr().unwrap() else { panic!("IPv4 was bound") };
    drop(gone);
    rig.client = client(address, 10, 1_000);
    for nth in 0..20 {
        rig.work(nth * TIMEOUT);
    }
    assert!(rig.client.counts().refused > 0, "{:?}", rig.client.counts());
    assert_eq!(rig.events.len(), 1);
}
