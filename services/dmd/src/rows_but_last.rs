//! What is known of each component before the last row of a window has come, and what it adds.

use pulp::{Arch, Simd, WithSimd};

use crate::statistics::{Statistics, selection_network, sort_into_place};

/// Sizes of values whose squares neither overflow nor vanish.
const MODERATE: std::ops::Range<f64> = 1e-140..1e140;

/// Statistics of all rows of a window but the last; all vectors have one value for each component.
#[derive(Debug, Clone)]
pub(crate) struct RowsButLast {
    rows: usize,
    low: Vec<f64>,
    high: Vec<f64>,
    mean: Vec<f64>,
    /// Sum of squared deviations from the mean.
    squares: Vec<f64>,
    /// The values in the middle of the sorted rows, and those before and after it: where the median can be when another row
    /// comes. Of an even number of rows the third is the second.
    middle: [Vec<f64>; 3],
}

impl RowsButLast {
    /// Of the rows of a window, after which one more is to come. `None` when they are fewer than three.
    pub(crate) fn of(rows: &[&[f64]]) -> Option<Self> {
        if rows.len() < 3 {
            return None;
        }
        let zeros = || vec![0.0; rows[0].len()];
        let mut summary = Self {
            rows: rows.len(),
            low: zeros(),
            high: zeros(),
            mean: zeros(),
            squares: zeros(),
            middle: [zeros(), zeros(), zeros()],
        };
        Arch::new().dispatch(Summarize {
            rows,
            out: &mut summary,
        });
        Some(summary)
    }

    /// The statistics of all rows; `None` where a value is not finite, or too large or small for this short way.
    pub(crate) fn with_last(&self, last: &[f64]) -> Option<Statistics> {
        let mut statistics = Statistics::zero(last.len());
        Arch::new()
            .dispatch(Complete {
                before: self,
                last,
                out: &mut statistics,
            })
            .then_some(statistics)
    }
}

struct Summarize<'a> {
    rows: &'a [&'a [f64]],
    out: &'a mut RowsButLast,
}

impl WithSimd for Summarize<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let n = self.out.rows;
        // Of an odd number the middle and its neighbours, of an even number the two in the middle.
        let (first, last) = ((n - 1) / 2 - n % 2, n / 2 + n % 2);
        let places = [first, first + 1, last];
        let network = selection_network(n, first..last + 1);
        let count = simd.splat_f64s(n as f64);
        let lanes = S::F64_LANES;
        let mut column = vec![simd.splat_f64s(0.0); n];
        for start in (0..self.rows[0].len()).step_by(lanes) {
            let range = start..(start + lanes).min(self.rows[0].len());
            for (value, row) in column.iter_mut().zip(self.rows) {
                *value = simd.partial_load_f64s(&row[range.clone()]);
            }
            let mut sum = simd.splat_f64s(0.0);
            for &value in &column {
                sum = simd.add_f64s(sum, value);
            }
            let mean = simd.div_f64s(sum, count);
            let (mut low, mut high, mut squares) = (column[0], column[0], simd.splat_f64s(0.0));
            for &value in &column {
                low = simd.min_f64s(low, value);
                high = simd.max_f64s(high, value);
                let deviation = simd.sub_f64s(value, mean);
                squares = simd.mul_add_e_f64s(deviation, deviation, squares);
            }
            sort_into_place(simd, &mut column, &network);
            let out = &mut *self.out;
            simd.partial_store_f64s(&mut out.low[range.clone()], low);
            simd.partial_store_f64s(&mut out.high[range.clone()], high);
            simd.partial_store_f64s(&mut out.mean[range.clone()], mean);
            simd.partial_store_f64s(&mut out.squares[range.clone()], squares);
            for (middle, place) in out.middle.iter_mut().zip(places) {
                simd.partial_store_f64s(&mut middle[range.clone()], column[place]);
            }
        }
    }
}

struct Complete<'a> {
    before: &'a RowsButLast,
    last: &'a [f64],
    out: &'a mut Statistics,
}

