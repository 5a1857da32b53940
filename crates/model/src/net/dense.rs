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
                T::row_slopes(self.level, &self.w[..features * outputs], dy, dx);
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
        let (left, right) = ((x, rows, Grid::rows(taken), y), (w, taken, given, Grid::rows(given)));
        T::products(self.level, self.rounded, [left], right, &mut self.scratch.packed);
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
            self.slopes_by_input(rows, taken, w, given, dy, dx);
        }
        self.outer_sums(rows, [(x, taken, dw)], dy, given);
    }

    /// `dx += dy W'`.
    pub(super) fn slopes_by_input(
        &mut self,
        rows: usize,
        taken: usize,
        w: &[T],
        given: usize,
        dy: &[T],
        dx: &mut [T],
    ) {
        let (left, right) = ((dy, rows, Grid::rows(given), dx), (w, given, taken, Grid::turned(given)));
        T::products(self.level, self.rounded, [left], right, &mut self.scratch.packed);
    }

    /// `dw += x' dy` for each `x` of `rows` rows with its number of columns and its `dw`.
    pub(super) fn outer_sums<const N: usize>(
        &mut self,
        rows: usize,
        lefts: [(&[T], usize, &mut [T]); N],
        dy: &[T],
        given: usize,
    ) {
        let lefts = lefts.map(|(x, taken, dw)| (x, taken, Grid::turned(taken), dw));
        let right = (dy, rows, given, Grid::rows(given));
        T::products(self.level, self.rounded, lefts, right, &mut self.scratch.packed);
    }
}
