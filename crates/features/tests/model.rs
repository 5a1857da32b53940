//! Goal: every derived value equals its definition in `names`.
//! Method: the slow model keeps the whole history and recomputes each value from it in plain f64; random walks of books and
//! trades run through both. Hand-checked rows stand beside it, since a model can repeat a mistake.

use proptest::prelude::*;
use std::collections::HashMap;
use tickline_book::{Origin, Trade};
use tickline_features::{DEPTH, Features, LEVELS, NAMES, Snapshot};
use tickline_trials::trials;
use tickline_units::{Price, Side};

/// A seeded generator (splitmix64), so that a failure repeats from its seed.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }
}

#[derive(Clone)]
struct Event {
    trades: Vec<Trade>,
    book: Snapshot,
    time: u64,
}

/// A random walk: prices, depth, empty sides and empty levels, pauses, trades of every origin.
fn walk(seed: u64, rows: usize) -> Vec<Event> {
    let mut random = Seeded(seed);
    let (mut centre, mut time) = (1_000_000u32 + random.next(9_000_000) as u32, random.next(1 << 40));
    let calm = random.next(3) == 0;
    (0..rows)
        .map(|_| {
            if !calm || random.next(20) == 0 {
                centre = centre + 100 * random.next(4) as u32 - 100 * random.next(4) as u32;
            }
            time += random.next(4) * random.next(50_000_000);
            let mut book = Snapshot::default();
            let depth =
                |random: &mut Seeded| if random.next(40) == 0 { random.next(3) } else { 8 + random.next(3) };
            let (bids, asks) = (depth(&mut random) as usize, depth(&mut random) as usize);
            let spread = 100 * random.next(4) as u32;
            let (mut bid, mut ask) = (centre, centre + spread);
            for level in 0..DEPTH {
                if level < bids {
                    (book.bid[level], book.bid_qty[level]) = (bid, 1 + random.next(900) as u32);
                    bid -= 100 * (1 + random.next(3) as u32);
                }
                if level < asks {
                    (book.ask[level], book.ask_qty[level]) = (ask, 1 + random.next(900) as u32);
                    ask += 100 * (1 + random.next(3) as u32);
                }
            }
            let trades = (0..random.next(8).saturating_sub(5))
                .map(|_| Trade {
                    price: Price(centre - 300 + 50 * random.next(13) as u32),
                    qty: 1 + random.next(500),
                    origin: [Origin::Displayed, Origin::Hidden, Origin::Cross][random.next(3) as usize],
                    resting: [Some(Side::Buy), Some(Side::Sell)][random.next(2) as usize],
                })
                .collect();
            Event { trades, book, time }
        })
        .collect()
}

/// Everything known of one past row in the slow model.
struct Known {
    time: u64,
    mid: f64,
    step: f64,
    spread: f64,
    flow: f64,
    flow_deep: f64,
    depth: f64,
    buys: f64,
    sells: f64,
    signed: f64,
    traded: f64,
    notional: f64,
}

#[derive(Default)]
struct Slow {
    known: Vec<Known>,
    before: Option<Event>,
    mid: Option<f64>,
    macd: Vec<(f64, f64)>,
}

fn last<T>(all: &[T], n: usize) -> &[T] {
    &all[all.len().saturating_sub(n)..]
}

fn ratio(over: f64, under: f64) -> f64 {
    if under == 0.0 { 0.0 } else { over / under }
}

fn z(all: &[Known], of: impl Fn(&Known) -> f64) -> f64 {
    let xs: Vec<f64> = last(all, 1000).iter().map(of).collect();
    let mean = xs.iter().sum::<f64>() / xs.len() as f64;
    let variance = xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / xs.len() as f64;
    if xs.iter().all(|x| *x == xs[0]) { 0.0 } else { (xs[xs.len() - 1] - mean) / variance.sqrt() }
}

/// Order-flow imbalance of one level: what came to and went from the bid, less the same of the ask.
fn flow(now: &Snapshot, before: &Snapshot, i: usize) -> f64 {
    let ask = |s: &Snapshot| if s.ask_qty[i] == 0 { f64::INFINITY } else { s.ask[i] as f64 };
    let (mut e, q) = (0.0, |x: u32| x as f64);
    if now.bid[i] >= before.bid[i] {
        e += q(now.bid_qty[i]);
    }
    if now.bid[i] <= before.bid[i] {
        e -= q(before.bid_qty[i]);
    }
    if ask(now) <= ask(before) {
        e -= q(now.ask_qty[i]);
    }
    if ask(now) >= ask(before) {
        e += q(before.ask_qty[i]);
    }
    e
}

