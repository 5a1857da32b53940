//! Goal: packets are taken whole or refused whole, and what is packed is unpacked.
//! Method: hand-written bytes, every cut of a packet, random messages both ways.

use proptest::prelude::*;
use tickline_wire::mold::{END_OF_SESSION, HEADER_BYTES, Header, Malformed, Packer, Packet, Session};

const SESSION: Session = Session(*b"120621GOOG");

fn pack(sequence: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 70_000];
    let mut packer = Packer::new(&mut bytes, SESSION, sequence);
    for message in messages {
        assert!(packer.push(message));
    }
    let length = packer.finish();
    bytes.truncate(length);
    bytes
}

#[test]
fn a_packet_of_two_messages_is_read_byte_by_byte() {
    let bytes = b"120621GOOG\0\0\0\0\0\0\x01\x02\0\x02\0\x03abc\0\x01z";
    let packet = Packet::parse(bytes).unwrap();
    assert_eq!(packet.header, Header { session: SESSION, sequence: 258, count: 2 });
    assert_eq!(packet.blocks().collect::<Vec<_>>(), [&b"abc"[..], b"z"]);
    assert_eq!(packet.next(), 260);
    assert_eq!(pack(258, &[b"abc".to_vec(), b"z".to_vec()]), bytes);
}

#[test]
fn heartbeat_and_end_carry_the_next_sequence_and_no_message() {
    for (count, end) in [(0, false), (END_OF_SESSION, true)] {
        let bytes = Header { session: SESSION, sequence: 77, count }.bytes();
        assert_eq!(bytes.len(), HEADER_BYTES);
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!((packet.is_end(), packet.messages(), packet.next()), (end, 0, 77));
        assert_eq!(packet.blocks().count(), 0);
    }
}

#[test]
fn every_cut_of_a_packet_is_refused() {
    let whole = pack(1, &[b"hello".to_vec(), vec![], b"worlds".to_vec()]);
    assert!(Packet::parse(&whole).is_ok());
    for cut in 0..whole.len() {
        let fault = Packet::parse(&whole[..cut]).unwrap_err();
        match cut {
            0..20 => assert_eq!(fault, Malformed::Short),
            20..27 => assert_eq!(fault, Malformed::Truncated { block: 0 }),
            27..29 => assert_eq!(fault, Malformed::Truncated { block: 1 }),
            _ => assert_eq!(fault, Malformed::Truncated { block: 2 }),
        }
    }
    let longer = [&whole[..], b"??"].concat();
    assert_eq!(Packet::parse(&longer).unwrap_err(), Malformed::Trailing { bytes: 2 });
}

#[test]
fn a_sequence_that_would_overflow_is_refused() {
    let last = pack(u64::MAX - 1, &[b"a".to_vec()]);
    assert_eq!(Packet::parse(&last).unwrap().next(), u64::MAX);
    let over = pack(u64::MAX, &[b"a".to_vec()]);
    assert_eq!(Packet::parse(&over).unwrap_err(), Malformed::Sequence);
}

#[test]
fn a_message_that_does_not_fit_leaves_the_packet_as_it_was() {
    let mut bytes = [0; HEADER_BYTES + 2 + 4];
    let mut packer = Packer::new(&mut bytes, SESSION, 9);
    assert!(!packer.push(b"12345"));
    assert!(packer.push(b"1234"));
    assert!(!packer.push(b""));
    assert_eq!((packer.count(), packer.finish()), (1, HEADER_BYTES + 6));
    assert_eq!(Packet::parse(&bytes).unwrap().blocks().next(), Some(&b"1234"[..]));
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked(
        sequence in 0..u64::MAX / 2,
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..40),
    ) {
        let bytes = pack(sequence, &messages);
        let packet = Packet::parse(&bytes).unwrap();
        prop_assert_eq!(packet.blocks().map(<[u8]>::to_vec).collect::<Vec<_>>(), messages);
        prop_assert_eq!(packet.header.sequence, sequence);
    }

    #[test]
    fn an_accepted_packet_yields_exactly_its_count(bytes in prop::collection::vec(0..4u8, 18..60)) {
        if let Ok(packet) = Packet::parse(&bytes) {
            prop_assert_eq!(packet.blocks().count(), usize::from(packet.messages()));
        }
    }
}
