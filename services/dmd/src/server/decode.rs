//! From messages to windows, refusing what is wrong with every field named.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    config::Limits,
    proto,
    refusal::{Refusal, Violation, within},
};
use crate::{Anchor, Options, Scaling, Selection, SvdRank, Thresholds, Variant};

/// Norms of earlier hypergradients that a window may carry (part of the contract).
const MAX_PRIOR_NORMS: usize = 10_000;

/// A window specification that has been checked.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub rows: usize,
    pub components: usize,
    pub options: Options,
    pub prior_norms: Vec<f64>,
    /// The size of each component, when the caller knows it.
    pub scales: Option<Arc<Vec<f64>>>,
}

impl Spec {
    /// Checks a specification; `path` is where it stands in the request.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with every problem, or [`Refusal::Limit`].
    pub(super) fn check(
        spec: Option<proto::WindowSpec>,
        path: &str,
        limits: &Limits,
        thresholds: &Thresholds,
    ) -> Result<Self, Refusal> {
        let Some(spec) = spec else {
            return Err(Refusal::invalid("INVALID_WINDOW", path, "is required"));
        };
        let mut problems = Problems {
            path,
            violations: Vec::new(),
        };
        let options = problems.options(&spec.options.unwrap_or_default(), thresholds);
        if spec.components == 0 {
            problems.add(
                "components",
                "a hypergradient needs at least one component".to_owned(),
            );
        }
        let rows = spec.rows as usize;
        if options.delays > 0 && rows <= options.delays {
            problems.add(
                "rows",
                format!(
                    "{rows} is too few for delays = {}; at least {}, {} is a good start",
                    options.delays,
                    options.delays + 1,
                    2 * options.delays
                ),
            );
        }
        if spec.prior_norms.len() > MAX_PRIOR_NORMS {
            problems.add(
                "prior_norms",
                format!("has {} values; at most {MAX_PRIOR_NORMS}", spec.prior_norms.len()),
            );
        }
        if let Some((i, norm)) = spec
            .prior_norms
            .iter()
            .enumerate()
            .find(|(_, norm)| !(norm.is_finite() && **norm >= 0.0))
        {
            problems.add(
                &format!("prior_norms[{i}]"),
                format!("is {norm:?}; a norm is finite and not negative"),
            );
        }
        let scales = problems.scales(&spec);
        if !problems.violations.is_empty() {
            return Err(Refusal::Invalid {
                reason: "INVALID_WINDOW",
                violations: problems.violations,
            });
        }
        within("limits.max_rows", "rows", u64::from(spec.rows), limits.max_rows)?;
        within(
            "limits.max_components",
            "components",
            u64::from(spec.components),
            limits.max_components,
        )?;
        Ok(Self {
            rows,
            components: spec.components as usize,
            options,
            prior_norms: spec.prior_norms,
            scales: scales.map(Arc::new),
        })
    }

    /// Bytes of one row.
    pub(super) fn row_bytes(&self) -> u64 {
        8 * self.components as u64
    }
}

/// Collects what is wrong with the fields below a path.
struct Problems<'a> {
    path: &'a str,
    violations: Vec<Violation>,
}

impl Problems<'_> {
    fn add(&mut self, field: &str, description: String) {
        self.violations
            .push(Violation::new(format!("{}.{field}", self.path), description));
    }

    /// Options with their defaults. What is wrong is noted.
    fn options(&mut self, options: &proto::DmdOptions, thresholds: &Thresholds) -> Options {
        let stride = options.stride.map_or(1, |stride| stride as usize);
        let mut checked = Options::of(self.variant(options), stride);
        checked.scaling = self.scaling(options);
        checked.selection = self.selection(options);
        checked.anchor = self.anchor(options);
        checked.include_contributions = options.include_contributions;
        checked.thresholds = thresholds.clone();
        if let Some(number) = options.svd_rank {
            match SvdRank::from_number(number) {
                Some(rank) => checked.svd_rank = rank,
                None => self.add(
                    "options.svd_rank",
                    format!("is {number:?}; -1, 0, between 0 and 1, or a whole number of 1 or more"),
                ),
            }
        }
        if let Some(delays) = options.delays {
            checked.delays = delays as usize;
        }
        checked.tolerance = options.tolerance.unwrap_or(checked.tolerance);
        checked.clip = options.clip.unwrap_or(checked.clip);
        checked.ridge = options.ridge.unwrap_or(checked.ridge);
        checked.last_share = options.last_share.unwrap_or(checked.last_share);
        for problem in checked.problems() {
            self.add(&format!("options.{}", problem.option()), problem.to_string());
        }
        checked
    }

    fn variant(&mut self, options: &proto::DmdOptions) -> Variant {
        self.known("variant", options.variant.unwrap_or_default())
            .and_then(|known: proto::Variant| Variant::named(known.as_str_name().strip_prefix("VARIANT_")?))
            .unwrap_or_default()
    }

    fn scaling(&mut self, options: &proto::DmdOptions) -> Scaling {
        match self.known("scaling", options.scaling) {
            None | Some(proto::Scaling::Unspecified | proto::Scaling::Component) => Scaling::Component,
            Some(proto::Scaling::Global) => Scaling::Global,
            Some(proto::Scaling::None) => Scaling::None,
        }
    }

    fn selection(&mut self, options: &proto::DmdOptions) -> Selection {
        match self.known("selection", options.selection) {
            None | Some(proto::Selection::Unspecified | proto::Selection::Steady) => Selection::Steady,
            Some(proto::Selection::Nearest) => Selection::Nearest,
        }
    }

    fn anchor(&mut self, options: &proto::DmdOptions) -> Anchor {
        match self.known("anchor", options.anchor) {
            None | Some(proto::Anchor::Unspecified | proto::Anchor::First) => Anchor::First,
            Some(proto::Anchor::Last) => Anchor::Last,
        }
    }

    /// The value of an option's enumeration. A number that it does not have is noted.
    fn known<T: TryFrom<i32>>(&mut self, option: &str, number: i32) -> Option<T> {
        let known = T::try_from(number).ok();
        if known.is_none() {
            self.add(
                &format!("options.{option}"),
                format!("{number} is not a known {option}"),
            );
        }
        known
    }

    /// Known sizes of the components. What is wrong is noted.
    fn scales(&mut self, spec: &proto::WindowSpec) -> Option<Vec<f64>> {
        let bytes = spec.scales.as_ref()?;
        let scaling = spec.options.as_ref().map_or(0, |options| options.scaling);
        if ![proto::Scaling::Unspecified, proto::Scaling::Component].contains(&scaling.try_into().ok()?) {
            self.add(
                "scales",
                "are those of scaling COMPONENT; leave options.scaling out".to_owned(),
            );
        }
        let (chunks, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() || chunks.len() != spec.components as usize {
            self.add(
                "scales",
                format!(
                    "has {} bytes; {} components of 8 bytes each are {}",
                    bytes.len(),
                    spec.components,
                    8 * u64::from(spec.components)
                ),
            );
            return None;
        }
        let scales = numbers(chunks);
        if let Some(at) = scales
            .iter()
            .position(|scale| !(scale.is_finite() && *scale > 0.0))
        {
            self.add(
                &format!("scales[{at}]"),
                format!("is {:?}; a finite number above 0", scales[at]),
            );
        }
        Some(scales)
    }
}

