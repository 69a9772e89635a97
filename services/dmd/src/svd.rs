//! Singular value decomposition by one-sided Jacobi rotations.
//!
//! Windows without noise give matrices of low rank, on which the bidiagonal iteration of nalgebra 0.35 returns factors
//! that do not multiply to the matrix (relative residuals of order 1). Jacobi rotations converge for every matrix, and
//! compute small singular values to high relative accuracy (Demmel and Veselić 1992), which the rank rule looks at.

use nalgebra::DMatrix;

use crate::AnalysisError;

/// Sweeps over all pairs of columns before giving up; ten are unusual.
const MAX_SWEEPS: usize = 60;

/// Columns whose square is below this (of a matrix whose largest entry is 1) are not rotated: their inner products
/// cannot be represented.
const NEGLIGIBLE: f64 = 1e-280;

/// A thin decomposition U diag(s) V^T.
pub(crate) struct Svd {
    /// k x p, orthonormal columns where the singular value is not 0.
    pub u: DMatrix<f64>,
    /// p values, largest first.
    pub singular_values: Vec<f64>,
    /// n x p, likewise.
    pub v: DMatrix<f64>,
}

impl Svd {
    /// Decomposes a k x n matrix with k <= n; p = k.
    ///
    /// # Errors
    /// [`AnalysisError::SingularValuesNotConverged`].
    pub(crate) fn of_wide(matrix: &DMatrix<f64>) -> Result<Self, AnalysisError> {
        let (k, n) = matrix.shape();
        // Rotations J make the columns of A = X^T orthogonal: A J = V diag(s), so X = J diag(s) V^T.
        let largest = matrix.amax();
        let mut a = matrix.transpose();
        if largest > 0.0 {
            // Squares of entries of order 1 do not overflow.
            a /= largest;
        }
        let mut j = DMatrix::identity(k, k);
        if !orthogonalize(a.as_mut_slice(), n, j.as_mut_slice(), k) {
            return Err(AnalysisError::SingularValuesNotConverged { rows: k, columns: n });
        }
        let lengths: Vec<f64> = a.column_iter().map(|column| column.norm()).collect();
        let mut order: Vec<usize> = (0..k).collect();
        order.sort_by(|&x, &y| lengths[y].total_cmp(&lengths[x]));
        let lengths: Vec<f64> = order.iter().map(|&c| lengths[c]).collect();
        let mut v = a.select_columns(&order);
        for (mut column, &s) in v.column_iter_mut().zip(&lengths) {
            if s > 0.0 {
                column /= s;
            }
        }
        Ok(Self {
            u: j.select_columns(&order),
            singular_values: lengths.iter().map(|s| s * largest).collect(),
            v,
        })
    }
}

/// Rotates pairs of the columns of `a` (each `n` long) until all are orthogonal, and the columns of `j` (each `k` long)
/// with them. False when that does not come to an end.
fn orthogonalize(a: &mut [f64], n: usize, j: &mut [f64], k: usize) -> bool {
    let tolerance = f64::EPSILON * (n as f64).sqrt();
    let pairs = disjoint_rounds(k);
    for _ in 0..MAX_SWEEPS {
        let mut rotated = false;
        for &(first, second) in &pairs {
            let (x, y) = two(a, n, first, second);
            let (alpha, beta, gamma) = products(x, y);
            if alpha.min(beta) < NEGLIGIBLE || gamma.abs() <= tolerance * (alpha.sqrt() * beta.sqrt()) {
                continue;
            }
            rotated = true;
            let (c, s) = rotation(alpha, beta, gamma);
            rotate(x, y, c, s);
            let (x, y) = two(j, k, first, second);
            rotate(x, y, c, s);
        }
        if !rotated {
            return true;
        }
    }
    false
}

/// Every pair of `count` columns once, the smaller number first, in rounds of pairs that have no column in common (the
/// circle method of tournaments): the processor works on the pairs of a round side by side.
fn disjoint_rounds(count: usize) -> Vec<(usize, usize)> {
    let circle = count.next_multiple_of(2) - 1;
    let round = |r: usize| {
        let met = (1..=circle / 2).map(move |i| ((r + i) % circle, (r + circle - i) % circle));
        std::iter::once((r, circle)).chain(met.map(|(a, b)| (a.min(b), a.max(b))))
    };
    (0..circle)
        .flat_map(round)
        .filter(|&(_, second)| second < count)
        .collect()
}

/// Two of the columns, each `length` long.
fn two(columns: &mut [f64], length: usize, first: usize, second: usize) -> (&mut [f64], &mut [f64]) {
    let (head, tail) = columns.split_at_mut(second * length);
    (
        &mut head[first * length..(first + 1) * length],
        &mut tail[..length],
    )
}

