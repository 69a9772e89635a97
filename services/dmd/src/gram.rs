//! Inner products of long columns, the fast way to a triangular factor.

use nalgebra::DMatrix;
use pulp::{Arch, Simd, WithSimd};

/// Columns of a tile: their inner products stay in registers over the length of a block.
const TILE: (usize, usize) = (2, 4);

/// Condition numbers up to which R from a Cholesky factorization of the inner products has the digits that the analysis
/// is to have: the relative error of R is the squared condition number times that of the format.
const WELL_CONDITIONED: f64 = 1e3;

/// Condition numbers up to which repeating it on the orthogonalized columns gives all digits (Yamamoto, Nakatsukasa,
/// Yanagisawa and Fukaya 2015).
const REPAIRABLE: f64 = 1e6;

/// Accumulates the inner products of columns that arrive in blocks of rows.
pub(crate) struct Gram {
    columns: usize,
    /// Lower triangle.
    products: DMatrix<f64>,
}

/// What Cholesky's factorization of inner products is good for.
pub(crate) enum Factor {
    /// R, with all digits that are needed.
    Good(DMatrix<f64>),
    /// R, and its inverse by which the columns become nearly orthogonal: their own factor repairs it.
    Repairable { r: DMatrix<f64>, inverse: DMatrix<f64> },
    /// The columns are too near to dependent.
    Singular,
}

impl Gram {
    pub(crate) fn new(columns: usize) -> Self {
        Self {
            columns,
            products: DMatrix::zeros(columns, columns),
        }
    }

    /// From a lower triangle of inner products.
    pub(crate) fn of(products: DMatrix<f64>) -> Self {
        Self {
            columns: products.ncols(),
            products,
        }
    }

    /// Adds a block of rows. The block has a multiple of [`Gram::ROWS_MULTIPLE`] rows and at least
    /// [`Gram::padded`] columns; rows and columns to fill it up are zero.
    pub(crate) fn add(&mut self, block: &DMatrix<f64>) {
        Arch::new().dispatch(Products {
            block,
            columns: self.columns,
            sums: &mut self.products,
        });
    }

    /// Rows of a block are a multiple of this.
    pub(crate) const ROWS_MULTIPLE: usize = 8;

    /// Columns that a block needs for this many of its own.
    pub(crate) fn padded(columns: usize) -> usize {
        columns.next_multiple_of(TILE.1)
    }

    /// The upper triangular R with R^T R equal to the inner products.
    pub(crate) fn factor(self) -> Factor {
        let Some(cholesky) = self.products.cholesky() else {
            return Factor::Singular;
        };
        let l = cholesky.l();
        let identity = DMatrix::identity(self.columns, self.columns);
        let Some(inverse) = l.solve_lower_triangular(&identity) else {
            return Factor::Singular;
        };
        // In the Frobenius norm, which is not smaller than the condition number itself.
        let condition = l.norm() * inverse.norm();
        if condition <= WELL_CONDITIONED {
            Factor::Good(l.transpose())
        } else if condition <= REPAIRABLE {
            Factor::Repairable {
                r: l.transpose(),
                inverse: inverse.transpose(),
            }
        } else {
            Factor::Singular
        }
    }
}

/// Adds the inner products of the columns of a block to the lower triangle of `sums`.
struct Products<'a> {
    block: &'a DMatrix<f64>,
    columns: usize,
    sums: &'a mut DMatrix<f64>,
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.block.nrows();
        // A whole number of registers, so that nothing is left over.
        let column = |j: usize| S::as_simd_f64s(&self.block.as_slice()[j * rows..(j + 1) * rows]).0;
        for i in (0..self.columns).step_by(TILE.0) {
            for j in (0..i + TILE.0).step_by(TILE.1) {
                let above = [column(i), column(i + 1)];
                let below = [column(j), column(j + 1), column(j + 2), column(j + 3)];
                for (a, row) in tile(simd, above, below).iter().enumerate() {
                    for (b, sum) in row.iter().enumerate() {
                        if j + b <= i + a && i + a < self.columns {
                            self.sums[(i + a, j + b)] += sum;
                        }
                    }
                }
            }
        }
    }
}

/// Inner products of two columns with four.
#[inline(always)]
fn tile<S: Simd>(simd: S, a: [&[S::f64s]; TILE.0], b: [&[S::f64s]; TILE.1]) -> [[f64; TILE.1]; TILE.0] {
    let mut sums = [[simd.splat_f64s(0.0); TILE.1]; TILE.0];
    let rows = a[0].len();
    let (a, b) = (a.map(|column| &column[..rows]), b.map(|column| &column[..rows]));
    for k in 0..rows {
        for i in 0..TILE.0 {
            for j in 0..TILE.1 {
                sums[i][j] = simd.mul_add_e_f64s(a[i][k], b[j][k], sums[i][j]);
            }
        }
    }
    sums.map(|row| row.map(|sum| simd.reduce_sum_f64s(sum)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns with the singular values of `graded`, up to a rotation.
    fn columns(count: usize, graded: f64) -> DMatrix<f64> {
        let rows = 128;
        let random = DMatrix::from_fn(rows, count, |i, j| ((i * 37 + j * 101 + i * j) as f64).sin());
        let scale = DMatrix::from_fn(count, count, |i, j| {
            let size = graded.powf(i as f64 / (count - 1) as f64);
            size * (((i + 3) * (2 * j + 1)) as f64).cos()
        });
        random.qr().q() * scale
    }

    fn padded(columns: &DMatrix<f64>) -> DMatrix<f64> {
        columns
            .clone()
            .resize(columns.nrows(), Gram::padded(columns.ncols()), 0.0)
    }

    #[test]
    fn products_of_blocks_add_up() {
        for count in [2, 3, 7, 20, 21] {
            let whole = columns(count, 1.0);
            let mut gram = Gram::new(count);
            gram.add(&padded(&whole.rows(0, 64).into_owned()));
            gram.add(&padded(&whole.rows(64, 64).into_owned()));
            let expected = (whole.transpose() * &whole).lower_triangle();
            assert!((gram.products - expected).amax() < 1e-12);
        }
    }

    #[test]
    fn the_factor_is_called_what_its_digits_are_worth() {
        let factor = |graded| {
            let mut gram = Gram::new(6);
            gram.add(&padded(&columns(6, graded)));
            gram.factor()
        };
        assert!(matches!(factor(0.5), Factor::Good(_)));
        assert!(matches!(factor(1e-4), Factor::Repairable { .. }));
        assert!(matches!(factor(1e-9), Factor::Singular));
        assert!(matches!(factor(0.0), Factor::Singular));
    }

    #[test]
    fn the_inverse_makes_columns_nearly_orthogonal() {
        let whole = columns(6, 1e-4);
        let mut gram = Gram::new(6);
        gram.add(&padded(&whole));
        let Factor::Repairable { r, inverse } = gram.factor() else {
            panic!("expected a factor that can be repaired");
        };
        assert_eq!(r, r.upper_triangle());
        let nearly = whole * inverse;
        assert!((nearly.transpose() * &nearly - DMatrix::identity(6, 6)).amax() < 1e-6);
    }
}
