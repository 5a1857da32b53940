//! Goal: books equal the slow model after any sequence of messages, valid or not.
//! Method: random messages over few references, prices, locates and symbols, so that duplicates, unknown references,
//! over-executions and mismatches are common; full contents compared after each message.

mod slow;

use proptest::prelude::*;
use slow::SlowBooks;
use std::collections::BTreeMap;
use tickline_book::{Anomaly, Books, Capacity, Level};
use tickline_trials::trials;
use tickline_units::{Nanos, Price, Qty, Side, Symbol};
use tickline_wire::itch::{
    Add, AddMpid, Body, Cancel, Cross, Delete, Executed, ExecutedPrice, Header, Letter, Replace, Trade,
    Update,
};

const SMALL: Capacity = Capacity { orders: 4, levels: 2, books: 1, levels_per_side: 1 };

fn symbol(number: u8) -> Symbol {
    Symbol::new(["AAA", "BBB", "CCC"][number as usize % 3]).unwrap()
}

fn update(locate: u16, body: impl Into<Body>) -> Update {
    Update { header: Header { time: Nanos(1), locate, tracking: 0 }, body: body.into() }
}

fn messages() -> impl Strategy<Value = Update> {
    // References differ in low and in high bits; one price in a few is 0, one quantity in a few too.
    let reference = prop_oneof![0u64..24, (0u64..4).prop_map(|high| high << 40 | 7)];
    let fields = (
        0u8..12,
        reference.clone(),
        reference,
        any::<bool>(),
        0u32..40,
        0u32..40,
        prop_oneof![8 => Just(0u8), 1 => Just(1u8)],
        0u8..3,
    );
    fields.prop_map(|(kind, order, new_order, buy, shares, price, astray, stock)| {
        let side = if buy { Side::Buy } else { Side::Sell };
        let (shares, price, symbol) = (Qty(shares), Price(price * 100), symbol(stock));
        let locate = 1 + (stock + astray) as u16 % 3;
        let printable = Letter(if buy { b'Y' } else { b'N' });
        let body: Body = match kind {
            0..=2 => Add { order, side, shares, symbol, price }.into(),
            3 => AddMpid { order, side, shares, symbol, price, mpid: *b"ABCD" }.into(),
            4 => Executed { order, shares, match_number: 1 }.into(),
            5 => ExecutedPrice { order, shares, match_number: 1, printable, price }.into(),
            6 => Cancel { order, shares }.into(),
            7 => Delete { order }.into(),
            8 | 9 => Replace { order, new_order, shares, price }.into(),
            10 => Trade { order, side, shares, symbol, price, match_number: 1 }.into(),
            _ => {
                Cross { shares: shares.0 as u64, symbol, price, match_number: 1, cross: Letter(b'O') }.into()
            }
        };
        update(locate, body)
    })
}

fn assert_equal(books: &Books, slow: &SlowBooks) {
    for (symbol, slow_book) in &slow.books {
        let book = books.book(books.find(*symbol).expect("seen")).unwrap();
        for side in [Side::Buy, Side::Sell] {
            let mut top = [Level::default(); 64];
            let n = book.top(side, 64, &mut top);
            let levels: Vec<_> = top[..n].iter().map(|l| (l.price.0, l.qty, l.orders)).collect();
            assert_eq!(levels, slow_book.levels(side));
            assert_eq!(book.levels(side), n);
            let best = book.best(side);
            assert_eq!((best.price.0, best.qty, best.orders), levels.first().copied().unwrap_or_default());
            let mut orders = Vec::new();
            book.orders(side, |o| orders.push((o.reference, o.price.0, o.qty.0, o.mpid)));
            assert_eq!(orders, slow_book.orders(side));
        }
    }
    assert_eq!(books.anomalies().total(), slow.anomalies);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(trials(300, 10_000)))]

    #[test]
    fn books_equal_the_slow_model(updates in proptest::collection::vec(messages(), 1..300)) {
        let mut books = Books::new(SMALL);
        let mut slow = SlowBooks::default();
        let mut printed: BTreeMap<Symbol, (u64, u128)> = BTreeMap::new();
        for update in &updates {
            let change = books.apply(update);
            slow.apply(update);
            if let Some(trade) = change.trade {
                let sum = printed.entry(books.book(change.book).unwrap().symbol()).or_default();
                sum.0 += trade.qty;
                sum.1 += trade.qty as u128 * trade.price.0 as u128;
            }
            assert_equal(&books, &slow);
        }
        slow.printed.retain(|_, sum| sum.0 > 0);
        prop_assert_eq!(printed, slow.printed);
    }

    #[test]
    fn the_change_is_the_difference_of_the_levels(updates in proptest::collection::vec(messages(), 1..200)) {
        let mut books = Books::new(SMALL);
        for update in &updates {
            let before = shares(&books);
            let change = books.apply(update);
            let mut expected = before.clone();
            if change.moves_book() {
                let symbol = books.book(change.book).unwrap().symbol();
                *expected.entry((symbol, change.side, change.left.price)).or_default() -= change.left.qty.0 as i64;
                *expected.entry((symbol, change.side, change.entered.price)).or_default() += change.entered.qty.0 as i64;
                expected.retain(|_, qty| *qty != 0);
            }
            prop_assert_eq!(shares(&books), expected);
        }
    }

    #[test]
    fn the_hash_depends_on_contents_and_not_on_history(updates in proptest::collection::vec(messages(), 1..200)) {
        let mut books = Books::new(SMALL);
        updates.iter().for_each(|update| { books.apply(update); });
        // The same contents, entered in priority order into other memory, symbols last first.
        let mut again = Books::default();
        for (number, book) in books.by_symbol().collect::<Vec<_>>().into_iter().enumerate().rev() {
            for side in [Side::Sell, Side::Buy] {
                book.orders(side, |o| {
                    let add = AddMpid { order: o.reference, side, shares: o.qty, symbol: book.symbol(), price: o.price, mpid: o.mpid };
                    again.apply(&update(9 + number as u16, add));
                });
            }
        }
        prop_assert_eq!(again.hash(), books.hash());
        let first = books.by_symbol().find_map(|book| {
            let mut first = None;
            book.orders(Side::Buy, |o| { first.get_or_insert((books.find(book.symbol()), o.reference)); });
            first
        });
        if let Some((Some(id), order)) = first {
            let hash = books.hash();
            let locate = (1..9).find(|locate| books.of_locate(*locate) == Some(id)).unwrap();
            books.apply(&update(locate, Delete { order }));
            prop_assert_ne!(hash, books.hash());
        }
    }
}

