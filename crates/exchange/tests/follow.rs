//! Goal: in a replay the venue's answers depend on the capture and the orders alone, not on who was scheduled when.
//! Method: play execution's part by hand on a control segment and a real socket, several times over the same capture and
//! the same orders, each time with other steps of the horizon and other pauses; the stream must be the same bytes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tickline_clock::monotonic;
use tickline_packet::pcap::Capture;
use tickline_ring::control::{Control, ServiceBlock, State};
use tickline_ring::{Segment, Shape};
use tickline_venue::flow::Rng;
use tickline_wire::mold::Packet;
use tickline_wire::ouch::{Appendage, EnterOrder, Outbound, PRICE_MARKET, TIF_DAY, TIF_IOC};
use tickline_wire::soup::{ClientPacket, Framer, Login, ServerPacket};

const PATIENCE: Duration = Duration::from_secs(30);

/// Fails once more than the patience has passed since `begun` (monotonic).
fn still(begun: u64, what: &str) {
    assert!(monotonic().0 - begun < PATIENCE.as_nanos() as u64, "{what}");
}
const DELAY_OUT: u64 = 100_000;

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("tickline-follow-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn generate(file: &Path) {
    let done = Command::new(env!("CARGO_BIN_EXE_tickline-exchange"))
        .args(["--seconds", "4", "--seed", "11", "--line-b", "--generate"])
        .arg(file)
        .stdout(Stdio::null())
        .status();
    assert!(done.unwrap().success());
}

/// Capture time of each message, by sequence number from 1, as line A or B first brought it.
fn times(file: &Path) -> Vec<u64> {
    let mut times = vec![0];
    for frame in Capture::open(file).unwrap().frames() {
        let packet = Packet::parse(frame.payload).unwrap();
        if packet.header.sequence == times.len() as u64 {
            times.resize(packet.next() as usize, frame.time.0);
        }
    }
    times
}

struct Line {
    child: Child,
    exchange: ServiceBlock,
    execution: ServiceBlock,
    stream: TcpStream,
    framer: Framer,
    sent: u64,
    told: Vec<Vec<u8>>,
}

impl Line {
    fn start(folder: &Path, capture: &Path, run: usize) -> Line {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let idle = ["spin", "yield", "park"][run % 3];
        let config = format!(
            r#"{{ "line": "replay", "seed": 1, "mode": "follow", "idle": "{idle}", "instruments": [],
                 "venue": {{ "flow": {{ "kind": "capture", "path": {capture:?} }},
                   "itch": {{ "a": {{ "group": "239.77.9.1", "port": 1 }}, "b": {{ "group": "239.77.9.2", "port": 1 }},
                              "interface": "127.0.0.1" }},
                   "rerequest": {{ "host": "127.0.0.1", "port": 1 }},
                   "ouch": {{ "host": "127.0.0.1", "port": {port}, "user": "TICK01", "password": "tickline" }},
                   "delay_out_ns": {DELAY_OUT}, "delay_back_ns": 0 }} }}"#
        );
        let (file, control) = (folder.join(format!("{run}.json")), folder.join(format!("control-{run}")));
        std::fs::write(&file, config).unwrap();
        // The segment is a file: it lives on when this handle goes.
        drop(Segment::create(&control, Shape::Control).unwrap());
        let block = |name| Control::open(&control).unwrap().service(name).unwrap();
        let (exchange, execution) = (block("exchange"), block("execution"));
        execution.begin("execution", std::process::id());
        let child = Command::new(env!("CARGO_BIN_EXE_tickline-exchange"))
            .arg("--config")
            .arg(&file)
            .arg("--control")
            .arg(&control)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = monotonic().0;
        while exchange.state() != State::Running {
            still(begun, &format!("{:?} {}", exchange.state(), exchange.error()));
            std::thread::sleep(Duration::from_millis(1));
        }
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let framer = Framer::new(4096);
        let mut line = Line { child, exchange, execution, stream, framer, sent: 0, told: Vec::new() };
        line.say(&ClientPacket::Login(Login::new("TICK01", "tickline", "", 1).unwrap()));
        line
    }

    fn say(&mut self, packet: &ClientPacket<'_>) {
        let mut bytes = [0; 256];
        let length = packet.encode(&mut bytes).unwrap();
        self.stream.write_all(&bytes[..length]).unwrap();
    }

    fn enter(&mut self, order: &EnterOrder) {
        let mut bytes = [0; 128];
        let length = order.encode(Appendage::NONE, &mut bytes).unwrap();
        self.say(&ClientPacket::Unsequenced(&bytes[..length]));
        self.sent += 1;
    }

    /// Everything before `time` is decided and sent: waits until the venue has followed, and reads what it told.
    fn advance(&mut self, time: u64) {
        self.execution.set_sent(self.sent);
        self.execution.set_horizon(time);
        let begun = monotonic().0;
        while self.exchange.horizon() < time.saturating_add(DELAY_OUT) {
            still(begun, "the venue does not follow");
            std::thread::yield_now();
        }
        let count = self.exchange.sent();
        while (self.told.len() as u64) < count {
            while let Some(packet) = self.framer.next().unwrap() {
                if let ServerPacket::Sequenced(message) = ServerPacket::decode(packet).unwrap() {
                    self.told.push(message.to_vec());
                }
            }
            if (self.told.len() as u64) < count {
                let got = self.stream.read(self.framer.space()).unwrap();
                assert!(got > 0);
                self.framer.filled(got);
            }
        }
    }

    fn stop(mut self) -> (Vec<Vec<u8>>, serde_json::Value) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        assert!(self.child.wait().unwrap().success());
        (std::mem::take(&mut self.told), serde_json::from_str(out.lines().last().unwrap()).unwrap())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Only a failed test finds it alive.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn base36(mut value: u64) -> String {
    let mut digits = [b'0'; 10];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(value % 36) as usize];
        value /= 36;
    }
    String::from_utf8(digits.to_vec()).unwrap()
}

