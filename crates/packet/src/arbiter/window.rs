// @hot
//! Messages that came before their turn, in slots set aside once.

use super::HELD_BYTES_MAX;
use tickline_units::Nanos;

/// One message held back. `sequence` 0 with `held` false is a free slot.
#[derive(Clone, Copy)]
struct Slot {
    sequence: u64,
    time: Nanos,
    held: bool,
    bytes: u8,
    message: [u8; HELD_BYTES_MAX],
}

const FREE: Slot = Slot { sequence: 0, time: Nanos(0), held: false, bytes: 0, message: [0; HELD_BYTES_MAX] };

/// A ring of slots; message `n` lives in slot `n mod size`. The caller keeps every held number within `size` of the next.
pub(super) struct Window {
    slots: Box<[Slot]>,
    held: usize,
    /// The lowest number held; stale only between `release` and the next `lowest`.
    lowest: u64,
}

impl Window {
    pub(super) fn new(size: usize) -> Window {
        assert!(size.is_power_of_two() && size > 1, "the window is a power of two above 1");
        Window { slots: vec![FREE; size].into_boxed_slice(), held: 0, lowest: 0 }
    }

    #[inline]
    fn at(&self, sequence: u64) -> usize {
        sequence as usize & (self.slots.len() - 1)
    }

    #[inline]
    pub(super) fn holds(&self, sequence: u64) -> bool {
        let slot = &self.slots[self.at(sequence)];
        slot.held && slot.sequence == sequence
    }

    /// Puts a message by. It must not be held yet and fit a slot.
    pub(super) fn hold(&mut self, sequence: u64, message: &[u8], time: Nanos) {
        debug_assert!(message.len() <= HELD_BYTES_MAX && !self.holds(sequence));
        let at = self.at(sequence);
        let slot = &mut self.slots[at];
        debug_assert!(!slot.held, "two messages within one window share no slot");
        (slot.sequence, slot.time, slot.held, slot.bytes) = (sequence, time, true, message.len() as u8);
        slot.message[..message.len()].copy_from_slice(message);
        self.lowest = if self.held == 0 { sequence } else { self.lowest.min(sequence) };
        self.held += 1;
    }

    /// Frees the slot of a message and gives its bytes, if it is held.
    #[inline]
    pub(super) fn release(&mut self, sequence: u64) -> Option<&[u8]> {
        if self.held == 0 || !self.holds(sequence) {
            return None;
        }
        let at = self.at(sequence);
        self.held -= 1;
        self.slots[at].held = false;
        if self.held > 0 && self.lowest == sequence {
            // The next one held; releases go upwards, so a whole drain walks the ring at most once.
            self.lowest = sequence + 1;
            while !self.holds(self.lowest) {
                self.lowest += 1;
            }
        }
        let slot = &self.slots[at];
        Some(&slot.message[..usize::from(slot.bytes)])
    }

    /// The lowest number held.
    #[inline]
    pub(super) fn lowest(&self) -> Option<u64> {
        (self.held > 0).then_some(self.lowest)
    }

    /// When the message with the lowest number came.
    pub(super) fn lowest_time(&self) -> Option<Nanos> {
        self.lowest().map(|sequence| self.slots[self.at(sequence)].time)
    }

    pub(super) fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.held = false;
        }
        self.held = 0;
    }
}
