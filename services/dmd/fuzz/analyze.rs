//! What the fuzz target `analyze` does with an input, and the test that replays its corpus.

mod report;

use glocal_dmd::{
    AnalysisError, Anchor, Cancellation, Options, Scaling, Selection, SvdRank, Variant, Verdict, Window,
    analyze,
};
use report::Parts;

/// Bytes before the values: variant, components, delays with anchor, rank with selection, scaling, stride, tolerance, clip
/// with ridge.
const HEADER: usize = 8;

/// Analyzes the window that the bytes stand for: options first, then values of eight bytes each.
///
/// # Panics
/// When the report does not hang together.
pub fn analyze_any(bytes: &[u8]) {
    let Some((header, values)) = bytes.split_at_checked(HEADER) else {
        return;
    };
    let variant = Variant::ALL[usize::from(header[0]) % Variant::ALL.len()];
    let components = 1 + usize::from(header[1] % 40);
    let options = Options {
        delays: usize::from(header[2] % 12),
        svd_rank: [
            SvdRank::All,
            SvdRank::OptimalHardThreshold,
            SvdRank::Energy(0.9),
            SvdRank::Fixed(3),
        ][usize::from(header[3] % 4)],
        scaling: [Scaling::Component, Scaling::Global, Scaling::None][usize::from(header[4] % 3)],
        tolerance: f64::from(header[6]) / 100.0,
        clip: f64::from(header[7]) / 256.0,
        ridge: f64::from(header[7] % 5) / 100.0,
        include_contributions: header[4] >= 128,
        selection: [Selection::Steady, Selection::Nearest][usize::from(header[3] / 128)],
        anchor: [Anchor::First, Anchor::Last][usize::from(header[2] / 128)],
        ..Options::of(variant, usize::from(header[5] % 6))
    };
    let values: Vec<f64> = values
        .as_chunks::<8>()
        .0
        .iter()
        .map(|&chunk| f64::from_le_bytes(chunk))
        .collect();
    let whole = values.len() / components * components;
    let Ok(window) = Window::from_flat(&values[..whole.min(64 * components)], components) else {
        return;
    };
    let prior: Vec<f64> = values
        .iter()
        .map(|v| v.abs())
        .filter(|v| v.is_finite())
        .take(30)
        .collect();
    match analyze(&window, &options, &prior, &Cancellation::new()) {
        Ok(report) => {
            let modes = &report.spectrum.modes;
            let energy_shares: Vec<f64> = modes.iter().map(|mode| mode.energy_share).collect();
            Parts {
                verdict_reason: &report.verdict_reason,
                mean: &report.mean,
                median: &report.median,
                last: &report.last,
                t_scores: &report.t_scores,
                glocal: report.glocal.as_deref(),
                spread: report.spread.as_deref(),
                judged: report.component_trusted.len(),
                energy_shares: &energy_shares,
            }
            .check(components);
            let finite = window.iter().flatten().all(|v| v.is_finite());
            assert!(finite || report.verdict == Verdict::Diverging);
            assert!(!finite || report.mean.iter().all(|v| v.is_finite()));
        }
        Err(AnalysisError::TooFewRows { .. }) => assert!(window.rows() <= options.delays),
        Err(AnalysisError::InvalidOption(_)) => assert!(!options.problems().is_empty()),
        Err(error) => panic!("{error}"),
    }
}
