//! From weights of the rows back to hypergradients: S c with the scaled window S, then the scale undone.

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
    /// Euclidean norm of each mode's contribution.
    pub norms: Vec<f64>,
    /// Each mode's contribution (q values), when asked for.
    pub contributions: Option<Vec<Vec<Complex<f64>>>>,
}

/// Forms the estimate and the modes' contributions in one pass over the window.
///
/// # Errors
/// [`AnalysisError::Cancelled`].
pub(crate) fn recombine(
    window: &Window,
    divisors: &Divisors,
    estimate: Option<&DVector<f64>>,
    modes: &[FittedMode],
    include_contributions: bool,
    cancellation: &Cancellation,
) -> Result<Recombined, AnalysisError> {
    let (q, sigma) = (window.components(), window.rows());
    let columns = Columns::new(modes, estimate.is_some());
    let weights = columns.weights(sigma, estimate, modes);
    let largest = divisors.largest();
    let mut out = Recombined {
        estimate: estimate.map(|_| Vec::with_capacity(q)),
        norms: vec![0.0; modes.len()],
        contributions: include_contributions.then(|| vec![Vec::with_capacity(q); modes.len()]),
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

/// Which real columns hold which mode. Conjugate modes share theirs.
struct Columns {
    parts: Vec<PartColumns>,
    count: usize,
}

struct PartColumns {
    real: usize,
    imaginary: Option<usize>,
    /// -1 for the second of a conjugate pair.
    sign: f64,
}

impl Columns {
    fn new(modes: &[FittedMode], with_estimate: bool) -> Self {
        let mut count = usize::from(with_estimate);
        let mut parts: Vec<PartColumns> = Vec::with_capacity(modes.len());
        for mode in modes {
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
        Self { parts, count }
    }

    fn weights(&self, sigma: usize, estimate: Option<&DVector<f64>>, modes: &[FittedMode]) -> DMatrix<f64> {
        let mut weights = DMatrix::zeros(sigma, self.count);
        if let Some(estimate) = estimate {
            weights.column_mut(0).copy_from(estimate);
        }
        for (mode, part) in modes.iter().zip(&self.parts) {
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
        weights
    }
}
