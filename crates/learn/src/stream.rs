// @hot
//! One instrument's rows on their way to a label: history, what was answered, and the events until the future has come.
use crate::answer::Answer;
use crate::bytes::{In, Out};
use crate::history::History;
use crate::panel::PERSISTENCE;
use tickline_model::train::{self, NO_CLASS};

/// No row belongs to the event.
const NO_ROW: u64 = u64::MAX;
/// Persistence before the first move is known.
const FLAT: u8 = 1;

/// Sizes that all streams of a learner share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Numbers a row.
    pub(crate) columns: usize,
    /// Rows of one input.
    pub(crate) window: usize,
    /// Events until a label; at least 1.
    pub(crate) horizon: usize,
    /// Rows of one step of a stateful network; 1 for others.
    pub(crate) steps: usize,
    /// Numbers of a stateful network's state; 0 for others.
    pub(crate) state: usize,
    /// Models that answer each row.
    pub(crate) models: usize,
}

/// An event that waits for its future.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pending {
    /// Mid price at the event, 1/10,000 dollar.
    mid: f64,
    /// Place of the event's row among the answered ones.
    row: u64,
    /// The contest that it was answered in.
    contest: u64,
}

/// An event whose future has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Labelled {
    /// Place of its row.
    pub(crate) row: u64,
    /// Down 0, flat 1, up 2.
    pub(crate) class: u8,
    /// Mid price at the event, and what it has moved by since; 1/10,000 dollar.
    pub(crate) mid: f64,
    pub(crate) change: f64,
    /// The contest that it was answered in.
    pub(crate) contest: u64,
}

/// States that a stateful network has in one stream, by whose weights saw it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct States {
    pub(crate) frozen: Vec<f32>,
    pub(crate) learning: Vec<f32>,
    /// Where the next chunk is learned from.
    pub(crate) lesson: Vec<f32>,
    pub(crate) live: Vec<f32>,
    pub(crate) previous: Vec<f32>,
}

impl States {
    fn all(&mut self) -> [&mut Vec<f32>; 5] {
        [&mut self.frozen, &mut self.learning, &mut self.lesson, &mut self.live, &mut self.previous]
    }

    /// The learning weights as they are take the live ones' place, and those the place of the ones before.
    pub(crate) fn promote(&mut self) {
        self.previous.copy_from_slice(&self.live);
        self.live.copy_from_slice(&self.learning);
    }

    /// The weights before the live ones are live again.
    pub(crate) fn roll_back(&mut self) {
        self.live.copy_from_slice(&self.previous);
    }
}

/// One instrument.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stream {
    geometry: Geometry,
    history: History,
    /// Label of each kept row.
    classes: Vec<u8>,
    /// Events since the reset, and the newest `horizon` of them.
    events: u64,
    pending: Vec<Pending>,
    /// What each model said at each of them.
    answers: Vec<Answer>,
    /// What they said at the event that got its label last.
    due: Vec<Answer>,
    /// The last mid price known; 0 before the first.
    mid: f64,
    /// First row that no chunk has taken.
    learned: u64,
    pub(crate) states: States,
}

impl Stream {
    pub(crate) fn new(geometry: Geometry) -> Stream {
        let Geometry { columns, window, horizon, steps, state, models } = geometry;
        let keep = window + horizon + steps;
        let mut states = States::default();
        states.all().into_iter().for_each(|own| own.resize(state, 0.0));
        Stream {
            geometry,
            history: History::new(columns, keep),
            classes: vec![NO_CLASS; keep],
            events: 0,
            pending: vec![Pending { mid: 0.0, row: NO_ROW, contest: 0 }; horizon],
            answers: vec![Answer::NONE; horizon * models],
            due: vec![Answer::NONE; models],
            mid: 0.0,
            learned: 0,
            states,
        }
    }

    /// Forgets what waits and what was seen: events before and after are not of one stream.
    pub(crate) fn reset(&mut self) {
        self.history.reset();
        (self.events, self.learned, self.mid) = (0, 0, 0.0);
        self.states.all().into_iter().for_each(|own| own.fill(0.0));
    }

    /// Puts a scaled row in and returns its place.
    pub(crate) fn push(&mut self, scaled: &[f32]) -> u64 {
        let place = self.history.push(scaled);
        let slot = self.history.slot(place);
        self.classes[slot] = NO_CLASS;
        place
    }

