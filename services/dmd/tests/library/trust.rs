//! What the verdict does not trust (docs/method.md section 6): sums of modes that are nearly dependent, modes that do not
//! give the rows back, estimates far outside the rows.

use glocal_dmd::{Cancellation, Options, Report, Thresholds, Variant, Verdict, Window, analyze};

const ROWS: usize = 20;

/// Those whose estimate is not one of the controls, which lie within the rows.
const ESTIMATES: [Variant; 4] = [
    Variant::Hankel,
    Variant::Affine,
    Variant::ForwardBackward,
    Variant::Optimized,
];

fn report(rows: &[f64], options: &Options) -> Report {
    let window = Window::from_flat(rows, 1).unwrap();
    analyze(&window, options, &[], &Cancellation::new()).unwrap()
}

fn options(variant: Variant, delays: usize) -> Options {
    Options {
        delays,
        ..Options::of(variant, 1)
    }
}

fn rows(value: impl FnMut(f64) -> f64) -> Vec<f64> {
    (0..ROWS).map(|t| t as f64).map(value).collect()
}

/// A double eigenvalue: t x ratio^t.
fn critically_damped(ratio: f64) -> Vec<f64> {
    rows(|t| t * ratio.powf(t))
}

/// Deterministic noise, uniform on [-1, 1).
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

