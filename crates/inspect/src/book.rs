//! One symbol's book after each of its messages.

use crate::fault::Fault;
use crate::number::push;
use crate::stream::Stream;
use std::io::{self, ErrorKind, Write};
use tickline_book::{Books, Level};
use tickline_packet::arbiter::{Event, Gap};
use tickline_units::{Side, Symbol};
use tickline_wire::itch;

/// The book after one message.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// MoldUDP64 sequence number of the message.
    pub sequence: u64,
    /// Best first; an empty level has price 0 and 0 shares.
    pub asks: &'a [Level],
    /// Best first; an empty level has price 0 and 0 shares.
    pub bids: &'a [Level],
}

impl Row<'_> {
    /// Appends `sequence,ask,size,bid,size,...` and a line end: LOBSTER's order of columns, prices x 10,000.
    pub fn write_csv(&self, out: &mut Vec<u8>) {
        push(out, self.sequence);
        for (ask, bid) in self.asks.iter().zip(self.bids) {
            for level in [ask, bid] {
                out.push(b',');
                push(out, u64::from(level.price.0));
                out.push(b',');
                push(out, level.qty);
            }
        }
        out.push(b'\n');
    }
}

/// What a run over a capture found beside the rows.
#[derive(Clone, Debug, Default)]
pub struct BookRun {
    /// Rows given.
    pub rows: u64,
    /// Messages lost on both lines; the book may be wrong from there on.
    pub gaps: Vec<Gap>,
    /// Messages that did not decode.
    pub malformed: u64,
    /// Messages that did not fit the book.
    pub anomalies: u64,
}

/// Calls `each` with the book of `symbol`, `levels` deep, after each message of that symbol.
pub fn rows(
    stream: &mut Stream,
    symbol: Symbol,
    levels: usize,
    mut each: impl FnMut(Row<'_>) -> io::Result<()>,
) -> Result<BookRun, Fault> {
    let mut books = Books::default();
    let mut run = BookRun::default();
    let mut outcome = Ok(());
    let (mut asks, mut bids) = (vec![Level::default(); levels], vec![Level::default(); levels]);
    let mut sessions = 0;
    stream.run(|event| match event {
        Event::Message { sequence, bytes } => match itch::decode(bytes) {
            Ok(update) => {
                let change = books.apply(&update);
                let Some(book) = books.book(change.book).filter(|book| book.symbol() == symbol) else {
                    return;
                };
                book.top(Side::Sell, levels, &mut asks);
                book.top(Side::Buy, levels, &mut bids);
                run.rows += 1;
                if outcome.is_ok() {
                    outcome = each(Row { sequence, asks: &asks, bids: &bids });
                }
            }
            Err(fault) if fault.kind == itch::Kind::Unknown => {}
            Err(_) => run.malformed += 1,
        },
        Event::Gap(gap) => {
            books.mark_stale();
            run.gaps.push(gap);
        }
        Event::Session { .. } => {
            sessions += 1;
            if sessions > 1 {
                books.reset_day();
            }
        }
        Event::End { .. } => {}
    });
    outcome?;
    run.anomalies = books.anomalies().total();
    if run.rows == 0 {
        return Err(absent(stream, symbol, &books));
    }
    Ok(run)
}

/// Bytes gathered before a write.
const CHUNK: usize = 1 << 18;

impl BookRun {
    /// Writes all rows as CSV. A reader that goes away (`| head`) ends the output without an error.
    pub fn csv(
        stream: &mut Stream,
        symbol: Symbol,
        levels: usize,
        out: &mut impl Write,
    ) -> Result<BookRun, Fault> {
        let mut text = Vec::with_capacity(CHUNK + 4096);
        let outcome = rows(stream, symbol, levels, |row| {
            row.write_csv(&mut text);
            if text.len() >= CHUNK {
                out.write_all(&text)?;
                text.clear();
            }
            Ok(())
        });
        match outcome {
            Err(Fault::Output(fault)) if fault.kind() == ErrorKind::BrokenPipe => Ok(BookRun::default()),
            Err(fault) => Err(fault),
            Ok(run) => match out.write_all(&text).and_then(|()| out.flush()) {
                Err(fault) if fault.kind() != ErrorKind::BrokenPipe => Err(fault.into()),
                _ => Ok(run),
            },
        }
    }
}

fn absent(stream: &Stream, symbol: Symbol, books: &Books) -> Fault {
    Fault::Symbol {
        file: stream.capture().file().to_owned(),
        symbol: symbol.text(),
        known: books.by_symbol().take(10).map(|book| book.symbol().text()).collect(),
        count: books.len(),
    }
}