    /// The `rows` rows that end with the one at `place`; `None` when there are not as many, or no longer.
    pub(crate) fn span(&self, place: u64, rows: usize) -> Option<&[f32]> {
        self.history.span(place, rows)
    }

    /// Takes an event: the one `horizon` events ago gets its label, this one waits for its own.
    ///
    /// `mid` is `None` where a side of the book is empty: the last one holds then. `row` is the place of the event's row, if it was
    /// answered, and `answers` what each model said; persistence is put in here.
    pub(crate) fn event(
        &mut self,
        mid: Option<f64>,
        row: Option<u64>,
        answers: &[Answer],
        threshold: f64,
        contest: u64,
    ) -> Option<Labelled> {
        self.mid = mid.unwrap_or(self.mid);
        let Geometry { horizon, models, .. } = self.geometry;
        let slot = (self.events % horizon as u64) as usize;
        let (old, whole) = (self.pending[slot], self.events >= horizon as u64);
        let change = self.mid - old.mid;
        let said = &mut self.answers[slot * models..(slot + 1) * models];
        self.due.copy_from_slice(said);
        said.copy_from_slice(answers);
        said[PERSISTENCE] = Answer::certain(if whole { train::class(change, threshold) } else { FLAT });
        self.pending[slot] = Pending { mid: self.mid, row: row.unwrap_or(NO_ROW), contest };
        self.events += 1;
        if !whole || old.row == NO_ROW {
            return None;
        }
        let class = train::class(change, threshold);
        let kept = self.history.slot(old.row);
        self.classes[kept] = class;
        Some(Labelled { row: old.row, class, mid: old.mid, change, contest: old.contest })
    }

    /// What each model had said at the event that got its label last.
    pub(crate) fn due(&self) -> &[Answer] {
        &self.due
    }

    /// The next chunk of a stateful network, once the row at `place` has its label: rows and their labels.
    pub(crate) fn chunk(&self, place: u64, classes: &mut [u8]) -> Option<&[f32]> {
        let steps = self.geometry.steps;
        if place + 1 - self.learned < steps as u64 {
            return None;
        }
        let first = place + 1 - steps as u64;
        for (nth, class) in classes.iter_mut().enumerate() {
            *class = self.classes[self.history.slot(first + nth as u64)];
        }
        self.span(place, steps)
    }

    /// Marks the rows up to `place` as taken.
    pub(crate) fn taken(&mut self, place: u64) {
        self.learned = place + 1;
    }

    pub(crate) fn save(&self, out: &mut Out) {
        self.history.save(out);
        out.bytes(&self.classes);
        [self.events, self.learned].iter().for_each(|value| out.number(*value));
        out.float(self.mid);
        for each in &self.pending {
            out.float(each.mid);
            out.number(each.row);
            out.number(each.contest);
        }
        self.answers.iter().for_each(|answer| out.pair(answer.bytes()));
        let States { frozen, learning, lesson, live, previous } = &self.states;
        [frozen, learning, lesson, live, previous].iter().for_each(|state| out.floats(state));
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        self.history.load(from)?;
        from.fill_bytes(&mut self.classes)?;
        (self.events, self.learned) = (from.number()?, from.number()?);
        self.mid = from.float()?;
        for each in &mut self.pending {
            (each.mid, each.row, each.contest) = (from.float()?, from.number()?, from.number()?);
        }
        for answer in &mut self.answers {
            *answer = Answer::from_bytes(from.pair()?);
        }
        self.states.all().into_iter().try_for_each(|state| from.fill_floats(state))
    }
}

#[cfg(test)]
mod tests {
    use super::{Geometry, Stream};
    use crate::answer::Answer;
    use crate::bytes::{In, Out};
    use crate::panel::PERSISTENCE;
    use tickline_model::train::label;

    const THRESHOLD: f64 = 1.5;
    const MODELS: usize = 4;
    const NOTHING: [Answer; MODELS] = [Answer::NONE; MODELS];

    fn mids(count: usize, seed: u64) -> Vec<f64> {
        let mut dice = tickline_model::train::Dice::new(seed);
        (0..count)
            .scan(1000.0, |mid, _| {
                *mid += dice.below(7) as f64 - 3.0;
                Some(*mid)
            })
            .collect()
    }

    fn geometry(horizon: usize, window: usize) -> Geometry {
        Geometry { columns: 2, window, horizon, steps: 1, state: 0, models: MODELS }
    }

