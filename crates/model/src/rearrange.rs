// @hot
//! Operations of a tick that only move numbers.
use crate::block::{Line, flat_mut};
use crate::kernel;
use crate::program::Op;
use crate::tick::{Tick, apart};

/// Does one.
#[inline(always)]
pub(crate) fn rearrange(op: &Op, tick: &mut Tick<'_>) {
    let scratch = &mut *tick.scratch;
    match *op {
        Op::Spread { from, to, run, to_row, wide, at } => {
            let (x, y) = apart(scratch, from, to);
            let y = flat_mut(y);
            for (row, x) in x.chunks_exact(from.wide()).enumerate() {
                for (nth, x) in kernel::head(x, from.values).chunks_exact(run).enumerate() {
                    let place = row * to_row + nth * wide + at;
                    y[place..place + run].copy_from_slice(x);
                }
            }
        }
        Op::Extend { from, to, before, state } => {
            let (x, y) = apart(scratch, from, to);
            let (y, front) = (&mut y[..to.lines()], before * to.wide());
            y[front + x.len()..].fill(Line::ZERO);
            y[front..front + x.len()].copy_from_slice(x);
            match state {
                Some(at) => {
                    let kept = &mut tick.state[at..at + front];
                    y[..front].copy_from_slice(kept);
                    kept.copy_from_slice(&y[x.len()..x.len() + front]);
                }
                None => y[..front].fill(Line::ZERO),
            }
        }
        _ => {}
    }
}