/// x.x, y.y and x.y.
fn products(x: &[f64], y: &[f64]) -> (f64, f64, f64) {
    x.iter().zip(y).fold((0.0, 0.0, 0.0), |(xx, yy, xy), (a, b)| {
        (xx + a * a, yy + b * b, xy + a * b)
    })
}

/// Cosine and sine of the rotation that makes two columns with these inner products orthogonal, the smaller of the two
/// possible angles.
fn rotation(alpha: f64, beta: f64, gamma: f64) -> (f64, f64) {
    let zeta = (beta - alpha) / (2.0 * gamma);
    // `hypot` would do without the distinction, but takes most of the time of a small decomposition.
    let root = if zeta.abs() < 1e100 {
        (zeta * zeta + 1.0).sqrt()
    } else {
        zeta.abs()
    };
    let t = zeta.signum() / (zeta.abs() + root);
    let c = 1.0 / (t * t + 1.0).sqrt();
    (c, c * t)
}

fn rotate(x: &mut [f64], y: &mut [f64], c: f64, s: f64) {
    for (a, b) in x.iter_mut().zip(y) {
        (*a, *b) = (c * *a - s * *b, s * *a + c * *b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Checks the definition: factors multiply to the matrix and have orthonormal columns.
    fn check(matrix: &DMatrix<f64>) -> Svd {
        let svd = Svd::of_wide(matrix).unwrap();
        let k = matrix.nrows();
        let s = DMatrix::from_diagonal(&svd.singular_values.clone().into());
        let size = matrix.norm();
        assert!((&svd.u * s * svd.v.transpose() - matrix).norm() <= 1e-14 * k as f64 * size);
        assert!((svd.u.transpose() * &svd.u - DMatrix::identity(k, k)).amax() < 1e-13);
        let rank = svd.singular_values.iter().filter(|&&s| s > 0.0).count();
        let v = svd.v.columns(0, rank);
        assert!((v.transpose() * v - DMatrix::identity(rank, rank)).amax() < 1e-11);
        assert!(svd.singular_values.is_sorted_by(|a, b| a >= b));
        svd
    }

    #[test]
    fn a_diagonal_matrix_has_its_entries() {
        let matrix = DMatrix::from_diagonal(&vec![0.5, -3.0, 2.0].into());
        assert_eq!(check(&matrix).singular_values, [3.0, 2.0, 0.5]);
    }

    #[test]
    fn every_pair_of_columns_meets_once() {
        for count in 1..13 {
            let pairs = disjoint_rounds(count);
            let mut once = pairs.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!((once.len(), pairs.len()), (count * (count - 1) / 2, once.len()));
            assert!(
                pairs
                    .iter()
                    .all(|&(first, second)| first < second && second < count)
            );
        }
    }

    #[test]
    fn zero_matrices_and_single_rows() {
        assert_eq!(check(&DMatrix::zeros(3, 4)).singular_values, [0.0; 3]);
        assert_eq!(
            check(&DMatrix::from_row_slice(1, 2, &[3.0, 4.0])).singular_values,
            [5.0]
        );
    }

    #[test]
    fn columns_of_very_different_size_come_to_an_end() {
        // The angle between two such columns has a cotangent whose square overflows.
        for size in [1e-100, 1e-130, 1e-139] {
            let matrix = DMatrix::from_row_slice(2, 3, &[1.0, 0.5, 0.25, size, -0.3 * size, size]);
            assert!((check(&matrix).singular_values[0] - matrix.norm()).abs() < 1e-14);
        }
    }

    #[test]
    fn small_singular_values_are_accurate_relatively() {
        // Graded rows: sigma_i is close to 10^-i up to the orthogonal factor, which is exact here (Hadamard).
        let h = [
            [1.0, 1.0, 1.0, 1.0],
            [1.0, -1.0, 1.0, -1.0],
            [1.0, 1.0, -1.0, -1.0],
            [1.0, -1.0, -1.0, 1.0],
        ];
        let matrix = DMatrix::from_fn(4, 4, |i, j| 10f64.powi(-4 * i as i32) * h[i][j] / 2.0);
        for (s, expected) in check(&matrix)
            .singular_values
            .iter()
            .zip([1.0, 1e-4, 1e-8, 1e-12])
        {
            assert!((s / expected - 1.0).abs() < 1e-14);
        }
    }

    proptest! {
        #[test]
        fn factors_multiply_to_matrices_of_any_rank(
            k in 1_usize..12,
            extra in 0_usize..4,
            rank in 1_usize..12,
            values in prop::collection::vec(-1.0..1.0_f64, 12 * 16 * 2),
        ) {
            let n = k + extra;
            let left = DMatrix::from_fn(k, rank, |i, j| values[i * 12 + j]);
            let right = DMatrix::from_fn(rank, n, |i, j| values[192 + i * 16 + j]);
            check(&(left * right));
        }
    }
}
