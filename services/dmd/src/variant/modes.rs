//! From eigenpairs of the operator to modes with amplitudes (docs/method.md section 5, step 6).

use std::f64::consts::SQRT_2;

use nalgebra::{ColPivQR, Complex, DMatrix, DMatrixView, DVector, Dyn};

use super::{Estimate, FittedMode, condition, snapshots::Snapshots};
use crate::{Anchor, Options, Selection, eigen::Eigenpair};

/// Below this absolute eigenvalue a mode is projected instead of exact, which divides by the eigenvalue.
const PROJECTED_BELOW: f64 = 1e-12;

/// Columns whose pivot is below this share of the first are left out of the least squares for the amplitudes.
const DEPENDENT_BELOW: f64 = 1e-14;

/// Modes with what is made of them.
pub(super) struct FittedModes {
    /// Nearest to eigenvalue 1 first, with amplitudes that fit the first snapshot.
    pub modes: Vec<FittedMode>,
    /// Weights of the rows for the sum of the selected modes, with amplitudes that fit the anchor; `None` when none is
    /// selected.
    pub estimate: Option<Estimate>,
    /// Condition number of the matrix of modes of norm 1.
    pub condition: f64,
}

/// Exact modes Y V S^-1 w / lambda where that can be divided, else projected ones U w. `weights` are
/// [`Snapshots::weights`], `image` is Y times these.
pub(super) fn fitted_modes(
    mut eigen: Vec<Eigenpair>,
    snapshots: &Snapshots,
    weights: &DMatrix<f64>,
    image: &DMatrix<f64>,
    options: &Options,
) -> FittedModes {
    // The sort is stable and conjugate ones have exactly the same distance, so pairs stay together.
    eigen.sort_by(|a, b| (a.value - 1.0).norm().total_cmp(&(b.value - 1.0).norm()));
    let mut directions: Vec<DirectMode> = Vec::with_capacity(eigen.len());
    for pair in &eigen {
        directions.push(match (Part::of(pair.value), directions.last()) {
            (Part::Second, Some(first)) => first.conjugate(),
            _ => DirectMode::new(pair, &snapshots.u(), image),
        });
    }
    let basis = ModeBasis::new(&directions);
    let row_weights =
        |k: usize, amplitude| directions[k].row_weights(&eigen[k], weights, amplitude, snapshots.rows());

    let nearest = eigen.first().map_or(0, |pair| Part::of(pair.value).members());
    let mut modes: Vec<FittedMode> = Vec::with_capacity(eigen.len());
    for (k, amplitude) in basis.amplitudes(&snapshots.first()).into_iter().enumerate() {
        let eigenvalue = eigen[k].value;
        modes.push(FittedMode {
            eigenvalue,
            weights: match (directions[k].part, modes.last()) {
                (Part::Second, Some(first)) => first.weights.conjugate(),
                _ => row_weights(k, amplitude),
            },
            steady: match options.selection {
                Selection::Steady => options.is_steady(eigenvalue),
                Selection::Nearest => k < nearest,
            },
        });
    }
    let selected = |k: &usize| modes[*k].steady;
    let estimate = match options.anchor {
        Anchor::First => sum((0..modes.len())
            .filter(selected)
            .map(|k| modes[k].weights.map(|w| w.re))),
        Anchor::Last => {
            let amplitudes = basis.amplitudes(&snapshots.last());
            let anchored = |k: usize| row_weights(k, amplitudes[k]).map(|w| w.re);
            sum((0..modes.len()).filter(selected).map(anchored))
        }
    };
    FittedModes {
        estimate: estimate.map(Estimate::Weights),
        condition: basis.condition(),
        modes,
    }
}

fn sum(weights: impl Iterator<Item = DVector<f64>>) -> Option<DVector<f64>> {
    weights.reduce(|sum, weights| sum + weights)
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
        for (p, &m) in product.as_mut_slice().iter_mut().zip(column.as_slice()) {
            p.re += factor.re * m;
            p.im += factor.im * m;
        }
    }
    product
}

