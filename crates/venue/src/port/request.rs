//! What each request does. Source: OUCH 5.0, section 2.

use super::user::Working;
use super::{FIRST_REF, OrderPort, PRICE_MAX, Reject, SHARES_MAX, UserId};
use crate::engine::{Engine, Enter, Event, Gone, Life, MARKET, Ref};
use tickline_units::{Nanos, Price, Qty, Side};
use tickline_wire::ouch::{self, Appendage, Inbound};

const NONE: Appendage<'static> = Appendage::NONE;

/// Where a request acts and when.
pub(super) struct Act<'a> {
    user: UserId,
    time: Nanos,
    engine: &'a mut Engine,
    events: &'a mut Vec<Event>,
}

impl OrderPort {
    pub(super) fn request(
        &mut self,
        user: UserId,
        message: &Inbound<'_>,
        time: Nanos,
        engine: &mut Engine,
        events: &mut Vec<Event>,
    ) {
        let act = Act { user, time, engine, events };
        match message {
            Inbound::EnterOrder(enter, _) => self.enter(act, enter),
            Inbound::ReplaceOrder(replace, _) => self.replace(act, replace),
            Inbound::CancelOrder(cancel, _) => self.cancel(act, cancel),
            Inbound::ModifyOrder(modify, _) => self.modify(act, modify),
            Inbound::MassCancel(mass, _) => self.mass_cancel(act, mass),
            Inbound::DisableOrderEntry(ask, _) => self.enable(act, ask.user_ref, ask.firm, false),
            Inbound::EnableOrderEntry(ask, _) => self.enable(act, ask.user_ref, ask.firm, true),
            Inbound::AccountQuery(..) => {
                let next_user_ref = self.users[user.0].last.saturating_add(1);
                let answer = ouch::AccountQueryResponse { time_ns: time.0, next_user_ref };
                self.users[user.0].tell(|to| answer.encode(NONE, to));
            }
        }
    }

    /// Uses up a number; false when it is not higher than all before: a resent message, which is ignored.
    fn number(&mut self, user: UserId, user_ref: u32) -> bool {
        let fresh = user_ref > self.users[user.0].last;
        if fresh {
            self.users[user.0].last = user_ref;
        } else {
            self.counts.ignored += 1;
        }
        fresh
    }

    fn reject(&mut self, act: &Act<'_>, user_ref: u32, reason: Reject, cl_ord_id: [u8; 14]) {
        self.counts.rejected += 1;
        let message = ouch::Rejected { time_ns: act.time.0, user_ref, reason: reason as u16, cl_ord_id };
        self.users[act.user.0].tell(|to| message.encode(NONE, to));
    }

    /// The first thing wrong with a new order's terms, or its side, symbol and price.
    fn terms(&self, user: UserId, enter: &ouch::EnterOrder) -> Result<(Side, u16, Price), Reject> {
        let Some(side) = Side::from_letter(enter.side) else { return Err(Reject::InvalidSide) };
        let Some(symbol) = self.place(&enter.symbol) else { return Err(Reject::InvalidSymbol) };
        if !self.users[user.0].enabled {
            return Err(Reject::FirmNotAuthorized);
        }
        if !(1..=SHARES_MAX).contains(&enter.qty) {
            return Err(Reject::InvalidQuantity);
        }
        let price = self.price(symbol, enter.price)?;
        if !matches!(enter.tif, ouch::TIF_DAY | ouch::TIF_IOC) {
            return Err(Reject::Other);
        }
        if !matches!(enter.display, b'Y' | b'A') {
            return Err(Reject::InvalidDisplay);
        }
        if !matches!(enter.capacity, b'A' | b'P' | b'R' | b'O') {
            return Err(Reject::Other);
        }
        if enter.sweep != b'N' {
            return Err(Reject::IsoNotAllowed);
        }
        if enter.cross != b'N' {
            return Err(Reject::InvalidCross);
        }
        Ok((side, symbol, price))
    }

