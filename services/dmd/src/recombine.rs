//! From weights of the rows back to hypergradients: H^T c with the window H.

use std::ops::Range;

use nalgebra::{Complex, DMatrix, DVector};

use crate::{
    AnalysisError, Cancellation, Window,
    compress::CHUNK,
    scale::Divisors,
    simd::{add_scaled, sum_of_weighted_squares},
    variant::FittedMode,
};

/// Combinations of the rows of a window, in the units of the rows.
pub(crate) struct Recombined {
    /// The estimate (q values).
    pub estimate: Option<Vec<f64>>,
    /// Its standard error (q values).
    pub spread: Option<Vec<f64>>,
    /// Euclidean norm of each mode's contribution.
    pub norms: Vec<f64>,
    /// Each mode's contribution (q values), when asked for.
    pub contributions: Option<Vec<Vec<Complex<f64>>>>,
}

/// Which combinations to form.
pub(crate) struct Wanted<'a> {
    /// Weights of the rows for the estimate.
    pub estimate: Option<&'a DVector<f64>>,
    /// p x sigma weights of the rows, of whose p combinations the spread is the Euclidean norm.
    pub spread: Option<&'a DMatrix<f64>>,
    /// Modes, of which the norms are always formed.
    pub modes: &'a [FittedMode],
    /// Whether the modes' contributions are.
    pub contributions: bool,
}

/// Forms the estimate, its spread and the modes' contributions in one pass over the window.
///
/// # Errors
/// [`AnalysisError::Cancelled`].
pub(crate) fn recombine(
    window: &Window,
    divisors: &Divisors,
    wanted: &Wanted,
    cancellation: &Cancellation,
) -> Result<Recombined, AnalysisError> {
    let (q, sigma) = (window.components(), window.rows());
    let modes = wanted.modes;
    let columns = Columns::new(wanted);
    let weights = columns.weights(sigma, wanted);
    let largest = divisors.largest();
    let moderate = (0..q).all(|c| moderating_power(divisors.of(c)) == 1.0);
    let mut out = Recombined {
        estimate: wanted.estimate.map(|_| Vec::with_capacity(q)),
        spread: wanted.spread.map(|_| Vec::with_capacity(q)),
        norms: vec![0.0; modes.len()],
        contributions: wanted
            .contributions
            .then(|| vec![Vec::with_capacity(q); modes.len()]),
    };
    if let (Some(estimate), Some(weights), 1) = (&mut out.estimate, wanted.estimate, columns.count)
        && moderate
    {
        estimate.resize(q, 0.0);
        add_rows(window, weights, estimate, cancellation)?;
        return Ok(out);
    }
    let mut products = DMatrix::zeros(0, 0);
    let mut rows = DMatrix::zeros(0, 0);
    let mut powers = Vec::with_capacity(CHUNK);
    let mut relative = Vec::with_capacity(CHUNK);
    for start in (0..q).step_by(CHUNK) {
        cancellation.check()?;
        let width = CHUNK.min(q - start);
        if rows.nrows() != width {
            rows = DMatrix::zeros(width, sigma);
            products = DMatrix::zeros(width, columns.count);
        }
        if !moderate || start == 0 {
            powers.clear();
            powers.extend((start..start + width).map(|c| moderating_power(divisors.of(c))));
            relative.clear();
            relative.extend(powers.iter().map(|power| 1.0 / (power * largest)));
        }
        for (target, row) in rows.as_mut_slice().chunks_exact_mut(width).zip(window.iter()) {
            target.copy_from_slice(&row[start..start + width]);
            if !moderate {
                target
                    .iter_mut()
                    .zip(&powers)
                    .for_each(|(value, power)| *value *= power);
            }
        }
        products.gemm(1.0, &rows, &weights, 0.0);

        let (powers, relative) = (&powers[..width], &relative[..width]);
        let column = |c: usize| &products.as_slice()[c * width..(c + 1) * width];
        if let Some(estimate) = &mut out.estimate {
            estimate.extend(column(0).iter().zip(powers).map(|(p, power)| p / power));
        }
        if let Some(spread) = &mut out.spread {
            spread.extend(powers.iter().enumerate().map(|(i, power)| {
                let squares: f64 = columns.spread.clone().map(|c| products[(i, c)].powi(2)).sum();
                squares.sqrt() / power
            }));
        }
        for (j, part) in columns.parts.iter().enumerate() {
            if part.sign > 0.0 {
                for c in [Some(part.real), part.imaginary].into_iter().flatten() {
                    out.norms[j] += sum_of_weighted_squares(column(c), relative);
                }
            }
            if let Some(contributions) = &mut out.contributions {
                contributions[j].extend(powers.iter().enumerate().map(|(i, power)| {
                    let im = part.imaginary.map_or(0.0, |c| part.sign * products[(i, c)]);
                    Complex::new(products[(i, part.real)], im) / *power
                }));
            }
        }
    }
    for (j, part) in columns.parts.iter().enumerate() {
        out.norms[j] = if part.sign > 0.0 {
            out.norms[j].sqrt() * largest
        } else {
            out.norms[j - 1]
        };
    }
    Ok(out)
}

