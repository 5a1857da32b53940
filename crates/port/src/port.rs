//! The port itself. `submit` is the way out, this file everything else.

mod submit;

use crate::gauges::{self, Gauges};
use crate::{
    Backoff, Counterparty, Departures, Pace, Partner, PortConfig, PortError, PositionTable, Progress, Socket,
    TokenTable,
};
use std::collections::VecDeque;
use tickline_clock::monotonic;
use tickline_gate::{Gate, TOKEN_BYTES};
use tickline_order::{Client, Phase, Positions, SessionError};
use tickline_ring::Plain;
use tickline_ring::control::Control;
use tickline_wire::flat::fill;
use tickline_wire::flat::fill::{FILL_BYTES, FillBody, fill_kind};

/// First wait before a new connection, and the longest.
const BACKOFF_NS: (u64, u64) = (10_000_000, 1_000_000_000);
/// A replay that has lost its session fails after this time: long enough for the supervisor to tell a venue that died.
const LOST_NS: u64 = 1_000_000_000;
/// Fills that may wait before the queue allocates; only a recovery brings more.
const FILLS_WAITING: usize = 8192;
/// Packets handled in one poll.
const PACKETS: usize = 256;

/// Where a port stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Connecting, logging in or replaying.
    Starting,
    /// Orders may go out.
    Ready,
    /// Ended by an error that trying again cannot mend.
    Failed,
    /// Closed as asked.
    Closed,
}

enum Link {
    Down,
    Connecting(Socket),
    Up(Socket),
}

/// Gate, session and socket. One thread owns it; nothing in it blocks, and after [`new`](Port::new) nothing allocates while
/// trading.
pub struct Port {
    config: PortConfig,
    partner: Option<Partner>,
    link: Link,
    client: Client,
    gate: Gate,
    tokens: TokenTable,
    rows: PositionTable,
    gauges: Gauges,
    backoff: Backoff,
    pace: Pace,
    departures: Departures,
    fills: VecDeque<FillBody>,
    failure: Option<SessionError>,
    closed: bool,
    tried: bool,
    /// Replay: when the session was lost.
    lost_ns: Option<u64>,
    now_ns: u64,
    /// Replay: admission to publish once the Fills handed out have been passed on.
    admit_ns: u64,
}

impl Port {
    /// Opens the segments and takes over what an earlier port of the epoch has used. Does not connect yet: that is the first
    /// [`poll`](Port::poll)'s business.
    ///
    /// # Errors
    /// [`PortError`]: segments, settings or limits.
    pub fn new(mut config: PortConfig) -> Result<Port, PortError> {
        let partner = match config.counterparty {
            Counterparty::Partner => {
                (config.client.orders_max, config.client.executions_max) = (Partner::NUMBERS, 1);
                Some(Partner::new().map_err(PortError::Partner)?)
            }
            Counterparty::Venue(_) | Counterparty::Nobody => None,
        };
        let control = Control::open(config.run_dir.join("control"))?;
        let tokens = Plain::open(config.run_dir.join("tokens"))?;
        let rows = Plain::open(config.run_dir.join("positions"))?;
        let instruments = config.client.instruments.len();
        let need = instruments * crate::POSITION_BYTES;
        if rows.bytes() < need {
            return Err(PortError::Small { segment: "positions", bytes: rows.bytes(), need });
        }
        let slots = tokens.bytes() / TOKEN_BYTES;
        let gauges = Gauges::new(&control)?;
        let client = Client::new(&config.client)?;
        let mut gate = Gate::new(config.limits, slots, gauges.line.epoch())?;
        let tokens = TokenTable::new(tokens);
        tokens.restore(&mut gate);
        Ok(Port {
            partner,
            link: Link::Down,
            client,
            gate,
            tokens,
            rows: PositionTable::new(rows),
            gauges,
            backoff: Backoff::new(BACKOFF_NS.0, BACKOFF_NS.1),
            pace: Pace::default(),
            departures: Departures::new(),
            fills: VecDeque::with_capacity(FILLS_WAITING),
            failure: None,
            closed: false,
            tried: false,
            lost_ns: None,
            now_ns: 0,
            admit_ns: 0,
            config,
        })
    }

    /// One duty cycle: connects, reads, runs timers, writes what waits, and puts Fill messages into `out`, one after the other,
    /// each `FILL_BYTES` long. Returns how many. `idle` says that the caller found nothing else to do.
    ///
    /// Everything the last call put out must have been passed on by now: a replay's admission is published on this promise.
    pub fn poll(&mut self, out: &mut [u8], idle: bool) -> usize {
        if self.admit_ns > 0 && self.fills.is_empty() {
            self.gauges.own.set_admit(self.admit_ns);
        }
        if self.failure.is_none() && !self.closed {
            self.work(idle);
        }
        let room = out.len() / FILL_BYTES;
        let count = self.fills.len().min(room);
        for (at, body) in self.fills.drain(..count).enumerate() {
            fill::write(&mut out[at * FILL_BYTES..], &body);
        }
        count
    }

