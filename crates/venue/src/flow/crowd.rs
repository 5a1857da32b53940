//! What the crowd does at one event: adds, cancels, replaces or takes, by the state of the book and the latent value.

use super::rng::Rng;
use crate::engine::{Command, Engine, Enter, Life, Owner, Ref};
use tickline_units::{Price, Qty, Side};

/// Orders the crowd wants to rest on a side.
const ORDERS: f64 = 80.0;
/// Levels a side that are kept populated before anything else is added.
const LEVELS: u32 = 18;
/// Orders further than this from the touch (in ticks) are the first to be cancelled.
const FAR: u32 = 40;
/// Participants shown with attributed orders.
const MPIDS: [[u8; 4]; 4] = [*b"TLKM", *b"ALFA", *b"BRVO", *b"CHRL"];

/// The crowd of one symbol: its resting orders by side, some already gone (found out when touched).
pub(super) struct Crowd {
    symbol: u16,
    tick: u32,
    orders: [Vec<Ref>; 2],
}

/// The book as the crowd sees it, in ticks.
#[derive(Clone, Copy)]
struct Touch {
    bid: u32,
    ask: u32,
    /// How far the value is above the middle, squeezed into -1..1.
    lean: f64,
}

impl Touch {
    fn own(&self, side: Side) -> u32 {
        if side == Side::Buy { self.bid } else { self.ask }
    }
}

