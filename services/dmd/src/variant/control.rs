//! The controls MEAN, MEDIAN and LAST, which every claim of another variant must beat. They model the hypergradient as
//! constant; spectrum and verdict are those of HANKEL, of whose modes none is part of the estimate.
//!
//! MEAN and MEDIAN are right where the window is a constant with noise, the median also with single spikes; LAST where
//! the hypergradient still moves and has little noise, as at averaged weights (docs/method.md section 11).

use nalgebra::DVector;

use super::{Decomposition, Estimate, Fit, Input, Model, Origin, hankel};
use crate::AnalysisError;

/// The mean of the rows.
pub(super) struct Mean;

/// The component-wise median of the rows.
pub(super) struct Median;

/// The last row.
pub(super) struct Last;

impl Model for Mean {
    fn fit(&self, input: &Input) -> Result<Fit, AnalysisError> {
        let rows = input.rows.ncols();
        with_spectrum(
            Estimate::Weights(DVector::from_element(rows, 1.0 / rows as f64)),
            input,
        )
    }
}

impl Model for Median {
    fn fit(&self, input: &Input) -> Result<Fit, AnalysisError> {
        with_spectrum(Estimate::Median, input)
    }
}

impl Model for Last {
    fn fit(&self, input: &Input) -> Result<Fit, AnalysisError> {
        let mut weights = DVector::zeros(input.rows.ncols());
        weights[input.rows.ncols() - 1] = 1.0;
        with_spectrum(Estimate::Weights(weights), input)
    }
}

fn with_spectrum(estimate: Estimate, input: &Input) -> Result<Fit, AnalysisError> {
    Ok(Fit {
        estimate: Some(estimate),
        origin: Origin::Rows { ahead: 1.0 },
        spread: None,
        decomposition: bystanders(input)?,
    })
}

/// The decomposition of HANKEL for an estimate that is not made of its modes.
pub(super) fn bystanders(input: &Input) -> Result<Decomposition, AnalysisError> {
    let mut decomposition = hankel::Hankel.fit(input)?.decomposition;
    decomposition
        .modes
        .iter_mut()
        .for_each(|mode| mode.steady = false);
    Ok(decomposition)
}
