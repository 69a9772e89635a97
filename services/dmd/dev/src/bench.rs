//! Times the library (`glocal-dmd-dev bench`), or a running service.

use std::{hint::black_box, time::Instant};

use clap::Args;
use glocal_dmd::{
    AnalysisError, Cancellation, InnerProducts, Options, Window, analyze,
    cli::failure::{Failure, exit},
};

use crate::{
    load,
    rows::{Row, median, print},
    windows::{ROWS, noisy_window},
};

/// Time the analysis of windows of 3 to 1,000,000 components (20 rows, 10 delays, one thread).
#[derive(Debug, Args)]
pub struct Bench {
    /// Only figures whose name contains this.
    #[arg(long, value_name = "PART")]
    only: Option<String>,

    /// Time the service there instead, without TLS: windows of 3 components a second for 32 callers at once.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "only")]
    address: Option<String>,

    /// Print a JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

impl Bench {
    /// Times what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when an analysis fails, or the service cannot be reached.
    pub fn run(self) -> Result<(), Failure> {
        match self.address {
            Some(address) => {
                load::run(&address, self.json).map_err(|error| Failure::new(exit::UNAVAILABLE, error))
            }
            None => run(self.only.as_deref(), self.json).map_err(|error| Failure::new(exit::SOFTWARE, error)),
        }
    }
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
fn run(only: Option<&str>, json: bool) -> Result<(), AnalysisError> {
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