    fn price(&self, symbol: u16, price: u64) -> Result<Price, Reject> {
        if price == ouch::PRICE_MARKET {
            return Ok(MARKET);
        }
        let tick = self.symbols[symbol as usize].tick.max(1) as u64;
        let holds = (1..=PRICE_MAX).contains(&price) && price.is_multiple_of(tick);
        if holds { Ok(Price(price as u32)) } else { Err(Reject::InvalidPrice) }
    }

    fn enter(&mut self, act: Act<'_>, enter: &ouch::EnterOrder) {
        if !self.number(act.user, enter.user_ref) {
            return;
        }
        let (side, symbol, price) = match self.terms(act.user, enter) {
            Ok(terms) => terms,
            Err(reason) => return self.reject(&act, enter.user_ref, reason, enter.cl_ord_id),
        };
        let ouch::EnterOrder { user_ref, qty, tif, capacity, .. } = *enter;
        let (executed, live, letter, paid) = (0, true, enter.side, enter.price);
        let order = self.remember(
            act.user,
            Working {
                user_ref,
                symbol,
                side: letter,
                qty,
                executed,
                price: paid,
                capacity,
                live,
                modified: false,
            },
        );
        let accepted = ouch::OrderAccepted {
            time_ns: act.time.0,
            user_ref,
            side: enter.side,
            qty,
            symbol: enter.symbol,
            price: enter.price,
            tif,
            display: enter.display,
            order_ref: order.0,
            capacity,
            sweep: enter.sweep,
            cross: enter.cross,
            state: b'L',
            cl_ord_id: enter.cl_ord_id,
        };
        self.counts.accepted += 1;
        self.users[act.user.0].tell(|to| accepted.encode(NONE, to));
        let (owner, qty, life) = (act.user.owner(), Qty(qty), life(tif));
        act.engine.enter(&Enter { order, symbol, owner, side, price, qty, life, mpid: 0 }, act.events);
    }

    fn remember(&mut self, user: UserId, working: Working) -> Ref {
        let order = Ref(FIRST_REF + self.orders.len() as u64);
        self.users[user.0].orders.insert(working.user_ref, order);
        self.orders.push(working);
        order
    }

    fn replace(&mut self, act: Act<'_>, replace: &ouch::ReplaceOrder) {
        if !self.number(act.user, replace.user_ref) {
            return;
        }
        let (old, was, price) = match self.replacement(act.user, replace) {
            Ok(terms) => terms,
            Err(reason) => return self.reject(&act, replace.user_ref, reason, replace.cl_ord_id),
        };
        if replace.qty <= was.executed {
            // The new size has been executed already: nothing is left to work.
            return act.engine.cancel(old, Gone::Cancelled, act.events);
        }
        let ouch::ReplaceOrder { user_ref, qty, tif, .. } = *replace;
        let new = self.remember(act.user, Working { user_ref, qty, price: replace.price, ..was });
        if let Some(gone) = self.order_mut(old) {
            gone.live = false;
        }
        let leaves = qty - was.executed;
        let replaced = ouch::OrderReplaced {
            time_ns: act.time.0,
            original_user_ref: replace.original_user_ref,
            user_ref,
            side: was.side,
            qty: leaves,
            symbol: self.symbols[was.symbol as usize].symbol.0,
            price: replace.price,
            tif,
            display: replace.display,
            order_ref: new.0,
            capacity: was.capacity,
            sweep: replace.sweep,
            cross: b'N',
            state: b'L',
            cl_ord_id: replace.cl_ord_id,
        };
        self.counts.accepted += 1;
        self.users[act.user.0].tell(|to| replaced.encode(NONE, to));
        act.engine.replace(old, new, price, Qty(leaves), life(tif), act.events);
    }

