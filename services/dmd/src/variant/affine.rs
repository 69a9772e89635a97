//! AFFINE (ours; docs/method.md section 5): the constant observable added, so that eigenvalue 1 is exact and always
//! present, and what is left made to decay.
//!
//! With Hankel columns X, Y, their means x̄, ȳ, and U, S, V of X - x̄ cut off at the rank: A = U^T (Y - ȳ) V S / (S² + ρ
//! s_0²) and c = U^T (ȳ - x̄). Eigenvalues of A with |λ| > clip become clip λ / |λ|. The estimate is the fixed point x̄ +
//! U (I - A)^-1 c, averaged over the m blocks; where s_0 = 0 it is x̄.
//!
//! Right where the window still moves towards its limit, with noise: it looks ahead as the clip permits (1 / (1 - clip)
//! steps at most) and never invents growth. The spectrum reported is that of A before the clip, beside the exact 1.

use nalgebra::{Complex, DMatrix, DVector};

use super::{
    Decomposition, Estimate, Fit, FittedMode, Input, Model, Origin, condition,
    modes::{Part, real_times_complex},
    snapshots::Snapshots,
};
use crate::{
    AnalysisError,
    eigen::{Eigenpair, coordinates, eigenpairs},
    options::DEFAULT_CLIP,
};

/// Coordinates in the eigenvectors that are this much larger than what they stand for have lost their digits.
const ILL_CONDITIONED: f64 = 1e8;

/// How much further than at the default clip an estimate may lie outside its rows, however near to 1 the clip is: as at a
/// clip of .99, the largest that held-φ truth has been compared with.
const MOST_AHEAD: f64 = 10.0;

/// The fixed point of an affine map.
pub(super) struct Affine;

impl Model for Affine {
    fn fit(&self, input: &Input) -> Result<Fit, AnalysisError> {
        let snapshots = Snapshots::new(input, true)?;
        let averages = Averages {
            delays: input.options.delays,
            pairs: snapshots.pairs,
        };
        let origin = Origin::Rows {
            ahead: (looks_ahead(input.options.clip) / looks_ahead(DEFAULT_CLIP)).clamp(1.0, MOST_AHEAD),
        };
        if snapshots.rank == 0 {
            return Ok(mean_only(snapshots, &averages, origin));
        }
        let map = AffineMap::new(&snapshots, input.options.ridge);
        input.cancellation.check()?;
        let eigen = eigenpairs(&map.operator)?;
        let fixed_point = map.fixed_point(&eigen, input.options.clip_per_row());

        let weights = snapshots.weights();
        let estimate = averages.of_blocks(&around_mean(&(&weights * &fixed_point)));
        let mut modes = vec![FittedMode {
            eigenvalue: Complex::ONE,
            weights: estimate.map(|w| Complex::new(w, 0.0)),
            steady: true,
        }];
        let condition = condition_with(&fixed_point, &eigen);
        modes.extend(map.decaying_modes(eigen, &fixed_point, &weights, &averages));
        Ok(Fit {
            estimate: Some(Estimate::Weights(estimate)),
            origin,
            spread: None,
            decomposition: Decomposition {
                modes,
                rank: snapshots.rank + 1,
                pair_residual: centred_residual(&snapshots),
                condition,
                prediction: prediction(&snapshots, input.options.ridge),
                singular_values: snapshots.singular_values,
            },
        })
    }
}

/// Inner steps that a map with this clip looks ahead.
fn looks_ahead(clip: f64) -> f64 {
    1.0 / (1.0 - clip)
}

/// All snapshots but the last are equal, up to the last row of the window: their mean goes on.
fn mean_only(snapshots: Snapshots, averages: &Averages, origin: Origin) -> Fit {
    let estimate = averages.of_blocks(&around_mean(&DVector::zeros(snapshots.pairs)));
    Fit {
        decomposition: Decomposition {
            modes: vec![FittedMode {
                eigenvalue: Complex::ONE,
                weights: estimate.map(|w| Complex::new(w, 0.0)),
                steady: true,
            }],
            rank: 1,
            pair_residual: centred_residual(&snapshots),
            condition: 1.0,
            prediction: prediction(&snapshots, 0.0),
            singular_values: snapshots.singular_values,
        },
        estimate: Some(Estimate::Weights(estimate)),
        origin,
        spread: None,
    }
}

/// What the map makes of the last snapshot that is mapped: ȳ + (Y - ȳ) V S² / (S² + ρ s_0²) V^T e, as weights of the
/// rows.
fn prediction(snapshots: &Snapshots, ridge: f64) -> DVector<f64> {
    let mut coordinates = snapshots.last_in_v();
    if let Some(largest) = snapshots.singular_values.first() {
        for (x, s) in coordinates.iter_mut().zip(&snapshots.singular_values) {
            *x *= s * s / (s * s + ridge * largest * largest);
        }
    }
    snapshots.last_rows_of_y(&around_mean(&(snapshots.v() * coordinates)))
}

/// The condition number of the modes of norm 1 in the observables [1; U^T (g - x̄)]: the fixed point, and those that decay.
fn condition_with(fixed_point: &DVector<f64>, eigen: &[Eigenpair]) -> f64 {
    let order = fixed_point.len() + 1;
    let mut columns = DMatrix::zeros(order, order);
    columns[(0, 0)] = 1.0;
    columns
        .column_mut(0)
        .rows_mut(1, order - 1)
        .copy_from(fixed_point);
    let length = columns.column(0).norm();
    columns.column_mut(0).scale_mut(1.0 / length);
    for (pair, mut column) in eigen.iter().zip(columns.column_iter_mut().skip(1)) {
        let part = Part::of(pair.value);
        column
            .rows_mut(1, order - 1)
            .copy_from(&pair.vector.map(|v| part.over_reals(&v)));
    }
    condition::of_triangle(&columns.qr().unpack_r())
}

