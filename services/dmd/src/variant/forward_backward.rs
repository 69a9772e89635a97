//! FORWARD_BACKWARD (Dawson, Hemati, Williams and Rowley 2016, Eq. 22): HANKEL with an operator from which the bias that
//! noise in the snapshots brings is taken out by averaging over both directions of time.
//!
//! In the coordinates U of X, with x = U^T X and y = U^T Y: F = y x^+ goes forward, B = x y^+ backward, and the operator
//! is the square root of F B^-1. Its eigenvectors w are those of F B^-1; of the two roots of an eigenvalue the one
//! nearer to w^* F w is taken. Where that is no conjugate pair (a root of a negative eigenvalue), w^* F w itself is.
//!
//! Right where the rows carry noise and every mode is above it; where y has not full rank it is HANKEL.

use nalgebra::{Complex, DMatrix, DVector};

use super::{Fit, Input, Model, hankel, snapshots::Snapshots};
use crate::{
    AnalysisError,
    eigen::{Eigenpair, coordinates, eigenpairs},
};

/// Smallest over largest singular value of y, below which nothing goes backward.
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
        let eigen = match squared(&snapshots, &forward) {
            Some(squared) => roots(eigenpairs(&squared)?, &forward),
            None => eigenpairs(&forward)?,
        };
        let prediction = prediction(&snapshots, &weights, &eigen, &forward);
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

/// What the operator makes of the last snapshot that is mapped, as weights of the rows.
fn prediction(
    snapshots: &Snapshots,
    weights: &DMatrix<f64>,
    eigen: &[Eigenpair],
    forward: &DMatrix<f64>,
) -> DVector<f64> {
    let singular_values = &snapshots.singular_values;
    let mut last = snapshots.last_in_v();
    last.iter_mut().zip(singular_values).for_each(|(x, s)| *x *= s);
    let image = match coordinates(eigen, &last) {
        Some(coordinates) => {
            let mut image = DVector::zeros(last.len());
            for (pair, coordinate) in eigen.iter().zip(&coordinates) {
                image += pair.vector.map(|v| (v * coordinate * pair.value).re);
            }
            image
        }
        None => forward * last,
    };
    snapshots.last_rows_of_x(&(weights * image))
}

/// F B^-1. As B = x y^T (y y^T)^-1, its inverse is y y^T (x y^T)^-1.
fn squared(snapshots: &Snapshots, forward: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let x = snapshots.u().transpose() * snapshots.x();
    let y = snapshots.u().transpose() * snapshots.y().rows(0, snapshots.height);
    let backward = (&y * y.transpose())
        .try_inverse()
        .map(|inverse| x * y.transpose() * inverse)?;
    let sizes = backward
        .clone()
        .try_inverse()
        .map(|inverse| backward.norm() * inverse.norm())?;
    if sizes > 1.0 / INVERTIBLE_ABOVE {
        return None;
    }
    // F B^-1 solved as B^T Z^T = F^T.
    backward
        .transpose()
        .lu()
        .solve(&forward.transpose())
        .map(|solution| solution.transpose())
        .filter(|squared| squared.iter().all(|v| v.is_finite()))
}

/// Eigenpairs of the square root; conjugate ones stay next to each other, the one with positive imaginary part first.
fn roots(squared: Vec<Eigenpair>, forward: &DMatrix<f64>) -> Vec<Eigenpair> {
    let mut pairs: Vec<_> = squared.into_iter().map(|pair| root(pair, forward)).collect();
    let mut k = 0;
    while k < pairs.len() {
        if pairs[k].value.im == 0.0 {
            k += 1;
            continue;
        }
        if pairs[k].value.im < 0.0 {
            pairs.swap(k, k + 1);
        }
        k += 2;
    }
    pairs
}

/// The square root of an eigenvalue that is nearer to the forward operator's.
fn root(pair: Eigenpair, forward: &DMatrix<f64>) -> Eigenpair {
    let image = forward.map(|v| Complex::new(v, 0.0)) * &pair.vector;
    let of_forward = pair.vector.dotc(&image);
    let value = if pair.value.im == 0.0 && pair.value.re < 0.0 {
        Complex::new(of_forward.re, 0.0)
    } else {
        let root = pair.value.sqrt();
        if (root - of_forward).norm() <= (root + of_forward).norm() {
            root
        } else {
            -root
        }
    };
    Eigenpair { value, ..pair }
}
