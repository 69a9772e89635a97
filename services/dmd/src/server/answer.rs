//! From a checked window to its report, for every method that analyzes one.

use std::time::Instant;

use super::{decode::Spec, encode, metrics::Metrics, proto, refusal::Refusal, spans::WindowSpan};
use crate::{AnalysisError, Cancellation, InnerProducts, Window, analyze};

/// A window of these rows.
pub(super) fn window<'a>(rows: Vec<&'a [f64]>, spec: &'a Spec) -> Result<Window<'a>, Refusal> {
    let window = Window::new(rows).map_err(AnalysisError::from)?;
    Ok(match &spec.scales {
        Some(scales) => window.with_scales(scales).map_err(AnalysisError::from)?,
        None => window,
    })
}

/// Analyzes a window, with the inner products of all or the first of its rows when they are known. Runs on a thread of the
/// pool.
pub(super) fn answer(
    rows: Vec<&[f64]>,
    spec: &Spec,
    mut products: Option<InnerProducts>,
    metrics: &Metrics,
    span: &WindowSpan,
    cancellation: &Cancellation,
) -> Result<proto::WindowReport, Refusal> {
    span.computing();
    let started = Instant::now();
    let mut window = window(rows, spec)?;
    let failed = |error: &AnalysisError| span.failed(error);
    if let Some(products) = &mut products {
        products.update(&window, cancellation).inspect_err(failed)?;
        window = window.with_products(products);
    }
    let report = analyze(&window, &spec.options, &spec.prior_norms, cancellation).inspect_err(failed)?;
    let time = started.elapsed();
    span.answered(report.verdict, time);
    metrics.answered(spec.options.variant, report.verdict, time);
    tracing::debug!(
        rows = spec.rows,
        components = spec.components,
        variant = spec.options.variant.name(),
        verdict = ?report.verdict,
        microseconds = time.as_micros(),
        "analyzed"
    );
    Ok(encode::report(report, &spec.options.thresholds, time))
}
