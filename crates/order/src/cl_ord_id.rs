//! The name of an order: `E`, the epoch in 3 base-36 digits, the decision in 10.

/// Largest epoch a name can hold.
pub const EPOCH_MAX: u32 = 36u32.pow(3) - 1;

/// Largest decision a name can hold.
pub const DECISION_MAX: u64 = 36u64.pow(10) - 1;

/// What a ClOrdID says. The venue and a restarted session read it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClOrdId {
    /// Line epoch, at most [`EPOCH_MAX`].
    pub epoch: u32,
    /// Decision, at most [`DECISION_MAX`].
    pub decision: u64,
}

impl ClOrdId {
    /// The 14 characters; `None` when the epoch or the decision does not fit.
    #[inline]
    pub const fn encode(&self) -> Option<[u8; 14]> {
        if self.epoch > EPOCH_MAX || self.decision > DECISION_MAX {
            return None;
        }
        let mut text = [b'E'; 14];
        let (mut rest, mut at) = (self.epoch, 4);
        while at > 1 {
            at -= 1;
            text[at] = letter((rest % 36) as u8);
            rest /= 36;
        }
        let (mut rest, mut at) = (self.decision, 14);
        while at > 4 {
            at -= 1;
            text[at] = letter((rest % 36) as u8);
            rest /= 36;
        }
        Some(text)
    }

    /// Reads 14 characters back; `None` when another program made them.
    pub const fn decode(text: &[u8; 14]) -> Option<ClOrdId> {
        if text[0] != b'E' {
            return None;
        }
        let (mut epoch, mut decision, mut at) = (0u32, 0u64, 1);
        while at < 14 {
            let value = match text[at] {
                digit @ b'0'..=b'9' => digit - b'0',
                upper @ b'A'..=b'Z' => upper - b'A' + 10,
                _ => return None,
            };
            if at < 4 {
                epoch = epoch * 36 + value as u32;
            } else {
                decision = decision * 36 + value as u64;
            }
            at += 1;
        }
        Some(ClOrdId { epoch, decision })
    }
}

#[inline]
const fn letter(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'A' + value - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_documented_form_and_come_back() {
        let name = ClOrdId { epoch: 1, decision: 36 };
        assert_eq!(name.encode(), Some(*b"E0010000000010"));
        for name in [
            ClOrdId { epoch: 0, decision: 0 },
            ClOrdId { epoch: EPOCH_MAX, decision: DECISION_MAX },
            ClOrdId { epoch: 1_295, decision: 9_876_543_210 },
        ] {
            assert_eq!(ClOrdId::decode(&name.encode().unwrap()), Some(name));
        }
    }

    #[test]
    fn the_largest_epoch_and_decision_fit_and_one_more_does_not() {
        assert_eq!(ClOrdId { epoch: EPOCH_MAX, decision: DECISION_MAX }.encode(), Some(*b"EZZZZZZZZZZZZZ"));
        assert_eq!(ClOrdId { epoch: EPOCH_MAX + 1, decision: 0 }.encode(), None);
        assert_eq!(ClOrdId { epoch: 0, decision: DECISION_MAX + 1 }.encode(), None);
    }

    #[test]
    fn names_of_others_are_not_read() {
        assert_eq!(ClOrdId::decode(b"F0010000000010"), None);
        assert_eq!(ClOrdId::decode(b"E001000000001 "), None);
        assert_eq!(ClOrdId::decode(b"E001000000001a"), None);
    }
}
