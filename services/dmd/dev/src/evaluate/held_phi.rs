//! Windows of a training run with what came after them while the hyperparameters were held (docs/method.md section 10;
//! `tests/fixtures/README.md` describes the format).

use std::path::Path;

use serde::Deserialize;

use crate::files::{ReadError, read_json};

/// A file of cases.
#[derive(Debug, Deserialize)]
pub(super) struct Records {
    cases: Vec<Case>,
}

/// A window and where the hypergradient went.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Case {
    pub id: String,
    usable: bool,
    /// Rows, oldest first; `null` stands for a value that is not finite. Empty where the run had diverged before.
    #[serde(default)]
    window: Vec<Vec<Option<f64>>>,
    truth100: Option<Vec<Option<f64>>>,
    truth100_sd: Option<Vec<Option<f64>>>,
    truth200: Option<Vec<Option<f64>>>,
    truth200_sd: Option<Vec<Option<f64>>>,
    truth400: Option<Vec<Option<f64>>>,
    truth400_sd: Option<Vec<Option<f64>>>,
}

/// Mean and standard deviation of the hypergradient over the 50 steps before a horizon.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Truth {
    pub mean: Vec<f64>,
    pub deviation: Vec<f64>,
}

impl Records {
    pub(super) fn read(path: &Path) -> Result<Self, ReadError> {
        read_json(path, "a file of windows with their continuation")
    }

    /// The cases that estimates are scored on.
    pub(super) fn scored(&self) -> impl Iterator<Item = &Case> {
        self.cases
            .iter()
            .filter(|case| case.usable && !case.truths().is_empty())
    }
}

impl Case {
    pub(super) fn last_rows(&self, count: usize) -> Vec<Vec<f64>> {
        let skipped = self.window.len().saturating_sub(count);
        self.window[skipped..]
            .iter()
            .map(|row| row.iter().map(|v| v.unwrap_or(f64::NAN)).collect())
            .collect()
    }

    /// What is known at 100, 200 and 400 steps.
    pub(super) fn truths(&self) -> Vec<Truth> {
        [
            (&self.truth100, &self.truth100_sd),
            (&self.truth200, &self.truth200_sd),
            (&self.truth400, &self.truth400_sd),
        ]
        .into_iter()
        .filter_map(|(mean, deviation)| {
            let finite = |values: &Option<Vec<Option<f64>>>| -> Option<Vec<f64>> {
                values.clone()?.into_iter().collect()
            };
            Some(Truth {
                mean: finite(mean)?,
                deviation: finite(deviation)?,
            })
        })
        .collect()
    }
}
