//! Time to analyze a window of 3 to 1,000,000 components (20 rows, 10 delays, one thread).
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros; a benchmark fails by panicking"
)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use glocal_dmd::{Cancellation, Options, Window, analyze};
use tikv_jemallocator::Jemalloc;

#[path = "../src/windows.rs"]
mod windows;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn estimate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("estimate");
    let (options, cancellation) = (Options::default(), Cancellation::new());
    for (components, samples) in [(3, 100), (385, 100), (100_000, 20), (1_000_000, 10)] {
        let values = windows::noisy_window(components);
        let window = Window::from_flat(&values, components).unwrap();
        group.sample_size(samples);
        group.bench_with_input(
            BenchmarkId::from_parameter(components),
            &window,
            |bencher, window| {
                bencher.iter(|| analyze(black_box(window), &options, &[], &cancellation).unwrap());
            },
        );
    }
    group.finish();
}

criterion_group!(benches, estimate);
criterion_main!(benches);
