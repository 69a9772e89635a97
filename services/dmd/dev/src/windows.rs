//! The windows that all benchmarks use.

/// Rows of every window (sigma); delays are the default of 10.
pub const ROWS: usize = 20;

/// A window as training gives them: per component a constant, two decaying modes, and noise of 5 %, over four orders of
/// magnitude. `ROWS` x `components` values, row-major; the same for the same `components`.
#[must_use]
pub fn noisy_window(components: usize) -> Vec<f64> {
    let mut state = 0_u64;
    // SplitMix64, uniform on [-1, 1).
    let mut uniform = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    let shape: Vec<[f64; 4]> = (0..components)
        .map(|_| [uniform(), uniform(), uniform(), 10_f64.powf(2.0 * uniform())])
        .collect();
    (0..ROWS as i32)
        .flat_map(|t| {
            shape
                .iter()
                .map(|[constant, slow, fast, scale]| {
                    scale * (constant + slow * 0.9_f64.powi(t) + fast * 0.6_f64.powi(t) + 0.05 * uniform())
                })
                .collect::<Vec<_>>()
        })
        .collect()
}
