//! Windows whose components have known scales, compressed as their rows arrive.

use glocal_dmd::{
    Cancellation, InnerProducts, Options, Report, Scaling, Variant, Window, WindowError, analyze,
};
use proptest::prelude::*;

#[path = "../../dev/src/windows.rs"]
mod windows;

use windows::{ROWS, noisy_window};

/// More components than rows, and more than one chunk.
const COMPONENTS: usize = 1_500;

fn largest(values: &[f64], components: usize) -> Vec<f64> {
    let mut scales = vec![0.0_f64; components];
    for row in values.chunks_exact(components) {
        for (scale, value) in scales.iter_mut().zip(row) {
            *scale = scale.max(value.abs());
        }
    }
    scales
}

fn report(window: &Window, options: &Options) -> Report {
    analyze(window, options, &[], &Cancellation::new()).unwrap()
}

fn window_of<'a>(values: &'a [f64], rows: usize, scales: &'a [f64]) -> Window<'a> {
    let components = scales.len();
    Window::from_flat(&values[..rows * components], components)
        .unwrap()
        .with_scales(scales)
        .unwrap()
}

/// Inner products that were brought up to date after each of these numbers of rows.
fn products(values: &[f64], scales: &[f64], after: &[usize]) -> InnerProducts {
    let mut products = InnerProducts::new(ROWS);
    for &rows in after {
        let window = window_of(values, rows, scales);
        products.update(&window, &Cancellation::new()).unwrap();
        assert_eq!(products.rows(), rows);
    }
    products
}

fn assert_alike(a: &Report, b: &Report, within: f64) {
    let (glocal_a, glocal_b) = (a.glocal.as_ref().unwrap(), b.glocal.as_ref().unwrap());
    let size = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
    let difference: Vec<f64> = glocal_a.iter().zip(glocal_b).map(|(a, b)| a - b).collect();
    assert!(
        size(&difference) <= within * size(glocal_a),
        "{}",
        size(&difference) / size(glocal_a)
    );
    assert_eq!(a.verdict, b.verdict);
    assert_eq!(a.spectrum.rank, b.spectrum.rank);
    for (a, b) in a.spectrum.modes.iter().zip(&b.spectrum.modes) {
        assert!(
            (a.eigenvalue - b.eigenvalue).norm() < within,
            "{} {}",
            a.eigenvalue,
            b.eigenvalue
        );
        assert!((a.contribution_norm / b.contribution_norm - 1.0).abs() < within.max(1e-6));
    }
}

#[test]
fn scales_that_would_overflow_or_vanish_are_left_aside() {
    let plain_values = noisy_window(COMPONENTS);
    for (size, scale) in [(1.0, 5e-324), (1.0, 1e300), (1e300, 1.0), (1e-300, 1.0)] {
        let values: Vec<f64> = plain_values.iter().map(|value| size * value).collect();
        // All of them far off, and a single one.
        let mut one_off = largest(&values, COMPONENTS);
        one_off[7] = scale;
        let plain = Window::from_flat(&values, COMPONENTS).unwrap();
        for scales in [vec![scale; COMPONENTS], one_off] {
            let whole = products(&values, &scales, &[ROWS]);
            let known = window_of(&values, ROWS, &scales).with_products(&whole);
            for variant in Variant::ALL {
                let options = Options::of(variant, 1);
                let (found, expected) = (report(&known, &options), report(&plain, &options));
                assert!(
                    found
                        .spectrum
                        .modes
                        .iter()
                        .all(|mode| mode.contribution_norm.is_finite())
                );
                if scales.iter().all(|s| *s == scale) {
                    assert_alike(&found, &expected, 1e-12);
                }
            }
        }
    }
}

#[test]
fn the_largest_values_as_scales_are_component_scaling() {
    let values = noisy_window(COMPONENTS);
    let scales = largest(&values, COMPONENTS);
    let plain = Window::from_flat(&values, COMPONENTS).unwrap();
    let known = window_of(&values, ROWS, &scales);
    let whole = products(&values, &scales, &[ROWS]);
    for variant in Variant::ALL {
        let options = Options::of(variant, 1);
        let expected = report(&plain, &options);
        assert_alike(&report(&known, &options), &expected, 1e-12);
        assert_alike(
            &report(&known.clone().with_products(&whole), &options),
            &expected,
            1e-7,
        );
    }
}

#[test]
fn other_scales_are_another_weighting() {
    let values = noisy_window(COMPONENTS);
    let known = window_of(&values, ROWS, &[1.0; COMPONENTS]);
    let unscaled = Options {
        scaling: Scaling::None,
        ..Options::default()
    };
    let plain = report(&Window::from_flat(&values, COMPONENTS).unwrap(), &unscaled);
    assert_alike(&report(&known, &Options::default()), &plain, 1e-9);
}

