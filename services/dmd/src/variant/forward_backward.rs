//! FORWARD_BACKWARD (after Dawson, Hemati, Williams and Rowley 2016, Eq. 22): HANKEL with an operator from which the bias
//! that noise in the snapshots brings is taken out by averaging over both directions of time.
//!
//! In the coordinates U of X, with x = U^T X = S V^T and y = U^T Y: F = y x^+ goes forward, B = x y^+ backward, and the
//! operator is the geometric mean of F and B^-1, M = F (B F)^(-1/2), for which M F^-1 M = B^-1. Without noise B F = 1 and
//! M = F. Dawson et al. take the square root of F B^-1, whose eigenvalues differ from those of M by no more than the square
//! of the correction; but where F has the eigenvalues λ and -λ, F B^-1 has λ² twice, and does not tell them apart.
//!
//! B F = S (V^T P V) S^-1 with the projector P on the row space of y. V^T P V is symmetric, and its eigenvalues are the
//! squared cosines c of the angles between the row spaces of x and y, so that the principal root is the only one there is.
//!
//! Right where the rows carry noise and every mode is above it; where y has not full rank it is HANKEL.

use nalgebra::{ColPivQR, DMatrix};

use super::{Fit, Input, Model, hankel, snapshots::Snapshots};
use crate::{AnalysisError, eigen::eigenpairs, svd::Svd};

/// Smallest over largest pivot of y, and smallest cosine, below which nothing goes backward.
const INVERTIBLE_ABOVE: f64 = 1e-10;

/// The estimate from both directions of time.
pub(super) struct ForwardBackward;

impl Model for ForwardBackward {
    fn fit(&self, input: &Input) -> Result<Fit, AnalysisError> {
        let snapshots = Snapshots::new(input, false)?;
        if snapshots.rank == 0 {
            return Ok(hankel::of_last_row_only(snapshots));
        }
        let weights = snapshots.weights();
        let image = snapshots.y() * &weights;
        let forward = snapshots.u().transpose() * image.rows(0, snapshots.height);

        input.cancellation.check()?;
        let operator = match correction(&snapshots)? {
            Some(correction) => &forward * correction,
            None => forward,
        };
        let eigen = eigenpairs(&operator)?;
        let mut last = snapshots.last_in_v();
        let singular_values = &snapshots.singular_values;
        last.iter_mut().zip(singular_values).for_each(|(x, s)| *x *= s);
        let prediction = snapshots.last_rows_of_x(&(&weights * (operator * last)));
        Ok(hankel::fit(
            eigen,
            snapshots,
            &weights,
            &image,
            prediction,
            input.options,
        ))
    }
}

/// (B F)^(-1/2) = S Q c^-1 Q^T S^-1; `None` where some direction does not go backward.
fn correction(snapshots: &Snapshots) -> Result<Option<DMatrix<f64>>, AnalysisError> {
    let y = snapshots.u().transpose() * snapshots.y().rows(0, snapshots.height);
    let qr = ColPivQR::new(y.transpose());
    let pivots = qr.r().diagonal().abs();
    if !above(pivots.iter()) {
        return Ok(None);
    }
    // V^T P V = C C^T with the orthonormal rows of y as the columns of Q, C = V^T Q = Q c R^T.
    let cosines = Svd::of_wide(&(snapshots.v().transpose() * qr.q()))?;
    if !above(cosines.singular_values.iter()) {
        return Ok(None);
    }
    let s = &snapshots.singular_values;
    let mut left = cosines.u;
    let mut right = left.transpose();
    for (mut column, c) in left.column_iter_mut().zip(&cosines.singular_values) {
        column /= *c;
    }
    for (i, mut row) in left.row_iter_mut().enumerate() {
        row *= s[i];
    }
    for (i, mut column) in right.column_iter_mut().enumerate() {
        column /= s[i];
    }
    Ok(Some(left * right))
}

/// Whether the smallest of these, over the largest, is large enough to divide by.
fn above<'a>(values: impl Iterator<Item = &'a f64>) -> bool {
    let (smallest, largest) = values.fold((f64::INFINITY, 0.0_f64), |(smallest, largest), &value| {
        (smallest.min(value), largest.max(value))
    });
    smallest > INVERTIBLE_ABOVE * largest
}
