//! Dense layers and the products that other layers are made of.
use crate::activation::Activation;
use crate::net::gemm::Grid;
use crate::net::pass::Pass;
use crate::net::real::{Real, add_rows, fill_rows};

impl<T: Real> Pass<'_, T> {
    pub(super) fn dense(&mut self, outputs: usize, activation: Activation, y: &mut [T], cache: &mut [T]) {
        let features = self.from.features();
        let (weight, bias) = self.w.split_at(features * outputs);
        fill_rows(y, bias);
        self.product(self.rows(), self.x, features, weight, outputs, y);
        self.activate(activation, y, cache);
    }

    pub(super) fn dense_back(&mut self, outputs: usize, dy: &[T], dx: &mut [T], dw: &mut [T]) {
        let features = self.from.features();
        if dw.is_empty() {
            if self.needed {
                T::row_slopes(self.level, &self.w[..features * outputs], dy, dx, false);
            }
            return;
        }
        let (d_weight, d_bias) = dw.split_at_mut(features * outputs);
        self.level.plainly(|| add_rows(d_bias, dy));
        self.product_back(
            self.rows(),
            self.x,
            features,
            &self.w[..features * outputs],
            outputs,
            dy,
            dx,
            d_weight,
        );
    }

    /// `y += x W` for `rows` rows of `taken` numbers.
    pub(super) fn product(&mut self, rows: usize, x: &[T], taken: usize, w: &[T], given: usize, y: &mut [T]) {
        if rows == 1 {
            return T::row(self.level, x, w, y);
        }
        T::pack(w, Grid::rows(given), taken, given, &mut self.scratch.packed);
        T::multiply(self.level, rows, x, Grid::rows(taken), &self.scratch.packed, y, given);
    }

    /// The way back of [`Pass::product`]: `dx += dy W'` and `dw += x' dy`.
    #[allow(clippy::too_many_arguments, reason = "the operands of two products")]
    pub(super) fn product_back(
        &mut self,
        rows: usize,
        x: &[T],
        taken: usize,
        w: &[T],
        given: usize,
        dy: &[T],
        dx: &mut [T],
        dw: &mut [T],
    ) {
        if rows == 1 {
            return T::row_back(self.level, x, w, dy, dx, dw);
        }
        if self.needed {
            T::pack(w, Grid::turned(given), given, taken, &mut self.scratch.packed);
            T::multiply(self.level, rows, dy, Grid::rows(given), &self.scratch.packed, dx, taken);
        }
        T::pack(dy, Grid::rows(given), rows, given, &mut self.scratch.packed);
        T::multiply(self.level, taken, x, Grid::turned(taken), &self.scratch.packed, dw, given);
    }
}
