//! The slow model: one sorted map per side, orders in plain vectors, every rule written out from the specification.
//! Shares no code with the books.

use std::collections::BTreeMap;
use tickline_units::{Price, Qty, Side, Symbol};
use tickline_wire::itch::{Body, Update};

/// An order of the slow model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowOrder {
    pub reference: u64,
    pub qty: u32,
    pub mpid: [u8; 4],
}

#[derive(Clone, Debug, Default)]
pub struct SlowBook {
    pub bids: BTreeMap<u32, Vec<SlowOrder>>,
    pub asks: BTreeMap<u32, Vec<SlowOrder>>,
}

/// Printed volume, per symbol, besides the books.
#[derive(Default)]
pub struct SlowBooks {
    pub books: BTreeMap<Symbol, SlowBook>,
    locates: BTreeMap<u16, Symbol>,
    pub printed: BTreeMap<Symbol, (u64, u128)>,
    pub anomalies: u64,
}

impl SlowBook {
    pub fn side(&self, side: Side) -> &BTreeMap<u32, Vec<SlowOrder>> {
        if side == Side::Buy { &self.bids } else { &self.asks }
    }

    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<u32, Vec<SlowOrder>> {
        if side == Side::Buy { &mut self.bids } else { &mut self.asks }
    }

    /// Levels best first: price, shares, orders.
    pub fn levels(&self, side: Side) -> Vec<(u32, u64, u32)> {
        let level = |(price, orders): (&u32, &Vec<SlowOrder>)| {
            (*price, orders.iter().map(|o| o.qty as u64).sum(), orders.len() as u32)
        };
        if side == Side::Buy {
            self.bids.iter().rev().map(level).collect()
        } else {
            self.asks.iter().map(level).collect()
        }
    }

    /// Orders in price-time priority: reference, price, shares, participant.
    pub fn orders(&self, side: Side) -> Vec<(u64, u32, u32, [u8; 4])> {
        let mut all = Vec::new();
        let mut push = |price: &u32, orders: &Vec<SlowOrder>| {
            all.extend(orders.iter().map(|o| (o.reference, *price, o.qty, o.mpid)));
        };
        if side == Side::Buy {
            self.bids.iter().rev().for_each(|(p, o)| push(p, o));
        } else {
            self.asks.iter().for_each(|(p, o)| push(p, o));
        }
        all
    }
}

impl SlowBooks {
    fn resting(&self, reference: u64) -> Option<(Symbol, Side, u32, usize)> {
        for (symbol, book) in &self.books {
            for side in [Side::Buy, Side::Sell] {
                for (price, orders) in book.side(side) {
                    if let Some(at) = orders.iter().position(|o| o.reference == reference) {
                        return Some((*symbol, side, *price, at));
                    }
                }
            }
        }
        None
    }

    fn bind(&mut self, locate: u16, symbol: Symbol) -> bool {
        match self.locates.get(&locate) {
            Some(bound) => *bound == symbol,
            None if self.locates.values().any(|bound| *bound == symbol) => false,
            None => {
                self.locates.insert(locate, symbol);
                self.books.entry(symbol).or_default();
                true
            }
        }
    }

    fn add(&mut self, symbol: Symbol, side: Side, price: Price, order: SlowOrder) -> bool {
        if order.qty == 0 || price.0 == 0 || self.resting(order.reference).is_some() {
            return false;
        }
        self.books.get_mut(&symbol).unwrap().side_mut(side).entry(price.0).or_default().push(order);
        true
    }

    /// Takes shares off an order that may be named under this locate code; returns what it was and how much was taken.
    fn take(
        &mut self,
        locate: u16,
        reference: u64,
        shares: u32,
    ) -> Option<(Symbol, Side, u32, SlowOrder, u32)> {
        let (symbol, side, price, at) = self.resting(reference)?;
        if self.locates.get(&locate) != Some(&symbol) {
            return None;
        }
        let levels = self.books.get_mut(&symbol).unwrap().side_mut(side);
        let orders = levels.get_mut(&price).unwrap();
        let before = orders[at].clone();
        let taken = shares.min(before.qty);
        orders[at].qty -= taken;
        orders.retain(|o| o.qty > 0);
        if orders.is_empty() {
            levels.remove(&price);
        }
        Some((symbol, side, price, before, taken))
    }

    fn print(&mut self, symbol: Symbol, price: u32, qty: u64) {
        let printed = self.printed.entry(symbol).or_default();
        // A damaged cross can claim any 64-bit quantity.
        printed.0 = printed.0.wrapping_add(qty);
        printed.1 += qty as u128 * price as u128;
    }

    fn reduce(&mut self, locate: u16, reference: u64, shares: Qty, print: Option<Option<Price>>) -> bool {
        if shares.0 == 0 {
            return false;
        }
        let Some((symbol, _, price, _, taken)) = self.take(locate, reference, shares.0) else { return false };
        if let Some(own) = print {
            self.print(symbol, own.map_or(price, |p| p.0), taken as u64);
        }
        taken == shares.0
    }

    pub fn apply(&mut self, update: &Update) {
        let locate = update.header.locate;
        let fine = match update.body {
            Body::StockDirectory(m) => self.bind(locate, m.symbol),
            Body::Add(m) => {
                let order = SlowOrder { reference: m.order, qty: m.shares.0, mpid: [0; 4] };
                self.bind(locate, m.symbol) && self.add(m.symbol, m.side, m.price, order)
            }
            Body::AddMpid(m) => {
                let order = SlowOrder { reference: m.order, qty: m.shares.0, mpid: m.mpid };
                self.bind(locate, m.symbol) && self.add(m.symbol, m.side, m.price, order)
            }
            Body::Executed(m) => self.reduce(locate, m.order, m.shares, Some(None)),
            Body::ExecutedPrice(m) => {
                let print = if m.printable.0 == b'Y' { Some(Some(m.price)) } else { None };
                self.reduce(locate, m.order, m.shares, print)
            }
            Body::Cancel(m) => self.reduce(locate, m.order, m.shares, None),
            Body::Delete(m) => self.take(locate, m.order, u32::MAX).is_some(),
            Body::Replace(m) => match self.take(locate, m.order, u32::MAX) {
                Some((symbol, side, _, old, _)) => {
                    let order = SlowOrder { reference: m.new_order, qty: m.shares.0, mpid: old.mpid };
                    self.add(symbol, side, m.price, order)
                }
                None => false,
            },
            Body::Trade(m) => {
                let known = self.bind(locate, m.symbol);
                if known {
                    self.print(m.symbol, m.price.0, m.shares.0 as u64);
                }
                known
            }
            Body::Cross(m) => {
                let known = self.bind(locate, m.symbol);
                if known {
                    self.print(m.symbol, m.price.0, m.shares);
                }
                known
            }
            _ => true,
        };
        self.anomalies += !fine as u64;
    }
}
