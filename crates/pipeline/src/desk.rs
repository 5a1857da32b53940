// @hot
//! Behind arbitration: ordered events to books, and which instruments they touched.

use crate::counts::Counts;
use crate::pipeline::Outlet;
use tickline_book::{BookId, Books, Capacity};
use tickline_features::{Features, Row};
use tickline_packet::arbiter::{Event, Gap};
use tickline_units::{Instrument, Nanos, Symbol};
use tickline_wire::flat::features::{FeaturesBody, features_flag};
use tickline_wire::itch::{self, Kind};

/// A configured instrument. Its book's place equals its own, since its book is opened first.
struct Tracked {
    features: Features,
    /// It waits in `touched` for its row.
    waiting: bool,
    sequence: u64,
    venue: Nanos,
}

/// Books of every symbol, features of the configured ones.
pub(crate) struct Desk {
    pub(crate) books: Books,
    pub(crate) counts: Counts,
    tracked: Vec<Tracked>,
    /// Instruments touched since the last publication, in order of the first touch.
    touched: Vec<u16>,
    /// The instrument whose next row is prepared next.
    turn: usize,
    over: bool,
    /// Since when rows are made of messages that later ones, already here, have overtaken.
    behind: Option<Nanos>,
    gaps: Vec<Gap>,
}

/// Gaps kept for reports; further ones are only counted.
const GAPS_KEPT: usize = 256;

/// Rows made while catching up for longer than this carry wrong line times: windows start over when it is done.
const CATCH_UP: Nanos = Nanos(10_000_000);

impl Desk {
    pub(crate) fn new(instruments: &[Symbol], capacity: Capacity) -> Desk {
        assert!(instruments.len() <= u16::MAX as usize, "instruments are numbered in 16 bits");
        let mut books = Books::new(capacity);
        for (place, symbol) in instruments.iter().enumerate() {
            assert!(books.open(*symbol) == BookId(place as u32), "{} is listed twice", symbol.text());
        }
        let tracked = || Tracked { features: Features::new(), waiting: false, sequence: 0, venue: Nanos(0) };
        Desk {
            books,
            counts: Counts::default(),
            tracked: instruments.iter().map(|_| tracked()).collect(),
            touched: Vec::with_capacity(instruments.len()),
            turn: 0,
            over: false,
            behind: None,
            gaps: Vec::with_capacity(GAPS_KEPT),
        }
    }

