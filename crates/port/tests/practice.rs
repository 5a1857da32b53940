//! Goal: a port that practises writes every order to a socket, hears it rejected, and never comes to the end of its numbers; its partner takes
//! whoever connects next, and gives up a connection whose bytes are no session.
//! Method: orders for many times the numbers of a practising session, one at a time; a partner that the test connects to itself.
#![forbid(unsafe_code)]

mod rig;

use rig::{Folder, WAIT_NS};
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use tickline_clock::monotonic;
use tickline_gate::Token;
use tickline_port::{Counterparty, Partner, Port, Status};
use tickline_ring::Plain;
use tickline_ring::control::Control;
use tickline_ring::names::counter;
use tickline_wire::flat::fill::{self, FILL_BYTES, FillBody, fill_kind};
use tickline_wire::flat::order::{self, ORDER_BYTES, OrderBody, order_kind};
use tickline_wire::soup::{ClientPacket, Login};

const ORDERS: u64 = 2_000;

/// An armed line's folder with one token that lets everything through, and a port that practises in it.
fn port() -> (Port, Folder) {
    let folder = Folder::new("practice");
    let control = Control::open(folder.0.join("control")).unwrap();
    control.line().raise_epoch();
    control.line().arm();
    let token = Token {
        epoch: 1,
        expiry_ns: u64::MAX,
        price_low: 1,
        price_high: u32::MAX,
        qty_max: 100,
        qty_total: u64::MAX,
        notional_total: u64::MAX,
        messages_total: u64::MAX,
        side: 1,
        ..Token::default()
    };
    assert!(Plain::open(folder.0.join("tokens")).unwrap().store(0, &token.image(2).words));
    let mut config = folder.config(Counterparty::Partner);
    config.limits.working_orders_max = 1;
    (Port::new(config).unwrap(), folder)
}

/// Polls until a Fill of this kind comes.
fn fill(port: &mut Port, kind: u8) -> FillBody {
    let until = monotonic().0 + WAIT_NS;
    let mut bytes = [0; 16 * FILL_BYTES];
    while monotonic().0 < until {
        for at in 0..port.poll(&mut bytes, true) {
            let body = fill::read_copy(&bytes[at * FILL_BYTES..]).unwrap();
            if body.kind == kind {
                return body;
            }
        }
    }
    panic!("no Fill of kind {kind}; the port is {:?}, {:?}", port.status(), port.failure());
}

#[test]
fn practice_has_no_end() {
    let (mut port, folder) = port();
    fill(&mut port, fill_kind::SESSION_UP);
    assert_eq!(port.status(), Status::Ready);
    let mut highest = 0;
    for decision in 1..=ORDERS {
        let body = OrderBody {
            decision,
            time_ns: monotonic().0,
            epoch: 1,
            price: 1_000,
            qty: 1,
            side: 1,
            kind: order_kind::ENTER,
            ..OrderBody::default()
        };
        let mut bytes = [0; ORDER_BYTES];
        order::write(&mut bytes, &body);
        port.submit(&bytes).unwrap();
        let rejected = fill(&mut port, fill_kind::REJECTED);
        assert_eq!((rejected.decision, rejected.leaves), (decision, 0));
        highest = highest.max(rejected.user_ref);
    }
    assert!(u64::from(highest) * 10 < ORDERS, "numbers went up to {highest}");
    let execution = Control::open(folder.0.join("control")).unwrap().service("execution").unwrap();
    let count = |name| execution.counter(counter(name));
    assert_eq!((count("sent"), count("rejected")), (ORDERS, ORDERS));
    // An order's packet has 3 + 47 bytes and more; all of them went through the kernel.
    assert!(count("bytes_out") >= 50 * ORDERS, "{} bytes", count("bytes_out"));
    assert_eq!(port.positions().get(0).map(|position| position.shares), Some(0));
}

/// Bytes of a login.
fn login() -> Vec<u8> {
    let mut bytes = [0; 64];
    let login = Login::new("TICK01", "tickline", "", 0).unwrap();
    let length = ClientPacket::Login(login).encode(&mut bytes).unwrap();
    bytes[..length].to_vec()
}

/// What the partner says once it says something.
fn answer(partner: &mut Partner) -> std::io::Result<Vec<u8>> {
    let until = monotonic().0 + WAIT_NS;
    let mut into = [0; 1024];
    while monotonic().0 < until {
        let count = partner.answer(&mut into, 1)?;
        if count > 0 {
            return Ok(into[..count].to_vec());
        }
    }
    panic!("the partner says nothing");
}

#[test]
fn a_partner_takes_the_next_connection_and_counts_on() {
    let mut partner = Partner::new().unwrap();
    for next in 1..=3 {
        let mut port = TcpStream::connect(partner.address()).unwrap();
        port.write_all(&login()).unwrap();
        let accepted = answer(&mut partner).unwrap();
        assert_eq!((accepted[2], &accepted[13..]), (b'A', format!("{next:20}").as_bytes()));
        // An account query: one more sequenced message.
        port.write_all(b"\0\x04UQ\0\0").unwrap();
        let account = answer(&mut partner).unwrap();
        assert_eq!(&account[2..4], b"SQ");
    }
}

#[test]
fn a_partner_gives_up_bytes_that_are_no_session() {
    let mut partner = Partner::new().unwrap();
    let mut port = TcpStream::connect(partner.address()).unwrap();
    port.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(answer(&mut partner).unwrap_err().kind(), ErrorKind::InvalidData);
    let mut next = TcpStream::connect(partner.address()).unwrap();
    next.write_all(&login()).unwrap();
    assert_eq!(answer(&mut partner).unwrap()[2], b'A');
}