impl Slow {
    fn row(&mut self, event: &Event) -> HashMap<&'static str, f64> {
        let mut out = HashMap::new();
        let b = &event.book;
        let sum = |q: &[u32], n: usize| q[..n].iter().map(|&x| x as f64).sum::<f64>();
        let two_sided = b.bid_qty[0] > 0 && b.ask_qty[0] > 0;
        let (bid, ask, bid_qty, ask_qty) =
            (b.bid[0] as f64, b.ask[0] as f64, b.bid_qty[0] as f64, b.ask_qty[0] as f64);

        let spread = if two_sided { ask - bid } else { 0.0 };
        let imbalance = |n: usize, from: usize| {
            let (q, p) = (sum(&b.bid_qty[from..], n), sum(&b.ask_qty[from..], n));
            ratio(q - p, q + p)
        };
        let names = ["imbalance_1", "imbalance_2", "imbalance_3", "imbalance_4", "imbalance_5"];
        let more = ["imbalance_6", "imbalance_7", "imbalance_8", "imbalance_9", "imbalance_10"];
        for (i, name) in names.into_iter().chain(more).enumerate() {
            out.insert(name, imbalance(1, i));
        }
        for (name, n) in [("depth_imbalance_3", 3), ("depth_imbalance_5", 5), ("depth_imbalance_10", 10)] {
            out.insert(name, imbalance(n, 0));
        }
        let slope = |prices: &[u32; DEPTH], quantities: &[u32; DEPTH]| {
            let n = quantities.iter().filter(|&&q| q > 0).count();
            if n < 2 {
                0.0
            } else {
                sum(&quantities[1..], n - 1) / (prices[0] as f64 - prices[n - 1] as f64).abs()
            }
        };
        out.insert("slope_bid", slope(&b.bid, &b.bid_qty));
        out.insert("slope_ask", slope(&b.ask, &b.ask_qty));

        let flows: Vec<f64> = self
            .before
            .as_ref()
            .map_or(vec![0.0; DEPTH], |p| (0..DEPTH).map(|i| flow(b, &p.book, i)).collect());
        let gap = self.before.as_ref().map_or(0, |p| event.time - p.time);

