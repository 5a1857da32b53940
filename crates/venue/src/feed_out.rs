//! Market data out: events of the engine become ITCH 5.0 messages, messages become MoldUDP64 packets.

use crate::engine::{Event, Owner, Trade};
use crate::log::MessageLog;
use tickline_units::{Nanos, Side, Symbol};
use tickline_wire::itch::{self, Body, Letter, Update};
use tickline_wire::mold::{self, Packer, Session};

/// Largest UDP payload written: an Ethernet frame of 1,500 bytes less IPv4 and UDP.
pub const PACKET_BYTES_MAX: usize = 1472;

/// One session of market data: its messages, and which of them have been put into packets.
pub struct FeedOut {
    session: Session,
    log: MessageLog,
    packed: u64,
    symbols: Vec<(Symbol, u16)>,
}

impl FeedOut {
    /// A session without messages. `symbols` gives each symbol's name and locate code, in the engine's order.
    pub fn new(session: Session, symbols: Vec<(Symbol, u16)>) -> FeedOut {
        FeedOut { session, log: MessageLog::default(), packed: 1, symbols }
    }

    /// Adds a symbol, or gives one that is there its locate code of the day.
    pub fn list(&mut self, place: u16, symbol: Symbol, locate: u16) {
        match self.symbols.get_mut(place as usize) {
            Some(listed) => *listed = (symbol, locate),
            None => self.symbols.push((symbol, locate)),
        }
    }

    /// Messages so far.
    pub fn messages(&self) -> u64 {
        self.log.next() - 1
    }

    /// The start of the day: system events, every symbol's directory entry and trading state.
    pub fn open(&mut self, time: Nanos) {
        for event in *b"OS" {
            self.system(time, event);
        }
        for place in 0..self.symbols.len() {
            let (symbol, locate) = self.symbols[place];
            let letter = Letter;
            self.write(time, locate, |_| {
                itch::StockDirectory {
                    symbol,
                    market: letter(b'Q'),
                    financial_status: letter(b'N'),
                    round_lot: 100,
                    round_lots_only: letter(b'N'),
                    classification: letter(b'C'),
                    subtype: *b"Z ",
                    authenticity: letter(b'T'),
                    short_sale_threshold: letter(b'N'),
                    ipo: letter(b'N'),
                    luld_tier: letter(b'1'),
                    etp: letter(b'N'),
                    etp_leverage: 0,
                    inverse: letter(b'N'),
                }
                .into()
            });
            self.write(time, locate, |_| {
                itch::TradingAction { symbol, state: letter(b'T'), reserved: letter(b' '), reason: *b"    " }
                    .into()
            });
        }
        self.system(time, b'Q');
    }

    /// The end of the day.
    pub fn close(&mut self, time: Nanos) {
        for event in *b"MEC" {
            self.system(time, event);
        }
    }

    fn system(&mut self, time: Nanos, event: u8) {
        self.write(time, 0, |_| itch::SystemEvent { event: Letter(event) }.into());
    }

    /// Appends what the engine did. Orders of users show no participant.
    pub fn publish(&mut self, time: Nanos, events: &[Event]) {
        for event in events {
            match *event {
                Event::Added { order, price, qty, mpid, symbol, owner, side } => {
                    let attributed = mpid != 0 && owner == Owner::PUBLIC;
                    self.add(time, symbol, side, attributed.then_some(mpid), (order.0, qty, price));
                }
                Event::Traded(trade) => self.trade(time, &trade),
                Event::Reduced { order, by, symbol, .. } => {
                    self.of(time, symbol, |_| itch::Cancel { order: order.0, shares: by }.into());
                }
                Event::Removed { order, symbol, .. } => {
                    self.of(time, symbol, |_| itch::Delete { order: order.0 }.into());
                }
                Event::Replaced { old, new, price, qty, symbol, .. } => self.of(time, symbol, |_| {
                    itch::Replace { order: old.0, new_order: new.0, shares: qty, price }.into()
                }),
                Event::Printed { match_id, price, qty, symbol, side } => self.of(time, symbol, |symbol| {
                    itch::Trade { order: 0, side, shares: qty, symbol, price, match_number: match_id }.into()
                }),
                Event::Lapsed { .. } | Event::Refused { .. } => {}
            }
        }
    }

    fn add(
        &mut self,
        time: Nanos,
        place: u16,
        side: Side,
        mpid: Option<u32>,
        (order, shares, price): (u64, tickline_units::Qty, tickline_units::Price),
    ) {
        self.of(time, place, |symbol| match mpid {
            Some(mpid) => {
                itch::AddMpid { order, side, shares, symbol, price, mpid: mpid.to_be_bytes() }.into()
            }
            None => itch::Add { order, side, shares, symbol, price }.into(),
        });
    }

    fn trade(&mut self, time: Nanos, trade: &Trade) {
        let (order, shares, match_number) = (trade.resting.0, trade.qty, trade.match_id);
        self.of(time, trade.symbol, |_| {
            if trade.printable && trade.price == trade.shown {
                itch::Executed { order, shares, match_number }.into()
            } else {
                let printable = Letter(if trade.printable { b'Y' } else { b'N' });
                itch::ExecutedPrice { order, shares, match_number, printable, price: trade.price }.into()
            }
        });
    }

    /// Appends a message of a capture unchanged.
    pub fn pass(&mut self, message: &[u8]) {
        self.log.push(message);
    }

    fn of(&mut self, time: Nanos, place: u16, body: impl FnOnce(Symbol) -> Body) {
        let Some(&(symbol, locate)) = self.symbols.get(place as usize) else { return };
        self.write(time, locate, |_| body(symbol));
    }

