//! Goal: what a stream's turns (gaps, catching up, sessions, strange messages) do to rows; and no allocation after the start.
//! Method: packets written by hand, one instrument of interest, every row kept.

use tickline_book::Capacity;
use tickline_packet::arbiter::{Config, Join};
use tickline_packet::{Frame, RECOVERY};
use tickline_pipeline::{Outlet, Pipeline, Settings};
use tickline_trials::{Counting, allocations};
use tickline_units::{Nanos, Price, Qty, Side, Symbol};
use tickline_wire::flat::features::{FeaturesBody, features_flag};
use tickline_wire::itch::{self, Add, Body, Delete, Executed, Header, StockDirectory, Update};
use tickline_wire::mold::{Packer, Session};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MS: u64 = 1_000_000;

fn symbol(text: &str) -> Symbol {
    Symbol::new(text).unwrap()
}

struct Rows(Vec<FeaturesBody>);

impl Outlet for Rows {
    fn row(&mut self, fill: impl FnOnce(&mut FeaturesBody)) {
        let mut body = FeaturesBody::default();
        fill(&mut body);
        self.0.push(body);
    }
}

/// A pipeline over AAA and BBB, and the packets for it.
struct Line {
    pipeline: Pipeline,
    rows: Rows,
    session: Session,
}

fn message(locate: u16, body: impl Into<Body>) -> Vec<u8> {
    let mut bytes = [0; itch::BYTES_MAX];
    let update = Update { header: Header { time: Nanos(5), locate, tracking: 0 }, body: body.into() };
    let length = itch::encode(&update, &mut bytes);
    bytes[..length].to_vec()
}

fn add(locate: u16, order: u64, side: Side, price: u32) -> Vec<u8> {
    let symbol = symbol(["AAA", "BBB", "ZZZ"][locate as usize - 1]);
    message(locate, Add { order, side, shares: Qty(100), symbol, price: Price(price) })
}

fn packet(session: Session, first: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 1472];
    let mut packer = Packer::new(&mut bytes, session, first);
    assert!(messages.iter().all(|message| packer.push(message)));
    let length = packer.finish();
    bytes.truncate(length);
    bytes
}

impl Line {
    fn new() -> Line {
        let settings = Settings {
            instruments: vec![symbol("AAA"), symbol("BBB")],
            arbiter: Config { join: Join::Beginning, patience: Nanos(50 * MS), window: 1024 },
            books: Capacity::default(),
        };
        Line { pipeline: Pipeline::new(&settings), rows: Rows(Vec::new()), session: Session(*b"SESSION001") }
    }

    /// Sends messages numbered from `first` at line time `ms` and returns the rows they made.
    fn send(&mut self, line: u8, ms: u64, first: u64, messages: &[Vec<u8>]) -> Vec<FeaturesBody> {
        let payload = packet(self.session, first, messages);
        let frame = Frame { line, time: Nanos(ms * MS), due: Nanos(ms * MS + 7), payload: &payload };
        let rows = self.pipeline.accept(&frame, &mut self.rows);
        assert_eq!(rows, self.rows.0.len());
        std::mem::take(&mut self.rows.0)
    }
}

fn stale(row: &FeaturesBody) -> bool {
    row.flags & features_flag::BOOK_STALE != 0
}

#[test]
fn a_frame_makes_one_row_of_each_instrument_it_touched_and_none_of_others() {
    let mut line = Line::new();
    let rows = line.send(
        0,
        1,
        1,
        &[
            add(1, 1, Side::Buy, 9_900),
            add(3, 2, Side::Buy, 5_000),
            add(1, 3, Side::Sell, 10_100),
            add(2, 4, Side::Sell, 200),
        ],
    );
    assert_eq!(rows.iter().map(|row| (row.instrument, row.seq)).collect::<Vec<_>>(), [(0, 3), (1, 4)]);
    let row = &rows[0];
    assert_eq!((row.bid, row.ask, row.bid_qty, row.ask_qty), (9_900, 10_100, 100, 100));
    assert_eq!((row.time_ns, row.due_ns, row.venue_ns), (MS, MS + 7, 5));
    assert_eq!(row.flags, features_flag::WARMING_UP);
    assert_eq!(row.levels[..4], [10_100.0, 100.0, 9_900.0, 100.0]);
    assert_eq!(row.values[0], 200.0);
    assert_eq!(rows[1].flags, features_flag::WARMING_UP | features_flag::ONE_SIDED);
    let other = line.pipeline.books().find(symbol("ZZZ")).unwrap();
    assert_eq!(line.pipeline.books().book(other).unwrap().best(Side::Buy).price, Price(5_000));

    let execution = message(1, Executed { order: 3, shares: Qty(40), match_number: 1 });
    let rows = line.send(0, 2, 5, &[execution]);
    assert_eq!((rows[0].last_price, rows[0].last_qty), (10_100, 40));
    assert_eq!(rows[0].flags, features_flag::WARMING_UP | features_flag::TRADED);
    assert!(
        line.send(1, 2, 5, &[message(1, Delete { order: 1 })]).is_empty(),
        "line B is late with message 5"
    );
}

