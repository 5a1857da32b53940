//! Goal: what the venue tells is enough and right: from the stream alone the client's ledger has every order, every share
//! and every cent. Method: random requests of two users and a crowd; each user's stream goes to `tickline_order::Ledger`,
//! which shares no code with the venue; leaves are compared with the book after each step, positions with a tally of the trades.

use proptest::prelude::*;
use tickline_order::Ledger;
use tickline_trials::trials;
use tickline_units::{Nanos, Price, Qty, Side, Symbol};
use tickline_venue::Venue;
use tickline_venue::engine::{Command, Engine, Enter, Life, Owner, Ref, SelfTrade};
use tickline_venue::feed_out::FeedOut;
use tickline_venue::port::{Account, OrderPort, Tradable, UserId};
use tickline_wire::itch::{self, Body};
use tickline_wire::mold::{Packet, Session};
use tickline_wire::ouch::{
    Appendage, CancelOrder, EnterOrder, Inbound, MassCancel, ModifyOrder, Outbound, PRICE_MARKET,
    ReplaceOrder, TIF_DAY, TIF_IOC,
};

const SYMBOLS: [Symbol; 2] = [Symbol(*b"TLKA    "), Symbol(*b"TLKB    ")];
const NONE: Appendage<'static> = Appendage::NONE;

/// One thing that somebody does; numbers are made valid where it is done.
#[derive(Clone, Debug)]
struct Deed {
    user: usize,
    kind: u8,
    symbol: usize,
    side: u8,
    price: u64,
    qty: u32,
    ioc: bool,
    target: u32,
}

fn deed() -> impl Strategy<Value = Deed> {
    let side = prop_oneof![Just(b'B'), Just(b'S'), Just(b'T')];
    let price = prop_oneof![12 => (90u64..110).prop_map(|ticks| ticks * 100), 1 => Just(PRICE_MARKET), 1 => Just(0u64)];
    (0usize..3, 0u8..12, 0usize..2, side, price, 1u32..60, any::<bool>(), 0u32..40).prop_map(
        |(user, kind, symbol, side, price, qty, ioc, target)| Deed {
            user,
            kind,
            symbol,
            side,
            price,
            qty,
            ioc,
            target,
        },
    )
}

/// The venue, both clients' ledgers, and what each user should have.
struct World {
    venue: Venue,
    ledgers: [Ledger; 2],
    read: [u64; 2],
    next: [u32; 2],
    crowd: u64,
    time: u64,
}

impl World {
    fn new() -> World {
        let account = |user: &[u8; 6]| Account { user: *user, password: *b"secret    " };
        let tradable = SYMBOLS.map(|symbol| Tradable { symbol, tick: 100 }).to_vec();
        let port = OrderPort::new(&[account(b"ONE   "), account(b"TWO   ")], tradable);
        let feed = FeedOut::new(Session(*b"BOTH      "), vec![(SYMBOLS[0], 1), (SYMBOLS[1], 2)]);
        let ledger = || Ledger::new(&SYMBOLS, 1000, 10_000);
        World {
            venue: Venue::new(Engine::new(2, 64, SelfTrade::default()), port, Some(feed)),
            ledgers: [ledger(), ledger()],
            read: [1, 1],
            next: [1, 1],
            crowd: 1,
            time: 0,
        }
    }

    fn user(&self, at: usize) -> UserId {
        self.venue.port.users().nth(at).unwrap()
    }

    fn act(&mut self, deed: &Deed) {
        self.time += 1;
        if deed.user == 2 {
            return self.crowd(deed);
        }
        let user_ref = self.next[deed.user];
        let target = deed.target % user_ref.max(1);
        let (tif, cl_ord_id) = (if deed.ioc { TIF_IOC } else { TIF_DAY }, *b"E0010000000001");
        let (qty, price, side, display, sweep) = (deed.qty, deed.price, deed.side, b'Y', b'N');
        let symbol = SYMBOLS[deed.symbol].0;
        let message = match deed.kind {
            0..6 => {
                let (capacity, cross) = (b'P', b'N');
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
                Inbound::EnterOrder(enter, NONE)
            }
            6..8 => {
                let original_user_ref = target;
                let replace =
                    ReplaceOrder { original_user_ref, user_ref, qty, price, tif, display, sweep, cl_ord_id };
                Inbound::ReplaceOrder(replace, NONE)
            }
            8..10 => Inbound::CancelOrder(CancelOrder { user_ref: target, qty: qty % 30 }, NONE),
            10 => Inbound::ModifyOrder(ModifyOrder { user_ref: target, side, qty }, NONE),
            _ => Inbound::MassCancel(MassCancel { user_ref, firm: *b"TLKM", symbol }, NONE),
        };
        if matches!(deed.kind, 0..8 | 11) {
            self.next[deed.user] += 1;
        }
        let mut bytes = [0; 128];
        let length = message.encode(&mut bytes).unwrap();
        self.venue.order(Nanos(self.time), self.user(deed.user), &bytes[..length]).unwrap();
    }

