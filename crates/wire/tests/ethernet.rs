//! Goal: the UDP payload is found under tags, options and trailers, and nothing else is taken for one.
//! Method: frames built by hand around one payload; every cut of a frame; round trips.

use proptest::prelude::*;
use tickline_wire::ethernet::{Endpoint, OVERHEAD, PAYLOAD_MAX, Refusal, Transport, build, parse};

const FROM: Endpoint = Endpoint { address: [10, 1, 2, 3], port: 26_477 };
const GROUP: Endpoint = Endpoint { address: [233, 254, 12, 111], port: 26_400 };

fn frame(payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xEE; OVERHEAD + payload.len()];
    assert_eq!(build(&mut bytes, FROM, GROUP, payload), Some(bytes.len()));
    bytes
}

/// Puts bytes into a frame at an offset.
fn spliced(frame: &[u8], at: usize, extra: &[u8]) -> Vec<u8> {
    [&frame[..at], extra, &frame[at..]].concat()
}

#[test]
fn a_built_frame_has_the_groups_address_and_a_right_checksum() {
    let bytes = frame(b"payload");
    assert_eq!(&bytes[..6], b"\x01\x00\x5e\x7e\x0c\x6f");
    let sum: u32 = bytes[14..34].chunks(2).map(|p| u32::from(p[0]) << 8 | u32::from(p[1])).sum();
    assert_eq!((sum & 0xFFFF) + (sum >> 16), 0xFFFF);
    let found = parse(&bytes).unwrap();
    assert_eq!((found.transport, found.source, found.destination), (Transport::Udp, FROM, GROUP));
    assert_eq!(found.payload, b"payload");
}

#[test]
fn vlan_tags_one_or_two_deep_are_stripped() {
    let plain = frame(b"tagged");
    let one = spliced(&plain, 12, b"\x81\x00\x00\x8d");
    let two = spliced(&one, 12, b"\x88\xa8\x00\x07");
    for bytes in [&one, &two] {
        assert_eq!(parse(bytes).unwrap().payload, b"tagged");
    }
    assert_eq!(parse(&one[..15]), Err(Refusal::Short));
}

#[test]
fn ip_options_are_skipped_and_trailers_cut_off() {
    let mut bytes = spliced(&frame(b"opt"), 34, &[1; 8]);
    bytes[14] = 0x47;
    bytes[17] += 8;
    bytes.extend(b"trailer and checksum");
    assert_eq!(parse(&bytes).unwrap().payload, b"opt");
}

#[test]
fn fragments_are_refused_by_flag_and_by_offset() {
    for (flags, low) in [(0x20, 0), (0, 1), (0x1F, 0xFF)] {
        let mut bytes = frame(b"part");
        (bytes[20], bytes[21]) = (flags, low);
        assert_eq!(parse(&bytes), Err(Refusal::Fragment));
    }
    let mut bytes = frame(b"whole");
    bytes[20] = 0x40;
    assert!(parse(&bytes).is_ok());
}

#[test]
fn impossible_lengths_are_refused() {
    let good = frame(b"12345678");
    let with = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        parse(&bytes).unwrap_err()
    };
    assert_eq!(with(14, 0x65), Refusal::Header);
    assert_eq!(with(14, 0x44), Refusal::Header);
    assert_eq!(with(17, 19), Refusal::Header);
    assert_eq!(with(17, 27), Refusal::Short);
    assert_eq!(with(17, 37), Refusal::Truncated);
    assert_eq!(with(39, 7), Refusal::Header);
    assert_eq!(with(39, 17), Refusal::Truncated);
    assert_eq!(with(23, 1), Refusal::Protocol(1));
    assert_eq!(with(13, 0x06), Refusal::EtherType(0x0806));
    assert!(build(&mut [0; 100], FROM, GROUP, &[0; 59]).is_none());
    assert!(build(&mut vec![0; 70_000], FROM, GROUP, &vec![0; PAYLOAD_MAX + 1]).is_none());
    assert!(build(&mut vec![0; 70_000], FROM, GROUP, &vec![0; PAYLOAD_MAX]).is_some());
}

#[test]
fn a_tcp_segment_is_found_behind_its_options() {
    let mut bytes = frame(&[0; 24]);
    bytes[23] = 6;
    bytes[46] = 0x60;
    bytes[58..66].copy_from_slice(b"segment!");
    let found = parse(&bytes).unwrap();
    assert_eq!((found.transport, found.payload), (Transport::Tcp, &b"segment!"[..]));
    bytes[46] = 0x40;
    assert_eq!(parse(&bytes), Err(Refusal::Header));
}

#[test]
fn every_cut_of_a_frame_is_refused() {
    let whole = frame(b"x");
    for cut in 0..whole.len() {
        assert!(parse(&whole[..cut]).is_err(), "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn what_is_built_is_parsed(payload in prop::collection::vec(any::<u8>(), 0..1500)) {
        let bytes = frame(&payload);
        prop_assert_eq!(parse(&bytes).unwrap().payload, &payload[..]);
    }

    #[test]
    fn a_payload_lies_inside_its_frame_whatever_the_bytes(at in 12..42usize, value: u8, tail in 0..64usize) {
        let mut bytes = frame(&vec![7; tail]);
        bytes[at] = value;
        if let Ok(found) = parse(&bytes) {
            prop_assert!(found.payload.len() <= bytes.len() - 22);
        }
    }
}
