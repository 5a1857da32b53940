//! The order port for TypeScript: gate, session and socket behind one class. Offsets and counts cross, never messages.

use crate::quick::{self, Shared};
use napi::bindgen_prelude::{Env, This, Uint8Array, Unknown};
use napi::{Error, Result};
use napi_derive::napi;
use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use tickline_gate::SessionLimits;
use tickline_order::ClientConfig;
use tickline_port::{Counterparty, Port, PortConfig, Status};
use tickline_units::Symbol;
use tickline_wire::flat::order::ORDER_BYTES;

/// Returned by `submit` when no memory is bound or the offset lies outside it: a caller's bug, nothing was sent.
const UNBOUND: u32 = 0xFFFF;

/// Settings of an order port.
#[napi(object)]
pub struct OrderPortOptions {
    /// IP address of the venue's order port.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// SoupBinTCP user, 1 to 6 characters.
    pub user: String,
    /// SoupBinTCP password, at most 10 characters.
    pub password: String,
    /// Symbols of the line's instruments, in their order.
    pub symbols: Vec<String>,
    /// Folder of the run's segments.
    pub run_dir: String,
    /// True in replay.
    pub replay: bool,
    /// Replay: simulated wire delay of an order, ns.
    pub delay_out_ns: f64,
    /// Replay: simulated wire delay of an answer, ns.
    pub delay_back_ns: f64,
    /// `venue`: whoever listens at `host` and `port`. `partner`: one of the port's own, which rejects every order; for practice. `nobody`: it never
    /// connects and refuses every order.
    #[napi(ts_type = "'venue' | 'partner' | 'nobody'")]
    pub counterparty: String,
    /// Hard limit: shares in one order.
    pub order_qty_max: u32,
    /// Hard limit: notional of one order, 1/10,000 dollar, below 2^53.
    pub order_notional_max: f64,
    /// Hard limit: messages in any second of line time, over all tokens.
    pub messages_per_second: u32,
    /// Hard limit: orders that may work at once.
    pub working_orders_max: u32,
}

/// An instrument's position, for summaries and tests.
#[napi(object)]
pub struct OrderPortPosition {
    /// Shares held; negative when short.
    pub shares: i64,
    /// Money received less money paid, 1/10,000 dollar.
    pub cash: f64,
    /// Shares bought.
    pub bought: f64,
    /// Shares sold.
    pub sold: f64,
}

/// The only way of an order to the venue. One thread owns it; no call blocks.
#[napi]
pub struct OrderPort {
    parts: Shared<Parts>,
}

struct Parts {
    port: Port,
    orders: Option<Uint8Array>,
    fills: Option<Uint8Array>,
}

#[napi]
impl OrderPort {
    /// Opens the segments; the first `poll` begins to connect.
    /// @throws PORT_ADDRESS, PORT_COUNTERPARTY, PORT_SYMBOL, PORT_PARTNER, PORT_SEGMENT, ORDER_CONFIG, GATE_LIMIT, or a RING code
    #[napi(constructor)]
    pub fn new(options: OrderPortOptions) -> Result<OrderPort> {
        let ip: IpAddr = options.host.parse().map_err(|_| {
            refused(format!(
                "PORT_ADDRESS: {} is not an IP address; set venue.ouch.host to one",
                options.host
            ))
        })?;
        let counterparty = match options.counterparty.as_str() {
            "venue" => Counterparty::Venue(SocketAddr::new(ip, options.port)),
            "partner" => Counterparty::Partner,
            "nobody" => Counterparty::Nobody,
            other => {
                return Err(refused(format!("PORT_COUNTERPARTY: {other}; say venue, partner or nobody")));
            }
        };
        let symbol = |text: &String| {
            Symbol::new(text).ok_or_else(|| {
                refused(format!("PORT_SYMBOL: {text} is not a symbol of 1 to 8 ASCII characters"))
            })
        };
        let instruments = options.symbols.iter().map(symbol).collect::<Result<Vec<Symbol>>>()?;
        let config = PortConfig {
            counterparty,
            client: ClientConfig::new(&options.user, &options.password, instruments),
            limits: SessionLimits {
                order_qty_max: options.order_qty_max,
                order_notional_max: options.order_notional_max as u64,
                messages_per_second: options.messages_per_second,
                working_orders_max: options.working_orders_max,
            },
            run_dir: PathBuf::from(options.run_dir),
            replay: options.replay,
            delay_out_ns: options.delay_out_ns as u64,
            delay_back_ns: options.delay_back_ns as u64,
        };
        let port = Port::new(config).map_err(|error| refused(error.to_string()))?;
        Ok(OrderPort { parts: Rc::new(RefCell::new(Parts { port, orders: None, fills: None })) })
    }