    /// Goal: online labels are the trainer's, and each comes exactly when its future does (invariant L1). Method: random walks against the
    /// labels made with the whole future in hand; then the future after each event is replaced, and no label given until then may differ.
    #[test]
    fn labels_are_the_trainers_and_come_with_their_future() {
        for horizon in [1, 2, 7, 50] {
            let walk = mids(400, horizon as u64);
            let known = label(&walk, horizon, THRESHOLD).classes;
            let given = |walk: &[f64]| -> Vec<Option<(u64, u8)>> {
                let mut stream = Stream::new(geometry(horizon, 1));
                walk.iter()
                    .enumerate()
                    .map(|(at, mid)| {
                        let place = stream.push(&[at as f32, 0.0]);
                        stream
                            .event(Some(*mid), Some(place), &NOTHING, THRESHOLD, 0)
                            .map(|label| (label.row, label.class))
                    })
                    .collect()
            };
            let all = given(&walk);
            for (at, label) in all.iter().enumerate() {
                match at.checked_sub(horizon) {
                    None => assert_eq!(*label, None, "a label before its future"),
                    Some(from) => assert_eq!(*label, Some((from as u64, known[from].expect("known")))),
                }
            }
            for cut in [horizon, 123, 399] {
                let mut other = walk.clone();
                other[cut + 1..].iter_mut().for_each(|mid| *mid = -*mid);
                assert_eq!(given(&other)[..=cut], all[..=cut], "a label knew what came after event {cut}");
            }
        }
    }

    #[test]
    fn events_without_a_row_count_and_hold_the_mid() {
        let mut stream = Stream::new(geometry(2, 1));
        let place = stream.push(&[1.0, 1.0]);
        let said = [2, 1, 0, 3].map(Answer::certain);
        assert_eq!(stream.event(Some(100.0), Some(place), &said, 0.0, 0), None);
        assert_eq!(stream.event(Some(105.0), None, &NOTHING, 0.0, 0), None);
        let label = stream.event(None, None, &NOTHING, 0.0, 0).expect("two events later");
        assert_eq!((label.row, label.class, label.change), (0, 2, 5.0), "the held mid is 105");
        let mut wanted = said;
        wanted[PERSISTENCE] = Answer::certain(1);
        assert_eq!(stream.due(), wanted);
        assert_eq!(stream.event(Some(90.0), None, &NOTHING, 0.0, 0), None, "that event had no row");
        stream.reset();
        assert_eq!(stream.event(Some(1.0), None, &NOTHING, 0.0, 0), None);
        assert_eq!(stream.span(0, 1), None, "history went with the reset");
    }

    /// Goal: persistence says what the trainer's does: the newest move that is known at a row. Method: random walks against the moves.
    #[test]
    fn persistence_repeats_the_newest_known_move() {
        let (walk, horizon) = (mids(300, 9), 7);
        let mut stream = Stream::new(geometry(horizon, 1));
        for (at, mid) in walk.iter().enumerate() {
            let place = stream.push(&[0.0, 0.0]);
            if stream.event(Some(*mid), Some(place), &NOTHING, THRESHOLD, 0).is_some() {
                let from = at - horizon;
                let known = from.checked_sub(horizon).map(|before| walk[from] - walk[before]);
                let wanted = known.map_or(1, |change| tickline_model::train::class(change, THRESHOLD));
                assert_eq!(stream.due()[PERSISTENCE], Answer::certain(wanted), "at {at}");
            }
        }
    }

    #[test]
    fn spans_are_contiguous_and_bounded() {
        let mut stream = Stream::new(geometry(3, 4));
        for at in 0..50u32 {
            let place = stream.push(&[at as f32, -(at as f32)]);
            match stream.span(place, 4) {
                None => assert!(at < 3),
                Some(span) => assert_eq!(span[..2], [at as f32 - 3.0, 3.0 - at as f32]),
            }
        }
        assert_eq!(stream.span(49 - 8, 1), None, "no longer kept: window 4, horizon 3, steps 1");
        assert!(stream.span(49 - 7, 1).is_some());
        assert_eq!(stream.span(50, 1), None, "not yet there");
        let mut out = Out::default();
        stream.save(&mut out);
        let mut loaded = Stream::new(geometry(3, 4));
        assert_eq!(loaded.load(&mut In(&out.0)), Some(()));
        assert_eq!(loaded, stream);
    }
}