/// Decodes little-endian binary64 values. `field` names them in errors; `first_row` is the row of the first value.
///
/// # Errors
/// [`Refusal::Invalid`] when their number is not `rows` x `components`, or one is not finite.
pub(super) fn values(
    bytes: &Bytes,
    field: &str,
    first_row: usize,
    rows: usize,
    components: usize,
) -> Result<Vec<f64>, Refusal> {
    let expected = 8 * rows as u64 * components as u64;
    let (chunks, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() || bytes.len() as u64 != expected {
        let shape = if rows == 1 {
            format!("{components} components")
        } else {
            format!("{rows} rows of {components} components")
        };
        return Err(Refusal::invalid(
            "WRONG_LENGTH",
            field,
            format!(
                "has {} bytes; {shape} of 8 bytes each are {expected}",
                bytes.len()
            ),
        ));
    }
    finite(chunks, field, first_row * components, components)
}

/// Decodes a part of row `row`, the values of the components from `first` on.
///
/// # Errors
/// [`Refusal::Invalid`] when it is empty, no whole number of values or more than are missing, or one is not finite.
pub(super) fn part(
    bytes: &Bytes,
    field: &str,
    row: usize,
    first: usize,
    components: usize,
) -> Result<Vec<f64>, Refusal> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let missing = components - first;
    if !rest.is_empty() || chunks.is_empty() || chunks.len() > missing {
        return Err(Refusal::invalid(
            "WRONG_LENGTH",
            field,
            format!(
                "has {} bytes; a part of this row has 8 bytes for each of 1 to {missing} components",
                bytes.len()
            ),
        ));
    }
    finite(chunks, field, row * components + first, components)
}

/// The values of which the first has the position `offset` in the window.
fn finite(chunks: &[[u8; 8]], field: &str, offset: usize, components: usize) -> Result<Vec<f64>, Refusal> {
    let values = numbers(chunks);
    // Any non-finite value turns the sum of products with 0 into NaN, which is quick to see.
    if values.iter().map(|v| v * 0.0).sum::<f64>().is_nan()
        && let Some(at) = values.iter().position(|v| !v.is_finite())
    {
        return Err(Refusal::invalid(
            "NON_FINITE_VALUE",
            field,
            format!(
                "row {}, component {} is {}; every value must be finite",
                (offset + at) / components,
                (offset + at) % components,
                values[at]
            ),
        ));
    }
    Ok(values)
}

fn numbers(chunks: &[[u8; 8]]) -> Vec<f64> {
    chunks.iter().map(|&chunk| f64::from_le_bytes(chunk)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;

    /// Values of an enumeration of the contract but UNSPECIFIED, without the prefix that they share.
    fn values_of(enumeration: &str) -> Vec<String> {
        let contract = FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
        let found = contract
            .file
            .iter()
            .flat_map(|file| &file.enum_type)
            .find(|found| found.name() == enumeration)
            .unwrap();
        let prefix = format!("{}_", enumeration.to_uppercase());
        let names = found
            .value
            .iter()
            .map(|value| value.name().strip_prefix(&prefix).unwrap());
        names
            .filter(|name| *name != "UNSPECIFIED")
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_contract_has_the_variants_of_the_table_in_its_order() {
        assert_eq!(values_of("Variant"), Variant::ALL.map(Variant::name));
    }

    #[test]
    fn every_variant_of_the_contract_is_understood() {
        for variant in Variant::ALL {
            let name = format!("VARIANT_{}", variant.name());
            let options = proto::DmdOptions {
                variant: Some(proto::Variant::from_str_name(&name).unwrap().into()),
                ..proto::DmdOptions::default()
            };
            let mut problems = Problems {
                path: "spec",
                violations: Vec::new(),
            };
            assert_eq!(problems.variant(&options), variant);
            assert!(problems.violations.is_empty());
        }
    }
}
