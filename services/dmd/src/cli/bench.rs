//! Times the library (`glocal-dmd bench`), and makes the windows that all benchmarks use.

use std::{hint::black_box, time::Instant};

use super::{Row, print_json, print_lines};
use crate::{AnalysisError, Cancellation, InnerProducts, Options, Window, analyze};

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

/// A window size to time.
struct Size {
    name: &'static str,
    components: usize,
    repetitions: usize,
    unit: &'static str,
}

const SIZES: [Size; 3] = [
    Size {
        name: "dmd.estimate_q3_p50_us",
        components: 3,
        repetitions: 4001,
        unit: "us",
    },
    Size {
        name: "dmd.estimate_q385_p50_us",
        components: 385,
        repetitions: 1001,
        unit: "us",
    },
    Size {
        name: "dmd.estimate_q100k_p50_ms",
        components: 100_000,
        repetitions: 41,
        unit: "ms",
    },
];
/// From the last of 20 rows to the report, when the components' scales are known and the rows before it have been added as
/// they came. Without scales it is all of `dmd.estimate_q100k_p50_ms`.
const AFTER_LAST: Size = Size {
    name: "dmd.after_last_vector_q100k_ms",
    components: 100_000,
    repetitions: 161,
    unit: "ms",
};
const LARGEST: Size = Size {
    name: "dmd.estimate_q1m_over_memcpy",
    components: 1_000_000,
    repetitions: 9,
    unit: "ratio",
};

/// Times every size and prints the medians.
///
/// # Errors
/// [`AnalysisError`] when an analysis fails.
pub fn run(only: Option<&str>, json: bool) -> Result<(), AnalysisError> {
    let wanted = |size: &&Size| only.is_none_or(|part| size.name.contains(part));
    let mut rows = Vec::new();
    for size in SIZES.iter().filter(wanted) {
        let seconds = median(&time(&noisy_window(size.components), size)?);
        let value = seconds * if size.unit == "us" { 1e6 } else { 1e3 };
        rows.push(Row {
            name: size.name,
            value,
            unit: size.unit,
            n: size.repetitions,
        });
    }
    if let Some(size) = Some(&AFTER_LAST).filter(wanted) {
        rows.push(Row {
            name: size.name,
            value: 1e3 * median(&time_after_last(size)?),
            unit: size.unit,
            n: size.repetitions,
        });
    }
    if let Some(size) = Some(&LARGEST).filter(wanted) {
        let values = noisy_window(size.components);
        let copying = median(&time_copying(&values, size.repetitions));
        let value = median(&time(&values, size)?) / copying;
        rows.push(Row {
            name: size.name,
            value,
            unit: size.unit,
            n: size.repetitions,
        });
    }
    print(&rows, json);
    Ok(())
}

pub(super) fn print(rows: &[Row], json: bool) {
    if json {
        print_json(rows);
    } else {
        let line = |row: &Row| format!("{:32} {:10.2} {:5} n {}", row.name, row.value, row.unit, row.n);
        print_lines(&rows.iter().map(line).collect::<Vec<_>>());
    }
}

/// Seconds of each repetition, after some that do not count.
fn time(values: &[f64], size: &Size) -> Result<Vec<f64>, AnalysisError> {
    let options = Options::default();
    let cancellation = Cancellation::new();
    let warm_up = size.repetitions.div_ceil(10);
    let mut seconds = Vec::with_capacity(size.repetitions);
    for repetition in 0..warm_up + size.repetitions {
        let started = Instant::now();
        let rows = values.chunks_exact(size.components).collect();
        if let Ok(window) = Window::new(rows) {
            black_box(analyze(black_box(&window), &options, &[], &cancellation)?);
        }
        if repetition >= warm_up {
            seconds.push(started.elapsed().as_secs_f64());
        }
    }
    Ok(seconds)
}

/// Seconds from the last row to the report.
fn time_after_last(size: &Size) -> Result<Vec<f64>, AnalysisError> {
    let values = noisy_window(size.components);
    let scales: Vec<f64> = (0..size.components)
        .map(|c| {
            let component = values.iter().skip(c).step_by(size.components);
            component.fold(0.0_f64, |scale, value| scale.max(value.abs()))
        })
        .collect();
    let window = |rows: usize| {
        Window::new(values.chunks_exact(size.components).take(rows).collect())?.with_scales(&scales)
    };
    let (options, cancellation) = (Options::default(), Cancellation::new());
    let mut before = InnerProducts::new(ROWS);
    before.update(&window(ROWS - 1)?, &cancellation)?;
    (0..size.repetitions)
        .map(|_| {
            let mut products = before.clone();
            let started = Instant::now();
            let window = window(ROWS)?;
            products.update(&window, &cancellation)?;
            black_box(analyze(
                &black_box(window).with_products(&products),
                &options,
                &[],
                &cancellation,
            )?);
            Ok(started.elapsed().as_secs_f64())
        })
        .collect()
}

/// Seconds to copy the window once, to memory that is mapped already.
fn time_copying(values: &[f64], repetitions: usize) -> Vec<f64> {
    let mut copy = values.to_vec();
    (0..repetitions)
        .map(|_| {
            let started = Instant::now();
            copy.copy_from_slice(black_box(values));
            black_box(&copy);
            started.elapsed().as_secs_f64()
        })
        .collect()
}

pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
