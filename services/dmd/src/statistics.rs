//! What is known of each component without a decomposition: range, mean, median and t-score over the rows.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

/// Per-component statistics of a window; all vectors have q values.
pub(crate) struct Statistics {
    /// Smallest value.
    pub low: Vec<f64>,
    /// Largest value.
    pub high: Vec<f64>,
    pub mean: Vec<f64>,
    pub median: Vec<f64>,
    /// |mean| / sample standard deviation (docs/method.md section 6).
    pub t_scores: Vec<f64>,
    /// Index of the first row with a non-finite value. The statistics of the components concerned are then NaN, their
    /// t-score 0.
    pub first_non_finite_row: Option<usize>,
    /// Whether all rows are equal.
    pub constant: bool,
}

impl Statistics {
    /// One pass over the rows of a window, at least one.
    pub(crate) fn of(rows: &[&[f64]]) -> Self {
        let mut statistics = Self::zero(rows[0].len());
        Arch::new().dispatch(Summarize {
            rows,
            out: &mut statistics,
        });
        if !statistics.high.iter().all(|high| high.is_finite()) {
            statistics.constant = false;
            statistics.first_non_finite_row = rows.iter().position(|row| row.iter().any(|v| !v.is_finite()));
        }
        statistics
    }

    /// The largest absolute value of each component.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = f64> + Clone {
        (0..self.low.len()).map(|component| self.size(component))
    }

    /// The largest absolute value of a component.
    pub(crate) fn size(&self, component: usize) -> f64 {
        self.low[component].abs().max(self.high[component].abs())
    }

    /// Those of components that are zero, to be filled in.
    pub(crate) fn zero(components: usize) -> Self {
        Self {
            low: vec![0.0; components],
            high: vec![0.0; components],
            mean: vec![0.0; components],
            median: vec![0.0; components],
            t_scores: vec![0.0; components],
            first_non_finite_row: None,
            constant: true,
        }
    }
}

/// Fills in the statistics of all components, as many at a time as fit in a register.
struct Summarize<'a> {
    rows: &'a [&'a [f64]],
    out: &'a mut Statistics,
}

impl WithSimd for Summarize<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (rows, last_components): (Vec<_>, Vec<_>) =
            self.rows.iter().map(|row| S::as_simd_f64s(row)).unzip();
        let (low, last_low) = S::as_mut_simd_f64s(&mut self.out.low);
        let (high, last_high) = S::as_mut_simd_f64s(&mut self.out.high);
        let (mean, last_mean) = S::as_mut_simd_f64s(&mut self.out.mean);
        let (median, last_median) = S::as_mut_simd_f64s(&mut self.out.median);
        let (t_scores, last_t_scores) = S::as_mut_simd_f64s(&mut self.out.t_scores);
        let network = median_network(rows.len());
        let mut column = vec![simd.splat_f64s(0.0); rows.len()];
        let mut range = simd.splat_f64s(0.0);
        for i in 0..low.len() {
            for (value, row) in column.iter_mut().zip(&rows) {
                *value = row[i];
            }
            let summary = summarize(simd, &mut column, &network);
            range = simd.max_f64s(range, summary.range);
            low[i] = summary.low;
            high[i] = summary.high;
            mean[i] = summary.mean;
            median[i] = summary.median;
            t_scores[i] = summary.t_score;
        }
        if !last_low.is_empty() {
            for (value, row) in column.iter_mut().zip(&last_components) {
                *value = simd.partial_load_f64s(row);
            }
            let summary = summarize(simd, &mut column, &network);
            range = simd.max_f64s(range, summary.range);
            simd.partial_store_f64s(last_low, summary.low);
            simd.partial_store_f64s(last_high, summary.high);
            simd.partial_store_f64s(last_mean, summary.mean);
            simd.partial_store_f64s(last_median, summary.median);
            simd.partial_store_f64s(last_t_scores, summary.t_score);
        }
        self.out.constant = simd.reduce_max_f64s(range) == 0.0;
    }
}

/// Statistics of the components of one register.
struct Summary<V> {
    low: V,
    high: V,
    mean: V,
    median: V,
    t_score: V,
    /// Largest value less the smallest.
    range: V,
}

