//! Goal: OUCH messages have the lengths and bytes of the specification, in their short forms too.
//! Method: real packets with their values read off by hand, a table of lengths, random messages both ways, cut and
//! mutated bytes.

use proptest::prelude::*;
use tickline_wire::ouch::{
    AccountQuery, Appendage, CancelOrder, Canceled, Element, EnterOrder, Executed, Inbound, OrderAccepted,
    OuchError, Outbound, SystemEvent, tag,
};
use tickline_wire::soup::{ClientPacket, Framer, Packet, ServerPacket};

/// Length of each message of a direction with an empty appendage, by its letter (PROTOCOLS, OUCH 5.0).
const INBOUND: [(u8, usize); 8] =
    [(b'O', 47), (b'U', 40), (b'X', 11), (b'M', 12), (b'C', 19), (b'D', 11), (b'E', 11), (b'Q', 3)];
const OUTBOUND: [(u8, usize); 17] = [
    (b'S', 10),
    (b'A', 64),
    (b'U', 68),
    (b'C', 20),
    (b'D', 34),
    (b'E', 36),
    (b'B', 38),
    (b'J', 31),
    (b'P', 15),
    (b'I', 15),
    (b'T', 32),
    (b'M', 20),
    (b'R', 16),
    (b'X', 27),
    (b'G', 19),
    (b'K', 19),
    (b'Q', 15),
];

/// The TCP payload of the only packet of a capture of the conformance set, or `None` where the data is not there.
fn captured(name: &str) -> Option<Vec<u8>> {
    let root = std::env::var("TICKLINE_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_string());
    let path = format!("{root}/conformance/nasdaq-ouch-5.0/{name}.pcap");
    let Ok(file) = std::fs::read(&path) else {
        println!("skipped: {path} is not there");
        return None;
    };
    let frame = &file[40..];
    let ip = if frame[12..14] == [0x81, 0] { 18 } else { 14 };
    let tcp = ip + 4 * usize::from(frame[ip] & 15);
    let end = ip + usize::from(u16::from_be_bytes([frame[ip + 2], frame[ip + 3]]));
    let start = tcp + 4 * usize::from(frame[tcp + 12] >> 4);
    Some(frame[start..end].to_vec())
}

/// The only packet in `bytes`: its letter and payload.
fn packet(bytes: &[u8]) -> (u8, Vec<u8>) {
    let mut framer = Framer::new(256);
    framer.space()[..bytes.len()].copy_from_slice(bytes);
    framer.filled(bytes.len());
    let packet = framer.next().unwrap().unwrap();
    let packet = (packet.kind, packet.payload.to_vec());
    assert_eq!(framer.pending(), 0);
    packet
}

#[test]
fn the_captured_enter_order_decodes_and_encodes_to_itself() {
    let Some(bytes) = captured("EnterOrderMessage") else { return };
    let (kind, payload) = packet(&bytes);
    let Ok(ClientPacket::Unsequenced(message)) = ClientPacket::decode(Packet { kind, payload: &payload })
    else {
        panic!("an unsequenced packet")
    };
    let decoded = Inbound::decode(message).unwrap();
    let expected = EnterOrder {
        user_ref: 0x71,
        side: b'T',
        qty: 225,
        symbol: *b"CVLT    ",
        price: 630_200,
        tif: b'0',
        display: b'Y',
        capacity: b'A',
        sweep: b'N',
        cross: b'N',
        cl_ord_id: *b"H8FUB8IV      ",
    };
    let firm = Appendage::new(b"\x05\x02LIME").unwrap();
    assert_eq!(firm.find(tag::FIRM), Some(&b"LIME"[..]));
    assert_eq!(decoded, Inbound::EnterOrder(expected, firm));
    let mut out = [0; 64];
    let length = decoded.encode(&mut out).unwrap();
    assert_eq!(&out[..length], message);
}

#[test]
fn the_captured_order_accepted_decodes_and_encodes_to_itself() {
    let Some(bytes) = captured("OrderAcceptedMessage") else { return };
    let (kind, payload) = packet(&bytes);
    let Ok(ServerPacket::Sequenced(message)) = ServerPacket::decode(Packet { kind, payload: &payload })
    else {
        panic!("a sequenced packet")
    };
    let decoded = Outbound::decode(message).unwrap();
    let expected = OrderAccepted {
        time_ns: 0x289b_4d64_af87,
        user_ref: 0x75_3a8d,
        side: b'B',
        qty: 40,
        symbol: *b"ADBE    ",
        price: 4_777_800,
        tif: b'5',
        display: b'Y',
        order_ref: 0x0f56_b4f5,
        capacity: b'A',
        sweep: b'N',
        cross: b'N',
        state: b'L',
        cl_ord_id: *b"7682701       ",
    };
    let elements = Appendage::new(b"\x05\x02MLRO\x02\x120").unwrap();
    let found: Vec<Element<'_>> = elements.elements().collect();
    assert_eq!(found, [Element { tag: tag::FIRM, value: b"MLRO" }, Element { tag: 18, value: b"0" }]);
    assert_eq!(decoded, Outbound::OrderAccepted(expected, elements));
    let mut out = [0; 80];
    let length = decoded.encode(&mut out).unwrap();
    assert_eq!(&out[..length], message);
}

#[test]
fn the_captured_short_forms_decode_without_an_appendage_length() {
    let Some(bytes) = captured("CancelOrderMessage") else { return };
    let (kind, payload) = packet(&bytes);
    let Ok(ClientPacket::Unsequenced(message)) = ClientPacket::decode(Packet { kind, payload: &payload })
    else {
        panic!("an unsequenced packet")
    };
    assert_eq!(message.len(), 9);
    let cancel = CancelOrder { user_ref: 0x75_2e71, qty: 0 };
    assert_eq!(Inbound::decode(message), Ok(Inbound::CancelOrder(cancel, Appendage::NONE)));

    let Some(bytes) = captured("CanceledMessage") else { return };
    let (kind, payload) = packet(&bytes);
    let Ok(ServerPacket::Sequenced(message)) = ServerPacket::decode(Packet { kind, payload: &payload })
    else {
        panic!("a sequenced packet")
    };
    assert_eq!(message.len(), 18);
    let canceled = Canceled { time_ns: 0x289b_4d68_1317, user_ref: 0x75_3a8d, qty: 40, reason: b'U' };
    assert_eq!(Outbound::decode(message), Ok(Outbound::Canceled(canceled, Appendage::NONE)));
}

#[test]
fn the_captured_heartbeats_decode() {
    let Some(bytes) = captured("ClientHeartbeatPacket") else { return };
    let (kind, payload) = packet(&bytes);
    assert_eq!(ClientPacket::decode(Packet { kind, payload: &payload }), Ok(ClientPacket::Heartbeat));
    let Some(bytes) = captured("ServerHeartbeatPacket") else { return };
    let (kind, payload) = packet(&bytes);
    assert_eq!(ServerPacket::decode(Packet { kind, payload: &payload }), Ok(ServerPacket::Heartbeat));
}

/// A message of the given letter and length whose other bytes count up, with an empty appendage.
fn counting(kind: u8, length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..length as u8).collect();
    bytes[0] = kind;
    bytes
}

