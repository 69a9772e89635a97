//! What is known of each component without a decomposition: range, mean, median and t-score over the rows.

use crate::{Window, compress::CHUNK};

/// Per-component statistics of a window; all vectors have q values.
pub(crate) struct Statistics {
    /// Largest absolute value.
    pub max_abs: Vec<f64>,
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
    /// One pass over the window in chunks of components that stay in the cache.
    pub(crate) fn of(window: &Window) -> Self {
        let q = window.components();
        let mut statistics = Self {
            max_abs: vec![0.0; q],
            mean: vec![0.0; q],
            median: vec![0.0; q],
            t_scores: vec![0.0; q],
            first_non_finite_row: None,
            constant: true,
        };
        let mut chunk = Chunk::new(window.rows(), q.min(CHUNK));
        for start in (0..q).step_by(CHUNK) {
            chunk.load(window, start, (start + CHUNK).min(q));
            chunk.summarize(start, &mut statistics);
        }
        if !statistics.max_abs.iter().all(|m| m.is_finite()) {
            statistics.constant = false;
            statistics.first_non_finite_row =
                window.iter().position(|row| row.iter().any(|v| !v.is_finite()));
        }
        statistics
    }
}

/// The rows of some neighbouring components, and room to compute in.
struct Chunk {
    rows: Vec<Vec<f64>>,
    network: Vec<(usize, usize)>,
    minimum: Vec<f64>,
    maximum: Vec<f64>,
    /// Sum, then mean.
    mean: Vec<f64>,
    /// Mean over the largest absolute value.
    relative_mean: Vec<f64>,
    /// 0 while all values of the component are finite, else NaN.
    taint: Vec<f64>,
    squares: Vec<f64>,
}

impl Chunk {
    fn new(rows: usize, width: usize) -> Self {
        Self {
            rows: vec![vec![0.0; width]; rows],
            network: median_network(rows),
            minimum: vec![0.0; width],
            maximum: vec![0.0; width],
            mean: vec![0.0; width],
            relative_mean: vec![0.0; width],
            taint: vec![0.0; width],
            squares: vec![0.0; width],
        }
    }

    fn load(&mut self, window: &Window, start: usize, end: usize) {
        let width = end - start;
        for (copy, row) in self.rows.iter_mut().zip(window.iter()) {
            copy.truncate(width);
            copy.copy_from_slice(&row[start..end]);
        }
        for vector in [
            &mut self.minimum,
            &mut self.maximum,
            &mut self.mean,
            &mut self.relative_mean,
            &mut self.taint,
            &mut self.squares,
        ] {
            vector.truncate(width);
        }
    }

    fn summarize(&mut self, start: usize, out: &mut Statistics) {
        let (first, rest) = match self.rows.split_first() {
            Some(split) => split,
            None => return,
        };
        let width = first.len();
        let rows = self.rows.len() as f64;
        self.minimum.copy_from_slice(first);
        self.maximum.copy_from_slice(first);
        self.mean.copy_from_slice(first);
        for (t, v) in self.taint.iter_mut().zip(first) {
            *t = v * 0.0;
        }
        for row in rest {
            for (i, &v) in row.iter().enumerate() {
                self.minimum[i] = min(self.minimum[i], v);
                self.maximum[i] = max(self.maximum[i], v);
                self.mean[i] += v;
                self.taint[i] += v * 0.0;
            }
        }

        for i in 0..width {
            let (low, high) = (self.minimum[i], self.maximum[i]);
            out.max_abs[start + i] = low.abs().max(high.abs()) + self.taint[i];
            let mut mean = self.mean[i] / rows;
            if !mean.is_finite() {
                // The sum overflowed although each value is finite.
                mean = self.rows.iter().map(|row| row[i] / rows).sum();
            }
            // Rounding must not push the mean of equal values away from them.
            self.mean[i] = mean.max(low).min(high) + self.taint[i];
            self.relative_mean[i] = self.mean[i] / out.max_abs[start + i];
            out.constant &= low == high;
        }
        out.mean[start..start + width].copy_from_slice(&self.mean);

        // Deviations relative to the component's largest value, so that their squares neither overflow nor vanish.
        self.squares.fill(0.0);
        let scales = &out.max_abs[start..start + width];
        for row in &self.rows {
            let relative = row.iter().zip(scales).zip(&self.relative_mean);
            for (sum, ((value, scale), mean)) in self.squares.iter_mut().zip(relative) {
                let deviation = value / scale - mean;
                *sum += deviation * deviation;
            }
        }
        for i in 0..width {
            out.t_scores[start + i] = t_score(self.relative_mean[i], self.squares[i], rows);
        }

        for &(low, high) in &self.network {
            let (head, tail) = self.rows.split_at_mut(high);
            for (a, b) in head[low].iter_mut().zip(&mut tail[0]) {
                (*a, *b) = (min(*a, *b), max(*a, *b));
            }
        }
        let middle = self.rows.len() / 2;
        for i in 0..width {
            let median = if self.rows.len().is_multiple_of(2) {
                f64::midpoint(self.rows[middle - 1][i], self.rows[middle][i])
            } else {
                self.rows[middle][i]
            };
            out.median[start + i] = median + self.taint[i];
        }
    }
}

/// |mean| / sample standard deviation, from both relative to the component's largest absolute value: the mean and the sum
/// of squared deviations. A component that is zero or not finite has the relative mean NaN and the score 0.
fn t_score(relative_mean: f64, squares: f64, rows: f64) -> f64 {
    if relative_mean.is_nan() || relative_mean == 0.0 {
        return 0.0;
    }
    let deviation = (squares / (rows - 1.0)).sqrt();
    // Of a single row the deviation is 0 / 0.
    if deviation > 0.0 {
        relative_mean.abs() / deviation
    } else {
        f64::INFINITY
    }
}

/// The smaller of two finite values; unlike `f64::min` a single instruction.
#[inline(always)]
fn min(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// The larger of two finite values.
#[inline(always)]
fn max(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// Comparators (low, high) that bring the middle of `n` values (the two in the middle of an even number) to its place:
/// Batcher's odd-even merge sort without the comparators on which the middle does not depend.
fn median_network(n: usize) -> Vec<(usize, usize)> {
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
    needed[n / 2] = true;
    if n.is_multiple_of(2) {
        needed[n / 2 - 1] = true;
    }
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
        Statistics::of(&Window::from_flat(&flat, columns.len()).unwrap())
    }

    #[test]
    fn known_values() {
        let s = of(&[&[1.0, 2.0, 3.0, 10.0], &[-5.0, 0.0, 5.0, 4.0]]);
        assert_eq!(s.max_abs, [10.0, 5.0]);
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
            let window = Window::from_flat(&seed[..rows * 3], 3).unwrap();
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
