//! HANKEL, the paper's estimate: Hankel dynamic mode decomposition and the sum of its steady modes (paper Eqs. 14, 20
//! and 24; docs/method.md section 5, steps 3, 5, 6 and 7).
//!
//! With Hankel columns X = [g_0 ... g_{n-1}], Y = [g_1 ... g_n] and the truncated decomposition X = U S V^T: the
//! operator K = Y V S^-1 U^T has the eigenvalues lambda of U^T Y V S^-1 (eigenvectors w), exact modes Y V S^-1 w /
//! lambda, and amplitudes b by least squares on g_0. The estimate is the sum of b times the first q rows of the mode
//! over |lambda - 1| < tolerance, anchored at the first snapshot.
//!
//! Right where the window is a constant plus decaying or oscillating modes with little noise.

use nalgebra::DVector;

use super::{
    Decomposition, Estimate, Fit, FittedMode, Input, Model, modes::fitted_modes, snapshots::Snapshots,
};
use crate::{AnalysisError, eigen::eigenpairs};

/// The paper's estimate.
pub(super) struct Hankel;

impl Model for Hankel {
    fn fit(&self, input: &Input) -> Result<Fit, AnalysisError> {
        let decomposition = decompose(input)?;
        Ok(Fit {
            estimate: sum_of_steady(&decomposition.modes),
            spread: None,
            decomposition,
        })
    }
}

/// The decomposition behind the estimate.
pub(super) fn decompose(input: &Input) -> Result<Decomposition, AnalysisError> {
    let snapshots = Snapshots::new(input, false)?;
    if snapshots.rank == 0 {
        return Ok(of_last_row_only(snapshots));
    }
    let weights = snapshots.weights();
    let image = snapshots.y() * &weights;
    let operator = snapshots.u().transpose() * image.rows(0, snapshots.height);

    input.cancellation.check()?;
    let eigen = eigenpairs(&operator)?;
    let sigma = input.rows.ncols();
    Ok(Decomposition {
        modes: fitted_modes(eigen, &snapshots, &weights, &image, sigma, input.options),
        rank: snapshots.rank,
        pair_residual: snapshots.pair_residual(&snapshots.y().into_owned()),
        singular_values: snapshots.singular_values,
    })
}

/// Only the last row of the window is not zero, and nothing maps to it.
pub(super) fn of_last_row_only(snapshots: Snapshots) -> Decomposition {
    Decomposition {
        singular_values: snapshots.singular_values,
        pair_residual: 1.0,
        ..Decomposition::default()
    }
}

/// The estimate of step 7.
pub(super) fn sum_of_steady(modes: &[FittedMode]) -> Option<Estimate> {
    let weights = |mode: &FittedMode| -> DVector<f64> { mode.weights.map(|w| w.re) };
    modes
        .iter()
        .filter(|mode| mode.steady)
        .map(weights)
        .reduce(|sum, weights| sum + weights)
        .map(Estimate::Weights)
}
