//! Inner products of the rows of a window. Kept up to date as rows arrive (`accumulate`), they leave little to do after the
//! last.

use nalgebra::{DMatrix, DVector};

use crate::{Complex, rows_but_last::RowsButLast};

/// What is left of a combination's squared norm by cancellation may be this share of its terms; below, the inner products
/// do not have its digits.
const CANCELLED: f64 = 1e-7;

/// Inner products of the rows of a window whose components have known scales ([`crate::Window::with_scales`]): of the scaled rows,
/// from which the window is compressed (docs/method.md section 5, step 4), and of the rows themselves, from which norms of
/// combinations come.
#[derive(Debug, Clone)]
pub struct InnerProducts {
    pub(crate) rows: usize,
    /// Lower triangles; only the first `rows` rows and columns are filled.
    pub(crate) scaled: DMatrix<f64>,
    pub(crate) unscaled: DMatrix<f64>,
    /// Once all rows but one have come.
    pub(crate) rows_but_last: Option<Box<RowsButLast>>,
}

impl InnerProducts {
    /// For windows of up to `capacity` rows, of which none has come.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            rows: 0,
            scaled: DMatrix::zeros(capacity, capacity),
            unscaled: DMatrix::zeros(capacity, capacity),
            rows_but_last: None,
        }
    }

    /// Rows whose inner products are known.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Statistics of all rows but the last, when all but it had come at an update before.
    pub(crate) fn rows_but_last(&self) -> Option<&RowsButLast> {
        self.rows_but_last.as_deref()
    }

    /// Lower triangle of the inner products of the scaled rows.
    pub(crate) fn scaled(&self) -> DMatrix<f64> {
        self.scaled.view((0, 0), (self.rows, self.rows)).into_owned()
    }

    /// Euclidean norms of combinations of the (unscaled) rows; `None` where the inner products do not have their digits.
    pub(crate) fn norms<'a>(
        &self,
        combinations: impl Iterator<Item = &'a DVector<Complex<f64>>>,
    ) -> Option<Vec<f64>> {
        combinations.map(|weights| self.norm(weights)).collect()
    }

    fn norm(&self, weights: &DVector<Complex<f64>>) -> Option<f64> {
        let (mut square, mut terms) = (0.0, 0.0);
        for (i, a) in weights.iter().enumerate() {
            for (t, b) in weights.iter().enumerate().take(i) {
                square += 2.0 * (a.re * b.re + a.im * b.im) * self.unscaled[(i, t)];
            }
            let own = a.norm_sqr() * self.unscaled[(i, i)];
            square += own;
            terms += own.sqrt();
        }
        (square.is_finite() && square > CANCELLED * terms * terms).then(|| square.sqrt())
    }
}
