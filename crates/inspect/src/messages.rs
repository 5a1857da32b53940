//! Every message of every packet, as it lies in the file: no arbitration, so duplicates and odd packets show too.

use crate::fault::Fault;
use serde_json::{Map, Value as Json, json};
use std::io::{ErrorKind, Write};
use tickline_packet::pcap::Recording;
use tickline_wire::ethernet::{self, Datagram, Transport};
use tickline_wire::itch::{self, Value};
use tickline_wire::mold::Packet;
use tickline_wire::ouch;
use tickline_wire::soup::{ClientPacket, Framer, ServerPacket, SoupError};

/// How a message is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `key=value` pairs.
    Text,
    /// One JSON object a line.
    Json,
}

/// Longest SoupBinTCP packet.
const SOUP_BYTES_MAX: usize = 65_537;

/// Prints MoldUDP64 packets on UDP with their ITCH messages and SoupBinTCP packets on TCP with their OUCH messages, one a
/// line, in file order. TCP segments are not put together: a packet must lie within its segment.
pub fn messages(recording: &Recording, format: Format, out: &mut impl Write) -> Result<u64, Fault> {
    let mut printed = 0;
    for (nth, raw) in recording.frames().enumerate() {
        let mut lines = Vec::new();
        match ethernet::parse(raw.bytes) {
            Ok(found) if found.transport == Transport::Udp => market_data(&found, &mut lines),
            Ok(found) => orders(&found, &mut lines),
            Err(refusal) => lines.push(fields([("refused", json!(refusal.to_string()))])),
        }
        for line in lines {
            let head = fields([("frame", json!(nth + 1)), ("capture_ns", json!(raw.time.0))]);
            let whole: Map<_, _> = head.into_iter().chain(line).collect();
            let outcome = match format {
                Format::Json => writeln!(out, "{}", Json::Object(whole)),
                Format::Text => writeln!(out, "{}", text(&whole)),
            };
            match outcome {
                Err(fault) if fault.kind() == ErrorKind::BrokenPipe => return Ok(printed),
                other => other?,
            }
            printed += 1;
        }
    }
    out.flush()?;
    Ok(printed)
}

fn fields<const N: usize>(pairs: [(&str, Json); N]) -> Map<String, Json> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(line: &Map<String, Json>) -> String {
    let pairs: Vec<_> = line
        .iter()
        .map(|(name, value)| match value {
            Json::String(text) => format!("{name}={text}"),
            other => format!("{name}={other}"),
        })
        .collect();
    pairs.join(" ")
}

fn market_data(found: &Datagram<'_>, lines: &mut Vec<Map<String, Json>>) {
    let packet = match Packet::parse(found.payload) {
        Ok(packet) => packet,
        Err(fault) => return lines.push(fields([("malformed", json!(fault.to_string()))])),
    };
    let head = || {
        fields([
            ("session", json!(packet.header.session.text())),
            ("sequence", json!(packet.header.sequence)),
            ("count", json!(packet.header.count)),
        ])
    };
    if packet.messages() == 0 {
        let mut line = head();
        line.insert("name".into(), json!(if packet.is_end() { "EndOfSession" } else { "Heartbeat" }));
        lines.push(line);
    }
    for (nth, block) in packet.blocks().enumerate() {
        let mut line = head();
        line.insert("sequence".into(), json!(packet.header.sequence + nth as u64));
        line.insert("length".into(), json!(block.len()));
        line.extend(itch_fields(block));
        lines.push(line);
    }
}

fn itch_fields(block: &[u8]) -> Map<String, Json> {
    let update = match itch::decode(block) {
        Ok(update) => update,
        Err(fault) => return fields([("malformed", json!(fault.to_string()))]),
    };
    let mut line = fields([
        ("type", json!((update.body.letter() as char).to_string())),
        ("name", json!(update.body.name())),
        ("locate", json!(update.header.locate)),
        ("tracking", json!(update.header.tracking)),
        ("time_ns", json!(update.header.time.0)),
    ]);
    update.body.fields(|name, value| {
        let value = match value {
            Value::Number(value) | Value::Price8(value) => json!(value),
            Value::Price(value) => json!(value),
            Value::Letter(letter) => json!(letter.escape_ascii().to_string()),
            Value::Text(text) => json!(text.escape_ascii().to_string().trim_end()),
        };
        line.insert(name.to_owned(), value);
    });
    line
}

