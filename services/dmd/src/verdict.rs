//! How far to trust an estimate (docs/method.md section 6).

use crate::{
    Mode, Options, Spectrum, Thresholds, Verdict, VerdictFigures,
    statistics::Statistics,
    trust::{Estimate, Trust},
    variant::Origin,
};

/// What a verdict is made from.
pub(crate) struct Evidence<'a> {
    /// Largest Euclidean norm of a row, when the spike test is to be made.
    pub largest_norm: f64,
    pub prior_norms: &'a [f64],
    /// Pairs of snapshots, n = sigma - m.
    pub pairs: usize,
    pub options: &'a Options,
    pub spectrum: &'a Spectrum,
    pub estimate: Option<Estimate<'a>>,
    pub statistics: &'a Statistics,
}

/// A verdict with its reason.
pub(crate) struct Assessment {
    pub verdict: Verdict,
    pub reason: String,
    pub figures: VerdictFigures,
    /// For each component whether the estimate can be trusted.
    pub component_trusted: Vec<bool>,
}

impl Thresholds {
    pub(crate) fn assess(&self, evidence: &Evidence) -> Assessment {
        let judged = evidence.estimate.map(|estimate| (self.trust(estimate), estimate));
        let figures = self.figures(evidence, judged.as_ref().map(|(trust, _)| trust));
        let (verdict, reason) = self
            .diverging(evidence, &figures)
            .or_else(|| degenerate(evidence))
            .or_else(|| self.oscillating(&figures))
            .unwrap_or_else(|| match &judged {
                Some((trust, estimate)) => self.by_components(trust, *estimate),
                None => no_steady_mode(evidence),
            });
        Assessment {
            verdict,
            reason,
            figures,
            component_trusted: judged.map_or_else(
                || vec![false; evidence.statistics.mean.len()],
                |(trust, _)| trust.components,
            ),
        }
    }

    fn figures(&self, evidence: &Evidence, trust: Option<&Trust>) -> VerdictFigures {
        let options = evidence.options;
        let grows = |mode: &Mode| options.per_step(mode.eigenvalue).norm() > self.growing_above;
        let undamped = |mode: &Mode| {
            let per_step = options.per_step(mode.eigenvalue);
            // A slow decay outside a tolerance that is small does not turn.
            let turns = mode.eigenvalue.im != 0.0 || mode.eigenvalue.re < 0.0;
            turns
                && (per_step.norm() - 1.0).abs() < self.undamped_within
                && (per_step - 1.0).norm() >= options.tolerance
        };
        VerdictFigures {
            growing_share: energy(&evidence.spectrum.modes, grows),
            undamped_share: energy(&evidence.spectrum.modes, undamped),
            spike_ratio: self.spike_ratio(evidence),
            overshoot: trust.map(|trust| trust.overshoot),
            overshoot_limit: trust.map(|trust| trust.overshoot_limit),
            of_modes: evidence
                .estimate
                .is_some_and(|estimate| matches!(estimate.origin, Origin::Modes)),
        }
    }

    fn diverging(&self, evidence: &Evidence, figures: &VerdictFigures) -> Option<(Verdict, String)> {
        let reason = if let Some(row) = evidence.statistics.first_non_finite_row {
            format!("row {row} has a value that is not finite")
        } else if let Some(ratio) = figures.spike_ratio.filter(|&ratio| ratio > self.spike_ratio) {
            format!(
                "a hypergradient of norm {:.3e} is {ratio:.0} times the median {:.3e} of the {} before the window (limit \
                 {})",
                evidence.largest_norm,
                evidence.largest_norm / ratio,
                evidence.prior_norms.len(),
                self.spike_ratio
            )
        } else if !evidence.spectrum.modes.is_empty() && figures.growing_share >= self.growing_share {
            format!(
                "modes that grow by more than {} a step hold {} of the energy (limit {})",
                self.growing_above,
                percent(figures.growing_share),
                percent(self.growing_share)
            )
        } else {
            return None;
        };
        Some((Verdict::Diverging, reason))
    }

    /// Largest norm of a row over the median norm of those before the window.
    fn spike_ratio(&self, evidence: &Evidence) -> Option<f64> {
        if evidence.prior_norms.len() < self.spike_history
            || evidence.statistics.first_non_finite_row.is_some()
        {
            return None;
        }
        let mut norms = evidence.prior_norms.to_vec();
        let middle = norms.len() / 2;
        let median = *norms.select_nth_unstable_by(middle, f64::total_cmp).1;
        // Where nothing moved before the window there is no size to compare with.
        (median > 0.0).then(|| evidence.largest_norm / median)
    }

    fn oscillating(&self, figures: &VerdictFigures) -> Option<(Verdict, String)> {
        (figures.undamped_share > self.undamped_share).then(|| {
            (
                Verdict::Oscillating,
                format!(
                    "undamped oscillation holds {} of the energy (limit {})",
                    percent(figures.undamped_share),
                    percent(self.undamped_share)
                ),
            )
        })
    }

    fn by_components(&self, trust: &Trust, estimate: Estimate) -> (Verdict, String) {
        if let Some(reason) = self.doubt(trust, estimate) {
            return (Verdict::Uncertain, reason);
        }
        let statistics = estimate.statistics;
        let smallest = statistics
            .t_scores
            .iter()
            .zip(&statistics.mean)
            .filter(|&(_, &mean)| mean != 0.0)
            .map(|(&t, _)| t)
            .fold(f64::INFINITY, f64::min);
        let reason = if smallest.is_finite() {
            format!(
                "every component has |mean| / deviation of at least {smallest:.2} (limit {}) and an estimate with the \
                 mean's sign, near its rows",
                self.trusted_t_score
            )
        } else {
            "every component is constant".to_owned()
        };
        (Verdict::Trusted, reason)
    }
}

fn degenerate(evidence: &Evidence) -> Option<(Verdict, String)> {
    let reason = if evidence.spectrum.rank == 0 {
        "all snapshots but the last are zero".to_owned()
    } else if evidence.pairs < 2 {
        "one pair of snapshots is too few; a decomposition needs two".to_owned()
    } else {
        return None;
    };
    Some((Verdict::Degenerate, reason))
}

fn no_steady_mode(evidence: &Evidence) -> (Verdict, String) {
    let reason = match evidence.spectrum.modes.first() {
        Some(nearest) => format!(
            "the eigenvalue nearest to 1, {:.4}{:+.4}i, is {:.4} away (tolerance {})",
            nearest.eigenvalue.re,
            nearest.eigenvalue.im,
            (nearest.eigenvalue - 1.0).norm(),
            evidence.options.tolerance
        ),
        None => "there is no mode".to_owned(),
    };
    (Verdict::NoSteadyMode, reason)
}

fn energy(modes: &[Mode], counts: impl Fn(&Mode) -> bool) -> f64 {
    modes
        .iter()
        .filter(|mode| counts(mode))
        .map(|mode| mode.energy_share)
        .sum()
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
