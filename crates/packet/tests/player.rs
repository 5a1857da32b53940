//! Goal: frames are due when the pace says, from absolute deadlines: being late once makes nothing else late.
//! Method: a capture made here with known times, and time as a number handed in.

use tickline_packet::pcap::{Capture, Player, Recording, Speed};
use tickline_units::Nanos;
use tickline_wire::ethernet::{Endpoint, build};
use tickline_wire::mold::{Header, Session};

/// A capture with a heartbeat at each time, in nanoseconds after second 7.
fn capture(times: &[u32]) -> Capture {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut file = words(&[0xA1B2_3C4D, 0x0004_0002, 0, 0, 65_535, 1]);
    for &time in times {
        let payload = Header { session: Session(*b"SESSION001"), sequence: 1, count: 0 }.bytes();
        let mut frame = [0; 128];
        let group = Endpoint { address: [233, 1, 2, 3], port: 26_400 };
        let length =
            build(&mut frame, Endpoint { address: [10, 0, 0, 1], port: 9 }, group, &payload).unwrap();
        file.extend(words(&[7, time, length as u32, length as u32]));
        file.extend(&frame[..length]);
    }
    Capture::of(Recording::from_bytes("made", file).unwrap(), [None, None]).unwrap()
}

const SECOND_7: u64 = 7_000_000_000;

/// Plays with the time that each poll is made at; (time, due) of the frames that came, `None` where none was due.
fn polls(player: &mut Player, at: &[u64]) -> Vec<Option<(u64, u64)>> {
    let poll = |&now| player.poll(Nanos(now)).map(|frame| (frame.time.0 - SECOND_7, frame.due.0));
    at.iter().map(poll).collect()
}

#[test]
fn a_frame_is_due_at_its_deadline_and_not_a_nanosecond_before() {
    let mut player = Player::new(capture(&[100, 350, 400]), Nanos(5_000), Speed::Times(1.0));
    assert_eq!(player.next_due(), Some(Nanos(5_000)));
    let expected = [None, Some((100, 5_000)), None, Some((350, 5_250)), Some((400, 5_300)), None];
    // The second is late: the third keeps its own deadline.
    assert_eq!(polls(&mut player, &[4_999, 5_000, 5_249, 9_000, 9_000, 9_000]), expected);
    assert_eq!((player.next_due(), player.played()), (None, 3));
}

#[test]
fn while_the_clock_stands_still_what_is_to_come_moves_and_lateness_stays() {
    let mut player = Player::new(capture(&[100, 350, 400]), Nanos(5_000), Speed::Times(1.0));
    assert_eq!(polls(&mut player, &[5_000]), [Some((100, 5_000))]);
    player.postpone(Nanos(1_000));
    // The second is late, by what is not the clock's.
    assert_eq!(polls(&mut player, &[6_249, 7_000, 7_000]), [None, Some((350, 6_250)), Some((400, 6_300))]);
}

#[test]
fn speed_divides_the_waiting_and_full_speed_does_not_wait() {
    let mut fast = Player::new(capture(&[100, 350]), Nanos(0), Speed::Times(10.0));
    assert_eq!(polls(&mut fast, &[0, 24, 25]), [Some((100, 0)), None, Some((350, 25))]);
    let mut slow = Player::new(capture(&[100, 350]), Nanos(0), Speed::Times(0.5));
    assert_eq!(polls(&mut slow, &[0, 499, 500]), [Some((100, 0)), None, Some((350, 500))]);
    let mut full = Player::new(capture(&[100, 350]), Nanos(7), Speed::Max);
    assert_eq!(polls(&mut full, &[7, 8, 9]), [Some((100, 7)), Some((350, 8)), None]);
}

#[test]
fn a_clock_that_steps_back_in_the_file_never_takes_time_back() {
    let mut player = Player::new(capture(&[300, 100, 400]), Nanos(0), Speed::Times(1.0));
    assert_eq!(
        polls(&mut player, &[0, 0, 99, 100]),
        [Some((300, 0)), Some((300, 0)), None, Some((400, 100))]
    );
    player.restart(Nanos(50));
    assert_eq!(polls(&mut player, &[49, 50]), [None, Some((300, 50))]);
}

#[test]
fn a_speed_is_max_or_a_number_above_zero() {
    assert_eq!(Speed::parse("max"), Some(Speed::Max));
    assert_eq!(Speed::parse("0.1"), Some(Speed::Times(0.1)));
    assert_eq!(Speed::parse("1000000"), Some(Speed::Times(1e6)));
    for text in ["0", "-1", "1000001", "NaN", "inf", "", "fast"] {
        assert_eq!(Speed::parse(text), None, "{text}");
    }
}
