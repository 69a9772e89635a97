//! HANKEL, the paper's estimate: Hankel dynamic mode decomposition and the sum of its steady modes (paper Eqs. 14, 20
//! and 24; docs/method.md section 5, steps 3, 5, 6 and 7).
//!
//! With Hankel columns X = [g_0 ... g_{n-1}], Y = [g_1 ... g_n] and the truncated decomposition X = U S V^T: the
//! operator K = Y V S^-1 U^T has the eigenvalues lambda of U^T Y V S^-1 (eigenvectors w), exact modes Y V S^-1 w /
//! lambda, and amplitudes b by least squares on g_0. The estimate is the sum of b times the first q rows of the mode
//! over |lambda - 1| < tolerance, anchored at the first snapshot.
//!
//! Right where the window is a constant plus decaying or oscillating modes with little noise.

use nalgebra::{ColPivQR, Complex, DMatrix, DVector};

use super::{Fit, FittedMode, Input, Variant};
use crate::{
    AnalysisError,
    eigen::{Eigenpair, eigenpairs},
    hankel::hankel_factor,
    svd::Svd,
};

/// Below this absolute eigenvalue a mode is projected instead of exact, which divides by the eigenvalue.
const PROJECTED_BELOW: f64 = 1e-12;

/// Snapshots that are smaller than this (of a window whose largest value is 1) count as zero: the operator that maps
/// them to the next would not be representable.
const VANISHING: f64 = 1e-100;

/// Columns whose pivot is below this share of the first are left out of the least squares for the amplitudes.
const DEPENDENT_BELOW: f64 = 1e-14;

/// The paper's estimate.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hankel;

impl Variant for Hankel {
    fn fit(&self, input: &Input) -> Result<Fit, AnalysisError> {
        let sigma = input.rows.ncols();
        let pairs = sigma - input.delays;
        let factor = hankel_factor(input.rows, input.delays, input.cancellation)?;
        // X in the coordinates of the factor; its last row is zero when the factor is square.
        let height = factor.nrows().min(pairs);
        let x = factor.view((0, 0), (height, pairs)).into_owned();
        let y = factor.columns(1, pairs);

        input.cancellation.check()?;
        let svd = Svd::of_wide(&x)?;
        let shape = (input.delays * input.active_components, pairs);
        let mut singular_values = svd.singular_values;
        // Components that are zero throughout only add zeros.
        singular_values.truncate(shape.0);
        let rank = match singular_values.first() {
            Some(&largest) if largest > VANISHING => input.svd_rank.select(&singular_values, shape),
            _ => 0,
        };
        if rank == 0 {
            // Only the last row is not zero, and nothing maps to it.
            return Ok(Fit {
                singular_values,
                pair_residual: 1.0,
                ..Fit::default()
            });
        }

        let u = svd.u.columns(0, rank);
        let v = svd.v.columns(0, rank);
        // Columns of V S^-1: weights of the snapshots that give U (from X) and the operator's image of U (from Y).
        let mut snapshots = v.into_owned();
        for (mut column, s) in snapshots.column_iter_mut().zip(&singular_values) {
            column /= *s;
        }
        let image = y * &snapshots;
        let operator = u.transpose() * image.rows(0, height);

        input.cancellation.check()?;
        let mut eigen = eigenpairs(&operator)?;
        sort_by_distance_to_one(&mut eigen);
        let modes: Vec<_> = eigen
            .iter()
            .map(|pair| DirectMode::new(pair, &u, &image))
            .collect();
        let amplitudes = amplitudes(&modes, &factor.column(0).into_owned());

        let modes: Vec<FittedMode> = eigen
            .iter()
            .zip(&modes)
            .zip(amplitudes)
            .map(|((pair, mode), amplitude)| FittedMode {
                eigenvalue: pair.value,
                weights: mode.row_weights(pair, &snapshots, amplitude, sigma),
                steady: distance_to_one(pair.value) < input.tolerance,
            })
            .collect();
        Ok(Fit {
            estimate: sum_of_steady(&modes),
            modes,
            singular_values,
            rank,
            pair_residual: pair_residual(&y.into_owned(), &v.into_owned()),
        })
    }
}

/// A mode in the coordinates of the Hankel factor.
struct DirectMode {
    part: Part,
    vector: DVector<Complex<f64>>,
    /// Whether it is exact (an image of snapshots) or projected (a combination of them).
    exact: bool,
}

impl DirectMode {
    fn new(pair: &Eigenpair, u: &nalgebra::DMatrixView<f64>, image: &DMatrix<f64>) -> Self {
        let exact = pair.value.norm() >= PROJECTED_BELOW;
        let vector = if exact {
            real_times_complex(&image.as_view(), &pair.vector) / pair.value
        } else {
            let projected = real_times_complex(u, &pair.vector);
            projected.resize_vertically(image.nrows(), Complex::ZERO)
        };
        Self {
            part: Part::of(pair.value),
            vector,
            exact,
        }
    }