        let (mut buys, mut sells, mut bought, mut sold) = (0.0, 0.0, 0.0, 0.0);
        for trade in &event.trades {
            let buy = match (trade.origin, self.mid) {
                (Origin::Displayed, _) => Some(trade.resting == Some(Side::Sell)),
                (Origin::Hidden, Some(mid)) if trade.price.0 as f64 != mid => {
                    Some(trade.price.0 as f64 > mid)
                }
                _ => None,
            };
            match buy {
                Some(true) => (buys, bought) = (buys + 1.0, bought + trade.qty as f64),
                Some(false) => (sells, sold) = (sells + 1.0, sold + trade.qty as f64),
                None => {}
            }
        }
        let mid_before = self.mid;
        if two_sided {
            self.mid = Some((bid + ask) / 2.0);
        }
        out.insert("spread", spread);
        out.insert("ofi", flows[0]);
        out.insert("ofi_deep", flows.iter().sum());
        out.insert("signed_volume", bought - sold);
        out.insert("gap_log", (1.0 + gap as f64).ln());
        let micro = if two_sided {
            (bid * ask_qty + ask * bid_qty) / (ask_qty + bid_qty) - (bid + ask) / 2.0
        } else {
            0.0
        };
        out.insert("micro_move", micro);
        if let Some(mid) = self.mid {
            self.known.push(Known {
                time: event.time,
                mid,
                step: mid - mid_before.unwrap_or(mid),
                spread,
                flow: flows[0],
                flow_deep: flows.iter().sum(),
                depth: sum(&b.bid_qty, DEPTH) + sum(&b.ask_qty, DEPTH),
                buys,
                sells,
                signed: bought - sold,
                traded: event.trades.iter().map(|t| t.qty as f64).sum(),
                notional: event.trades.iter().map(|t| t.qty as f64 * t.price.0 as f64).sum(),
            });
            self.windows(mid, &mut out);
        }
        self.before = Some(event.clone());
        out
    }

    fn windows(&mut self, mid: f64, out: &mut HashMap<&'static str, f64>) {
        let all = &self.known;
        let total = |n: usize, of: &dyn Fn(&Known) -> f64| last(all, n).iter().map(of).sum::<f64>();
        let mean = |n: usize, of: &dyn Fn(&Known) -> f64| total(n, of) / last(all, n).len() as f64;
        out.insert("mid_move", all[all.len() - 1].step);
        out.insert("ofi_100", total(100, &|k| k.flow));
        out.insert("ofi_deep_100", total(100, &|k| k.flow_deep));
        let seconds = (all[all.len() - 1].time - last(all, 1000)[0].time) as f64 / 1e9;
        out.insert("buy_rate", ratio(total(1000, &|k| k.buys), seconds));
        out.insert("sell_rate", ratio(total(1000, &|k| k.sells), seconds));
        out.insert("signed_volume_1000", total(1000, &|k| k.signed));
        let (slow, fast) = (mean(1000, &|k| k.step * k.step).sqrt(), mean(50, &|k| k.step * k.step).sqrt());
        out.insert("volatility", slow);
        out.insert("volatility_50", fast);
        out.insert("volatility_burst", if slow == 0.0 { 1.0 } else { fast / slow });
        out.insert("ma_50", mean(50, &|k| k.mid) - mid);
        out.insert("ma_1000", mean(1000, &|k| k.mid) - mid);
        let traded = total(1000, &|k| k.traded);
        out.insert("vwap", if traded == 0.0 { 0.0 } else { total(1000, &|k| k.notional) / traded - mid });
        let (up, down) = (total(100, &|k| k.step.max(0.0)), total(100, &|k| (-k.step).max(0.0)));
        out.insert("rsi", if up + down == 0.0 { 50.0 } else { 100.0 * up / (up + down) });
        // Exponential averages written as the weighted sum over the whole history instead of the recursion.
        let ema = |n: f64, xs: &[f64]| {
            let (keep, mut weight, mut sum) = (1.0 - 2.0 / (n + 1.0), 1.0, 0.0);
            for x in xs.iter().rev() {
                sum += weight * (1.0 - keep) * x;
                weight *= keep;
            }
            (sum, weight)
        };
        let mids: Vec<f64> = all.iter().map(|k| k.mid).collect();
        let from_first = |(sum, weight): (f64, f64)| sum + weight * mids[0];
        let macd = from_first(ema(12.0, &mids)) - from_first(ema(26.0, &mids));
        self.macd.push((macd, 0.0));
        let macds: Vec<f64> = self.macd.iter().map(|m| m.0).collect();
        out.insert("macd", macd);
        out.insert("macd_signal", ema(9.0, &macds).0);
        out.insert("z_mid", z(all, |k| k.mid));
        out.insert("z_spread", z(all, |k| k.spread));
        out.insert("z_ofi", z(all, |k| k.flow));
        out.insert("z_depth", z(all, |k| k.depth));
    }
}

