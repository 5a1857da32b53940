// @hot
//! One instrument's rows on their way to a label: history, what was answered, and the events until the future has come.
use crate::bytes::{In, Out};
use tickline_model::train::{self, NO_CLASS};

/// No row belongs to the event.
const NO_ROW: u64 = u64::MAX;

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
}

/// An event that waits for its future.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pending {
    /// Mid price at the event, 1/10,000 dollar.
    mid: f64,
    /// Place of the event's row among the answered ones.
    row: u64,
    frozen: u8,
    learning: u8,
}

/// An event whose future has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Labelled {
    /// Place of its row.
    pub(crate) row: u64,
    /// Down 0, flat 1, up 2.
    pub(crate) class: u8,
    /// What the frozen model had answered.
    pub(crate) frozen: u8,
    /// What the learning model had answered.
    pub(crate) learning: u8,
}

/// States that a stateful network has in one stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct States {
    pub(crate) frozen: Vec<f32>,
    pub(crate) learning: Vec<f32>,
    /// Where the next chunk is learned from.
    pub(crate) lesson: Vec<f32>,
}

/// One instrument.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stream {
    geometry: Geometry,
    /// Scaled rows, each twice, `keep` apart, so that any span of up to `keep` rows is contiguous.
    rows: Vec<f32>,
    keep: usize,
    /// Rows put in since the reset.
    count: u64,
    /// Label of each kept row.
    classes: Vec<u8>,
    /// Events since the reset, and the newest `horizon` of them.
    events: u64,
    pending: Vec<Pending>,
    /// The last mid price known; 0 before the first.
    mid: f64,
    /// First row that no chunk has taken.
    learned: u64,
    pub(crate) states: States,
}

impl Stream {
    pub(crate) fn new(geometry: Geometry) -> Stream {
        let keep = geometry.window + geometry.horizon + geometry.steps;
        let none = Pending { mid: 0.0, row: NO_ROW, frozen: 0, learning: 0 };
        let zeros = || vec![0.0; geometry.state];
        Stream {
            geometry,
            rows: vec![0.0; 2 * keep * geometry.columns],
            keep,
            count: 0,
            classes: vec![NO_CLASS; keep],
            events: 0,
            pending: vec![none; geometry.horizon],
            mid: 0.0,
            learned: 0,
            states: States { frozen: zeros(), learning: zeros(), lesson: zeros() },
        }
    }

    /// Forgets what waits and what was seen: events before and after are not of one stream.
    pub(crate) fn reset(&mut self) {
        (self.count, self.events, self.learned, self.mid) = (0, 0, 0, 0.0);
        for state in [&mut self.states.frozen, &mut self.states.learning, &mut self.states.lesson] {
            state.fill(0.0);
        }
    }

    /// Puts a scaled row in and returns its place.
    pub(crate) fn push(&mut self, scaled: &[f32]) -> u64 {
        let columns = self.geometry.columns;
        let slot = (self.count % self.keep as u64) as usize;
        for at in [slot, slot + self.keep] {
            self.rows[at * columns..(at + 1) * columns].copy_from_slice(scaled);
        }
        self.classes[slot] = NO_CLASS;
        self.count += 1;
        self.count - 1
    }

    /// The `rows` rows that end with the one at `place`; `None` when there are not as many, or no longer.
    pub(crate) fn span(&self, place: u64, rows: usize) -> Option<&[f32]> {
        let first = (place + 1).checked_sub(rows as u64)?;
        if rows > self.keep || place >= self.count || self.count - first > self.keep as u64 {
            return None;
        }
        let at = (first % self.keep as u64) as usize * self.geometry.columns;
        self.rows.get(at..at + rows * self.geometry.columns)
    }

