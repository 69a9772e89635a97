//! Time-delay coordinates (paper Eq. 24; docs/method.md section 5, step 3).

use nalgebra::DMatrix;

use crate::{AnalysisError, Cancellation, triangular::TriangularFactor};

/// Rows of the Hankel matrix that are factored at a time.
const BLOCK: usize = 256;

/// The triangular factor of the Hankel matrix with columns g_k = [h_k; ...; h_{k+m-1}], k = 0 ... n, n = sigma - m.
///
/// All that the decomposition needs of the Hankel matrix are inner products of its columns, which the factor preserves;
/// it has at most n + 1 rows however many delays and components there are.
///
/// `rows` is r x sigma, one column per hypergradient; the result has min(m r, n + 1) rows and n + 1 columns.
pub(crate) fn hankel_factor(
    rows: &DMatrix<f64>,
    delays: usize,
    cancellation: &Cancellation,
) -> Result<DMatrix<f64>, AnalysisError> {
    let (r, columns) = (rows.nrows(), rows.ncols() - delays + 1);
    let delays_per_block = (BLOCK / r).clamp(1, delays);
    let mut factor = TriangularFactor::new(columns);
    for first in (0..delays).step_by(delays_per_block) {
        cancellation.check()?;
        let count = delays_per_block.min(delays - first);
        factor.append(count * r, |stacked, at| {
            for i in 0..count {
                stacked
                    .rows_mut(at + i * r, r)
                    .copy_from(&rows.columns(first + i, columns));
            }
        });
    }
    Ok(factor.into_r())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_has_the_inner_products_of_the_hankel_matrix() {
        for (r, sigma, m) in [(3, 20, 10), (1, 12, 11), (2, 50, 1), (40, 40, 20)] {
            let rows = DMatrix::from_fn(r, sigma, |i, t| ((3 * i + 5 * t * t) as f64).sin());
            let n = sigma - m;
            let hankel = DMatrix::from_fn(m * r, n + 1, |i, k| rows[(i % r, k + i / r)]);
            let factor = hankel_factor(&rows, m, &Cancellation::new()).unwrap();
            assert_eq!(factor.shape(), ((m * r).min(n + 1), n + 1));
            let difference = factor.transpose() * &factor - hankel.transpose() * &hankel;
            assert!(difference.amax() < 1e-12 * (m * r) as f64);
        }
    }
}