#[test]
fn every_inbound_type_has_the_length_of_the_specification_in_both_forms() {
    for (kind, length) in INBOUND {
        let mut bytes = counting(kind, length);
        bytes[length - 2..].fill(0);
        let decoded = Inbound::decode(&bytes).unwrap();
        let mut out = [0; 128];
        assert_eq!(decoded.encode(&mut out), Ok(length), "letter {}", kind as char);
        assert_eq!(&out[..length], &bytes[..], "letter {}", kind as char);
        assert_eq!(Inbound::decode(&bytes[..length - 2]), Ok(decoded), "short form of {}", kind as char);
        let refused = OuchError::Length { kind, fixed: length - 2, found: length - 1 };
        assert_eq!(Inbound::decode(&bytes[..length - 1]), Err(refused));
        if length > 3 {
            let refused = OuchError::Length { kind, fixed: length - 2, found: length - 3 };
            assert_eq!(Inbound::decode(&bytes[..length - 3]), Err(refused));
        }
        assert_eq!(
            decoded.encode(&mut out[..length - 1]),
            Err(OuchError::NoRoom { need: length, have: length - 1 })
        );
    }
}

#[test]
fn every_outbound_type_has_the_length_of_the_specification_in_both_forms() {
    for (kind, length) in OUTBOUND {
        let mut bytes = counting(kind, length);
        if kind != b'S' {
            bytes[length - 2..].fill(0);
            assert_eq!(Outbound::decode(&bytes[..length - 2]), Outbound::decode(&bytes), "{}", kind as char);
            let refused = OuchError::Length { kind, fixed: length - 2, found: length - 1 };
            assert_eq!(Outbound::decode(&bytes[..length - 1]), Err(refused));
        }
        let decoded = Outbound::decode(&bytes).unwrap();
        let mut out = [0; 128];
        assert_eq!(decoded.encode(&mut out), Ok(length), "letter {}", kind as char);
        assert_eq!(&out[..length], &bytes[..], "letter {}", kind as char);
    }
}

