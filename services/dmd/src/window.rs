//! The input of an analysis: the last hypergradients of an outer step.

use std::ops::RangeInclusive;

use crate::{InnerProducts, WindowError};

/// Sizes of the largest component over its scale with which inner products of scaled rows neither overflow nor vanish.
const FITTING: RangeInclusive<f64> = 1e-50..=1e50;

/// A window of `rows` hypergradients (sigma) with `components` values each (q), oldest first. It borrows its values.
///
/// Values may be non-finite; the analysis then answers [`crate::Verdict::Diverging`].
#[derive(Debug, Clone)]
pub struct Window<'a> {
    rows: Vec<&'a [f64]>,
    components: usize,
    scales: Option<&'a [f64]>,
    products: Option<&'a InnerProducts>,
}

impl<'a> Window<'a> {
    /// A window of separate rows.
    ///
    /// # Errors
    /// [`WindowError`] when there are no rows, no components, or rows of different length.
    pub fn new(rows: Vec<&'a [f64]>) -> Result<Self, WindowError> {
        let components = rows.first().ok_or(WindowError::NoRows)?.len();
        if components == 0 {
            return Err(WindowError::NoComponents);
        }
        if let Some(row) = rows.iter().position(|row| row.len() != components) {
            return Err(WindowError::RaggedRow {
                row,
                expected: components,
                actual: rows[row].len(),
            });
        }
        Ok(Self {
            rows,
            components,
            scales: None,
            products: None,
        })
    }

    /// A window of rows that lie one after the other in `values` (row-major).
    ///
    /// # Errors
    /// [`WindowError`] when `values` is empty or not a multiple of `components`, or `components` is 0.
    pub fn from_flat(values: &'a [f64], components: usize) -> Result<Self, WindowError> {
        if components == 0 {
            return Err(WindowError::NoComponents);
        }
        if !values.len().is_multiple_of(components) {
            return Err(WindowError::RaggedValues {
                values: values.len(),
                components,
            });
        }
        Self::new(values.chunks_exact(components).collect())
    }

    /// The window with the size of each component known beforehand, by which it is divided in place of
    /// [`crate::Options::scaling`]. Results are undone as with any scaling. Scales that are wrong by more than a factor of
    /// 10^50 are left aside.
    ///
    /// # Errors
    /// [`WindowError::Scales`] when there is not one for each component, or one is not a finite number above 0.
    pub fn with_scales(self, scales: &'a [f64]) -> Result<Self, WindowError> {
        let wrong = scales
            .iter()
            .position(|scale| !(scale.is_finite() && *scale > 0.0));
        if scales.len() != self.components || wrong.is_some() {
            return Err(WindowError::Scales {
                components: self.components,
                scales: scales.len(),
                wrong,
            });
        }
        Ok(Self {
            scales: Some(scales),
            ..self
        })
    }

    /// The window with the inner products of its rows, which spares the analysis to form them. They are used when they are
    /// of as many rows as the window has, and it has scales.
    #[must_use]
    pub fn with_products(self, products: &'a InnerProducts) -> Self {
        Self {
            products: Some(products),
            ..self
        }
    }

    /// The window without its scales, and what was made with them, where they do not fit its components, which have these
    /// largest absolute values, all finite.
    pub(crate) fn with_fitting_scales(&self, sizes: impl Iterator<Item = f64> + Clone) -> Self {
        let fit = |scales: &&[f64]| {
            let ratios = sizes.clone().zip(*scales).map(|(size, scale)| size / scale);
            FITTING.contains(&ratios.fold(0.0, f64::max))
        };
        Self {
            scales: self.scales.filter(fit),
            ..self.clone()
        }
    }

    /// Sizes of the components, when known.
    pub(crate) fn scales(&self) -> Option<&'a [f64]> {
        self.scales
    }

    /// Inner products of all rows, when known.
    pub(crate) fn products(&self) -> Option<&'a InnerProducts> {
        self.products
            .filter(|products| self.scales.is_some() && products.rows() == self.rows.len())
    }

    /// Number of hypergradients (sigma), at least 1.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Number of components of each hypergradient (q), at least 1.
    #[must_use]
    pub fn components(&self) -> usize {
        self.components
    }

    /// Hypergradient `t`, 0 for the oldest.
    #[must_use]
    pub fn row(&self, t: usize) -> &'a [f64] {
        self.rows[t]
    }

    /// All hypergradients, oldest first.
    pub(crate) fn as_rows(&self) -> &[&'a [f64]] {
        &self.rows
    }

    /// All hypergradients, oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [f64]> + '_ {
        self.rows.iter().copied()
    }
}
