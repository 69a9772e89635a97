//! What a variant is given, what it finds, and the trait between.

use nalgebra::{Complex, DMatrix, DVector};

use crate::{AnalysisError, Cancellation, Options};

/// What a model is fitted to: the scaled rows of a window in coordinates that preserve their inner products.
///
/// A window of q components is represented by min(q, sigma) coordinates without loss (docs/method.md section 5, step
/// 4). Results that live in the space of hypergradients are therefore returned as weights of the rows.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    /// r x sigma, one column per row of the window, oldest first; entries are of order 1. sigma >= `options.delays` + 1.
    pub rows: &'a DMatrix<f64>,
    /// How to fit.
    pub options: &'a Options,
    /// Number of components of the window that are not zero throughout, at least 1.
    pub active_components: usize,
    /// To be looked at between expensive steps.
    pub cancellation: &'a Cancellation,
}

/// What a model found.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    /// The estimate; `None` when the model has none for this window.
    pub estimate: Option<Estimate>,
    /// Where the estimate comes from.
    pub origin: Origin,
    /// Columns c of p x sigma weights of the rows such that the standard error of component i of the estimate is
    /// || c S_i || with the component's scaled values S_i; `None` when the model knows of no error.
    pub spread: Option<DMatrix<f64>>,
    /// The spectrum that the verdict looks at.
    pub decomposition: Decomposition,
}

/// Where an estimate comes from: what says how good it is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Origin {
    /// It is the sum of the steady modes, and as good as the decomposition.
    #[default]
    Modes,
    /// It is fitted to the rows otherwise, and the modes say nothing about it.
    Rows {
        /// How many times as far ahead it looks as estimates do by default; at least 1.
        ahead: f64,
    },
}

/// An estimate, in a form that holds for any number of components.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Estimate {
    /// Weights of the rows (sigma values).
    Weights(DVector<f64>),
    /// The component-wise median, which no weights express.
    Median,
}

/// Modes of a window.
#[derive(Debug, Clone)]
pub(crate) struct Decomposition {
    /// Modes in the order of [`crate::Spectrum::modes`]; conjugate ones next to each other.
    pub modes: Vec<FittedMode>,
    /// Singular values of the scaled snapshot matrix, largest first.
    pub singular_values: Vec<f64>,
    /// Rank used.
    pub rank: usize,
    /// ||Y - K X|| / ||Y|| in the Frobenius norm.
    pub pair_residual: f64,
    /// Condition number of the matrix of modes of norm 1, in the Frobenius norm; 0 without modes.
    pub condition: f64,
    /// What the operator makes of the rows before the last, as weights of the rows (sigma values).
    pub prediction: DVector<f64>,
}

/// A mode before it is brought back to the space of hypergradients.
#[derive(Debug, Clone)]
pub(crate) struct FittedMode {
    /// Eigenvalue, per row.
    pub eigenvalue: Complex<f64>,
    /// The contribution at t = 0 as weights of the rows (sigma values).
    pub weights: DVector<Complex<f64>>,
    /// Whether the mode is part of the estimate.
    pub steady: bool,
}

/// A model of how hypergradients go on.
pub(crate) trait Model: Sync {
    /// Fits the model to a window that is neither zero nor constant.
    ///
    /// # Errors
    /// [`AnalysisError`] when a decomposition does not converge or the caller cancelled.
    fn fit(&self, input: &Input) -> Result<Fit, AnalysisError>;
}
