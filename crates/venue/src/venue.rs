//! The whole venue: engine, market data and order port, kept in step.

use crate::background::{Background, Passed};
use crate::engine::{Command, Engine, Event};
use crate::feed_out::FeedOut;
use crate::port::{OrderPort, UserId};
use tickline_units::Nanos;
use tickline_wire::itch::Update;
use tickline_wire::ouch::OuchError;

/// Engine, port and (unless nobody listens) market data. Whatever happens to a book is published and told to users, in
/// one order.
pub struct Venue {
    /// The books.
    pub engine: Engine,
    /// The order port.
    pub port: OrderPort,
    /// Market data; `None` in a replay, where the line reads the capture itself.
    pub feed: Option<FeedOut>,
    events: Vec<Event>,
    now: Nanos,
}

impl Venue {
    /// Puts the parts together.
    pub fn new(engine: Engine, port: OrderPort, feed: Option<FeedOut>) -> Venue {
        Venue { engine, port, feed, events: Vec::with_capacity(1024), now: Nanos(0) }
    }

    /// The venue's time never goes back: flow that is played late happens when it is played.
    fn clock(&mut self, time: Nanos) -> Nanos {
        self.now = self.now.max(time);
        self.now
    }

    /// One command of generated flow.
    pub fn command(&mut self, time: Nanos, command: &Command) {
        let time = self.clock(time);
        self.engine.apply(command, &mut self.events);
        self.port.route(time, &self.events, &self.engine);
        self.publish(time);
    }

    /// One message of a capture: `bytes` is the message that `update` was decoded from.
    pub fn update(&mut self, time: Nanos, update: &Update, bytes: &[u8], background: &mut Background) {
        let time = self.clock(time);
        let passed = background.update(update, &mut self.engine, &mut self.events);
        if let Some(feed) = &mut self.feed {
            if let Passed::Listed(place, seen) = passed {
                feed.list(place, seen.symbol, seen.locate);
            }
            let directory = bytes.first() == Some(&b'R');
            if passed == Passed::AsIs || directory {
                feed.pass(bytes);
            }
        }
        self.port.route(time, &self.events, &self.engine);
        self.publish(time);
    }

    /// One OUCH message of a user.
    ///
    /// # Errors
    /// The bytes are no OUCH 5.0 message; nothing happened.
    pub fn order(&mut self, time: Nanos, user: UserId, bytes: &[u8]) -> Result<(), OuchError> {
        let time = self.clock(time);
        self.port.receive(user, bytes, time, &mut self.engine, &mut self.events)?;
        self.publish(time);
        Ok(())
    }

    /// A user's connection ended: its orders go.
    pub fn disconnect(&mut self, time: Nanos, user: UserId) {
        let time = self.clock(time);
        self.port.disconnect(user, time, &mut self.engine, &mut self.events);
        self.publish(time);
    }

    fn publish(&mut self, time: Nanos) {
        if let Some(feed) = &mut self.feed {
            feed.publish(time, &self.events);
        }
        self.events.clear();
    }
}

impl AsMut<OrderPort> for Venue {
    fn as_mut(&mut self) -> &mut OrderPort {
        &mut self.port
    }
}
