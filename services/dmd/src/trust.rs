//! Which components of an estimate can be trusted (docs/method.md section 6).

use crate::{Spectrum, Thresholds, statistics::Statistics, variant::Origin};

/// An estimate outside the rows by this share of the largest of them is near enough, however little they span.
const NEAR: f64 = 0.1;

/// How far outside the rows an estimate of modes may lie that do not give these rows back, over how far it may otherwise.
const UNEXPLAINED: f64 = 0.1;

/// Rows have settled where their last third spans less than this share of what all of them span.
const SETTLED: f64 = 0.01;

/// How far outside its rows a component that has settled may be estimated, over how far it may otherwise.
const BEYOND_SETTLED: f64 = 0.1;

/// An estimate, and what it is judged by.
#[derive(Clone, Copy)]
pub(crate) struct Estimate<'a> {
    /// q values.
    pub values: &'a [f64],
    pub origin: Origin,
    pub spectrum: &'a Spectrum,
    pub statistics: &'a Statistics,
    /// The window's rows, of q values each.
    pub rows: &'a [&'a [f64]],
    /// What the last row must have of the largest absolute value; 0 asks for nothing.
    pub last_share: f64,
}

impl Estimate<'_> {
    /// Whether a component has come to rest in the last third of its rows.
    fn has_settled(&self, component: usize) -> bool {
        let (low, high) = (self.statistics.low[component], self.statistics.high[component]);
        // The half of each, because what large values span would overflow.
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        for row in &self.rows[self.rows.len() - self.rows.len().div_ceil(3)..] {
            least = least.min(0.5 * row[component]);
            greatest = greatest.max(0.5 * row[component]);
        }
        greatest - least < SETTLED * (0.5 * high - 0.5 * low)
    }

    /// Whether a component ends where its estimate says: with its sign, and not far below its largest absolute value.
    fn ends_with_it(&self, component: usize) -> bool {
        if self.last_share == 0.0 {
            return true;
        }
        let last = self.last(component);
        last * self.values[component].signum() > 0.0
            && last.abs() >= self.last_share * self.statistics.size(component)
    }

    fn last(&self, component: usize) -> f64 {
        self.rows[self.rows.len() - 1][component]
    }

    /// Whether the estimate of a component with this overshoot leaves the rows although they have settled.
    fn leaves_settled_rows(&self, component: usize, overshoot: f64, limit: f64) -> bool {
        overshoot > BEYOND_SETTLED * limit && self.has_settled(component)
    }
}

/// How far an estimate is to be trusted.
pub(crate) struct Trust {
    /// For each component whether.
    pub components: Vec<bool>,
    /// Largest [`overshoot`] of a component.
    pub overshoot: f64,
    /// Components with a larger one are not trusted.
    pub overshoot_limit: f64,
    /// Whether the estimate is the sum of modes that are nearly dependent: then no component is trusted.
    dependent: bool,
}

impl Thresholds {
    /// A component that is zero throughout is estimated exactly and counts as trusted: it must not decide over others.
    pub(crate) fn trust(&self, estimate: Estimate) -> Trust {
        let Estimate {
            values,
            origin,
            spectrum,
            statistics,
            ..
        } = estimate;
        let (overshoot_limit, dependent) = match origin {
            Origin::Modes if spectrum.reconstruction_error > self.reconstruction_error => {
                (UNEXPLAINED * self.overshoot, self.is_dependent(spectrum))
            }
            Origin::Modes => (self.overshoot, self.is_dependent(spectrum)),
            Origin::Rows { ahead } => (self.overshoot * ahead, false),
        };
        let mut largest = 0.0_f64;
        let components = values
            .iter()
            .zip(statistics.low.iter().zip(&statistics.high))
            .zip(statistics.mean.iter().zip(&statistics.t_scores))
            .enumerate()
            .map(|(component, ((&value, (&low, &high)), (&mean, &t)))| {
                let overshoot = overshoot(value, low, high);
                largest = largest.max(overshoot);
                let zero = value == 0.0 && mean == 0.0;
                let clear = t >= self.trusted_t_score && value * mean.signum() > 0.0;
                let near = overshoot <= overshoot_limit;
                // Whether rows have settled costs a look at many of them, and is asked last.
                zero || (clear
                    && !dependent
                    && near
                    && estimate.ends_with_it(component)
                    && !estimate.leaves_settled_rows(component, overshoot, self.overshoot))
            })
            .collect();
        Trust {
            components,
            overshoot: largest,
            overshoot_limit,
            dependent,
        }
    }

