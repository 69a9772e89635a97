//! How many singular values to keep (docs/method.md section 5, step 5).

/// Singular values below this share of the largest never count.
const FLOOR: f64 = 1e-6;

/// The rank of the decomposition, with the meaning of PyDMD's `svd_rank`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum SvdRank {
    /// -1: every singular value above the floor.
    #[default]
    All,
    /// 0: the optimal hard threshold of Gavish and Donoho (2014) for unknown noise.
    OptimalHardThreshold,
    /// Between 0 and 1: as many as hold this share of the energy (sum of squares).
    Energy(f64),
    /// 1 or more: this many at most.
    Fixed(usize),
}

impl SvdRank {
    /// From PyDMD's number: -1, 0, between 0 and 1, or a whole number from 1 on; `None` for anything else.
    #[must_use]
    pub fn from_number(value: f64) -> Option<Self> {
        if value == -1.0 {
            Some(Self::All)
        } else if value == 0.0 {
            Some(Self::OptimalHardThreshold)
        } else if value > 0.0 && value < 1.0 {
            Some(Self::Energy(value))
        } else if value >= 1.0 && value.fract() == 0.0 && value <= f64::from(u32::MAX) {
            Some(Self::Fixed(value as usize))
        } else {
            None
        }
    }

    /// Number of singular values to keep.
    ///
    /// `singular_values` are sorted, largest first; `shape` is that of the matrix they belong to (only the optimal hard
    /// threshold looks at it). 0 when there are none or all are zero; at least 1 otherwise.
    pub(crate) fn select(self, singular_values: &[f64], shape: (usize, usize)) -> usize {
        let Some(&largest) = singular_values.first() else {
            return 0;
        };
        let above_floor = singular_values
            .iter()
            .take_while(|&&s| s > FLOOR * largest)
            .count();
        let wanted = match self {
            Self::All => above_floor,
            Self::Fixed(rank) => rank,
            Self::Energy(share) => rank_of_energy(singular_values, share),
            Self::OptimalHardThreshold => {
                let threshold = median(singular_values) * optimal_threshold_over_median(shape);
                singular_values
                    .iter()
                    .take_while(|&&s| s > threshold)
                    .count()
                    .max(1)
            }
        };
        wanted.min(above_floor)
    }
}

/// Smallest number of singular values whose squares reach `share` of the sum of all squares.
fn rank_of_energy(singular_values: &[f64], share: f64) -> usize {
    let total: f64 = singular_values.iter().map(|s| s * s).sum();
    let mut held = 0.0;
    for (i, s) in singular_values.iter().enumerate() {
        held += s * s;
        if held / total >= share {
            return i + 1;
        }
    }
    singular_values.len()
}

/// Threshold over the median singular value, a cubic fit in the aspect ratio (Gavish and Donoho 2014, eq. 5).
fn optimal_threshold_over_median((rows, columns): (usize, usize)) -> f64 {
    let beta = rows.min(columns) as f64 / rows.max(columns) as f64;
    0.56 * beta.powi(3) - 0.95 * beta.powi(2) + 1.82 * beta + 1.43
}

/// Median of sorted values; of an even number the mean of the two in the middle.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_pydmds_meaning() {
        assert_eq!(SvdRank::from_number(-1.0), Some(SvdRank::All));
        assert_eq!(SvdRank::from_number(0.0), Some(SvdRank::OptimalHardThreshold));
        assert_eq!(SvdRank::from_number(0.9), Some(SvdRank::Energy(0.9)));
        assert_eq!(SvdRank::from_number(3.0), Some(SvdRank::Fixed(3)));
        for bad in [-2.0, -0.5, 1.5, f64::NAN, f64::INFINITY] {
            assert_eq!(SvdRank::from_number(bad), None, "{bad}");
        }
    }

    #[test]
    fn nothing_below_the_floor_is_kept() {
        let values = [1.0, 1e-3, 2e-6, 0.9e-6, 1e-9];
        assert_eq!(SvdRank::All.select(&values, (10, 5)), 3);
        assert_eq!(SvdRank::Fixed(5).select(&values, (10, 5)), 3);
        assert_eq!(SvdRank::Fixed(2).select(&values, (10, 5)), 2);
        assert_eq!(SvdRank::Energy(1.0 - 1e-16).select(&values, (10, 5)), 3);
    }

    #[test]
    fn energy_counts_squares() {
        // Squares 16, 9, 0.25: shares .634, .990, 1.
        let values = [4.0, 3.0, 0.5];
        assert_eq!(SvdRank::Energy(0.6).select(&values, (5, 3)), 1);
        assert_eq!(SvdRank::Energy(0.9).select(&values, (5, 3)), 2);
        assert_eq!(SvdRank::Energy(0.995).select(&values, (5, 3)), 3);
    }

    #[test]
    fn the_optimal_threshold_is_that_of_the_paper() {
        // 4 / sqrt(3) / sqrt(median of the Marchenko-Pastur law) for a square matrix is 2.858 (Gavish and Donoho).
        assert!((optimal_threshold_over_median((7, 7)) - 2.858).abs() < 0.01);
        // Median 1, threshold 2.86: two values above.
        let values = [10.0, 5.0, 2.0, 1.0, 0.9, 0.8, 0.7];
        assert_eq!(SvdRank::OptimalHardThreshold.select(&values, (7, 7)), 2);
        // Where no value stands out the largest is kept.
        assert_eq!(SvdRank::OptimalHardThreshold.select(&[1.0, 1.0, 1.0], (3, 3)), 1);
    }

    #[test]
    fn no_singular_values_and_zero_singular_values_have_rank_0() {
        assert_eq!(SvdRank::All.select(&[], (0, 0)), 0);
        assert_eq!(SvdRank::All.select(&[0.0, 0.0], (2, 2)), 0);
        assert_eq!(SvdRank::OptimalHardThreshold.select(&[0.0, 0.0], (2, 2)), 0);
    }
}