    fn work(&mut self, idle: bool) {
        self.now_ns = monotonic().0.max(self.now_ns + 1);
        match &self.link {
            Link::Down => self.connect(),
            Link::Connecting(socket) => match socket.progress() {
                Ok(Progress::Connecting) => {}
                Ok(Progress::Connected) => self.connected(),
                Err(_) => self.drop_link(),
            },
            Link::Up(_) => {
                let horizon_ns = self.gauges.venue.horizon();
                let venue_sent = self.gauges.venue.sent();
                let ready = self.client.phase() == Phase::Ready;
                let waiting = venue_sent > self.client.messages_received();
                let read = match (ready, self.config.replay) {
                    (true, true) => self.pace.replay(waiting, self.now_ns),
                    (true, false) => self.pace.live(idle),
                    (false, _) => true,
                };
                if read {
                    self.read();
                }
                // Stamps can wait, frames cannot.
                if idle && self.departures.due(self.now_ns) {
                    self.collect();
                }
                if let Link::Up(_) = self.link {
                    if let Err(error) = self.client.tick(self.now_ns) {
                        return self.fail(error);
                    }
                    self.flush();
                }
                if self.config.replay
                    && self.client.phase() == Phase::Ready
                    && self.client.messages_received() >= venue_sent
                {
                    self.admit_ns = self.admit_ns.max(self.admission(horizon_ns));
                }
            }
        }
    }

    /// Replay: the line time up to which nothing that is not known yet can reach risk. The venue has spoken up to `venue_ns`; and a
    /// venue with no order of ours says nothing, so that nothing comes back sooner than the wire takes both ways.
    #[inline]
    fn admission(&self, venue_ns: u64) -> u64 {
        let heard_ns = venue_ns.saturating_add(self.config.delay_back_ns);
        if self.client.working() > 0 {
            return heard_ns;
        }
        heard_ns.max(self.gauges.own.horizon().saturating_add(self.config.wire_ns()))
    }

    /// Takes the kernel's stamps of orders that have left.
    #[inline]
    fn collect(&mut self) {
        let Link::Up(socket) = &self.link else { return };
        let gauges = &self.gauges;
        self.departures.collect(socket, self.now_ns, |order, left_ns| {
            gauges.wire.record(left_ns.saturating_sub(order.passed_ns));
            gauges.whole.record(left_ns.saturating_sub(order.due_ns));
        });
    }

    fn connect(&mut self) {
        if let Some(lost_ns) = self.lost_ns {
            if self.now_ns.saturating_sub(lost_ns) > LOST_NS {
                self.fail(SessionError::Lost);
            }
            return;
        }
        let to = match (self.config.counterparty, &self.partner) {
            _ if !self.backoff.due(self.now_ns) => return,
            (Counterparty::Venue(address), _) => address,
            (_, Some(partner)) => partner.address(),
            _ => return,
        };
        if self.tried {
            self.gauges.own.add(gauges::RECONNECTS, 1);
        }
        self.tried = true;
        match Socket::connect(to) {
            Ok(socket) => self.link = Link::Connecting(socket),
            Err(_) => self.backoff.failed(self.now_ns),
        }
    }

    fn connected(&mut self) {
        if let Link::Connecting(mut socket) = core::mem::replace(&mut self.link, Link::Down) {
            socket.ask_stamps();
            self.departures.connected();
            self.link = Link::Up(socket);
            self.client.connected(self.now_ns);
            self.flush();
        }
    }

    /// Reads once and handles what came, with the counters and rows that follow.
    fn read(&mut self) {
        let Link::Up(socket) = &mut self.link else { return };
        let came = match &mut self.partner {
            None => socket.read(self.client.space()),
            Some(partner) => partner.answer(self.client.space(), self.now_ns),
        };
        if let Ok(count) = came
            && count > 0
        {
            self.client.filled(count, self.now_ns);
            self.gauges.own.add(gauges::BYTES_IN, count as u64);
        }
        let before = self.client.counts();
        let (first, sent_before) = (self.fills.len(), self.client.messages_sent());
        let fills = &mut self.fills;
        let outcome = self.client.receive(self.now_ns, PACKETS, &mut |body| fills.push_back(body));
        self.after_fills(first);
        let after = self.client.counts();
        let own = &self.gauges.own;
        own.add(gauges::ACCEPTED, after.accepted - before.accepted);
        own.add(gauges::EXECUTED, after.executed - before.executed);
        own.add(gauges::CANCELED, after.canceled - before.canceled);
        own.add(gauges::REJECTED, after.rejected - before.rejected);
        own.add(gauges::SHARES, after.shares - before.shares);
        if self.client.messages_sent() != sent_before {
            own.set_sent(self.client.messages_sent());
        }
        if let Err(error) = outcome {
            return self.fail(error);
        }
        if came.is_err() {
            self.drop_link();
        }
        if self.partner.is_some() {
            self.client.begin_again(Partner::NUMBERS / 2);
        }
    }

