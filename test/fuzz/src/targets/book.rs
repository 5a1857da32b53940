//! Books under mutated message streams: after every stream they equal a slow model that shares no code with them.

// The model is the one that the books' own tests use.
#[allow(dead_code)]
#[path = "../../../../crates/book/tests/slow/mod.rs"]
mod slow;

use super::{Target, mark, promise};
use slow::SlowBooks;
use tickline_book::{Books, Capacity, Level};
use tickline_units::{Nanos, Price, Qty, Side, Symbol};
use tickline_wire::itch::{
    Add, BYTES_MAX, Body, Cancel, Delete, Executed, ExecutedPrice, Header, Letter, Replace, Update, decode,
    encode, length_of,
};

/// Streams: messages one after the other, each as long as its letter says; bytes that start no message are skipped.
pub struct Book;

fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Update> + '_ {
    std::iter::from_fn(move || {
        while let Some(&letter) = bytes.first() {
            let length = length_of(letter).max(1);
            let (head, rest) = bytes.split_at_checked(length)?;
            bytes = rest;
            if let Ok(update) = decode(head) {
                return Some(update);
            }
        }
        None
    })
}

fn stream(updates: &[Body]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for &body in updates {
        let mut one = [0; BYTES_MAX];
        let header = Header { time: Nanos(34_200_000_000_000), locate: 1, tracking: 0 };
        let length = encode(&Update { header, body }, &mut one);
        bytes.extend(&one[..length]);
    }
    bytes
}

fn add(order: u64, side: Side, shares: u32, price: u32) -> Body {
    Add { order, side, shares: Qty(shares), symbol: Symbol(*b"FUZZ    "), price: Price(price) }.into()
}

fn compare(books: &Books, model: &SlowBooks) -> Result<(), String> {
    for book in books.by_symbol() {
        let slow = model.books.get(&book.symbol());
        for side in [Side::Buy, Side::Sell] {
            let ours: Vec<_> =
                book.best_first(side).map(|Level { price, qty, orders }| (price.0, qty, orders)).collect();
            let theirs = slow.map_or_else(Vec::new, |slow| slow.levels(side));
            promise(ours == theirs, || {
                format!("{:?} {side:?}: levels {ours:?}, the model has {theirs:?}", book.symbol())
            })?;
            let mut ours = Vec::new();
            book.orders(side, |order| ours.push((order.reference, order.price.0, order.qty.0, order.mpid)));
            let theirs = slow.map_or_else(Vec::new, |slow| slow.orders(side));
            promise(ours == theirs, || {
                format!("{:?} {side:?}: orders {ours:?}, the model has {theirs:?}", book.symbol())
            })?;
        }
    }
    Ok(())
}

impl Target for Book {
    fn name(&self) -> &'static str {
        "book"
    }

    fn share(&self) -> u64 {
        6
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let executed = |order, shares| Body::from(Executed { order, shares: Qty(shares), match_number: 1 });
        let priced = ExecutedPrice {
            order: 2,
            shares: Qty(10),
            match_number: 2,
            printable: Letter(b'N'),
            price: Price(9),
        };
        vec![
            stream(&[
                add(1, Side::Buy, 100, 500),
                add(2, Side::Sell, 50, 510),
                executed(1, 40),
                executed(1, 60),
            ]),
            stream(&[
                add(1, Side::Buy, 100, 500),
                add(2, Side::Buy, 30, 500),
                Replace { order: 1, new_order: 3, shares: Qty(10), price: Price(500) }.into(),
                Cancel { order: 2, shares: Qty(5) }.into(),
                priced.into(),
                Delete { order: 3 }.into(),
            ]),
            stream(&(1..9).map(|n| add(n, Side::Sell, 10, 600 + n as u32 % 3)).collect::<Vec<_>>()),
        ]
    }

    fn run(&mut self, input: &[u8]) -> Result<u64, String> {
        let mut books = Books::new(Capacity { orders: 8, levels: 4, books: 1, levels_per_side: 2 });
        let mut model = SlowBooks::default();
        let mut applied = 0;
        for update in messages(input) {
            books.apply(&update);
            model.apply(&update);
            applied += 1;
        }
        compare(&books, &model)?;
        promise(books.anomalies().total() == model.anomalies, || {
            format!("{} anomalies, the model has {}", books.anomalies().total(), model.anomalies)
        })?;
        let few = |count: usize| count.min(8) as u64;
        Ok(mark(&[
            few(applied),
            few(books.len()),
            few(books.orders_resting()),
            books.anomalies().total().min(8),
        ]))
    }
}
