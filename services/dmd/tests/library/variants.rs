//! Each variant against references computed by others, and where it is said to be right.

use std::path::Path;

use glocal_dmd::{Cancellation, Complex, Options, Report, Variant, Window, analyze};
use serde_json::Value;

fn held_phi(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(Path::new("tests/fixtures").join(name)).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    cases.filter(|case| case["usable"] == true).cloned().collect()
}

fn numbers(value: &Value) -> Option<Vec<f64>> {
    let values = value.as_array()?.iter();
    values.map(Value::as_f64).collect()
}

/// The last 20 rows of a case.
fn last_rows(case: &Value) -> Vec<Vec<f64>> {
    let rows = case["window"].as_array().unwrap();
    rows[rows.len() - 20..]
        .iter()
        .map(|row| numbers(row).unwrap())
        .collect()
}

fn analyze_rows(rows: &[Vec<f64>], options: &Options) -> Report {
    let window = Window::new(rows.iter().map(Vec::as_slice).collect()).unwrap();
    analyze(&window, options, &[], &Cancellation::new()).unwrap()
}

fn analyze_as(rows: &[Vec<f64>], variant: Variant) -> Report {
    analyze_rows(rows, &Options::of(variant, 1))
}

/// Largest difference over the largest value of the component in the window.
fn difference(found: Option<&[f64]>, expected: Option<&[f64]>, rows: &[Vec<f64>]) -> f64 {
    match (found, expected) {
        (None, None) => 0.0,
        (Some(found), Some(expected)) => (0..expected.len())
            .map(|c| {
                let size = rows.iter().fold(0.0_f64, |size, row| size.max(row[c].abs()));
                (found[c] - expected[c]).abs() / size
            })
            .fold(0.0, f64::max),
        _ => f64::INFINITY,
    }
}

/// Windows and references have eight digits.
const DIGITS: f64 = 2e-7;

fn assert_references(file: &str, reference: &str, options: &Options, within: f64) {
    let cases = held_phi(file);
    assert!(cases.len() > 70);
    for case in &cases {
        let rows = last_rows(case);
        let report = analyze_rows(&rows, options);
        let expected = numbers(&case["reference"][reference]);
        let difference = difference(report.glocal.as_deref(), expected.as_deref(), &rows);
        assert!(
            difference < within,
            "{} {}: {difference:e}",
            case["id"],
            reference
        );
    }
}

#[test]
fn affine_is_that_of_the_reference() {
    assert_references(
        "held_phi.json",
        "affineClipM3R3",
        &Options::of(Variant::Affine, 1),
        DIGITS,
    );
    // A clip of .98 looks fifty steps ahead, and so the last digit is multiplied.
    let options = Options {
        clip: 0.98,
        ..Options::of(Variant::Affine, 1)
    };
    assert_references(
        "held_phi_averaged.json",
        "affineClip98M3R3",
        &options,
        50.0 * DIGITS,
    );
}

#[test]
fn the_controls_and_hankel_are_those_of_the_reference() {
    for file in ["held_phi.json", "held_phi_averaged.json"] {
        assert_references(file, "last", &Options::of(Variant::Last, 1), DIGITS);
        assert_references(file, "mean20", &Options::of(Variant::Mean, 1), DIGITS);
    }
    // Noise makes the eigenvalues of HANKEL hang on the last digits of the window; the estimate does so less.
    for case in held_phi("held_phi.json") {
        let rows = last_rows(&case);
        let report = analyze_as(&rows, Variant::Hankel);
        let expected = numbers(&case["reference"]["hankelM10Tol01"]);
        assert!(
            difference(report.glocal.as_deref(), expected.as_deref(), &rows) < 1e-3,
            "{}",
            case["id"]
        );
    }
}

#[test]
fn the_median_is_the_reports_own() {
    for case in held_phi("held_phi.json").iter().take(5) {
        let report = analyze_as(&last_rows(case), Variant::Median);
        assert_eq!(report.glocal, Some(report.median));
    }
}

/// Deterministic noise, uniform on [-size, size).
fn noise(size: f64) -> impl FnMut() -> f64 {
    let mut state = 7_u64;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        size * ((state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0)
    }
}

fn rows_of(count: usize, components: usize, mut value: impl FnMut(i32, usize) -> f64) -> Vec<Vec<f64>> {
    (0..count as i32)
        .map(|t| (0..components).map(|c| value(t, c)).collect())
        .collect()
}

