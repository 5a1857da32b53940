// @hot
//! GRU whose reset gate stands before the recurrent product. What `n` takes of `h` waits for the gate: so the product is made twice, of `h`
//! for the gates, which may be computed before the row is there, and of `r h` for `n`.
use crate::digit::{Digit, Reach};
use crate::lanes::{Kernel, Lanes};
use crate::math::{gate, hard_sigmoid, squash};
use crate::recurrent::{Half, Shape, Steps, load, round_state};

/// One row after another through such a layer. Its spare lines: two for sixteen units more than [`Steps`]'.
pub(crate) struct Early<'a, D>(pub(crate) Steps<'a, D, 3, false>, pub(crate) bool);

/// The gate's curve; a function and no closure, since only what is inlined has the instruction set.
#[inline(always)]
fn close<L: Lanes>(x: L, hard: bool, coarse: bool) -> L {
    if hard { hard_sigmoid(x) } else { gate(x, coarse) }
}

impl<D: Digit> Kernel for Early<'_, D> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Early(steps, hard) = self;
        let (from, to) = (steps.gates.from, steps.gates.to);
        let (wide, units, inputs) = (to.wide(), to.values, from.values);
        let (h, half) = steps.state.split_at_mut(wide);
        let (lines, hidden) = (&steps.weights[steps.gates.input + 1..], &steps.weights[steps.gates.hidden..]);
        let (reach, shape) = (Reach::packed(&steps.weights[steps.gates.input]), Shape::new::<3>(units));
        let (first, rest) = steps.spare.split_at_mut(wide + 1);
        let (through, rest) = rest.split_at_mut(wide);
        let (fresh, second) = rest.split_at_mut(wide);
        let mut guard = L::load(steps.guard);
        for t in 0..from.rows {
            let x = &steps.x[t * from.wide()..][..from.wide()];
            let y = &mut steps.to[t * wide..][..wide];
            let ready = (t == 0 && steps.prepared).then_some(&*half);
            let given = Half::<L, false>::new::<D>(lines, shape, D::row::<L>(x, inputs, reach, second));
            let kept = Half::<L, true>::new::<D>(hidden, shape, round_state::<L, D>(h, units, first));
            for nth in 0..wide {
                let [a, b, c] = given.sums::<D, 3>(nth);
                let [d, e, _] = match ready {
                    Some(ready) => load::<L, 3>(&ready[nth * 3..]),
                    None => kept.sums::<D, 3>(nth),
                };
                let (z, r) = (a.add(d), b.add(e));
                guard = z.add(r).mul_add(L::splat(0.0), guard);
                close(z, hard, D::COARSE).store(&mut y[nth]);
                close(r, hard, D::COARSE).mul(L::load(&h[nth])).store(&mut through[nth]);
                c.store(&mut fresh[nth]);
            }
            let kept = Half::<L, true>::new::<D>(hidden, shape, round_state::<L, D>(through, units, first));
            for nth in 0..wide {
                let [_, _, sum] = kept.sums::<D, 3>(nth);
                let n = L::load(&fresh[nth]).add(sum);
                guard = n.mul_add(L::splat(0.0), guard);
                let n = squash(n, D::COARSE);
                L::load(&y[nth]).mul_add(L::load(&h[nth]).sub(n), n).store(&mut y[nth]);
            }
            for (h, y) in h.iter_mut().zip(y) {
                L::load(y).store(h);
            }
        }
        guard.store(steps.guard);
    }
}
