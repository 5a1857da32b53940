//! Goal: the same frames and times come out of every form a capture may have, and of as much of a cut-off file as is there.
//! Method: files made here byte by byte from the format drafts, one test a variant: units, byte orders, gzip, VLAN tags, trailers,
//! pcapng sections, interfaces and options; then every cut of a file, and each kind of damage.

use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use tickline_packet::pcap::{Capture, Cause, Recording, Tail};
use tickline_units::Nanos;
use tickline_wire::ethernet::{Endpoint, build};
use tickline_wire::mold::{Header, Session};

const GROUP: Endpoint = Endpoint { address: [233, 1, 2, 3], port: 26_400 };
const ORDERS: [bool; 2] = [true, false];

/// A MoldUDP64 heartbeat that says `next`: 20 bytes.
fn heartbeat(next: u64) -> Vec<u8> {
    Header { session: Session(*b"SESSION001"), sequence: next, count: 0 }.bytes().to_vec()
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 64 + payload.len()];
    let length = build(&mut bytes, Endpoint { address: [10, 0, 0, 1], port: 9 }, GROUP, payload).unwrap();
    bytes.truncate(length);
    bytes
}

fn frames() -> Vec<Vec<u8>> {
    (1..4).map(|next| frame(&heartbeat(next))).collect()
}

fn words(little: bool, words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| if little { word.to_le_bytes() } else { word.to_be_bytes() }).collect()
}

fn half(little: bool, value: u16) -> [u8; 2] {
    if little { value.to_le_bytes() } else { value.to_be_bytes() }
}

/// A classic file; frame `n` at second 7, `n` units.
fn classic(magic: u32, little: bool, link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = words(little, &[magic]);
    file.extend([half(little, 2), half(little, 4)].concat());
    file.extend(words(little, &[0, 0, 65_535, link]));
    for (nth, frame) in frames.iter().enumerate() {
        file.extend(words(little, &[7, nth as u32, frame.len() as u32, frame.len() as u32]));
        file.extend(frame);
    }
    file
}

fn block(little: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = padded as u32 + 12;
    let mut out = words(little, &[kind, length]);
    out.extend(body);
    out.resize(8 + padded, 0);
    out.extend(words(little, &[length]));
    out
}

fn section(little: bool) -> Vec<u8> {
    let version = [half(little, 1), half(little, 0)].concat();
    let body = [words(little, &[0x1A2B_3C4D]), version, words(little, &[u32::MAX, u32::MAX])].concat();
    block(little, 0x0A0D_0D0A, &body)
}

