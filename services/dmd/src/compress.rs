//! Lossless compression of a window with many components (docs/method.md section 5, step 4).

use nalgebra::DMatrix;

use crate::{
    AnalysisError, Cancellation, Window,
    gram::{Factor, Gram},
    scale::Divisors,
    triangular::TriangularFactor,
};

/// Components handled at a time, so that a chunk of a usual window stays in the second-level cache.
pub(crate) const CHUNK: usize = 512;
const _: () = assert!(CHUNK.is_multiple_of(Gram::ROWS_MULTIPLE));

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
            let chunks = Chunks {
                window,
                divisors,
                cancellation,
            };
            match chunks.r_from_inner_products()? {
                Some(r) => r,
                None => chunks.r_by_reflections()?,
            }
        };
        Ok(Self { matrix })
    }
}

/// A scaled window with more components than rows, a chunk at a time.
struct Chunks<'a> {
    window: &'a Window<'a>,
    divisors: &'a Divisors<'a>,
    cancellation: &'a Cancellation,
}

impl Chunks<'_> {
    /// R by Cholesky's factorization of S^T S, repeated where that loses digits (CholeskyQR2); `None` where the rows of the
    /// window are too near to dependent for either.
    fn r_from_inner_products(&self) -> Result<Option<DMatrix<f64>>, AnalysisError> {
        let sigma = self.window.rows();
        let gram = match self.window.products() {
            Some(products) => Gram::of(products.scaled()),
            None => {
                let mut gram = Gram::new(sigma);
                self.for_each(|chunk| gram.add(chunk))?;
                gram
            }
        };
        let (r, inverse) = match gram.factor() {
            Factor::Good(r) => return Ok(Some(r)),
            Factor::Singular => return Ok(None),
            Factor::Repairable { r, inverse } => (r, inverse),
        };
        let mut gram = Gram::new(sigma);
        let mut orthogonal = DMatrix::zeros(0, 0);
        self.for_each(|chunk| {
            if orthogonal.shape() != chunk.shape() {
                orthogonal = DMatrix::zeros(chunk.nrows(), chunk.ncols());
            }
            orthogonal
                .columns_mut(0, sigma)
                .gemm(1.0, &chunk.columns(0, sigma), &inverse, 0.0);
            gram.add(&orthogonal);
        })?;
        Ok(match gram.factor() {
            Factor::Good(repair) => Some(repair * r),
            Factor::Repairable { .. } | Factor::Singular => None,
        })
    }

    /// R by Householder reflections, which lose nothing.
    fn r_by_reflections(&self) -> Result<DMatrix<f64>, AnalysisError> {
        let q = self.window.components();
        let mut factor = TriangularFactor::new(self.window.rows());
        for start in (0..q).step_by(CHUNK) {
            self.cancellation.check()?;
            let end = (start + CHUNK).min(q);
            factor.append(end - start, |stacked, at| {
                scale_into(self.window, self.divisors, start..end, stacked, at);
            });
        }
        Ok(factor.into_r())
    }

    /// Hands out every chunk, filled up with zeros to the shape that [`Gram::add`] takes.
    fn for_each(&self, mut handle: impl FnMut(&DMatrix<f64>)) -> Result<(), AnalysisError> {
        let (q, sigma) = (self.window.components(), self.window.rows());
        let mut chunk = DMatrix::zeros(
            CHUNK.min(q.next_multiple_of(Gram::ROWS_MULTIPLE)),
            Gram::padded(sigma),
        );
        for start in (0..q).step_by(CHUNK) {
            self.cancellation.check()?;
            let end = (start + CHUNK).min(q);
            if end - start < chunk.nrows() {
                chunk.fill(0.0);
            }
            scale_into(self.window, self.divisors, start..end, &mut chunk, 0);
            handle(&chunk);
        }
        Ok(())
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
#[path = "../dev/src/windows.rs"]
mod windows;

#[cfg(test)]
mod tests {
    use super::{
        windows::{ROWS, noisy_window},
        *,
    };
    use crate::{
        Options, Variant,
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