#[test]
fn a_gap_makes_every_book_stale_at_once_and_for_the_rest_of_the_session() {
    let mut line = Line::new();
    line.send(0, 1, 1, &[add(1, 1, Side::Buy, 9_900)]);
    assert!(line.send(0, 2, 3, &[add(1, 3, Side::Sell, 10_100)]).is_empty(), "held back: message 2 may come");
    assert_eq!(line.pipeline.idle(Nanos(51 * MS), Nanos(1), &mut line.rows), 0);
    assert_eq!(line.pipeline.idle(Nanos(52 * MS), Nanos(1), &mut line.rows), 2);
    let rows = std::mem::take(&mut line.rows.0);
    assert!(rows.iter().all(stale));
    assert_eq!(line.pipeline.gaps().len(), 1);
    assert_eq!((line.pipeline.counts().gaps, line.pipeline.counts().gap_messages), (1, 1));
    assert!(line.send(0, 60, 4, &[add(2, 4, Side::Buy, 50)]).iter().all(stale));

    line.session = Session(*b"SESSION002");
    for nth in 0..3 {
        line.send(0, 70 + nth, 1 + nth, &[add(1, 1 + nth, Side::Buy, 9_000)]);
    }
    let rows = line.send(0, 80, 4, &[add(1, 9, Side::Buy, 9_000)]);
    // The new session is believed with its third packet; what came before that packet is a gap of it.
    assert_eq!(line.pipeline.counts().sessions, 2);
    assert_eq!(rows.len(), 0, "messages 1 and 2 of it were not asked for again");
}

#[test]
fn rows_made_while_catching_up_are_stale_and_a_long_catch_up_starts_the_windows_over() {
    let mut line = Line::new();
    // Joining at message 5: 1 to 4 must be asked for.
    assert!(line.send(0, 1, 5, &[add(1, 5, Side::Buy, 9_910)]).is_empty());
    let rows = line.send(RECOVERY, 20, 1, &[add(1, 1, Side::Buy, 9_900), add(1, 2, Side::Sell, 10_100)]);
    assert_eq!((rows.len(), stale(&rows[0])), (1, true));
    let rows = line.send(RECOVERY, 40, 3, &[add(1, 3, Side::Buy, 9_905), add(1, 4, Side::Buy, 9_906)]);
    assert_eq!(rows.len(), 2, "every instrument hears that it is over");
    assert!(!stale(&rows[0]) && !stale(&rows[1]));
    assert_eq!((rows[0].seq, rows[0].bid), (5, 9_910));
    assert_eq!(rows[0].values[39], 0.0, "the first row of new windows");
    assert_eq!((line.pipeline.counts().caught_up, line.pipeline.counts().gaps), (1, 0));
}

#[test]
fn a_hole_that_the_other_line_fills_at_once_costs_nothing() {
    let mut line = Line::new();
    line.send(0, 1, 1, &[add(1, 1, Side::Buy, 9_900)]);
    assert!(line.send(0, 2, 3, &[add(1, 3, Side::Sell, 10_100)]).is_empty());
    let rows = line.send(1, 2, 2, &[add(1, 2, Side::Buy, 9_901)]);
    assert_eq!((rows.len(), rows[0].seq, stale(&rows[0])), (1, 3, false));
    assert_eq!(line.pipeline.counts().caught_up, 0);
}