/// Modes as the columns of a matrix over the reals: a conjugate pair stands for the columns sqrt(2) Re and sqrt(2) Im of
/// its mode, which is a unitary change of the pair, so that amplitudes of a pair are exactly conjugate.
struct ModeBasis<'a> {
    modes: &'a [DirectMode],
    /// Of the columns scaled to norm 1.
    qr: ColPivQR<f64, Dyn, Dyn>,
    r: DMatrix<f64>,
    /// Columns that do not depend on others.
    rank: usize,
    /// Norms of the columns.
    norms: Vec<f64>,
}

impl<'a> ModeBasis<'a> {
    fn new(modes: &'a [DirectMode]) -> Self {
        let height = modes.first().map_or(0, |mode| mode.vector.len());
        let mut columns = DMatrix::zeros(height, modes.len());
        for (mode, mut column) in modes.iter().zip(columns.column_iter_mut()) {
            for (entry, v) in column.iter_mut().zip(&mode.vector) {
                *entry = mode.part.over_reals(v);
            }
        }
        let norms: Vec<f64> = columns.column_iter().map(|column| column.norm()).collect();
        for (mut column, &norm) in columns.column_iter_mut().zip(&norms) {
            if norm > 0.0 {
                column /= norm;
            }
        }
        let qr = ColPivQR::new(columns);
        let r = qr.r();
        let rank = (0..modes.len())
            .take_while(|&i| r[(i, i)].abs() > DEPENDENT_BELOW * r[(0, 0)].abs())
            .count();
        Self {
            modes,
            qr,
            r,
            rank,
            norms,
        }
    }

    /// The condition number of the modes scaled to norm 1.
    fn condition(&self) -> f64 {
        if self.rank < self.modes.len() {
            return f64::INFINITY;
        }
        // R is that of columns scaled to norm 1 each; the two of a pair have one norm together.
        let mut scales = DVector::from_iterator(
            self.modes.len(),
            self.modes
                .iter()
                .zip(&self.norms)
                .map(|(mode, norm)| norm / mode.vector.norm()),
        );
        self.qr.p().permute_rows(&mut scales);
        let mut triangle = self.r.clone();
        for (mut column, scale) in triangle.column_iter_mut().zip(&scales) {
            column *= *scale;
        }
        condition::of_triangle(&triangle)
    }

    /// Amplitudes b that minimize || sum b_j mode_j - snapshot ||; a mode that depends on the others gets 0.
    fn amplitudes(&self, snapshot: &DVector<f64>) -> Vec<Complex<f64>> {
        let mut rotated = snapshot.clone();
        self.qr.q_tr_mul(&mut rotated);
        let mut solution = DVector::zeros(self.modes.len());
        for i in (0..self.rank).rev() {
            let known: f64 = (i + 1..self.rank).map(|j| self.r[(i, j)] * solution[j]).sum();
            solution[i] = (rotated[i] - known) / self.r[(i, i)];
        }
        self.qr.p().inv_permute_rows(&mut solution);
        for (x, &norm) in solution.iter_mut().zip(&self.norms) {
            *x = if norm > 0.0 { *x / norm } else { 0.0 };
        }
        let of_mode = |(j, mode): (usize, &DirectMode)| match mode.part {
            Part::Real => Complex::new(solution[j], 0.0),
            // 2 Re(b mode) = 2 Re b Re mode - 2 Im b Im mode.
            Part::First => Complex::new(solution[j], -solution[j + 1]) / SQRT_2,
            Part::Second => Complex::new(solution[j - 1], solution[j]) / SQRT_2,
        };
        self.modes.iter().enumerate().map(of_mode).collect()
    }
}

/// The role of a mode in its conjugate pair.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Real,
    First,
    Second,
}

impl Part {
    /// An entry of a mode with this role in the column that stands for it over the reals, see [`ModeBasis`].
    pub(super) fn over_reals(self, entry: &Complex<f64>) -> f64 {
        match self {
            Self::Real => entry.re,
            Self::First => SQRT_2 * entry.re,
            // Of the second one the vector is the conjugate: minus the imaginary part of the first.
            Self::Second => -SQRT_2 * entry.im,
        }
    }

    /// Modes of the pair, or 1.
    fn members(self) -> usize {
        match self {
            Self::Real => 1,
            Self::First | Self::Second => 2,
        }
    }

    pub(super) fn of(eigenvalue: Complex<f64>) -> Self {
        if eigenvalue.im == 0.0 {
            Self::Real
        } else if eigenvalue.im > 0.0 {
            Self::First
        } else {
            Self::Second
        }
    }
}
