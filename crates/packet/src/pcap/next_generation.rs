//! The pcapng format: blocks in sections, each section in its own byte order, each interface with its own clock unit.
//!
//! Source: draft-ietf-opsawg-pcapng. Read: section header, interface description (`if_tsresol` 9, `if_fcslen` 13, `if_tsoffset` 14),
//! enhanced packet, simple packet. Every other block is skipped by its length.

use super::fault::Cause;
use super::recording::{FRAME_BYTES_MAX, Index, Place, Tail};
use tickline_units::Nanos;

/// Block type of a section header; reads the same in both byte orders.
pub(super) const MAGIC: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const SIMPLE: u32 = 3;
const ENHANCED: u32 = 6;
const BYTE_ORDER: u32 = 0x1A2B_3C4D;
const ETHERNET: u16 = 1;

/// Larger blocks are damage: a frame of the largest size with a page of options fits many times.
const BLOCK_BYTES_MAX: u32 = 16 << 20;

#[derive(Clone, Copy)]
struct Interface {
    link: u16,
    snap_length: u32,
    /// `if_tsresol`: decimal or binary exponent.
    resolution: u8,
    offset_s: i64,
    fcs_bytes: u8,
}

struct Reader<'a> {
    bytes: &'a [u8],
    little: bool,
    interfaces: Vec<Interface>,
    index: Index,
    last: Nanos,
}

/// Finds every frame. A cut-off last block ends the list; anything else that does not add up is an error.
pub(super) fn index(bytes: &[u8]) -> Result<Index, Cause> {
    let mut reader =
        Reader { bytes, little: true, interfaces: Vec::new(), index: Index::default(), last: Nanos(0) };
    let mut at = 0;
    while at < bytes.len() {
        match reader.block(at)? {
            Some(length) => at += length,
            None => {
                reader.index.tail = Some(Tail { offset: at as u64, bytes: (bytes.len() - at) as u64 });
                break;
            }
        }
    }
    if reader.index.places.is_empty() && reader.index.foreign_link.is_none() {
        let foreign = reader.interfaces.iter().find(|interface| interface.link != ETHERNET);
        reader.index.foreign_link = foreign.map(|interface| u32::from(interface.link));
    }
    Ok(reader.index)
}

fn damaged(offset: usize, what: &'static str) -> Cause {
    Cause::Damaged { offset: offset as u64, what }
}

