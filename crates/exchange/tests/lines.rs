//! Goal: the venue's market data is one whole session on two lines, and what was missed can be asked for.
//! Method: start the real binary on free loopback ports and listen, with plain sockets and with the line's own.

mod rig;

use rig::client::Client;
use rig::{Exchange, PATIENCE, ask, still};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::time::Duration;
use tickline_clock::monotonic;
use tickline_packet::arbiter::{self, Arbiter, Event, Join};
use tickline_packet::pcap::Capture;
use tickline_packet::rerequest;
use tickline_packet::socket::{self, UdpSource};
use tickline_units::Nanos;
use tickline_wire::itch::{self, Body, Update};
use tickline_wire::mold;

/// Messages of a line by their numbers, until the session ends. A busy machine may lose some, as a network may.
fn listen(line: &UdpSocket) -> BTreeMap<u64, Vec<u8>> {
    let (mut packet, mut messages) = ([0; 2048], BTreeMap::new());
    loop {
        let (length, from) = line.recv_from(&mut packet).unwrap();
        assert!(matches!(from, SocketAddr::V4(from) if *from.ip() == Ipv4Addr::LOCALHOST));
        let packet = mold::Packet::parse(&packet[..length]).unwrap();
        if packet.is_end() {
            return messages;
        }
        for (at, block) in packet.blocks().enumerate() {
            messages.insert(packet.header.sequence + at as u64, block.to_vec());
        }
    }
}

#[test]
fn both_lines_carry_the_same_session_and_what_was_missed_can_be_asked_for() {
    let exchange = Exchange::start("lines", r#""duration_s": 1.5,"#);
    let lines = [exchange.join(0), exchange.join(1)];
    let lines = lines.map(|line| std::thread::spawn(move || listen(&line))).map(|line| line.join().unwrap());
    // The whole session once more, from the re-request server, which answers for a while after the end.
    let asker = UdpSocket::bind("127.0.0.1:0").unwrap();
    asker.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let last = *lines[0].keys().chain(lines[1].keys()).max().unwrap();
    let mut session = Vec::new();
    let begun = monotonic().0;
    while (session.len() as u64) < last {
        still(begun, "the session was not recovered");
        let answer = ask(&exchange, &asker, "LINES", session.len() as u64 + 1).unwrap_or_default();
        assert!(answer.len() <= 40, "no more than asked for");
        session.extend(answer);
    }
    assert!(matches!(session[0].body, Body::SystemEvent(event) if event.event.0 == b'O'));
    assert!(matches!(session[2].body, Body::StockDirectory(entry) if &entry.symbol.0 == b"TLKA    "));
    for line in lines {
        assert!(line.len() > 100, "{} messages", line.len());
        for (sequence, bytes) in line {
            let said = itch::decode(&bytes).unwrap();
            assert_eq!(said, session[sequence as usize - 1], "message {sequence}");
        }
    }
}

/// Goal: a listener that comes late gets the whole session. Method: the line's own sockets, arbiter and re-request client.
#[test]
fn a_late_listener_recovers_the_session_from_its_beginning() {
    let exchange = Exchange::start("late", r#""duration_s": 2.0,"#);
    drop(Client::connect(&exchange));
    std::thread::sleep(Duration::from_millis(400));
    let group = SocketAddrV4::new(Ipv4Addr::new(239, 77, 9, 2), exchange.lines[1]);
    let mut line = UdpSource::open(socket::Config::new(group, Ipv4Addr::LOCALHOST, 1)).unwrap();
    let server = SocketAddrV4::new(Ipv4Addr::LOCALHOST, exchange.rerequest);
    let (timeout, pause) = (Nanos(50_000_000), Nanos(0));
    let limits = rerequest::Config { server, timeout, pause, count_max: 100, tries_max: 100 };
    let mut asker = rerequest::Client::open(limits).unwrap();
    let patience = Nanos(PATIENCE.as_nanos() as u64);
    let config = arbiter::Config { join: Join::Beginning, patience, ..arbiter::Config::default() };
    let (mut arbiter, mut count) = (Arbiter::new(config), 0);
    let begun = monotonic().0;
    while !arbiter.ended() {
        still(begun, "the session did not end");
        let mut deliver = |event: Event<'_>| match event {
            Event::Message { sequence, bytes } => {
                count += 1;
                assert_eq!(sequence, count);
                itch::decode(bytes).unwrap();
            }
            Event::Gap(gap) => panic!("{gap:?}"),
            Event::Session { .. } | Event::End { .. } => {}
        };
        line.poll(monotonic(), |frame| arbiter.accept(&frame, &mut deliver).unwrap()).unwrap();
        asker.work(&mut arbiter, monotonic(), &mut deliver, |_| {});
        socket::wait(&[line.as_raw_fd()], Nanos(200_000)).unwrap();
    }
    let (summary, well) = exchange.stop();
    assert!(well && count > 700, "{count} messages");
    assert_eq!(summary["messages"].as_u64(), Some(count));
}

/// Everything that ITCH says of an order but not the number of its match, which is the venue's own.
fn story(bytes: &[u8]) -> Update {
    let mut update = itch::decode(bytes).unwrap();
    match &mut update.body {
        Body::Executed(done) => done.match_number = 0,
        Body::ExecutedPrice(done) => done.match_number = 0,
        Body::Trade(done) => done.match_number = 0,
        _ => {}
    }
    update
}

#[test]
fn a_played_capture_without_our_orders_is_published_as_it_was() {
    let mut recorded = Vec::new();
    let exchange = Exchange::play("capture", "", |folder| {
        let file = folder.join("capture.pcap");
        let done = Command::new(env!("CARGO_BIN_EXE_tickline-exchange"))
            .args(["--seconds", "1", "--seed", "4", "--generate"])
            .arg(&file)
            .stdout(Stdio::null())
            .status();
        assert!(done.unwrap().success());
        format!(r#"{{ "kind": "capture", "path": {file:?} }}"#)
    });
    let line = exchange.join(0);
    for frame in Capture::open(&exchange.folder.join("capture.pcap")).unwrap().frames() {
        recorded.extend(mold::Packet::parse(frame.payload).unwrap().blocks().map(story));
    }
    let published = listen(&line);
    assert!(published.len() > 100, "{} messages", published.len());
    for (sequence, bytes) in published {
        assert_eq!(story(&bytes), recorded[sequence as usize - 1], "message {sequence}");
    }
}
