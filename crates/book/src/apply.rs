// @hot
//! One message applied to the books.
//!
//! Source: Nasdaq TotalView-ITCH 5.0, sections 4.4 to 4.6. `E` trades at the order's price, `C` at its own and prints only when
//! printable; `U` keeps side, stock and participant and goes to the back of its new level; an order is gone when `E`, `C`, `X` bring it
//! to 0 as well as on `D`; `P` and `Q` do not touch the book.

use crate::books::{Books, side_at};
use crate::change::{Anomaly, BookId, Change, Origin, Shares, Trade};
use crate::level::Queue;
use crate::order::Order;
use crate::slab::NIL;
use tickline_units::{Price, Qty, Side, Symbol};
use tickline_wire::itch::{Body, Update};

/// What is new about an order that enters.
struct Entry {
    reference: u64,
    side: Side,
    price: Price,
    qty: Qty,
    mpid: [u8; 4],
}

impl Books {
    /// Applies one message and says what it changed. Messages that fail a check are counted and, as `Anomaly` says, ignored
    /// or cut down: nothing panics, nothing else is touched. Amortised O(1) near the touch; allocates only past `Capacity`.
    #[inline]
    pub fn apply(&mut self, update: &Update) -> Change {
        let locate = update.header.locate;
        match &update.body {
            Body::Add(m) => self.add(
                locate,
                m.symbol,
                Entry { reference: m.order, side: m.side, price: m.price, qty: m.shares, mpid: [0; 4] },
            ),
            Body::AddMpid(m) => self.add(
                locate,
                m.symbol,
                Entry { reference: m.order, side: m.side, price: m.price, qty: m.shares, mpid: m.mpid },
            ),
            Body::Executed(m) => self.execute(locate, m.order, m.shares, None),
            Body::ExecutedPrice(m) => {
                self.execute(locate, m.order, m.shares, Some((m.price, m.printable.0 == b'Y')))
            }
            Body::Cancel(m) => self.reduce(locate, m.order, m.shares),
            Body::Delete(m) => self.delete(locate, m.order),
            Body::Replace(m) => self.replace(locate, m.order, m.new_order, m.shares, m.price),
            Body::Trade(m) => {
                self.print(locate, m.symbol, m.price, m.shares.0 as u64, Origin::Hidden, Some(m.side))
            }
            Body::Cross(m) => self.print(locate, m.symbol, m.price, m.shares, Origin::Cross, None),
            Body::StockDirectory(m) => match self.bind(locate, m.symbol) {
                Ok(book) => Change { book, ..Change::NONE },
                Err(anomaly) => self.refuse(BookId::NONE, anomaly),
            },
            _ => Change { book: self.of_locate(locate).unwrap_or(BookId::NONE), ..Change::NONE },
        }
    }
    #[inline]
    fn add(&mut self, locate: u16, symbol: Symbol, entry: Entry) -> Change {
        let book = match self.bind(locate, symbol) {
            Ok(book) => book,
            Err(anomaly) => return self.refuse(BookId::NONE, anomaly),
        };
        match self.enter(book, &entry) {
            Ok(()) => Change {
                book,
                side: entry.side,
                entered: Shares { price: entry.price, qty: entry.qty },
                ..Change::NONE
            },
            Err(anomaly) => self.refuse(book, anomaly),
        }
    }

    #[inline]
    fn execute(&mut self, locate: u16, reference: u64, shares: Qty, own: Option<(Price, bool)>) -> Change {
        let mut change = self.reduce(locate, reference, shares);
        if change.left.qty.0 != 0 && own.is_none_or(|(_, printable)| printable) {
            change.trade = Some(Trade {
                price: own.map_or(change.left.price, |(price, _)| price),
                qty: change.left.qty.0 as u64,
                origin: Origin::Displayed,
                resting: Some(change.side),
            });
        }
        change
    }

    #[inline]
    fn reduce(&mut self, locate: u16, reference: u64, shares: Qty) -> Change {
        if shares.0 == 0 {
            return self.refuse(self.of_locate(locate).unwrap_or(BookId::NONE), Anomaly::Invalid);
        }
        match self.take(locate, reference, shares.0) {
            Ok((_, change)) if change.left.qty < shares => {
                self.count(Anomaly::OverExecution);
                Change { anomaly: Some(Anomaly::OverExecution), ..change }
            }
            Ok((_, change)) => change,
            Err((book, anomaly)) => self.refuse(book, anomaly),
        }
    }

    #[inline]
    fn delete(&mut self, locate: u16, reference: u64) -> Change {
        match self.take(locate, reference, u32::MAX) {
            Ok((_, change)) => change,
            Err((book, anomaly)) => self.refuse(book, anomaly),
        }
    }

    #[inline]
    fn replace(&mut self, locate: u16, old: u64, new: u64, qty: Qty, price: Price) -> Change {
        let (order, change) = match self.take(locate, old, u32::MAX) {
            Ok(taken) => taken,
            Err((book, anomaly)) => return self.refuse(book, anomaly),
        };
        let entry = Entry { reference: new, side: change.side, price, qty, mpid: order.mpid };
        match self.enter(change.book, &entry) {
            Ok(()) => Change { entered: Shares { price, qty }, ..change },
            Err(anomaly) => {
                self.count(anomaly);
                Change { anomaly: Some(anomaly), ..change }
            }
        }
    }

