//! A client of the order port, built from the wire codecs.

use super::{Exchange, PATIENCE, still};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tickline_clock::monotonic;
use tickline_wire::ouch::{Appendage, EnterOrder, Inbound};
use tickline_wire::soup::{ClientPacket, Framer, Login, ServerPacket};

/// A client of the order port.
pub struct Client {
    pub stream: TcpStream,
    pub framer: Framer,
    /// Number of the next sequenced message.
    pub next: u64,
}

pub fn cl_ord_id(n: u32) -> [u8; 14] {
    format!("E001{n:010}").into_bytes().try_into().unwrap()
}

pub fn enter(user_ref: u32, side: u8, qty: u32, price: u64, tif: u8) -> EnterOrder {
    let (symbol, cl_ord_id) = (*b"TLKA    ", cl_ord_id(user_ref));
    let (display, capacity, sweep, cross) = (b'Y', b'P', b'N', b'N');
    EnterOrder { user_ref, side, qty, symbol, price, tif, display, capacity, sweep, cross, cl_ord_id }
}

impl Client {
    pub fn connect(exchange: &Exchange) -> Client {
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

    pub fn login(exchange: &Exchange, sequence: u64) -> Client {
        let mut client = Client::connect(exchange);
        client.say(&ClientPacket::Login(Login::new("TICK01", "tickline", "", sequence).unwrap()));
        client.next = client.packet(|packet| match packet {
            ServerPacket::Accepted(accepted) => Some(accepted.sequence),
            other => panic!("{other:?}"),
        });
        client
    }

    pub fn say(&mut self, packet: &ClientPacket<'_>) {
        let mut bytes = [0; 256];
        let length = packet.encode(&mut bytes).unwrap();
        self.stream.write_all(&bytes[..length]).unwrap();
    }

    pub fn order(&mut self, message: &Inbound<'_>) {
        let mut bytes = [0; 128];
        let length = message.encode(&mut bytes).unwrap();
        self.say(&ClientPacket::Unsequenced(&bytes[..length]));
    }

    pub fn enter(&mut self, order: EnterOrder) {
        self.order(&Inbound::EnterOrder(order, Appendage::NONE));
    }

    /// The first packet that `pick` takes.
    pub fn packet<T>(&mut self, mut pick: impl FnMut(ServerPacket<'_>) -> Option<T>) -> T {
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
    pub fn message(&mut self) -> Vec<u8> {
        let message = self.packet(|packet| match packet {
            ServerPacket::Sequenced(message) => Some(message.to_vec()),
            ServerPacket::Heartbeat => None,
            other => panic!("{other:?}"),
        });
        self.next += 1;
        message
    }

    /// The next message that concerns an order.
    pub fn answer(&mut self) -> Vec<u8> {
        loop {
            let message = self.message();
            if message[0] != b'S' {
                return message;
            }
        }
    }
}
