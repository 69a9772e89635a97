//! From a window to a report: the steps of docs/method.md section 5 in their order.

use nalgebra::{Complex, DVector};

use crate::{
    AnalysisError, Cancellation, Mode, Options, Report, Scaling, Spectrum, Window,
    compress::CompressedWindow,
    recombine::recombine,
    scale::Divisors,
    spectrum::SpectrumFigures,
    statistics::{Statistics, norm},
    variant::{Fit, FittedMode, Hankel, Input, Variant},
    verdict::Evidence,
};

/// Finds where a window is heading.
///
/// `prior_norms` are the Euclidean norms of the hypergradients before the window, in any order; with
/// [`crate::Thresholds::spike_history`] or more a spike in the window is recognised as diverging.
///
/// # Errors
/// [`AnalysisError::TooFewRows`] and [`AnalysisError::InvalidOption`] for input that cannot be analyzed,
/// [`AnalysisError::Cancelled`] when `cancellation` was set, otherwise a decomposition that failed. Non-finite values
/// are not an error but [`crate::Verdict::Diverging`].
pub fn analyze(
    window: &Window,
    options: &Options,
    prior_norms: &[f64],
    cancellation: &Cancellation,
) -> Result<Report, AnalysisError> {
    if let Some(problem) = options.problems().into_iter().next() {
        return Err(AnalysisError::InvalidOption(problem));
    }
    if window.rows() <= options.delays {
        return Err(AnalysisError::TooFewRows {
            rows: window.rows(),
            delays: options.delays,
        });
    }
    let statistics = Statistics::of(window);
    cancellation.check()?;

    let (glocal, spectrum) = if statistics.first_non_finite_row.is_some() {
        (None, Spectrum::default())
    } else {
        decompose(window, options, &statistics, cancellation)?
    };
    let spike_test =
        prior_norms.len() >= options.thresholds.spike_history && statistics.first_non_finite_row.is_none();
    let assessment = options.thresholds.assess(&Evidence {
        first_non_finite_row: statistics.first_non_finite_row,
        largest_norm: if spike_test {
            window.iter().map(norm).fold(0.0, f64::max)
        } else {
            0.0
        },
        prior_norms,
        pairs: window.rows() - options.delays,
        rank: spectrum.rank,
        tolerance: options.tolerance,
        modes: &spectrum.modes,
        glocal: glocal.as_deref(),
        mean: &statistics.mean,
        t_scores: &statistics.t_scores,
    });
    Ok(Report {
        verdict: assessment.verdict,
        verdict_reason: assessment.reason,
        glocal,
        component_trusted: assessment.component_trusted,
        t_scores: statistics.t_scores,
        mean: statistics.mean,
        median: statistics.median,
        last: window.row(window.rows() - 1).to_vec(),
        spectrum,
    })
}

/// Estimate and spectrum of a finite window.
fn decompose(
    window: &Window,
    options: &Options,
    statistics: &Statistics,
    cancellation: &Cancellation,
) -> Result<(Option<Vec<f64>>, Spectrum), AnalysisError> {
    let active_components = statistics.max_abs.iter().filter(|&&m| m > 0.0).count();
    if active_components == 0 {
        return Ok((Some(vec![0.0; window.components()]), Spectrum::default()));
    }
    let divisors = Divisors::new(options.scaling, &statistics.max_abs);
    let compressed = CompressedWindow::new(window, &divisors, cancellation)?;
    let fit = if statistics.constant {
        constant_fit(&compressed, options.delays, active_components)
    } else {
        Hankel.fit(&Input {
            rows: &compressed.matrix,
            delays: options.delays,
            svd_rank: options.svd_rank,
            tolerance: options.tolerance,
            active_components,
            cancellation,
        })?
    };
    let figures = SpectrumFigures::new(&compressed.matrix, &fit.modes);
    let recombined = recombine(
        window,
        &divisors,
        fit.estimate.as_ref(),
        &fit.modes,
        options.include_contributions,
        cancellation,
    )?;
    let singular_value_factor = match options.scaling {
        Scaling::None => divisors.largest(),
        Scaling::Component | Scaling::Global => 1.0,
    };
    let contributions = match recombined.contributions {
        Some(contributions) => contributions.into_iter().map(Some).collect(),
        None => vec![None; fit.modes.len()],
    };
    let modes = fit
        .modes
        .iter()
        .zip(recombined.norms)
        .zip(figures.energy_shares)
        .zip(contributions)
        .map(|(((mode, contribution_norm), energy_share), contribution)| Mode {
            eigenvalue: mode.eigenvalue,
            contribution_norm,
            energy_share,
            steady: mode.steady,
            contribution,
        })
        .collect();
    let spectrum = Spectrum {
        modes,
        singular_values: fit
            .singular_values
            .iter()
            .map(|s| s * singular_value_factor)
            .collect(),
        rank: fit.rank,
        pair_residual: fit.pair_residual,
        reconstruction_error: figures.reconstruction_error,
        spectral_radius: figures.spectral_radius,
    };
    Ok((recombined.estimate, spectrum))
}

/// The decomposition of a window whose rows are all equal, which is known exactly: one mode with eigenvalue 1, whose
/// contribution is the row.
fn constant_fit(compressed: &CompressedWindow, delays: usize, active_components: usize) -> Fit {
    let rows = compressed.matrix.ncols();
    let pairs = rows - delays;
    let mut singular_values = vec![0.0; pairs.min(delays * active_components)];
    singular_values[0] = compressed.matrix.column(0).norm() * ((delays * pairs) as f64).sqrt();
    let mut first = DVector::zeros(rows);
    first[0] = 1.0;
    Fit {
        modes: vec![FittedMode {
            eigenvalue: Complex::ONE,
            weights: first.map(|w| Complex::new(w, 0.0)),
            steady: true,
        }],
        estimate: Some(first),
        singular_values,
        rank: 1,
        pair_residual: 0.0,
    }
}
