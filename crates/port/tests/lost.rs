//! Goal: a replay whose connection breaks fails with a sentence, instead of waiting for answers that were on their way; a live port
//! connects again.
//! Method: a real connection over loopback to a server that takes the login, says that the session is on, and hangs up.
#![forbid(unsafe_code)]

mod rig;

use rig::{Folder, WAIT_NS};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use tickline_clock::monotonic;
use tickline_order::SessionError;
use tickline_port::{Counterparty, Port, PortConfig, Status};

/// SoupBinTCP 4.00, login accepted: length, `A`, session, number of the next message.
fn accepted(next: usize) -> Vec<u8> {
    format!("\0\x1fADAY0000001{next:20}").into_bytes()
}

/// A sequenced packet with OUCH 5.0's Account Query Response: time, next user reference number 1, no appendage.
const ACCOUNT: &[u8; 18] = b"\0\x10SQ\0\0\0\0\0\0\0\0\0\0\0\x01\0\0";

/// A port, its folder, and a venue that hangs up on each of `logins` connections.
fn port(replay: bool, logins: usize) -> (Port, Folder, thread::JoinHandle<()>) {
    let folder = Folder::new(&format!("lost-{replay}"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let counterparty = Counterparty::Venue(listener.local_addr().unwrap());
    let config = PortConfig { replay, ..folder.config(counterparty) };
    let venue = thread::spawn(move || {
        for nth in 1..=logins {
            let (mut peer, _) = listener.accept().unwrap();
            let mut login = [0; 49];
            peer.read_exact(&mut login).unwrap();
            peer.write_all(&accepted(nth)).unwrap();
            let mut query = [0; 6];
            peer.read_exact(&mut query).unwrap();
            assert_eq!(&query[2..4], b"UQ");
            peer.write_all(ACCOUNT).unwrap();
            // Time to read that the session is on before reading that it is over.
            thread::sleep(std::time::Duration::from_millis(100));
        }
    });
    (Port::new(config).unwrap(), folder, venue)
}

/// Polls until the port stands so; false when it never does.
fn reaches(port: &mut Port, status: Status) -> bool {
    let until = monotonic().0 + WAIT_NS;
    let mut fills = [0; 4096];
    while port.status() != status && monotonic().0 < until {
        port.poll(&mut fills, true);
    }
    port.status() == status
}

#[test]
fn a_replay_fails_when_its_session_is_lost() {
    let (mut port, _folder, venue) = port(true, 1);
    assert!(reaches(&mut port, Status::Ready));
    assert!(reaches(&mut port, Status::Failed));
    assert_eq!(port.failure(), Some(SessionError::Lost));
    venue.join().unwrap();
}

#[test]
fn a_live_port_connects_again() {
    let (mut port, _folder, venue) = port(false, 2);
    assert!(reaches(&mut port, Status::Ready));
    assert!(reaches(&mut port, Status::Starting));
    assert!(reaches(&mut port, Status::Ready));
    assert_eq!(port.failure(), None);
    venue.join().unwrap();
}
