//! Loops over many values, compiled for the vector registers that the machine has.

use pulp::{Arch, Simd, WithSimd};

/// Writes `values` over `divisors` to `out`. All have one length.
pub(crate) fn divide(values: &[f64], divisors: &[f64], out: &mut [f64]) {
    Arch::new().dispatch(Divide {
        values,
        divisors,
        out,
    });
}

/// The sum of (value x weight)². Both have one length.
pub(crate) fn sum_of_weighted_squares(values: &[f64], weights: &[f64]) -> f64 {
    Arch::new().dispatch(WeightedSquares { values, weights })
}

struct Divide<'a> {
    values: &'a [f64],
    divisors: &'a [f64],
    out: &'a mut [f64],
}

impl WithSimd for Divide<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (values, last_values) = S::as_simd_f64s(self.values);
        let (divisors, last_divisors) = S::as_simd_f64s(self.divisors);
        let (out, last_out) = S::as_mut_simd_f64s(self.out);
        for ((out, value), divisor) in out.iter_mut().zip(values).zip(divisors) {
            *out = simd.div_f64s(*value, *divisor);
        }
        for ((out, value), divisor) in last_out.iter_mut().zip(last_values).zip(last_divisors) {
            *out = value / divisor;
        }
    }
}

struct WeightedSquares<'a> {
    values: &'a [f64],
    weights: &'a [f64],
}

impl WithSimd for WeightedSquares<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let (values, last_values) = S::as_simd_f64s(self.values);
        let (weights, last_weights) = S::as_simd_f64s(self.weights);
        let mut sum = simd.splat_f64s(0.0);
        for (value, weight) in values.iter().zip(weights) {
            let product = simd.mul_f64s(*value, *weight);
            sum = simd.mul_add_e_f64s(product, product, sum);
        }
        let rest: f64 = last_values
            .iter()
            .zip(last_weights)
            .map(|(value, weight)| (value * weight).powi(2))
            .sum();
        simd.reduce_sum_f64s(sum) + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_handled_to_its_end() {
        for length in 0..40 {
            let values: Vec<f64> = (0..length).map(|i| f64::from(i) - 7.5).collect();
            let weights: Vec<f64> = (0..length).map(|i| 1.0 / f64::from(i + 1)).collect();
            let mut quotients = vec![f64::NAN; values.len()];
            divide(&values, &weights, &mut quotients);
            for ((quotient, value), weight) in quotients.iter().zip(&values).zip(&weights) {
                assert_eq!(*quotient, value / weight);
            }
            let expected: f64 = values.iter().zip(&weights).map(|(v, w)| (v * w).powi(2)).sum();
            assert!((sum_of_weighted_squares(&values, &weights) - expected).abs() <= 1e-12 * expected);
        }
    }
}
