//! Answers counted against the truth, and the scores that follow.
use crate::answer::{ANSWERS, Answer};
use crate::bytes::{In, Out};

const TRUTHS: usize = 3;
/// Bins of confidence, equally wide.
const BINS: usize = 10;
const FLAT: usize = 1;

/// How well answers fit. A label without an answer counts as a wrong one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Score {
    /// Labels looked at.
    pub labels: u64,
    /// Mean of the classes' F1, 0 to 1; a class that neither occurs nor is answered counts 0.
    pub macro_f1: f64,
    /// Matthews correlation for several classes (Gorodkin 2004), -1 to 1; 0 when undefined.
    pub mcc: f64,
    /// Share of right answers.
    pub accuracy: f64,
    /// Share of labels at which it said up or down.
    pub coverage: f64,
    /// Expected calibration error over ten bins (Naeini et al. 2015): mean distance of confidence and accuracy, 0 to 1; 1 without answers.
    pub calibration: f64,
}

/// Counts that labels can be added to and taken from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// By truth, then answer.
    seen: [[u64; ANSWERS]; TRUTHS],
    /// Each bin's answers, their confidence in 255ths, and how many were right.
    bins: [[u64; 3]; BINS],
}

fn over(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

impl Tally {
    /// Counts an answer `by` times: 1, or -1 to take it back. Truths above 2 are not counted.
    pub fn add(&mut self, truth: u8, answer: Answer, by: i64) {
        let cell =
            self.seen.get_mut(usize::from(truth)).and_then(|row| row.get_mut(usize::from(answer.class)));
        let Some(cell) = cell else { return };
        *cell = cell.saturating_add_signed(by);
        if usize::from(answer.class) >= TRUTHS {
            return;
        }
        let bin = &mut self.bins[usize::from(answer.confidence) * BINS / 256];
        bin[0] = bin[0].saturating_add_signed(by);
        bin[1] = bin[1].saturating_add_signed(by * i64::from(answer.confidence));
        bin[2] = bin[2].saturating_add_signed(by * i64::from(answer.class == truth));
    }

    /// Labels counted.
    pub fn labels(&self) -> u64 {
        self.seen.iter().flatten().sum()
    }

    /// The scores as they stand.
    pub fn score(&self) -> Score {
        let labels = self.labels();
        let said = |class: usize| self.seen.iter().map(|row| row[class]).sum::<u64>();
        let own = |class: usize| self.seen.get(class).map_or(0, |row| row.iter().sum::<u64>());
        let right: u64 = (0..TRUTHS).map(|class| self.seen[class][class]).sum();
        let f1 = |class: usize| over(2.0 * self.seen[class][class] as f64, (own(class) + said(class)) as f64);
        let square = |total: f64, count: u64| total + count as f64 * count as f64;
        let (all, cross) =
            (labels as f64, (0..TRUTHS).map(|class| own(class) as f64 * said(class) as f64).sum::<f64>());
        let truths = (0..TRUTHS).map(own).fold(0.0, square);
        let answers = (0..ANSWERS).map(said).fold(0.0, square);
        let spread = (all * all - truths) * (all * all - answers);
        let calls: u64 = (0..TRUTHS).filter(|class| *class != FLAT).map(said).sum();
        Score {
            labels,
            macro_f1: (f1(0) + f1(1) + f1(2)) / 3.0,
            mcc: over(right as f64 * all - cross, spread.max(0.0).sqrt()),
            accuracy: over(right as f64, all),
            coverage: over(calls as f64, all),
            calibration: self.calibration(),
        }
    }

    fn calibration(&self) -> f64 {
        let answered: u64 = self.bins.iter().map(|bin| bin[0]).sum();
        if answered == 0 {
            return 1.0;
        }
        let apart = |bin: &[u64; 3]| (bin[1] as f64 / 255.0 - bin[2] as f64).abs();
        self.bins.iter().map(apart).sum::<f64>() / answered as f64
    }

    pub(crate) fn save(&self, out: &mut Out) {
        self.seen.iter().flatten().chain(self.bins.iter().flatten()).for_each(|count| out.number(*count));
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        for count in self.seen.iter_mut().flatten().chain(self.bins.iter_mut().flatten()) {
            *count = from.number()?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;
    use crate::answer::Answer;
    use crate::bytes::{In, Out};

    fn answer(class: u8, confidence: f32) -> Answer {
        Answer { class, confidence: (confidence * 255.0).round() as u8 }
    }

    /// Goal: the scores are the textbook's. Method: a case counted by hand: truths 0 0 1 2, answers 0 1 1 2.
    #[test]
    fn scores_by_hand() {
        let mut tally = Tally::default();
        [(0, 0), (0, 1), (1, 1), (2, 2)]
            .iter()
            .for_each(|(truth, said)| tally.add(*truth, answer(*said, 0.8), 1));
        let score = tally.score();
        assert!((score.macro_f1 - (2.0 / 3.0 + 2.0 / 3.0 + 1.0) / 3.0).abs() < 1e-12);
        assert!((score.mcc - 7.0 / 10.0).abs() < 1e-12, "{}", score.mcc);
        assert_eq!((score.labels, score.accuracy, score.coverage), (4, 0.75, 0.5));
        assert!(
            (score.calibration - 0.05).abs() < 1e-9,
            "sure of 80 %, right in 75 %: {}",
            score.calibration
        );
        let mut one = Tally::default();
        [0, 0, 1, 2].iter().for_each(|truth| one.add(*truth, answer(1, 1.0), 1));
        assert!((one.score().macro_f1 - (2.0 / 5.0) / 3.0).abs() < 1e-12);
        assert_eq!(one.score().mcc, 0.0, "one answer for all is no correlation");
    }

    #[test]
    fn no_answer_is_a_wrong_one_and_no_call() {
        let mut tally = Tally::default();
        assert_eq!((tally.score().labels, tally.score().calibration), (0, 1.0));
        tally.add(2, answer(2, 1.0), 1);
        tally.add(2, Answer::NONE, 1);
        let score = tally.score();
        assert_eq!((score.labels, score.accuracy, score.coverage, score.calibration), (2, 0.5, 0.5, 0.0));
        assert!((score.macro_f1 - (2.0 / 3.0) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_taken_back_leaves_no_trace_and_what_is_kept_comes_back() {
        let labels: Vec<(u8, Answer)> = (0..500u32)
            .map(|at| ((at * 7 % 3) as u8, answer((at * 5 % 4) as u8, (at % 11) as f32 / 10.0)))
            .collect();
        let mut tally = Tally::default();
        labels.iter().for_each(|(truth, answer)| tally.add(*truth, *answer, 1));
        let mut rest = Tally::default();
        labels[200..].iter().for_each(|(truth, answer)| rest.add(*truth, *answer, 1));
        let mut out = Out::default();
        tally.save(&mut out);
        labels[..200].iter().for_each(|(truth, answer)| tally.add(*truth, *answer, -1));
        assert_eq!(tally, rest);
        let mut kept = Tally::default();
        assert_eq!(kept.load(&mut In(&out.0)), Some(()));
        assert_eq!(kept.labels(), 500);
    }
}
