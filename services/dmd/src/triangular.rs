//! The triangular factor of a tall matrix that arrives in blocks of rows.

use nalgebra::{DMatrix, QR};

/// Accumulates R of the QR factorization of a matrix whose rows arrive in blocks; Q is never formed. Backward stable
/// like Householder QR itself: stacking R on the next block and factoring again loses nothing.
pub(crate) struct TriangularFactor {
    columns: usize,
    r: DMatrix<f64>,
}

impl TriangularFactor {
    pub(crate) fn new(columns: usize) -> Self {
        Self {
            columns,
            r: DMatrix::zeros(0, columns),
        }
    }

    /// Adds `rows` rows, which `fill` writes to the matrix it is given, starting at the row index it is given.
    pub(crate) fn append(&mut self, rows: usize, fill: impl FnOnce(&mut DMatrix<f64>, usize)) {
        let above = self.r.nrows();
        let mut stacked = DMatrix::zeros(above + rows, self.columns);
        stacked.rows_mut(0, above).copy_from(&self.r);
        fill(&mut stacked, above);
        self.r = QR::new(stacked).unpack_r();
    }

    /// R, min(rows appended, columns) x columns, upper triangular.
    pub(crate) fn into_r(self) -> DMatrix<f64> {
        self.r
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_in_blocks_has_the_gram_matrix_of_the_whole() {
        let whole = DMatrix::from_fn(23, 4, |i, j| ((i * 7 + j * 13) as f64).sin());
        let mut factor = TriangularFactor::new(4);
        for (start, rows) in [(0, 2), (2, 9), (11, 12)] {
            factor.append(rows, |stacked, at| {
                stacked.rows_mut(at, rows).copy_from(&whole.rows(start, rows));
            });
        }
        let r = factor.into_r();
        assert_eq!(r.shape(), (4, 4));
        assert_eq!(r, r.upper_triangle());
        let difference = r.transpose() * &r - whole.transpose() * &whole;
        assert!(difference.amax() < 1e-13);
    }

    #[test]
    fn a_wide_matrix_gives_a_trapezoid() {
        let mut factor = TriangularFactor::new(5);
        factor.append(2, |stacked, at| {
            stacked.rows_mut(at, 2).fill(1.5);
        });
        assert_eq!(factor.into_r().shape(), (2, 5));
    }
}
