//! Goal: every order that was written is told its departure once, in order, at a time between the write and the look.
//! Method: a real connection over loopback, whose kernel stamps what leaves; bytes counted by hand.
#![forbid(unsafe_code)]

use std::net::TcpListener;
use tickline_clock::monotonic;
use tickline_port::{Departure, Departures, Progress, Socket};

/// The kernel stamps by the wall clock, which may be slewed between two reads.
const SLACK_NS: u64 = 1_000_000;

fn connected(listener: &TcpListener) -> Socket {
    let mut socket = Socket::connect(listener.local_addr().unwrap()).unwrap();
    // Leaked: the peer must stay open for the test's time.
    std::mem::forget(listener.accept().unwrap());
    while socket.progress().unwrap() != Progress::Connected {}
    socket.ask_stamps();
    assert!(socket.stamps(), "this kernel stamps TCP");
    socket
}

fn write(socket: &mut Socket, departures: &mut Departures, bytes: &[u8]) {
    let count = socket.write(bytes).unwrap();
    assert_eq!(count, bytes.len());
    departures.wrote(count);
}

fn collect(socket: &Socket, departures: &mut Departures) -> Vec<(u64, u64)> {
    let mut told = Vec::new();
    let until = monotonic().0 + 300_000_000;
    // Long enough for a window that is full, and its acknowledgement late.
    while monotonic().0 < until {
        departures.collect(socket, monotonic().0, |order, left_ns| told.push((order.due_ns, left_ns)));
    }
    told
}

#[test]
fn each_order_is_told_once_and_in_order() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut socket = connected(&listener);
    let mut departures = Departures::new();
    departures.connected();
    write(&mut socket, &mut departures, b"a login, which nobody awaits");
    let mut before = Vec::new();
    for n in 0..100 {
        before.push(monotonic().0);
        write(&mut socket, &mut departures, &[n as u8; 50]);
        departures.await_stamp(Departure { due_ns: n, passed_ns: 0 }, monotonic().0);
    }
    let told = collect(&socket, &mut departures);
    let after = monotonic().0;
    assert_eq!(told.iter().map(|(n, _)| *n).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    for ((_, left_ns), before_ns) in told.iter().zip(before) {
        assert!(*left_ns + SLACK_NS >= before_ns && *left_ns <= after + SLACK_NS);
    }
    assert_eq!(collect(&socket, &mut departures), []);
}

#[test]
fn orders_that_left_in_one_write_share_its_stamp() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut socket = connected(&listener);
    let mut departures = Departures::new();
    departures.connected();
    write(&mut socket, &mut departures, &[0; 150]);
    for n in 0..3 {
        departures.await_stamp(Departure { due_ns: n, passed_ns: 0 }, monotonic().0);
    }
    let told = collect(&socket, &mut departures);
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|(_, left_ns)| *left_ns == told[0].1));
}

#[test]
fn a_new_connection_forgets_what_the_old_one_owed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut old = connected(&listener);
    let mut departures = Departures::new();
    departures.connected();
    write(&mut old, &mut departures, &[0; 50]);
    departures.await_stamp(Departure { due_ns: 1, passed_ns: 0 }, monotonic().0);
    let mut socket = connected(&listener);
    departures.connected();
    write(&mut socket, &mut departures, &[0; 50]);
    departures.await_stamp(Departure { due_ns: 2, passed_ns: 0 }, monotonic().0);
    assert_eq!(collect(&socket, &mut departures).iter().map(|(n, _)| *n).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_stamp_that_never_comes_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = connected(&listener);
    let mut departures = Departures::new();
    departures.connected();
    // Claimed to be written, and never was.
    departures.wrote(50);
    departures.await_stamp(Departure { due_ns: 1, passed_ns: 0 }, 0);
    let told = |departures: &mut Departures, now_ns| {
        let mut count = 0;
        departures.collect(&socket, now_ns, |_, _| count += 1);
        count
    };
    assert_eq!(told(&mut departures, 2_000_000_000), 0);
    departures.wrote(50);
    departures.await_stamp(Departure { due_ns: 2, passed_ns: 0 }, 2_000_000_000);
    assert_eq!(told(&mut departures, 2_000_000_001), 0, "no stamp, no departure");
}
