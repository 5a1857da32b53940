//! Goal: what is sent to a line's address is received once, in order, in batches; what is not taken is counted.
//! Method: real sockets on the loopback interface, unicast and multicast; a second thread as sender where waiting is the subject.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;
use tickline_packet::Frame;
use tickline_packet::socket::{Config, UdpSource, wait};
use tickline_units::Nanos;

const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

fn unicast(change: impl FnOnce(&mut Config)) -> UdpSource {
    let mut config = Config::new(SocketAddrV4::new(HOST, 0), HOST, 1);
    change(&mut config);
    UdpSource::open(config).unwrap()
}

fn sender() -> UdpSocket {
    UdpSocket::bind((HOST, 0)).unwrap()
}

fn texts(source: &mut UdpSource) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    source.poll(Nanos(5), |frame| found.push(frame.payload.to_vec())).unwrap();
    found
}

#[test]
fn a_batch_at_a_time_comes_in_order_with_line_and_time_and_then_nothing() {
    let mut source = unicast(|config| config.batch = 4);
    let sender = sender();
    for n in 0..10u8 {
        sender.send_to(&vec![n; usize::from(n)], source.local()).unwrap();
    }
    let mut sizes = Vec::new();
    let mut next = 0;
    loop {
        let count = source
            .poll(Nanos(77), |frame| {
                let payload = vec![next; usize::from(next)];
                assert_eq!(frame, Frame { line: 1, time: Nanos(77), due: Nanos(77), payload: &payload });
                next += 1;
            })
            .unwrap();
        if count == 0 {
            break;
        }
        sizes.push(count);
    }
    assert_eq!((sizes, next), (vec![4, 4, 2], 10));
    assert_eq!((source.dropped(), source.truncated()), (0, 0));
}

#[test]
fn a_datagram_of_the_largest_size_passes_and_a_byte_more_is_dropped_and_counted() {
    let mut source = unicast(|config| config.datagram_bytes_max = 100);
    let sender = sender();
    for bytes in [100, 101, 3] {
        sender.send_to(&vec![9; bytes], source.local()).unwrap();
    }
    assert_eq!(texts(&mut source).iter().map(Vec::len).collect::<Vec<_>>(), [100, 3]);
    assert_eq!(source.truncated(), 1);
}

#[test]
fn what_a_full_queue_drops_is_counted_to_the_datagram() {
    let mut source = unicast(|config| (config.queue_bytes, config.batch) = (1, 64));
    let sender = sender();
    let sent = 500;
    for _ in 0..sent {
        sender.send_to(&[7; 200], source.local()).unwrap();
    }
    let mut received = 0;
    while let count @ 1.. = source.poll(Nanos(0), |_| {}).unwrap() {
        received += count;
    }
    // The count travels with the next datagram that finds room.
    sender.send_to(b"after", source.local()).unwrap();
    assert_eq!(texts(&mut source), [b"after"]);
    assert!(received < sent, "the queue was never full");
    assert_eq!(received + source.dropped() as usize, sent);
}

#[test]
fn a_group_is_joined_and_other_groups_of_the_same_port_are_not_heard() {
    let group = |last, port| SocketAddrV4::new(Ipv4Addr::new(239, 255, 77, last), port);
    let open = |address, line| UdpSource::open(Config::new(address, HOST, line)).unwrap();
    let mut a = open(group(1, 0), 0);
    let port = a.local().port();
    let mut b = open(group(2, port), 1);
    let mut again = open(group(1, port), 0);
    let sender = sender();
    sender.set_multicast_loop_v4(true).unwrap();
    sender.send_to(b"to a", group(1, port)).unwrap();
    sender.send_to(b"to b", group(2, port)).unwrap();
    for (source, expected) in [(&mut a, b"to a"), (&mut b, b"to b"), (&mut again, b"to a")] {
        assert!(wait(&[source.as_raw_fd()], Nanos(2_000_000_000)).unwrap(), "nothing came");
        assert_eq!(texts(source), [expected]);
    }
}

#[test]
fn spinning_takes_everything_that_another_thread_sends() {
    let mut source = unicast(|_| {});
    let to = source.local();
    let thread = std::thread::spawn(move || {
        let sender = sender();
        for n in 0..200u16 {
            sender.send_to(&n.to_be_bytes(), to).unwrap();
        }
    });
    let mut next = 0u16;
    while next < 200 {
        source
            .poll(Nanos(0), |frame| {
                assert_eq!(frame.payload, next.to_be_bytes());
                next += 1;
            })
            .unwrap();
        std::hint::spin_loop();
    }
    thread.join().unwrap();
}

#[test]
fn blocking_ends_with_the_timeout_or_with_a_datagram_on_any_of_the_sockets() {
    let (quiet, mut busy) = (unicast(|_| {}), unicast(|_| {}));
    let both = [quiet.as_raw_fd(), busy.as_raw_fd()];
    assert!(!wait(&both, Nanos(1_000_000)).unwrap(), "nothing was sent");
    let to = busy.local();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        sender().send_to(b"wake up", to).unwrap();
    });
    assert!(wait(&both, Nanos(30_000_000_000)).unwrap());
    assert_eq!(texts(&mut busy), [b"wake up"]);
    assert!(!wait(&both, Nanos(0)).unwrap(), "it was taken");
    thread.join().unwrap();
}

#[test]
fn an_address_that_is_not_ours_is_refused_with_the_step() {
    let elsewhere = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 26_400);
    let fault = UdpSource::open(Config::new(elsewhere, HOST, 0)).err().unwrap();
    assert_eq!((fault.step, fault.code()), ("binding", "SOCKET_REFUSED"));
    assert!(fault.to_string().starts_with("192.0.2.1:26400: binding was refused"), "{fault}");
}
