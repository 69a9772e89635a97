//! How to analyze a window.

use nalgebra::Complex;
use thiserror::Error;

use crate::{Scaling, SvdRank, Thresholds, Variant};

/// Clip of AFFINE unless another is given: it looks ten inner steps ahead.
pub(crate) const DEFAULT_CLIP: f64 = 0.9;

/// Options of the decomposition (docs/method.md section 5). The default is the paper's configuration (HANKEL, m = 10)
/// with scaled components; [`Options::of`] has the defaults of the other variants.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Which estimate to make.
    pub variant: Variant,
    /// Number of stacked hypergradients in one observable (m, paper Eq. 24); at least 1.
    pub delays: usize,
    /// Rank of the decomposition; with AFFINE of the part that decays.
    pub svd_rank: SvdRank,
    /// A mode is steady when |eigenvalue - 1| per inner step is below this; above 0.
    pub tolerance: f64,
    /// Largest absolute eigenvalue per inner step of the part that decays in AFFINE; above 0 and below 1.
    pub clip: f64,
    /// What AFFINE adds to the squared singular values, as a share of the largest squared one; at least 0.
    pub ridge: f64,
    /// Which modes HANKEL and FORWARD_BACKWARD add up to the estimate.
    pub selection: Selection,
    /// The snapshot to which the amplitudes of these modes are fitted.
    pub anchor: Anchor,
    /// How components are scaled before the decomposition; undone in every result.
    pub scaling: Scaling,
    /// What the last row of a component must have of its largest absolute value, with the estimate's sign, for the
    /// component to be trusted; from 0, with which neither is asked for, to 1.
    pub last_share: f64,
    /// Inner steps between two rows; at least 1. Tolerance, clip and thresholds are stated per inner step, for which the
    /// principal root of an eigenvalue counts; the report has eigenvalues per row.
    pub stride: usize,
    /// Return every mode's contribution, not only its norm.
    pub include_contributions: bool,
    /// Thresholds of the verdict.
    pub thresholds: Thresholds,
}

/// Which modes are part of the estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Selection {
    /// Those within the tolerance of eigenvalue 1, which may be none (paper Eq. 20).
    #[default]
    Steady,
    /// The one nearest to eigenvalue 1, with its conjugate, however far it is.
    Nearest,
}

impl Selection {
    /// Its name in the contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Steady => "STEADY",
            Self::Nearest => "NEAREST",
        }
    }
}

/// The snapshot to which the amplitudes of the estimate's modes are fitted. The report has contributions at the first in
/// either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Anchor {
    /// The first, as in the paper.
    #[default]
    First,
    /// The last; it amplifies noise (docs/method.md section 5, step 7).
    Last,
}

impl Anchor {
    /// Its name in the contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "FIRST",
            Self::Last => "LAST",
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::of(Variant::default(), 1)
    }
}

/// An option is out of range.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum OptionError {
    /// `delays` is 0.
    #[error("delays must be at least 1")]
    NoDelays,
    /// `tolerance` is not a positive finite number.
    #[error("tolerance is {0:?}; it must be a finite number above 0")]
    Tolerance(f64),
    /// `clip` is not between 0 and 1.
    #[error("clip is {0:?}; it must be above 0 and below 1")]
    Clip(f64),
    /// `ridge` is negative or not finite.
    #[error("ridge is {0:?}; it must be a finite number of at least 0")]
    Ridge(f64),
    /// `last_share` is not between 0 and 1.
    #[error("last_share is {0:?}; it must be from 0 to 1")]
    LastShare(f64),
    /// `stride` is 0.
    #[error("stride must be at least 1")]
    NoStride,
}

impl OptionError {
    /// The option that is out of range.
    #[must_use]
    pub fn option(&self) -> &'static str {
        match self {
            Self::NoDelays => "delays",
            Self::Tolerance(_) => "tolerance",
            Self::Clip(_) => "clip",
            Self::Ridge(_) => "ridge",
            Self::LastShare(_) => "last_share",
            Self::NoStride => "stride",
        }
    }
}

impl Options {
    /// The defaults of a variant for rows that are `stride` inner steps apart. They come from windows whose continuation
    /// is known (docs/dmd.md): with a stride a window has fewer rows, each with less noise.
    #[must_use]
    pub fn of(variant: Variant, stride: usize) -> Self {
        let strided = stride > 1;
        let defaults = variant.defaults();
        Self {
            variant,
            delays: if strided {
                defaults.delays_with_stride
            } else {
                defaults.delays
            },
            svd_rank: defaults.svd_rank,
            tolerance: 0.1,
            clip: DEFAULT_CLIP,
            ridge: if strided { 0.001 } else { 0.01 },
            selection: Selection::default(),
            anchor: Anchor::default(),
            scaling: Scaling::Component,
            last_share: 0.0,
            stride,
            include_contributions: false,
            thresholds: Thresholds::default(),
        }
    }

    /// Every option that is out of range.
    #[must_use]
    pub fn problems(&self) -> Vec<OptionError> {
        let mut problems = Vec::new();
        if self.delays == 0 {
            problems.push(OptionError::NoDelays);
        }
        if !(self.tolerance.is_finite() && self.tolerance > 0.0) {
            problems.push(OptionError::Tolerance(self.tolerance));
        }
        if !(self.clip > 0.0 && self.clip < 1.0) {
            problems.push(OptionError::Clip(self.clip));
        }
        if !(self.ridge.is_finite() && self.ridge >= 0.0) {
            problems.push(OptionError::Ridge(self.ridge));
        }
        if !(0.0..=1.0).contains(&self.last_share) {
            problems.push(OptionError::LastShare(self.last_share));
        }
        if self.stride == 0 {
            problems.push(OptionError::NoStride);
        }
        problems
    }

    /// An eigenvalue per row as one per inner step.
    pub(crate) fn per_step(&self, eigenvalue: Complex<f64>) -> Complex<f64> {
        if self.stride == 1 {
            eigenvalue
        } else {
            eigenvalue.powf(1.0 / self.stride as f64)
        }
    }

    /// Whether a mode with this eigenvalue per row is steady.
    pub(crate) fn is_steady(&self, eigenvalue: Complex<f64>) -> bool {
        (self.per_step(eigenvalue) - 1.0).norm() < self.tolerance
    }

    /// The clip for eigenvalues per row.
    pub(crate) fn clip_per_row(&self) -> f64 {
        self.clip.powf(self.stride as f64)
    }
}
