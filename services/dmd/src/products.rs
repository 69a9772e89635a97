//! Inner products of the rows of a window, kept up to date as rows arrive, so that little is left to do after the last.

use nalgebra::{DMatrix, DVector};

use crate::{
    AnalysisError, Cancellation, Complex, Window, compress::CHUNK, rows_but_last::RowsButLast,
    simd::two_products,
};

/// What is left of a combination's squared norm by cancellation may be this share of its terms; below, the inner products
/// do not have its digits.
const CANCELLED: f64 = 1e-7;

/// Inner products of the rows of a window whose components have known scales ([`Window::with_scales`]): of the scaled rows,
/// from which the window is compressed (docs/method.md section 5, step 4), and of the rows themselves, from which norms of
/// combinations come.
#[derive(Debug, Clone)]
pub struct InnerProducts {
    rows: usize,
    /// Lower triangles; only the first `rows` rows and columns are filled.
    scaled: DMatrix<f64>,
    unscaled: DMatrix<f64>,
    /// Once all rows but one have come.
    rows_but_last: Option<Box<RowsButLast>>,
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

    /// Adds the rows of the window that have come since the last update, with the cost of reading all before each of them
    /// once. The earlier rows must be those of that update, and the scales the same; without scales, or past the capacity,
    /// nothing is added.
    ///
    /// # Errors
    /// [`AnalysisError::Cancelled`].
    pub fn update(&mut self, window: &Window, cancellation: &Cancellation) -> Result<(), AnalysisError> {
        let Some(scales) = window.scales() else {
            return Ok(());
        };
        if window.rows() + 1 == self.scaled.nrows() {
            self.rows_but_last = RowsButLast::of(window).map(Box::new);
        }
        while self.rows < window.rows().min(self.scaled.nrows()) {
            self.add_row(window, scales, cancellation)?;
        }
        Ok(())
    }

    fn add_row(
        &mut self,
        window: &Window,
        scales: &[f64],
        cancellation: &Cancellation,
    ) -> Result<(), AnalysisError> {
        let new = self.rows;
        let mut scaled = vec![0.0; new + 1];
        let mut unscaled = vec![0.0; new + 1];
        let mut twice_scaled = [0.0; CHUNK];
        for start in (0..window.components()).step_by(CHUNK) {
            cancellation.check()?;
            let range = start..(start + CHUNK).min(window.components());
            let row = &window.row(new)[range.clone()];
            // Divided one after the other: the square of a scale might not be representable.
            let twice_scaled = &mut twice_scaled[..range.len()];
            for ((y, x), scale) in twice_scaled.iter_mut().zip(row).zip(&scales[range.clone()]) {
                *y = x / scale / scale;
            }
            for t in 0..=new {
                let (of_scaled, of_unscaled) = two_products(twice_scaled, row, &window.row(t)[range.clone()]);
                scaled[t] += of_scaled;
                unscaled[t] += of_unscaled;
            }
        }
        for t in 0..=new {
            self.scaled[(new, t)] = scaled[t];
            self.unscaled[(new, t)] = unscaled[t];
        }
        self.rows += 1;
        Ok(())
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