#[test]
fn affine_finds_the_limit_of_a_decay_that_its_clip_permits() {
    let rows = rows_of(20, 2, |t, c| [2.0, -1.0][c] + [-1.5, 0.8][c] * 0.85_f64.powi(t));
    let exact = Options {
        ridge: 0.0,
        ..Options::of(Variant::Affine, 1)
    };
    let report = analyze_rows(&rows, &exact);
    for (found, expected) in report.glocal.unwrap().iter().zip([2.0, -1.0]) {
        assert!((found - expected).abs() < 1e-9, "{found}");
    }
    assert_eq!(report.spectrum.modes[0].eigenvalue.re, 1.0);
    assert!(report.spectrum.modes[0].steady && !report.spectrum.modes[1].steady);
    assert!((report.spectrum.modes[1].eigenvalue.re - 0.85).abs() < 1e-9);
    assert!(report.spectrum.reconstruction_error < 1e-9);
}

#[test]
fn affine_looks_ahead_only_as_far_as_its_clip() {
    // A straight line has no limit; the clip of .9 goes on for ten steps.
    let rows = rows_of(20, 1, |t, _| f64::from(t));
    let ahead = |clip| {
        let options = Options {
            clip,
            ridge: 0.0,
            ..Options::of(Variant::Affine, 1)
        };
        analyze_rows(&rows, &options).glocal.unwrap()[0]
    };
    // The mean snapshot is at t = 9 (rows 0 ... 18 in blocks of three), and one step adds 1.
    assert!((ahead(0.9) - 19.0).abs() < 1e-6, "{}", ahead(0.9));
    assert!((ahead(0.5) - 11.0).abs() < 1e-6, "{}", ahead(0.5));
}

#[test]
fn affine_has_an_estimate_where_hankel_has_none() {
    let rows = rows_of(20, 1, |t, _| 0.6_f64.powi(t));
    assert_eq!(analyze_as(&rows, Variant::Hankel).glocal, None);
    assert!(analyze_as(&rows, Variant::Affine).glocal.unwrap()[0].abs() < 0.05);
    // Nothing but the last row moves.
    let rows = rows_of(20, 1, |t, _| if t == 19 { 5.0 } else { 1.0 });
    let glocal = analyze_as(&rows, Variant::Affine).glocal.unwrap()[0];
    assert!((glocal - 1.0).abs() < 1e-12, "{glocal}");
}

#[test]
fn a_stride_changes_nothing_on_a_window_that_has_every_row() {
    // 31 rows of a decay of .9 a step, and every third of them.
    let rows = rows_of(31, 2, |t, c| [2.0, -1.0][c] + [-1.5, 0.8][c] * 0.85_f64.powi(t));
    let strided: Vec<Vec<f64>> = rows.iter().step_by(3).cloned().collect();
    for (variant, within) in [
        (Variant::Affine, 0.02),
        (Variant::Hankel, 1e-6),
        (Variant::Optimized, 1e-3),
    ] {
        let every = analyze_rows(&rows, &Options::of(variant, 1)).glocal.unwrap();
        let third = analyze_rows(&strided, &Options::of(variant, 3)).glocal.unwrap();
        for (a, b) in every.iter().zip(&third) {
            assert!((a - b).abs() < within, "{} {a} {b}", variant.name());
        }
    }
}

#[test]
fn tolerance_and_verdict_hold_per_inner_step() {
    // .7 a row is .888 a step at stride 3, which lies within .2 of 1.
    let rows = rows_of(20, 1, |t, _| 0.7_f64.powi(t));
    let steady = |stride| {
        let options = Options {
            tolerance: 0.2,
            ..Options::of(Variant::Hankel, stride)
        };
        analyze_rows(&rows, &options).spectrum.modes[0].steady
    };
    assert!(!steady(1) && steady(3));
    // Growth by 1.5 a row is growth by 1.14 a step at stride 3.
    let rows = rows_of(20, 1, |t, _| 1.5_f64.powi(t));
    let share = |stride| {
        analyze_rows(&rows, &Options::of(Variant::Hankel, stride))
            .verdict_figures
            .growing_share
    };
    assert!(share(1) > 0.99 && share(3) == 0.0);
}

#[test]
fn forward_backward_removes_the_bias_of_noise_from_the_eigenvalue() {
    // A decay of .9 in 30 components with noise of a tenth of it: going forward alone makes the eigenvalue too small.
    let mut draw = noise(0.05);
    let rows = rows_of(20, 30, |t, c| (1.0 + c as f64 / 30.0) * 0.9_f64.powi(t) + draw());
    let eigenvalue = |variant| {
        let options = Options {
            delays: 1,
            svd_rank: glocal_dmd::SvdRank::Fixed(1),
            scaling: glocal_dmd::Scaling::None,
            ..Options::of(variant, 1)
        };
        analyze_rows(&rows, &options).spectrum.modes[0].eigenvalue.re
    };
    let error = |variant| (eigenvalue(variant) - 0.9).abs();
    assert!(error(Variant::ForwardBackward) < error(Variant::Hankel));
    assert!(
        error(Variant::ForwardBackward) < 0.01,
        "{}",
        eigenvalue(Variant::ForwardBackward)
    );
}

