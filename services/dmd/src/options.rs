//! How to analyze a window.

use thiserror::Error;

use crate::{Scaling, SvdRank, Thresholds};

/// Options of the decomposition (docs/method.md section 5). The default is the paper's configuration (m = 10) with
/// scaled components.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Number of stacked hypergradients in one observable (m, paper Eq. 24); at least 1.
    pub delays: usize,
    /// Rank of the decomposition.
    pub svd_rank: SvdRank,
    /// A mode is steady when |eigenvalue - 1| is below this; above 0.
    pub tolerance: f64,
    /// How components are scaled before the decomposition; undone in every result.
    pub scaling: Scaling,
    /// Return every mode's contribution, not only its norm.
    pub include_contributions: bool,
    /// Thresholds of the verdict.
    pub thresholds: Thresholds,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            delays: 10,
            svd_rank: SvdRank::All,
            tolerance: 0.1,
            scaling: Scaling::Component,
            include_contributions: false,
            thresholds: Thresholds::default(),
        }
    }
}

/// An option is out of range.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum OptionError {
    /// `delays` is 0.
    #[error("delays must be at least 1")]
    NoDelays,
    /// `tolerance` is not a positive finite number.
    #[error("tolerance is {0}; it must be a finite number above 0")]
    Tolerance(f64),
}

impl Options {
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
        problems
    }
}
