//! How near modes are to dependent (paper Theorem 3.1, ||U|| ||U^-1||).

use nalgebra::DMatrix;

/// The condition number of an upper triangular matrix in the Frobenius norm, which is at least that in the spectral norm
/// and at most the order times that; infinite where the matrix is singular, 0 without columns.
pub(super) fn of_triangle(triangle: &DMatrix<f64>) -> f64 {
    let order = triangle.ncols();
    let columns: Vec<&[f64]> = triangle.as_slice().chunks_exact(order.max(1)).collect();
    let mut inverse_squares = 0.0;
    let mut x = vec![0.0; order];
    for unit in 0..order {
        // Column `unit` of the inverse by back substitution. A zero on the diagonal divides to infinity.
        x[..=unit].fill(0.0);
        x[unit] = 1.0;
        for (i, column) in columns.iter().enumerate().take(unit + 1).rev() {
            let (above, rest) = x.split_at_mut(i);
            rest[0] /= column[i];
            inverse_squares += rest[0] * rest[0];
            let solved = rest[0];
            above.iter_mut().zip(*column).for_each(|(x, c)| *x -= solved * c);
        }
    }
    let condition = triangle.norm() * inverse_squares.sqrt();
    if condition.is_nan() {
        f64::INFINITY
    } else {
        condition
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DVector;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_that_of_the_singular_values(
            order in 1_usize..12,
            entries in prop::collection::vec(-1.0..1.0_f64, 144),
        ) {
            let matrix = DMatrix::from_vec(order, order, entries[..order * order].to_vec());
            let triangle = matrix.qr().r();
            let singular = triangle.singular_values();
            let expected = singular.norm() * singular.map(f64::recip).norm();
            let found = of_triangle(&triangle);
            // What is singular but for rounding may be called either.
            prop_assert!(expected > 1e12 || (found / expected - 1.0).abs() < 1e-3, "{found} {expected}");
        }
    }

    #[test]
    fn of_special_triangles() {
        assert_eq!(of_triangle(&DMatrix::zeros(0, 0)), 0.0);
        assert_eq!(of_triangle(&DMatrix::from_element(1, 1, -3.0)), 1.0);
        assert_eq!(of_triangle(&DMatrix::zeros(3, 3)), f64::INFINITY);
        let graded = DMatrix::from_diagonal(&DVector::from_vec(vec![1.0, 1e-3, 1e-7]));
        assert!((of_triangle(&graded) / 1e7 - 1.0).abs() < 1e-5);
        let singular = DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 0.0, 0.0]);
        assert_eq!(of_triangle(&singular), f64::INFINITY);
    }
}
