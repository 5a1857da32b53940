// @hot
//! Executions, each counted once.

/// An execution as the venue reported it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Execution {
    /// The venue's match number.
    pub match_number: u64,
    /// The order; 0 marks a free place.
    pub user_ref: u32,
    /// Shares.
    pub qty: u32,
    /// 1/10,000 dollar.
    pub price: u32,
    /// The venue has broken it, perhaps before reporting it.
    pub broken: bool,
    /// The venue has reported it.
    pub reported: bool,
}

/// What came of noting an execution or a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It is new: count it.
    New,
    /// It is new, and was broken before it was reported: count it and take it back.
    Broken,
    /// It was known: nothing changes.
    Known,
    /// There is no place left.
    Full,
}

/// The executions of a day by match number and order (both sides of a match may be ours). Open addressing, half full at
/// most; allocates once.
#[derive(Debug)]
pub struct Executions {
    places: Box<[Execution]>,
    count: usize,
}

impl Executions {
    /// Places for `most` executions.
    pub fn new(most: u32) -> Executions {
        let places = (most as usize * 2).next_power_of_two();
        Executions { places: vec![Execution::default(); places].into_boxed_slice(), count: 0 }
    }

    /// Executions that fit.
    pub fn capacity(&self) -> usize {
        self.places.len() / 2
    }

    /// True when no new execution fits.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.count >= self.capacity()
    }

    /// Notes an execution.
    pub fn note(&mut self, execution: Execution) -> Noted {
        let at = self.place(execution.match_number, execution.user_ref);
        let known = &mut self.places[at];
        if known.user_ref == 0 {
            return self.insert(at, execution);
        }
        if known.broken && !known.reported {
            *known = Execution { broken: true, ..execution };
            return Noted::Broken;
        }
        Noted::Known
    }

    /// Notes that an execution is broken. `New` hands back what was counted and must be taken back; one that was never
    /// reported is remembered for its late report.
    pub fn note_broken(&mut self, match_number: u64, user_ref: u32) -> (Noted, Execution) {
        let at = self.place(match_number, user_ref);
        let known = self.places[at];
        if known.user_ref == 0 {
            let unseen = Execution { match_number, user_ref, broken: true, ..Execution::default() };
            let noted = if self.insert(at, unseen) == Noted::Full { Noted::Full } else { Noted::Known };
            return (noted, unseen);
        }
        self.places[at].broken = true;
        (if known.broken { Noted::Known } else { Noted::New }, known)
    }

    /// The executions of one order, in no order. Reads the whole table: for recovery only.
    pub fn of(&self, user_ref: u32) -> impl Iterator<Item = &Execution> {
        self.places.iter().filter(move |place| place.user_ref == user_ref)
    }

    fn insert(&mut self, at: usize, execution: Execution) -> Noted {
        if self.is_full() {
            return Noted::Full;
        }
        self.places[at] = execution;
        self.count += 1;
        Noted::New
    }

    /// Where the execution is, or the free place where it belongs.
    fn place(&self, match_number: u64, user_ref: u32) -> usize {
        let mask = self.places.len() - 1;
        let mixed = (match_number ^ u64::from(user_ref).rotate_left(40)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut at = (mixed >> 32) as usize & mask;
        loop {
            let place = &self.places[at];
            if place.user_ref == 0 || (place.match_number == match_number && place.user_ref == user_ref) {
                return at;
            }
            at = (at + 1) & mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn execution(match_number: u64, user_ref: u32) -> Execution {
        Execution { match_number, user_ref, qty: 5, price: 7, broken: false, reported: true }
    }

    #[test]
    fn an_execution_is_new_once_for_each_order_of_the_match() {
        let mut executions = Executions::new(8);
        assert_eq!(executions.note(execution(0, 1)), Noted::New);
        assert_eq!(executions.note(execution(0, 1)), Noted::Known);
        assert_eq!(executions.note(execution(0, 2)), Noted::New);
        assert_eq!(executions.note(execution(1, 1)), Noted::New);
        assert_eq!(executions.of(1).count(), 2);
    }

    #[test]
    fn the_last_place_takes_an_execution_and_one_more_is_refused() {
        let mut executions = Executions::new(4);
        for match_number in 1..=4 {
            assert_eq!(executions.note(execution(match_number, 1)), Noted::New);
        }
        assert!(executions.is_full());
        assert_eq!(executions.note(execution(5, 1)), Noted::Full);
        assert_eq!(executions.note(execution(4, 1)), Noted::Known);
        assert_eq!(executions.note_broken(9, 1).0, Noted::Full);
    }

    #[test]
    fn a_break_takes_back_once_and_waits_for_a_late_report() {
        let mut executions = Executions::new(4);
        executions.note(execution(1, 1));
        assert_eq!(executions.note_broken(1, 1), (Noted::New, execution(1, 1)));
        assert_eq!(executions.note_broken(1, 1).0, Noted::Known);
        assert_eq!(executions.note_broken(2, 1).0, Noted::Known);
        assert_eq!(executions.note(execution(2, 1)), Noted::Broken);
        assert_eq!(executions.note(execution(2, 1)), Noted::Known);
        assert_eq!(executions.note_broken(2, 1).0, Noted::Known);
    }
}
