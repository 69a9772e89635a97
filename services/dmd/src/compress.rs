//! Lossless compression of a window with many components (docs/method.md section 5, step 4).

use nalgebra::DMatrix;

use crate::{AnalysisError, Cancellation, Window, scale::Divisors, triangular::TriangularFactor};

/// Components handled at a time, so that a chunk of a usual window stays in the second-level cache.
pub(crate) const CHUNK: usize = 512;

/// A window in min(q, sigma) coordinates.
///
/// With the scaled window S (q x sigma, one column per row of the window) and a thin QR factorization S = Q R, every
/// inner product of rows is that of the columns of R, so the decomposition of R is that of S. Only R is kept: whatever
/// is a combination of rows, S c, is formed from the window itself by `recombine`.
pub(crate) struct CompressedWindow {
    /// R, min(q, sigma) x sigma; column t stands for row t of the window.
    pub matrix: DMatrix<f64>,
}

impl CompressedWindow {
    /// # Errors
    /// [`AnalysisError::Cancelled`].
    pub(crate) fn new(
        window: &Window,
        divisors: &Divisors,
        cancellation: &Cancellation,
    ) -> Result<Self, AnalysisError> {
        let (q, rows) = (window.components(), window.rows());
        let matrix = if q <= rows {
            let mut scaled = DMatrix::zeros(q, rows);
            scale_into(window, divisors, 0..q, &mut scaled, 0);
            scaled
        } else {
            let mut factor = TriangularFactor::new(rows);
            for start in (0..q).step_by(CHUNK) {
                cancellation.check()?;
                let end = (start + CHUNK).min(q);
                factor.append(end - start, |stacked, at| {
                    scale_into(window, divisors, start..end, stacked, at);
                });
            }
            factor.into_r()
        };
        Ok(Self { matrix })
    }
}

/// Writes the scaled components `range` of the window to the rows of `target` from `at` on, one column per row of the
/// window.
pub(crate) fn scale_into(
    window: &Window,
    divisors: &Divisors,
    range: std::ops::Range<usize>,
    target: &mut DMatrix<f64>,
    at: usize,
) {
    let stride = target.nrows();
    for (row, column) in window.iter().zip(target.as_mut_slice().chunks_exact_mut(stride)) {
        let scaled = &mut column[at..at + range.len()];
        divisors.scale(range.start, &row[range.clone()], scaled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Options, Variant,
        cli::bench::{ROWS, noisy_window},
        variant::{Estimate, Input},
    };

    #[test]
    fn the_decomposition_of_the_compressed_window_is_that_of_the_window() {
        // More components than one chunk.
        let components = 2 * CHUNK + 77;
        let values = noisy_window(components);
        let window = Window::from_flat(&values, components).unwrap();
        let divisors = Divisors::Uniform(100.0);
        let compressed = CompressedWindow::new(&window, &divisors, &Cancellation::new()).unwrap();
        assert_eq!(compressed.matrix.shape(), (ROWS, ROWS));
        let mut whole = DMatrix::zeros(components, ROWS);
        scale_into(&window, &divisors, 0..components, &mut whole, 0);

        for variant in Variant::ALL {
            let options = Options::of(variant, 1);
            let fit = |rows: &DMatrix<f64>| {
                let input = Input {
                    rows,
                    options: &options,
                    active_components: components,
                    cancellation: &Cancellation::new(),
                };
                variant.model().fit(&input).unwrap()
            };
            let (compressed, whole) = (fit(&compressed.matrix), fit(&whole));
            match (compressed.estimate.unwrap(), whole.estimate.unwrap()) {
                (Estimate::Weights(a), Estimate::Weights(b)) => assert!((a - b).norm() < 1e-9),
                (a, b) => assert_eq!(a, b),
            }
            let (compressed, whole) = (compressed.decomposition, whole.decomposition);
            assert_eq!(compressed.rank, whole.rank);
            for (a, b) in compressed.modes.iter().zip(&whole.modes) {
                assert!((a.eigenvalue - b.eigenvalue).norm() < 1e-10);
                assert!((&a.weights - &b.weights).norm() < 1e-9 * a.weights.norm());
            }
            for (a, b) in compressed.singular_values.iter().zip(&whole.singular_values) {
                assert!((a - b).abs() < 1e-12 * whole.singular_values[0]);
            }
        }
    }
}
