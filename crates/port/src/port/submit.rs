//! The way of an order out: message, gate, session, socket, stamps.

use super::{Link, Port};
use crate::{Departure, gauges};
use tickline_clock::monotonic;
use tickline_gate::{LineState, Order, Refusal};
use tickline_ring::control::ARMED;
use tickline_units::Nanos;
use tickline_wire::flat::fill::{FillBody, fill_kind};
use tickline_wire::flat::order;

impl Port {
    /// Sends the order in `bytes` (an Order message), if the gate lets it. A refusal is also handed out as a Fill.
    ///
    /// # Errors
    /// The gate's [`Refusal`].
    #[inline]
    pub fn submit(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let Some(body) = order::read_copy(bytes) else {
            return self.refuse(&Order::default(), Refusal::Malformed);
        };
        let order = Order {
            decision: body.decision,
            time_ns: body.time_ns,
            epoch: body.epoch,
            token: body.token,
            price: body.price,
            qty: body.qty,
            target: body.target,
            instrument: body.instrument,
            strategy: body.strategy,
            side: body.side,
            lane: body.lane,
            kind: body.kind,
            tif: body.tif,
        };
        let line_ns = if self.config.replay { Nanos(order.time_ns) } else { monotonic() };
        let line = LineState {
            armed: if self.gauges.line.armed() { ARMED } else { 0 },
            epoch: self.gauges.line.epoch(),
        };
        let image = self.tokens.image(order.token);
        let passed = match self.gate.admit(&order, &image, &self.client.state_for(&order), &line, line_ns) {
            Ok(passed) => passed,
            Err(refusal) => return self.refuse(&order, refusal),
        };
        self.tokens.publish_used(order.token, self.gate.used(order.token), self.gate.epoch());
        let passed_ns = monotonic().0;
        self.client.submit(passed, passed_ns);
        self.flush();
        let sent_ns = monotonic().0;
        self.gauges.own.set_sent(self.client.messages_sent());
        self.gauges.own.add(gauges::SENT, 1);
        self.gauges.gate.record(passed_ns.saturating_sub(body.risk_ns));
        self.gauges.send.record(sent_ns - passed_ns);
        self.depart(Departure { due_ns: body.due_ns, passed_ns }, sent_ns);
        Ok(())
    }

    /// Measures the way of an order: to its departure as the kernel stamps it, or to now where the kernel does not.
    #[inline]
    fn depart(&mut self, order: Departure, sent_ns: u64) {
        match &self.link {
            Link::Up(socket) if socket.stamps() => self.departures.await_stamp(order, sent_ns),
            _ => self.gauges.whole.record(sent_ns.saturating_sub(order.due_ns)),
        }
    }

    fn refuse(&mut self, order: &Order, refusal: Refusal) -> Result<(), Refusal> {
        self.gauges.own.add(gauges::REFUSED, 1);
        if matches!(refusal, Refusal::Duplicate | Refusal::DecisionOld) {
            self.gauges.own.add(gauges::DUPLICATE, 1);
        }
        self.fills.push_back(FillBody {
            decision: order.decision,
            // As if the venue had refused: earlier, and the refusal could reach risk before or after its next Signal,
            // depending on placement.
            due_ns: if self.config.replay { order.time_ns + self.config.wire_ns() } else { 0 },
            received_ns: monotonic().0,
            epoch: order.epoch,
            token: order.token,
            price: order.price,
            qty: order.qty,
            instrument: order.instrument,
            strategy: order.strategy,
            side: order.side,
            lane: order.lane,
            kind: fill_kind::REFUSED,
            reason: refusal.code(),
            ..FillBody::default()
        });
        Err(refusal)
    }
}