/// An interface description with options as (code, value).
fn interface(little: bool, link: u16, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = [half(little, link), half(little, 0)].concat();
    body.extend(words(little, &[0]));
    for (code, value) in options {
        body.extend([half(little, *code), half(little, value.len() as u16)].concat());
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    body.extend([0; 4]);
    block(little, 1, &body)
}

fn enhanced(little: bool, interface: u32, ticks: u64, frame: &[u8]) -> Vec<u8> {
    let length = frame.len() as u32;
    let head = words(little, &[interface, (ticks >> 32) as u32, ticks as u32, length, length]);
    block(little, 6, &[head, frame.to_vec()].concat())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn read(file: Vec<u8>) -> (Vec<(u64, Vec<u8>)>, Option<Tail>) {
    let recording = Recording::from_bytes("made.pcap", file).unwrap();
    (recording.frames().map(|frame| (frame.time.0, frame.bytes.to_vec())).collect(), recording.tail())
}

fn timed(times: &[u64]) -> Vec<(u64, Vec<u8>)> {
    times.iter().copied().zip(frames()).collect()
}

fn cause(file: Vec<u8>) -> Cause {
    Recording::from_bytes("made.pcap", file).unwrap_err().cause
}

const S: u64 = 1_000_000_000;
const MICROS: u32 = 0xA1B2_C3D4;
const NANOS: u32 = 0xA1B2_3C4D;

#[test]
fn classic_files_count_micro_or_nanoseconds_in_both_byte_orders() {
    for little in ORDERS {
        let micros = classic(MICROS, little, 1, &frames());
        assert_eq!(read(micros), (timed(&[7 * S, 7 * S + 1_000, 7 * S + 2_000]), None));
        let nanos = classic(NANOS, little, 1, &frames());
        assert_eq!(read(nanos), (timed(&[7 * S, 7 * S + 1, 7 * S + 2]), None));
    }
}

#[test]
fn gzip_is_peeled_off_also_twice_and_in_members() {
    let plain = classic(NANOS, true, 1, &frames());
    let expected = read(plain.clone());
    assert_eq!(read(gzip(&plain)), expected);
    assert_eq!(read(gzip(&gzip(&plain))), expected);
    let members = [gzip(&plain[..50]), gzip(&plain[50..])].concat();
    assert_eq!(read(members), expected);
    let next_generation =
        [section(true), interface(true, 1, &[]), enhanced(true, 0, 5, &frames()[0])].concat();
    assert_eq!(read(gzip(&next_generation)), (timed(&[5_000]), None));
}

#[test]
fn a_gzip_stream_that_is_cut_off_or_damaged_is_refused() {
    let whole = gzip(&classic(NANOS, true, 1, &frames()));
    for cut in 3..whole.len() {
        assert!(matches!(cause(whole[..cut].to_vec()), Cause::GzipTruncated(_)), "cut at {cut}");
    }
    let mut flipped = whole.clone();
    let at = whole.len() - 6; // in the checksum
    flipped[at] ^= 1;
    assert!(matches!(cause(flipped), Cause::GzipDamaged(_)));
}

#[test]
fn vlan_tags_single_and_stacked_trailers_and_padding_are_stripped() {
    let plain = frame(&heartbeat(9));
    let tagged = |tags: &[u8]| [&plain[..12], tags, &plain[12..]].concat();
    let trailed = [&plain[..], b"fcs!and a switch's time stamp"].concat();
    let variants = [
        plain.clone(),
        tagged(b"\x81\x00\x00\x05"),
        tagged(b"\x88\xA8\x00\x05\x81\x00\x00\x07"),
        tagged(b"\x81\x00\x00\x05\x81\x00\x00\x07"),
        trailed,
    ];
    let recording = Recording::from_bytes("made.pcap", classic(NANOS, true, 1, &variants)).unwrap();
    let capture = Capture::of(recording, [None, None]).unwrap();
    assert_eq!(capture.lines(), [Some(GROUP), None]);
    assert_eq!(
        capture.frames().map(|frame| frame.payload.to_vec()).collect::<Vec<_>>(),
        vec![heartbeat(9); 5]
    );
}

#[test]
fn next_generation_interfaces_each_have_their_own_clock() {
    for little in ORDERS {
        let offset = if little { 3i64.to_le_bytes() } else { 3i64.to_be_bytes() };
        let interfaces = [
            interface(little, 1, &[]),                         // microseconds by default
            interface(little, 1, &[(2, b"eth1"), (9, &[9])]),  // nanoseconds, after a name
            interface(little, 1, &[(9, &[0x8A])]),             // 1/1024 s
            interface(little, 1, &[(9, &[3]), (14, &offset)]), // milliseconds, 3 s later
        ];
        let bytes = &frames()[0];
        let packets = [
            enhanced(little, 1, 5 << 33, bytes),
            enhanced(little, 0, 11, bytes),
            enhanced(little, 3, 250, bytes),
            enhanced(little, 2, 512, bytes),
        ];
        let file = [section(little), interfaces.concat(), packets.concat()].concat();
        let times: Vec<u64> = read(file).0.iter().map(|(time, _)| *time).collect();
        assert_eq!(times, [5 << 33, 11_000, 3 * S + 250_000_000, S / 2], "little-endian {little}");
    }
}

#[test]
fn a_section_has_its_own_byte_order_and_interfaces() {
    let part = |little: bool, resolution: u8| {
        let described = interface(little, 1, &[(9, &[resolution])]);
        [section(little), described, enhanced(little, 0, 4, &frames()[0])].concat()
    };
    let file = [part(true, 9), part(false, 6)].concat();
    assert_eq!(read(file).0.iter().map(|(time, _)| *time).collect::<Vec<_>>(), [4, 4_000]);
    let orphan = [part(true, 9), section(true), enhanced(true, 0, 4, &frames()[0])].concat();
    assert!(matches!(cause(orphan), Cause::Damaged { what, .. } if what.contains("not described")));
}

#[test]
fn frame_check_sequences_go_simple_packets_keep_the_last_time_and_other_blocks_are_skipped() {
    let bytes = &frames()[0];
    let checked = [&bytes[..], b"fcs!"].concat();
    let simple = block(true, 3, &[words(true, &[checked.len() as u32]), checked.clone()].concat());
    let file = [
        section(true),
        block(true, 0x0000_0BAD, b"a vendor's block"),
        interface(true, 1, &[(9, &[9]), (13, &[4])]),
        enhanced(true, 0, 77, &checked),
        block(true, 5, &[0; 12]), // interface statistics
        simple,
    ];
    assert_eq!(read(file.concat()), (vec![(77, bytes.clone()), (77, bytes.clone())], None));
}

#[test]
fn frames_of_interfaces_that_are_not_ethernet_are_counted_and_left_out() {
    let bytes = &frames()[0];
    let wireless = [section(true), interface(true, 105, &[]), enhanced(true, 0, 1, bytes)].concat();
    assert_eq!(cause(wireless), Cause::LinkType(105));
    assert_eq!(cause(classic(NANOS, true, 113, &frames())), Cause::LinkType(113));
    let both = [interface(true, 105, &[]), interface(true, 1, &[])].concat();
    let packets = [enhanced(true, 0, 1, bytes), enhanced(true, 1, 2, bytes)].concat();
    let recording = Recording::from_bytes("made", [section(true), both, packets].concat()).unwrap();
    assert_eq!((recording.frames().len(), recording.foreign()), (1, 1));
}

/// Every cut of `file`: all records that end before it, and the tail from the last record's start.
fn every_cut(file: &[u8], head: usize, ends: &[usize]) {
    for cut in head..=file.len() {
        let recording = Recording::from_bytes("cut", file[..cut].to_vec()).unwrap();
        let whole = ends.iter().filter(|&&end| end <= cut).count();
        assert_eq!(recording.frames().len(), whole, "cut at {cut}");
        let start = ends[..whole].last().copied().unwrap_or(head);
        let tail = (cut > start).then(|| Tail { offset: start as u64, bytes: (cut - start) as u64 });
        assert_eq!(recording.tail(), tail, "cut at {cut}");
    }
}

#[test]
fn a_cut_anywhere_gives_the_frames_before_it_and_says_where_the_tail_is() {
    for little in ORDERS {
        let record = 16 + frames()[0].len();
        let file = classic(NANOS, little, 1, &frames());
        every_cut(&file, 24, &[24 + record, 24 + 2 * record, 24 + 3 * record]);

        let mut file = [section(little), interface(little, 1, &[])].concat();
        let (head, mut ends) = (file.len(), Vec::new());
        for (nth, bytes) in frames().iter().enumerate() {
            file.extend(enhanced(little, 0, nth as u64, bytes));
            ends.push(file.len());
        }
        every_cut(&file, head, &ends);
    }
}

#[test]
fn damage_is_named_with_its_place() {
    assert_eq!(cause(Vec::new()), Cause::Empty);
    assert!(matches!(cause(b"time,price\n1,2\n".to_vec()), Cause::NotACapture { text: true, .. }));
    assert!(matches!(cause(vec![1, 2, 3, 4, 5]), Cause::NotACapture { text: false, .. }));
    assert!(matches!(cause(classic(NANOS, true, 1, &[])[..9].to_vec()), Cause::Damaged { offset: 9, .. }));
    let mut huge = classic(NANOS, true, 1, &frames());
    huge[24 + 8..24 + 12].copy_from_slice(&300_000u32.to_le_bytes());
    assert!(matches!(cause(huge), Cause::Damaged { offset: 24, .. }));
    let mut lengths = [section(true), interface(true, 1, &[])].concat();
    let last = lengths.len() - 4;
    lengths[last] ^= 4;
    assert!(matches!(cause(lengths), Cause::Damaged { offset, .. } if offset == last as u64));
    let mut magic = section(true);
    magic[8] = 0;
    assert!(matches!(cause(magic), Cause::Damaged { offset: 8, .. }));
}

#[test]
fn the_first_two_groups_with_sound_packets_are_the_lines() {
    let to = |port: u16, payload: &[u8]| {
        let mut bytes = vec![0; 64 + payload.len()];
        let group = Endpoint { port, ..GROUP };
        let length = build(&mut bytes, Endpoint { address: [10, 0, 0, 1], port: 9 }, group, payload).unwrap();
        bytes.truncate(length);
        bytes
    };
    let sent = [to(1, b"another protocol"), to(2, &heartbeat(1)), to(3, &heartbeat(1)), to(4, &heartbeat(1))];
    let recording = Recording::from_bytes("made", classic(NANOS, true, 1, &sent)).unwrap();
    let capture = Capture::of(recording, [None, None]).unwrap();
    assert_eq!(capture.lines().map(|line| line.map(|to| to.port)), [Some(2), Some(3)]);
    assert_eq!((capture.len(), capture.skipped().other_udp), (2, 2));
    let frame = capture.frame(1).unwrap();
    assert_eq!((frame.line, frame.time, frame.due), (1, Nanos(7 * S + 2), Nanos(0)));
}
