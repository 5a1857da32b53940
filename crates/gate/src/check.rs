// @hot
//! The list of limits.
#![allow(clippy::nonminimal_bool)] // each line says what must hold, so that the unexpected refuses

use crate::{
    ARMED, KIND_CANCEL, KIND_ENTER, KIND_REPLACE, LANE_PRIORITY, Order, Refusal, Seen, SessionLimits,
    TIF_DAY, TIF_IOC, TokenImage, Used,
};
use tickline_units::Nanos;

/// What the line block says at the moment of the check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineState {
    /// The armed word.
    pub armed: u32,
    /// The line's epoch.
    pub epoch: u32,
}

/// What the order session says at the moment of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionState {
    /// Logged in, replayed, and able to take a message.
    pub ready: bool,
    /// Bytes of earlier messages still wait for the socket.
    pub backlog: bool,
    /// The instrument is in the session's configuration.
    pub instrument: bool,
    /// A cancel's or replace's target is working and of the order's instrument and side; true on enter.
    pub target: bool,
    /// Orders that may still execute.
    pub working: u32,
    /// Numbers that may still be given to orders.
    pub user_refs_left: u32,
    /// The message rate of the last second allows one more.
    pub rate: bool,
    /// What is known of the order's decision.
    pub decision: Seen,
}

/// Says whether an order may go out: the first limit that does not hold is the reason. Pure; about forty compares.
///
/// A cancel takes a message and needs a token, but no price, quantity or decision of its own: it can only reduce.
/// A replace is checked as a new order of its full quantity.
///
/// # Errors
/// [`Refusal`], one for each limit.
#[inline]
#[rustfmt::skip] // one limit, one line
pub fn check(
    order: &Order,
    image: &TokenImage,
    used: &Used,
    limits: &SessionLimits,
    session: &SessionState,
    line: &LineState,
    now: Nanos,
) -> Result<(), Refusal> {
    use Refusal::*;
    let enters = order.kind == KIND_ENTER || order.kind == KIND_REPLACE;
    if !(line.armed == ARMED) { return Err(Disarmed); }
    if !(order.epoch == line.epoch) { return Err(Epoch); }
    if !(enters || order.kind == KIND_CANCEL) { return Err(Kind); }
    if !(order.side == 1 || order.side == 2) { return Err(Side); }
    if !(order.lane <= LANE_PRIORITY) { return Err(Lane); }
    if !(order.tif == TIF_DAY || order.tif == TIF_IOC) { return Err(TimeInForce); }
    if !(session.ready) { return Err(SessionDown); }
    if !(!session.backlog) { return Err(Backlog); }
    if !(session.instrument) { return Err(Instrument); }
    if !(session.target) { return Err(Target); }

    let token = image.token()?;
    if !(token.epoch == line.epoch) { return Err(TokenEpoch); }
    if !(now.0 <= token.expiry_ns) { return Err(TokenExpired); }
    if !(token.instrument == order.instrument) { return Err(TokenInstrument); }
    if !(token.strategy == order.strategy) { return Err(TokenStrategy); }
    if !(token.side == order.side) { return Err(TokenSide); }
    if !(token.lane == order.lane) { return Err(TokenLane); }
    if !(within(used.messages, 1, token.messages_total)) { return Err(MessagesTotal); }
    if !(session.rate) { return Err(SessionRate); }
    if !enters { return Ok(()); }

    if !(order.price > 0) { return Err(PriceZero); }
    if !(order.price >= token.price_low) { return Err(PriceLow); }
    if !(order.price <= token.price_high) { return Err(PriceHigh); }
    if !(order.qty > 0) { return Err(QtyZero); }
    if !(order.qty <= token.qty_max) { return Err(QtyMax); }
    if !(within(used.qty, u64::from(order.qty), token.qty_total)) { return Err(QtyTotal); }
    if !(within(used.notional, order.notional(), token.notional_total)) { return Err(NotionalTotal); }
    if !(order.qty <= limits.order_qty_max) { return Err(SessionQty); }
    if !(order.notional() <= limits.order_notional_max) { return Err(SessionNotional); }
    if !(session.working < limits.working_orders_max) { return Err(SessionWorking); }
    if !(session.decision != Seen::Before) { return Err(Duplicate); }
    if !(session.decision == Seen::New) { return Err(DecisionOld); }
    if !(session.user_refs_left > 0) { return Err(UserRefs); }
    Ok(())
}

/// True when `used + more` neither overflows nor exceeds `most`.
#[inline]
const fn within(used: u64, more: u64, most: u64) -> bool {
    match used.checked_add(more) {
        Some(total) => total <= most,
        None => false,
    }
}