#[test]
fn letters_of_neither_list_are_unknown() {
    for kind in 0..=u8::MAX {
        let bytes = counting(kind, 100);
        if INBOUND.iter().all(|known| known.0 != kind) {
            assert_eq!(Inbound::decode(&bytes), Err(OuchError::UnknownType { kind }));
        }
        if OUTBOUND.iter().all(|known| known.0 != kind) {
            assert_eq!(Outbound::decode(&bytes), Err(OuchError::UnknownType { kind }));
        }
    }
    assert_eq!(Inbound::decode(&[]), Err(OuchError::Empty));
}

#[test]
fn an_executed_message_has_its_fields_in_the_order_of_the_specification() {
    let message = Executed {
        time_ns: 0x0102_0304_0506_0708,
        user_ref: 0x1112_1314,
        qty: 0x2122_2324,
        price: 0x3132_3334,
        liquidity: b'R',
        match_number: 0x4142_4344_4546_4748,
    };
    let mut out = [0; 36];
    assert_eq!(Outbound::Executed(message, Appendage::NONE).encode(&mut out), Ok(36));
    assert_eq!(
        &out,
        b"E\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x14\x21\x22\x23\x24\0\0\0\0\x31\x32\x33\x34RABCDEFGH\0\0"
    );
}

#[test]
fn an_appendage_whose_elements_do_not_fit_is_refused_where_it_breaks() {
    assert_eq!(Appendage::new(b"\x02\x0cP").unwrap().find(tag::POST_ONLY), Some(&b"P"[..]));
    assert_eq!(Appendage::new(b"\x01\x0c").unwrap().find(tag::POST_ONLY), Some(&b""[..]));
    assert_eq!(Appendage::new(b"\x02\x0c"), Err(OuchError::Element { at: 0 }));
    assert_eq!(Appendage::new(b"\0"), Err(OuchError::Element { at: 0 }));
    assert_eq!(Appendage::new(b"\x02\x0cP\x03\x0f\0"), Err(OuchError::Element { at: 3 }));
    assert_eq!(Inbound::decode(b"Q\0\x03\x02\x0cP").map(|_| ()), Ok(()));
    let refused = OuchError::AppendageLength { kind: b'Q', stated: 4, found: 3 };
    assert_eq!(Inbound::decode(b"Q\0\x04\x02\x0cP"), Err(refused));
}

#[test]
fn elements_are_written_as_they_are_read() {
    let mut out = [0; 8];
    let element = Element { tag: tag::MIN_QTY, value: &[0, 0, 0, 5] };
    assert_eq!(element.encode(&mut out), Ok(6));
    assert_eq!(Appendage::new(&out[..6]).unwrap().elements().next(), Some(element));
    assert_eq!(element.encode(&mut out[..5]), Err(OuchError::NoRoom { need: 6, have: 5 }));
}

#[test]
fn a_system_event_has_no_appendage_length_and_an_account_query_does() {
    let mut out = [0; 16];
    let event = Outbound::SystemEvent(SystemEvent { time_ns: 1, event: b'S' }, Appendage::NONE);
    assert_eq!(event.encode(&mut out), Ok(10));
    assert_eq!(Inbound::AccountQuery(AccountQuery {}, Appendage::NONE).encode(&mut out), Ok(3));
}

proptest! {
    #[test]
    fn whatever_decodes_encodes_to_the_same_message(bytes in prop::collection::vec(any::<u8>(), 0..120), kind in any::<u8>()) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = kind;
        }
        let mut out = [0; 256];
        if let Ok(message) = Inbound::decode(&bytes) {
            let length = message.encode(&mut out).unwrap();
            prop_assert_eq!(Inbound::decode(&out[..length]), Ok(message));
        }
        if let Ok(message) = Outbound::decode(&bytes) {
            let length = message.encode(&mut out).unwrap();
            prop_assert_eq!(Outbound::decode(&out[..length]), Ok(message));
        }
    }

    #[test]
    fn messages_with_any_appendage_round_trip(
        known in 0usize..25,
        fill in any::<u8>(),
        elements in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..9)), 0..6),
    ) {
        let mut tail = Vec::new();
        for (tag, value) in &elements {
            tail.push(value.len() as u8 + 1);
            tail.push(*tag);
            tail.extend_from_slice(value);
        }
        let (kind, length) = *INBOUND.iter().chain(&OUTBOUND).nth(known).unwrap();
        let fixed = if known == 8 { length } else { length - 2 };
        let mut bytes = vec![fill; fixed];
        bytes[0] = kind;
        bytes.extend_from_slice(&(tail.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&tail);
        let mut out = [0; 256];
        let written = if known < INBOUND.len() {
            Inbound::decode(&bytes).unwrap().encode(&mut out).unwrap()
        } else {
            Outbound::decode(&bytes).unwrap().encode(&mut out).unwrap()
        };
        let expected = if known == 8 && tail.is_empty() { &bytes[..length] } else { &bytes[..] };
        prop_assert_eq!(&out[..written], expected);
    }
}
