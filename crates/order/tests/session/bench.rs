//! The real client against the real venue, both without sockets: bytes cross in pieces of any size, connections end at any byte,
//! clients restart. Truth is recounted from the venue's own stream by a model that shares no code with the client.

use std::collections::{HashMap, HashSet};
use tickline_gate::{ARMED, Gate, LineState, Order, SessionLimits, Token};
use tickline_order::{Client, ClientConfig, OrderState, Phase};
use tickline_units::{Nanos, Price, Qty, Side, Symbol};
use tickline_venue::Venue;
use tickline_venue::engine::{Command, Engine, Enter, Life, Owner, Ref, SelfTrade};
use tickline_venue::port::{Account, OrderPort, Tradable};
use tickline_venue::soup_server::{Came, Patience, SoupServer};
use tickline_wire::flat::fill::FillBody;
use tickline_wire::ouch::Outbound;

const SYMBOL: &str = "TLKA";

pub(crate) struct Bench {
    pub(crate) venue: Venue,
    pub(crate) client: Client,
    pub(crate) gate: Gate,
    pub(crate) server: Option<SoupServer>,
    pub(crate) fills: Vec<FillBody>,
    pub(crate) now: u64,
    pub(crate) next_ref: u64,
}

fn config() -> ClientConfig {
    ClientConfig {
        orders_max: 4096,
        executions_max: 4096,
        ..ClientConfig::new("TICK01", "tickline", vec![Symbol::new(SYMBOL).unwrap()])
    }
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let account = Account { user: *b"TICK01", password: *b"tickline  " };
        let tradable = Tradable { symbol: Symbol::new(SYMBOL).unwrap(), tick: 100 };
        let port = OrderPort::new(&[account], vec![tradable]);
        let limits = SessionLimits {
            order_qty_max: 10_000,
            order_notional_max: u64::MAX,
            messages_per_second: 1_000_000,
            working_orders_max: 4096,
        };
        Bench {
            venue: Venue::new(Engine::new(1, 1024, SelfTrade::default()), port, None),
            client: Client::new(&config()).unwrap(),
            gate: Gate::new(limits, 1, 1).unwrap(),
            server: None,
            fills: Vec::new(),
            now: 1,
            next_ref: 1,
        }
    }

    pub(crate) fn connect(&mut self) {
        self.now += 1;
        self.server = Some(SoupServer::new(*b"DAY0000001", Patience::default(), Nanos(self.now)));
        self.client.connected(self.now);
    }

    /// The connection ends; what was on its way is lost.
    pub(crate) fn cut(&mut self) {
        self.now += 1;
        if let Some(user) = self.server.take().and_then(|server| server.user()) {
            self.venue.disconnect(Nanos(self.now), user);
        }
        let fills = &mut self.fills;
        self.client.disconnected(self.now, &mut |fill| fills.push(fill));
    }

    /// The client's process dies and another takes its place.
    pub(crate) fn restart(&mut self) {
        if let Some(user) = self.server.take().and_then(|server| server.user()) {
            self.venue.disconnect(Nanos(self.now), user);
        }
        self.client = Client::new(&config()).unwrap();
        self.fills.clear();
    }

    /// Moves at most `out` bytes to the venue and `back` bytes to the client.
    pub(crate) fn pump(&mut self, out: usize, back: usize) {
        self.now += 1;
        let Some(server) = &mut self.server else { return };
        let pending = self.client.outgoing();
        let space = server.space();
        let count = pending.len().min(out).min(space.len());
        space[..count].copy_from_slice(&pending[..count]);
        server.filled(count, Nanos(self.now));
        self.client.sent(count);
        let mut ended = false;
        loop {
            match server.next(&self.venue.port) {
                Ok(Some(Came::Message(user, bytes))) => {
                    let bytes = bytes.to_vec();
                    self.venue.order(Nanos(self.now), user, &bytes).unwrap();
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => {
                    ended = true;
                    break;
                }
            }
        }
        let _ = server.poll(&self.venue.port, Nanos(self.now));
        let pending = server.outgoing();
        let space = self.client.space();
        let count = pending.len().min(back).min(space.len());
        space[..count].copy_from_slice(&pending[..count]);
        server.sent(count);
        let drained = server.outgoing().is_empty();
        self.client.filled(count, self.now);
        let fills = &mut self.fills;
        self.client.receive(self.now, 100, &mut |fill| fills.push(fill)).unwrap();
        if ended && drained {
            self.cut();
        }
    }

    /// Connects as often as the session asks for it, until orders may go out.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            if self.server.is_none() {
                self.connect();
            }
            self.pump(usize::MAX, usize::MAX);
            let quiet = self.client.outgoing().is_empty();
            if self.client.phase() == Phase::Ready && quiet {
                self.pump(usize::MAX, usize::MAX);
                return;
            }
        }
        panic!("the session never became ready: {:?}", self.client.phase());
    }

    pub(crate) fn order(&mut self, decision: u64, side: Side, price: u32, qty: u32) -> bool {
        let order =
            Order { decision, epoch: 1, price, qty, side: side as u8, kind: 1, tif: 0, ..Order::default() };
        self.submit(&order)
    }

    pub(crate) fn submit(&mut self, order: &Order) -> bool {
        let token = Token {
            epoch: 1,
            expiry_ns: u64::MAX,
            price_low: 1,
            price_high: u32::MAX,
            qty_max: u32::MAX,
            qty_total: u64::MAX,
            notional_total: u64::MAX,
            messages_total: u64::MAX,
            side: order.side,
            ..Token::default()
        };
        let line = LineState { armed: ARMED, epoch: 1 };
        let state = self.client.state_for(order);
        match self.gate.admit(order, &token.image(2), &state, &line, Nanos(self.now)) {
            Ok(passed) => {
                self.client.submit(passed, self.now);
                true
            }
            Err(_) => false,
        }
    }

    /// An order of the crowd.
    pub(crate) fn crowd(&mut self, side: Side, price: u32, qty: u32) {
        self.now += 1;
        let order = Ref(self.next_ref);
        self.next_ref += 1;
        let enter = Enter {
            order,
            symbol: 0,
            owner: Owner::PUBLIC,
            side,
            price: Price(price),
            qty: Qty(qty),
            life: Life::Day,
            mpid: 0,
        };
        self.venue.command(Nanos(self.now), &Command::Enter(enter));
    }

    /// Recounts the venue's stream: shares and cash, by execution, each match and order once.
    pub(crate) fn truth(&self) -> (i64, i128, HashMap<u32, u32>) {
        let user = self.venue.port.users().next().unwrap();
        let (mut sides, mut left, mut seen) = (HashMap::new(), HashMap::new(), HashSet::new());
        let (mut shares, mut cash) = (0i64, 0i128);
        for sequence in 1..self.venue.port.next(user) {
            match Outbound::decode(self.venue.port.message(user, sequence).unwrap()).unwrap() {
                Outbound::OrderAccepted(m, _) => {
                    sides.insert(m.user_ref, m.side);
                    left.insert(m.user_ref, m.qty);
                }
                Outbound::Executed(m, _) => {
                    assert!(seen.insert((m.match_number, m.user_ref)), "the venue itself reports once");
                    let sign = if sides[&m.user_ref] == b'B' { 1 } else { -1 };
                    shares += sign * i64::from(m.qty);
                    cash -= i128::from(sign) * i128::from(m.qty) * i128::from(m.price);
                    *left.get_mut(&m.user_ref).unwrap() -= m.qty;
                }
                Outbound::AiqCanceled(m, _) => *left.get_mut(&m.user_ref).unwrap() -= m.qty,
                Outbound::Canceled(m, _) => *left.get_mut(&m.user_ref).unwrap() -= m.qty,
                _ => {}
            }
        }
        left.retain(|_, qty| *qty > 0);
        (shares, cash, left)
    }

    pub(crate) fn check(&self) {
        let (shares, cash, left) = self.truth();
        let position = self.client.positions().get(0).unwrap();
        assert_eq!((position.shares, position.cash), (shares, cash));
        assert_eq!(position.shares, position.bought as i64 - position.sold as i64);
        assert_eq!(self.client.orders().working() as usize, left.len());
        for (user_ref, qty) in left {
            let record = self.client.orders().get(user_ref).unwrap();
            assert_eq!((record.state, record.leaves()), (OrderState::Live, qty), "order {user_ref}");
        }
    }
}