/// The orders: every 150th message is a decision; buys and sells, most at once, some resting near the touch.
fn orders(times: &[u64]) -> Vec<(u64, EnterOrder)> {
    let mut rng = Rng::new(99, 0);
    let decided = (700..times.len() as u64 - 10).step_by(150);
    decided
        .zip(1..)
        .map(|(decision, user_ref)| {
            let rests = rng.chance(0.3);
            let symbol = if rng.chance(0.5) { *b"TLKA    " } else { *b"TLKB    " };
            let (side, price, tif) = match (rng.chance(0.5), rests) {
                (true, false) => (b'B', PRICE_MARKET, TIF_IOC),
                (false, false) => (b'S', PRICE_MARKET, TIF_IOC),
                (true, true) => (b'B', 10_000, TIF_DAY),
                (false, true) => (b'S', 10_000, TIF_DAY),
            };
            let qty = 1 + rng.below(300);
            let cl_ord_id = format!("E001{}", base36(decision)).into_bytes().try_into().unwrap();
            let (display, capacity, sweep, cross) = (b'Y', b'P', b'N', b'N');
            let order = EnterOrder {
                user_ref,
                side,
                qty,
                symbol,
                price,
                tif,
                display,
                capacity,
                sweep,
                cross,
                cl_ord_id,
            };
            (decision, order)
        })
        .collect()
}

fn replay(folder: &Path, capture: &Path, times: &[u64], run: usize) -> (Vec<Vec<u8>>, serde_json::Value) {
    let mut rng = Rng::new(run as u64, 1);
    let mut line = Line::start(folder, capture, run);
    let mut orders = orders(times).into_iter().peekable();
    let mut at = 1;
    while at < times.len() as u64 {
        // A step of this run's own length; every order decided in it goes out before the horizon moves past it. Steps end
        // where capture time moves on, since a horizon says "before".
        let mut step = at + 1 + rng.below(400) as u64;
        while (step as usize) < times.len() && times[step as usize] == times[step as usize - 1] {
            step += 1;
        }
        while let Some((_, order)) = orders.next_if(|(decision, _)| *decision < step) {
            line.enter(&order);
            if rng.chance(0.2) {
                std::thread::sleep(Duration::from_micros(300));
            }
        }
        at = step;
        if let Some(&time) = times.get(step as usize) {
            line.advance(time);
        }
    }
    line.advance(u64::MAX);
    line.stop()
}

#[test]
fn the_venue_tells_the_same_bytes_however_the_run_is_scheduled() {
    let folder = folder();
    let capture = folder.join("capture.pcap");
    generate(&capture);
    let times = times(&capture);
    let (first, summary) = replay(&folder, &capture, &times, 0);
    let sent = orders(&times);
    assert!(sent.len() > 15, "{} orders", sent.len());
    assert_eq!(summary["late_orders"].as_u64(), Some(0));
    assert_eq!(summary["accepted"].as_u64(), Some(sent.len() as u64));
    assert!(summary["fills"].as_u64().unwrap() > 10, "{summary}");
    // An order is accepted exactly when the wire has carried it.
    let accepted = first.iter().filter_map(|bytes| match Outbound::decode(bytes).unwrap() {
        Outbound::OrderAccepted(accepted, _) => Some((accepted.user_ref, accepted.time_ns)),
        _ => None,
    });
    for ((decision, order), told) in sent.iter().zip(accepted) {
        assert_eq!(told, (order.user_ref, times[*decision as usize] + DELAY_OUT));
    }
    for run in 1..3 {
        let (again, other) = replay(&folder, &capture, &times, run);
        assert!(again == first, "run {run} told other bytes");
        assert_eq!(other["book_hash"], summary["book_hash"]);
    }
    std::fs::remove_dir_all(folder).unwrap();
}