    /// A trade that leaves the book as it is.
    fn print(
        &mut self,
        locate: u16,
        symbol: Symbol,
        price: Price,
        qty: u64,
        origin: Origin,
        resting: Option<Side>,
    ) -> Change {
        let book = match self.bind(locate, symbol) {
            Ok(book) => book,
            Err(anomaly) => return self.refuse(BookId::NONE, anomaly),
        };
        // A cross without shares is how the exchange says that there was none.
        let trade = (qty != 0).then_some(Trade { price, qty, origin, resting });
        Change { book, trade, ..Change::NONE }
    }

    /// Puts an order at the back of its level.
    #[inline]
    fn enter(&mut self, book: BookId, entry: &Entry) -> Result<(), Anomaly> {
        if entry.qty.0 == 0 || entry.price.0 == 0 {
            return Err(Anomaly::Invalid);
        }
        if self.index.find(entry.reference, &self.orders).is_some() {
            return Err(Anomaly::DuplicateReference);
        }
        let level = self.queue_at(book, entry.side, entry.price);
        let tail = self.queues.at(level).tail;
        let number = self.orders.insert(Order {
            reference: entry.reference,
            qty: entry.qty.0,
            level,
            prev: tail,
            next: NIL,
            mpid: entry.mpid,
        });
        self.index.insert(entry.reference, number);
        let queue = self.queues.at_mut(level);
        queue.qty += entry.qty.0 as u64;
        queue.orders += 1;
        queue.tail = number;
        if tail == NIL {
            queue.head = number;
        } else {
            self.orders.at_mut(tail).next = number;
        }
        let sheet = &mut self.sheets[book.0 as usize];
        sheet.orders += 1;
        sheet.versions[side_at(entry.side)] += 1;
        Ok(())
    }

    /// The queue at a price, made when there is none.
    #[inline]
    fn queue_at(&mut self, book: BookId, side: Side, price: Price) -> u32 {
        let ladder = &mut self.sheets[book.0 as usize].ladders[side_at(side)];
        match ladder.find(side, price) {
            Ok(level) => level,
            Err(place) => {
                let level = self.queues.insert(Queue {
                    qty: 0,
                    price,
                    orders: 0,
                    head: NIL,
                    tail: NIL,
                    book: book.0,
                    side,
                });
                self.grown += ladder.insert(place, side, price, level) as u64;
                level
            }
        }
    }

    /// Takes up to `shares` off an order, and the order and its level away once empty. The order is as it was before.
    #[inline]
    fn take(
        &mut self,
        locate: u16,
        reference: u64,
        shares: u32,
    ) -> Result<(Order, Change), (BookId, Anomaly)> {
        let here = self.of_locate(locate);
        let Some((place, number)) = self.index.find(reference, &self.orders) else {
            return Err((here.unwrap_or(BookId::NONE), Anomaly::UnknownReference));
        };
        let order = *self.orders.at(number);
        let queue = self.queues.at_mut(order.level);
        let book = BookId(queue.book);
        if here != Some(book) {
            return Err((here.unwrap_or(BookId::NONE), Anomaly::LocateMismatch));
        }
        let qty = shares.min(order.qty);
        let (side, price) = (queue.side, queue.price);
        queue.qty -= qty as u64;
        self.sheets[book.0 as usize].versions[side_at(side)] += 1;
        if qty < order.qty {
            self.orders.at_mut(number).qty -= qty;
        } else {
            self.index.remove(place);
            self.unlink(number, &order);
        }
        Ok((order, Change { book, side, left: Shares { price, qty: Qty(qty) }, ..Change::NONE }))
    }

    /// Takes an order out of its queue, whose shares are already counted down, and the queue off its ladder once empty.
    #[inline]
    fn unlink(&mut self, number: u32, order: &Order) {
        let queue = self.queues.at_mut(order.level);
        queue.orders -= 1;
        let (book, side, price, empty) = (queue.book, queue.side, queue.price, queue.orders == 0);
        if order.prev == NIL {
            queue.head = order.next;
        } else {
            self.orders.at_mut(order.prev).next = order.next;
        }
        if order.next == NIL {
            self.queues.at_mut(order.level).tail = order.prev;
        } else {
            self.orders.at_mut(order.next).prev = order.prev;
        }
        self.orders.remove(number);
        let sheet = &mut self.sheets[book as usize];
        sheet.orders -= 1;
        if empty {
            sheet.ladders[side_at(side)].remove(side, price);
            self.queues.remove(order.level);
        }
    }

    fn count(&mut self, anomaly: Anomaly) {
        self.anomalies.0[anomaly as usize] += 1;
    }

    #[cold]
    fn refuse(&mut self, book: BookId, anomaly: Anomaly) -> Change {
        self.count(anomaly);
        Change { book, anomaly: Some(anomaly), ..Change::NONE }
    }
}
