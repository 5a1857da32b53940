//! Goal: SoupBinTCP packets survive any way TCP may cut them, and nothing else is taken for a packet.
//! Method: round trips of every type, property tests over random cuts, golden bytes, and each refusal.

use proptest::prelude::*;
use tickline_wire::soup::{
    Accepted, ClientPacket, Framer, Login, Packet, RejectReason, ServerPacket, SoupError,
};

fn login() -> Login {
    Login::new("TICK01", "tickline", "", 7).unwrap()
}

fn client_packets() -> [ClientPacket<'static>; 5] {
    [
        ClientPacket::Debug(b"hello"),
        ClientPacket::Login(login()),
        ClientPacket::Unsequenced(b"Q\0\0"),
        ClientPacket::Heartbeat,
        ClientPacket::Logout,
    ]
}

fn server_packets() -> [ServerPacket<'static>; 8] {
    [
        ServerPacket::Debug(b"hello"),
        ServerPacket::Accepted(Accepted { session: *b"   DAY0001", sequence: 1 }),
        ServerPacket::Rejected(RejectReason::NotAuthorized),
        ServerPacket::Rejected(RejectReason::SessionNotAvailable),
        ServerPacket::Sequenced(b"S12345678S"),
        ServerPacket::Unsequenced(b"x"),
        ServerPacket::Heartbeat,
        ServerPacket::End,
    ]
}

/// Feeds `stream` in pieces of the given lengths and gathers every packet.
fn gather(stream: &[u8], cuts: &[usize], packet_bytes_max: usize) -> Vec<(u8, Vec<u8>)> {
    let mut framer = Framer::new(packet_bytes_max);
    let mut packets = Vec::new();
    let (mut at, mut turn) = (0, 0);
    while at < stream.len() {
        let space = framer.space();
        let count = cuts[turn % cuts.len()].min(space.len()).min(stream.len() - at);
        assert!(count > 0, "the framer always has space after it ran out of packets");
        space[..count].copy_from_slice(&stream[at..at + count]);
        framer.filled(count);
        at += count;
        turn += 1;
        while let Some(packet) = framer.next().unwrap() {
            packets.push((packet.kind, packet.payload.to_vec()));
        }
    }
    assert_eq!(framer.pending(), 0);
    packets
}

#[test]
fn every_client_packet_round_trips() {
    let mut out = [0; 64];
    for packet in client_packets() {
        let bytes = packet.encode(&mut out).unwrap();
        let framed = gather(&out[..bytes], &[1], 64);
        let [(kind, payload)] = &framed[..] else { panic!("one packet in, {} out", framed.len()) };
        assert_eq!(ClientPacket::decode(Packet { kind: *kind, payload }), Ok(packet));
    }
}

#[test]
fn every_server_packet_round_trips() {
    let mut out = [0; 64];
    for packet in server_packets() {
        let bytes = packet.encode(&mut out).unwrap();
        let framed = gather(&out[..bytes], &[64], 64);
        let [(kind, payload)] = &framed[..] else { panic!("one packet in, {} out", framed.len()) };
        assert_eq!(ServerPacket::decode(Packet { kind: *kind, payload }), Ok(packet));
    }
}

#[test]
fn a_login_has_the_bytes_of_the_specification() {
    let mut out = [0; 64];
    let bytes = ClientPacket::Login(login()).encode(&mut out).unwrap();
    assert_eq!(&out[..bytes], b"\x00\x2fLTICK01tickline                               7");
    assert!(!format!("{:?}", login()).contains("tickline"), "the password is not shown");
}

#[test]
fn a_packet_of_the_largest_size_passes_and_one_byte_more_is_refused() {
    let mut out = [0; 32];
    let bytes = ServerPacket::Sequenced(&[7; 13]).encode(&mut out).unwrap();
    assert_eq!(gather(&out[..bytes], &[3], 16), [(b'S', vec![7; 13])]);

    let mut framer = Framer::new(16);
    framer.space()[..2].copy_from_slice(&[0, 15]);
    framer.filled(2);
    assert_eq!(framer.next(), Err(SoupError::TooLong { bytes: 17, most: 16 }));
    framer.clear();
    framer.space()[..2].copy_from_slice(&[0, 0]);
    framer.filled(2);
    assert_eq!(framer.next(), Err(SoupError::Empty));
}

#[test]
fn packets_of_wrong_length_or_type_are_refused() {
    let at = |kind, payload| Packet { kind, payload };
    assert_eq!(
        ServerPacket::decode(at(b'H', b"x")),
        Err(SoupError::Length { kind: b'H', expected: 0, found: 1 })
    );
    assert_eq!(
        ServerPacket::decode(at(b'A', &[b' '; 29])),
        Err(SoupError::Length { kind: b'A', expected: 30, found: 29 })
    );
    assert_eq!(
        ServerPacket::decode(at(b'A', &[b' '; 31])),
        Err(SoupError::Length { kind: b'A', expected: 30, found: 31 })
    );
    assert_eq!(ServerPacket::decode(at(b'J', b"X")), Err(SoupError::Reason { letter: b'X' }));
    assert_eq!(ServerPacket::decode(at(b'L', b"")), Err(SoupError::UnknownType { kind: b'L' }));
    assert_eq!(
        ClientPacket::decode(at(b'L', &[b' '; 45])),
        Err(SoupError::Length { kind: b'L', expected: 46, found: 45 })
    );
    assert_eq!(
        ClientPacket::decode(at(b'L', &[b'x'; 46])),
        Err(SoupError::Number { field: "requested sequence" })
    );
    assert_eq!(ClientPacket::decode(at(b'S', b"")), Err(SoupError::UnknownType { kind: b'S' }));
}

#[test]
fn a_packet_is_written_whole_or_not_at_all() {
    let mut out = [9; 7];
    let refused = Err(SoupError::NoRoom { need: 8, have: 7 });
    assert_eq!(ClientPacket::Unsequenced(b"12345").encode(&mut out), refused);
    assert_eq!(out, [9; 7]);
    assert_eq!(ClientPacket::Unsequenced(b"1234").encode(&mut out), Ok(7));
    let mut large = vec![0; 70_000];
    assert_eq!(ClientPacket::Unsequenced(&[0; 65_534]).encode(&mut large), Ok(65_537));
    assert!(ClientPacket::Unsequenced(&[0; 65_535]).encode(&mut large).is_err());
}

proptest! {
    #[test]
    fn any_cut_of_the_stream_gives_the_same_packets(
        payloads in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..61)), 0..40),
        cuts in prop::collection::vec(1usize..200, 1..20),
    ) {
        let mut stream = Vec::new();
        for (kind, payload) in &payloads {
            stream.extend_from_slice(&(payload.len() as u16 + 1).to_be_bytes());
            stream.push(*kind);
            stream.extend_from_slice(payload);
        }
        prop_assert_eq!(gather(&stream, &cuts, 64), payloads);
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut framer = Framer::new(64);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let space = framer.space();
            let count = rest.len().min(space.len()).min(17);
            space[..count].copy_from_slice(&rest[..count]);
            framer.filled(count);
            rest = &rest[count..];
            loop {
                match framer.next() {
                    Ok(Some(packet)) => {
                        let _ = (ClientPacket::decode(packet), ServerPacket::decode(packet));
                    }
                    Ok(None) => break,
                    Err(_) => return Ok(()),
                }
            }
        }
    }
}
