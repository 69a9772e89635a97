//! How good an estimate was, given where the hypergradient went.
//!
//! Components are divided by their largest absolute value in the window. A component is clear at a horizon when its truth
//! is larger than the truth's deviation. Figures are averages over the horizons of a window, then over windows.

use std::fmt;

use serde::Serialize;

use super::held_phi::{Case, Truth};
use glocal_dmd::Report;

/// Resamples of the windows for an interval.
const RESAMPLES: usize = 2000;

/// What an estimate was worth in one window.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Outcome {
    /// `None` where there was no estimate.
    pub estimate: Option<Worth>,
    /// Clear components by whether they were trusted, and whether their sign was right.
    pub trusted_right: f64,
    pub trusted_wrong: f64,
    pub doubted_right: f64,
}

/// Averages over the horizons of a window.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Worth {
    /// Share of the clear components with the right sign; `None` where none is clear.
    pub sign: Option<f64>,
    pub cosine: f64,
    /// |log10 of estimated over true size|.
    pub size: f64,
}

pub(super) fn outcome(case: &Case, report: &Report, sigma: usize) -> Outcome {
    let rows = case.last_rows(sigma);
    let scales: Vec<f64> = (0..rows[0].len())
        .map(|c| {
            rows.iter()
                .fold(0.0_f64, |largest, row| largest.max(row[c].abs()))
        })
        .map(|scale| if scale > 0.0 { scale } else { 1.0 })
        .collect();
    let truths = case.truths();
    let mut outcome = Outcome::default();
    let Some(estimate) = &report.glocal else {
        return outcome;
    };
    for truth in &truths {
        for (c, right) in clear_components(truth, estimate) {
            match (report.component_trusted[c], right) {
                (true, true) => outcome.trusted_right += 1.0,
                (true, false) => outcome.trusted_wrong += 1.0,
                (false, true) => outcome.doubted_right += 1.0,
                (false, false) => {}
            }
        }
    }
    let signs: Vec<f64> = truths
        .iter()
        .flat_map(|truth| clear_components(truth, estimate))
        .map(|(_, right)| f64::from(u8::from(right)))
        .collect();
    let scaled = |values: &[f64]| -> Vec<f64> { values.iter().zip(&scales).map(|(v, s)| v / s).collect() };
    let estimate = scaled(estimate);
    let (cosines, sizes): (Vec<f64>, Vec<f64>) = truths
        .iter()
        .map(|truth| {
            let truth = scaled(&truth.mean);
            let (a, b) = (length(&estimate), length(&truth));
            let product: f64 = estimate.iter().zip(&truth).map(|(a, b)| a * b).sum();
            (product / (a * b), (a / b).log10().abs())
        })
        .unzip();
    outcome.estimate = Some(Worth {
        sign: (!signs.is_empty()).then(|| mean(&signs)),
        cosine: mean(&cosines),
        size: mean(&sizes),
    });
    outcome
}

/// Clear components and whether the estimate has their sign.
fn clear_components(truth: &Truth, estimate: &[f64]) -> Vec<(usize, bool)> {
    (0..estimate.len())
        .filter(|&c| truth.mean[c].abs() > truth.deviation[c])
        .map(|c| {
            (
                c,
                truth.mean[c].signum() == estimate[c].signum() && estimate[c] != 0.0,
            )
        })
        .collect()
}

/// A figure with the interval that holds 95 % of its values over resampled windows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Interval {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if f.sign_plus() {
            write!(f, "{:+.3} [{:+.3}, {:+.3}]", self.value, self.low, self.high)
        } else {
            write!(f, "{:.3} [{:.3}, {:.3}]", self.value, self.low, self.high)
        }
    }
}

/// Scores of a setting over all windows.
#[derive(Debug, Serialize)]
pub(super) struct Scores {
    pub windows: usize,
    /// Share of the windows without an estimate; the other figures are over the rest.
    pub undefined: f64,
    pub sign: Interval,
    pub cosine: Interval,
    /// Mean over the tenth of the windows with the lowest cosine.
    pub cosine_worst_decile: f64,
    pub size: Interval,
    /// Of the clear components that were trusted, the share whose sign was right.
    pub trusted_precision: Interval,
    /// Of the clear components whose sign was right, the share that was trusted.
    pub trusted_recall: Interval,
}

impl Scores {
    pub(super) fn of(outcomes: &[Outcome]) -> Self {
        let defined: Vec<&Worth> = outcomes.iter().filter_map(|o| o.estimate.as_ref()).collect();
        let signs: Vec<f64> = defined.iter().filter_map(|worth| worth.sign).collect();
        let cosines: Vec<f64> = defined.iter().map(|worth| worth.cosine).collect();
        let sizes: Vec<f64> = defined.iter().map(|worth| worth.size).collect();
        let counts =
            |count: fn(&Outcome) -> (f64, f64)| -> Vec<(f64, f64)> { outcomes.iter().map(count).collect() };
        Self {
            windows: outcomes.len(),
            undefined: 1.0 - defined.len() as f64 / outcomes.len() as f64,
            sign: interval(&signs),
            cosine: interval(&cosines),
            cosine_worst_decile: worst_decile(cosines),
            size: interval(&sizes),
            trusted_precision: interval_of_ratio(&counts(|o| {
                (o.trusted_right, o.trusted_right + o.trusted_wrong)
            })),
            trusted_recall: interval_of_ratio(&counts(|o| {
                (o.trusted_right, o.trusted_right + o.doubted_right)
            })),
        }
    }
}

/// By how much the cosine differs from a control's, over the windows where both have an estimate.
pub(super) fn cosine_difference(outcomes: &[Outcome], control: &[Outcome]) -> Interval {
    let differences: Vec<f64> = outcomes
        .iter()
        .zip(control)
        .filter_map(|(a, b)| Some(a.estimate.as_ref()?.cosine - b.estimate.as_ref()?.cosine))
        .collect();
    interval(&differences)
}

fn worst_decile(mut cosines: Vec<f64>) -> f64 {
    cosines.sort_by(f64::total_cmp);
    mean(&cosines[..cosines.len().div_ceil(10)])
}

fn interval(values: &[f64]) -> Interval {
    interval_of_ratio(&values.iter().map(|&v| (v, 1.0)).collect::<Vec<_>>())
}

/// The ratio of two sums over windows, with the interval of a bootstrap that always draws the same resamples.
fn interval_of_ratio(parts: &[(f64, f64)]) -> Interval {
    let ratio = |parts: &mut dyn Iterator<Item = (f64, f64)>| {
        let (above, below) = parts.fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
        above / below
    };
    let mut state = 0_u64;
    // SplitMix64.
    let mut draw = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % parts.len().max(1) as u64) as usize
    };
    let mut resampled: Vec<f64> = (0..RESAMPLES)
        .map(|_| ratio(&mut (0..parts.len()).map(|_| parts[draw()])))
        .collect();
    resampled.sort_by(f64::total_cmp);
    Interval {
        value: ratio(&mut parts.iter().copied()),
        low: resampled[RESAMPLES / 40],
        high: resampled[RESAMPLES - 1 - RESAMPLES / 40],
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|v| v * v).sum::<f64>().sqrt()
}
