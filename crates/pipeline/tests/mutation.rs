//! Goal: no bytes whatever make the pipeline panic, hang or hold a book that contradicts itself.
//! Method: packets of a valid flow, each with a chance of flipped bits, cut or lengthened payloads, repeated, swapped or dropped packets; after
//! every hundredth each book is checked for what must hold of any book. Seeded: a failure prints its seed.

use tickline_book::{Book, Capacity, Level};
use tickline_packet::Frame;
use tickline_packet::arbiter::{Config, Join};
use tickline_pipeline::{Outlet, Pipeline, Settings};
use tickline_units::{Nanos, Price, Qty, Side, Symbol};
use tickline_wire::flat::features::FeaturesBody;
use tickline_wire::itch::{self, Add, Body, Cancel, Delete, Executed, Header, Replace, Update};
use tickline_wire::mold::{Packer, Session};

struct Seeded(u64);

impl Seeded {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

#[derive(Default)]
struct Finite(u64);

impl Outlet for Finite {
    fn row(&mut self, fill: impl FnOnce(&mut FeaturesBody)) {
        let mut body = FeaturesBody::default();
        fill(&mut body);
        assert!(body.levels.iter().chain(&body.values).all(|x| x.is_finite()));
        self.0 += 1;
    }
}

/// A valid packet of one to five messages about three symbols.
fn packet(random: &mut Seeded, next: &mut u64) -> Vec<u8> {
    let mut bytes = vec![0; 512];
    let mut packer = Packer::new(&mut bytes, Session(*b"MUTATION  "), *next);
    for _ in 0..1 + random.next(5) {
        let locate = 1 + random.next(3) as u16;
        let symbol = Symbol::new(["AAA", "BBB", "CCC"][locate as usize - 1]).unwrap();
        let side = if random.next(2) == 0 { Side::Buy } else { Side::Sell };
        let (shares, price) = (Qty(1 + random.next(300) as u32), Price(9_000 + 100 * random.next(30) as u32));
        // References tell the book, so that most messages fit together.
        let fresh = *next * 4 + u64::from(locate);
        let order = fresh.saturating_sub(4 * random.next(40));
        let body: Body = match random.next(8) {
            0 => Delete { order }.into(),
            1 => Cancel { order, shares }.into(),
            2 => Executed { order, shares, match_number: 1 }.into(),
            3 => Replace { order, new_order: fresh, shares, price }.into(),
            _ => Add { order: fresh, side, shares, symbol, price }.into(),
        };
        let mut message = [0; itch::BYTES_MAX];
        let length = itch::encode(
            &Update { header: Header { time: Nanos(1), locate, tracking: 0 }, body },
            &mut message,
        );
        assert!(packer.push(&message[..length]));
        *next += 1;
    }
    let length = packer.finish();
    bytes.truncate(length);
    bytes
}

fn mutate(random: &mut Seeded, packet: &mut Vec<u8>) {
    match random.next(4) {
        0 => packet.truncate(random.next(packet.len() as u64 + 1) as usize),
        1 => packet.extend((0..random.next(64)).map(|byte| byte as u8)),
        _ => {
            for _ in 0..1 + random.next(8) {
                let at = random.next(packet.len().max(1) as u64) as usize;
                if let Some(byte) = packet.get_mut(at) {
                    *byte ^= 1 << random.next(8);
                }
            }
        }
    }
}

/// What must hold of any book: levels in order and not empty, and each the sum of its orders.
fn check(book: &Book<'_>) {
    let mut resting = 0;
    for side in [Side::Buy, Side::Sell] {
        let levels: Vec<Level> = book.best_first(side).collect();
        let better = |pair: &[Level]| match side {
            Side::Buy => pair[0].price > pair[1].price,
            Side::Sell => pair[0].price < pair[1].price,
        };
        assert!(levels.windows(2).all(better));
        let mut sums: Vec<Level> = Vec::new();
        book.orders(side, |order| {
            assert!(order.qty.0 > 0);
            resting += 1;
            match sums.last_mut().filter(|level| level.price == order.price) {
                Some(level) => (level.qty, level.orders) = (level.qty + order.qty.0 as u64, level.orders + 1),
                None => sums.push(Level { price: order.price, qty: order.qty.0 as u64, orders: 1 }),
            }
        });
        assert_eq!(levels, sums);
    }
    assert_eq!(resting, book.orders_resting());
}

fn run(seed: u64, packets: u64) -> (u64, u64) {
    let settings = Settings {
        instruments: vec![Symbol::new("AAA").unwrap(), Symbol::new("BBB").unwrap()],
        arbiter: Config { join: Join::Beginning, patience: Nanos(50_000), window: 256 },
        books: Capacity { orders: 64, levels: 16, books: 2, levels_per_side: 4 },
    };
    let (mut pipeline, mut rows, mut random) = (Pipeline::new(&settings), Finite::default(), Seeded(seed));
    let (mut next, mut before) = (1, Vec::new());
    for nth in 0..packets {
        let mut payload = packet(&mut random, &mut next);
        let damaged = random.next(10) == 0;
        if damaged {
            mutate(&mut random, &mut payload);
        }
        let time = Nanos(nth * 10_000);
        let mut take = |line: u8, payload: &[u8]| {
            pipeline.accept(&Frame { line, time, due: time, payload }, &mut rows);
        };
        match random.next(20) {
            0 => {}
            // Damage does not strike three copies alike; if it did, they would confirm each other's number or session.
            1 if !damaged => (0..3).for_each(|line| take(line, &payload)),
            2 => [&payload, &before].into_iter().for_each(|payload| take(1, payload)),
            _ => take(0, &payload),
        }
        before = payload;
        if nth % 100 == 0 {
            pipeline.idle(time, time, &mut rows);
            pipeline.books().by_symbol().for_each(|book| check(&book));
        }
    }
    (rows.0, pipeline.counts().messages)
}

#[test]
fn mutated_packets_never_break_a_book() {
    for seed in 0..20 {
        let result = std::panic::catch_unwind(|| run(seed, 3_000));
        let (rows, messages) = result.unwrap_or_else(|_| panic!("seed {seed} failed"));
        assert!(rows > 300 && messages > 1_000, "seed {seed}: {rows} rows of {messages} messages");
    }
}
