//! What the modes say about the window: energies, reconstruction, spectral radius (docs/method.md section 5, step 8, and
//! section 6). Everything here is computed in the compressed coordinates, which preserve norms.

use nalgebra::{Complex, DMatrix, DVector};

use crate::variant::FittedMode;

/// Figures of a spectrum over a window of sigma rows.
pub(crate) struct SpectrumFigures {
    /// Each mode's share of the energy, sum over t of |contribution x eigenvalue^t|^2 over the sum of all modes'.
    pub energy_shares: Vec<f64>,
    /// ||H - reconstruction|| / ||H||.
    pub reconstruction_error: f64,
    /// Largest absolute eigenvalue, 0 without modes.
    pub spectral_radius: f64,
    /// Sum of |contribution| |eigenvalue|^sigma over the modes that are not steady and have |eigenvalue| < 1.
    pub decaying_norm: f64,
}

impl SpectrumFigures {
    /// `rows` is r x sigma in scaled, compressed coordinates.
    pub(crate) fn new(rows: &DMatrix<f64>, modes: &[FittedMode]) -> Self {
        let mut contributions: Vec<DVector<Complex<f64>>> = Vec::with_capacity(modes.len());
        for mode in modes {
            contributions.push(match contributions.last() {
                // The second of a conjugate pair, which comes after the first.
                Some(first) if mode.eigenvalue.im < 0.0 => first.conjugate(),
                _ => contribution(rows, mode),
            });
        }
        let norms: Vec<f64> = contributions.iter().map(DVector::norm).collect();
        let radii: Vec<f64> = modes.iter().map(|mode| mode.eigenvalue.norm()).collect();
        let log_energies: Vec<f64> = contributions
            .iter()
            .zip(&norms)
            .zip(&radii)
            .map(|((c, &norm), &radius)| 2.0 * log_norm(c, norm) + log_power_sum(radius, rows.ncols()))
            .collect();
        Self {
            energy_shares: shares(&log_energies),
            reconstruction_error: reconstruction_error(rows, modes, &contributions),
            decaying_norm: modes
                .iter()
                .zip(&norms)
                .zip(&radii)
                .filter(|((mode, _), radius)| !mode.steady && **radius < 1.0)
                .map(|((_, norm), radius)| norm * radius.powf(rows.ncols() as f64))
                .sum(),
            spectral_radius: radii.iter().copied().fold(0.0, f64::max),
        }
    }
}

fn contribution(rows: &DMatrix<f64>, mode: &FittedMode) -> DVector<Complex<f64>> {
    let mut sum = DVector::from_element(rows.nrows(), Complex::ZERO);
    for (row, &weight) in rows.column_iter().zip(&mode.weights) {
        for (s, &h) in sum.iter_mut().zip(&row) {
            *s += weight * h;
        }
    }
    sum
}

/// Norms between these are right; beyond, squares overflow or vanish.
const MODERATE: std::ops::Range<f64> = 1e-140..f64::INFINITY;

/// ln of the Euclidean norm, which is `norm` where squares neither overflow nor vanish.
fn log_norm(vector: &DVector<Complex<f64>>, norm: f64) -> f64 {
    if MODERATE.contains(&norm) {
        return norm.ln();
    }
    let largest = vector
        .iter()
        .fold(0.0_f64, |max, v| max.max(v.re.abs()).max(v.im.abs()));
    if largest == 0.0 {
        return f64::NEG_INFINITY;
    }
    largest.ln() + vector.map(|v| v / largest).norm().ln()
}

/// ln of the sum of radius^(2 t), t = 0 ... terms - 1, without overflow.
fn log_power_sum(radius: f64, terms: usize) -> f64 {
    let (ratio, largest_exponent) = if radius <= 1.0 {
        (radius * radius, 0.0)
    } else {
        (radius.powi(-2), 2.0 * (terms - 1) as f64)
    };
    let mut sum = 0.0;
    let mut power = 1.0;
    for _ in 0..terms {
        sum += power;
        power *= ratio;
    }
    largest_exponent * radius.max(1.0).ln() + sum.ln()
}

