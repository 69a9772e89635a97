//! Scaling of components before the decomposition, and back (docs/method.md section 5, step 2).

use std::borrow::Cow;

use crate::simd;

/// How the components of a window are scaled before the decomposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scaling {
    /// Each component by its largest absolute value in the window, so that none drowns the others.
    #[default]
    Component,
    /// All components by the largest absolute value in the window.
    Global,
    /// Not at all, as in the paper's experiments.
    ///
    /// The decomposition is invariant under one factor for all components, so internally this is [`Scaling::Global`],
    /// which cannot overflow; only the singular values differ, by that factor.
    None,
}

impl Scaling {
    /// Its name in the contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Component => "COMPONENT",
            Self::Global => "GLOBAL",
            Self::None => "NONE",
        }
    }
}

/// What each component is divided by. Never 0.
#[derive(Debug, Clone)]
pub(crate) enum Divisors<'a> {
    PerComponent(Cow<'a, [f64]>),
    Uniform(f64),
}

impl<'a> Divisors<'a> {
    /// Known ones, all finite and above 0.
    pub(crate) fn known(scales: &'a [f64]) -> Self {
        Self::PerComponent(Cow::Borrowed(scales))
    }

    /// `sizes` are the largest absolute values of the components over the window, all finite.
    pub(crate) fn new(scaling: Scaling, sizes: impl Iterator<Item = f64>) -> Self {
        match scaling {
            Scaling::Component => Self::PerComponent(sizes.map(one_if_zero).collect::<Vec<_>>().into()),
            Scaling::Global | Scaling::None => Self::Uniform(one_if_zero(sizes.fold(0.0, f64::max))),
        }
    }

    /// Writes `values` divided by the divisors of the components from `start` on to `scaled`.
    pub(crate) fn scale(&self, start: usize, values: &[f64], scaled: &mut [f64]) {
        match self {
            Self::PerComponent(divisors) => {
                simd::divide(values, &divisors[start..start + values.len()], scaled);
            }
            Self::Uniform(divisor) => {
                for (s, v) in scaled.iter_mut().zip(values) {
                    *s = v / divisor;
                }
            }
        }
    }

    /// Divisor of one component.
    pub(crate) fn of(&self, component: usize) -> f64 {
        match self {
            Self::PerComponent(divisors) => divisors[component],
            Self::Uniform(divisor) => *divisor,
        }
    }

    /// The largest divisor.
    pub(crate) fn largest(&self) -> f64 {
        match self {
            Self::PerComponent(divisors) => divisors.iter().fold(0.0, |a, &b| a.max(b)),
            Self::Uniform(divisor) => *divisor,
        }
    }
}

fn one_if_zero(divisor: f64) -> f64 {
    if divisor == 0.0 { 1.0 } else { divisor }
}
