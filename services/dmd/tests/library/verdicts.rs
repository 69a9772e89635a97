//! Windows that are not decomposed, and what the verdict is made from (docs/method.md sections 5, step 1, and 6).

use glocal_dmd::{
    AnalysisError, Cancellation, Options, Report, Scaling, SvdRank, Thresholds, Verdict, Window, analyze,
};

const ROWS: usize = 20;

fn rows_of(components: usize, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    (0..ROWS * components)
        .map(|i| value(i / components, i % components))
        .collect()
}

fn analyze_with(values: &[f64], components: usize, options: &Options, prior_norms: &[f64]) -> Report {
    let window = Window::from_flat(values, components).unwrap();
    analyze(&window, options, prior_norms, &Cancellation::new()).unwrap()
}

fn report(values: &[f64], components: usize) -> Report {
    analyze_with(values, components, &Options::default(), &[])
}

/// Constant 2, -1 with a mode that decays.
fn trusted_window() -> Vec<f64> {
    rows_of(2, |t, c| [2.0, -1.0][c] * (1.0 + 0.5 * 0.6_f64.powi(t as i32)))
}

#[test]
fn a_window_of_zeros_is_degenerate_and_its_estimate_is_zero() {
    let report = report(&[0.0; ROWS * 3], 3);
    assert_eq!(report.verdict, Verdict::Degenerate);
    assert_eq!(report.glocal, Some(vec![0.0; 3]));
    assert_eq!(report.spectrum.rank, 0);
    assert_eq!(report.spectrum.spectral_radius, 0.0);
    assert!(report.spectrum.modes.is_empty());
}

#[test]
fn a_constant_window_is_trusted_and_its_estimate_is_the_constant_exactly() {
    let constant = [0.1, -3e-7, 0.0, 5e5];
    for scaling in [Scaling::Component, Scaling::Global, Scaling::None] {
        let options = Options {
            scaling,
            include_contributions: true,
            ..Options::default()
        };
        let report = analyze_with(&constant.repeat(ROWS), 4, &options, &[]);
        assert_eq!(report.verdict, Verdict::Trusted);
        assert_eq!(report.glocal.as_deref(), Some(&constant[..]));
        assert_eq!(
            report.t_scores,
            [f64::INFINITY, f64::INFINITY, 0.0, f64::INFINITY]
        );
        assert_eq!(report.spectrum.rank, 1);
        let mode = &report.spectrum.modes[0];
        assert_eq!((mode.eigenvalue.re, mode.eigenvalue.im), (1.0, 0.0));
        assert_eq!((mode.energy_share, mode.steady), (1.0, true));
        assert!((mode.contribution_norm / 5e5 - 1.0).abs() < 1e-12);
        assert_eq!(report.spectrum.reconstruction_error, 0.0);
    }
}

#[test]
fn the_singular_value_of_a_constant_window_is_that_of_its_snapshots() {
    // X is 10 x 10 with the entry 3, unscaled: its only singular value is 30. A change of one part in 10^12 takes the
    // window through the decomposition.
    let options = Options {
        scaling: Scaling::None,
        ..Options::default()
    };
    let exact = analyze_with(&[3.0; ROWS], 1, &options, &[])
        .spectrum
        .singular_values;
    let mut almost = [3.0; ROWS];
    almost[7] += 3e-12;
    let decomposed = analyze_with(&almost, 1, &options, &[]).spectrum.singular_values;
    assert_eq!(exact.len(), decomposed.len());
    assert!((exact[0] - 30.0).abs() < 1e-12);
    assert!((decomposed[0] - 30.0).abs() < 1e-9);
}

#[test]
fn one_pair_of_snapshots_is_degenerate_with_a_spectrum() {
    let values: Vec<f64> = (0..11).map(|t| 1.0 + 0.5_f64.powi(t)).collect();
    let report = report(&values, 1);
    assert_eq!(report.verdict, Verdict::Degenerate);
    assert_eq!(report.spectrum.modes.len(), 1);
}

#[test]
fn fewer_rows_than_delays_and_one_are_refused() {
    let window = Window::from_flat(&[1.0; 10], 1).unwrap();
    let error = analyze(&window, &Options::default(), &[], &Cancellation::new()).unwrap_err();
    assert_eq!(error, AnalysisError::TooFewRows { rows: 10, delays: 10 });
    assert_eq!(
        error.to_string(),
        "10 rows are too few for delays = 10; at least 11, 20 is a good start"
    );
}

#[test]
fn options_out_of_range_are_refused() {
    let window = Window::from_flat(&[1.0; ROWS], 1).unwrap();
    for options in [
        Options {
            delays: 0,
            ..Options::default()
        },
        Options {
            tolerance: 0.0,
            ..Options::default()
        },
        Options {
            tolerance: f64::NAN,
            ..Options::default()
        },
        Options {
            last_share: 1.5,
            ..Options::default()
        },
    ] {
        let error = analyze(&window, &options, &[], &Cancellation::new()).unwrap_err();
        assert!(matches!(error, AnalysisError::InvalidOption(_)));
    }
}

#[test]
fn a_cancelled_analysis_stops() {
    let values = trusted_window();
    let window = Window::from_flat(&values, 2).unwrap();
    let cancellation = Cancellation::new();
    cancellation.cancel();
    assert_eq!(
        analyze(&window, &Options::default(), &[], &cancellation),
        Err(AnalysisError::Cancelled)
    );
}

#[test]
fn a_value_that_is_not_finite_is_diverging_and_leaves_other_components_alone() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut values = trusted_window();
        values[2 * 7 + 1] = bad;
        let report = report(&values, 2);
        assert_eq!(report.verdict, Verdict::Diverging);
        assert_eq!(report.verdict_reason, "row 7 has a value that is not finite");
        assert_eq!(report.glocal, None);
        assert_eq!(report.component_trusted, [false, false]);
        assert!(report.mean[0].is_finite() && report.mean[1].is_nan());
    }
}

