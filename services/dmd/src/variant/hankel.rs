//! HANKEL, the paper's estimate: Hankel dynamic mode decomposition and the sum of its steady modes (paper Eqs. 14, 20
//! and 24; docs/method.md section 5, steps 3, 5, 6 and 7).
//!
//! With Hankel columns X = [g_0 ... g_{n-1}], Y = [g_1 ... g_n] and the truncated decomposition X = U S V^T: the
//! operator K = Y V S^-1 U^T has the eigenvalues lambda of U^T Y V S^-1 (eigenvectors w), exact modes Y V S^-1 w /
//! lambda, and amplitudes b by least squares on g_0. The estimate is the sum of b times the first q rows of the mode
//! over |lambda - 1| < tolerance. With NEAREST it is the mode nearest to 1 and its conjugate; anchored at the last
//! snapshot, b are by least squares on g_n.
//!
//! Right where the window is a constant plus decaying or oscillating modes with little noise.

use nalgebra::{DMatrix, DVector};

use super::{
    Decomposition, Fit, Input, Model, Origin,
    modes::{FittedModes, fitted_modes},
    snapshots::Snapshots,
};
use crate::{
    AnalysisError, Options,
    eigen::{Eigenpair, eigenpairs},
};

/// The paper's estimate.
pub(super) struct Hankel;

impl Model for Hankel {
    fn fit(&self, input: &Input) -> Result<Fit, AnalysisError> {
        let snapshots = Snapshots::new(input, false)?;
        if snapshots.rank == 0 {
            return Ok(of_last_row_only(snapshots));
        }
        let weights = snapshots.weights();
        let image = snapshots.y() * &weights;
        let operator = snapshots.u().transpose() * image.rows(0, snapshots.height);

        input.cancellation.check()?;
        let eigen = eigenpairs(&operator)?;
        let prediction = snapshots.last_rows_of_y(&(snapshots.v() * snapshots.last_in_v()));
        Ok(fit(eigen, snapshots, &weights, &image, prediction, input.options))
    }
}

/// The sum of the selected modes of an operator with these eigenpairs, and its spectrum.
pub(super) fn fit(
    eigen: Vec<Eigenpair>,
    snapshots: Snapshots,
    weights: &DMatrix<f64>,
    image: &DMatrix<f64>,
    prediction: DVector<f64>,
    options: &Options,
) -> Fit {
    let FittedModes {
        modes,
        estimate,
        condition,
    } = fitted_modes(eigen, &snapshots, weights, image, options);
    Fit {
        estimate,
        origin: Origin::Modes,
        spread: None,
        decomposition: Decomposition {
            modes,
            rank: snapshots.rank,
            pair_residual: snapshots.pair_residual(&snapshots.y().into_owned()),
            condition,
            prediction,
            singular_values: snapshots.singular_values,
        },
    }
}

/// Only the last row of the window is not zero, and nothing maps to it.
pub(super) fn of_last_row_only(snapshots: Snapshots) -> Fit {
    Fit {
        estimate: None,
        origin: Origin::Modes,
        spread: None,
        decomposition: Decomposition {
            modes: Vec::new(),
            rank: 0,
            pair_residual: 1.0,
            condition: 0.0,
            prediction: DVector::zeros(snapshots.rows()),
            singular_values: snapshots.singular_values,
        },
    }
}