    /// Completes the Fills from place `first` on: their due time, the gate's memory, the rows of positions.
    fn after_fills(&mut self, first: usize) {
        for at in first..self.fills.len() {
            let body = &mut self.fills[at];
            if self.config.replay && body.venue_ns > 0 {
                body.due_ns = body.venue_ns.saturating_add(self.config.delay_back_ns);
            }
            match body.kind {
                fill_kind::ACCEPTED | fill_kind::REPLACED | fill_kind::REJECTED => {
                    if body.recovered != 0 {
                        self.gate.restore_decision(body.epoch, body.decision);
                    } else if body.sent_ns > 0 {
                        self.gauges.ack.record(body.received_ns.saturating_sub(body.sent_ns));
                    }
                }
                fill_kind::EXECUTED | fill_kind::BROKEN => {
                    if let Some(position) = self.client.positions().get(body.instrument) {
                        self.rows.publish(body.instrument, position, body.received_ns);
                    }
                }
                fill_kind::SESSION_UP => self.backoff.succeeded(),
                _ => {}
            }
        }
    }

    /// Writes what waits, as far as the kernel takes it.
    #[inline]
    fn flush(&mut self) {
        let Link::Up(socket) = &mut self.link else { return };
        while !self.client.outgoing().is_empty() {
            match socket.write(self.client.outgoing()) {
                Ok(0) => return,
                Ok(count) => {
                    self.client.sent(count);
                    self.departures.wrote(count);
                    self.gauges.own.add(gauges::BYTES_OUT, count as u64);
                }
                // A broken connection shows on the next read, which also takes what the venue said before it broke.
                Err(_) => return,
            }
        }
    }

    #[cold]
    fn fail(&mut self, error: SessionError) {
        self.drop_link();
        self.gauges.own.set_error(&error.to_string());
        if !error.retry() {
            self.failure = Some(error);
        }
    }

    /// The connection is gone.
    #[cold]
    fn drop_link(&mut self) {
        self.link = Link::Down;
        // Who has sent how much is counted by connection: what was on its way would be waited for without end.
        if self.config.replay && self.client.phase() == Phase::Ready {
            self.lost_ns = Some(self.now_ns);
        }
        let fills = &mut self.fills;
        let again = self.client.disconnected(self.now_ns, &mut |body| fills.push_back(body));
        if !again {
            self.backoff.failed(self.now_ns);
        }
    }

    /// Walks the way of an order through the kernel with `count` heartbeats, which mean nothing to the venue, so that the first order
    /// does not pay for a cold one. To be called once the session is ready.
    pub fn warm_up(&mut self, count: u32) {
        for _ in 0..count {
            self.client.heartbeat(monotonic().0);
            self.flush();
            self.now_ns = monotonic().0.max(self.now_ns + 1);
            self.collect();
        }
    }

    /// Logs out and closes; what the socket does not take at once is given up.
    pub fn close(&mut self) {
        self.now_ns = monotonic().0.max(self.now_ns);
        self.collect();
        self.client.log_out(self.now_ns);
        self.flush();
        self.link = Link::Down;
        self.closed = true;
        self.client.disconnected(monotonic().0, &mut |_| ());
    }

    /// Where the port stands.
    pub fn status(&self) -> Status {
        match (self.closed, self.failure, self.client.phase()) {
            (true, ..) => Status::Closed,
            (_, Some(_), _) => Status::Failed,
            (.., Phase::Ready) => Status::Ready,
            _ => Status::Starting,
        }
    }

    /// Why the port failed, if it did.
    pub fn failure(&self) -> Option<SessionError> {
        self.failure
    }

    /// Descriptor of the connection, to wait on; `None` without one.
    pub fn descriptor(&self) -> Option<i32> {
        match &self.link {
            Link::Down => None,
            Link::Connecting(socket) | Link::Up(socket) => Some(socket.descriptor()),
        }
    }

    /// The positions.
    pub fn positions(&self) -> &Positions {
        self.client.positions()
    }

    /// Hash of the orders sent.
    pub fn order_hash(&self) -> u64 {
        self.client.order_hash().value()
    }
}