#[test]
fn forward_backward_finds_what_hankel_finds_without_noise() {
    let rows = rows_of(20, 2, |t, c| {
        [2.0, -1.0][c] + 0.5 * 0.8_f64.powi(t) * (0.7 * f64::from(t) + c as f64).cos() + (-0.6_f64).powi(t)
    });
    let modes = |variant| analyze_as(&rows, variant).spectrum.modes;
    let (forward, both) = (modes(Variant::Hankel), modes(Variant::ForwardBackward));
    assert_eq!((forward.len(), both.len()), (4, 4));
    for (a, b) in forward.iter().zip(&both) {
        assert!(
            (a.eigenvalue - b.eigenvalue).norm() < 1e-6,
            "{} {}",
            a.eigenvalue,
            b.eigenvalue
        );
        assert!((a.contribution_norm - b.contribution_norm).abs() < 1e-6);
    }
}

#[test]
fn forward_backward_tells_an_eigenvalue_from_its_negative() {
    // A constant 3 that alternates by 1, without and with noise, and one that turns by a quarter a row.
    for (size, within) in [(0.0, 1e-9), (1e-6, 1e-5), (1e-3, 1e-2), (1e-2, 1e-1)] {
        let mut draw = noise(size);
        let alternating = rows_of(20, 1, |t, _| 3.0 + (-1.0_f64).powi(t) + draw());
        let turning = rows_of(20, 1, |t, _| 3.0 + [1.0, 0.0, -1.0, 0.0][t as usize % 4] + draw());
        for (rows, delays, expected) in [
            (alternating, 2, vec![(1.0, 0.0), (-1.0, 0.0)]),
            (turning, 3, vec![(1.0, 0.0), (0.0, 1.0), (0.0, -1.0)]),
        ] {
            let options = Options {
                delays,
                ..Options::of(Variant::ForwardBackward, 1)
            };
            let report = analyze_rows(&rows, &options);
            let glocal = report.glocal.unwrap()[0];
            assert!((glocal - 3.0).abs() < within, "{size}: {glocal}");
            for (mode, (re, im)) in report.spectrum.modes.iter().zip(expected) {
                let distance = (mode.eigenvalue - Complex::new(re, im)).norm();
                assert!(distance < within, "{size}: {}", mode.eigenvalue);
            }
        }
    }
}

#[test]
fn optimized_finds_the_limit_of_decaying_modes_and_says_how_sure_it_is() {
    let clean = rows_of(20, 2, |t, c| [2.0, -1.0][c] + [-1.5, 0.8][c] * 0.8_f64.powi(t));
    let report = analyze_as(&clean, Variant::Optimized);
    for ((found, spread), expected) in report
        .glocal
        .unwrap()
        .iter()
        .zip(report.spread.unwrap())
        .zip([2.0, -1.0])
    {
        assert!((found - expected).abs() < 1e-3, "{found}");
        assert!(spread < 1e-2, "{spread}");
    }
    // In noise the limit lies within a few spreads, and the spread grows with the noise.
    let mut last = 0.0;
    for size in [0.02, 0.1, 0.5] {
        let mut draw = noise(size);
        let rows = rows_of(20, 2, |t, c| {
            [2.0, -1.0][c] + [-1.5, 0.8][c] * 0.8_f64.powi(t) + draw()
        });
        let report = analyze_as(&rows, Variant::Optimized);
        let (glocal, spread) = (report.glocal.unwrap(), report.spread.unwrap());
        for c in 0..2 {
            assert!(
                (glocal[c] - [2.0, -1.0][c]).abs() < 4.0 * spread[c],
                "{size}: {glocal:?} {spread:?}"
            );
        }
        assert!(spread[0] > last);
        last = spread[0];
    }
}

#[test]
fn the_spread_of_optimized_covers_a_constant_in_noise_as_often_as_it_should() {
    let mut draw = noise(1.0);
    let mut covered = 0;
    for _ in 0..200 {
        let rows = rows_of(20, 1, |_, _| 3.0 + draw());
        let report = analyze_as(&rows, Variant::Optimized);
        if (report.glocal.unwrap()[0] - 3.0).abs() < 2.0 * report.spread.unwrap()[0] {
            covered += 1;
        }
    }
    // Independent rows, where the spread counts on correlated ones: rather more than 95 of 100.
    assert!(covered >= 190, "{covered} of 200");
}
