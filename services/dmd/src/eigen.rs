//! Eigenpairs of a real matrix: real Schur form, then triangular back-substitution.

use nalgebra::{Complex, ComplexField, DMatrix, DVector, Schur};

use crate::AnalysisError;

/// QR steps allowed per row of the matrix; three are usual.
const STEPS_PER_ROW: usize = 60;

/// How often a matrix is tried, turned each time.
const ATTEMPTS: usize = 4;

/// Largest ||A v - lambda v|| / ||A|| accepted for a unit vector v.
const MAX_RESIDUAL: f64 = 1e-9;

/// An eigenvalue and a right eigenvector of Euclidean norm 1.
#[derive(Debug, Clone)]
pub(crate) struct Eigenpair {
    pub value: Complex<f64>,
    pub vector: DVector<Complex<f64>>,
}

/// All eigenpairs of a real square matrix. Complex ones come in exactly conjugate pairs, one after the other, the one
/// with positive imaginary part first.
///
/// nalgebra's iteration has no exceptional shifts and stalls on some orthogonal matrices (a cyclic shift, for one), and
/// entries whose squares underflow lead it to wrong results. A similarity by a reflection, which changes its course but
/// not the eigenvalues, helps against both, so a result that is missing or wrong is tried for again.
///
/// # Errors
/// [`AnalysisError::EigenvaluesNotConverged`], [`AnalysisError::InaccurateEigenpair`].
pub(crate) fn eigenpairs(matrix: &DMatrix<f64>) -> Result<Vec<Eigenpair>, AnalysisError> {
    let order = matrix.nrows();
    let size = matrix.amax();
    if size == 0.0 {
        return Ok(of_zero_matrix(order));
    }
    // Squares of entries of order 1 can be represented.
    let matrix = &(matrix / size);
    let mut result = Err(AnalysisError::EigenvaluesNotConverged { order });
    for attempt in 0..ATTEMPTS {
        if let Some((q, t)) = schur(matrix, attempt) {
            result = from_schur(matrix, &q, t);
        }
        if result.is_ok() {
            break;
        }
    }
    result.map(|mut pairs| {
        pairs.iter_mut().for_each(|pair| pair.value *= size);
        pairs
    })
}

/// Eigenpairs from the real Schur form A = Q T Q^T.
fn from_schur(
    matrix: &DMatrix<f64>,
    q: &DMatrix<f64>,
    t: DMatrix<f64>,
) -> Result<Vec<Eigenpair>, AnalysisError> {
    let order = matrix.nrows();
    let norm = matrix.norm();
    let (triangle, basis) = complex_schur(q, t);
    let mut pairs = Vec::with_capacity(order);
    let mut k = 0;
    while k < order {
        let value = triangle[(k, k)];
        let vector = eigenvector(&triangle, &basis, k, norm);
        if value.im == 0.0 {
            let vector = real_direction(&vector);
            check(matrix, value, &vector, norm)?;
            pairs.push(Eigenpair { value, vector });
            k += 1;
        } else {
            check(matrix, value, &vector, norm)?;
            let conjugate = Eigenpair {
                value: value.conj(),
                vector: vector.conjugate(),
            };
            pairs.push(Eigenpair { value, vector });
            pairs.push(conjugate);
            k += 2;
        }
    }
    Ok(pairs)
}

/// Coordinates of a vector in the eigenvectors; exactly conjugate for conjugate ones. `None` where eigenvectors coincide.
pub(crate) fn coordinates(eigen: &[Eigenpair], vector: &DVector<f64>) -> Option<DVector<Complex<f64>>> {
    let basis = DMatrix::from_fn(vector.len(), eigen.len(), |i, j| eigen[j].vector[i]);
    let mut coordinates = basis.lu().solve(&vector.map(|v| Complex::new(v, 0.0)))?;
    if !coordinates.norm().is_finite() {
        return None;
    }
    for j in 0..eigen.len() {
        if eigen[j].value.im == 0.0 {
            coordinates[j].im = 0.0;
        } else if eigen[j].value.im < 0.0 {
            coordinates[j] = coordinates[j - 1].conj();
        }
    }
    Some(coordinates)
}

fn of_zero_matrix(order: usize) -> Vec<Eigenpair> {
    let axis = |k| DVector::from_fn(order, |i, _| if i == k { Complex::ONE } else { Complex::ZERO });
    (0..order)
        .map(|k| Eigenpair {
            value: Complex::ZERO,
            vector: axis(k),
        })
        .collect()
}

/// Real Schur form A = Q T Q^T, computed on a matrix that is turned by a reflection from the second attempt on.
fn schur(matrix: &DMatrix<f64>, attempt: usize) -> Option<(DMatrix<f64>, DMatrix<f64>)> {
    if !matrix.iter().all(|v| v.is_finite()) {
        return None;
    }
    let steps = STEPS_PER_ROW * matrix.nrows();
    if attempt == 0 {
        return Some(Schur::try_new(matrix.clone(), f64::EPSILON, steps)?.unpack());
    }
    let reflection = reflection(matrix.nrows(), attempt);
    let turned = &reflection * matrix * &reflection;
    let (q, t) = Schur::try_new(turned, f64::EPSILON, steps)?.unpack();
    Some((reflection * q, t))
}

