//! A memory in two parts: what each lesson is, which never changes once it is added, and the outline of everything else. Who keeps a large memory
//! often writes the outline, and each lesson once.
use super::Replay;
use crate::error::{Fault, ModelError};
use crate::train::Dice;

const OUTLINE: [u8; 8] = *b"TLREPLO1";

impl Replay {
    /// Lessons ever added; the newest [`Replay::len`] of them are in memory.
    pub fn added(&self) -> u64 {
        self.added
    }

    /// Appends what a lesson in memory is: the class that it is filed under, what is wanted of its answers, its input. `false`, and nothing
    /// appended, for one that is not held.
    pub fn write_lesson(&self, lesson: u64, out: &mut Vec<u8>) -> bool {
        let oldest = self.added.saturating_sub(self.memory.capacity as u64);
        if !(oldest..self.added).contains(&lesson) {
            return false;
        }
        let (place, inputs, answers) = (self.place(lesson), self.memory.inputs, self.memory.answers);
        out.push(self.class[place]);
        out.extend_from_slice(&self.wanted[place * answers..(place + 1) * answers]);
        let input = &self.inputs[place * inputs..(place + 1) * inputs];
        input.iter().for_each(|value| out.extend(value.to_le_bytes()));
        true
    }

    /// Bytes that [`Replay::write_lesson`] appends.
    pub fn lesson_bytes(&self) -> usize {
        1 + self.memory.answers + 4 * self.memory.inputs
    }

    /// Everything but the lessons: dice, counts, and the priorities, which are one number while all are the same (without sharpness).
    pub fn outline(&self) -> Vec<u8> {
        let mut bytes = OUTLINE.to_vec();
        let masses: Vec<u64> = (0..self.len())
            .map(|place| self.trees[usize::from(self.class[place])].mass(place).to_bits())
            .collect();
        let same = masses.windows(2).all(|pair| pair[0] == pair[1]);
        let kept = if same { &masses[..masses.len().min(1)] } else { &masses[..] };
        let head = [self.dice.state(), self.added, self.top.to_bits(), kept.len() as u64];
        head.iter().chain(kept).for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes
    }