/// The types tell the direction: `U`, `L`, `R`, `O` come from clients, the rest from servers; `+` is both.
fn orders(found: &Datagram<'_>, lines: &mut Vec<Map<String, Json>>) {
    let mut framer = Framer::new(SOUP_BYTES_MAX);
    let mut rest = found.payload;
    loop {
        match framer.next() {
            Ok(Some(packet)) => {
                let letter = (packet.kind as char).to_string();
                let mut line = fields([("soup", json!(letter)), ("length", json!(packet.payload.len()))]);
                line.extend(if b"ULRO".contains(&packet.kind) {
                    client(ClientPacket::decode(packet))
                } else {
                    server(ServerPacket::decode(packet))
                });
                lines.push(line);
            }
            Ok(None) if rest.is_empty() => break,
            Ok(None) => {
                let space = framer.space();
                let count = space.len().min(rest.len());
                space[..count].copy_from_slice(&rest[..count]);
                framer.filled(count);
                rest = &rest[count..];
            }
            Err(fault) => return lines.push(fields([("malformed", json!(fault.to_string()))])),
        }
    }
    if framer.pending() > 0 {
        lines.push(fields([("partial", json!(framer.pending()))]));
    }
}

fn client(packet: Result<ClientPacket<'_>, SoupError>) -> Map<String, Json> {
    match packet {
        Ok(ClientPacket::Unsequenced(message)) => match ouch::Inbound::decode(message) {
            Ok(found) => {
                let mut line = fields([("name", json!(found.name()))]);
                found.fields(|name, value| drop(line.insert(name.to_owned(), ouch_value(value))));
                append(found.appendage(), &mut line);
                line
            }
            Err(fault) => fields([("malformed", json!(fault.to_string()))]),
        },
        Ok(ClientPacket::Heartbeat) => fields([("name", json!("ClientHeartbeat"))]),
        Ok(ClientPacket::Logout) => fields([("name", json!("Logout"))]),
        Ok(ClientPacket::Login(login)) => fields([
            ("name", json!("Login")),
            ("user", shown(&login.user)),
            ("session", shown(&login.session)),
            ("sequence", json!(login.sequence)),
        ]),
        Ok(ClientPacket::Debug(text)) => fields([("name", json!("Debug")), ("text", shown(text))]),
        Err(fault) => fields([("malformed", json!(fault.to_string()))]),
    }
}

fn server(packet: Result<ServerPacket<'_>, SoupError>) -> Map<String, Json> {
    match packet {
        Ok(ServerPacket::Sequenced(message) | ServerPacket::Unsequenced(message)) => {
            match ouch::Outbound::decode(message) {
                Ok(found) => {
                    let mut line = fields([("name", json!(found.name()))]);
                    found.fields(|name, value| drop(line.insert(name.to_owned(), ouch_value(value))));
                    append(found.appendage(), &mut line);
                    line
                }
                Err(fault) => fields([("malformed", json!(fault.to_string()))]),
            }
        }
        Ok(ServerPacket::Heartbeat) => fields([("name", json!("ServerHeartbeat"))]),
        Ok(ServerPacket::End) => fields([("name", json!("EndOfSession"))]),
        Ok(ServerPacket::Accepted(accepted)) => fields([
            ("name", json!("LoginAccepted")),
            ("session", shown(&accepted.session)),
            ("sequence", json!(accepted.sequence)),
        ]),
        Ok(ServerPacket::Rejected(reason)) => {
            fields([("name", json!("LoginRejected")), ("reason", json!((reason as u8 as char).to_string()))])
        }
        Ok(ServerPacket::Debug(text)) => fields([("name", json!("Debug")), ("text", shown(text))]),
        Err(fault) => fields([("malformed", json!(fault.to_string()))]),
    }
}

/// The appendage's elements as `tag: bytes in hexadecimal`.
fn append(appendage: ouch::Appendage<'_>, line: &mut Map<String, Json>) {
    for element in appendage.elements() {
        let hex: String = element.value.iter().map(|byte| format!("{byte:02x}")).collect();
        line.insert(format!("tag_{}", element.tag), json!(hex));
    }
}

fn ouch_value(value: ouch::Value<'_>) -> Json {
    match value {
        ouch::Value::Number(value) => json!(value),
        ouch::Value::Text(text) => shown(text),
    }
}

fn shown(text: &[u8]) -> Json {
    json!(text.escape_ascii().to_string().trim_end())
}