/// A symmetric orthogonal matrix I - 2 v v^T with a direction of no particular relation to the axes.
fn reflection(order: usize, attempt: usize) -> DMatrix<f64> {
    let direction = DVector::from_fn(order, |i, _| {
        ((i + 1) as f64 * attempt as f64 * 1.618).sin() + 0.1
    })
    .normalize();
    DMatrix::identity(order, order) - 2.0 * &direction * direction.transpose()
}

/// Turns the 2 x 2 blocks of a real Schur form into triangular ones: A = Z U Z^H with complex Z and U. Eigenvalues of a
/// block end up on the diagonal exactly conjugate, the one with positive imaginary part first.
fn complex_schur(q: &DMatrix<f64>, t: DMatrix<f64>) -> (DMatrix<Complex<f64>>, DMatrix<Complex<f64>>) {
    let order = t.nrows();
    let mut u = t.map(|v| Complex::new(v, 0.0));
    let mut z = q.map(|v| Complex::new(v, 0.0));
    for m in (1..order).rev() {
        let below = t[(m, m - 1)];
        if below == 0.0 {
            continue;
        }
        let (first, second) = block_eigenvalues(t[(m - 1, m - 1)], t[(m - 1, m)], below, t[(m, m)]);
        let shifted = first - u[(m, m)];
        let length = shifted.modulus().hypot(below);
        let (c, s) = (shifted / length, below / length);
        for column in m - 1..order {
            let (a, b) = (u[(m - 1, column)], u[(m, column)]);
            u[(m - 1, column)] = c.conj() * a + b * s;
            u[(m, column)] = c * b - a * s;
        }
        turn_columns(&mut u, m, m + 1, c, s);
        turn_columns(&mut z, m, order, c, s);
        u[(m - 1, m - 1)] = first;
        u[(m, m)] = second;
        u[(m, m - 1)] = Complex::ZERO;
    }
    (u, z)
}

/// Applies the inverse of the rotation to columns m - 1 and m of the first `rows` rows.
fn turn_columns(matrix: &mut DMatrix<Complex<f64>>, m: usize, rows: usize, c: Complex<f64>, s: f64) {
    for row in 0..rows {
        let (a, b) = (matrix[(row, m - 1)], matrix[(row, m)]);
        matrix[(row, m - 1)] = a * c + b * s;
        matrix[(row, m)] = b * c.conj() - a * s;
    }
}

/// Eigenvalues of [[a, b], [c, d]].
fn block_eigenvalues(a: f64, b: f64, c: f64, d: f64) -> (Complex<f64>, Complex<f64>) {
    let center = f64::midpoint(a, d);
    let half = (a - d) / 2.0;
    let discriminant = half * half + b * c;
    let root = discriminant.abs().sqrt();
    if discriminant < 0.0 {
        (Complex::new(center, root), Complex::new(center, -root))
    } else {
        (Complex::new(center + root, 0.0), Complex::new(center - root, 0.0))
    }
}

/// The eigenvector of Z U Z^H that belongs to U's diagonal entry `k`, of norm 1.
///
/// A divisor that vanishes (repeated eigenvalue) is replaced by the rounding error of the matrix, as LAPACK does: the
/// vector then is that of a matrix closer than rounding.
fn eigenvector(
    u: &DMatrix<Complex<f64>>,
    z: &DMatrix<Complex<f64>>,
    k: usize,
    norm: f64,
) -> DVector<Complex<f64>> {
    const LARGE: f64 = 1e100;
    let smallest = (f64::EPSILON * norm).max(f64::MIN_POSITIVE);
    let value = u[(k, k)];
    let mut x = DVector::from_element(k + 1, Complex::ZERO);
    x[k] = Complex::ONE;
    for i in (0..k).rev() {
        let sum: Complex<f64> = (i + 1..=k).map(|j| u[(i, j)] * x[j]).sum();
        let mut divisor = u[(i, i)] - value;
        if divisor.norm1() < smallest {
            divisor = Complex::new(smallest, 0.0);
        }
        x[i] = -sum / divisor;
        let size = x[i].norm1();
        if size > LARGE {
            x.unscale_mut(size);
        }
    }
    let mut vector = z.columns(0, k + 1) * x;
    vector.normalize_mut();
    vector
}

/// The eigenvector of a real eigenvalue without the imaginary parts that rounding left in it.
fn real_direction(vector: &DVector<Complex<f64>>) -> DVector<Complex<f64>> {
    let real = vector.map(|v| v.re).normalize();
    real.map(|v| Complex::new(v, 0.0))
}

