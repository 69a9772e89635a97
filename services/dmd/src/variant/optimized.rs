//! OPTIMIZED (variable projection, Golub and Pereyra 1973; Askham and Kutz 2018): h_t = h_∞ + Σ a_k λ_k^t with K = 0, 1
//! or 2 modes shared by all components, eigenvalue 1 pinned and decay times of at most ten steps, by least squares over
//! the rows. The estimate is h_∞, averaged over K with weights exp(-BIC / 2).
//!
//! The window's rows are far from independent, so that the Bayesian information criterion counts only a quarter of them:
//! BIC_K = N ln(RSS_K) + P_K ln N with N = q σ / 4 values and P_K = q (1 + K) + K parameters.
//!
//! The spread of a component is the square root of Σ_K weight_K [(h_∞,K - h_∞)² + 4 s_K² (Φ^T Φ)^-1_00], with the
//! component's residual variance s_K² and Φ = [1, λ_1^t, ...]: what the orders differ by and what the residuals allow.
//!
//! Right where the window is on its way to a limit with little memory; spectrum and verdict are those of HANKEL.

use nalgebra::{DMatrix, DVector};

use super::{Estimate, Fit, Input, Model, Origin, control::bystanders};
use crate::{AnalysisError, triangular::TriangularFactor};

/// Longest decay time of a mode, in inner steps.
const LONGEST_DECAY: f64 = 10.0;

/// Shortest decay time of a mode, in rows; what decays faster is gone in the next row.
const SHORTEST_DECAY: f64 = 0.3;

/// Rows for one independent one.
const CORRELATED_ROWS: f64 = 4.0;

/// Points per decay time and angle at which the search begins.
const DECAYS: usize = 8;
const ANGLES: usize = 10;

/// Halvings of the steps of the search after that.
const REFINEMENTS: usize = 12;

/// The limit of a fitted sum of exponentials.
pub(super) struct Optimized;

impl Model for Optimized {
    fn fit(&self, input: &Input) -> Result<Fit, AnalysisError> {
        let search = Search::new(input);
        let mut fits = vec![search.constant()];
        if search.sigma > 4 {
            fits.extend(search.one_mode());
        }
        input.cancellation.check()?;
        if search.sigma > 6 {
            fits.extend(search.two_modes());
        }
        let weights = search.weights(&fits);
        let mut estimate = DVector::zeros(search.sigma);
        for (fit, weight) in fits.iter().zip(&weights) {
            estimate += &fit.limit * *weight;
        }
        Ok(Fit {
            spread: Some(search.spread(&fits, &weights, &estimate)),
            estimate: Some(Estimate::Weights(estimate)),
            origin: Origin::Rows { ahead: 1.0 },
            decomposition: bystanders(input)?,
        })
    }
}

/// A least-squares fit with given exponentials.
struct Exponentials {
    modes: usize,
    /// Orthonormal basis of the columns of Φ.
    basis: Vec<DVector<f64>>,
    /// Residual sum of squares over all components.
    residual: f64,
    /// Weights of the rows that give h_∞: the first row of (Φ^T Φ)^-1 Φ^T.
    limit: DVector<f64>,
}

struct Search {
    sigma: usize,
    /// σ x σ inner products of the rows.
    gram: DMatrix<f64>,
    components: f64,
    longest_decay: f64,
}

impl Search {
    fn new(input: &Input) -> Self {
        Self {
            sigma: input.rows.ncols(),
            gram: input.rows.tr_mul(input.rows),
            components: input.active_components as f64,
            longest_decay: LONGEST_DECAY / input.options.stride as f64,
        }
    }

    fn constant(&self) -> Exponentials {
        self.fit(&[])
    }

    /// The best real mode.
    fn one_mode(&self) -> Option<Exponentials> {
        let curve = |point: &[f64]| vec![self.exponential(point[0])];
        let starts = self.decays().map(|decay| vec![decay]);
        self.search(starts, &curve, &[0.5 * self.decay_step()])
    }

    /// The best two real modes or conjugate pair.
    fn two_modes(&self) -> Option<Exponentials> {
        let step = 0.5 * self.decay_step();
        let real = |point: &[f64]| point.iter().map(|&decay| self.exponential(decay)).collect();
        let starts = self.decays().flat_map(|first| {
            self.decays()
                .filter(move |&d| d < first)
                .map(move |d| vec![first, d])
        });
        let reals = self.search(starts, &real, &[step, step]);
        let pair = |point: &[f64]| self.oscillation(point[0], point[1]);
        let angle_step = std::f64::consts::PI / ANGLES as f64;
        let starts = self
            .decays()
            .flat_map(|decay| (1..=ANGLES).map(move |i| vec![decay, i as f64 * angle_step]));
        let pairs = self.search(starts, &pair, &[step, 0.5 * angle_step]);
        [reals, pairs]
            .into_iter()
            .flatten()
            .min_by(|a, b| a.residual.total_cmp(&b.residual))
    }

    /// Logarithms of decay times to begin with.
    fn decays(&self) -> impl Iterator<Item = f64> {
        let (longest, step) = (self.longest_decay.ln(), self.decay_step());
        (0..DECAYS).map(move |i| longest - step * i as f64)
    }

    fn decay_step(&self) -> f64 {
        (self.longest_decay / SHORTEST_DECAY).ln() / (DECAYS - 1) as f64
    }