    /// Goes back to an outline of a replay with the same memory; `lesson` gives what [`Replay::write_lesson`] wrote of each that it holds.
    ///
    /// # Errors
    /// [`Fault::Checksum`] for an outline that is none, [`Fault::Architecture`] when a lesson is not there or of another memory; nothing
    /// has changed then.
    pub fn restore_outline<'a>(
        &mut self,
        outline: &[u8],
        mut lesson: impl FnMut(u64) -> Option<&'a [u8]>,
    ) -> Result<(), ModelError> {
        let damaged =
            || ModelError::new(Fault::Checksum, "the replay's outline is damaged; go back to an older one");
        let body = outline.strip_prefix(&OUTLINE).ok_or_else(damaged)?;
        let (numbers, []) = body.as_chunks::<8>() else { return Err(damaged()) };
        let numbers: Vec<u64> = numbers.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        let [dice, added, top, kept, masses @ ..] = &numbers[..] else { return Err(damaged()) };
        let mut fresh = Replay::new(self.memory.clone())?;
        (fresh.dice, fresh.added, fresh.top) = (Dice::new(*dice), *added, f64::from_bits(*top));
        let held = fresh.len();
        if masses.len() as u64 != *kept || !(masses.len() == held || (masses.len() == 1 && held > 1)) {
            return Err(damaged());
        }
        for nth in added - held as u64..*added {
            let place = fresh.place(nth);
            let bytes = lesson(nth).filter(|bytes| fresh.read_lesson(place, bytes));
            bytes.ok_or_else(|| {
                ModelError::new(Fault::Architecture, format!("lesson {nth} of the replay is not there"))
            })?;
            let mass = masses[if masses.len() == held { place } else { 0 }];
            let class = usize::from(fresh.class[place]);
            fresh.counts[class] += 1;
            fresh.trees[class].set(place, f64::from_bits(mass));
        }
        *self = fresh;
        Ok(())
    }

    /// Puts a lesson's bytes into its place; `false` when they are no lesson of this memory.
    fn read_lesson(&mut self, place: usize, bytes: &[u8]) -> bool {
        let (inputs, answers) = (self.memory.inputs, self.memory.answers);
        if bytes.len() != self.lesson_bytes() || usize::from(bytes[0]) >= self.memory.classes {
            return false;
        }
        let (wanted, input) = bytes[1..].split_at(answers);
        self.class[place] = bytes[0];
        self.wanted[place * answers..(place + 1) * answers].copy_from_slice(wanted);
        let to = &mut self.inputs[place * inputs..(place + 1) * inputs];
        for (to, bytes) in to.iter_mut().zip(input.as_chunks::<4>().0) {
            *to = f32::from_le_bytes(*bytes);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Drawn, Memory, Replay};
    use crate::train::Dice;

    fn memory(sharpness: f64) -> Replay {
        let of =
            Memory { capacity: 50, inputs: 3, answers: 2, classes: 3, sharpness, oversample: 9.0, seed: 4 };
        Replay::new(of).expect("a memory")
    }

    /// Adds a lesson and learns from four; what is drawn is told.
    fn turn(replay: &mut Replay, dice: &mut Dice) -> [Drawn; 4] {
        let input = [0, 1, 2].map(|_| dice.unit() as f32);
        let class = dice.below(3) as u8;
        assert!(replay.add(&input, &[class, 1], class));
        let mut drawn = [Drawn::default(); 4];
        assert!(replay.draw(&mut drawn, 0.5));
        drawn.iter().for_each(|one| replay.learned(*one, dice.unit()));
        drawn
    }

    /// Goal: outline and lessons, each written once as it came, are the whole memory: what is restored draws on as the one that went on, bit for
    /// bit; what is missing or foreign is refused and changes nothing. Method: cuts before, at and after the memory is full, with and without
    /// priorities.
    #[test]
    fn outline_and_lessons_are_the_whole() {
        for sharpness in [0.0, 0.6] {
            for cut in [0, 1, 2, 30, 50, 51, 175] {
                let (mut replay, mut dice, mut lessons) = (memory(sharpness), Dice::new(7), Vec::new());
                for nth in 0..cut {
                    turn(&mut replay, &mut dice);
                    let mut bytes = Vec::new();
                    assert!(replay.write_lesson(nth, &mut bytes) && bytes.len() == replay.lesson_bytes());
                    lessons.push(bytes);
                }
                let outline = replay.outline();
                assert!(sharpness > 0.0 || outline.len() <= 48, "{} bytes", outline.len());
                let mut other = memory(sharpness);
                let lesson = |nth: u64| lessons.get(nth as usize).map(Vec::as_slice);
                other.restore_outline(&outline, lesson).expect("its own");
                assert!(other.checkpoint() == replay.checkpoint(), "cut at {cut}");
                let mut again = dice.clone();
                for _ in 0..60 {
                    assert_eq!(turn(&mut other, &mut again), turn(&mut replay, &mut dice));
                }
                let before = other.checkpoint();
                let oldest = (cut as usize).saturating_sub(50) as u64;
                let missing = |wanted: u64| move |nth: u64| (nth != wanted).then(|| lesson(nth)).flatten();
                if cut > 0 {
                    for gone in [oldest, cut - 1] {
                        assert!(other.restore_outline(&outline, missing(gone)).is_err());
                    }
                    let short = |nth: u64| lesson(nth).map(|bytes| &bytes[1..]);
                    assert!(other.restore_outline(&outline, short).is_err());
                }
                assert!(other.restore_outline(&outline[..outline.len() - 1], lesson).is_err());
                assert!(other.restore_outline(&outline[8..], lesson).is_err());
                assert!(other.checkpoint() == before);
                assert!(!replay.write_lesson(replay.added(), &mut Vec::new()));
                assert!(replay.added() <= 50 || !replay.write_lesson(replay.added() - 51, &mut Vec::new()));
            }
        }
    }
}
