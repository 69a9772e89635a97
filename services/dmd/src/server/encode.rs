//! From reports to messages.

use std::time::Duration;

use bytes::Bytes;

use super::{config::Limits, proto};
use crate::{Mode, Report, Spectrum, Thresholds, Verdict, VerdictFigures};

/// A report as a message, with the thresholds that led to its verdict.
pub(super) fn report(report: Report, thresholds: &Thresholds, compute_time: Duration) -> proto::WindowReport {
    proto::WindowReport {
        verdict: verdict(report.verdict).into(),
        verdict_reason: report.verdict_reason,
        glocal: report.glocal.as_deref().map(values),
        component_trusted: report.component_trusted,
        t_scores: values(&report.t_scores),
        mean: values(&report.mean),
        median: values(&report.median),
        last: values(&report.last),
        spectrum: Some(spectrum(report.spectrum)),
        spread: report.spread.as_deref().map(values),
        verdict_figures: Some(verdict_figures(&report.verdict_figures, thresholds)),
        // Never out of range: it would take 10,000 years.
        compute_time: prost_types::Duration::try_from(compute_time).ok(),
    }
}

fn spectrum(spectrum: Spectrum) -> proto::Spectrum {
    proto::Spectrum {
        modes: spectrum.modes.into_iter().map(mode).collect(),
        singular_values: spectrum.singular_values,
        rank: u32::try_from(spectrum.rank).unwrap_or(u32::MAX),
        pair_residual: spectrum.pair_residual,
        reconstruction_error: spectrum.reconstruction_error,
        spectral_radius: spectrum.spectral_radius,
        bound: Some(proto::BoundTerms {
            mode_condition: spectrum.bound.mode_condition,
            last_residual: spectrum.bound.last_residual,
            decaying_norm: spectrum.bound.decaying_norm,
        }),
    }
}

fn mode(mode: Mode) -> proto::Mode {
    let parts = |c: &crate::Complex<f64>| [c.re, c.im];
    proto::Mode {
        eigenvalue_re: mode.eigenvalue.re,
        eigenvalue_im: mode.eigenvalue.im,
        contribution_norm: mode.contribution_norm,
        energy_share: mode.energy_share,
        steady: mode.steady,
        contribution: mode.contribution.map_or_else(Bytes::new, |contribution| {
            values(&contribution.iter().flat_map(parts).collect::<Vec<_>>())
        }),
    }
}

fn verdict_figures(figures: &VerdictFigures, limits: &Thresholds) -> proto::VerdictFigures {
    proto::VerdictFigures {
        growing_share: figures.growing_share,
        growing_share_limit: limits.growing_share,
        undamped_share: figures.undamped_share,
        undamped_share_limit: limits.undamped_share,
        spike_ratio: figures.spike_ratio,
        spike_ratio_limit: limits.spike_ratio,
        trusted_t_score: limits.trusted_t_score,
        overshoot: figures.overshoot,
        overshoot_limit: figures.overshoot_limit,
        reconstruction_error_limit: figures.of_modes.then_some(limits.reconstruction_error),
        mode_condition_limit: figures.of_modes.then_some(limits.mode_condition),
    }
}

fn verdict(verdict: Verdict) -> proto::Verdict {
    match verdict {
        Verdict::Trusted => proto::Verdict::Trusted,
        Verdict::Uncertain => proto::Verdict::Uncertain,
        Verdict::NoSteadyMode => proto::Verdict::NoSteadyMode,
        Verdict::Oscillating => proto::Verdict::Oscillating,
        Verdict::Diverging => proto::Verdict::Diverging,
        Verdict::Degenerate => proto::Verdict::Degenerate,
    }
}

/// Little-endian binary64 values.
fn values(values: &[f64]) -> Bytes {
    let mut bytes = vec![0; 8 * values.len()];
    for (target, value) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(values) {
        *target = value.to_le_bytes();
    }
    bytes.into()
}

/// The limits that a client can keep to. Those beyond the field's range are as good as none.
pub(super) fn limits(limits: &Limits) -> proto::DmdLimits {
    proto::DmdLimits {
        max_rows: saturate(limits.max_rows),
        max_components: saturate(limits.max_components),
        max_message_bytes: saturate(limits.max_message_bytes as u64),
        max_open_windows: saturate(limits.max_open_windows as u64),
        max_held_bytes: limits.max_held_bytes,
    }
}

fn saturate(limit: u64) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}