#[test]
fn no_eigenvalue_near_one_is_no_steady_mode() {
    let report = report(&rows_of(1, |t, _| 0.6_f64.powi(t as i32)), 1);
    assert_eq!(report.verdict, Verdict::NoSteadyMode);
    assert_eq!(report.glocal, None);
    assert!(
        report.verdict_reason.contains("0.6000"),
        "{}",
        report.verdict_reason
    );
}

#[test]
fn the_tolerance_decides_what_is_steady() {
    // Too slow to be told from a constant, and no oscillation either way.
    let values = rows_of(1, |t, _| 0.95_f64.powi(t as i32));
    let with = |tolerance| {
        analyze_with(
            &values,
            1,
            &Options {
                tolerance,
                ..Options::default()
            },
            &[],
        )
    };
    assert!(with(0.051).glocal.is_some());
    assert_eq!(with(0.049).verdict, Verdict::NoSteadyMode);
}

#[test]
fn a_component_around_zero_is_uncertain_and_named() {
    // Component 1 decays so far from its constant that it has no clear mean.
    let values = rows_of(2, |t, c| {
        [3.0, 0.05][c] + [0.1, 2.0][c] * (-0.5_f64).powi(t as i32)
    });
    let report = report(&values, 2);
    assert_eq!(report.verdict, Verdict::Uncertain);
    assert_eq!(report.component_trusted, [true, false]);
    assert!(
        report.verdict_reason.contains("1 of 2"),
        "{}",
        report.verdict_reason
    );
    assert!(
        report.verdict_reason.contains("component 1"),
        "{}",
        report.verdict_reason
    );
}

#[test]
fn an_estimate_against_the_mean_is_uncertain() {
    // The constant is -0.2, but the mean is positive.
    let values = rows_of(1, |t, _| -0.2 + 5.0 * 0.85_f64.powi(t as i32));
    let report = report(&values, 1);
    assert!(report.t_scores[0] > 0.75);
    assert!((report.glocal.as_ref().unwrap()[0] + 0.2).abs() < 1e-3);
    assert_eq!(report.verdict, Verdict::Uncertain);
    assert!(
        report.verdict_reason.contains("against mean"),
        "{}",
        report.verdict_reason
    );
}

#[test]
fn a_spike_far_above_what_came_before_is_diverging() {
    let mut values = trusted_window();
    values[2 * 12] = 2000.0;
    let verdict = |prior: &[f64]| analyze_with(&values, 2, &Options::default(), prior).verdict;
    assert_eq!(verdict(&[2.0; 20]), Verdict::Diverging);
    // 2000 is not above 600 times 4.
    assert_ne!(verdict(&[4.0; 20]), Verdict::Diverging);
    // Too little is known of before, or nothing moved.
    assert_ne!(verdict(&[2.0; 19]), Verdict::Diverging);
    assert_ne!(verdict(&[0.0; 20]), Verdict::Diverging);
}

#[test]
fn divergence_comes_before_all_else() {
    let norms = [1e-3; 20];
    let constant = analyze_with(&[1.0; ROWS], 1, &Options::default(), &norms);
    assert_eq!(constant.verdict, Verdict::Diverging);
    let oscillation = rows_of(1, |t, _| (1.3 * t as f64).cos());
    assert_eq!(report(&oscillation, 1).verdict, Verdict::Oscillating);
    assert_eq!(
        analyze_with(&oscillation, 1, &Options::default(), &norms).verdict,
        Verdict::Diverging
    );
}

#[test]
fn thresholds_can_be_configured() {
    let strict = Options {
        thresholds: Thresholds {
            trusted_t_score: 100.0,
            ..Thresholds::default()
        },
        ..Options::default()
    };
    assert_eq!(report(&trusted_window(), 2).verdict, Verdict::Trusted);
    assert_eq!(
        analyze_with(&trusted_window(), 2, &strict, &[]).verdict,
        Verdict::Uncertain
    );
}

#[test]
fn diagnostics_are_those_of_the_rows() {
    let values = trusted_window();
    let report = report(&values, 2);
    let first: Vec<f64> = values.iter().step_by(2).copied().collect();
    assert!((report.mean[0] - first.iter().sum::<f64>() / ROWS as f64).abs() < 1e-15);
    assert_eq!(report.median[0], f64::midpoint(first[9], first[10]));
    assert_eq!(report.last, values[values.len() - 2..]);
}

#[test]
fn a_window_of_many_components_is_decomposed_like_its_components_together() {
    // 1,299 components are multiples of three, each as often, so that scaled they say no more than these.
    let few = rows_of(3, |t, c| {
        let t = t as f64;
        1.0 + 0.3 * (0.4 * t + c as f64).sin() * 0.9_f64.powf(t) + 0.05 * (7.0 * t + 3.0 * c as f64).cos()
    });
    let factor = |c: usize| [1.0, -1e-6, 3e4, 0.25][c % 4];
    let many = rows_of(1299, |t, c| few[3 * t + c % 3] * factor(c));
    let options = Options {
        svd_rank: SvdRank::Fixed(4),
        ..Options::default()
    };
    let (few, many) = (
        analyze_with(&few, 3, &options, &[]),
        analyze_with(&many, 1299, &options, &[]),
    );
    assert_eq!(few.spectrum.rank, many.spectrum.rank);
    let few_estimate = few.glocal.unwrap();
    for (c, value) in many.glocal.unwrap().iter().enumerate() {
        assert!((value / factor(c) - few_estimate[c % 3]).abs() < 1e-9);
    }
}
