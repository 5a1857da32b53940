//! The book most people write first, as a peer: a hash map of orders and sorted maps of levels. No queues, no checks.

use std::collections::{BTreeMap, HashMap};
use tickline_units::Side;
use tickline_wire::itch::{Body, Update};

/// Books by locate code.
#[derive(Default)]
pub struct NaiveBooks {
    orders: HashMap<u64, Order>,
    books: HashMap<u16, [BTreeMap<u32, u64>; 2]>,
}

struct Order {
    locate: u16,
    side: Side,
    price: u32,
    qty: u32,
}

impl NaiveBooks {
    /// Applies one message.
    pub fn apply(&mut self, update: &Update) {
        let locate = update.header.locate;
        match update.body {
            Body::Add(m) => self.add(locate, m.order, m.side, m.price.0, m.shares.0),
            Body::AddMpid(m) => self.add(locate, m.order, m.side, m.price.0, m.shares.0),
            Body::Executed(m) => self.reduce(m.order, m.shares.0),
            Body::ExecutedPrice(m) => self.reduce(m.order, m.shares.0),
            Body::Cancel(m) => self.reduce(m.order, m.shares.0),
            Body::Delete(m) => self.reduce(m.order, u32::MAX),
            Body::Replace(m) => {
                let Some(old) = self.orders.get(&m.order) else { return };
                let side = old.side;
                self.reduce(m.order, u32::MAX);
                self.add(locate, m.new_order, side, m.price.0, m.shares.0);
            }
            _ => {}
        }
    }

    /// Best price and shares of a side.
    pub fn best(&self, locate: u16, side: Side) -> Option<(u32, u64)> {
        let levels = self.books.get(&locate)?;
        let best = match side {
            Side::Buy => levels[0].last_key_value(),
            Side::Sell => levels[1].first_key_value(),
        };
        best.map(|(price, qty)| (*price, *qty))
    }

    fn levels(&mut self, locate: u16, side: Side) -> &mut BTreeMap<u32, u64> {
        &mut self.books.entry(locate).or_default()[side as usize - 1]
    }

    fn add(&mut self, locate: u16, reference: u64, side: Side, price: u32, qty: u32) {
        self.orders.insert(reference, Order { locate, side, price, qty });
        *self.levels(locate, side).entry(price).or_default() += qty as u64;
    }

    fn reduce(&mut self, reference: u64, shares: u32) {
        let Some(order) = self.orders.get_mut(&reference) else { return };
        let taken = shares.min(order.qty);
        order.qty -= taken;
        let (locate, side, price, gone) = (order.locate, order.side, order.price, order.qty == 0);
        if gone {
            self.orders.remove(&reference);
        }
        let levels = self.levels(locate, side);
        if let Some(qty) = levels.get_mut(&price) {
            *qty -= taken as u64;
            if *qty == 0 {
                levels.remove(&price);
            }
        }
    }
}
