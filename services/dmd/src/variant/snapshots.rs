//! Pairs of snapshots and their singular value decomposition (docs/method.md section 5, steps 3 and 5).

use nalgebra::{DMatrix, DMatrixView, DVector};

use super::Input;
use crate::{AnalysisError, hankel::hankel_factor, svd::Svd};

/// Snapshots that are smaller than this (of a window whose largest value is 1) count as zero: the operator that maps
/// them to the next would not be representable.
const VANISHING: f64 = 1e-100;

/// Deviations from the mean below this share of the snapshots are rounding.
const ROUNDING: f64 = 1e-14;

/// The Hankel columns X = [g_0 ... g_{n-1}] and Y = [g_1 ... g_n], and X = U S V^T cut off at the rank.
///
/// Everything is in the coordinates of [`hankel_factor`], in which only the first `height` entries of X are not zero.
pub(super) struct Snapshots {
    factor: DMatrix<f64>,
    delays: usize,
    /// Pairs of snapshots, n = sigma - m.
    pub pairs: usize,
    pub height: usize,
    u: DMatrix<f64>,
    v: DMatrix<f64>,
    pub singular_values: Vec<f64>,
    /// 0 when X (or, with `centred`, the deviations of its columns) is zero.
    pub rank: usize,
}

impl Snapshots {
    /// With `centred`, U, S and V are those of X less its mean column.
    pub(super) fn new(input: &Input, centred: bool) -> Result<Self, AnalysisError> {
        let delays = input.options.delays;
        let pairs = input.rows.ncols() - delays;
        let factor = hankel_factor(input.rows, delays, input.cancellation)?;
        // The last row of X is zero when the factor is square.
        let height = factor.nrows().min(pairs);
        let mut x = factor.view((0, 0), (height, pairs)).into_owned();
        let mut vanishing = VANISHING;
        if centred {
            // Of equal columns rounding is left.
            vanishing = vanishing.max(ROUNDING * x.norm());
            let mean = x.column_mean();
            x.column_iter_mut().for_each(|mut column| column -= &mean);
        }

        input.cancellation.check()?;
        let svd = Svd::of_wide(&x)?;
        let shape = (delays * input.active_components, pairs);
        let mut singular_values = svd.singular_values;
        // Components that are zero throughout only add zeros.
        singular_values.truncate(shape.0);
        let rank = match singular_values.first() {
            Some(&largest) if largest > vanishing => input.options.svd_rank.select(&singular_values, shape),
            _ => 0,
        };
        Ok(Self {
            factor,
            delays,
            pairs,
            height,
            u: svd.u,
            v: svd.v,
            singular_values,
            rank,
        })
    }

    /// The first snapshot.
    pub(super) fn first(&self) -> DVector<f64> {
        self.factor.column(0).into_owned()
    }

    /// The last snapshot.
    pub(super) fn last(&self) -> DVector<f64> {
        self.factor.column(self.pairs).into_owned()
    }

    /// Rows of the window, sigma.
    pub(super) fn rows(&self) -> usize {
        self.pairs + self.delays
    }

    /// Of the last snapshot that is mapped, the coordinates in V (without S): S times these are those in U.
    pub(super) fn last_in_v(&self) -> DVector<f64> {
        self.v().row(self.pairs - 1).transpose()
    }

    /// Weights of the window's rows for the last block of a combination of the snapshots X: that of g_k is row k + m - 1.
    pub(super) fn last_rows_of_x(&self, combination: &DVector<f64>) -> DVector<f64> {
        let mut rows = DVector::zeros(self.rows());
        rows.rows_mut(self.delays - 1, self.pairs).copy_from(combination);
        rows
    }

    /// The same for the snapshots Y.
    pub(super) fn last_rows_of_y(&self, combination: &DVector<f64>) -> DVector<f64> {
        let mut rows = DVector::zeros(self.rows());
        rows.rows_mut(self.delays, self.pairs).copy_from(combination);
        rows
    }

    /// The snapshots that are mapped.
    pub(super) fn x(&self) -> DMatrixView<'_, f64> {
        self.factor.view((0, 0), (self.height, self.pairs))
    }

    /// What they are mapped to.
    pub(super) fn y(&self) -> DMatrixView<'_, f64> {
        self.factor.columns(1, self.pairs)
    }

    /// Left singular vectors, height x rank.
    pub(super) fn u(&self) -> DMatrixView<'_, f64> {
        self.u.columns(0, self.rank)
    }

    /// Right singular vectors, n x rank.
    pub(super) fn v(&self) -> DMatrixView<'_, f64> {
        self.v.columns(0, self.rank)
    }

    /// V S^-1, n x rank: weights of the snapshots that give U (from X) and the operator's image of U (from Y).
    pub(super) fn weights(&self) -> DMatrix<f64> {
        let mut weights = self.v().into_owned();
        for (mut column, s) in weights.column_iter_mut().zip(&self.singular_values) {
            column /= *s;
        }
        weights
    }

    /// || Y - K X || / || Y || = || Y - Y V V^T || / || Y || of what is given as Y.
    pub(super) fn pair_residual(&self, y: &DMatrix<f64>) -> f64 {
        let size = y.norm();
        if size == 0.0 {
            return 0.0;
        }
        (y - (y * self.v()) * self.v().transpose()).norm() / size
    }
}