    /// The memory that `submit`'s offsets refer to; it stays referenced until the next call.
    #[napi]
    pub fn bind_orders(&mut self, memory: Uint8Array) {
        self.parts.borrow_mut().orders = Some(memory);
    }

    /// The memory that `poll` puts Fill messages into, one after the other from its start.
    #[napi]
    pub fn bind_fills(&mut self, memory: Uint8Array) {
        self.parts.borrow_mut().fills = Some(memory);
    }

    /// The function `submit(at)`: sends the Order message at byte `at` of the bound memory, if the gate lets it. It returns 0 when
    /// sent, else the gate's refusal code; 65535 when `at` lies outside the memory. A refusal also comes back as a Fill.
    #[napi(ts_return_type = "(at: number) => number")]
    pub fn submitter<'env>(&self, env: &'env Env, this: This<'_>) -> Result<Unknown<'env>> {
        quick::function(env, &this, "submit", &self.parts, |parts, [at]| Ok(parts.submit(at)))
    }

    /// The function `poll(idle)`: one duty cycle, with socket, timers, and Fill messages into the bound memory. It returns how many
    /// Fills. `idle` is 1 when nothing else was found to do, else 0. Everything returned before must have been passed on. Without bound
    /// memory Fills wait inside.
    #[napi(ts_return_type = "(idle: number) => number")]
    pub fn poller<'env>(&self, env: &'env Env, this: This<'_>) -> Result<Unknown<'env>> {
        quick::function(env, &this, "poll", &self.parts, |parts, [idle]| Ok(parts.poll(idle != 0)))
    }

    /// 0 connecting, logging in or replaying; 1 orders may go out; 2 failed; 3 closed.
    #[napi(getter)]
    pub fn status(&self) -> u32 {
        match self.parts.borrow().port.status() {
            Status::Starting => 0,
            Status::Ready => 1,
            Status::Failed => 2,
            Status::Closed => 3,
        }
    }

    /// Why the port failed, with its stable code; empty when it has not.
    #[napi(getter)]
    pub fn failure(&self) -> String {
        self.parts.borrow().port.failure().map_or_else(String::new, |error| error.to_string())
    }

    /// The connection's descriptor, to wait on; -1 without one.
    #[napi(getter)]
    pub fn descriptor(&self) -> i32 {
        self.parts.borrow().port.descriptor().unwrap_or(-1)
    }

    /// Hash of the orders sent, 16 hexadecimal digits.
    #[napi(getter)]
    pub fn order_hash(&self) -> String {
        format!("{:016x}", self.parts.borrow().port.order_hash())
    }

    /// Positions in the order of the line's instruments, from executions each counted once.
    #[napi]
    pub fn positions(&self) -> Vec<OrderPortPosition> {
        let position = |position: &tickline_order::Position| OrderPortPosition {
            shares: position.shares,
            cash: position.cash as f64,
            bought: position.bought as f64,
            sold: position.sold as f64,
        };
        self.parts.borrow().port.positions().list().iter().map(position).collect()
    }

    /// Sends `count` heartbeats over a session that is ready, so that the first order finds the way to the wire warm.
    #[napi]
    pub fn warm_up(&self, count: u32) {
        self.parts.borrow_mut().port.warm_up(count);
    }

    /// Logs out and closes the connection.
    #[napi]
    pub fn close(&mut self) {
        let mut parts = self.parts.borrow_mut();
        parts.port.close();
        parts.orders = None;
        parts.fills = None;
    }
}

impl Parts {
    fn submit(&mut self, at: u32) -> u32 {
        let Some(memory) = &self.orders else { return UNBOUND };
        let start = at as usize;
        let Some(bytes) = memory.get(start..start + ORDER_BYTES) else { return UNBOUND };
        match self.port.submit(bytes) {
            Ok(()) => 0,
            Err(refusal) => u32::from(refusal.code()),
        }
    }

    fn poll(&mut self, idle: bool) -> u32 {
        let Some(memory) = &mut self.fills else { return self.port.poll(&mut [], idle) as u32 };
        // SAFETY: nothing else touches the bytes during this call: JavaScript's thread is in it, and the memory is execution's own.
        let out = unsafe { memory.as_mut() };
        self.port.poll(out, idle) as u32
    }
}

fn refused(text: String) -> Error {
    Error::from_reason(text)
}