    fn is_dependent(&self, spectrum: &Spectrum) -> bool {
        spectrum.bound.mode_condition > self.mode_condition
    }

    /// Why the first component that is not trusted is not; `None` where all are.
    pub(crate) fn doubt(&self, trust: &Trust, estimate: Estimate) -> Option<String> {
        let first = trust.components.iter().position(|&trusted| !trusted)?;
        if trust.dependent {
            return Some(format!(
                "no component is trusted: the estimate adds up modes that are nearly dependent, with condition number \
                 {:.2e} (limit {:.0e})",
                estimate.spectrum.bound.mode_condition, self.mode_condition
            ));
        }
        let statistics = estimate.statistics;
        let (value, mean, t) = (
            estimate.values[first],
            statistics.mean[first],
            statistics.t_scores[first],
        );
        let why = if t < self.trusted_t_score {
            format!("|mean| / deviation {t:.2} (limit {})", self.trusted_t_score)
        } else if value * mean.signum() <= 0.0 {
            format!("estimate {value:.3e} against mean {mean:.3e}")
        } else if estimate.ends_with_it(first) {
            self.too_far(trust, estimate, first)
        } else {
            format!(
                "estimate {value:.3e} against last row {:.3e} (limit {} of the largest, {:.3e})",
                estimate.last(first),
                estimate.last_share,
                statistics.size(first)
            )
        };
        let doubtful = trust.components.iter().filter(|&&trusted| !trusted).count();
        let count = trust.components.len();
        Some(format!(
            "{doubtful} of {count} components not trusted, the first of them component {first}: {why}"
        ))
    }

    fn too_far(&self, trust: &Trust, estimate: Estimate, component: usize) -> String {
        let value = estimate.values[component];
        let (low, high) = (
            estimate.statistics.low[component],
            estimate.statistics.high[component],
        );
        let error = estimate.spectrum.reconstruction_error;
        let overshoot = overshoot(value, low, high);
        let limit = if trust.overshoot_limit < self.overshoot {
            format!(
                "limit {:.2} for modes with a reconstruction error above {}; it is {error:.2e}",
                trust.overshoot_limit, self.reconstruction_error
            )
        } else if estimate.leaves_settled_rows(component, overshoot, self.overshoot) {
            format!(
                "limit {:.2} as the last third of them has settled",
                BEYOND_SETTLED * self.overshoot
            )
        } else {
            format!("limit {:.2}", trust.overshoot_limit)
        };
        format!(
            "estimate {value:.3e} outside its rows, {low:.3e} to {high:.3e}, by {overshoot:.2} times what they span \
             ({limit})"
        )
    }
}

/// How far an estimate lies outside the rows, between `low` and `high`, over what these span.
fn overshoot(estimate: f64, low: f64, high: f64) -> f64 {
    // The half of each, because what large values span would overflow.
    let [estimate, low, high] = [estimate, low, high].map(|value| 0.5 * value);
    let outside = (low - estimate).max(estimate - high);
    if outside > 0.0 {
        outside / (high - low).max(NEAR * low.abs().max(high.abs()))
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overshoot_is_over_what_the_rows_span() {
        assert_eq!(overshoot(3.0, 1.0, 5.0), 0.0);
        assert_eq!(overshoot(7.0, 1.0, 5.0), 0.5);
        assert_eq!(overshoot(-3.0, 1.0, 5.0), 1.0);
        assert_eq!(overshoot(-1.7e308, -1e308, 1e308), 0.35);
        assert_eq!(overshoot(f64::INFINITY, 1.0, 5.0), f64::INFINITY);
    }

    #[test]
    fn overshoot_of_rows_that_hardly_move_is_over_a_tenth_of_their_size() {
        assert!((overshoot(11.0, 10.0, 10.0) - 1.0).abs() < 1e-15);
        assert!((overshoot(-11.0, -10.0, -10.0) - 1.0).abs() < 1e-15);
        assert_eq!(overshoot(0.0, 0.0, 0.0), 0.0);
        assert_eq!(overshoot(1e-300, 0.0, 0.0), f64::INFINITY);
    }
}
