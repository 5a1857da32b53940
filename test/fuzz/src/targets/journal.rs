//! Segments of a journal: whatever the bytes, a walk ends, gives only entries that are sound and numbered one after the other, and calls
//! nothing torn behind which something sound stands.

use super::mold::{SESSION, packet};
use super::{Target, mark, promise};
use tickline_journal::{Damage, Step, begin, kind, put, step, stored_bytes, take};
use tickline_wire::flat::PREFIX_BYTES;
use tickline_wire::flat::journal::{JOURNAL_PREFIX, JournalBody};

/// One segment.
pub struct Journal;

/// Sequence of the first entry of every seed.
const FIRST: u64 = 9;

fn segment(payloads: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = JOURNAL_PREFIX.to_vec();
    for (nth, payload) in payloads.iter().enumerate() {
        let kind = if nth == 0 { kind::RUN_HEADER } else { kind::FRAME };
        let body = JournalBody { seq: FIRST + nth as u64, kind, ..Default::default() };
        let at = bytes.len();
        bytes.resize(at + stored_bytes(payload.len()), 0);
        put(&mut bytes[at..], &body, payload);
    }
    bytes
}

/// The same bytes with the checksums that their entries claim to have, so that mutations get past them.
fn repaired(input: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    let mut at = PREFIX_BYTES;
    while let Some(raw) = bytes.get(at + 32..at + 36) {
        let length = u32::from_le_bytes([raw[0], raw[1], raw[2], raw[3]]) as usize;
        let Some(entry) = at.checked_add(40 + length).and_then(|end| bytes.get(at..end)) else { break };
        let Ok((body, _)) = zerocopy::FromBytes::read_from_prefix(entry) else { break };
        let payload = entry[40..].to_vec();
        if put(&mut bytes[at..], &body, &payload).is_none() {
            break;
        }
        at += stored_bytes(length);
    }
    bytes
}

/// How a walk ended: entries, kind of end.
fn walk(bytes: &[u8], last: bool) -> Result<(u64, u64), String> {
    let mut at = match begin(bytes, last) {
        Ok(Some(at)) => at,
        Ok(None) => return Ok((0, 1)),
        Err(_) => return Ok((0, 2)),
    };
    let mut next = FIRST;
    loop {
        match step(bytes, at, next, last) {
            Ok(Step::Entry { entry, end }) => {
                promise(entry.body.seq == next, || format!("entry {} for {next}", entry.body.seq))?;
                promise(end > at && end <= bytes.len(), || format!("from {at} to {end} of {}", bytes.len()))?;
                let mut again = vec![0; end - at];
                put(&mut again, &entry.body, entry.payload);
                promise(again == bytes[at..end], || format!("the entry at {at} is written otherwise"))?;
                (at, next) = (end, next + 1);
            }
            Ok(Step::End) => {
                promise(at == bytes.len(), || format!("an end at {at} of {}", bytes.len()))?;
                return Ok((next - FIRST, 3));
            }
            Ok(Step::Torn(torn)) => {
                promise(last && torn.offset + torn.bytes == bytes.len() as u64, || {
                    format!("torn: {torn:?}")
                })?;
                let behind = (at + 8..bytes.len()).step_by(8).any(|place| {
                    take(&bytes[place..]).is_ok_and(|entry| {
                        let ahead = entry.body.seq.wrapping_sub(next);
                        ahead > 0 && ahead <= ((bytes.len() - at) / 40) as u64
                    })
                });
                promise(!behind, || format!("a sound entry stands behind the torn tail at {at}"))?;
                return Ok((next - FIRST, 4));
            }
            Err(damage) => {
                let kind = match damage {
                    Damage::Foreign => 5,
                    Damage::Length(_) => 6,
                    Damage::Crc { .. } => 7,
                    Damage::Padding => 8,
                    Damage::CutShort => 9,
                    Damage::Hole { .. } => 10,
                    Damage::Header(_) => 11,
                };
                return Ok((next - FIRST, kind));
            }
        }
    }
}

impl Target for Journal {
    fn name(&self) -> &'static str {
        "journal"
    }

    fn share(&self) -> u64 {
        10
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let frames: Vec<Vec<u8>> = (1..4).map(|n| packet(SESSION, n, &[vec![n as u8; 20]])).collect();
        let mut long = vec![b"{}".to_vec(), vec![3; 300], Vec::new()];
        long.extend(frames.clone());
        vec![segment(&[b"{}".to_vec()]), segment(&[vec![b"{}".to_vec()], frames].concat()), segment(&long)]
    }

    fn run(&mut self, input: &[u8]) -> Result<u64, String> {
        let mut parts = Vec::new();
        for bytes in [input.to_vec(), repaired(input)] {
            let (whole, end) = walk(&bytes, true)?;
            let (between, cut) = walk(&bytes, false)?;
            promise(whole == between, || {
                format!("{whole} entries as the last segment, {between} between others")
            })?;
            promise(cut != 4, || "a torn tail between two segments".into())?;
            parts.extend([whole.min(8), end, cut]);
        }
        Ok(mark(&parts))
    }
}
