//! From a window to a report: the steps of docs/method.md section 5 in their order.

use nalgebra::{Complex, DMatrix, DVector};

use crate::{
    AnalysisError, BoundTerms, Cancellation, Mode, Options, Report, Scaling, Spectrum, Window,
    compress::CompressedWindow,
    recombine::{Wanted, recombine},
    scale::Divisors,
    spectrum::SpectrumFigures,
    statistics::{Statistics, norm},
    trust,
    variant::{Decomposition, Estimate, Fit, FittedMode, Input, Origin},
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
    let statistics = statistics(window);
    cancellation.check()?;

    let found = if statistics.first_non_finite_row.is_some() {
        Found::default()
    } else {
        decompose(window, options, &statistics, cancellation)?
    };
    let spike_test =
        prior_norms.len() >= options.thresholds.spike_history && statistics.first_non_finite_row.is_none();
    let assessment = options.thresholds.assess(&Evidence {
        largest_norm: if spike_test {
            window.iter().map(norm).fold(0.0, f64::max)
        } else {
            0.0
        },
        prior_norms,
        pairs: window.rows() - options.delays,
        options,
        spectrum: &found.spectrum,
        estimate: found.glocal.as_deref().map(|values| trust::Estimate {
            values,
            origin: found.origin,
            spectrum: &found.spectrum,
            statistics: &statistics,
            rows: window.as_rows(),
            last_share: options.last_share,
        }),
        statistics: &statistics,
    });
    Ok(Report {
        verdict: assessment.verdict,
        verdict_reason: assessment.reason,
        verdict_figures: assessment.figures,
        glocal: found.glocal,
        spread: found.spread,
        component_trusted: assessment.component_trusted,
        t_scores: statistics.t_scores,
        mean: statistics.mean,
        median: statistics.median,
        last: window.row(window.rows() - 1).to_vec(),
        spectrum: found.spectrum,
    })
}

/// Statistics of the window; one pass over it, or over its last row where the others are summarized already.
fn statistics(window: &Window) -> Statistics {
    let last = window.row(window.rows() - 1);
    window
        .products()
        .and_then(|products| products.rows_but_last()?.with_last(last))
        .unwrap_or_else(|| Statistics::of(window.as_rows()))
}

/// What the decomposition of a window says.
#[derive(Default)]
struct Found {
    glocal: Option<Vec<f64>>,
    spread: Option<Vec<f64>>,
    origin: Origin,
    spectrum: Spectrum,
}

/// Estimate and spectrum of a finite window.
fn decompose(
    window: &Window,
    options: &Options,
    statistics: &Statistics,
    cancellation: &Cancellation,
) -> Result<Found, AnalysisError> {
    let active_components = statistics.sizes().filter(|&size| size > 0.0).count();
    if active_components == 0 {
        return Ok(Found {
            glocal: Some(vec![0.0; window.components()]),
            ..Found::default()
        });
    }
    let window = &window.with_fitting_scales(statistics.sizes());
    let divisors = match window.scales() {
        Some(scales) => Divisors::known(scales),
        None => Divisors::new(options.scaling, statistics.sizes()),
    };
    let compressed = CompressedWindow::new(window, &divisors, cancellation)?;
    let Fit {
        estimate,
        origin,
        spread,
        decomposition,
    } = if statistics.constant {
        constant_fit(&compressed, options.delays, active_components)
    } else {
        options.variant.model().fit(&Input {
            rows: &compressed.matrix,
            options,
            active_components,
            cancellation,
        })?
    };
    let modes = &decomposition.modes;
    let figures = SpectrumFigures::new(&compressed.matrix, modes);
    let known_norms = match window.products() {
        Some(products) if !options.include_contributions => {
            products.norms(modes.iter().map(|mode| &mode.weights))
        }
        _ => None,
    };
    let recombined = recombine(
        window,
        &divisors,
        &Wanted {
            estimate: match &estimate {
                Some(Estimate::Weights(weights)) => Some(weights),
                Some(Estimate::Median) | None => None,
            },
            spread: spread.as_ref(),
            modes: if known_norms.is_some() { &[] } else { modes },
            contributions: options.include_contributions,
        },
        cancellation,
    )?;
    // Figures of the scaled rows are given for the rows themselves where these are not to be scaled.
    let size = match options.scaling {
        Scaling::None if window.scales().is_none() => divisors.largest(),
        _ => 1.0,
    };
    let contributions = match recombined.contributions {
        Some(contributions) => contributions.into_iter().map(Some).collect(),
        None => vec![None; modes.len()],
    };
    let modes = modes
        .iter()
        .zip(known_norms.unwrap_or(recombined.norms))
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
    let singular_values = decomposition.singular_values.iter();
    Ok(Found {
        glocal: match estimate {
            Some(Estimate::Median) => Some(statistics.median.clone()),
            Some(Estimate::Weights(_)) | None => recombined.estimate,
        },
        spread: recombined.spread,
        origin,
        spectrum: Spectrum {
            modes,
            singular_values: singular_values.map(|s| s * size).collect(),
            rank: decomposition.rank,
            pair_residual: decomposition.pair_residual,
            reconstruction_error: figures.reconstruction_error,
            spectral_radius: figures.spectral_radius,
            bound: BoundTerms {
                mode_condition: decomposition.condition,
                last_residual: size * last_residual(&compressed.matrix, &decomposition.prediction),
                decaying_norm: size * figures.decaying_norm,
            },
        },
    })
}

/// || last row - prediction ||.
fn last_residual(rows: &DMatrix<f64>, prediction: &DVector<f64>) -> f64 {
    (rows.column(rows.ncols() - 1) - rows * prediction).norm()
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
        decomposition: Decomposition {
            modes: vec![FittedMode {
                eigenvalue: Complex::ONE,
                weights: first.map(|w| Complex::new(w, 0.0)),
                steady: true,
            }],
            singular_values,
            rank: 1,
            pair_residual: 0.0,
            condition: 1.0,
            prediction: first.clone(),
        },
        estimate: Some(Estimate::Weights(first)),
        origin: Origin::Modes,
        spread: None,
    }
}
