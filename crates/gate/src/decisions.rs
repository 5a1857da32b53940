// @hot
//! Which decisions have been sent: a window of bits below the highest.

const WORDS: usize = 64;
/// Decisions the window covers.
const WINDOW: u64 = WORDS as u64 * 64;

/// What is known of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was not sent before.
    New,
    /// It was sent before.
    Before,
    /// It is below the window: nobody can tell.
    TooOld,
}

/// The decisions sent in an epoch. Exact for the 4,032 numbers below the highest; older ones count as unknown. Fixed size;
/// every call is constant time.
#[derive(Clone, Debug)]
pub struct Decisions {
    bits: [u64; WORDS],
    highest: u64,
    any: bool,
}

impl Default for Decisions {
    fn default() -> Self {
        Decisions { bits: [0; WORDS], highest: 0, any: false }
    }
}

impl Decisions {
    /// Decisions below the highest for which the answer is exact, whatever came before.
    pub const EXACT: u64 = WINDOW - 64;

    /// What is known of `decision`.
    #[inline]
    pub fn seen(&self, decision: u64) -> Seen {
        if !self.any || decision > self.highest {
            return Seen::New;
        }
        if decision / 64 + WORDS as u64 <= self.highest / 64 {
            return Seen::TooOld;
        }
        if self.bits[word(decision)] & bit(decision) == 0 { Seen::New } else { Seen::Before }
    }

    /// Notes that `decision` was sent; one below the window changes nothing, it is refused anyway.
    #[inline]
    pub fn mark(&mut self, decision: u64) {
        if !self.any {
            self.any = true;
            self.highest = decision;
        } else if decision > self.highest {
            let passed = (decision / 64 - self.highest / 64).min(WORDS as u64);
            for step in 1..=passed {
                self.bits[((self.highest / 64).wrapping_add(step) % WORDS as u64) as usize] = 0;
            }
            self.highest = decision;
        }
        if self.seen(decision) != Seen::TooOld {
            self.bits[word(decision)] |= bit(decision);
        }
    }

    /// Forgets everything, for a new epoch.
    pub fn clear(&mut self) {
        *self = Decisions::default();
    }
}

#[inline]
const fn word(decision: u64) -> usize {
    (decision / 64 % WORDS as u64) as usize
}

#[inline]
const fn bit(decision: u64) -> u64 {
    1 << (decision % 64)
}
