//! Adds rows that have come to the inner products of their window.

use crate::{
    AnalysisError, Cancellation, InnerProducts, Window, compress::CHUNK, rows_but_last::RowsButLast,
    simd::two_products,
};

impl InnerProducts {
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
            self.rows_but_last = RowsButLast::of(window.as_rows()).map(Box::new);
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
}