    fn write(&mut self, time: Nanos, locate: u16, body: impl FnOnce(u16) -> Body) {
        let header = itch::Header { time: Nanos(time.0 & 0xFFFF_FFFF_FFFF), locate, tracking: 0 };
        let update = Update { header, body: body(locate) };
        self.log.append::<{ itch::BYTES_MAX }>(|to| itch::encode(&update, to));
    }

    /// Writes the next packet of messages not yet packed and returns its length; 0 when there are none.
    /// `packet` must hold at least [`PACKET_BYTES_MAX`] bytes.
    pub fn pack(&mut self, packet: &mut [u8]) -> usize {
        if self.packed == self.log.next() {
            return 0;
        }
        let (length, count) = self.fill(self.packed, u16::MAX - 1, packet);
        self.packed += count as u64;
        length
    }

    /// Forgets packed messages: for a writer that nobody can ask again.
    pub fn forget(&mut self) {
        if self.packed == self.log.next() {
            self.log.forget();
        }
    }

    /// The answer to a request of `count` messages from `sequence` on: as many as one packet holds, from the first on;
    /// `None` when the session is another one or no such message was sent yet.
    pub fn answer(&self, request: &mold::Header, packet: &mut [u8]) -> Option<usize> {
        let sent = (1..self.packed).contains(&request.sequence);
        if request.session != self.session
            || !sent
            || request.count == 0
            || request.count == mold::END_OF_SESSION
        {
            return None;
        }
        let most = (self.packed - request.sequence).min(request.count as u64) as u16;
        Some(self.fill(request.sequence, most, packet).0)
    }

    fn fill(&self, sequence: u64, most: u16, packet: &mut [u8]) -> (usize, u16) {
        let mut packer = Packer::new(&mut packet[..PACKET_BYTES_MAX], self.session, sequence);
        while packer.count() < most {
            match self.log.get(sequence + packer.count() as u64) {
                Some(message) if packer.push(message) => {}
                _ => break,
            }
        }
        let count = packer.count();
        (packer.finish(), count)
    }

    /// A heartbeat: the next sequence number and no message.
    pub fn heartbeat(&self) -> [u8; mold::HEADER_BYTES] {
        mold::Header { session: self.session, sequence: self.packed, count: 0 }.bytes()
    }

    /// The packet that ends the session.
    pub fn end(&self) -> [u8; mold::HEADER_BYTES] {
        mold::Header { session: self.session, sequence: self.packed, count: mold::END_OF_SESSION }.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Command, Engine, Enter, Life, Ref, SelfTrade};
    use tickline_units::{Price, Qty};

    fn enter(order: u64, owner: u16, side: Side, qty: u32) -> Command {
        let (order, owner, price, qty) = (Ref(order), Owner(owner), Price(1_000_000), Qty(qty));
        Command::Enter(Enter {
            order,
            symbol: 0,
            owner,
            side,
            price,
            qty,
            life: Life::Day,
            mpid: 0x5445_5354,
        })
    }

    fn feed() -> FeedOut {
        let mut feed = FeedOut::new(Session(*b"TEST      "), vec![(Symbol(*b"TLKA    "), 1)]);
        let (mut engine, mut events) = (Engine::new(1, 8, SelfTrade::default()), Vec::new());
        for command in [enter(1, 0, Side::Buy, 100), enter(2, 1, Side::Buy, 50), enter(3, 0, Side::Sell, 120)]
        {
            engine.apply(&command, &mut events);
        }
        engine.apply(&Command::Reduce { order: Ref(2), by: Qty(5) }, &mut events);
        engine.apply(&Command::Cancel { order: Ref(2) }, &mut events);
        feed.publish(Nanos(7), &events);
        feed
    }

    /// Goal: what the book does is what the messages say. Method: letters and fields of a short script.
    #[test]
    fn events_become_messages() {
        let feed = feed();
        let letters: Vec<u8> = (1..feed.log.next()).map(|n| feed.log.get(n).unwrap()[0]).collect();
        assert_eq!(letters, b"FAEEXD", "users' orders are not attributed");
        let fourth = itch::decode(feed.log.get(4).unwrap()).unwrap();
        assert_eq!(fourth.body, itch::Executed { order: 2, shares: Qty(20), match_number: 2 }.into());
        assert_eq!((fourth.header.time, fourth.header.locate), (Nanos(7), 1));
    }

    #[test]
    fn packets_carry_the_sequence_and_requests_get_what_was_sent() {
        let mut feed = feed();
        let mut packet = [0; PACKET_BYTES_MAX];
        let request = |sequence, count| mold::Header { session: Session(*b"TEST      "), sequence, count };
        assert_eq!(feed.answer(&request(1, 1), &mut packet), None, "not sent yet");
        let length = feed.pack(&mut packet);
        let parsed = mold::Packet::parse(&packet[..length]).unwrap();
        assert_eq!((parsed.header.sequence, parsed.header.count), (1, 6));
        assert_eq!(feed.pack(&mut packet), 0);
        let length = feed.answer(&request(3, 9), &mut packet).unwrap();
        let parsed = mold::Packet::parse(&packet[..length]).unwrap();
        assert_eq!((parsed.header.sequence, parsed.header.count), (3, 4), "partial: only four were sent");
        assert_eq!(feed.answer(&request(7, 1), &mut packet), None, "one past the end");
        assert_eq!(feed.answer(&request(0, 1), &mut packet), None);
        let other = mold::Header { session: Session(*b"OTHER     "), sequence: 1, count: 1 };
        assert_eq!(feed.answer(&other, &mut packet), None);
        assert_eq!(mold::Header::parse(&feed.heartbeat()).unwrap().sequence, 7);
        assert!(mold::Packet::parse(&feed.end()).unwrap().is_end());
    }
}
