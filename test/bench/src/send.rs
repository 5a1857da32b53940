//! `send`: what no order can be faster than: one message of an order's size, written to a connected TCP socket of this host. The floor of
//! `line`, and the clock that its stamps are read from.

use crate::row::Row;
use crate::sample::Samples;
use clap::Args;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use tickline_clock::monotonic;

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
    let (mut sends, mut clock) =
        (Samples::with_capacity(options.messages), Samples::with_capacity(options.messages));
    send(options, &mut sends, &mut clock).map_err(|error| format!("loopback TCP: {error}"))?;
    let about =
        format!("{} bytes, one write to a connected socket, every {} us", options.bytes, options.every_us);
    Ok(vec![
        sends.row("line", "floor: raw loopback TCP send", about),
        clock.row("line", "jitter: reading of the clock", "each stamp of a hop takes one".into()),
    ])
}

fn send(options: &Options, sends: &mut Samples, clock: &mut Samples) -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut socket = TcpStream::connect(listener.local_addr()?)?;
    socket.set_nodelay(true)?;
    let (mut venue, _) = listener.accept()?;
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
    for _ in 0..options.messages {
        let due = monotonic().0 + options.every_us * 1000;
        while monotonic().0 < due {
            std::hint::spin_loop();
        }
        let began = monotonic().0;
        let read = monotonic().0;
        socket.write_all(&message)?;
        let sent = monotonic().0;
        clock.push(read - began);
        sends.push(sent - read);
    }
    let read = reader.join().expect("the reader does not panic");
    if read == all { Ok(()) } else { Err(std::io::Error::other(format!("{read} of {all} bytes arrived"))) }
}