    fn decay_of(&self, log_decay: f64) -> f64 {
        (-1.0 / log_decay.exp().min(self.longest_decay).max(SHORTEST_DECAY)).exp()
    }

    fn exponential(&self, log_decay: f64) -> DVector<f64> {
        let factor = self.decay_of(log_decay);
        let powers = std::iter::successors(Some(1.0), |power| Some(power * factor));
        DVector::from_iterator(self.sigma, powers.take(self.sigma))
    }

    fn oscillation(&self, log_decay: f64, angle: f64) -> Vec<DVector<f64>> {
        let envelope = self.exponential(log_decay);
        let turned = |shape: fn(f64) -> f64| {
            DVector::from_fn(self.sigma, |t, _| envelope[t] * shape(angle * t as f64))
        };
        vec![turned(f64::cos), turned(f64::sin)]
    }

    /// The best of the starts, then a pattern search with steps that halve.
    fn search(
        &self,
        starts: impl Iterator<Item = Vec<f64>>,
        curves: &dyn Fn(&[f64]) -> Vec<DVector<f64>>,
        steps: &[f64],
    ) -> Option<Exponentials> {
        let residual = |point: &[f64]| self.fit(&curves(point)).residual;
        let (mut point, mut best) = starts
            .map(|start| {
                let residual = residual(&start);
                (start, residual)
            })
            .min_by(|a, b| a.1.total_cmp(&b.1))?;
        let mut steps = steps.to_vec();
        for _ in 0..REFINEMENTS {
            for axis in 0..point.len() {
                for sign in [-1.0, 1.0] {
                    let mut moved = point.clone();
                    moved[axis] += sign * steps[axis];
                    let there = residual(&moved);
                    if there < best {
                        (point, best) = (moved, there);
                    }
                }
            }
            steps.iter_mut().for_each(|step| *step *= 0.5);
        }
        Some(self.fit(&curves(&point)))
    }

    /// Least squares with the constant and these curves, by Gram-Schmidt with the constant last: what is left of it then
    /// is orthogonal to the curves, so that its coefficient is h_∞.
    fn fit(&self, curves: &[DVector<f64>]) -> Exponentials {
        let mut basis: Vec<DVector<f64>> = Vec::with_capacity(curves.len() + 1);
        for curve in curves {
            if let Some(direction) = orthogonal(curve, &basis) {
                basis.push(direction.normalize());
            }
        }
        let ones = DVector::from_element(self.sigma, 1.0);
        let rest = orthogonal(&ones, &basis).unwrap_or_else(|| ones.clone());
        let limit = &rest / rest.norm_squared();
        basis.push(rest.normalize());
        let explained: f64 = basis.iter().map(|q| (&self.gram * q).dot(q)).sum();
        Exponentials {
            modes: curves.len(),
            residual: (self.gram.trace() - explained).max(0.0),
            basis,
            limit,
        }
    }

    /// exp(-BIC / 2), normalised.
    fn weights(&self, fits: &[Exponentials]) -> Vec<f64> {
        let values = self.components * self.sigma as f64 / CORRELATED_ROWS;
        let floor = f64::EPSILON * self.gram.trace();
        let criteria: Vec<f64> = fits
            .iter()
            .map(|fit| {
                let parameters = self.components * (1 + fit.modes) as f64 + fit.modes as f64;
                values * fit.residual.max(floor).ln() + parameters * values.ln()
            })
            .collect();
        let least = criteria.iter().copied().fold(f64::INFINITY, f64::min);
        let relative: Vec<f64> = criteria.iter().map(|c| (-(c - least) / 2.0).exp()).collect();
        let total: f64 = relative.iter().sum();
        relative.iter().map(|weight| weight / total).collect()
    }

    /// A factor of the quadratic form that gives the squared spread.
    fn spread(&self, fits: &[Exponentials], weights: &[f64], estimate: &DVector<f64>) -> DMatrix<f64> {
        let mut factor = TriangularFactor::new(self.sigma);
        for (fit, &weight) in fits.iter().zip(weights) {
            let between = (&fit.limit - estimate) * weight.sqrt();
            let freedom = (self.sigma - fit.basis.len()) as f64;
            let within = (weight * CORRELATED_ROWS * fit.limit.norm_squared() / freedom).sqrt();
            // sqrt of the projection on the residuals is the projection itself.
            let mut residuals = DMatrix::identity(self.sigma, self.sigma);
            for q in &fit.basis {
                residuals.ger(-1.0, q, q, 1.0);
            }
            factor.append(1 + self.sigma, |stacked, at| {
                stacked.row_mut(at).copy_from(&between.transpose());
                stacked
                    .rows_mut(at + 1, self.sigma)
                    .copy_from(&(residuals * within));
            });
        }
        factor.into_r()
    }
}

/// What of `vector` is orthogonal to the basis; `None` when that is rounding only.
fn orthogonal(vector: &DVector<f64>, basis: &[DVector<f64>]) -> Option<DVector<f64>> {
    let mut rest = vector.clone();
    // Twice is enough (Kahan, Parlett).
    for _ in 0..2 {
        for q in basis {
            let along = q.dot(&rest);
            rest.axpy(-along, q, 1.0);
        }
    }
    (rest.norm() > 1e-10 * vector.norm()).then_some(rest)
}