#[test]
fn unknown_types_pass_and_messages_that_contradict_or_cannot_be_read_make_books_stale() {
    let mut line = Line::new();
    let directory = StockDirectory {
        symbol: symbol("AAA"),
        market: itch::Letter(b'Q'),
        financial_status: itch::Letter(b'N'),
        round_lot: 100,
        round_lots_only: itch::Letter(b'N'),
        classification: itch::Letter(b'C'),
        subtype: *b"Z ",
        authenticity: itch::Letter(b'P'),
        short_sale_threshold: itch::Letter(b'N'),
        ipo: itch::Letter(b'N'),
        luld_tier: itch::Letter(b'1'),
        etp: itch::Letter(b'N'),
        etp_leverage: 0,
        inverse: itch::Letter(b'N'),
    };
    assert!(line.send(0, 1, 1, &[message(1, directory), b"z unknown".to_vec()]).is_empty());
    assert_eq!((line.pipeline.counts().unknown, line.pipeline.counts().malformed), (1, 0));
    assert!(!stale(&line.send(0, 2, 3, &[add(1, 1, Side::Buy, 9_900), add(2, 2, Side::Buy, 90)])[0]));

    // An execution of an order that does not rest: AAA's book is not the exchange's.
    let rows = line.send(0, 3, 5, &[message(1, Executed { order: 77, shares: Qty(1), match_number: 1 })]);
    assert_eq!((rows.len(), rows[0].instrument, stale(&rows[0])), (1, 0, true));
    assert!(!stale(&line.send(0, 4, 6, &[add(2, 3, Side::Buy, 91)])[0]));

    // A locate code that nothing was bound to: which book it meant cannot be told.
    let rows = line.send(0, 4, 7, &[message(9, Delete { order: 3 })]);
    assert_eq!((rows.len(), rows.iter().all(stale)), (2, true));

    // A deletion one byte short may have concerned any book.
    let mut short = message(2, Delete { order: 2 });
    short.pop();
    let rows = line.send(0, 5, 8, &[short]);
    assert_eq!((rows.len(), rows.iter().all(stale)), (2, true));
    assert_eq!(line.pipeline.counts().malformed, 1);

    let torn = Frame { line: 0, time: Nanos(6 * MS), due: Nanos(0), payload: b"no packet" };
    assert_eq!(line.pipeline.accept(&torn, &mut line.rows), 0);
    assert_eq!(line.pipeline.counts().malformed, 2);
}

/// Packets of one to three messages about AAA and BBB: orders at 9,000 to 9,999, a quarter deletions of old ones.
fn flow(session: Session, count: u64) -> Vec<Vec<u8>> {
    let mut random = 1u64;
    let mut packets = Vec::new();
    let mut next = 1u64;
    for _ in 0..count {
        let messages: Vec<Vec<u8>> = (0..1 + next % 3)
            .map(|nth| {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let price = 9_000 + (random >> 40) as u32 % 1_000;
                let old = (next + nth).saturating_sub(500 + (random >> 33) % 300);
                if random >> 62 == 0 {
                    message(1 + (old % 2) as u16, Delete { order: old })
                } else {
                    let side = if price < 9_500 { Side::Buy } else { Side::Sell };
                    add(1 + ((next + nth) % 2) as u16, next + nth, side, price)
                }
            })
            .collect();
        packets.push(packet(session, next, &messages));
        next += messages.len() as u64;
    }
    packets
}

#[test]
fn preparing_while_no_frame_is_there_changes_no_row() {
    let (mut plain, mut prepared) = (Line::new(), Line::new());
    for (nth, payload) in flow(plain.session, 6_000).iter().enumerate() {
        let time = Nanos(nth as u64 * 1_000);
        // Never, once, or more often than there are instruments; across a session's end too.
        (0..nth % 4).for_each(|_| prepared.pipeline.prepare());
        let frame = Frame { line: 0, time, due: time, payload };
        plain.pipeline.accept(&frame, &mut plain.rows);
        prepared.pipeline.accept(&frame, &mut prepared.rows);
        if nth == 3_500 {
            let next = packet(Session(*b"SESSION002"), 1, &[add(1, 1, Side::Buy, 9_900)]);
            let frame = Frame { payload: &next, ..frame };
            plain.pipeline.accept(&frame, &mut plain.rows);
            prepared.pipeline.accept(&frame, &mut prepared.rows);
        }
    }
    assert!(plain.rows.0.len() > 6_000);
    assert_eq!(plain.rows.0, prepared.rows.0);
}

#[test]
fn nothing_is_allocated_after_the_start() {
    struct Last(FeaturesBody);
    impl Outlet for Last {
        fn row(&mut self, fill: impl FnOnce(&mut FeaturesBody)) {
            fill(&mut self.0);
        }
    }
    let mut line = Line::new();
    let packets = flow(line.session, 20_000);
    let mut last = Last(FeaturesBody::default());
    let before = allocations();
    let mut rows = 0;
    for (nth, payload) in packets.iter().enumerate() {
        // Every fifth packet of line A is missing and comes from line B afterwards.
        let line_b = nth % 5 == 4;
        if line_b {
            continue;
        }
        let time = Nanos(nth as u64 * 1_000);
        rows += line.pipeline.accept(&Frame { line: 0, time, due: time, payload }, &mut last);
        if nth % 5 == 0 && nth > 0 {
            let payload = &packets[nth - 1];
            rows += line.pipeline.accept(&Frame { line: 1, time, due: time, payload }, &mut last);
        }
    }
    assert_eq!(allocations() - before, 0);
    assert!(before > 0, "the counter counts");
    assert_eq!((line.pipeline.books().grown(), line.pipeline.counts().gaps), (0, 0));
    assert!(rows > 15_000 && last.0.seq > 29_000, "{rows} rows up to {}", last.0.seq);
}
