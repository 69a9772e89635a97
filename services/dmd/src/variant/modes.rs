//! From eigenpairs of the operator to modes with amplitudes (docs/method.md section 5, step 6).

use nalgebra::{ColPivQR, Complex, DMatrix, DMatrixView, DVector};

use super::{FittedMode, snapshots::Snapshots};
use crate::{Options, eigen::Eigenpair};

/// Below this absolute eigenvalue a mode is projected instead of exact, which divides by the eigenvalue.
const PROJECTED_BELOW: f64 = 1e-12;

/// Columns whose pivot is below this share of the first are left out of the least squares for the amplitudes.
const DEPENDENT_BELOW: f64 = 1e-14;

/// Exact modes Y V S^-1 w / lambda where that can be divided, else projected ones U w, nearest to 1 first; with
/// amplitudes that fit the first snapshot. `weights` are [`Snapshots::weights`], `image` is Y times these.
pub(super) fn fitted_modes(
    mut eigen: Vec<Eigenpair>,
    snapshots: &Snapshots,
    weights: &DMatrix<f64>,
    image: &DMatrix<f64>,
    sigma: usize,
    options: &Options,
) -> Vec<FittedMode> {
    // The sort is stable and conjugate ones have exactly the same distance, so pairs stay together.
    eigen.sort_by(|a, b| (a.value - 1.0).norm().total_cmp(&(b.value - 1.0).norm()));
    let mut modes: Vec<DirectMode> = Vec::with_capacity(eigen.len());
    for pair in &eigen {
        modes.push(match (Part::of(pair.value), modes.last()) {
            (Part::Second, Some(first)) => first.conjugate(),
            _ => DirectMode::new(pair, &snapshots.u(), image),
        });
    }
    let amplitudes = amplitudes(&modes, &snapshots.first());
    let mut fitted: Vec<FittedMode> = Vec::with_capacity(eigen.len());
    for ((pair, mode), amplitude) in eigen.iter().zip(&modes).zip(amplitudes) {
        fitted.push(FittedMode {
            eigenvalue: pair.value,
            weights: match (mode.part, fitted.last()) {
                (Part::Second, Some(first)) => first.weights.conjugate(),
                _ => mode.row_weights(pair, weights, amplitude, sigma),
            },
            steady: options.is_steady(pair.value),
        });
    }
    fitted
}

/// A mode in the coordinates of the Hankel factor.
struct DirectMode {
    part: Part,
    vector: DVector<Complex<f64>>,
    /// Whether it is exact (an image of snapshots) or projected (a combination of them).
    exact: bool,
}

impl DirectMode {
    fn new(pair: &Eigenpair, u: &DMatrixView<f64>, image: &DMatrix<f64>) -> Self {
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

    /// The second of the pair of which this is the first.
    fn conjugate(&self) -> Self {
        Self {
            part: Part::Second,
            vector: self.vector.conjugate(),
            exact: self.exact,
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

pub(super) fn real_times_complex(
    matrix: &DMatrixView<f64>,
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
