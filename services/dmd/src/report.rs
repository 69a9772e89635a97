//! The result of an analysis.

use nalgebra::Complex;

/// What the analysis of a window found. Hypergradients are in the units of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// How far to trust the estimate.
    pub verdict: Verdict,
    /// The verdict in one sentence with the numbers it came from.
    pub verdict_reason: String,
    /// The numbers behind the verdict, for any verdict.
    pub verdict_figures: VerdictFigures,
    /// The glocal hypergradient (q values); `None` when the variant has none, as HANKEL when no mode is steady.
    pub glocal: Option<Vec<f64>>,
    /// Standard error of each of its components (q values); `None` when the variant knows of none.
    pub spread: Option<Vec<f64>>,
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

/// What the rules of the verdict looked at, to be compared with [`crate::Thresholds`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct VerdictFigures {
    /// Share of the energy in modes that grow.
    pub growing_share: f64,
    /// Share of the energy in undamped oscillation.
    pub undamped_share: f64,
    /// Largest norm of a row over the median norm of the hypergradients before the window; `None` when too few are known,
    /// or none of them moved.
    pub spike_ratio: Option<f64>,
    /// How far the estimate of a component lies outside its rows, over what these span (or a tenth of the largest, if that
    /// is more), in the component where that is most; `None` without an estimate.
    pub overshoot: Option<f64>,
    /// Up to here a component is trusted; `None` without an estimate.
    pub overshoot_limit: Option<f64>,
    /// Whether the estimate is the sum of the steady modes, so that reconstruction error and mode condition count.
    pub of_modes: bool,
}

/// The spectrum of a decomposition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spectrum {
    /// All modes, those nearest to eigenvalue 1 first (AFFINE's exact 1 before all); of a conjugate pair the one with positive imaginary part first.
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
    /// What can be computed of the bound on the estimate's error.
    pub bound: BoundTerms,
}

/// What can be computed of the bound on the estimate's error in the paper's Theorem 3.1 (docs/method.md section 5, step
/// 8), over the scaled rows; with [`crate::Scaling::None`] over the rows themselves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BoundTerms {
    /// ||U|| ||U^-1|| of the matrix U of modes of norm 1, in the Frobenius norm: at least that in the spectral norm, which
    /// the theorem has, and at most the number of modes times it. Infinite where modes are dependent, 0 without modes.
    pub mode_condition: f64,
    /// Norm of what the operator, applied to the rows before it, misses of the last row (||e_tau||).
    pub last_residual: f64,
    /// Sum over the modes that decay and are not part of the estimate of |contribution| |eigenvalue|^sigma: what is left
    /// of them after the window.
    pub decaying_norm: f64,
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

/// How far to trust the glocal hypergradient of a window. When several apply, the first of DIVERGING, DEGENERATE,
/// OSCILLATING, NO_STEADY_MODE, UNCERTAIN, TRUSTED is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Every component is trusted.
    Trusted,
    /// At least one component is not trusted.
    Uncertain,
    /// There is no estimate, because no eigenvalue lies within the tolerance of 1.
    NoSteadyMode,
    /// Undamped oscillation holds most of the energy.
    Oscillating,
    /// The hypergradient is not finite, grows without bound, or jumped far above what came before.
    Diverging,
    /// Nothing to decompose: all rows are zero, or there are fewer than two pairs of snapshots.
    Degenerate,
}

impl Verdict {
    /// Its name in the contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trusted => "TRUSTED",
            Self::Uncertain => "UNCERTAIN",
            Self::NoSteadyMode => "NO_STEADY_MODE",
            Self::Oscillating => "OSCILLATING",
            Self::Diverging => "DIVERGING",
            Self::Degenerate => "DEGENERATE",
        }
    }
}
