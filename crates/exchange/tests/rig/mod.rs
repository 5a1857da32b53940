//! What the tests of the process share: a venue on free loopback ports, and asking it for messages.
#![allow(dead_code)] // each test file uses a part

pub mod client;

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tickline_clock::monotonic;
use tickline_wire::itch;
use tickline_wire::mold;

pub const PATIENCE: Duration = Duration::from_secs(20);

/// Fails once more than the patience has passed since `begun` (monotonic).
pub fn still(begun: u64, what: &str) {
    assert!(monotonic().0 - begun < PATIENCE.as_nanos() as u64, "{what}");
}

/// A running venue with its ports; killed when dropped.
pub struct Exchange {
    pub child: Child,
    pub folder: PathBuf,
    pub ouch: u16,
    pub rerequest: u16,
    pub lines: [u16; 2],
}

pub fn free_udp() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn free_tcp() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Exchange {
    pub fn start(name: &str, more: &str) -> Exchange {
        Exchange::play(name, more, |_| r#"{ "kind": "generated" }"#.into())
    }

    /// With the background flow that `flow` names, given the test's folder.
    pub fn play(name: &str, more: &str, flow: impl Fn(&Path) -> String) -> Exchange {
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
    pub fn join(&self, line: usize) -> UdpSocket {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, self.lines[line])).unwrap();
        let group = [Ipv4Addr::new(239, 77, 9, 1), Ipv4Addr::new(239, 77, 9, 2)][line];
        socket.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Ends it with SIGTERM; the summary and whether it exited 0.
    pub fn stop(mut self) -> (serde_json::Value, bool) {
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

/// One re-request of 40 messages.
pub fn ask(
    exchange: &Exchange,
    asker: &UdpSocket,
    session: &str,
    sequence: u64,
) -> Option<Vec<itch::Update>> {
    let name = format!("{session:10}").into_bytes().try_into().unwrap();
    let request = mold::Header { session: mold::Session(name), sequence, count: 40 };
    asker.send_to(&request.bytes(), ("127.0.0.1", exchange.rerequest)).unwrap();
    let mut packet = [0; 2048];
    let (length, _) = asker.recv_from(&mut packet).ok()?;
    let packet = mold::Packet::parse(&packet[..length]).unwrap();
    assert_eq!(packet.header.sequence, sequence);
    Some(packet.blocks().map(|block| itch::decode(block).unwrap()).collect())
}