/// Summarizes one register of components, whose rows are given, and leaves these in another order. What is not finite
/// turns all but the t-score to NaN.
#[inline(always)]
fn summarize<S: Simd>(simd: S, rows: &mut [S::f64s], network: &[(usize, usize)]) -> Summary<S::f64s> {
    let zero = simd.splat_f64s(0.0);
    let (mut low, mut high) = (rows[0], rows[0]);
    // Stays 0 while all values are finite, else is NaN.
    let mut taint = zero;
    for &value in &*rows {
        low = simd.min_f64s(low, value);
        high = simd.max_f64s(high, value);
        taint = simd.mul_add_e_f64s(value, zero, taint);
    }
    let max_abs = simd.max_f64s(simd.abs_f64s(low), simd.abs_f64s(high));

    // A power of two changes nothing but that sums do not overflow, nor squares overflow or vanish.
    let power = moderating_power(simd, max_abs);
    let count = simd.splat_f64s(rows.len() as f64);
    let mut sum = zero;
    for &value in &*rows {
        sum = simd.mul_add_e_f64s(value, power, sum);
    }
    let mean = simd.div_f64s(sum, count);
    // Rounding must not push the mean of equal values away from them.
    let mean = simd.max_f64s(mean, simd.mul_f64s(low, power));
    let mean = simd.min_f64s(mean, simd.mul_f64s(high, power));
    let mut squares = zero;
    for &value in &*rows {
        let deviation = simd.sub_f64s(simd.mul_f64s(value, power), mean);
        squares = simd.mul_add_e_f64s(deviation, deviation, squares);
    }

    sort_into_place(simd, rows, network);
    let (lower, upper) = (rows[(rows.len() - 1) / 2], rows[rows.len() / 2]);
    let half = simd.splat_f64s(0.5);
    let median = simd.add_f64s(simd.mul_f64s(lower, half), simd.mul_f64s(upper, half));
    let median = simd.min_f64s(simd.max_f64s(median, lower), upper);
    Summary {
        low: simd.add_f64s(low, taint),
        high: simd.add_f64s(high, taint),
        mean: simd.add_f64s(simd.div_f64s(mean, power), taint),
        median: simd.add_f64s(median, taint),
        t_score: t_score(simd, simd.add_f64s(mean, taint), squares, rows.len()),
        range: simd.sub_f64s(high, low),
    }
}

/// Applies the comparators of a [`selection_network`].
#[inline(always)]
pub(crate) fn sort_into_place<S: Simd>(simd: S, rows: &mut [S::f64s], network: &[(usize, usize)]) {
    for &(low, high) in network {
        let (a, b) = (rows[low], rows[high]);
        rows[low] = simd.min_f64s(a, b);
        rows[high] = simd.max_f64s(a, b);
    }
}

/// A power of two that brings values up to `size` to where their squares can be represented; mostly 1.
#[inline(always)]
fn moderating_power<S: Simd>(simd: S, size: S::f64s) -> S::f64s {
    let power = simd.select_f64s(
        simd.less_than_f64s(simd.splat_f64s(1e140), size),
        simd.splat_f64s(2_f64.powi(-600)),
        simd.splat_f64s(1.0),
    );
    simd.select_f64s(
        simd.less_than_f64s(size, simd.splat_f64s(1e-140)),
        simd.splat_f64s(2_f64.powi(600)),
        power,
    )
}

/// |mean| / sample standard deviation, from the mean and the sum of squared deviations. A component that is zero or not
/// finite (a mean of NaN) has the score 0; one whose rows are all equal, as that of a single row, an infinite one.
#[inline(always)]
fn t_score<S: Simd>(simd: S, mean: S::f64s, squares: S::f64s, rows: usize) -> S::f64s {
    let zero = simd.splat_f64s(0.0);
    let size = simd.abs_f64s(mean);
    let freedom = simd.splat_f64s((rows - 1) as f64);
    let deviation = simd.sqrt_f64s(simd.div_f64s(squares, freedom));
    let score = simd.select_f64s(
        simd.less_than_f64s(zero, deviation),
        simd.div_f64s(size, deviation),
        simd.splat_f64s(f64::INFINITY),
    );
    simd.select_f64s(simd.less_than_f64s(zero, size), score, zero)
}

/// Comparators that bring the middle of `n` values (the two in the middle of an even number) to its place.
fn median_network(n: usize) -> Vec<(usize, usize)> {
    selection_network(n, (n - 1) / 2..n / 2 + 1)
}

/// Comparators (low, high) that bring what sorting brings to these places there: Batcher's odd-even merge sort without the
/// comparators on which they do not depend.
pub(crate) fn selection_network(n: usize, places: Range<usize>) -> Vec<(usize, usize)> {
    let mut network = Vec::new();
    let mut p = 1;
    while p < n {
        let mut k = p;
        while k >= 1 {
            for j in (k % p..n.saturating_sub(k)).step_by(2 * k) {
                for i in 0..k.min(n - j - k) {
                    if (i + j) / (2 * p) == (i + j + k) / (2 * p) {
                        network.push((i + j, i + j + k));
                    }
                }
            }
            k /= 2;
        }
        p *= 2;
    }
    let mut needed = vec![false; n];
    needed[places].fill(true);
    let mut kept: Vec<_> = network
        .into_iter()
        .rev()
        .filter(|&(low, high)| {
            let used = needed[low] || needed[high];
            if used {
                needed[low] = true;
                needed[high] = true;
            }
            used
        })
        .collect();
    kept.reverse();
    kept
}

