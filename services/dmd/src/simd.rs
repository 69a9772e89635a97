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

/// Adds `factor` times `values` to `out`. Both have one length.
pub(crate) fn add_scaled(factor: f64, values: &[f64], out: &mut [f64]) {
    Arch::new().dispatch(AddScaled { factor, values, out });
}

/// Inner products of `a` and of `b` with `c`. All have one length.
pub(crate) fn two_products(a: &[f64], b: &[f64], c: &[f64]) -> (f64, f64) {
    Arch::new().dispatch(TwoProducts { a, b, c })
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

struct AddScaled<'a> {
    factor: f64,
    values: &'a [f64],
    out: &'a mut [f64],
}

impl WithSimd for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (values, last_values) = S::as_simd_f64s(self.values);
        let (out, last_out) = S::as_mut_simd_f64s(self.out);
        let factor = simd.splat_f64s(self.factor);
        for (out, value) in out.iter_mut().zip(values) {
            *out = simd.mul_add_e_f64s(factor, *value, *out);
        }
        for (out, value) in last_out.iter_mut().zip(last_values) {
            *out += self.factor * value;
        }
    }
}

struct TwoProducts<'a> {
    a: &'a [f64],
    b: &'a [f64],
    c: &'a [f64],
}

impl WithSimd for TwoProducts<'_> {
    type Output = (f64, f64);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> (f64, f64) {
        let (a, last_a) = S::as_simd_f64s(self.a);
        let (b, last_b) = S::as_simd_f64s(self.b);
        let (c, last_c) = S::as_simd_f64s(self.c);
        // Two sums each, so that one addition need not wait for another.
        let mut sums = [[simd.splat_f64s(0.0); 2]; 2];
        for (i, ((a, b), c)) in a.iter().zip(b).zip(c).enumerate() {
            let sums = &mut sums[i % 2];
            sums[0] = simd.mul_add_e_f64s(*a, *c, sums[0]);
            sums[1] = simd.mul_add_e_f64s(*b, *c, sums[1]);
        }
        let rest = |x: &[f64]| -> f64 { x.iter().zip(last_c).map(|(x, c)| x * c).sum() };
        let [even, odd] = sums;
        let sum = |k: usize| simd.reduce_sum_f64s(simd.add_f64s(even[k], odd[k]));
        (sum(0) + rest(last_a), sum(1) + rest(last_b))
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
            let mut sums = weights.clone();
            add_scaled(2.0, &values, &mut sums);
            for ((sum, value), weight) in sums.iter().zip(&values).zip(&weights) {
                assert_eq!(*sum, weight + 2.0 * value);
            }
            let (of_values, of_weights) = two_products(&values, &weights, &values);
            let squares: f64 = values.iter().map(|v| v * v).sum();
            let products: f64 = values.iter().zip(&weights).map(|(v, w)| v * w).sum();
            assert!((of_values - squares).abs() <= 1e-12 * squares);
            assert!((of_weights - products).abs() <= 1e-12 * squares);
            assert!((sum_of_weighted_squares(&values, &weights) - expected).abs() <= 1e-12 * expected);
        }
    }
}
