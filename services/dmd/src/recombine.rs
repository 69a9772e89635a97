//! From weights of the rows back to hypergradients: S c with the scaled window S, then the scale undone.

use std::ops::Range;

use nalgebra::{Complex, DMatrix, DVector};

use crate::{
    AnalysisError, Cancellation, Window,
    compress::{CHUNK, scale_into},
    scale::Divisors,
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
    let mut out = Recombined {
        estimate: wanted.estimate.map(|_| Vec::with_capacity(q)),
        spread: wanted.spread.map(|_| Vec::with_capacity(q)),
        norms: vec![0.0; modes.len()],
        contributions: wanted
            .contributions
            .then(|| vec![Vec::with_capacity(q); modes.len()]),
    };
    let mut products = DMatrix::zeros(0, 0);
    let mut scaled = DMatrix::zeros(0, 0);
    for start in (0..q).step_by(CHUNK) {
        cancellation.check()?;
        let width = CHUNK.min(q - start);
        if scaled.nrows() != width {
            scaled = DMatrix::zeros(width, sigma);
            products = DMatrix::zeros(width, columns.count);
        }
        scale_into(window, divisors, start..start + width, &mut scaled, 0);
        products.gemm(1.0, &scaled, &weights, 0.0);

        if let Some(estimate) = &mut out.estimate {
            let column = products.column(0);
            estimate.extend(column.iter().enumerate().map(|(i, p)| p * divisors.of(start + i)));
        }
        if let Some(spread) = &mut out.spread {
            spread.extend((0..width).map(|i| {
                let squares: f64 = columns.spread.clone().map(|c| products[(i, c)].powi(2)).sum();
                squares.sqrt() * divisors.of(start + i)
            }));
        }
        for (j, part) in columns.parts.iter().enumerate() {
            let real = products.column(part.real);
            let squares = |column: usize| -> f64 {
                let relative = |(i, p): (usize, &f64)| p * (divisors.of(start + i) / largest);
                products
                    .column(column)
                    .iter()
                    .enumerate()
                    .map(|entry| relative(entry).powi(2))
                    .sum()
            };
            out.norms[j] += squares(part.real);
            if let Some(imaginary) = part.imaginary {
                out.norms[j] += squares(imaginary);
            }
            if let Some(contributions) = &mut out.contributions {
                contributions[j].extend(real.iter().enumerate().map(|(i, &re)| {
                    let im = part.imaginary.map_or(0.0, |c| part.sign * products[(i, c)]);
                    Complex::new(re, im) * divisors.of(start + i)
                }));
            }
        }
    }
    for norm in &mut out.norms {
        *norm = norm.sqrt() * largest;
    }
    Ok(out)
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
