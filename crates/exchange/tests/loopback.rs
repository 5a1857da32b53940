//! Goal: the venue's order port does over real sockets what it promises: sessions, orders, recovery, a clean end.
//! Method: start the real binary on free loopback ports and talk to it with a small client built from the wire codecs.

mod rig;

use rig::client::{Client, enter};
use rig::{Exchange, PATIENCE, ask};
use std::io::{ErrorKind, Read};
use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;
use tickline_clock::monotonic;
use tickline_wire::itch::Body;
use tickline_wire::ouch::{
    Appendage, CancelOrder, EnterOrder, Inbound, Outbound, PRICE_MARKET, TIF_DAY, TIF_IOC,
};
use tickline_wire::soup::{ClientPacket, Login, ServerPacket};

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
