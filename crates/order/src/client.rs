//! The session as one piece: what the socket's owner calls.

use crate::{
    ClOrdId, ClientConfig, ConfigError, Counts, DECISION_MAX, EPOCH_MAX, Ledger, Login, NO_INSTRUMENT,
    OrderHash, OrderRecord, OrderState, Orders, Outbox, Phase, Positions, SessionError,
};
use tickline_gate::{KIND_CANCEL, KIND_ENTER, KIND_REPLACE, Order, Passed, Seen, SessionState, TIF_IOC};
use tickline_units::{Side, Symbol};
use tickline_wire::flat::fill::{FillBody, fill_kind};
use tickline_wire::ouch::{
    AccountQuery, Appendage, CancelOrder, EnterOrder, FIXED_BYTES_MAX, Inbound, OuchError, Outbound,
    ReplaceOrder, TIF_DAY, TIF_IOC as LETTER_IOC,
};
use tickline_wire::soup::{self, ClientPacket, Framer, HEADER_BYTES, ServerPacket};

/// Largest packet accepted from the venue.
const VENUE_PACKET_BYTES_MAX: usize = 4096;
/// Bytes that may wait for the socket: a login, a query, heartbeats and one order.
const OUTBOX_BYTES: usize = 1024;
/// Bytes of any packet with an order or a query.
const ORDER_PACKET_BYTES_MAX: usize = HEADER_BYTES + FIXED_BYTES_MAX;

/// Client side of an order session. See the crate's text for what it keeps.
///
/// After a connection is up: [`connected`](Client::connected). Bytes in: [`space`](Client::space),
/// [`filled`](Client::filled), [`receive`](Client::receive). Bytes out: [`outgoing`](Client::outgoing),
/// [`sent`](Client::sent). Timers: [`tick`](Client::tick). Connection gone: [`disconnected`](Client::disconnected).
pub struct Client {
    login: Login,
    user: String,
    password: String,
    framer: Framer,
    outbox: Outbox,
    ledger: Ledger,
    hash: OrderHash,
    messages_sent: u64,
    was_ready: bool,
}

impl Client {
    /// A client that has not connected. Allocates every table.
    ///
    /// # Errors
    /// [`ConfigError`] naming the field.
    pub fn new(config: &ClientConfig) -> Result<Client, ConfigError> {
        config.check()?;
        soup::Login::new(&config.user, &config.password, "", 0)
            .map_err(|error| ConfigError { field: "user, password", problem: error.to_string() })?;
        Ok(Client {
            login: Login::new(config.heartbeat_ns, config.dead_ns),
            user: config.user.clone(),
            password: config.password.clone(),
            framer: Framer::new(VENUE_PACKET_BYTES_MAX),
            outbox: Outbox::new(OUTBOX_BYTES),
            ledger: Ledger::new(&config.instruments, config.orders_max, config.executions_max),
            hash: OrderHash::default(),
            messages_sent: 0,
            was_ready: false,
        })
    }

    /// A connection is up: queues the login.
    pub fn connected(&mut self, now_ns: u64) {
        self.framer.clear();
        self.outbox.clear();
        let (session, sequence) = self.login.connected(now_ns);
        if let Ok(login) = soup::Login::new(&self.user, &self.password, "", sequence) {
            self.say(&ClientPacket::Login(soup::Login { session, ..login }), now_ns);
        }
    }

    /// The connection is gone: half-read and unsent bytes are forgotten, orders keep their state. Tells `sink` when the session
    /// was up. True when the caller should connect again at once.
    pub fn disconnected(&mut self, now_ns: u64, sink: &mut impl FnMut(FillBody)) -> bool {
        if self.login.phase == Phase::Ready {
            sink(session_fill(fill_kind::SESSION_DOWN, now_ns));
        }
        self.framer.clear();
        self.outbox.clear();
        self.login.disconnected()
    }

    /// Queues a logout, if there is a session.
    pub fn log_out(&mut self, now_ns: u64) {
        if self.login.phase != Phase::Down {
            self.say(&ClientPacket::Logout, now_ns);
        }
    }

    /// Where to read bytes from the socket to.
    #[inline]
    pub fn space(&mut self) -> &mut [u8] {
        self.framer.space()
    }

    /// `count` bytes were read into [`space`](Client::space) at `now_ns`.
    #[inline]
    pub fn filled(&mut self, count: usize, now_ns: u64) {
        self.framer.filled(count);
        self.login.heard_ns = now_ns;
    }