/// Adds the rows times their weights to `sum`.
fn add_rows(
    window: &Window,
    weights: &DVector<f64>,
    sum: &mut [f64],
    cancellation: &Cancellation,
) -> Result<(), AnalysisError> {
    for (index, part) in sum.chunks_mut(CHUNK).enumerate() {
        cancellation.check()?;
        let start = index * CHUNK;
        for (row, &weight) in window.iter().zip(weights) {
            add_scaled(weight, &row[start..start + part.len()], part);
        }
    }
    Ok(())
}

/// A power of two that brings values up to `size` to where combinations of them neither overflow nor vanish; mostly 1.
fn moderating_power(size: f64) -> f64 {
    if size > 1e100 {
        2_f64.powi(-600)
    } else if size < 1e-100 {
        2_f64.powi(600)
    } else {
        1.0
    }
}

/// Which real columns hold which combination: the estimate the first, then the modes, then the spread. Conjugate modes
/// share theirs.
struct Columns {
    parts: Vec<PartColumns>,
    spread: Range<usize>,
    count: usize,
}

struct PartColumns {
    real: usize,
    imaginary: Option<usize>,
    /// -1 for the second of a conjugate pair.
    sign: f64,
}

impl Columns {
    fn new(wanted: &Wanted) -> Self {
        let mut count = usize::from(wanted.estimate.is_some());
        let mut parts: Vec<PartColumns> = Vec::with_capacity(wanted.modes.len());
        for mode in wanted.modes {
            let part = match parts.last() {
                Some(previous) if mode.eigenvalue.im < 0.0 => PartColumns {
                    real: previous.real,
                    imaginary: previous.imaginary,
                    sign: -1.0,
                },
                _ => {
                    let complex = mode.eigenvalue.im != 0.0;
                    let real = count;
                    count += 1 + usize::from(complex);
                    PartColumns {
                        real,
                        imaginary: complex.then_some(real + 1),
                        sign: 1.0,
                    }
                }
            };
            parts.push(part);
        }
        let spread = count..count + wanted.spread.map_or(0, DMatrix::nrows);
        Self {
            parts,
            count: spread.end,
            spread,
        }
    }

    fn weights(&self, sigma: usize, wanted: &Wanted) -> DMatrix<f64> {
        let mut weights = DMatrix::zeros(sigma, self.count);
        if let Some(estimate) = wanted.estimate {
            weights.column_mut(0).copy_from(estimate);
        }
        for (mode, part) in wanted.modes.iter().zip(&self.parts) {
            if part.sign > 0.0 {
                weights
                    .column_mut(part.real)
                    .copy_from(&mode.weights.map(|w| w.re));
                if let Some(imaginary) = part.imaginary {
                    weights
                        .column_mut(imaginary)
                        .copy_from(&mode.weights.map(|w| w.im));
                }
            }
        }
        if let Some(spread) = wanted.spread {
            weights
                .columns_mut(self.spread.start, self.spread.len())
                .copy_from(&spread.transpose());
        }
        weights
    }
}