fn shares(books: &Books) -> BTreeMap<(Symbol, Side, Price), i64> {
    let mut all = BTreeMap::new();
    for book in books.by_symbol() {
        for side in [Side::Buy, Side::Sell] {
            let mut top = [Level::default(); 64];
            let n = book.top(side, 64, &mut top);
            all.extend(top[..n].iter().map(|l| ((book.symbol(), side, l.price), l.qty as i64)));
        }
    }
    all
}

#[test]
fn each_check_counts_under_its_own_name() {
    let mut books = Books::default();
    let aaa = symbol(0);
    let add = |order, shares, price| Add {
        order,
        side: Side::Buy,
        shares: Qty(shares),
        symbol: aaa,
        price: Price(price),
    };
    assert_eq!(books.apply(&update(1, add(1, 10, 100))).anomaly, None);
    assert_eq!(books.apply(&update(1, add(1, 10, 100))).anomaly, Some(Anomaly::DuplicateReference));
    assert_eq!(books.apply(&update(1, add(2, 0, 100))).anomaly, Some(Anomaly::Invalid));
    assert_eq!(books.apply(&update(1, add(2, 1, 0))).anomaly, Some(Anomaly::Invalid));
    assert_eq!(books.apply(&update(2, add(2, 1, 1))).anomaly, Some(Anomaly::LocateMismatch));
    assert_eq!(books.apply(&update(2, Delete { order: 1 })).anomaly, Some(Anomaly::LocateMismatch));
    assert_eq!(books.apply(&update(1, Delete { order: 2 })).anomaly, Some(Anomaly::UnknownReference));
    let over = books.apply(&update(1, Executed { order: 1, shares: Qty(11), match_number: 1 }));
    assert_eq!((over.anomaly, over.left.qty), (Some(Anomaly::OverExecution), Qty(10)));
    assert_eq!(over.trade.unwrap().qty, 10);
    assert_eq!(books.orders_resting(), 0);
    let counts = [
        Anomaly::UnknownReference,
        Anomaly::DuplicateReference,
        Anomaly::OverExecution,
        Anomaly::LocateMismatch,
        Anomaly::Invalid,
    ]
    .map(|anomaly| books.anomalies().count(anomaly));
    assert_eq!(counts, [1, 1, 1, 2, 2]);
}

#[test]
fn a_new_day_forgets_orders_locates_and_staleness_but_not_places() {
    let mut books = Books::default();
    let add = |symbol| Add { order: 1, side: Side::Sell, shares: Qty(1), symbol, price: Price(1) };
    let first = books.apply(&update(1, add(symbol(0)))).book;
    books.distrust(first);
    let other = books.open(symbol(2));
    assert!(books.is_stale(first) && !books.is_stale(other));
    books.mark_stale();
    let unseen = books.open(Symbol::new("DDD").unwrap());
    assert!(books.is_stale(other) && books.is_stale(unseen), "its messages may be among those missed");
    books.reset_day();
    assert!(!books.is_stale(first) && !books.is_stale(other) && !books.is_stale(unseen));
    assert_eq!((books.orders_resting(), books.of_locate(1)), (0, None));
    assert_eq!(books.book(first).unwrap().best(Side::Sell), Level::default());
    let second = books.apply(&update(1, add(symbol(1)))).book;
    assert_ne!(second, first);
    assert_eq!(books.apply(&update(2, Add { order: 2, ..add(symbol(0)) })).book, first);
}

#[test]
fn capacity_that_suffices_never_grows() {
    let mut books = Books::new(Capacity { orders: 100, levels: 100, books: 1, levels_per_side: 100 });
    for round in 0..50u64 {
        for order in 0..100u64 {
            let add = Add {
                order: round << 32 | order,
                side: Side::Buy,
                shares: Qty(1),
                symbol: symbol(0),
                price: Price(1 + order as u32),
            };
            assert_eq!(books.apply(&update(1, add)).anomaly, None);
        }
        for order in 0..100u64 {
            assert!(books.apply(&update(1, Delete { order: round << 32 | order })).moves_book());
        }
    }
    assert_eq!(books.grown(), 0);
    assert_eq!(books.anomalies().total(), 0);
}
