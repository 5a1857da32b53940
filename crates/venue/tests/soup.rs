//! Goal: the server side of SoupBinTCP keeps its timers, its sequence and its manners. Method: bytes in and out of
//! `SoupServer` by hand, with time as an argument; every limit on both sides of its edge.

use tickline_units::{Nanos, Symbol};
use tickline_venue::port::{Account, OrderPort, Tradable};
use tickline_venue::soup_server::{Came, Ended, Patience, SoupServer};
use tickline_wire::soup::{Accepted, ClientPacket, Framer, Login, RejectReason, ServerPacket};

const SECOND: u64 = 1_000_000_000;
const SESSION: [u8; 10] = *b"DAY       ";

fn port() -> OrderPort {
    let account = Account { user: *b"ONE   ", password: *b"secret    " };
    OrderPort::new(&[account], vec![Tradable { symbol: Symbol(*b"TLKA    "), tick: 100 }])
}

fn server() -> SoupServer {
    SoupServer::new(SESSION, Patience::default(), Nanos(0))
}

/// The bytes of a client's packet.
fn bytes(packet: &ClientPacket<'_>) -> Vec<u8> {
    let mut bytes = vec![0; 256];
    let length = packet.encode(&mut bytes).unwrap();
    bytes.truncate(length);
    bytes
}

fn login(session: &str, sequence: u64) -> Vec<u8> {
    bytes(&ClientPacket::Login(Login::new("ONE", "secret", session, sequence).unwrap()))
}

fn feed(server: &mut SoupServer, bytes: &[u8], now: u64) {
    server.space()[..bytes.len()].copy_from_slice(bytes);
    server.filled(bytes.len(), Nanos(now));
}

/// What the server has to say, taken and in short.
fn said(server: &mut SoupServer) -> Vec<String> {
    let mut framer = Framer::new(1 << 12);
    let out = server.outgoing().to_vec();
    server.sent(out.len());
    framer.space()[..out.len()].copy_from_slice(&out);
    framer.filled(out.len());
    let mut said = Vec::new();
    while let Some(packet) = framer.next().unwrap() {
        said.push(match ServerPacket::decode(packet).unwrap() {
            ServerPacket::Accepted(Accepted { sequence, .. }) => format!("accepted {sequence}"),
            ServerPacket::Rejected(RejectReason::NotAuthorized) => "not authorized".into(),
            ServerPacket::Rejected(RejectReason::SessionNotAvailable) => "no such session".into(),
            ServerPacket::Sequenced(message) => format!("{}", message[0] as char),
            ServerPacket::Heartbeat => "heartbeat".into(),
            ServerPacket::End => "end".into(),
            other => panic!("{other:?}"),
        });
    }
    said
}

#[test]
fn a_login_in_pieces_is_accepted_and_replays_from_the_number_asked_for() {
    let mut port = port();
    (0..3).for_each(|_| port.system(Nanos(0), b'S'));
    for (asked, from, replayed) in [(1, 1, 3), (3, 3, 1), (4, 4, 0), (99, 4, 0), (0, 4, 0)] {
        let mut server = server();
        for piece in login("", asked).chunks(7) {
            assert_eq!(server.next(&port), Ok(None));
            feed(&mut server, piece, 1);
        }
        assert!(matches!(server.next(&port), Ok(Some(Came::Login(_)))));
        server.poll(&port, Nanos(1)).unwrap();
        let said = said(&mut server);
        assert_eq!((said[0].as_str(), said.len() - 1), (format!("accepted {from}").as_str(), replayed));
    }
}

#[test]
fn wrong_passwords_other_sessions_and_packets_out_of_place_end_the_connection() {
    let port = port();
    let wrong = bytes(&ClientPacket::Login(Login::new("ONE", "guess", "", 1).unwrap()));
    let order = bytes(&ClientPacket::Unsequenced(b"O"));
    let cases = [
        (wrong, Ended::Refused, vec!["not authorized"]),
        (login("OTHER", 1), Ended::Refused, vec!["no such session"]),
        (order, Ended::OutOfPlace, vec![]),
        ([login("DAY", 1), login("DAY", 1)].concat(), Ended::OutOfPlace, vec!["accepted 1"]),
        (bytes(&ClientPacket::Logout), Ended::Logout, vec![]),
    ];
    for (packets, ended, answer) in cases {
        let mut server = server();
        feed(&mut server, &packets, 1);
        let end = loop {
            match server.next(&port) {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it should have ended with {ended:?}"),
                Err(end) => break end,
            }
        };
        assert_eq!(end, ended);
        assert_eq!(said(&mut server), answer);
    }
    let mut server = server();
    feed(&mut server, &[0, 0, 0], 1);
    assert!(matches!(server.next(&port), Err(Ended::Malformed(_))));
}

#[test]
fn a_heartbeat_goes_out_after_a_second_and_silence_is_over_after_fifteen() {
    let mut port = port();
    let mut server = server();
    feed(&mut server, &login("", 0), 0);
    server.next(&port).unwrap();
    server.poll(&port, Nanos(0)).unwrap();
    assert_eq!(said(&mut server), ["accepted 1"]);
    server.poll(&port, Nanos(SECOND - 1)).unwrap();
    assert!(said(&mut server).is_empty());
    server.poll(&port, Nanos(SECOND)).unwrap();
    assert_eq!(said(&mut server), ["heartbeat"]);
    port.system(Nanos(0), b'E');
    server.poll(&port, Nanos(SECOND + 1)).unwrap();
    assert_eq!(said(&mut server), ["S"], "a message is as good as a heartbeat");
    server.poll(&port, Nanos(2 * SECOND)).unwrap();
    assert!(said(&mut server).is_empty());
    assert_eq!(server.poll(&port, Nanos(15 * SECOND)), Ok(()));
    assert_eq!(server.poll(&port, Nanos(15 * SECOND + 1)), Err(Ended::Silence));
    feed(&mut server, &bytes(&ClientPacket::Heartbeat), 15 * SECOND);
    assert_eq!(server.next(&port), Ok(Some(Came::Quiet)));
    assert_eq!(server.poll(&port, Nanos(30 * SECOND)), Ok(()));
    server.end();
    assert_eq!(said(&mut server).last().map(String::as_str), Some("end"));
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let mut port = port();
    let mut server = server();
    feed(&mut server, &login("", 1), 0);
    server.next(&port).unwrap();
    let mut end = Ok(());
    for _ in 0..200_000 {
        port.system(Nanos(0), b'S');
        end = server.poll(&port, Nanos(0));
        if end.is_err() {
            break;
        }
    }
    assert_eq!(end, Err(Ended::Backlog));
    assert!(server.outgoing().len() < (1 << 20) + 512, "{} bytes", server.outgoing().len());
}