    fn crowd(&mut self, deed: &Deed) {
        let side = if deed.side == b'B' { Side::Buy } else { Side::Sell };
        let (order, symbol, owner, mpid) = (Ref(self.crowd), deed.symbol as u16, Owner::PUBLIC, 0);
        let (price, qty) = (Price(deed.price as u32), Qty(deed.qty));
        let life = if deed.ioc { Life::Ioc } else { Life::Day };
        self.crowd += 1;
        let enter = Enter { order, symbol, owner, side, price, qty, life, mpid };
        self.venue.command(Nanos(self.time), &Command::Enter(enter));
    }

    /// Each user reads what it was told.
    fn read(&mut self) {
        for at in 0..2 {
            let user = self.user(at);
            while let Some(bytes) = self.venue.port.message(user, self.read[at]) {
                self.read[at] += 1;
                let word = Outbound::decode(bytes).unwrap();
                self.ledgers[at].apply(&word, 0, &mut |_| {}).unwrap();
            }
        }
    }

    /// Shares that a user has in the book by side and symbol, as the ledger sees them and as the book has them.
    fn compare(&self) -> Result<(), TestCaseError> {
        for (at, ledger) in self.ledgers.iter().enumerate() {
            let mut by_ledger = [[0u64; 2]; 2];
            for user_ref in 1..self.next[at] {
                let Some(order) = ledger.orders().get(user_ref) else { continue };
                if order.instrument < 2 {
                    by_ledger[order.instrument as usize][(order.side == Side::Sell) as usize] +=
                        order.leaves() as u64;
                }
            }
            let owner = self.user(at).owner();
            for (symbol, by_side) in by_ledger.iter().enumerate() {
                for (side, &want) in [Side::Buy, Side::Sell].into_iter().zip(by_side) {
                    let engine = &self.venue.engine;
                    let has: u64 = (0..engine.levels(symbol as u16, side))
                        .flat_map(|depth| engine.queue(symbol as u16, side, depth))
                        .filter(|order| order.owner == owner)
                        .map(|order| order.qty.0 as u64)
                        .sum();
                    prop_assert_eq!(has, want, "user {} {:?} of symbol {}", at, side, symbol);
                }
            }
        }
        Ok(())
    }

    /// Shares executed by market data, all symbols.
    fn printed(&mut self) -> u64 {
        let (mut packet, mut shares) = ([0; 2048], 0);
        loop {
            let length = self.venue.feed.as_mut().unwrap().pack(&mut packet);
            if length == 0 {
                return shares;
            }
            for block in Packet::parse(&packet[..length]).unwrap().blocks() {
                if let Body::Executed(done) = itch::decode(block).unwrap().body {
                    shares += done.shares.0 as u64;
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: trials(150, 3_000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_clients_ledger_follows_the_book_share_by_share(deeds in prop::collection::vec(deed(), 1..200)) {
        let mut world = World::new();
        for deed in &deeds {
            world.act(deed);
            world.read();
            world.compare()?;
        }
        let counts = world.venue.port.counts();
        let told: u64 = world.ledgers.iter().map(|ledger| ledger.counts().shares).sum();
        prop_assert_eq!(told, counts.shares);
        prop_assert!(world.ledgers.iter().all(|ledger| ledger.counts().repeated == 0));
        let positions = world.ledgers.iter().flat_map(|ledger| ledger.positions().list());
        let traded: u64 = positions.map(|position| position.bought + position.sold).sum();
        prop_assert_eq!(traded, counts.shares);
        prop_assert!(world.printed() <= counts.shares || world.crowd > 1);
        for ledger in &world.ledgers {
            for position in ledger.positions().list() {
                prop_assert_eq!(position.shares, position.bought as i64 - position.sold as i64);
            }
        }
    }

    /// Without a crowd whatever one user buys the other sells: positions and cash sum to nothing.
    #[test]
    fn between_two_users_nothing_is_lost(deeds in prop::collection::vec(deed(), 1..200)) {
        let mut world = World::new();
        for deed in deeds.iter().filter(|deed| deed.user < 2) {
            world.act(deed);
            world.read();
        }
        for symbol in 0..2 {
            let both = world.ledgers.each_ref().map(|ledger| ledger.positions().list()[symbol]);
            prop_assert_eq!(both[0].shares + both[1].shares, 0);
            prop_assert_eq!(both[0].cash + both[1].cash, 0);
        }
        let shares = world.venue.port.counts().shares;
        prop_assert_eq!(world.printed() * 2, shares, "market data shows each trade once");
    }
}