    /// Takes an event: the one `horizon` events ago gets its label, this one waits for its own.
    ///
    /// `mid` is `None` where a side of the book is empty: the last one holds then. `row` and the answers are those of the event's row, if it
    /// was answered.
    pub(crate) fn event(
        &mut self,
        mid: Option<f64>,
        answered: Option<(u64, u8, u8)>,
        threshold: f64,
    ) -> Option<Labelled> {
        self.mid = mid.unwrap_or(self.mid);
        let slot = (self.events % self.geometry.horizon as u64) as usize;
        let old = self.pending[slot];
        let due = self.events >= self.geometry.horizon as u64 && old.row != NO_ROW;
        let (row, frozen, learning) = answered.unwrap_or((NO_ROW, 0, 0));
        self.pending[slot] = Pending { mid: self.mid, row, frozen, learning };
        self.events += 1;
        if !due {
            return None;
        }
        let change = self.mid - old.mid;
        let class = train::class(change, threshold);
        self.classes[(old.row % self.keep as u64) as usize] = class;
        Some(Labelled { row: old.row, class, frozen: old.frozen, learning: old.learning })
    }

    /// The next chunk of a stateful network, once the row at `place` has its label: rows and their labels.
    pub(crate) fn chunk(&self, place: u64, classes: &mut [u8]) -> Option<&[f32]> {
        let steps = self.geometry.steps;
        if place + 1 - self.learned < steps as u64 {
            return None;
        }
        let first = place + 1 - steps as u64;
        for (nth, class) in classes.iter_mut().enumerate() {
            *class = self.classes[((first + nth as u64) % self.keep as u64) as usize];
        }
        self.span(place, steps)
    }

    /// Marks the rows up to `place` as taken.
    pub(crate) fn taken(&mut self, place: u64) {
        self.learned = place + 1;
    }

    pub(crate) fn save(&self, out: &mut Out) {
        out.floats(&self.rows[..self.keep * self.geometry.columns]);
        out.bytes(&self.classes);
        [self.count, self.events, self.learned].iter().for_each(|value| out.number(*value));
        out.float(self.mid);
        for each in &self.pending {
            out.float(each.mid);
            out.number(each.row);
            out.number(u64::from(each.frozen) | u64::from(each.learning) << 8);
        }
        [&self.states.frozen, &self.states.learning, &self.states.lesson]
            .iter()
            .for_each(|state| out.floats(state));
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        let (once, twice) = self.rows.split_at_mut(self.keep * self.geometry.columns);
        from.fill_floats(once)?;
        twice.copy_from_slice(once);
        from.fill_bytes(&mut self.classes)?;
        (self.count, self.events, self.learned) = (from.number()?, from.number()?, from.number()?);
        self.mid = from.float()?;
        for each in &mut self.pending {
            (each.mid, each.row) = (from.float()?, from.number()?);
            let answers = from.number()?;
            (each.frozen, each.learning) = (answers as u8, (answers >> 8) as u8);
        }
        for state in [&mut self.states.frozen, &mut self.states.learning, &mut self.states.lesson] {
            from.fill_floats(state)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Geometry, Stream};
    use crate::bytes::{In, Out};
    use tickline_model::train::label;

    const THRESHOLD: f64 = 1.5;

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
        Geometry { columns: 2, window, horizon, steps: 1, state: 0 }
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
                            .event(Some(*mid), Some((place, 0, 0)), THRESHOLD)
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
        assert_eq!(stream.event(Some(100.0), Some((place, 2, 1)), 0.0), None);
        assert_eq!(stream.event(Some(105.0), None, 0.0), None);
        let label = stream.event(None, None, 0.0).expect("two events later");
        assert_eq!(
            (label.row, label.class, label.frozen, label.learning),
            (0, 2, 2, 1),
            "the held mid is 105"
        );
        assert_eq!(stream.event(Some(90.0), None, 0.0), None, "that event had no row");
        stream.reset();
        assert_eq!(stream.event(Some(1.0), None, 0.0), None);
        assert_eq!(stream.span(0, 1), None, "history went with the reset");
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
