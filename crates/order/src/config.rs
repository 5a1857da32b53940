//! What a client is made with.

use crate::ConfigError;
use tickline_units::Symbol;

/// Settings of a client, fixed for its life.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// User name, 1 to 6 characters.
    pub user: String,
    /// Password, at most 10 characters.
    pub password: String,
    /// The line's instruments in their order.
    pub instruments: Vec<Symbol>,
    /// Orders of a day; also the largest user reference number.
    pub orders_max: u32,
    /// Executions of a day.
    pub executions_max: u32,
    /// Silence after which we send a heartbeat (SoupBinTCP: 1 s).
    pub heartbeat_ns: u64,
    /// Silence after which the venue counts as dead (SoupBinTCP: 15 s).
    pub dead_ns: u64,
}

impl ClientConfig {
    /// The specification's times and tables for a day of 262,144 orders and as many executions.
    pub fn new(user: &str, password: &str, instruments: Vec<Symbol>) -> ClientConfig {
        ClientConfig {
            user: user.to_string(),
            password: password.to_string(),
            instruments,
            orders_max: 1 << 18,
            executions_max: 1 << 18,
            heartbeat_ns: 1_000_000_000,
            dead_ns: 15_000_000_000,
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let range = |field, value: u64, least: u64, most: u64| {
            if value >= least && value <= most {
                return Ok(());
            }
            Err(ConfigError { field, problem: format!("{value} is outside {least} to {most}") })
        };
        range("user", self.user.len() as u64, 1, 6)?;
        range("instruments", self.instruments.len() as u64, 1, u64::from(crate::NO_INSTRUMENT))?;
        range("orders_max", self.orders_max.into(), 1, 1 << 24)?;
        range("executions_max", self.executions_max.into(), 1, 1 << 24)?;
        range("heartbeat_ns", self.heartbeat_ns, 1_000_000, 60_000_000_000)?;
        range("dead_ns", self.dead_ns, self.heartbeat_ns.saturating_add(1), 600_000_000_000)
    }
}