    /// Handles up to `budget` packets of those read, and returns how many. Fills go to `sink`; a packet makes two at most, except
    /// while recovering.
    ///
    /// # Errors
    /// [`SessionError`]: close the connection; [`SessionError::retry`] says whether to connect again.
    pub fn receive(
        &mut self,
        now_ns: u64,
        budget: usize,
        sink: &mut impl FnMut(FillBody),
    ) -> Result<usize, SessionError> {
        for handled in 0..budget {
            let Some(packet) = self.framer.next().map_err(SessionError::Soup)? else { return Ok(handled) };
            match ServerPacket::decode(packet).map_err(SessionError::Soup)? {
                ServerPacket::Sequenced(message) => {
                    let reads = self.login.phase != Phase::Leaving;
                    let end_of_history = self.login.message()?;
                    let next_user_ref = match (reads, Outbound::decode(message)) {
                        (false, _) => None,
                        (true, Ok(Outbound::AccountQueryResponse(answer, _))) => Some(answer.next_user_ref),
                        (true, Ok(word)) => {
                            self.ledger.apply(&word, now_ns, sink)?;
                            None
                        }
                        (true, Err(OuchError::UnknownType { .. })) => {
                            self.ledger.counts.unknown += 1;
                            None
                        }
                        (true, Err(error)) => return Err(SessionError::Ouch(error)),
                    };
                    match next_user_ref {
                        _ if end_of_history => self.query(now_ns),
                        Some(next) if self.login.phase == Phase::Querying => self.ready(next, now_ns, sink),
                        _ => {}
                    }
                }
                ServerPacket::Accepted(accepted) => {
                    self.login.accepted(&accepted)?;
                    match self.login.phase {
                        Phase::Querying => self.query(now_ns),
                        Phase::Leaving => self.say(&ClientPacket::Logout, now_ns),
                        _ => {}
                    }
                }
                ServerPacket::Rejected(reason) => return Err(SessionError::Rejected(reason)),
                ServerPacket::End if self.login.phase == Phase::Leaving => {}
                ServerPacket::End => return Err(SessionError::Ended),
                ServerPacket::Heartbeat | ServerPacket::Unsequenced(_) | ServerPacket::Debug(_) => {}
            }
        }
        Ok(budget)
    }

    /// Runs the timers: queues a heartbeat when one is due.
    ///
    /// # Errors
    /// [`SessionError::Dead`] when the venue has been silent for too long.
    #[inline]
    pub fn tick(&mut self, now_ns: u64) -> Result<(), SessionError> {
        if self.login.phase == Phase::Down {
            return Ok(());
        }
        self.login.check_alive(now_ns)?;
        if self.login.heartbeat_due(now_ns) && self.outbox.is_empty() {
            self.say(&ClientPacket::Heartbeat, now_ns);
        }
        Ok(())
    }

    /// Queues a heartbeat though none is due; nothing while the session is not up.
    pub fn heartbeat(&mut self, now_ns: u64) {
        if self.login.phase == Phase::Ready && self.outbox.is_empty() {
            self.say(&ClientPacket::Heartbeat, now_ns);
        }
    }

    /// Orders that may still execute, those not answered yet among them.
    #[inline]
    pub fn working(&self) -> u32 {
        self.ledger.orders.working()
    }

    /// What the gate has to know of the session for this order.
    #[inline]
    pub fn state_for(&self, order: &Order) -> SessionState {
        let orders = &self.ledger.orders;
        let target = order.kind == KIND_ENTER
            || orders.get(order.target).is_some_and(|target| {
                target.working() && target.instrument == order.instrument && target.side as u8 == order.side
            });
        SessionState {
            ready: self.login.phase == Phase::Ready
                && order.epoch <= EPOCH_MAX
                && order.decision <= DECISION_MAX
                && !self.ledger.executions.is_full(),
            backlog: !self.outbox.is_empty(),
            instrument: self.ledger.symbol(order.instrument).is_some(),
            target,
            working: orders.working(),
            user_refs_left: orders.left(),
            rate: false,
            decision: Seen::TooOld,
        }
    }

    /// Queues the message of an order that has passed the gate. Returns its user reference number, or the target's for a cancel.
    /// `now_ns` is kept as the order's time of sending.
    #[inline]
    pub fn submit(&mut self, passed: Passed, now_ns: u64) -> u32 {
        let order = *passed.order();
        self.hash.add(&order);
        match order.kind {
            KIND_CANCEL => {
                self.ledger.orders.change(order.target, |record| record.canceling = true);
                let cancel = CancelOrder { user_ref: order.target, qty: order.qty };
                self.send(&Inbound::CancelOrder(cancel, Appendage::NONE), now_ns);
                order.target
            }
            kind => {
                let side = Side::from_code(order.side).unwrap_or(Side::Buy);
                let user_ref = self.ledger.orders.add(OrderRecord {
                    decision: order.decision,
                    sent_ns: now_ns,
                    epoch: order.epoch,
                    token: order.token,
                    price: order.price,
                    qty: order.qty,
                    replaces: if kind == KIND_REPLACE { order.target } else { 0 },
                    instrument: order.instrument,
                    strategy: order.strategy,
                    side,
                    lane: order.lane,
                    state: OrderState::Pending,
                    ..OrderRecord::default()
                });
                let message = self.message_of(&order, user_ref, side);
                self.send(&message, now_ns);
                user_ref
            }
        }
    }