const fn place(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

impl Crowd {
    pub(super) fn new(symbol: u16, tick: u32) -> Crowd {
        let side = || Vec::with_capacity(4 * ORDERS as usize);
        Crowd { symbol, tick: tick.max(1), orders: [side(), side()] }
    }

    /// The opening book: 20 levels a side, 3 to 7 orders each.
    pub(super) fn open(&mut self, value: f64, rng: &mut Rng, next: &mut u64, out: &mut Vec<Command>) {
        let middle = value as u32;
        for depth in 0..20 {
            for side in [Side::Buy, Side::Sell] {
                let ticks = if side == Side::Buy { middle.saturating_sub(depth) } else { middle + 1 + depth };
                for _ in 0..3 + rng.below(5) {
                    self.enter(side, ticks, size(rng), Life::Day, rng, next, out);
                }
            }
        }
    }

    /// One event.
    pub(super) fn act(
        &mut self,
        value: f64,
        engine: &Engine,
        rng: &mut Rng,
        next: &mut u64,
        out: &mut Vec<Command>,
    ) {
        let touch = self.touch(value, engine);
        let resting = (self.orders[0].len() + self.orders[1].len()) as f64;
        let cancels = 0.43 * resting / (2.0 * ORDERS);
        let pick = rng.unit() * (0.56 + cancels);
        if pick < 0.435 {
            self.add(&touch, engine, rng, next, out);
        } else if pick < 0.495 {
            self.take(&touch, engine, rng, next, out);
        } else if pick < 0.55 {
            self.replace(&touch, engine, rng, next, out);
        } else if pick < 0.56 {
            self.print(&touch, rng, out);
        } else {
            self.cancel(&touch, engine, rng, next, out);
        }
    }

    fn touch(&self, value: f64, engine: &Engine) -> Touch {
        let ticks = |side| engine.best(self.symbol, side).map(|best| best.price.0 / self.tick);
        let middle = value.max(2.0) as u32;
        let (bid, ask) = match (ticks(Side::Buy), ticks(Side::Sell)) {
            (Some(bid), Some(ask)) => (bid, ask.max(bid + 1)),
            (Some(bid), None) => (bid, (bid + 1).max(middle + 1)),
            (None, Some(ask)) => (ask.saturating_sub(1).min(middle).max(1), ask),
            (None, None) => (middle, middle + 1),
        };
        let away = value - (bid as f64 + ask as f64) / 2.0;
        Touch { bid, ask, lean: (away / 2.0).tanh() }
    }

    /// A side that buys with probability one half, leaning by `strength` towards the value.
    fn lean(touch: &Touch, strength: f64, rng: &mut Rng) -> Side {
        if rng.chance(0.5 + strength * touch.lean) { Side::Buy } else { Side::Sell }
    }

    /// A passive order: inside a wide spread, into a hole among the first levels, or at a distance that is usually small.
    fn add(&mut self, touch: &Touch, engine: &Engine, rng: &mut Rng, next: &mut u64, out: &mut Vec<Command>) {
        let mut side = Self::lean(touch, 0.2, rng);
        let thin = |side| (engine.levels(self.symbol, side) as u32) < LEVELS;
        if !thin(side) && thin(side.opposite()) {
            side = side.opposite();
        }
        let (own, gap) = (touch.own(side), touch.ask - touch.bid);
        if gap > 1 && rng.chance((0.25 * (gap - 1) as f64).min(0.8)) {
            let side = Self::lean(touch, 0.45, rng);
            let better = 1 + rng.below((gap - 1).min(2));
            let ticks = if side == Side::Buy { touch.bid + better } else { touch.ask - better };
            return self.enter(side, ticks, size(rng), Life::Day, rng, next, out);
        }
        let fill = thin(side) || rng.chance(0.1);
        if let Some(ticks) = fill.then(|| self.hole(side, own, engine)).flatten() {
            return self.enter(side, ticks, size(rng), Life::Day, rng, next, out);
        }
        // At the touch the side that the value favours is joined, the other one is left alone.
        let favoured = if side == Side::Buy { touch.lean } else { -touch.lean };
        let nearest = if favoured < -0.5 && rng.chance(0.7) { 1.0 } else { 0.0 };
        let heavy = if rng.chance(0.06) { 4.0 } else { 1.0 };
        let away = (nearest + rng.exponential() * 5.0 * heavy).min(30.0) as u32;
        let ticks = if side == Side::Buy { own.saturating_sub(away).max(1) } else { own + away };
        self.enter(side, ticks, size(rng), Life::Day, rng, next, out);
    }

    /// The nearest empty price among the first levels of a side.
    fn hole(&self, side: Side, own: u32, engine: &Engine) -> Option<u32> {
        for depth in 0..LEVELS {
            let ticks =
                if side == Side::Buy { own.checked_sub(depth).filter(|&t| t > 0)? } else { own + depth };
            let here = engine.depth(self.symbol, side, depth as usize).map(|level| level.price.0 / self.tick);
            if here != Some(ticks) {
                return Some(ticks);
            }
        }
        None
    }

    /// A marketable order: most take part of the best level, few go through several. Immediate-or-cancel but for one in five.
    fn take(
        &mut self,
        touch: &Touch,
        engine: &Engine,
        rng: &mut Rng,
        next: &mut u64,
        out: &mut Vec<Command>,
    ) {
        let side = Self::lean(touch, 0.45, rng);
        let Some(best) = engine.best(self.symbol, side.opposite()) else { return };
        let sweep = rng.chance(0.06 + 0.1 * touch.lean.abs());
        let shown = best.qty.min(20_000) as f64;
        let wanted = if sweep {
            shown * (1.0 + rng.unit())
        } else {
            (shown * rng.unit()).min(100.0 * rng.exponential())
        };
        let lots = if wanted >= 100.0 { (wanted / 100.0) as u32 * 100 } else { wanted as u32 };
        let through = if sweep { 1 + rng.below(3) } else { 0 };
        let price = best.price.0 / self.tick;
        let ticks = if side == Side::Buy { price + through } else { price.saturating_sub(through).max(1) };
        let life = if sweep || rng.chance(0.8) { Life::Ioc } else { Life::Day };
        self.enter(side, ticks, Qty(lots.max(1)), life, rng, next, out);
    }

    /// A resting order moves, most often towards the touch.
    fn replace(
        &mut self,
        touch: &Touch,
        engine: &Engine,
        rng: &mut Rng,
        next: &mut u64,
        out: &mut Vec<Command>,
    ) {
        let side = Self::lean(touch, 0.2, rng);
        let Some((at, _, qty)) = self.choose(side, touch, engine, rng) else { return };
        let own = touch.own(side);
        let away = (rng.exponential() * 2.5).min(20.0) as u32;
        let ticks = if side == Side::Buy { own.saturating_sub(away).max(1) } else { own + away };
        let old = self.orders[place(side)][at];
        let new = Ref(*next);
        *next += 1;
        self.orders[place(side)][at] = new;
        let qty = if rng.chance(0.7) { qty } else { size(rng) };
        out.push(Command::Replace { old, new, price: Price(ticks * self.tick), qty, life: Life::Day });
    }

    /// A resting order goes, or a part of it; the side that the value threatens goes first.
    /// A thin side is not thinned further: it gets an order instead.
    fn cancel(
        &mut self,
        touch: &Touch,
        engine: &Engine,
        rng: &mut Rng,
        next: &mut u64,
        out: &mut Vec<Command>,
    ) {
        let by_count =
            self.orders[0].len() as f64 / (self.orders[0].len() + self.orders[1].len()).max(1) as f64;
        let buys = by_count - 0.25 * touch.lean;
        let side = if rng.chance(buys) { Side::Buy } else { Side::Sell };
        if (engine.levels(self.symbol, side) as u32) < LEVELS {
            return self.add(touch, engine, rng, next, out);
        }
        let Some((at, order, qty)) = self.choose(side, touch, engine, rng) else { return };
        if qty.0 > 1 && rng.chance(0.08) {
            out.push(Command::Reduce { order, by: Qty(1 + rng.below(qty.0 - 1)) });
        } else {
            self.orders[place(side)].swap_remove(at);
            out.push(Command::Cancel { order });
        }
    }

    /// A resting order of the crowd, uniformly but for three tries that prefer the far and, on the threatened side,
    /// the near; its place, reference and shares.
    fn choose(
        &mut self,
        side: Side,
        touch: &Touch,
        engine: &Engine,
        rng: &mut Rng,
    ) -> Option<(usize, Ref, Qty)> {
        let own = touch.own(side);
        let threatened = if side == Side::Buy { touch.lean < -0.3 } else { touch.lean > 0.3 };
        let list = &mut self.orders[place(side)];
        let (mut tries, mut found) = (0, None);
        while tries < 3 && !list.is_empty() {
            let at = rng.below(list.len() as u32) as usize;
            let Some(order) = engine.order(list[at]) else {
                list.swap_remove(at);
                found = None;
                continue;
            };
            tries += 1;
            found = Some((at, order.order, order.qty));
            let away = (order.price.0 / self.tick).abs_diff(own);
            if away > FAR || (threatened && away == 0) {
                break;
            }
            if rng.chance(if away == 0 { 0.3 } else { 0.6 }) {
                break;
            }
        }
        found
    }

    /// A trade of hidden orders within the spread.
    fn print(&mut self, touch: &Touch, rng: &mut Rng, out: &mut Vec<Command>) {
        let price = Price((touch.bid + touch.ask) * self.tick / 2);
        out.push(Command::Print { symbol: self.symbol, side: Side::Buy, price, qty: size(rng) });
    }

    #[allow(clippy::too_many_arguments)]
    fn enter(
        &mut self,
        side: Side,
        ticks: u32,
        qty: Qty,
        life: Life,
        rng: &mut Rng,
        next: &mut u64,
        out: &mut Vec<Command>,
    ) {
        let order = Ref(*next);
        *next += 1;
        let mpid = if rng.chance(0.04) { u32::from_be_bytes(MPIDS[rng.below(4) as usize]) } else { 0 };
        let price = Price(ticks.max(1) * self.tick);
        let owner = Owner::PUBLIC;
        out.push(Command::Enter(Enter { order, symbol: self.symbol, owner, side, price, qty, life, mpid }));
        if life == Life::Day {
            self.orders[place(side)].push(order);
        }
    }
}

/// Shares of an order: mostly one round lot, some several, some odd.
fn size(rng: &mut Rng) -> Qty {
    let pick = rng.below(100);
    Qty(match pick {
        0..=54 => 100,
        55..=74 => 100 * (2 + rng.below(4)),
        75..=78 => 100 * (6 + rng.below(15)),
        _ => 1 + rng.below(99),
    })
}
