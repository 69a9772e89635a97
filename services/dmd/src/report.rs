//! The result of an analysis.

use nalgebra::Complex;

use crate::Verdict;

/// What the analysis of a window found. Hypergradients are in the units of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// How far to trust the estimate.
    pub verdict: Verdict,
    /// The verdict in one sentence with the numbers it came from.
    pub verdict_reason: String,
    /// The glocal hypergradient (q values); `None` when no mode is steady.
    pub glocal: Option<Vec<f64>>,
    /// For each component whether the estimate can be trusted (q values).
    pub component_trusted: Vec<bool>,
    /// For each component |mean| / sample standard deviation over the rows (q values); infinite where the component is
    /// constant and not zero, 0 where it is zero or has a non-finite value.
    pub t_scores: Vec<f64>,
    /// Mean of the rows (q values).
    pub mean: Vec<f64>,
    /// Component-wise median of the rows (q values).
    pub median: Vec<f64>,
    /// The last row, the local hypergradient (q values).
    pub last: Vec<f64>,
    /// The spectrum behind the estimate.
    pub spectrum: Spectrum,
}

/// The spectrum of a decomposition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spectrum {
    /// All modes, those nearest to eigenvalue 1 first; of a conjugate pair the one with positive imaginary part first.
    pub modes: Vec<Mode>,
    /// Singular values of the scaled snapshot matrix, largest first.
    pub singular_values: Vec<f64>,
    /// Rank used.
    pub rank: usize,
    /// ||Y - K X|| / ||Y|| (Frobenius): how well a linear map explains the window.
    pub pair_residual: f64,
    /// ||H - reconstruction|| / ||H|| (Frobenius) over the scaled rows.
    pub reconstruction_error: f64,
    /// Largest absolute eigenvalue; 0 when the rank is 0.
    pub spectral_radius: f64,
}

/// One mode: h_t = sum over modes of contribution x eigenvalue^t, t = 0 at the oldest row.
#[derive(Debug, Clone, PartialEq)]
pub struct Mode {
    /// Eigenvalue, per row.
    pub eigenvalue: Complex<f64>,
    /// Euclidean norm of the contribution at t = 0, in the units of the rows.
    pub contribution_norm: f64,
    /// Share of the window's energy in scaled coordinates, 0 to 1.
    pub energy_share: f64,
    /// Whether this mode is part of the glocal hypergradient.
    pub steady: bool,
    /// The contribution at t = 0 (q values), when asked for.
    pub contribution: Option<Vec<Complex<f64>>>,
}