    /// The contribution amplitude x mode, first block, as weights of the window's rows: snapshot k starts with row k,
    /// its image with row k + 1.
    fn row_weights(
        &self,
        pair: &Eigenpair,
        snapshots: &DMatrix<f64>,
        amplitude: Complex<f64>,
        sigma: usize,
    ) -> DVector<Complex<f64>> {
        let (first, factor) = if self.exact {
            (1, amplitude / pair.value)
        } else {
            (0, amplitude)
        };
        let of_snapshots = real_times_complex(&snapshots.as_view(), &pair.vector) * factor;
        let mut weights = DVector::from_element(sigma, Complex::ZERO);
        weights
            .rows_mut(first, of_snapshots.len())
            .copy_from(&of_snapshots);
        weights
    }
}

fn real_times_complex(
    matrix: &nalgebra::DMatrixView<f64>,
    vector: &DVector<Complex<f64>>,
) -> DVector<Complex<f64>> {
    let mut product = DVector::from_element(matrix.nrows(), Complex::ZERO);
    for (column, &factor) in matrix.column_iter().zip(vector) {
        for (p, &m) in product.iter_mut().zip(&column) {
            *p += factor * m;
        }
    }
    product
}

fn distance_to_one(value: Complex<f64>) -> f64 {
    (value - 1.0).norm()
}

/// Nearest to 1 first. The sort is stable and conjugate ones have exactly the same distance, so pairs stay together.
fn sort_by_distance_to_one(eigen: &mut [Eigenpair]) {
    eigen.sort_by(|a, b| distance_to_one(a.value).total_cmp(&distance_to_one(b.value)));
}

/// Amplitudes b that minimize || sum b_j mode_j - first ||.
///
/// Solved over the reals: a conjugate pair stands for the columns sqrt(2) Re and sqrt(2) Im of its mode, so that the
/// amplitudes of a pair are exactly conjugate. Columns are scaled to norm 1, and one that depends on the others gets
/// amplitude 0.
fn amplitudes(modes: &[DirectMode], first: &DVector<f64>) -> Vec<Complex<f64>> {
    let root = std::f64::consts::SQRT_2;
    let mut columns = DMatrix::zeros(first.len(), modes.len());
    for (j, mode) in modes.iter().enumerate() {
        let mut column = columns.column_mut(j);
        for (entry, v) in column.iter_mut().zip(&mode.vector) {
            *entry = match mode.part {
                Part::Real => v.re,
                Part::First => root * v.re,
                // Of the second one the vector is the conjugate: minus the imaginary part of the first.
                Part::Second => -root * v.im,
            };
        }
    }
    let norms: Vec<f64> = columns.column_iter().map(|column| column.norm()).collect();
    for (mut column, &norm) in columns.column_iter_mut().zip(&norms) {
        if norm > 0.0 {
            column /= norm;
        }
    }
    let mut solution = least_squares(columns, first);
    for (x, &norm) in solution.iter_mut().zip(&norms) {
        *x = if norm > 0.0 { *x / norm } else { 0.0 };
    }
    modes
        .iter()
        .enumerate()
        .map(|(j, mode)| match mode.part {
            Part::Real => Complex::new(solution[j], 0.0),
            // 2 Re(b mode) = 2 Re b Re mode - 2 Im b Im mode.
            Part::First => Complex::new(solution[j], -solution[j + 1]) / root,
            Part::Second => Complex::new(solution[j - 1], solution[j]) / root,
        })
        .collect()
}

/// The role of a mode in its conjugate pair.
#[derive(Clone, Copy)]
enum Part {
    Real,
    First,
    Second,
}

impl Part {
    fn of(eigenvalue: Complex<f64>) -> Self {
        if eigenvalue.im == 0.0 {
            Self::Real
        } else if eigenvalue.im > 0.0 {
            Self::First
        } else {
            Self::Second
        }
    }
}

/// A solution of min || A x - b || by QR with column pivoting; columns that depend on others get 0.
fn least_squares(a: DMatrix<f64>, b: &DVector<f64>) -> DVector<f64> {
    let columns = a.ncols();
    let qr = ColPivQR::new(a);
    let mut rotated = b.clone();
    qr.q_tr_mul(&mut rotated);
    let r = qr.r();
    let largest = r[(0, 0)].abs();
    let rank = (0..columns)
        .take_while(|&i| r[(i, i)].abs() > DEPENDENT_BELOW * largest)
        .count();
    let mut x = DVector::zeros(columns);
    for i in (0..rank).rev() {
        let known: f64 = (i + 1..rank).map(|j| r[(i, j)] * x[j]).sum();
        x[i] = (rotated[i] - known) / r[(i, i)];
    }
    qr.p().inv_permute_rows(&mut x);
    x
}

fn sum_of_steady(modes: &[FittedMode]) -> Option<DVector<f64>> {
    modes
        .iter()
        .filter(|mode| mode.steady)
        .map(|mode| mode.weights.map(|w| w.re))
        .reduce(|sum, weights| sum + weights)
}

/// || Y - K X || / || Y || = || Y - Y V V^T || / || Y ||.
fn pair_residual(y: &DMatrix<f64>, v: &DMatrix<f64>) -> f64 {
    let size = y.norm();
    if size == 0.0 {
        return 0.0;
    }
    (y - (y * v) * v.transpose()).norm() / size
}
