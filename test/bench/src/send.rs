//! `send`: what no order can be faster than: one message of an order's size, written to a connected TCP socket of this host. The floor of
//! `line`, and the clock that its stamps are read from.

use crate::row::Row;
use crate::sample::Samples;
use clap::Args;
use std::io::{Error, Read, Result as IoResult};
use std::net::{Ipv4Addr, TcpListener};
use tickline_clock::{monotonic, wall};
use tickline_port::{Progress, Socket};

/// What to send.
#[derive(Args)]
pub struct Options {
    /// Bytes of a message.
    #[arg(long)]
    bytes: usize,
    /// Messages.
    #[arg(long, default_value_t = 20_000)]
    messages: usize,
    /// Time between two messages, us: a venue that is sent to without pause is never idle.
    #[arg(long, default_value_t = 50)]
    every_us: u64,
}

/// Runs the measurement.
pub fn run(options: &Options) -> Result<Vec<Row>, String> {
    if options.bytes == 0 || options.messages == 0 {
        return Err("--bytes and --messages must be 1 or more".into());
    }
    let room = || Samples::with_capacity(options.messages);
    let mut times = Times { departures: room(), sends: room(), clock: room() };
    send(options, &mut times).map_err(|error| format!("loopback TCP: {error}"))?;
    let Times { mut departures, mut sends, mut clock } = times;
    let about =
        format!("{} bytes, one write to a connected socket, every {} us", options.bytes, options.every_us);
    let send = sends.row("line", "floor: raw loopback TCP send", about.clone());
    let name = "floor: a send from due to on the wire";
    let departure = if departures.is_empty() {
        Row::absent("line", name, "this kernel gives no stamps of what it transmits")
    } else {
        let about = format!(
            "{about}; counted as a line's orders are, with nothing between, the machine's pauses in it"
        );
        departures.row("line", name, about)
    };
    let clock = clock.row("line", "jitter: reading of the clock", "each stamp of a hop takes one".into());
    Ok(vec![send, departure, clock])
}

/// What is measured of every message.
struct Times {
    /// From the moment it was due, which spinning waited for, to the kernel's transmit stamp; none where the kernel gives none.
    departures: Samples,
    /// The write alone.
    sends: Samples,
    clock: Samples,
}

fn send(options: &Options, times: &mut Times) -> IoResult<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut socket = Socket::connect(listener.local_addr()?)?;
    let (mut venue, _) = listener.accept()?;
    while socket.progress()? != Progress::Connected {}
    socket.ask_stamps();
    let all = options.bytes * options.messages;
    let reader = std::thread::spawn(move || {
        let (mut room, mut read) = (vec![0; 1 << 16], 0);
        while read < all {
            match venue.read(&mut room) {
                Ok(0) | Err(_) => break,
                Ok(bytes) => read += bytes,
            }
        }
        read
    });
    let message = vec![b'O'; options.bytes];
    let mut dues = Vec::with_capacity(options.messages);
    for _ in 0..options.messages {
        let due = monotonic().0 + options.every_us * 1000;
        while monotonic().0 < due {
            std::hint::spin_loop();
        }
        let began = monotonic().0;
        let read = monotonic().0;
        if socket.write(&message)? < message.len() {
            return Err(Error::other("the socket's buffer is full"));
        }
        let sent = monotonic().0;
        times.clock.push(read - began);
        times.sends.push(sent - read);
        dues.push(due);
        departed(&socket, options.bytes, &dues, times);
    }
    let read = reader.join().expect("the reader does not panic");
    departed(&socket, options.bytes, &dues, times);
    if read == all { Ok(()) } else { Err(Error::other(format!("{read} of {all} bytes arrived"))) }
}

/// Takes the stamps that have come: of the message just written, or, where the kernel was late with it, of one before.
fn departed(socket: &Socket, bytes: usize, dues: &[u64], times: &mut Times) {
    while let Some((last_byte, stamp)) = socket.departure() {
        // The kernel stamps by the wall clock.
        let left = stamp.wrapping_sub(wall().0.wrapping_sub(monotonic().0));
        if let Some(due) = dues.get(last_byte as usize / bytes) {
            times.departures.push(left.saturating_sub(*due));
        }
    }
}