fn largest(rows: &[f64]) -> f64 {
    rows.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

#[test]
fn a_double_eigenvalue_is_uncertain_for_the_condition_of_its_modes() {
    // At .9 rounding decides how many of the two modes are within the tolerance.
    for (ratio, verdicts) in [
        (0.9, vec![Verdict::Uncertain, Verdict::NoSteadyMode]),
        (0.95, vec![Verdict::Uncertain]),
    ] {
        let report = report(&critically_damped(ratio), &options(Variant::Hankel, 2));
        assert!(
            verdicts.contains(&report.verdict),
            "{ratio}: {}",
            report.verdict_reason
        );
        assert_eq!(report.component_trusted, [false]);
        assert!(report.spectrum.bound.mode_condition > Thresholds::default().mode_condition);
        assert!(
            report.verdict == Verdict::NoSteadyMode || report.verdict_reason.contains("nearly dependent"),
            "{}",
            report.verdict_reason
        );
    }
}

#[test]
fn no_noisy_copy_of_a_double_eigenvalue_is_trusted_above_three_times_its_largest_row() {
    let mut draw = noise(1);
    for variant in ESTIMATES {
        for delays in [2, 3, 5, 10] {
            for size in [1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 0.05] {
                for constant in [0.0, 1.0, 100.0] {
                    for _ in 0..10 {
                        let clean = critically_damped(0.9);
                        let rows: Vec<f64> =
                            clean.iter().map(|v| constant + v + 3.5 * size * draw()).collect();
                        let report = report(&rows, &options(variant, delays));
                        let estimate = report.glocal.map_or(0.0, |glocal| glocal[0]);
                        assert!(
                            !report.component_trusted[0]
                                || (estimate - constant).abs() < 3.0 * largest(&clean) + 0.1 * constant,
                            "{} {delays} {size} {constant}: {estimate}",
                            variant.name()
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_fall_to_a_constant_is_not_trusted_outside_its_rows() {
    // What falls to a constant within the delays leaves a mode with eigenvalue 0 that is several times there.
    let mut draw = noise(2);
    let mut doubted = 0;
    for delays in [2, 3, 4, 5, 8, 10] {
        for fallen in 1..8 {
            for size in [0.0, 1e-8, 1e-4] {
                let rows = rows(|t| if t < fallen as f64 { 6.0 - t / 2.0 } else { 1.0 } + size * draw());
                let report = report(&rows, &options(Variant::Hankel, delays));
                let Some(glocal) = report.glocal else { continue };
                let unsound = report.spectrum.reconstruction_error > 1.0;
                let outside = !(0.5..6.5).contains(&glocal[0]);
                if unsound && outside {
                    assert!(
                        !report.component_trusted[0],
                        "{delays} {fallen} {size}: {glocal:?}"
                    );
                    doubted += 1;
                }
            }
        }
    }
    assert!(doubted > 0);
}

#[test]
fn modes_that_do_not_give_the_rows_back_are_trusted_within_the_rows_only() {
    let within = Thresholds {
        // Only the reconstruction decides.
        mode_condition: f64::MAX,
        ..Thresholds::default()
    };
    let rows = rows(|t| if t < 2.0 { 5.0 } else { 1.0 });
    let with = |thresholds: Thresholds| {
        let options = Options {
            thresholds,
            ..options(Variant::Hankel, 5)
        };
        report(&rows, &options)
    };
    let strict = with(within.clone());
    assert!(strict.spectrum.reconstruction_error > 1.0);
    let estimate = strict.glocal.as_ref().unwrap()[0];
    assert!(estimate > 5.5 && estimate < 9.0, "{estimate}");
    assert_eq!(strict.verdict, Verdict::Uncertain);
    assert!(
        strict.verdict_reason.contains("reconstruction error"),
        "{}",
        strict.verdict_reason
    );
    assert_eq!(strict.verdict_figures.overshoot_limit, Some(0.1));
    let lax = with(Thresholds {
        reconstruction_error: f64::MAX,
        ..within
    });
    assert_eq!(lax.verdict_figures.overshoot_limit, Some(1.0));
    assert_eq!(lax.verdict, Verdict::Uncertain);
    assert!(lax.verdict_reason.contains("settled"), "{}", lax.verdict_reason);
}

/// The values given, and then one value so many times.
fn then(begin: &[f64], times: usize, settled: f64) -> Vec<f64> {
    [begin, &vec![settled; times]].concat()
}

#[test]
fn no_estimate_is_trusted_outside_rows_that_have_settled() {
    let default = |variant| Options::of(variant, 1);
    for variant in [Variant::Hankel, Variant::ForwardBackward] {
        for (rows, options) in [
            (then(&[-1.0, 1.0], 10, 3.0), default(variant)),
            (then(&[1.0, 2.0], 10, 3.0), default(variant)),
            (then(&[0.0, 1.0], 10, 3.0), default(variant)),
            (then(&[3.0, 0.0, 0.0], 17, -2.0), options(variant, 3)),
            (then(&[2.0, 1.0, 0.0, -1.0, -2.0], 7, -3.0), options(variant, 5)),
            (then(&[0.0, 1.0, 2.0, 3.0, 4.0], 15, 5.0), options(variant, 2)),
            (then(&[1.0; 10], 10, 2.0), default(variant)),
        ] {
            let report = report(&rows, &options);
            let outside = report.verdict_figures.overshoot.unwrap_or(0.0) > 0.1;
            assert!(
                !(outside && report.component_trusted[0]),
                "{rows:?}: {:?}",
                report.glocal
            );
        }
    }
}

#[test]
fn rows_that_overflow_when_subtracted_can_settle() {
    let report = report(
        &then(&[-1e308, 1e308], 10, 1.7e308),
        &Options::of(Variant::Hankel, 1),
    );
    assert!(!report.component_trusted[0] || report.verdict_figures.overshoot.unwrap() <= 0.1);
}

#[test]
fn no_clip_makes_affine_trusted_far_from_its_rows() {
    let options = Options {
        clip: 0.9999,
        ..Options::of(Variant::Affine, 1)
    };
    let report = report(&rows(|t| 1.0 + 1.05_f64.powf(t)), &options);
    assert_eq!(report.verdict_figures.overshoot_limit, Some(10.0));
    assert!(!report.component_trusted[0], "{:?}", report.glocal);
}

#[test]
fn an_estimate_is_trusted_outside_its_rows_as_far_as_they_span() {
    // A straight line has no limit; OPTIMIZED and AFFINE look ahead on it.
    let line = rows(|t| 10.0 + t);
    for variant in [Variant::Affine, Variant::Optimized] {
        let report = report(&line, &options(variant, 3));
        let estimate = report.glocal.unwrap()[0];
        let overshoot = report.verdict_figures.overshoot.unwrap();
        assert!(
            (overshoot - (estimate - 29.0).max(0.0) / 19.0).abs() < 1e-12,
            "{overshoot}"
        );
        assert_eq!(report.verdict_figures.overshoot_limit, Some(1.0));
        assert!(report.component_trusted[0]);
    }
    let strict = Options {
        thresholds: Thresholds {
            overshoot: 0.1,
            ..Thresholds::default()
        },
        ..options(Variant::Optimized, 3)
    };
    let report = report(&line, &strict);
    assert!(report.verdict_figures.overshoot.unwrap() > 0.1);
    assert_eq!(report.verdict, Verdict::Uncertain);
    assert!(
        report
            .verdict_reason
            .contains("outside its rows, 1.000e1 to 2.900e1"),
        "{}",
        report.verdict_reason
    );
}

#[test]
fn a_clip_that_looks_further_ahead_may_be_trusted_further_outside_the_rows() {
    let line = rows(|t| 10.0 + t);
    let ahead = |clip| {
        let options = Options {
            clip,
            ..options(Variant::Affine, 3)
        };
        report(&line, &options)
    };
    for (clip, limit) in [(0.5, 1.0), (0.9, 1.0), (0.98, 5.0), (0.99, 10.0)] {
        let figures = ahead(clip).verdict_figures;
        assert!((figures.overshoot_limit.unwrap() - limit).abs() < 1e-9);
    }
    let far = ahead(0.98);
    assert!(far.verdict_figures.overshoot.unwrap() > 1.0);
    assert!(far.component_trusted[0], "{}", far.verdict_reason);
}

#[test]
fn a_component_that_hardly_moves_is_trusted_near_it() {
    let mut draw = noise(3);
    for size in [0.0, 1e-15, 1e-12, 1e-6, 1e-3] {
        let rows = rows(|_| 2.0 + size * draw());
        for variant in ESTIMATES {
            let report = report(&rows, &Options::of(variant, 1));
            let estimate = report.glocal.as_ref().map_or(0.0, |glocal| glocal[0]);
            assert_eq!(
                report.component_trusted[0],
                (1.7..2.3).contains(&estimate),
                "{} {size}: {estimate}",
                variant.name()
            );
        }
    }
}

#[test]
fn a_component_that_ends_far_below_its_largest_row_is_doubted_where_that_is_asked_for() {
    // Its limit .5 is a tenth of the first row, and the last row .55.
    let falling = rows(|t| 0.5 + 4.5 * 0.78_f64.powf(t));
    for (last_share, trusted) in [(0.0, true), (0.1, true), (0.8, false)] {
        let options = Options {
            last_share,
            ..options(Variant::Affine, 3)
        };
        let report = report(&falling, &options);
        assert_eq!(report.component_trusted, [trusted], "{}", report.verdict_reason);
        assert_eq!(
            report.verdict_reason.contains("against last row"),
            !trusted,
            "{}",
            report.verdict_reason
        );
    }
}

#[test]
fn a_component_whose_last_row_has_the_other_sign_is_doubted_where_that_is_asked_for() {
    let mut turning = rows(|_| 1.0);
    turning[ROWS - 1] = -1.0;
    for (last_share, trusted) in [(0.0, true), (0.5, false)] {
        let options = Options {
            last_share,
            ..options(Variant::Median, 3)
        };
        assert_eq!(report(&turning, &options).component_trusted, [trusted]);
    }
}
