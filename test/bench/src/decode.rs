//! `decode`: cost of one ITCH message in memory, whole and checked, against touching each message once (the floor) and the decoder
//! that most people write first (the peer), interleaved.

use crate::messages::Messages;
use crate::naive_decode;
use crate::row::Row;
use crate::sample::Samples;
use clap::Args;
use std::hint::black_box;
use std::path::PathBuf;
use tickline_clock::monotonic;
use tickline_wire::itch;

/// What to measure on.
#[derive(Args)]
pub struct Options {
    /// Passes over all messages; the variants take turns (A B C A B C).
    #[arg(long, default_value_t = 21)]
    turns: usize,
    /// Folder that holds `itch/GOOG.pcap.gz` and `itch/AMZN.pcap.gz`; generated flow is used when they are absent.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
}

/// Messages timed together: long enough for the clock, short enough that most are not interrupted on a busy machine.
const CHUNK: usize = 4096;

/// Runs the benchmark.
pub fn run(options: &Options) -> Result<Vec<Row>, String> {
    let messages = Messages::load(&options.data)?;
    let samples = || Samples::with_capacity(options.turns * (messages.len() / CHUNK));
    let [mut floor, mut ours, mut naive] = [samples(), samples(), samples()];
    for _ in 0..options.turns {
        pass(&messages, &mut floor, |message| {
            black_box(message[0]);
        });
        pass(&messages, &mut ours, |message| {
            let _ = black_box(&itch::decode(message));
        });
        pass(&messages, &mut naive, |message| {
            black_box(&naive_decode::decode(message));
        });
    }
    same(&messages)?;
    let about = format!("{}, {} messages in memory; ns a message", messages.origin, messages.len());
    let faster = naive.percentile(0.5) / ours.percentile(0.5);
    Ok(vec![
        row("floor: first byte of each", &mut floor, about.clone()),
        row("decode", &mut ours, format!("{about}; {faster:.1} x the peer's speed")),
        row("peer: field by field into owned values", &mut naive, about),
    ])
}

/// One pass over all messages; every chunk is a sample, in picoseconds a message.
fn pass(messages: &Messages, ps: &mut Samples, mut each: impl FnMut(&[u8])) {
    let (mut begin, mut chunk) = (monotonic().0, 0);
    for message in messages.iter() {
        each(message);
        chunk += 1;
        if chunk == CHUNK {
            let now = monotonic().0;
            ps.push((now - begin) * 1000 / CHUNK as u64);
            (begin, chunk) = (now, 0);
        }
    }
}

/// Both decoders must read the same, or neither time means anything.
fn same(messages: &Messages) -> Result<(), String> {
    for message in messages.iter() {
        let ours = itch::decode(message).map_err(|fault| fault.to_string())?;
        let theirs = naive_decode::decode(message).ok_or("the peer refuses a message")?;
        if (theirs.time, theirs.locate) != (ours.header.time.0, ours.header.locate) {
            return Err(format!("the peer reads {theirs:?} where we read {ours:?}"));
        }
        let (mut numbers, mut texts) = (Vec::new(), Vec::new());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        ours.body.fields(|_, value| match value {
            itch::Value::Number(number) | itch::Value::Price8(number) => numbers.push(number),
            itch::Value::Price(price) => numbers.push(u64::from(price)),
            itch::Value::Letter(letter) => texts.push(text(&[letter])),
            itch::Value::Text(bytes) => texts.push(text(&bytes)),
        });
        if (&numbers, &texts) != (&theirs.numbers, &theirs.texts) {
            return Err(format!("the peer reads {theirs:?} where we read {ours:?}"));
        }
    }
    Ok(())
}

fn row(name: &str, ps: &mut Samples, note: String) -> Row {
    let mut at = |share| Some(ps.percentile(share) / 1e3);
    let (p50, p99, p999, max) = (at(0.5), at(0.99), at(0.999), at(1.0));
    Row {
        bench: "decode",
        name: name.to_owned(),
        unit: "ns",
        p50,
        p99,
        p999,
        max,
        rate: p50.map(|ns| 1e9 / ns),
        note,
    }
}