/// || Y - K X || / || Y || of the affine map without ridge and clip.
fn centred_residual(snapshots: &Snapshots) -> f64 {
    let y = snapshots.y();
    let size = y.norm();
    if size == 0.0 {
        return 0.0;
    }
    let mean = y.column_mean();
    let mut deviations = y.into_owned();
    deviations
        .column_iter_mut()
        .for_each(|mut column| column -= &mean);
    snapshots.pair_residual(&deviations) * deviations.norm() / size
}

/// z -> A z + c in the coordinates U of deviations from the mean snapshot.
struct AffineMap {
    operator: DMatrix<f64>,
    shift: DVector<f64>,
    /// The first snapshot.
    start: DVector<f64>,
}

impl AffineMap {
    fn new(snapshots: &Snapshots, ridge: f64) -> Self {
        let s = &snapshots.singular_values;
        let y = snapshots.y().rows(0, snapshots.height).into_owned();
        let y_mean = y.column_mean();
        let mut deviations = y;
        deviations
            .column_iter_mut()
            .for_each(|mut column| column -= &y_mean);
        let mut operator = snapshots.u().transpose() * deviations * snapshots.v();
        for (i, mut column) in operator.column_iter_mut().enumerate() {
            column *= s[i] / (s[i] * s[i] + ridge * s[0] * s[0]);
        }
        let start = DVector::from_fn(snapshots.rank, |i, _| s[i] * snapshots.v()[(0, i)]);
        Self {
            operator,
            shift: snapshots.u().transpose() * (y_mean - snapshots.x().column_mean()),
            start,
        }
    }

    /// (I - A)^-1 c with the eigenvalues of A clipped.
    fn fixed_point(&self, eigen: &[Eigenpair], clip: f64) -> DVector<f64> {
        let radius = eigen
            .iter()
            .fold(0.0_f64, |radius, pair| radius.max(pair.value.norm()));
        if radius > clip
            && let Some(coordinates) = coordinates(eigen, &self.shift)
            && coordinates.norm() <= ILL_CONDITIONED * self.shift.norm()
        {
            let mut point = DVector::zeros(self.shift.len());
            for (pair, coordinate) in eigen.iter().zip(&coordinates) {
                let clipped = pair.value * (clip / pair.value.norm().max(clip));
                let factor = coordinate / (1.0 - clipped);
                point += pair.vector.map(|v| (v * factor).re);
            }
            return point;
        }
        // Without eigenvectors to clip along, all of A is made smaller.
        let identity = DMatrix::identity(self.shift.len(), self.shift.len());
        let factor = clip / radius.max(clip);
        (identity - &self.operator * factor)
            .lu()
            .solve(&self.shift)
            .unwrap_or_else(|| DVector::zeros(self.shift.len()))
    }

    /// What the first snapshot is away from the fixed point, along the eigenvectors, nearest to 1 first.
    fn decaying_modes(
        &self,
        mut eigen: Vec<Eigenpair>,
        fixed_point: &DVector<f64>,
        weights: &DMatrix<f64>,
        averages: &Averages,
    ) -> Vec<FittedMode> {
        eigen.sort_by(|a, b| (a.value - 1.0).norm().total_cmp(&(b.value - 1.0).norm()));
        let Some(coordinates) = coordinates(&eigen, &(&self.start - fixed_point)) else {
            return Vec::new();
        };
        eigen
            .iter()
            .zip(&coordinates)
            .map(|(pair, coordinate)| {
                let of_snapshots = real_times_complex(&weights.as_view(), &pair.vector) * *coordinate;
                FittedMode {
                    eigenvalue: pair.value,
                    weights: averages.first_block(&of_snapshots),
                    steady: false,
                }
            })
            .collect()
    }
}

/// Weights of the snapshots for their mean plus `weights` of the deviations from it.
fn around_mean(weights: &DVector<f64>) -> DVector<f64> {
    let rest = (1.0 - weights.sum()) / weights.len() as f64;
    weights.add_scalar(rest)
}

/// How combinations of snapshots become weights of the window's rows: snapshot k holds the rows k ... k + m - 1.
struct Averages {
    delays: usize,
    pairs: usize,
}

impl Averages {
    /// Weights of the rows for the mean of the blocks of a combination of snapshots.
    fn of_blocks(&self, snapshots: &DVector<f64>) -> DVector<f64> {
        let mut rows = DVector::zeros(self.pairs + self.delays);
        for (k, weight) in snapshots.iter().enumerate() {
            rows.rows_mut(k, self.delays)
                .add_scalar_mut(weight / self.delays as f64);
        }
        rows
    }

    /// Weights of the rows for the first block of a combination of deviations from the mean.
    fn first_block(&self, deviations: &DVector<Complex<f64>>) -> DVector<Complex<f64>> {
        let mean = deviations.sum() / self.pairs as f64;
        let mut rows = DVector::from_element(self.pairs + self.delays, Complex::ZERO);
        for (row, weight) in rows.iter_mut().zip(deviations) {
            *row = weight - mean;
        }
        rows
    }
}