#[test]
fn inner_products_do_not_depend_on_when_rows_were_added() {
    let values = noisy_window(COMPONENTS);
    let scales = largest(&values, COMPONENTS);
    let at_once = products(&values, &scales, &[ROWS]);
    let one_by_one = products(&values, &scales, &(1..=ROWS).collect::<Vec<_>>());
    let window = window_of(&values, ROWS, &scales);
    let reports =
        [at_once, one_by_one].map(|p| report(&window.clone().with_products(&p), &Options::default()));
    let [at_once, one_by_one] = &reports;
    assert_eq!(at_once.glocal, one_by_one.glocal);
    assert_eq!(at_once.spectrum, one_by_one.spectrum);
    assert_eq!(at_once.component_trusted, one_by_one.component_trusted);
    // The statistics are completed by the last row where the others had come before it.
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a / b - 1.0).abs() < 1e-9);
    assert!(near(&at_once.mean, &one_by_one.mean) && near(&at_once.t_scores, &one_by_one.t_scores));
    assert_eq!(at_once.median, one_by_one.median);
}

#[test]
fn inner_products_of_other_rows_are_left_alone() {
    let values = noisy_window(COMPONENTS);
    let scales = largest(&values, COMPONENTS);
    let too_few = products(&values, &scales, &[ROWS - 1]);
    let window = window_of(&values, ROWS, &scales);
    let options = Options::default();
    assert_eq!(
        report(&window.clone().with_products(&too_few), &options),
        report(&window, &options)
    );
}

#[test]
fn rows_that_depend_on_each_other_are_compressed_by_reflections() {
    // Two directions only: the inner products are singular.
    let values: Vec<f64> = (0..ROWS as i32)
        .flat_map(|t| {
            (0..COMPONENTS).map(move |c| 1.0 + c as f64 + (1.0 + (c as f64).sin()) * 0.5_f64.powi(t))
        })
        .collect();
    let scales = largest(&values, COMPONENTS);
    let whole = products(&values, &scales, &[7, ROWS]);
    let report = report(
        &window_of(&values, ROWS, &scales).with_products(&whole),
        &Options::default(),
    );
    for (c, found) in report.glocal.unwrap().iter().enumerate() {
        let limit = 1.0 + c as f64;
        assert!((found / limit - 1.0).abs() < 1e-6, "{c}: {found}");
    }
}

#[test]
fn scales_that_do_not_fit_are_refused() {
    let values = noisy_window(3);
    let with = |scales: &[f64]| {
        Window::from_flat(&values, 3)
            .unwrap()
            .with_scales(scales)
            .map(|_| ())
    };
    assert_eq!(with(&[1.0, 2.0, 3.0]), Ok(()));
    for (scales, message) in [
        (&[1.0, 2.0][..], "2 scales for 3 components"),
        (
            &[1.0, 0.0, 2.0],
            "the scale of component 1 is not a finite number above 0",
        ),
        (
            &[1.0, 1.0, f64::NAN],
            "the scale of component 2 is not a finite number above 0",
        ),
    ] {
        let error = with(scales).unwrap_err();
        assert!(matches!(error, WindowError::Scales { .. }));
        assert_eq!(error.to_string(), message);
    }
}

proptest! {
    #[test]
    fn a_known_scale_of_any_size_scales_nothing_but_the_component(
        exponents in prop::collection::vec(-200..200_i32, 40),
    ) {
        let components = exponents.len();
        let values = noisy_window(components);
        let factors: Vec<f64> = exponents.iter().map(|&e| 2_f64.powi(e)).collect();
        let scaled: Vec<f64> = values.iter().zip(factors.iter().cycle()).map(|(v, f)| v * f).collect();
        let options = Options::default();
        let of = |values: &[f64]| {
            let scales = largest(values, components);
            let products = products(values, &scales, &[ROWS / 2, ROWS]);
            report(&window_of(values, ROWS, &scales).with_products(&products), &options)
        };
        let (a, b) = (of(&values), of(&scaled));
        prop_assert_eq!(a.glocal.is_some(), b.glocal.is_some());
        for ((a, b), factor) in a.glocal.iter().flatten().zip(b.glocal.iter().flatten()).zip(&factors) {
            prop_assert!((a * factor - b).abs() <= 1e-6 * b.abs().max(factor * 1e-2), "{} {}", a * factor, b);
        }
    }
}
