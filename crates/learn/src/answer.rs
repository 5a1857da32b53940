//! What a model said of a row: a class and how sure it was, in two bytes.

/// Classes of a direction model: down, flat, up; and no answer.
pub(crate) const ANSWERS: usize = 4;

/// One answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Down 0, flat 1, up 2; 3: the model gave none.
    pub class: u8,
    /// Probability of that class, in 255ths.
    pub confidence: u8,
}

impl Answer {
    /// The model gave no answer: its window was not full, or its input or output no number.
    pub const NONE: Answer = Answer { class: 3, confidence: 0 };

    /// The likeliest class, the first of equals; none where a probability is no number.
    pub fn of(probabilities: &[f32]) -> Answer {
        let (mut best, mut most, mut sound) = (0u8, f32::NEG_INFINITY, !probabilities.is_empty());
        for (class, value) in probabilities.iter().enumerate() {
            sound &= value.is_finite();
            if *value > most {
                (best, most) = (class as u8, *value);
            }
        }
        if !sound {
            return Answer::NONE;
        }
        Answer { class: best, confidence: (most.clamp(0.0, 1.0) * 255.0).round() as u8 }
    }

    /// A class without doubt.
    pub fn certain(class: u8) -> Answer {
        Answer { class: class.min(3), confidence: u8::MAX }
    }

    pub(crate) fn from_bytes(bytes: [u8; 2]) -> Answer {
        Answer { class: bytes[0].min(3), confidence: bytes[1] }
    }

    pub(crate) fn bytes(self) -> [u8; 2] {
        [self.class, self.confidence]
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;

    #[test]
    fn the_likeliest_class_and_none_without_numbers() {
        assert_eq!(Answer::of(&[0.2, 0.5, 0.3]), Answer { class: 1, confidence: 128 });
        assert_eq!(Answer::of(&[0.4, 0.2, 0.4]).class, 0);
        assert_eq!(Answer::of(&[0.4, f32::NAN, 0.4]), Answer::NONE);
        assert_eq!(Answer::of(&[]), Answer::NONE);
        let kept = Answer::of(&[0.1, 0.1, 0.8]);
        assert_eq!(Answer::from_bytes(kept.bytes()), kept);
    }
}
