//! Analyzes a window in a file (`glocal-dmd analyze FILE`) and shows the report to people or to programs.

use std::path::Path;

use serde_json::{Value, json};

use super::{print_document, print_lines, window_file};
use crate::{AnalysisError, Cancellation, Options, Report, Window, analyze};

/// Components shown in the table.
const SHOWN: usize = 20;

/// Analyzes the window and prints the report.
///
/// # Errors
/// [`window_file::WindowFileError`] when the file holds no window, or the window cannot be analyzed.
pub fn run(file: &Path, options: &Options, json: bool) -> Result<(), window_file::WindowFileError> {
    let (components, values) = window_file::read(file)?;
    let failed = |source: AnalysisError| window_file::WindowFileError::Analysis {
        path: file.display().to_string(),
        source,
    };
    let window = Window::from_flat(&values, components).map_err(|error| failed(error.into()))?;
    let report = analyze(&window, options, &[], &Cancellation::new()).map_err(failed)?;
    if json {
        print_document(&document(&report, options));
    } else {
        print_lines(&table(&window, &report, options));
    }
    Ok(())
}

fn table(window: &Window, report: &Report, options: &Options) -> Vec<String> {
    let spectrum = &report.spectrum;
    let mut lines = vec![
        format!(
            "{} rows of {} components, {}",
            window.rows(),
            window.components(),
            options.variant.name()
        ),
        String::new(),
        format!("{}: {}", report.verdict.name(), report.verdict_reason),
        String::new(),
        format!(
            "spectrum: rank {}, radius {:.4}, pair residual {:.2e}, reconstruction error {:.2e}",
            spectrum.rank, spectrum.spectral_radius, spectrum.pair_residual, spectrum.reconstruction_error
        ),
        format!(
            "bound: condition of the modes {:.2e}, residual of the last row {:.2e}, left of decaying modes {:.2e}",
            spectrum.bound.mode_condition, spectrum.bound.last_residual, spectrum.bound.decaying_norm
        ),
        format!(
            "{:>12} {:>12} {:>9} {:>12} {:>8}",
            "real", "imaginary", "|λ|", "norm", "energy"
        ),
    ];
    lines.extend(spectrum.modes.iter().map(|mode| {
        format!(
            "{:12.6} {:12.6} {:9.4} {:12.4e} {:6.1} % {}",
            mode.eigenvalue.re,
            mode.eigenvalue.im,
            mode.eigenvalue.norm(),
            mode.contribution_norm,
            100.0 * mode.energy_share,
            if mode.steady { "steady" } else { "" }
        )
    }));
    lines.push(String::new());
    lines.push(format!(
        "{:>9} {:>13} {:>13} {:>13} {:>13} {:>13} {:>8}",
        "component", "glocal", "spread", "mean", "median", "last", "t"
    ));
    let shown = |values: &Option<Vec<f64>>, c: usize| {
        values
            .as_ref()
            .map_or_else(|| "-".to_owned(), |values| format!("{:.5e}", values[c]))
    };
    lines.extend((0..window.components().min(SHOWN)).map(|c| {
        format!(
            "{c:9} {:>13} {:>13} {:13.5e} {:13.5e} {:13.5e} {:8.2} {}",
            shown(&report.glocal, c),
            shown(&report.spread, c),
            report.mean[c],
            report.median[c],
            report.last[c],
            report.t_scores[c],
            if report.component_trusted[c] {
                "trusted"
            } else {
                ""
            }
        )
    }));
    if window.components() > SHOWN {
        lines.push(format!(
            "... and {} more; --json has all",
            window.components() - SHOWN
        ));
    }
    lines
}

/// The report as JSON. Numbers that are not finite are null.
fn document(report: &Report, options: &Options) -> Value {
    let modes: Vec<Value> = report
        .spectrum
        .modes
        .iter()
        .map(|mode| {
            json!({
                "eigenvalue": [mode.eigenvalue.re, mode.eigenvalue.im],
                "contributionNorm": mode.contribution_norm,
                "energyShare": mode.energy_share,
                "steady": mode.steady,
            })
        })
        .collect();
    json!({
        "variant": options.variant.name(),
        "verdict": report.verdict.name(),
        "verdictReason": report.verdict_reason,
        "verdictFigures": {
            "growingShare": report.verdict_figures.growing_share,
            "undampedShare": report.verdict_figures.undamped_share,
            "spikeRatio": report.verdict_figures.spike_ratio,
        },
        "glocal": report.glocal,
        "spread": report.spread,
        "componentTrusted": report.component_trusted,
        "tScores": report.t_scores,
        "mean": report.mean,
        "median": report.median,
        "last": report.last,
        "spectrum": {
            "modes": modes,
            "singularValues": report.spectrum.singular_values,
            "rank": report.spectrum.rank,
            "pairResidual": report.spectrum.pair_residual,
            "reconstructionError": report.spectrum.reconstruction_error,
            "spectralRadius": report.spectrum.spectral_radius,
            "bound": {
                "modeCondition": report.spectrum.bound.mode_condition,
                "lastResidual": report.spectrum.bound.last_residual,
                "decayingNorm": report.spectrum.bound.decaying_norm,
            },
        },
    })
}
