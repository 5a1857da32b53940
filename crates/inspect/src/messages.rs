//! Every message of every packet, as it lies in the file: no arbitration, so duplicates and odd packets show too.

use crate::fault::Fault;
use serde_json::{Map, Value as Json, json};
use std::io::{ErrorKind, Write};
use tickline_packet::pcap::Recording;
use tickline_wire::ethernet::{self, Datagram, Transport};
use tickline_wire::itch::{self, Value};
use tickline_wire::mold::Packet;
use tickline_wire::ouch;
use tickline_wire::soup::{ClientPacket, Framer, ServerPacket};

/// How a message is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `name=value` pairs.
    Text,
    /// One JSON object a line.
    Json,
}

/// Longest SoupBinTCP packet.
const SOUP_BYTES_MAX: usize = 65_537;

/// Prints MoldUDP64 packets on UDP with their ITCH messages and SoupBinTCP packets on TCP with their OUCH messages, one a
/// line, in file order. Fields carry the specifications' names (`order_reference_number`); prices are the integers on the wire
/// (dollars x 10,000), times are nanoseconds. TCP segments are not put together: a packet must lie within its segment.
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

/// `name=value` pairs; a text that would not read as one word stands in quotes.
fn text(line: &Map<String, Json>) -> String {
    let pairs: Vec<_> = line
        .iter()
        .map(|(name, value)| match value {
            Json::String(word) if !word.is_empty() && !word.contains([' ', '"', '=']) => {
                format!("{name}={word}")
            }
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
    let head = |nth: u64| {
        fields([
            ("session", shown(&packet.header.session.0)),
            ("sequence_number", json!(packet.header.sequence + nth)),
            ("message_count", json!(packet.header.count)),
        ])
    };
    if packet.messages() == 0 {
        let mut line = head(0);
        line.insert("name".into(), json!(if packet.is_end() { "End of Session" } else { "Heartbeat" }));
        lines.push(line);
    }
    for (nth, block) in packet.blocks().enumerate() {
        let mut line = head(nth as u64);
        line.insert("message_length".into(), json!(block.len()));
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
        ("message_type", json!((update.body.letter() as char).to_string())),
        ("name", json!(update.body.name())),
        ("stock_locate", json!(update.header.locate)),
        ("tracking_number", json!(update.header.tracking)),
        ("timestamp", json!(update.header.time.0)),
    ]);
    update.body.fields(|name, value| {
        let value = match value {
            Value::Number(value) | Value::Price8(value) => json!(value),
            Value::Price(value) => json!(value),
            Value::Letter(letter) => shown(&[letter]),
            Value::Text(text) => shown(&text),
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
                let mut line = fields([
                    ("packet_length", json!(packet.payload.len() + 1)),
                    ("packet_type", json!(letter)),
                ]);
                let decoded = if b"ULRO".contains(&packet.kind) {
                    ClientPacket::decode(packet).map(client)
                } else {
                    ServerPacket::decode(packet).map(server)
                };
                line.extend(
                    decoded.unwrap_or_else(|fault| fields([("malformed", json!(fault.to_string()))])),
                );
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

fn client(packet: ClientPacket<'_>) -> Map<String, Json> {
    match packet {
        ClientPacket::Unsequenced(message) => match ouch::Inbound::decode(message) {
            Ok(found) => {
                let mut line = order_head(found.letter(), found.name());
                found.fields(|name, value| drop(line.insert(name.to_owned(), ouch_value(value))));
                append(found.appendage(), message.len() > found.fixed_bytes(), &mut line);
                line
            }
            Err(fault) => fields([("malformed", json!(fault.to_string()))]),
        },
        ClientPacket::Heartbeat => fields([("name", json!("Client Heartbeat"))]),
        ClientPacket::Logout => fields([("name", json!("Logout Request"))]),
        // The password stays where it is.
        ClientPacket::Login(login) => fields([
            ("name", json!("Login Request")),
            ("username", shown(&login.user)),
            ("requested_session", shown(&login.session)),
            ("requested_sequence_number", json!(login.sequence)),
        ]),
        ClientPacket::Debug(text) => fields([("name", json!("Debug")), ("text", shown(text))]),
    }
}

fn server(packet: ServerPacket<'_>) -> Map<String, Json> {
    match packet {
        ServerPacket::Sequenced(message) | ServerPacket::Unsequenced(message) => {
            match ouch::Outbound::decode(message) {
                Ok(found) => {
                    let mut line = order_head(found.letter(), found.name());
                    found.fields(|name, value| drop(line.insert(name.to_owned(), ouch_value(value))));
                    append(found.appendage(), message.len() > found.fixed_bytes(), &mut line);
                    line
                }
                Err(fault) => fields([("malformed", json!(fault.to_string()))]),
            }
        }
        ServerPacket::Heartbeat => fields([("name", json!("Server Heartbeat"))]),
        ServerPacket::End => fields([("name", json!("End of Session"))]),
        ServerPacket::Accepted(accepted) => fields([
            ("name", json!("Login Accepted")),
            ("session", shown(&accepted.session)),
            ("sequence_number", json!(accepted.sequence)),
        ]),
        ServerPacket::Rejected(reason) => fields([
            ("name", json!("Login Rejected")),
            ("reject_reason_code", json!((reason as u8 as char).to_string())),
        ]),
        ServerPacket::Debug(text) => fields([("name", json!("Debug")), ("text", shown(text))]),
    }
}

fn order_head(letter: u8, name: &str) -> Map<String, Json> {
    fields([("message_type", json!((letter as char).to_string())), ("name", json!(name))])
}

/// The appendage's length, where it is on the wire, and its elements in order; what is not known here in hexadecimal.
fn append(appendage: ouch::Appendage<'_>, stated: bool, line: &mut Map<String, Json>) {
    if stated {
        line.insert("appendage_length".into(), json!(appendage.bytes().len()));
    }
    let elements: Vec<_> = appendage
        .elements()
        .map(|element| {
            let hex = || json!(element.value.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
            let mut one = fields([
                ("optional_field_length", json!(element.value.len() + 1)),
                ("optional_field", json!(element.tag)),
            ]);
            let value = element.show().map_or_else(hex, ouch_value);
            one.insert(element.name().unwrap_or("unknown").to_owned(), value);
            Json::Object(one)
        })
        .collect();
    if !elements.is_empty() {
        line.insert("appendage".into(), Json::Array(elements));
    }
}

fn ouch_value(value: ouch::Value<'_>) -> Json {
    match value {
        ouch::Value::Number(value) => json!(value),
        ouch::Value::Signed(value) => json!(value),
        ouch::Value::Text(text) => shown(text),
    }
}

/// Text without its padding of spaces or zeros; a single letter stays, even if it is a space.
fn shown(text: &[u8]) -> Json {
    let padding =
        if text.len() == 1 { 0 } else { text.iter().rev().take_while(|byte| b" \0".contains(byte)).count() };
    json!(text[..text.len() - padding].escape_ascii().to_string())
}
