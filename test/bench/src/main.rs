//! Benchmarks of the Rust rooms. Each subcommand prints a JSON array of rows (`row::Row`) on standard output; `tickline bench` runs
//! them and adds the TypeScript rows.

mod book;
mod decode;
mod messages;
mod naive_book;
mod naive_decode;
mod ring;
mod row;
mod sample;
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
    /// Rings: shared-memory floor, our channels, rtrb; round trips and rates.
    Ring(ring::Options),
    /// The venue's matching engine.
    Venue(venue::Options),
}

fn main() -> ExitCode {
    let rows = match Arguments::parse().bench {
        Bench::Book(options) => book::run(&options),
        Bench::Decode(options) => decode::run(&options),
        Bench::Ring(options) => ring::run(&options),
        Bench::Venue(options) => venue::run(&options),
    };
    match rows {
        Ok(rows) => {
            println!("{}", serde_json::to_string_pretty(&rows).expect("rows are plain data"));
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}