    /// The order to replace and the new price, or the first thing wrong.
    fn replacement(
        &self,
        user: UserId,
        replace: &ouch::ReplaceOrder,
    ) -> Result<(Ref, Working, Price), Reject> {
        let Some((old, was)) = self.live(user, replace.original_user_ref) else {
            return Err(Reject::ReplaceNotAllowed);
        };
        if !self.users[user.0].enabled {
            return Err(Reject::FirmNotAuthorized);
        }
        if !(1..=SHARES_MAX).contains(&replace.qty) {
            return Err(Reject::InvalidQuantity);
        }
        let price = self.price(was.symbol, replace.price)?;
        if !matches!(replace.tif, ouch::TIF_DAY | ouch::TIF_IOC) {
            return Err(Reject::Other);
        }
        if !matches!(replace.display, b'Y' | b'A') {
            return Err(Reject::InvalidDisplay);
        }
        if replace.sweep != b'N' {
            return Err(Reject::IsoNotAllowed);
        }
        Ok((old, was, price))
    }

    /// The order's size becomes at most `qty`, shares executed included; 0 cancels it all. A size that is no smaller, or
    /// an order that is not live, is ignored.
    fn cancel(&mut self, act: Act<'_>, cancel: &ouch::CancelOrder) {
        match self.live(act.user, cancel.user_ref) {
            Some((order, was)) if cancel.qty <= was.executed => {
                act.engine.cancel(order, Gone::Cancelled, act.events);
            }
            Some((order, was)) if cancel.qty < was.qty => {
                act.engine.reduce(order, Qty(was.qty - cancel.qty), act.events);
            }
            _ => self.counts.ignored += 1,
        }
    }

    /// Another sell letter, or fewer shares, without loss of priority.
    fn modify(&mut self, act: Act<'_>, modify: &ouch::ModifyOrder) {
        let Some((order, was)) = self.live(act.user, modify.user_ref) else {
            self.counts.ignored += 1;
            return;
        };
        let sells = |letter| Side::from_letter(letter) == Some(Side::Sell);
        let side_holds = modify.side == was.side || (sells(modify.side) && sells(was.side));
        if !(side_holds && modify.qty > was.executed && modify.qty <= was.qty) {
            self.counts.ignored += 1;
            return;
        }
        if modify.qty < was.qty {
            act.engine.reduce(order, Qty(was.qty - modify.qty), act.events);
        }
        let modified = ouch::Modified {
            time_ns: act.time.0,
            user_ref: modify.user_ref,
            side: modify.side,
            qty: modify.qty - was.executed,
        };
        if let Some(working) = self.order_mut(order) {
            working.modified = modify.qty < working.qty;
            (working.side, working.qty) = (modify.side, modify.qty);
        }
        self.users[act.user.0].tell(|to| modified.encode(NONE, to));
    }

    fn mass_cancel(&mut self, act: Act<'_>, mass: &ouch::MassCancel) {
        if !self.number(act.user, mass.user_ref) {
            return;
        }
        let symbol = match (mass.symbol, self.place(&mass.symbol)) {
            ([b' ', b' ', b' ', b' ', b' ', b' ', b' ', b' '], _) => None,
            (_, Some(symbol)) => Some(symbol),
            _ => return self.reject(&act, mass.user_ref, Reject::InvalidSymbol, [b' '; 14]),
        };
        let ouch::MassCancel { user_ref, firm, symbol: name } = *mass;
        let answer = ouch::MassCancelResponse { time_ns: act.time.0, user_ref, firm, symbol: name };
        self.users[act.user.0].tell(|to| answer.encode(NONE, to));
        act.engine.mass_cancel(act.user.owner(), symbol, None, Gone::MassCancelled, act.events);
    }

    fn enable(&mut self, act: Act<'_>, user_ref: u32, firm: [u8; 4], enabled: bool) {
        if !self.number(act.user, user_ref) {
            return;
        }
        let time_ns = act.time.0;
        let user = &mut self.users[act.user.0];
        user.enabled = enabled;
        if enabled {
            user.tell(|to| ouch::EnableResponse { time_ns, user_ref, firm }.encode(NONE, to));
        } else {
            user.tell(|to| ouch::DisableResponse { time_ns, user_ref, firm }.encode(NONE, to));
        }
    }
}

fn life(tif: u8) -> Life {
    if tif == ouch::TIF_IOC { Life::Ioc } else { Life::Day }
}