impl Reader<'_> {
    fn u32_at(&self, at: usize) -> Option<u32> {
        let raw: [u8; 4] = self.bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if self.little { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) })
    }

    fn u16_at(&self, at: usize) -> Option<u16> {
        let raw: [u8; 2] = self.bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if self.little { u16::from_le_bytes(raw) } else { u16::from_be_bytes(raw) })
    }

    /// Reads one block and returns its length, or `None` if the file ends inside it.
    fn block(&mut self, at: usize) -> Result<Option<usize>, Cause> {
        let Some(kind) = self.u32_at(at) else { return Ok(None) };
        if kind == SECTION {
            let Some(order) = self.bytes.get(at + 8..at + 12) else { return Ok(None) };
            self.little = match order {
                [0x4D, 0x3C, 0x2B, 0x1A] => true,
                [0x1A, 0x2B, 0x3C, 0x4D] => false,
                _ => return Err(damaged(at + 8, "the byte-order magic is not 0x1A2B3C4D")),
            };
            debug_assert_eq!(self.u32_at(at + 8), Some(BYTE_ORDER));
        }
        let Some(length) = self.u32_at(at + 4) else { return Ok(None) };
        if length < 12 || length % 4 != 0 || length > BLOCK_BYTES_MAX {
            return Err(damaged(at + 4, "impossible block length"));
        }
        let end = at + length as usize;
        if end > self.bytes.len() {
            return Ok(None);
        }
        if self.u32_at(end - 4) != Some(length) {
            return Err(damaged(end - 4, "a block's two lengths differ"));
        }
        let body = at + 8..end - 4;
        match kind {
            SECTION => {
                if body.len() < 16 {
                    return Err(damaged(at, "section header too short"));
                }
                self.interfaces.clear();
            }
            INTERFACE => self.interface(body)?,
            ENHANCED => self.enhanced(body)?,
            SIMPLE => self.simple(body)?,
            _ => {}
        }
        Ok(Some(length as usize))
    }

    fn interface(&mut self, body: std::ops::Range<usize>) -> Result<(), Cause> {
        let (Some(link), Some(snap_length), true) =
            (self.u16_at(body.start), self.u32_at(body.start + 4), body.len() >= 8)
        else {
            return Err(damaged(body.start, "interface description too short"));
        };
        let mut interface = Interface { link, snap_length, resolution: 6, offset_s: 0, fcs_bytes: 0 };
        let mut at = body.start + 8;
        while at + 4 <= body.end {
            let (code, length) =
                (self.u16_at(at).unwrap_or(0), usize::from(self.u16_at(at + 2).unwrap_or(0)));
            if code == 0 {
                break;
            }
            let value = at + 4..at + 4 + length;
            if value.end > body.end {
                return Err(damaged(at, "an option reaches beyond its block"));
            }
            match (code, &self.bytes[value]) {
                (9, &[resolution]) => interface.resolution = resolution,
                (13, &[fcs_bytes]) => interface.fcs_bytes = fcs_bytes,
                (14, raw) => {
                    if let Ok(raw) = <[u8; 8]>::try_from(raw) {
                        interface.offset_s =
                            if self.little { i64::from_le_bytes(raw) } else { i64::from_be_bytes(raw) };
                    }
                }
                _ => {}
            }
            at += 4 + length.next_multiple_of(4);
        }
        self.interfaces.push(interface);
        Ok(())
    }

    fn enhanced(&mut self, body: std::ops::Range<usize>) -> Result<(), Cause> {
        let field = |nth: usize| if body.len() >= 20 { self.u32_at(body.start + 4 * nth) } else { None };
        let (Some(id), Some(high), Some(low), Some(captured), Some(original)) =
            (field(0), field(1), field(2), field(3), field(4))
        else {
            return Err(damaged(body.start, "enhanced packet block too short"));
        };
        let Some(&interface) = self.interfaces.get(id as usize) else {
            return Err(damaged(body.start, "a packet names an interface that was not described"));
        };
        let data = body.start + 20;
        if captured > FRAME_BYTES_MAX || data + captured as usize > body.end {
            return Err(damaged(body.start + 12, "a packet is longer than its block"));
        }
        let ticks = u64::from(high) << 32 | u64::from(low);
        self.last = nanos(ticks, interface.resolution, interface.offset_s);
        self.push(interface, data, captured, original);
        Ok(())
    }

    /// A packet without a time of its own gets the time of the one before it.
    fn simple(&mut self, body: std::ops::Range<usize>) -> Result<(), Cause> {
        let (Some(original), true) = (self.u32_at(body.start), body.len() >= 4) else {
            return Err(damaged(body.start, "simple packet block too short"));
        };
        let Some(&interface) = self.interfaces.first() else {
            return Err(damaged(body.start, "a packet names an interface that was not described"));
        };
        let snap = if interface.snap_length == 0 { u32::MAX } else { interface.snap_length };
        let captured = original.min(snap).min(FRAME_BYTES_MAX);
        if captured as usize > body.len() - 4 {
            return Err(damaged(body.start, "a packet is longer than its block"));
        }
        self.push(interface, body.start + 4, captured, original);
        Ok(())
    }

    fn push(&mut self, interface: Interface, at: usize, captured: u32, original: u32) {
        if interface.link != ETHERNET {
            self.index.foreign += 1;
            self.index.foreign_link.get_or_insert(u32::from(interface.link));
            return;
        }
        // The frame check sequence is at the end, so it is there only in frames that were not cut.
        let fcs = if captured == original { u32::from(interface.fcs_bytes).min(captured) } else { 0 };
        self.index.places.push(Place { time: self.last, at, bytes: captured - fcs });
    }
}

/// Ticks of an interface's clock as nanoseconds since 1970; saturates at the ends.
fn nanos(ticks: u64, resolution: u8, offset_s: i64) -> Nanos {
    let exponent = u32::from(resolution & 0x7F);
    let ticks = u128::from(ticks);
    let scaled = if resolution & 0x80 != 0 {
        (ticks * 1_000_000_000) >> exponent
    } else if exponent <= 9 {
        ticks * 10u128.pow(9 - exponent)
    } else {
        10u128.checked_pow(exponent - 9).map_or(0, |unit| ticks / unit)
    };
    let shifted =
        i128::try_from(scaled).unwrap_or(i128::MAX).saturating_add(i128::from(offset_s) * 1_000_000_000);
    Nanos(shifted.clamp(0, i128::from(u64::MAX)) as u64)
}

#[cfg(test)]
mod tests {
    use super::nanos;
    use tickline_units::Nanos;

    #[test]
    fn clock_units_are_decimal_or_binary_and_may_be_shifted() {
        assert_eq!(nanos(5, 6, 0), Nanos(5_000));
        assert_eq!(nanos(5, 9, 0), Nanos(5));
        assert_eq!(nanos(5, 0, 0), Nanos(5_000_000_000));
        assert_eq!(nanos(5_000, 12, 0), Nanos(5));
        assert_eq!(nanos(3, 0x81, 0), Nanos(1_500_000_000));
        assert_eq!(nanos(1 << 32, 0xA0, 7), Nanos(8_000_000_000));
        assert_eq!(nanos(5, 0, -3), Nanos(2_000_000_000));
        assert_eq!(nanos(5, 0, -9), Nanos(0));
        assert_eq!(nanos(u64::MAX, 0, i64::MAX), Nanos(u64::MAX));
        assert_eq!(nanos(u64::MAX, 127, 0), Nanos(0));
        assert_eq!(nanos(u64::MAX, 255, 0), Nanos(0));
    }
}