fn run(events: &[Event], every: usize) -> Result<(), TestCaseError> {
    let (mut fast, mut slow) = (Features::new(), Slow::default());
    for (at, event) in events.iter().enumerate() {
        event.trades.iter().for_each(|trade| fast.trade(trade));
        let mut values = [f32::NAN; 40];
        let row = fast.row_of(event.book, event.time, &mut values);
        let expected = slow.row(event);
        prop_assert_eq!(row.marks.warming, slow.known.len() < 1000);
        prop_assert_eq!(row.marks.traded, !event.trades.is_empty());
        prop_assert!(values.iter().all(|v| v.is_finite()), "row {}: {:?}", at, values);
        if at % every != 0 {
            continue;
        }
        for (name, value) in NAMES.iter().zip(values) {
            let neutral = match *name {
                "rsi" => 50.0,
                "volatility_burst" => 1.0,
                _ => 0.0,
            };
            let expected = *expected.get(name).unwrap_or(&neutral);
            // Prices near 10^7 in f64 leave about 1e-6 of a square; z-scores of nearly constant windows amplify it.
            let bound = 1e-5 * (1.0 + expected.abs());
            prop_assert!(
                (value as f64 - expected).abs() <= bound,
                "row {at}, {name}: {value} but {expected}"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(trials(24, 500)))]

    #[test]
    fn values_equal_their_definitions(seed in any::<u64>(), rows in 1usize..400) {
        run(&walk(seed, rows), 1)?;
    }
}

#[test]
fn values_equal_their_definitions_long_after_the_window_is_full() {
    for seed in 0..3 {
        run(&walk(seed, 5_000), 97).unwrap();
    }
}

fn book(bid: u32, bid_qty: u32, ask: u32, ask_qty: u32) -> Snapshot {
    let mut s = Snapshot::default();
    (s.bid[0], s.bid_qty[0], s.ask[0], s.ask_qty[0]) = (bid, bid_qty, ask, ask_qty);
    s
}

fn value(values: &[f32; 40], name: &str) -> f32 {
    values[NAMES.iter().position(|n| *n == name).unwrap()]
}

#[test]
fn three_rows_worked_out_by_hand() {
    let mut features = Features::new();
    let mut v = [0.0; 40];
    features.row_of(book(10_000, 300, 10_200, 100), 0, &mut v);
    // (300 - 100) / 400 = 0.5; micro = (10,000 x 100 + 10,200 x 300) / 400 = 10,150, mid 10,100.
    assert_eq!((value(&v, "spread"), value(&v, "imbalance_1"), value(&v, "micro_move")), (200.0, 0.5, 50.0));
    assert_eq!((value(&v, "ofi"), value(&v, "mid_move"), value(&v, "rsi")), (0.0, 0.0, 50.0));

    // 50 more at the bid, ask unchanged; a buyer lifted 40 of a resting sell order at 10,200.
    features.trade(&Trade {
        price: Price(10_200),
        qty: 40,
        origin: Origin::Displayed,
        resting: Some(Side::Sell),
    });
    let row = features.row_of(book(10_000, 350, 10_200, 60), 1_000_000_000, &mut v);
    // Bid +50, ask 100 -> 60 is +40.
    assert_eq!((value(&v, "ofi"), value(&v, "ofi_100"), value(&v, "signed_volume")), (90.0, 90.0, 40.0));
    assert_eq!((value(&v, "buy_rate"), value(&v, "sell_rate"), value(&v, "vwap")), (1.0, 0.0, 100.0));
    assert!((value(&v, "gap_log") - 20.723_266).abs() < 1e-5);
    assert_eq!((row.last_price, row.last_qty, row.marks.traded), (10_200, 40, true));

    // The ask is lifted away to 10,300 (200 shares): its 60 shares went, mid +50.
    features.row_of(book(10_000, 350, 10_300, 200), 3_000_000_000, &mut v);
    assert_eq!((value(&v, "ofi"), value(&v, "mid_move"), value(&v, "rsi")), (60.0, 50.0, 100.0));
    // Moves 0, 0, 50: sqrt(2500 / 3).
    assert!((value(&v, "volatility") - 28.867_513).abs() < 1e-5);
    // EMA12: 10,100 + 50 x 2/13; EMA26: 10,100 + 50 x 2/27.
    assert!((value(&v, "macd") - (100.0 / 13.0 - 100.0 / 27.0)).abs() < 1e-4);
    assert!((value(&v, "macd_signal") - 0.2 * (100.0 / 13.0 - 100.0 / 27.0)).abs() < 1e-4);
    // Mids 10,100 10,100 10,150: mean 10,116.67, deviation 23.57: z = 33.33 / 23.57 = sqrt 2.
    assert!((value(&v, "z_mid") - std::f32::consts::SQRT_2).abs() < 1e-5);
    assert!((value(&v, "buy_rate") - 1.0 / 3.0).abs() < 1e-6);
}

#[test]
fn levels_are_ask_price_ask_size_bid_price_bid_size() {
    let mut levels = [-1.0; LEVELS];
    book(10_000, 300, 10_200, 100).write(&mut levels);
    assert_eq!(levels[..8], [10_200.0, 100.0, 10_000.0, 300.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn an_emptied_side_holds_the_mid_and_an_empty_ask_is_worse_than_any() {
    let mut features = Features::new();
    let mut v = [0.0; 40];
    features.row_of(book(10_000, 300, 10_200, 100), 0, &mut v);
    let row = features.row_of(book(10_000, 300, 0, 0), 1, &mut v);
    assert!(row.marks.one_sided && !row.marks.crossed);
    assert_eq!((value(&v, "ofi"), value(&v, "mid_move"), value(&v, "spread")), (100.0, 0.0, 0.0));
    features.row_of(book(10_000, 300, 10_100, 70), 2, &mut v);
    assert_eq!((value(&v, "ofi"), value(&v, "mid_move")), (-70.0, -50.0));
}

#[test]
fn a_reset_leaves_nothing_behind() {
    let events = walk(7, 1_500);
    let (mut used, mut fresh) = (Features::new(), Features::new());
    let feed = |features: &mut Features, events: &[Event]| -> Vec<[f32; 40]> {
        let mut rows = Vec::new();
        for event in events {
            event.trades.iter().for_each(|trade| features.trade(trade));
            let mut values = [0.0; 40];
            features.row_of(event.book, event.time, &mut values);
            rows.push(values);
        }
        rows
    };
    feed(&mut used, &events);
    used.reset();
    assert_eq!(feed(&mut used, &events[..1_200]), feed(&mut fresh, &events[..1_200]));
}

#[test]
fn extreme_prices_and_quantities_stay_finite() {
    let mut features = Features::new();
    let mut v = [0.0; 40];
    let full = |price: u32, qty: u32| {
        let mut s = Snapshot::default();
        (s.bid, s.ask) = ([price; DEPTH], [u32::MAX - price; DEPTH]);
        (s.bid_qty, s.ask_qty) = ([qty; DEPTH], [u32::MAX; DEPTH]);
        s
    };
    for round in 0..3_000u64 {
        let resting = if round % 2 == 0 { Some(Side::Buy) } else { None };
        features.trade(&Trade { price: Price(u32::MAX), qty: u64::MAX, origin: Origin::Displayed, resting });
        features.row_of(
            full((round % 2) as u32 * u32::MAX, u32::MAX),
            round.wrapping_mul(u64::MAX / 7),
            &mut v,
        );
        assert!(v.iter().all(|x| x.is_finite()), "round {round}: {v:?}");
    }
}

#[test]
fn a_row_read_from_a_book_equals_the_row_of_its_ten_best_levels() {
    use tickline_book::Books;
    use tickline_units::{Nanos, Qty, Symbol};
    use tickline_wire::itch::{Add, Body, Cancel, Delete, Header, Update};
    let (mut books, mut random) = (Books::default(), Seeded(3));
    let symbol = Symbol::new("AAA").unwrap();
    let id = books.open(symbol);
    let (mut from_book, mut from_levels) = (Features::new(), Features::new());
    let mut rows = 0;
    for step in 0..20_000u64 {
        let order = step.saturating_sub(random.next(60));
        let body: Body = match random.next(5) {
            0 => Delete { order }.into(),
            1 => Cancel { order, shares: Qty(1 + random.next(40) as u32) }.into(),
            _ => {
                let side = if random.next(2) == 0 { Side::Buy } else { Side::Sell };
                let price = if side == Side::Buy { 9_900 } else { 10_000 } + random.next(100) as u32;
                Add { order: step, side, shares: Qty(50), symbol, price: Price(price) }.into()
            }
        };
        let change =
            books.apply(&Update { header: Header { time: Nanos(step), locate: 1, tracking: 0 }, body });
        if step == 10_000 {
            books.reset_day();
        }
        if !change.touches() && step % 7 != 0 {
            continue;
        }
        let book = books.book(id).unwrap();
        let (mut levels, mut values) = ([f32::NAN; LEVELS], [f32::NAN; 40]);
        let (mut levels_too, mut values_too) = ([f32::NAN; LEVELS], [f32::NAN; 40]);
        let row = from_book.row(&book, Nanos(step * 1_000), &mut levels, &mut values);
        let now = Snapshot::of(&book);
        now.write(&mut levels_too);
        assert_eq!(row, from_levels.row_of(now, step * 1_000, &mut values_too));
        assert_eq!((levels, values), (levels_too, values_too));
        rows += 1;
    }
    assert!(rows > 10_000);
}