    /// Enter or replace. The gate has refused epochs, decisions and instruments that have no name or symbol.
    #[inline]
    fn message_of(&self, order: &Order, user_ref: u32, side: Side) -> Inbound<'static> {
        let name = ClOrdId { epoch: order.epoch, decision: order.decision };
        let cl_ord_id = name.encode().unwrap_or([b' '; 14]);
        let tif = if order.tif == TIF_IOC { LETTER_IOC } else { TIF_DAY };
        let (qty, price, display, sweep) = (order.qty, u64::from(order.price), b'Y', b'N');
        if order.kind == KIND_REPLACE {
            let original_user_ref = order.target;
            let replace =
                ReplaceOrder { original_user_ref, user_ref, qty, price, tif, display, sweep, cl_ord_id };
            return Inbound::ReplaceOrder(replace, Appendage::NONE);
        }
        let symbol = self.ledger.symbol(order.instrument).unwrap_or(Symbol([b' '; 8])).0;
        let (side, capacity, cross) = (side.letter(), b'P', b'N');
        let enter = EnterOrder {
            user_ref,
            side,
            qty,
            symbol,
            price,
            tif,
            display,
            capacity,
            sweep,
            cross,
            cl_ord_id,
        };
        Inbound::EnterOrder(enter, Appendage::NONE)
    }

    fn query(&mut self, now_ns: u64) {
        self.send(&Inbound::AccountQuery(AccountQuery {}, Appendage::NONE), now_ns);
    }

    fn ready(&mut self, next_user_ref: u32, now_ns: u64, sink: &mut impl FnMut(FillBody)) {
        self.ledger.never_arrived(next_user_ref, now_ns, sink);
        self.ledger.orders.skip_to(next_user_ref);
        self.ledger.recovering = false;
        self.login.phase = Phase::Ready;
        self.was_ready = true;
        sink(session_fill(fill_kind::SESSION_UP, now_ns));
    }

    /// Queues an OUCH message and counts it.
    #[inline]
    fn send(&mut self, message: &Inbound<'_>, now_ns: u64) {
        let mut bytes = [0; FIXED_BYTES_MAX];
        let length = message.encode(&mut bytes).unwrap_or(0);
        debug_assert!(length > 0, "a message without appendage fits its longest fixed part");
        self.say(&ClientPacket::Unsequenced(&bytes[..length]), now_ns);
        self.messages_sent += 1;
    }

    /// Queues a packet. The gate refuses orders while bytes wait, so there is room.
    #[inline]
    fn say(&mut self, packet: &ClientPacket<'_>, now_ns: u64) {
        if let Ok(bytes) = packet.encode(self.outbox.space()) {
            self.outbox.wrote(bytes);
            self.login.spoke_ns = now_ns;
        } else {
            debug_assert!(false, "the outbox holds every packet that may wait at once");
        }
    }

    /// Bytes for the socket.
    #[inline]
    pub fn outgoing(&self) -> &[u8] {
        self.outbox.pending()
    }

    /// The socket took the first `count` bytes of [`outgoing`](Client::outgoing).
    #[inline]
    pub fn sent(&mut self, count: usize) {
        self.outbox.sent(count);
    }

    /// Where the session stands.
    pub fn phase(&self) -> Phase {
        self.login.phase
    }

    /// True once the session has been ready, even if it is not now.
    pub fn was_ready(&self) -> bool {
        self.was_ready
    }

    /// OUCH messages queued for the venue since the start.
    pub fn messages_sent(&self) -> u64 {
        self.messages_sent
    }

    /// Sequenced messages read of the venue's whole stream.
    pub fn messages_received(&self) -> u64 {
        self.login.next - 1
    }

    /// The orders.
    pub fn orders(&self) -> &Orders {
        self.ledger.orders()
    }

    /// Forgets all orders, and gives numbers from 1 again, once fewer than `left` can be given and nothing works any more. For a counterparty
    /// that forgets too: a venue would ignore the numbers.
    #[inline]
    pub fn begin_again(&mut self, left: u32) {
        let orders = &mut self.ledger.orders;
        if orders.left() < left && orders.working() == 0 {
            orders.clear();
        }
    }

    /// The positions.
    pub fn positions(&self) -> &Positions {
        self.ledger.positions()
    }

    /// What has happened.
    pub fn counts(&self) -> Counts {
        self.ledger.counts()
    }

    /// Hash of the orders sent.
    pub fn order_hash(&self) -> OrderHash {
        self.hash
    }
}

const _: () = assert!(OUTBOX_BYTES > 4 * ORDER_PACKET_BYTES_MAX);

fn session_fill(kind: u8, now_ns: u64) -> FillBody {
    FillBody { kind, received_ns: now_ns, instrument: NO_INSTRUMENT, ..FillBody::default() }
}
