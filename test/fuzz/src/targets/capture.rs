//! Files: pcap and pcapng in both byte orders, gzip, cut off or damaged; then everything behind them, down to the counts.

use super::ethernet::frame;
use super::itch::seed;
use super::mold::{SESSION, packet};
use super::{Target, mark, promise};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use tickline_inspect::{Format, Options, Stream, messages, summary};
use tickline_packet::arbiter::Config;
use tickline_packet::pcap::{self, Recording};

/// Whole files.
pub struct Capture;

fn frames() -> Vec<Vec<u8>> {
    (1..4).map(|n| frame(&packet(SESSION, n, &[seed(b'A')]))).collect()
}

/// 32-bit words in a byte order.
fn words(words: &[u32], little: bool) -> Vec<u8> {
    words.iter().flat_map(|word| if little { word.to_le_bytes() } else { word.to_be_bytes() }).collect()
}

fn classic(magic: u32, little: bool) -> Vec<u8> {
    let mut bytes = words(&[magic, 0x0004_0002, 0, 0, 65_535, 1], little);
    for (nth, frame) in frames().iter().enumerate() {
        bytes.extend(words(&[9, nth as u32 * 40, frame.len() as u32, frame.len() as u32], little));
        bytes.extend(frame);
    }
    bytes
}

fn block(kind: u32, body: &[u8], little: bool) -> Vec<u8> {
    let padded = [body, &[0, 0, 0][..(4 - body.len() % 4) % 4]].concat();
    let length = padded.len() as u32 + 12;
    [words(&[kind, length], little), padded, words(&[length], little)].concat()
}

fn next_generation(little: bool) -> Vec<u8> {
    let half = |value: u16| if little { value.to_le_bytes() } else { value.to_be_bytes() };
    let mut bytes =
        block(0x0A0D_0D0A, &words(&[0x1A2B_3C4D, 0x0000_0001, u32::MAX, u32::MAX], little), little);
    let interface =
        [&half(1)[..], &half(0), &words(&[0], little), &half(9), &half(1), &[9, 0, 0, 0], &half(0), &half(0)]
            .concat();
    bytes.extend(block(1, &interface, little));
    for (nth, frame) in frames().iter().enumerate() {
        let length = frame.len() as u32;
        let head = words(&[0, 0, 1_000 * nth as u32, length, length], little);
        bytes.extend(block(6, &[head, frame.clone()].concat(), little));
    }
    let simple = frame(&packet(SESSION, 4, &[]));
    bytes.extend(block(3, &[words(&[simple.len() as u32], little), simple].concat(), little));
    bytes
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to memory")
}

impl Target for Capture {
    fn name(&self) -> &'static str {
        "capture"
    }

    fn share(&self) -> u64 {
        5
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let mut seeds = Vec::new();
        for little in [true, false] {
            seeds.push(classic(0xA1B2_C3D4, little));
            seeds.push(classic(0xA1B2_3C4D, little));
            seeds.push(next_generation(little));
        }
        seeds.push(gzipped(&seeds[0]));
        seeds.push(gzipped(&gzipped(&seeds[2])));
        seeds.push(b"time,price\n1,2\n".to_vec());
        seeds
    }

    fn run(&mut self, input: &[u8]) -> Result<u64, String> {
        let recording = match Recording::from_bytes("fuzz", input.to_vec()) {
            Ok(recording) => recording,
            Err(fault) => {
                promise(fault.to_string().lines().count() == 1, || "an error of several lines".into())?;
                return Ok(mark(&fault.code().bytes().map(u64::from).collect::<Vec<_>>()));
            }
        };
        let frames = recording.frames().len();
        let bytes: usize = recording.frames().map(|frame| frame.bytes.len()).sum();
        let tail = recording.tail().is_some();
        let printed =
            messages(&recording, Format::Json, &mut std::io::sink()).map_err(|fault| fault.to_string())?;
        let capture = match pcap::Capture::of(recording, [None, None]) {
            Ok(capture) => capture,
            Err(fault) => return Ok(mark(&[2, fault.to_string().len().min(1) as u64, frames.min(4) as u64])),
        };
        let options = Options { arbiter: Config { window: 64, ..Config::default() }, ..Options::default() };
        let found = summary(&mut Stream::new(capture, &options));
        promise(found.packets <= frames as u64, || "more packets than frames".into())?;
        promise(found.messages <= bytes as u64, || "more messages than bytes".into())?;
        Ok(mark(&[
            3,
            frames.min(6) as u64,
            u64::from(tail),
            found.messages.min(6),
            found.losses.min(2),
            found.malformed.min(2),
            printed.min(6),
        ]))
    }
}