fn check(
    matrix: &DMatrix<f64>,
    value: Complex<f64>,
    vector: &DVector<Complex<f64>>,
    norm: f64,
) -> Result<(), AnalysisError> {
    let mut squares = 0.0;
    for i in 0..matrix.nrows() {
        let image: Complex<f64> = matrix.row(i).iter().zip(vector).map(|(a, v)| v * *a).sum();
        squares += (image - value * vector[i]).norm_sqr();
    }
    let residual = squares.sqrt() / norm.max(f64::MIN_POSITIVE);
    // Written so that a NaN fails.
    if residual <= MAX_RESIDUAL {
        Ok(())
    } else {
        Err(AnalysisError::InaccurateEigenpair { residual })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(matrix: &DMatrix<f64>) -> Vec<Complex<f64>> {
        eigenpairs(matrix).unwrap().into_iter().map(|p| p.value).collect()
    }

    fn assert_spectrum(matrix: &DMatrix<f64>, expected: &[(f64, f64)]) {
        let mut found = values(matrix);
        for &(re, im) in expected {
            let (at, distance) = found
                .iter()
                .map(|v| (v - Complex::new(re, im)).norm())
                .enumerate()
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .unwrap();
            assert!(distance < 1e-12, "{re} + {im}i is missing: {found:?}");
            found.swap_remove(at);
        }
        assert!(found.is_empty());
    }

    #[test]
    fn a_triangular_matrix_has_its_diagonal() {
        let matrix = DMatrix::from_row_slice(3, 3, &[2.0, 1.0, 3.0, 0.0, -1.0, 4.0, 0.0, 0.0, 0.5]);
        assert_spectrum(&matrix, &[(2.0, 0.0), (-1.0, 0.0), (0.5, 0.0)]);
    }

    #[test]
    fn a_rotation_has_a_conjugate_pair_with_the_positive_one_first() {
        let (s, c) = 0.3_f64.sin_cos();
        let matrix = DMatrix::from_row_slice(2, 2, &[c, -s, s, c]);
        let pairs = eigenpairs(&matrix).unwrap();
        assert!(pairs[0].value.im > 0.0);
        assert_eq!(pairs[1].value, pairs[0].value.conj());
        assert_eq!(pairs[1].vector, pairs[0].vector.conjugate());
        assert_spectrum(&matrix, &[(c, s), (c, -s)]);
    }

    #[test]
    fn a_matrix_on_which_the_plain_iteration_stalls() {
        for order in [10, 20, 40] {
            let shift = DMatrix::from_fn(order, order, |i, j| if (j + 1) % order == i { 1.0 } else { 0.0 });
            let roots: Vec<_> = (0..order)
                .map(|k| (std::f64::consts::TAU * k as f64 / order as f64).sin_cos())
                .map(|(s, c)| (c, s))
                .collect();
            assert_spectrum(&shift, &roots);
        }
    }

    #[test]
    fn a_matrix_with_an_entry_whose_square_underflows() {
        let matrix = DMatrix::from_row_slice(3, 3, &[0.0, 0.0, 0.9, -0.6, 1e-177, 0.0, 0.4, 0.0, 0.0]);
        assert_spectrum(&matrix, &[(0.6, 0.0), (-0.6, 0.0), (0.0, 0.0)]);
    }

    #[test]
    fn a_defective_matrix_has_eigenvectors_that_satisfy_their_equation() {
        let jordan = DMatrix::from_fn(6, 6, |i, j| match j.wrapping_sub(i) {
            0 => 0.9,
            1 => 1.0,
            _ => 0.0,
        });
        assert_spectrum(&jordan, &[(0.9, 0.0); 6]);
    }

    #[test]
    fn zero_and_single_matrices() {
        assert_spectrum(&DMatrix::zeros(3, 3), &[(0.0, 0.0); 3]);
        assert_spectrum(&DMatrix::from_element(1, 1, -4.0), &[(-4.0, 0.0)]);
        assert!(eigenpairs(&DMatrix::zeros(0, 0)).unwrap().is_empty());
    }

    #[test]
    fn non_finite_matrices_are_an_error() {
        let matrix = DMatrix::from_element(2, 2, f64::NAN);
        assert!(matches!(
            eigenpairs(&matrix),
            Err(AnalysisError::EigenvaluesNotConverged { order: 2 })
        ));
    }

    proptest! {
        // Residuals are checked by `eigenpairs` itself; trace and determinant see that no eigenvalue is missing.
        #[test]
        fn eigenvalues_have_the_trace_and_determinant(
            order in 1_usize..12,
            entries in prop::collection::vec(-1.0..1.0_f64, 144),
        ) {
            let matrix = DMatrix::from_fn(order, order, |i, j| entries[i * 12 + j]);
            let values = values(&matrix);
            prop_assert_eq!(values.len(), order);
            let sum: Complex<f64> = values.iter().sum();
            let product: Complex<f64> = values.iter().product();
            prop_assert!((sum - matrix.trace()).norm() < 1e-10);
            prop_assert!((product - matrix.determinant()).norm() < 1e-9);
        }

        #[test]
        fn integer_matrices_with_repeated_eigenvalues_converge(
            order in 1_usize..8,
            entries in prop::collection::vec(-1..=1_i8, 64),
        ) {
            let matrix = DMatrix::from_fn(order, order, |i, j| f64::from(entries[i * 8 + j]));
            prop_assert_eq!(values(&matrix).len(), order);
        }
    }
}
