// @hot
//! Frames in, rows of features out.

use crate::counts::Counts;
use crate::desk::Desk;
use tickline_book::{Books, Capacity};
use tickline_packet::Frame;
use tickline_packet::arbiter::{Arbiter, Config, Event, Gap};
use tickline_units::{Nanos, Symbol};
use tickline_wire::flat::features::FeaturesBody;

/// Where rows go. Called once per frame and instrument that the frame touched, in order of the first touch.
pub trait Outlet {
    /// Lends the memory of a row to `fill`, which writes every field except `feed_ns`, and publishes it. `feed_ns` is the
    /// outlet's: it knows when that was.
    fn row(&mut self, fill: impl FnOnce(&mut FeaturesBody));
}

/// What a pipeline is made for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Instruments that get features, distinct; a row's `instrument` is the place in this list. All symbols get books.
    pub instruments: Vec<Symbol>,
    /// Arbitration of the lines.
    pub arbiter: Config,
    /// Memory set aside for books.
    pub books: Capacity,
}

/// Arbitration, books and features wired together: a pure function of frames and times. Allocates nothing after `new`
/// unless the books outgrow `Settings::books`.
///
/// A book is stale, and its rows say so, after a gap, a message that should have been understood and was not, or one that
/// contradicts the book, until the next session; and while messages that were asked for again are catching up with later
/// ones.
pub struct Pipeline {
    arbiter: Arbiter,
    desk: Desk,
}

impl Pipeline {
    /// Sets all memory aside.
    ///
    /// # Panics
    /// If an instrument is listed twice or the arbiter's window is no power of two: the caller's bug.
    pub fn new(settings: &Settings) -> Pipeline {
        Pipeline {
            arbiter: Arbiter::new(settings.arbiter),
            desk: Desk::new(&settings.instruments, settings.books),
        }
    }

    /// Takes one frame and publishes a row of each instrument it touched. Returns how many.
    #[inline]
    pub fn accept(&mut self, frame: &Frame<'_>, outlet: &mut impl Outlet) -> usize {
        let desk = &mut self.desk;
        desk.counts.frames += 1;
        if self.arbiter.accept(frame, |event| desk.take(event)).is_err() {
            desk.counts.malformed += 1;
        }
        desk.publish(frame.time, frame.due, self.arbiter.missing().is_some(), outlet)
    }

    /// Lets something else feed the arbiter at line time `now`, such as a re-request client: `work` gets the arbiter and
    /// where its events go. One row of each instrument touched by all of it.
    #[inline]
    pub fn recover(
        &mut self,
        now: Nanos,
        outlet: &mut impl Outlet,
        work: impl FnOnce(&mut Arbiter, &mut dyn FnMut(Event<'_>)),
    ) -> usize {
        let desk = &mut self.desk;
        work(&mut self.arbiter, &mut |event| desk.take(event));
        desk.publish(now, now, self.arbiter.missing().is_some(), outlet)
    }

    /// Gives up what has been missing for too long at line time `now`; a gap makes a row of every instrument. To be called
    /// when no frame comes, and with the latest time there is at the end of a capture.
    #[inline]
    pub fn idle(&mut self, now: Nanos, due: Nanos, outlet: &mut impl Outlet) -> usize {
        let desk = &mut self.desk;
        self.arbiter.poll(now, |event| desk.take(event));
        desk.publish(now, due, self.arbiter.missing().is_some(), outlet)
    }

    /// Does what of the next frame's work can be done without it, for one instrument a call: for while no frame is there. What is
    /// published is the same with and without it.
    #[inline]
    pub fn prepare(&mut self) {
        self.desk.prepare();
    }

    /// The first 256 gaps.
    pub fn gaps(&self) -> &[Gap] {
        self.desk.gaps()
    }

    /// The books.
    pub fn books(&self) -> &Books {
        &self.desk.books
    }

    /// The arbiter: counts per line, what is missing now.
    pub fn arbiter(&self) -> &Arbiter {
        &self.arbiter
    }

    /// Totals.
    pub fn counts(&self) -> &Counts {
        &self.desk.counts
    }

    /// True after the end of a session, until the next begins.
    pub fn is_over(&self) -> bool {
        self.desk.is_over()
    }
}
