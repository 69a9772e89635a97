//! Ways to estimate where a window is heading. Each variant is one file with its formula and says when it is right;
//! all take the same input and give the same result.

mod hankel;

use nalgebra::{Complex, DMatrix, DVector};

pub use hankel::Hankel;

use crate::{AnalysisError, Cancellation, SvdRank};

/// What a variant sees of a window: the scaled rows in coordinates that preserve their inner products.
///
/// A window of q components is represented by min(q, sigma) coordinates without loss (docs/method.md section 5, step
/// 4). Results that live in the space of hypergradients are therefore returned as weights of the rows.
#[derive(Debug)]
pub struct Input<'a> {
    /// r x sigma, one column per row of the window, oldest first; entries are of order 1.
    pub rows: &'a DMatrix<f64>,
    /// Number of stacked hypergradients in one observable (m); sigma >= m + 1.
    pub delays: usize,
    /// Rank rule.
    pub svd_rank: SvdRank,
    /// A mode is steady when |eigenvalue - 1| is below this.
    pub tolerance: f64,
    /// Number of components of the window that are not zero throughout, at least 1.
    pub active_components: usize,
    /// To be looked at between expensive steps.
    pub cancellation: &'a Cancellation,
}

/// What a variant found.
#[derive(Debug, Clone, Default)]
pub struct Fit {
    /// Modes in the order of [`crate::Spectrum::modes`]; conjugate ones next to each other.
    pub modes: Vec<FittedMode>,
    /// The estimate as weights of the rows (sigma values); `None` when the variant has none.
    pub estimate: Option<DVector<f64>>,
    /// Singular values of the scaled snapshot matrix, largest first.
    pub singular_values: Vec<f64>,
    /// Rank used.
    pub rank: usize,
    /// ||Y - K X|| / ||Y|| in the Frobenius norm.
    pub pair_residual: f64,
}

/// A mode before it is brought back to the space of hypergradients.
#[derive(Debug, Clone)]
pub struct FittedMode {
    /// Eigenvalue, per row.
    pub eigenvalue: Complex<f64>,
    /// The contribution at t = 0 as weights of the rows (sigma values).
    pub weights: DVector<Complex<f64>>,
    /// Whether the mode is part of the estimate.
    pub steady: bool,
}

/// A way to estimate the glocal hypergradient.
pub trait Variant: Sync {
    /// Fits the model to a window that is neither zero nor constant.
    ///
    /// # Errors
    /// [`AnalysisError`] when a decomposition does not converge or the caller cancelled.
    fn fit(&self, input: &Input) -> Result<Fit, AnalysisError>;
}
