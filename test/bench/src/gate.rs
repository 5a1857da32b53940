//! `gate`: what the order port does between an order and its encoder: the token read whole from shared memory, every limit, the budget
//! taken and published. The floor is the token's reading alone.

use crate::row::Row;
use crate::sample::Samples;
use clap::Args;
use std::hint::black_box;
use std::sync::Arc;
use tickline_gate::{
    ARMED, Gate, KIND_ENTER, LANE_NORMAL, LineState, Order, Refusal, Seen, SessionLimits, SessionState,
    TIF_IOC, TOKEN_BYTES, Token,
};
use tickline_port::TokenTable;
use tickline_ring::{Plain, Segment, Shape};
use tickline_units::Nanos;

/// How much to measure.
#[derive(Args)]
pub struct Options {
    /// Orders in a turn.
    #[arg(long, default_value_t = 200_000)]
    orders: u64,
    /// Turns of each variant; they take turns (A B A B).
    #[arg(long, default_value_t = 11)]
    turns: u64,
}

/// Orders timed together: one reading of the clock would cost as much as an order.
const BLOCK: u64 = 64;
/// Tokens of the table; orders go round.
const TOKENS: u32 = 16;
/// Line time between two orders: below the rate that the session allows.
const STEP_NS: u64 = 2_000;
const EPOCH: u32 = 7;
const LIMITS: SessionLimits = SessionLimits {
    order_qty_max: 1_000,
    order_notional_max: 10_000_000_000,
    messages_per_second: SessionLimits::MESSAGES_PER_SECOND_MAX,
    working_orders_max: 100,
};
const SESSION: SessionState = SessionState {
    ready: true,
    backlog: false,
    instrument: true,
    target: true,
    working: 3,
    user_refs_left: u32::MAX,
    rate: true,
    decision: Seen::New,
};
const LINE: LineState = LineState { armed: ARMED, epoch: EPOCH };

/// Runs the benchmark.
pub fn run(options: &Options) -> Result<Vec<Row>, String> {
    let plain = tokens()?;
    let table = TokenTable::new(plain);
    let mut gate = Gate::new(LIMITS, TOKENS as usize, EPOCH).map_err(|error| error.to_string())?;
    let blocks = (options.turns * options.orders.div_ceil(BLOCK)) as usize;
    let (mut floor, mut ours) = (Samples::with_capacity(blocks), Samples::with_capacity(blocks));
    let mut next = 0;
    for _ in 0..options.turns {
        time(options.orders, &mut floor, || {
            next += 1;
            black_box(table.image(next as u32 % TOKENS));
        });
        let mut refused = 0;
        time(options.orders, &mut ours, || {
            next += 1;
            refused += u64::from(admit(&mut gate, &table, &order(next)).is_err());
        });
        if refused > 0 {
            return Err(format!("{refused} of {} orders refused that hold every limit", options.orders));
        }
    }
    next += 1;
    let over = admit(&mut gate, &table, &Order { qty: LIMITS.order_qty_max + 1, ..order(next) });
    if over != Err(Refusal::SessionQty) {
        return Err(format!("an order over the session's quantity gave {over:?}"));
    }
    let each = format!("mean of {BLOCK} orders, {TOKENS} tokens in turn");
    Ok(vec![
        floor.row_of_ps("gate", "floor: token read", each.clone()),
        ours.row_of_ps(
            "gate",
            "gate: token, limits, budget",
            format!("{each}; read from shared memory, checked, taken, published"),
        ),
    ])
}

/// What the port does with an order.
#[inline]
fn admit(gate: &mut Gate, table: &TokenTable, order: &Order) -> Result<(), Refusal> {
    let image = table.image(order.token);
    let passed = gate.admit(order, &image, &SESSION, &LINE, Nanos(order.time_ns))?;
    let _ = black_box(passed);
    table.publish_used(order.token, gate.used(order.token), gate.epoch());
    Ok(())
}

#[inline]
fn order(n: u64) -> Order {
    Order {
        decision: n,
        time_ns: n * STEP_NS,
        epoch: EPOCH,
        token: n as u32 % TOKENS,
        price: 1_000_000 + (n % 100) as u32,
        qty: 1 + (n % 100) as u32,
        target: 0,
        instrument: 4,
        strategy: 2,
        side: 1,
        lane: LANE_NORMAL,
        kind: KIND_ENTER,
        tif: TIF_IOC,
    }
}

/// A table of tokens that let everything of this benchmark through but an order over the session's limits.
fn tokens() -> Result<Plain, String> {
    let bytes = TOKENS as usize * TOKEN_BYTES;
    let text = |error: tickline_ring::SegmentError| error.to_string();
    let segment = Segment::anonymous(Shape::Plain { bytes }).map_err(text)?;
    let plain = Plain::new(Arc::new(segment), true).map_err(text)?;
    let token = Token {
        epoch: EPOCH,
        expiry_ns: u64::MAX,
        price_low: 900_000,
        price_high: 1_100_000,
        qty_max: 2_000,
        instrument: 4,
        strategy: 2,
        qty_total: u64::MAX,
        notional_total: u64::MAX,
        messages_total: u64::MAX,
        side: 1,
        lane: LANE_NORMAL,
    };
    for slot in 0..TOKENS as usize {
        assert!(plain.write_guarded(slot * TOKEN_BYTES, token.image(2).words), "the table holds every slot");
    }
    Ok(plain)
}

/// Picoseconds an order of each block go to `samples`.
fn time(orders: u64, samples: &mut Samples, mut each: impl FnMut()) {
    for _ in 0..orders.div_ceil(BLOCK) {
        let begin = tickline_clock::monotonic().0;
        (0..BLOCK).for_each(|_| each());
        samples.push((tickline_clock::monotonic().0 - begin) * 1000 / BLOCK);
    }
}