/// Euclidean norm of a row of finite values; exact scaling by the largest value only where squares would overflow or
/// vanish.
pub(crate) fn norm(row: &[f64]) -> f64 {
    let squares: f64 = row.iter().map(|v| v * v).sum();
    if squares.is_normal() && squares > 1e-280 {
        return squares.sqrt();
    }
    let largest = row.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    largest * row.iter().map(|v| (v / largest).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(columns: &[&[f64]]) -> Statistics {
        let rows = columns[0].len();
        let flat: Vec<f64> = (0..rows)
            .flat_map(|t| columns.iter().map(move |c| c[t]))
            .collect();
        Statistics::of(&flat.chunks_exact(columns.len()).collect::<Vec<_>>())
    }

    #[test]
    fn known_values() {
        let s = of(&[&[1.0, 2.0, 3.0, 10.0], &[-5.0, 0.0, 5.0, 4.0]]);
        assert_eq!(s.sizes().collect::<Vec<_>>(), [10.0, 5.0]);
        assert_eq!(s.mean, [4.0, 1.0]);
        assert_eq!(s.median, [2.5, 2.0]);
        // Sample deviations: sqrt(50 / 3), sqrt(62 / 3).
        assert!((s.t_scores[0] - 4.0 / (50.0_f64 / 3.0).sqrt()).abs() < 1e-14);
        assert!((s.t_scores[1] - 1.0 / (62.0_f64 / 3.0).sqrt()).abs() < 1e-14);
        assert!(!s.constant);
        assert_eq!(s.first_non_finite_row, None);
    }

    #[test]
    fn a_constant_component_has_an_infinite_t_score_and_a_zero_one_none() {
        let s = of(&[&[0.1; 20], &[0.0; 20], &[-7.3e-300; 20]]);
        assert_eq!(s.t_scores, [f64::INFINITY, 0.0, f64::INFINITY]);
        assert_eq!(s.mean, [0.1, 0.0, -7.3e-300]);
        assert!(s.constant);
    }

    #[test]
    fn extreme_values_neither_overflow_nor_vanish() {
        let huge = f64::MAX;
        let tiny = f64::MIN_POSITIVE * f64::EPSILON;
        let s = of(&[&[huge, huge, -huge, huge], &[tiny, tiny, 3.0 * tiny, 3.0 * tiny]]);
        assert!((s.mean[0] / huge - 0.5).abs() < 1e-15);
        assert!((s.t_scores[0] - 0.5).abs() < 1e-14);
        assert_eq!(s.mean[1], 2.0 * tiny);
        assert!((s.t_scores[1] - 3.0_f64.sqrt()).abs() < 1e-14);
    }

    #[test]
    fn a_non_finite_value_taints_its_component_only() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let s = of(&[&[1.0, 2.0, 3.0], &[1.0, bad, 3.0]]);
            assert_eq!(s.first_non_finite_row, Some(1));
            assert_eq!((s.mean[0], s.median[0]), (2.0, 2.0));
            assert!(s.mean[1].is_nan() && s.median[1].is_nan());
            assert_eq!(s.t_scores[1], 0.0);
            assert!(!s.constant);
        }
    }

    #[test]
    fn norms_neither_overflow_nor_vanish() {
        assert_eq!(norm(&[3.0, 4.0]), 5.0);
        assert_eq!(norm(&[0.0, 0.0]), 0.0);
        assert!((norm(&[3e200, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
        assert!((norm(&[3e-200, 4e-200]) / 5e-200 - 1.0).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn the_median_is_that_of_the_sorted_values(
            rows in 1_usize..40,
            seed in prop::collection::vec(-1e3..1e3_f64, 40 * 3),
        ) {
            let window: Vec<&[f64]> = seed[..rows * 3].chunks_exact(3).collect();
            let statistics = Statistics::of(&window);
            for c in 0..3 {
                let mut sorted: Vec<f64> = window.iter().map(|row| row[c]).collect();
                sorted.sort_by(f64::total_cmp);
                let expected = f64::midpoint(sorted[(rows - 1) / 2], sorted[rows / 2]);
                prop_assert_eq!(statistics.median[c], expected);
            }
        }
    }
}