impl WithSimd for Complete<'_> {
    type Output = bool;

    // The loop is compiled for the registers of each kind of machine.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        let Self { before, last, out } = self;
        let q = last.len();
        let rows = before.rows as f64;
        let total = rows + 1.0;
        let even = before.rows % 2 == 1;
        let (low, high) = (&before.low[..q], &before.high[..q]);
        let (means, squares) = (&before.mean[..q], &before.squares[..q]);
        let [below, middle, above] = before.middle.each_ref().map(|values| &values[..q]);
        let (low_out, high_out) = (&mut out.low[..q], &mut out.high[..q]);
        let mean_out = &mut out.mean[..q];
        let (median, t_scores) = (&mut out.median[..q], &mut out.t_scores[..q]);
        let (mut moderate, mut constant) = (true, true);
        for c in 0..q {
            let x = last[c];
            let (low, high) = (low[c].min(x), high[c].max(x));
            let size = low.abs().max(high.abs());
            moderate &= x.is_finite() & squares[c].is_finite() & (MODERATE.contains(&size) | (size == 0.0));
            constant &= low == high;
            let change = x - means[c];
            // Rounding must not push the mean of equal values away from them.
            let mean = (means[c] + change / total).max(low).min(high);
            let squares = squares[c] + change * change * (rows / total);
            let lower = x.min(middle[c]).max(below[c]);
            let upper = x.min(above[c]).max(middle[c]);
            let deviation = (squares / rows).sqrt();
            low_out[c] = low;
            high_out[c] = high;
            mean_out[c] = mean;
            median[c] = if even { 0.5 * lower + 0.5 * upper } else { lower };
            let score = if low == high {
                f64::INFINITY
            } else {
                mean.abs() / deviation
            };
            t_scores[c] = if mean == 0.0 { 0.0 } else { score };
        }
        out.constant = constant;
        moderate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_last_row_completes_the_statistics(
            rows in 4_usize..30,
            components in 1_usize..20,
            values in prop::collection::vec(prop_oneof![4 => -1e3..1e3_f64, 1 => Just(2.5)], 600),
        ) {
            let values = &values[..rows * components];
            let window: Vec<&[f64]> = values.chunks_exact(components).collect();
            let expected = Statistics::of(&window);
            let found = RowsButLast::of(&window[..rows - 1]).unwrap().with_last(window[rows - 1]).unwrap();
            prop_assert_eq!(found.constant, expected.constant);
            prop_assert_eq!((&found.low, &found.high), (&expected.low, &expected.high));
            let near = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1e-3);
            for c in 0..components {
                prop_assert!(near(found.median[c], expected.median[c]), "{} {}", found.median[c], expected.median[c]);
                prop_assert!(near(found.mean[c], expected.mean[c]));
                prop_assert!(near(found.t_scores[c], expected.t_scores[c]));
            }
        }
    }

    #[test]
    fn what_is_equal_zero_or_extreme_is_seen() {
        let of = |values: &[f64], last: f64| {
            let rows: Vec<&[f64]> = values.chunks_exact(1).collect();
            RowsButLast::of(&rows).unwrap().with_last(&[last])
        };
        let constant = of(&[0.1; 5], 0.1).unwrap();
        assert!(constant.constant);
        assert_eq!(
            (constant.mean[0], constant.median[0], constant.t_scores[0]),
            (0.1, 0.1, f64::INFINITY)
        );
        let zero = of(&[0.0; 4], 0.0).unwrap();
        assert_eq!((zero.high[0], zero.t_scores[0]), (0.0, 0.0));
        assert!(of(&[1.0; 4], f64::NAN).is_none());
        assert!(of(&[1.0, f64::INFINITY, 1.0], 1.0).is_none());
        assert!(of(&[1.0, f64::NAN, 1.0], 1.0).is_none());
        assert!(of(&[1e200; 3], 1.0).is_none());
        assert!(of(&[1e-200; 3], 1e-200).is_none());
        assert!(RowsButLast::of(&[&[1.0], &[2.0]]).is_none());
    }
}
