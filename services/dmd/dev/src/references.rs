//! Windows with reference decompositions, and how far the library is from them.

use glocal_dmd::{AnalysisError, Cancellation, Complex, Options, Report, Scaling, Window, analyze};
use serde::Deserialize;

/// One window with its reference decomposition (fields as in the file; `tests/fixtures/README.md` describes them).
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "the library's tests compare more than the command does")]
pub struct Case {
    /// Name of the case.
    pub name: String,
    /// Delays.
    pub m: usize,
    /// Rows; `null` stands for NaN.
    #[serde(rename = "H")]
    pub rows: Vec<Vec<Option<f64>>>,
    /// Eigenvalues, real and imaginary part.
    pub eig: Vec<(f64, f64)>,
    /// Singular values of the snapshot matrix.
    pub singular_values: Vec<f64>,
    /// Rank.
    pub rank: usize,
    /// Norms of the modes' contributions, in the order of `eig`.
    pub mode_contrib_norm: Vec<f64>,
    /// Largest absolute eigenvalue.
    pub spectral_radius: f64,
    /// ||Y - K X|| / ||Y||.
    pub pair_residual_rel: f64,
    /// Estimates by tolerance.
    pub glocal: References,
}

/// Reference estimates.
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "the library's tests compare more than the command does")]
pub struct References {
    /// Tolerance 0.01.
    pub tol0p01: Reference,
    /// Tolerance 0.05.
    pub tol0p05: Reference,
    /// Tolerance 0.1.
    pub tol0p1: Reference,
    /// The mode nearest to eigenvalue 1, with its conjugate.
    pub nearest: Reference,
}

/// A reference estimate.
#[derive(Debug, Deserialize)]
pub struct Reference {
    /// The estimate; `None` when nothing was selected.
    pub h: Option<Vec<f64>>,
}

impl Case {
    /// Whether the spectrum is well conditioned, so that every correct implementation finds the same: false for windows
    /// with noise, or with a value that is not finite.
    #[must_use]
    pub fn is_noise_free(&self) -> bool {
        let noisy = self.name.starts_with("q3_noisy_")
            || ["q3_multiscale_lr_mom_wd", "q385_noise", "q3_sigma30_m5"].contains(&self.name.as_str());
        self.is_finite() && !noisy
    }

    /// Whether every value of the window is finite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.rows.iter().flatten().all(Option::is_some)
    }

    /// Reference estimates with their tolerances.
    #[must_use]
    pub fn references(&self) -> [(f64, &Reference); 3] {
        let References {
            tol0p01,
            tol0p05,
            tol0p1,
            nearest: _,
        } = &self.glocal;
        [(0.01, tol0p01), (0.05, tol0p05), (0.1, tol0p1)]
    }

    /// Largest absolute value of the window.
    #[must_use]
    pub fn size(&self) -> f64 {
        self.rows
            .iter()
            .flatten()
            .flatten()
            .fold(0.0, |size, v| size.max(v.abs()))
    }

    /// Analyzes the window as the reference did: scaled by its largest value, every singular value above the floor.
    ///
    /// # Errors
    /// [`AnalysisError`] when the window is malformed or its analysis fails.
    pub fn analyze(&self, tolerance: f64) -> Result<Report, AnalysisError> {
        self.analyze_with(|options| options.tolerance = tolerance)
    }

    /// The same with other options changed.
    ///
    /// # Errors
    /// As [`Case::analyze`].
    pub fn analyze_with(&self, change: impl FnOnce(&mut Options)) -> Result<Report, AnalysisError> {
        let rows: Vec<Vec<f64>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(|v| v.unwrap_or(f64::NAN)).collect())
            .collect();
        let window = Window::new(rows.iter().map(Vec::as_slice).collect())?;
        let mut options = Options {
            delays: self.m,
            scaling: Scaling::Global,
            ..Options::default()
        };
        change(&mut options);
        analyze(&window, &options, &[], &Cancellation::new())
    }

    /// Largest difference from the reference: eigenvalues relative to max(1, |eigenvalue|), estimates for all three
    /// tolerances relative to the largest value of the window. Infinite when the number of eigenvalues differs, or only
    /// one of the two has an estimate.
    ///
    /// # Errors
    /// As [`Case::analyze`].
    pub fn max_rel_error(&self) -> Result<f64, AnalysisError> {
        let mut error = 0.0_f64;
        for (tolerance, reference) in self.references() {
            let report = self.analyze(tolerance)?;
            error = error.max(self.eigenvalue_error(&report));
            error = error.max(self.estimate_error(&report, reference));
        }
        Ok(error)
    }

    fn eigenvalue_error(&self, report: &Report) -> f64 {
        let mut found: Vec<Complex<f64>> = report.spectrum.modes.iter().map(|mode| mode.eigenvalue).collect();
        if found.len() != self.eig.len() {
            return f64::INFINITY;
        }
        self.eig.iter().fold(0.0, |error, &(re, im)| {
            let expected = Complex::new(re, im);
            let nearest = (0..found.len()).min_by(|&a, &b| {
                let distance = |i: usize| (found[i] - expected).norm();
                distance(a).total_cmp(&distance(b))
            });
            let distance = nearest.map_or(f64::INFINITY, |i| (found.swap_remove(i) - expected).norm());
            error.max(distance / expected.norm().max(1.0))
        })
    }

    /// Largest difference of the estimate over the largest value of the window. A window of zeros has no reference
    /// estimate, although its limit is known to be 0.
    #[must_use]
    pub fn estimate_error(&self, report: &Report, reference: &Reference) -> f64 {
        let size = self.size();
        match (&report.glocal, &reference.h) {
            (None, None) => 0.0,
            (Some(found), None) if size == 0.0 && found.iter().all(|&v| v == 0.0) => 0.0,
            (Some(found), Some(expected)) if found.len() == expected.len() => found
                .iter()
                .zip(expected)
                .fold(0.0, |error, (a, b)| error.max((a - b).abs() / size)),
            _ => f64::INFINITY,
        }
    }
}
