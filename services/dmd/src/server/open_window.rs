//! A window of an EstimateGlocal stream of which rows are missing.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{
    decode::{self, Spec},
    memory::Held,
    proto,
    refusal::{Refusal, quoted},
};
use crate::InnerProducts;

/// Values of new rows from which on a window whose components have known scales is compressed while more rows come. Less
/// is done in no time at the end.
const COMPRESSED_FROM: usize = 1 << 16;

/// A window of which rows are missing.
pub(super) struct OpenWindow {
    pub spec: Spec,
    /// Shared with reports that were asked for before the window is complete.
    pub rows: Vec<Arc<Vec<f64>>>,
    /// The row of which only parts have come.
    part: Vec<f64>,
    pub products: Products,
    pub held: Held,
}

/// Inner products of the rows that have come, of a window whose components have known scales.
pub(super) enum Products {
    /// There are none: the scales are not known before the last row.
    Unknown,
    /// Those of the first rows; the others have yet to be added.
    Here(InnerProducts),
    /// They are being brought up to date on a thread of the pool.
    Away(oneshot::Receiver<InnerProducts>),
}

impl Products {
    fn of(spec: &Spec) -> Self {
        match spec.scales {
            Some(_) => Self::Here(InnerProducts::new(spec.rows)),
            None => Self::Unknown,
        }
    }

    /// Takes those out that are here and lack enough of `rows` rows to be brought up to date.
    pub(super) fn take_outdated(&mut self, rows: usize, components: usize) -> Option<InnerProducts> {
        if let Self::Away(returning) = self
            && let Ok(products) = returning.try_recv()
        {
            *self = Self::Here(products);
        }
        match self {
            Self::Here(products) if (rows - products.rows()) * components >= COMPRESSED_FROM => {
                match std::mem::replace(self, Self::Unknown) {
                    Self::Here(products) => Some(products),
                    Self::Unknown | Self::Away(_) => None,
                }
            }
            _ => None,
        }
    }

    /// Waits for them to come back.
    pub(super) async fn arrived(self) -> Result<Option<InnerProducts>, Refusal> {
        match self {
            Self::Unknown => Ok(None),
            Self::Here(products) => Ok(Some(products)),
            Self::Away(returning) => match returning.await {
                Ok(products) => Ok(Some(products)),
                Err(_) => Err(Refusal::Failed("the window could not be compressed".to_owned())),
            },
        }
    }
}

impl OpenWindow {
    /// One of which no row has come.
    pub(super) fn new(spec: Spec, held: Held) -> Self {
        Self {
            rows: Vec::with_capacity(spec.rows),
            part: Vec::new(),
            products: Products::of(&spec),
            spec,
            held,
        }
    }

    /// Whether all rows have come.
    pub(super) fn is_complete(&self) -> bool {
        self.rows.len() == self.spec.rows
    }

    /// Whether a row has come in part only.
    pub(super) fn is_within_a_row(&self) -> bool {
        !self.part.is_empty()
    }

    /// Takes a row, or the next part of one.
    pub(super) fn take(&mut self, id: &str, hypergradient: &proto::Hypergradient) -> Result<(), Refusal> {
        const FIELD: &str = "hypergradient.values";
        let proto::Hypergradient {
            row,
            values,
            first_component,
        } = hypergradient;
        let (expected, components) = (self.rows.len(), self.spec.components);
        if *row as usize != expected {
            return Err(Refusal::invalid(
                "ROW_OUT_OF_ORDER",
                "hypergradient.row",
                format!("is {row} in window {}; row {expected} comes next", quoted(id)),
            ));
        }
        let first = self.part.len();
        if first_component.unwrap_or(0) as usize != first {
            return Err(Refusal::invalid(
                "PART_OUT_OF_ORDER",
                "hypergradient.first_component",
                format!(
                    "is {} in row {row} of window {}; component {first} comes next",
                    first_component.unwrap_or(0),
                    quoted(id)
                ),
            ));
        }
        if first_component.is_none() {
            let whole = decode::values(values, FIELD, expected, 1, components)?;
            self.rows.push(Arc::new(whole));
            return Ok(());
        }
        let part = decode::part(values, FIELD, expected, first, components)?;
        if self.part.is_empty() {
            self.part.reserve_exact(components);
        }
        self.part.extend(part);
        if self.part.len() == components {
            self.rows.push(Arc::new(std::mem::take(&mut self.part)));
        }
        Ok(())
    }
}
