//! Goal: the venue process does over real sockets what it promises: sessions, orders, market data, recovery, a clean end.
//! Method: start the real binary on free loopback ports and talk to it with a small client built from the wire codecs.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tickline_clock::monotonic;
use tickline_packet::pcap::Capture;
use tickline_wire::itch::{self, Body, Update};
use tickline_wire::mold;
use tickline_wire::ouch::{
    Appendage, CancelOrder, EnterOrder, Inbound, Outbound, PRICE_MARKET, TIF_DAY, TIF_IOC,
};
use tickline_wire::soup::{ClientPacket, Framer, Login, ServerPacket};

const PATIENCE: Duration = Duration::from_secs(20);

/// Fails once more than the patience has passed since `begun` (monotonic).
fn still(begun: u64, what: &str) {
    assert!(monotonic().0 - begun < PATIENCE.as_nanos() as u64, "{what}");
}

/// A running venue with its ports; killed when dropped.
struct Exchange {
    child: Child,
    folder: PathBuf,
    ouch: u16,
    rerequest: u16,
    lines: [u16; 2],
}

fn free_udp() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn free_tcp() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Exchange {
    fn start(name: &str, more: &str) -> Exchange {
        Exchange::play(name, more, |_| r#"{ "kind": "generated" }"#.into())
    }

    /// With the background flow that `flow` names, given the test's folder.
    fn play(name: &str, more: &str, flow: impl Fn(&Path) -> String) -> Exchange {
        let folder = std::env::temp_dir().join(format!("tickline-exchange-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let flow = flow(&folder);
        let (ouch, rerequest, lines) = (free_tcp(), free_udp(), [free_udp(), free_udp()]);
        let config = format!(
            r#"{{ "line": "{name}", "seed": 7, "mode": "live", {more}
                 "venue": {{ "flow": {flow},
                   "itch": {{ "a": {{ "group": "239.77.9.1", "port": {} }}, "b": {{ "group": "239.77.9.2", "port": {} }},
                              "interface": "127.0.0.1" }},
                   "rerequest": {{ "host": "127.0.0.1", "port": {rerequest} }},
                   "ouch": {{ "host": "127.0.0.1", "port": {ouch}, "user": "TICK01", "password": "tickline" }},
                   "delay_out_ns": 100000, "delay_back_ns": 100000 }},
                 "instruments": [ {{ "symbol": "TLKA", "tick": 100 }}, {{ "symbol": "TLKB", "tick": 100 }} ] }}"#,
            lines[0], lines[1]
        );
        let file = folder.join("exchange.json");
        std::fs::write(&file, config).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_tickline-exchange"))
            .arg("--config")
            .arg(&file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Exchange { child, folder, ouch, rerequest, lines }
    }

    /// Joins a line before the venue can have sent much.
    fn join(&self, line: usize) -> UdpSocket {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, self.lines[line])).unwrap();
        let group = [Ipv4Addr::new(239, 77, 9, 1), Ipv4Addr::new(239, 77, 9, 2)][line];
        socket.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Ends it with SIGTERM; the summary and whether it exited 0.
    fn stop(mut self) -> (serde_json::Value, bool) {
        self.signal("-TERM");
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        let status = self.child.wait().unwrap();
        let last = out.lines().last().unwrap_or_default();
        (serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {out}")), status.success())
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // Already gone is what most tests want.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A client of the order port.
struct Client {
    stream: TcpStream,
    framer: Framer,
    /// Number of the next sequenced message.
    next: u64,
}

fn cl_ord_id(n: u32) -> [u8; 14] {
    format!("E001{n:010}").into_bytes().try_into().unwrap()
}

fn enter(user_ref: u32, side: u8, qty: u32, price: u64, tif: u8) -> EnterOrder {
    let (symbol, cl_ord_id) = (*b"TLKA    ", cl_ord_id(user_ref));
    let (display, capacity, sweep, cross) = (b'Y', b'P', b'N', b'N');
    EnterOrder { user_ref, side, qty, symbol, price, tif, display, capacity, sweep, cross, cl_ord_id }
}

impl Client {
    fn connect(exchange: &Exchange) -> Client {
        let begun = monotonic().0;
        loop {
            match TcpStream::connect(("127.0.0.1", exchange.ouch)) {
                Ok(stream) => {
                    stream.set_nodelay(true).unwrap();
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    return Client { stream, framer: Framer::new(4096), next: 0 };
                }
                Err(error) => still(begun, &error.to_string()),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn login(exchange: &Exchange, sequence: u64) -> Client {
        let mut client = Client::connect(exchange);
        client.say(&ClientPacket::Login(Login::new("TICK01", "tickline", "", sequence).unwrap()));
        client.next = client.packet(|packet| match packet {
            ServerPacket::Accepted(accepted) => Some(accepted.sequence),
            other => panic!("{other:?}"),
        });
        client
    }

    fn say(&mut self, packet: &ClientPacket<'_>) {
        let mut bytes = [0; 256];
        let length = packet.encode(&mut bytes).unwrap();
        self.stream.write_all(&bytes[..length]).unwrap();
    }

    fn order(&mut self, message: &Inbound<'_>) {
        let mut bytes = [0; 128];
        let length = message.encode(&mut bytes).unwrap();
        self.say(&ClientPacket::Unsequenced(&bytes[..length]));
    }

    fn enter(&mut self, order: EnterOrder) {
        self.order(&Inbound::EnterOrder(order, Appendage::NONE));
    }

    /// The first packet that `pick` takes.
    fn packet<T>(&mut self, mut pick: impl FnMut(ServerPacket<'_>) -> Option<T>) -> T {
        loop {
            while let Some(packet) = self.framer.next().unwrap() {
                if let Some(found) = pick(ServerPacket::decode(packet).unwrap()) {
                    return found;
                }
            }
            let count = self.stream.read(self.framer.space()).unwrap();
            assert!(count > 0, "the venue closed the connection");
            self.framer.filled(count);
        }
    }

    /// The next sequenced message, as text of its bytes and decoded.
    fn message(&mut self) -> Vec<u8> {
        let message = self.packet(|packet| match packet {
            ServerPacket::Sequenced(message) => Some(message.to_vec()),
            ServerPacket::Heartbeat => None,
            other => panic!("{other:?}"),
        });
        self.next += 1;
        message
    }

    /// The next message that concerns an order.
    fn answer(&mut self) -> Vec<u8> {
        loop {
            let message = self.message();
            if message[0] != b'S' {
                return message;
            }
        }
    }
}

/// Best prices of TLKA that the orders so far leave in an otherwise unseen book: far from any flow.
const LOW: u64 = 100_000;

#[test]
fn orders_rest_trade_and_are_told_and_a_new_login_replays_the_stream() {
    let exchange = Exchange::start("orders", "");
    let mut client = Client::login(&exchange, 1);
    // Far below the market: rests. At any price: trades with the flow.
    client.enter(enter(1, b'B', 300, LOW, TIF_DAY));
    let accepted = client.answer();
    let Outbound::OrderAccepted(accepted, _) = Outbound::decode(&accepted).unwrap() else { panic!() };
    assert_eq!((accepted.user_ref, accepted.qty, accepted.state), (1, 300, b'L'));
    client.enter(enter(2, b'B', 100, PRICE_MARKET, TIF_IOC));
    assert_eq!(client.answer()[0], b'A');
    let mut bought = 0;
    while bought < 100 {
        let message = client.answer();
        let Outbound::Executed(fill, _) = Outbound::decode(&message).unwrap() else { panic!("{message:?}") };
        assert_eq!((fill.user_ref, fill.liquidity), (2, b'R'));
        bought += fill.qty;
    }
    assert_eq!(bought, 100);
    // A sale that would meet our own bid is stopped; a wrong one is rejected; a number used before is ignored.
    client.enter(enter(3, b'S', 50, LOW, TIF_IOC));
    assert_eq!(client.answer()[0], b'A');
    let mut sold = 0;
    while sold < 50 {
        let message = client.answer();
        let Outbound::Executed(fill, _) = Outbound::decode(&message).unwrap() else { panic!("{message:?}") };
        assert!(fill.price > LOW, "the flow's bids are better than ours");
        sold += fill.qty;
    }
    client.enter(enter(3, b'S', 50, LOW, TIF_IOC));
    client.enter(EnterOrder { symbol: *b"NOPE    ", ..enter(4, b'S', 50, LOW, TIF_IOC) });
    let message = client.answer();
    let Outbound::Rejected(rejected, _) = Outbound::decode(&message).unwrap() else { panic!("{message:?}") };
    assert_eq!((rejected.user_ref, rejected.reason), (4, 0x17));
    client.order(&Inbound::CancelOrder(CancelOrder { user_ref: 1, qty: 0 }, Appendage::NONE));
    let message = client.answer();
    let Outbound::Canceled(gone, _) = Outbound::decode(&message).unwrap() else { panic!("{message:?}") };
    assert_eq!((gone.user_ref, gone.qty, gone.reason), (1, 300, b'U'));
    let told = client.next;
    drop(client);

    let mut first = Client::login(&exchange, 1);
    assert_eq!(first.next, 1);
    let mut again = Vec::new();
    while first.next < told {
        again.push(first.message());
    }
    let mut last = Client::login(&exchange, told - 1);
    assert_eq!(
        (last.next, Some(&last.message())),
        (told - 1, again.last()),
        "the same bytes from any number"
    );
    drop((first, last));
    let (summary, well) = exchange.stop();
    assert!(well);
    assert_eq!((summary["orders"].as_u64(), summary["rejects"].as_u64()), (Some(6), Some(1)));
    assert_eq!((summary["shares"].as_u64(), summary["ignored"].as_u64()), (Some(150), Some(1)));
}

#[test]
fn a_wrong_password_and_an_order_before_the_login_are_refused() {
    let exchange = Exchange::start("refused", "");
    let mut client = Client::connect(&exchange);
    client.say(&ClientPacket::Login(Login::new("TICK01", "wrong", "", 1).unwrap()));
    client.packet(|packet| matches!(packet, ServerPacket::Rejected(_)).then_some(()));
    let mut early = Client::connect(&exchange);
    early.enter(enter(1, b'B', 1, LOW, TIF_DAY));
    let mut rest = Vec::new();
    match early.stream.read_to_end(&mut rest) {
        Ok(_) => assert!(rest.is_empty()),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

#[test]
fn a_client_that_is_killed_leaves_no_order() {
    let exchange = Exchange::start("killed", "");
    // A client in a process of its own, so that its death is the kernel's: netcat's place is taken by a shell and /dev/tcp.
    let mut bytes = vec![0; 1024];
    let login = ClientPacket::Login(Login::new("TICK01", "tickline", "", 1).unwrap());
    let mut length = login.encode(&mut bytes).unwrap();
    let mut message = [0; 128];
    let order = Inbound::EnterOrder(enter(1, b'B', 300, LOW, TIF_DAY), Appendage::NONE);
    let order = order.encode(&mut message).unwrap();
    length += ClientPacket::Unsequenced(&message[..order]).encode(&mut bytes[length..]).unwrap();
    let octal: String = bytes[..length].iter().map(|byte| format!("\\{byte:03o}")).collect();
    drop(Client::connect(&exchange));
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{}; printf '{octal}' >&3; exec sleep 60", exchange.ouch);
    let mut victim = Command::new("bash").args(["-c", &script]).spawn().unwrap();
    let resting = rested(&exchange);
    victim.kill().unwrap();
    victim.wait().unwrap();
    let mut client = Client::login(&exchange, 1);
    let letters: Vec<u8> = (0..3).map(|_| client.message()[0]).collect();
    assert_eq!(letters, b"SAC");
    assert!(resting);
    let (summary, well) = exchange.stop();
    assert!(well);
    assert_eq!(summary["accepted"].as_u64(), Some(1));
}

/// Waits until market data shows our order at `LOW`.
fn rested(exchange: &Exchange) -> bool {
    let asker = UdpSocket::bind("127.0.0.1:0").unwrap();
    asker.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let begun = monotonic().0;
    let mut next = 1;
    while monotonic().0 - begun < PATIENCE.as_nanos() as u64 {
        let Some(messages) = ask(exchange, &asker, "KILLED", next) else { continue };
        next += messages.len() as u64;
        if messages.iter().any(|m| matches!(m.body, Body::Add(add) if add.price.0 as u64 == LOW)) {
            return true;
        }
    }
    false
}

/// One re-request of 40 messages.
fn ask(exchange: &Exchange, asker: &UdpSocket, session: &str, sequence: u64) -> Option<Vec<Update>> {
    let name = format!("{session:10}").into_bytes().try_into().unwrap();
    let request = mold::Header { session: mold::Session(name), sequence, count: 40 };
    asker.send_to(&request.bytes(), ("127.0.0.1", exchange.rerequest)).unwrap();
    let mut packet = [0; 2048];
    let (length, _) = asker.recv_from(&mut packet).ok()?;
    let packet = mold::Packet::parse(&packet[..length]).unwrap();
    assert_eq!(packet.header.sequence, sequence);
    Some(packet.blocks().map(|block| itch::decode(block).unwrap()).collect())
}

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
