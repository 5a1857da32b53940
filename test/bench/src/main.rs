//! Benchmarks of the Rust rooms. Each subcommand prints a JSON array of rows (`row::Row`) on standard output; `tickline bench` runs
//! them and adds the TypeScript rows. `ring-end` is different: it is one half of a pair that `test/bench/ring.ts` drives.

mod book;
mod decode;
mod gate;
mod messages;
mod model;
mod naive_book;
mod naive_decode;
mod networks;
mod plain;
mod ring;
mod row;
mod sample;
mod send;
mod sums;
mod venue;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Measures one room, with its floor and peers in the same interleaved run.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// Books: decoding, full books, features; a naive book as peer.
    Book(book::Options),
    /// Decoding of ITCH messages; a cursor over owned values as peer.
    Decode(decode::Options),
    /// The order port's gate.
    Gate(gate::Options),
    /// Forward passes; plain loops beside them.
    Model(model::Options),
    /// Ready-made networks in every precision, and steps of learning; plain loops beside them.
    Networks(networks::Options),
    /// One end of a pair that carries messages between processes, driven by lines on standard input.
    RingEnd(ring::Options),
    /// One message on a loopback TCP socket: the floor of `line`.
    Send(send::Options),
    /// The venue's matching engine.
    Venue(venue::Options),
}

fn main() -> ExitCode {
    let rows = match Arguments::parse().bench {
        Bench::Book(options) => book::run(&options),
        Bench::Decode(options) => decode::run(&options),
        Bench::Gate(options) => gate::run(&options),
        Bench::Model(options) => model::run(&options),
        Bench::Networks(options) => networks::run(&options),
        Bench::RingEnd(options) => return ended(ring::run(&options)),
        Bench::Send(options) => send::run(&options),
        Bench::Venue(options) => venue::run(&options),
    };
    ended(rows.map(|rows| println!("{}", serde_json::to_string_pretty(&rows).expect("rows are plain data"))))
}

fn ended(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}