/// Shares of a total given the logarithms of its parts; all 0 when every part is 0.
fn shares(logarithms: &[f64]) -> Vec<f64> {
    let largest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return vec![0.0; logarithms.len()];
    }
    let relative: Vec<f64> = logarithms.iter().map(|l| (l - largest).exp()).collect();
    let total: f64 = relative.iter().sum();
    relative.iter().map(|r| r / total).collect()
}

fn reconstruction_error(
    rows: &DMatrix<f64>,
    modes: &[FittedMode],
    contributions: &[DVector<Complex<f64>>],
) -> f64 {
    // A conjugate pair stands for twice the real part of its first.
    let mut terms: Vec<_> = modes
        .iter()
        .zip(contributions)
        .filter(|(mode, _)| mode.eigenvalue.im >= 0.0)
        .map(|(mode, contribution)| {
            let count = if mode.eigenvalue.im == 0.0 { 1.0 } else { 2.0 };
            (Complex::new(count, 0.0), mode.eigenvalue, contribution)
        })
        .collect();
    let mut error = 0.0;
    let mut size = 0.0;
    for row in rows.column_iter() {
        for (i, &h) in row.iter().enumerate() {
            let modelled: f64 = terms
                .iter()
                .map(|(power, _, c)| power.re * c[i].re - power.im * c[i].im)
                .sum();
            error += (h - modelled).powi(2);
            size += h * h;
        }
        for (power, eigenvalue, _) in &mut terms {
            *power *= *eigenvalue;
        }
    }
    let relative = (error / size).sqrt();
    // Modes that grow past the largest number reconstruct nothing.
    if relative.is_nan() {
        f64::INFINITY
    } else {
        relative
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(re: f64, im: f64, weights: &[f64]) -> FittedMode {
        FittedMode {
            eigenvalue: Complex::new(re, im),
            weights: DVector::from_iterator(weights.len(), weights.iter().map(|&w| Complex::new(w, 0.0))),
            steady: false,
        }
    }

    #[test]
    fn energies_are_sums_over_the_window() {
        // Contributions 1 and 2 with eigenvalues 1 and 0.5 over three rows: energies 3 and 4 (1 + 1/4 + 1/16) = 5.25.
        let rows = DMatrix::from_row_slice(1, 3, &[3.0, 2.0, 1.5]);
        let modes = [
            mode(1.0, 0.0, &[1.0 / 3.0, 0.0, 0.0]),
            mode(0.5, 0.0, &[0.0, 1.0, 0.0]),
        ];
        let figures = SpectrumFigures::new(&rows, &modes);
        assert!((figures.energy_shares[0] - 3.0 / 8.25).abs() < 1e-15);
        assert!((figures.energy_shares[1] - 5.25 / 8.25).abs() < 1e-15);
        assert!(figures.reconstruction_error < 1e-15);
        assert_eq!(figures.spectral_radius, 1.0);
        assert!((figures.decaying_norm - 2.0 / 8.0).abs() < 1e-15);
    }

    #[test]
    fn contributions_whose_squares_overflow_have_a_share() {
        let rows = DMatrix::from_row_slice(1, 2, &[1.0, 1.0]);
        let modes = [mode(0.0, 0.0, &[3e160, 0.0]), mode(0.0, 0.0, &[4e160, 0.0])];
        let shares = SpectrumFigures::new(&rows, &modes).energy_shares;
        assert!(
            (shares[0] - 0.36).abs() < 1e-12 && (shares[1] - 0.64).abs() < 1e-12,
            "{shares:?}"
        );
    }

    #[test]
    fn power_sums_do_not_overflow() {
        assert!((log_power_sum(0.5, 3) - 1.3125_f64.ln()).abs() < 1e-15);
        assert!((log_power_sum(2.0, 3) - 21_f64.ln()).abs() < 1e-15);
        assert_eq!(log_power_sum(0.0, 5), 0.0);
        let ln = log_power_sum(1e200, 500);
        assert!((ln - 2.0 * 499.0 * 200.0 * 10_f64.ln()).abs() < 1e-6);
    }

    #[test]
    fn without_modes_nothing_is_explained() {
        let figures = SpectrumFigures::new(&DMatrix::from_element(1, 3, 1.0), &[]);
        assert!(figures.energy_shares.is_empty());
        assert_eq!(figures.reconstruction_error, 1.0);
        assert_eq!(figures.spectral_radius, 0.0);
        assert_eq!(figures.decaying_norm, 0.0);
    }
}