    /// The first gaps, in order.
    pub(crate) fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// True after the end of a session, until the next begins.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes one event of the ordered stream.
    #[inline]
    pub(crate) fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Message { sequence, bytes } => self.message(sequence, bytes),
            other => self.turn(other),
        }
    }

    #[inline]
    fn message(&mut self, sequence: u64, bytes: &[u8]) {
        self.counts.messages += 1;
        let update = match itch::decode(bytes) {
            Ok(update) => update,
            Err(fault) => return self.undecodable(sequence, fault.kind),
        };
        let change = self.books.apply(&update);
        if change.anomaly.is_some() {
            // The exchange's book and ours disagree. Which of both is wrong cannot be told: not to be traded on.
            if change.book == BookId::NONE {
                self.distrust_all(sequence);
            }
            self.books.distrust(change.book);
        }
        self.counts.updates += change.moves_book() as u64;
        if !(change.touches() || change.anomaly.is_some()) {
            return;
        }
        let Some(tracked) = self.tracked.get_mut(change.book.0 as usize) else { return };
        if let Some(trade) = &change.trade {
            tracked.features.trade(trade);
        }
        tracked.sequence = sequence;
        tracked.venue = update.header.time;
        if !tracked.waiting {
            tracked.waiting = true;
            self.touched.push(change.book.0 as u16);
        }
    }

    /// A type that is unknown concerns no book; anything else we should have understood may have changed any.
    #[cold]
    fn undecodable(&mut self, sequence: u64, kind: Kind) {
        if kind == Kind::Unknown {
            self.counts.unknown += 1;
        } else {
            self.counts.malformed += 1;
            self.distrust_all(sequence);
        }
    }

    #[cold]
    fn turn(&mut self, event: Event<'_>) {
        match event {
            Event::Message { .. } => {}
            Event::Session { next, .. } => {
                self.counts.sessions += 1;
                self.over = false;
                self.books.reset_day();
                for tracked in &mut self.tracked {
                    tracked.features.reset();
                }
                if next > 1 {
                    self.distrust_all(next - 1);
                }
            }
            Event::Gap(gap) => {
                self.counts.gaps += 1;
                self.counts.gap_messages += gap.count;
                if self.gaps.len() < GAPS_KEPT {
                    self.gaps.push(gap);
                }
                self.distrust_all(gap.first + gap.count - 1);
            }
            Event::End { .. } => self.over = true,
        }
    }

    /// Messages of unknown books were missed: every book is stale, and a row says so of each instrument at once.
    fn distrust_all(&mut self, sequence: u64) {
        self.books.mark_stale();
        self.tracked.iter_mut().for_each(|tracked| tracked.sequence = sequence);
        self.touch_all();
    }

    fn touch_all(&mut self) {
        for (place, tracked) in self.tracked.iter_mut().enumerate() {
            if !tracked.waiting {
                tracked.waiting = true;
                self.touched.push(place as u16);
            }
        }
    }

    /// Notes whether later messages than those delivered are here and wait for a hole to be filled. Books are whole but
    /// old then, so their rows are stale; the row of every instrument after it says that it is over.
    #[cold]
    fn turn_behind(&mut self, behind: bool, time: Nanos) {
        match (self.behind, behind) {
            (None, true) if !self.touched.is_empty() => self.behind = Some(time),
            (Some(since), false) => {
                self.behind = None;
                self.counts.caught_up += 1;
                if time.0.saturating_sub(since.0) > CATCH_UP.0 {
                    self.tracked.iter_mut().for_each(|tracked| tracked.features.reset());
                }
                self.touch_all();
            }
            _ => {}
        }
    }

    /// Prepares the next row of one instrument, of each in turn.
    #[inline]
    pub(crate) fn prepare(&mut self) {
        self.turn = if self.turn + 1 < self.tracked.len() { self.turn + 1 } else { 0 };
        if let (Some(tracked), Some(book)) =
            (self.tracked.get_mut(self.turn), self.books.book(BookId(self.turn as u32)))
        {
            tracked.features.prepare(&book);
        }
    }

    /// Publishes one row of each instrument touched and returns how many.
    #[inline]
    pub(crate) fn publish(
        &mut self,
        time: Nanos,
        due: Nanos,
        behind: bool,
        outlet: &mut impl Outlet,
    ) -> usize {
        if behind || self.behind.is_some() {
            self.turn_behind(behind, time);
        }
        let rows = self.touched.len();
        for nth in 0..rows {
            let place = self.touched[nth];
            let tracked = &mut self.tracked[place as usize];
            tracked.waiting = false;
            let Some(book) = self.books.book(BookId(place as u32)) else { continue };
            outlet.row(|body: &mut FeaturesBody| {
                let row = tracked.features.row(&book, time, &mut body.levels, &mut body.values);
                body.seq = tracked.sequence;
                body.time_ns = time.0;
                body.due_ns = due.0;
                body.venue_ns = tracked.venue.0;
                body.instrument = Instrument(place).0;
                body.flags = flags(&row, behind || book.is_stale());
                (body.bid, body.ask, body.bid_qty, body.ask_qty) =
                    (row.bid, row.ask, row.bid_qty, row.ask_qty);
                (body.last_price, body.last_qty, body.reserved) = (row.last_price, row.last_qty, 0);
            });
        }
        self.touched.clear();
        self.counts.rows += rows as u64;
        rows
    }
}

#[inline]
fn flags(row: &Row, stale: bool) -> u16 {
    let marks = &row.marks;
    [
        (stale, features_flag::BOOK_STALE),
        (marks.traded, features_flag::TRADED),
        (marks.crossed, features_flag::CROSSED),
        (marks.one_sided, features_flag::ONE_SIDED),
        (marks.warming, features_flag::WARMING_UP),
    ]
    .into_iter()
    .fold(0, |flags, (set, flag)| flags | (u16::from(set) * flag))
}
