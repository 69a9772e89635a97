//! What must hold for every window (docs/method.md sections 5 and 6).

use glocal_dmd::{Cancellation, Complex, Options, Report, Scaling, Variant, Verdict, Window, analyze};
use proptest::prelude::*;

const ROWS: usize = 20;

type Rows = Vec<Vec<f64>>;

fn report_with(rows: &Rows, options: &Options) -> Report {
    let window = Window::new(rows.iter().map(Vec::as_slice).collect()).unwrap();
    analyze(&window, options, &[], &Cancellation::new()).unwrap()
}

fn report(rows: &Rows) -> Report {
    report_with(rows, &Options::default())
}

fn any_variant() -> impl Strategy<Value = Variant> {
    prop::sample::select(Variant::ALL.to_vec())
}

/// h_t = sum over modes of the real part of amplitude x eigenvalue^t; `amplitudes[mode][component]`.
fn window(modes: &[(Complex<f64>, Vec<Complex<f64>>)]) -> Rows {
    let components = modes[0].1.len();
    let value = |t: usize, c: usize| -> f64 {
        modes
            .iter()
            .map(|(eigenvalue, amplitudes)| (amplitudes[c] * eigenvalue.powu(t as u32)).re)
            .sum()
    };
    (0..ROWS)
        .map(|t| (0..components).map(|c| value(t, c)).collect())
        .collect()
}

fn real(values: Vec<f64>) -> Vec<Complex<f64>> {
    values.into_iter().map(|v| Complex::new(v, 0.0)).collect()
}

/// A number away from 0, of either sign.
fn away_from_zero(low: f64, high: f64) -> impl Strategy<Value = f64> {
    (low..high, any::<bool>()).prop_map(|(size, negative)| if negative { -size } else { size })
}

/// Modes that decay, real or a conjugate pair, none of them within the tolerance of 1.
fn decaying_modes(components: usize) -> impl Strategy<Value = Vec<(Complex<f64>, Vec<Complex<f64>>)>> {
    let amplitudes = || prop::collection::vec((-1.0..1.0_f64, -1.0..1.0_f64), components);
    let slow = (0.7..0.85_f64, amplitudes()).prop_map(|(radius, amplitudes)| (radius, 0.0, amplitudes));
    let fast = (0.3..0.5_f64, 0.0..3.0_f64, amplitudes());
    (slow, fast).prop_map(|(slow, fast)| {
        [slow, fast]
            .into_iter()
            .map(|(radius, angle, amplitudes)| {
                let amplitudes = amplitudes
                    .into_iter()
                    .map(|(re, im)| Complex::new(re, im))
                    .collect();
                (Complex::from_polar(radius, angle), amplitudes)
            })
            .collect()
    })
}

/// A window as training gives them: a constant, decaying modes, and noise.
fn noisy_window() -> impl Strategy<Value = Rows> {
    (1_usize..5)
        .prop_flat_map(|components| {
            (
                prop::collection::vec(away_from_zero(0.5, 3.0), components),
                decaying_modes(components),
                prop::collection::vec(prop::collection::vec(-0.2..0.2_f64, components), ROWS),
            )
        })
        .prop_map(|(constant, mut modes, noise)| {
            modes.push((Complex::ONE, real(constant)));
            let mut rows = window(&modes);
            for (row, noise) in rows.iter_mut().zip(noise) {
                row.iter_mut()
                    .zip(noise)
                    .for_each(|(value, noise)| *value += noise);
            }
            rows
        })
}

/// Two reports of windows that are equal but for rounding.
///
/// Left out are windows where rounding decides: a mode at the edge of the tolerance, which may fall on either side, and
/// modes of the noise that grow so fast that the last digits of their amplitude are large at the end of the window.
fn assert_same_spectrum(a: &Report, b: &Report) -> Result<(), TestCaseError> {
    let at_the_edge = a
        .spectrum
        .modes
        .iter()
        .any(|mode| ((mode.eigenvalue - 1.0).norm() - 0.1).abs() < 1e-6);
    prop_assume!(!at_the_edge && a.spectrum.spectral_radius < 1.5);
    prop_assert_eq!(a.spectrum.rank, b.spectrum.rank);
    prop_assert_eq!(a.verdict, b.verdict);
    for (x, y) in a.spectrum.modes.iter().zip(&b.spectrum.modes) {
        prop_assert!(
            (x.eigenvalue - y.eigenvalue).norm() < 1e-6,
            "{} {}",
            x.eigenvalue,
            y.eigenvalue
        );
        prop_assert!(
            (x.energy_share - y.energy_share).abs() < 1e-6,
            "{} {}",
            x.energy_share,
            y.energy_share
        );
    }
    prop_assert!((a.spectrum.reconstruction_error - b.spectrum.reconstruction_error).abs() < 1e-6);
    Ok(())
}

fn assert_same_estimate(a: f64, b: f64, size: f64) -> Result<(), TestCaseError> {
    prop_assert!((a - b).abs() <= 1e-6 * size, "{a} {b}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_constant_with_decaying_modes_is_trusted_and_found(
        (constant, modes) in (1_usize..5).prop_flat_map(|components| {
            (prop::collection::vec(away_from_zero(0.5, 3.0), components), decaying_modes(components))
        })
    ) {
        let mut all = modes;
        all.push((Complex::ONE, real(constant.clone())));
        let report = report(&window(&all));
        prop_assume!(report.t_scores.iter().all(|&t| t >= 0.75));
        // A component whose decay outweighs its constant is trusted only if both have the same sign.
        prop_assume!(report.mean.iter().zip(&constant).all(|(mean, constant)| mean * constant > 0.0));
        prop_assert_eq!(report.verdict, Verdict::Trusted, "{}", report.verdict_reason);
        for (found, expected) in report.glocal.unwrap().iter().zip(&constant) {
            prop_assert!((found - expected).abs() < 1e-3, "{found} {expected}");
        }
    }

    #[test]
    fn a_constant_with_decaying_modes_is_estimated_by_every_variant_within_the_window(
        variant in any_variant(),
        (constant, modes) in (1_usize..5).prop_flat_map(|components| {
            (prop::collection::vec(away_from_zero(0.5, 3.0), components), decaying_modes(components))
        })
    ) {
        let mut all = modes;
        all.push((Complex::ONE, real(constant)));
        let rows = window(&all);
        let report = report_with(&rows, &Options::of(variant, 1));
        let glocal = report.glocal.unwrap();
        for (c, estimate) in glocal.iter().enumerate() {
            let size = rows.iter().fold(0.0_f64, |size, row| size.max(row[c].abs()));
            prop_assert!(estimate.abs() <= 2.5 * size, "{} {estimate} {size}", variant.name());
        }
    }

    #[test]
    fn forward_backward_finds_modes_beside_their_negatives(
        // Radius and angle of one mode of each pair; angle 0 makes both real.
        pairs in prop::collection::vec((0.5..0.95_f64, prop_oneof![Just(0.0), 0.3..1.3_f64]), 1..3),
        components in prop::collection::vec(away_from_zero(0.5, 3.0), 1..4),
        amplitudes in prop::collection::vec((0.3..1.5_f64, 0.0..6.2_f64), 4 * 4),
        constant in any::<bool>(),
    ) {
        prop_assume!(pairs.iter().all(|&(_, angle)| angle == 0.0) || pairs.iter().all(|&(_, angle)| angle > 0.0));
        prop_assume!(pairs.len() < 2 || (pairs[0].0 - pairs[1].0).abs() > 0.15);
        let mut amplitudes = amplitudes.into_iter().map(|(size, phase)| Complex::from_polar(size, phase));
        let mut modes = Vec::new();
        for (radius, angle) in pairs {
            for sign in [1.0, -1.0] {
                let mut of_components: Vec<_> = amplitudes.by_ref().take(components.len()).collect();
                if angle == 0.0 {
                    of_components = real(of_components.iter().map(|a| a.norm()).collect());
                }
                modes.push((Complex::from_polar(radius, angle) * sign, of_components));
            }
        }
        if constant {
            modes.push((Complex::ONE, real(components)));
        }
        let options = Options { delays: 9, ..Options::of(Variant::ForwardBackward, 1) };
        let found = report_with(&window(&modes), &options).spectrum.modes;
        for (eigenvalue, _) in modes {
            let nearest = found
                .iter()
                .map(|mode| (mode.eigenvalue - eigenvalue).norm())
                .fold(f64::INFINITY, f64::min);
            prop_assert!(nearest < 1e-5, "{eigenvalue} {nearest:e} {:?}", found.iter().map(|m| m.eigenvalue).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_undamped_oscillation_is_oscillating(
        variant in prop::sample::select(vec![Variant::Hankel, Variant::Optimized, Variant::Mean, Variant::Median]),
        angle in 0.2..3.0_f64,
        amplitudes in prop::collection::vec((0.5..2.0_f64, 0.0..6.2_f64), 1..5),
        constant in 0.0..0.3_f64,
    ) {
        let components = amplitudes.len();
        let amplitudes = amplitudes.into_iter().map(|(size, phase)| Complex::from_polar(size, phase)).collect();
        let rows = window(&[
            (Complex::from_polar(1.0, angle), amplitudes),
            (Complex::ONE, real(vec![constant; components])),
        ]);
        let report = report_with(&rows, &Options::of(variant, 1));
        prop_assert_eq!(report.verdict, Verdict::Oscillating, "{}", report.verdict_reason);
        prop_assert!(report.verdict_figures.undamped_share > 0.5);
    }

    #[test]
    fn a_mode_that_grows_and_holds_the_energy_is_diverging(
        variant in any_variant(),
        growth in 1.21..3.0_f64,
        components in prop::collection::vec((away_from_zero(0.5, 2.0), -0.2..0.2_f64), 1..5),
    ) {
        let (growing, constant) = components.into_iter().unzip();
        let rows = window(&[(Complex::new(growth, 0.0), real(growing)), (Complex::ONE, real(constant))]);
        // The ridge of AFFINE takes a share of its size from every eigenvalue.
        let options = Options { ridge: 0.0, ..Options::of(variant, 1) };
        let report = report_with(&rows, &options);
        prop_assert_eq!(report.verdict, Verdict::Diverging, "{}", report.verdict_reason);
        prop_assert!((report.spectrum.spectral_radius - growth).abs() < 1e-6);
    }

    #[test]
    fn scaling_a_component_scales_its_results_only(
        variant in any_variant(),
        rows in noisy_window(),
        exponent in -12.0..12.0_f64,
        negative in any::<bool>(),
    ) {
        let factor = 10_f64.powf(exponent) * if negative { -1.0 } else { 1.0 };
        let mut scaled = rows.clone();
        scaled.iter_mut().for_each(|row| row[0] *= factor);
        let options = Options::of(variant, 1);
        let (before, after) = (report_with(&rows, &options), report_with(&scaled, &options));
        assert_same_spectrum(&before, &after)?;
        prop_assert_eq!(&before.component_trusted, &after.component_trusted);
        prop_assert_eq!(before.glocal.is_some(), after.glocal.is_some());
        if let (Some(before), Some(after)) = (before.glocal, after.glocal) {
            for (c, (a, b)) in before.iter().zip(&after).enumerate() {
                assert_same_estimate(*a, if c == 0 { b / factor } else { *b }, 3.0)?;
            }
        }
    }

    #[test]
    fn permuting_components_permutes_their_results_only(
        variant in any_variant(),
        rows in noisy_window(),
        shift in 0_usize..5,
    ) {
        let mut permuted = rows.clone();
        let shift = shift % rows[0].len();
        permuted.iter_mut().for_each(|row| row.rotate_left(shift));
        let options = Options::of(variant, 1);
        let (before, after) = (report_with(&rows, &options), report_with(&permuted, &options));
        assert_same_spectrum(&before, &after)?;
        let rotate = |mut values: Vec<f64>| {
            values.rotate_left(shift);
            values
        };
        prop_assert_eq!(rotate(before.mean), after.mean);
        prop_assert_eq!(rotate(before.t_scores), after.t_scores);
        prop_assert_eq!(before.glocal.is_some(), after.glocal.is_some());
        if let (Some(before), Some(after)) = (before.glocal, after.glocal) {
            for (a, b) in rotate(before).iter().zip(&after) {
                assert_same_estimate(*a, *b, 3.0)?;
            }
        }
    }

    #[test]
    fn components_of_zeros_change_nothing(
        variant in any_variant(),
        rows in noisy_window(),
        zeros in 1_usize..40,
        optimal_rank in any::<bool>(),
    ) {
        let options = Options {
            svd_rank: if optimal_rank { glocal_dmd::SvdRank::OptimalHardThreshold } else { glocal_dmd::SvdRank::All },
            ..Options::of(variant, 1)
        };
        let components = rows[0].len();
        let mut extended = rows.clone();
        extended.iter_mut().for_each(|row| row.resize(components + zeros, 0.0));
        let (before, after) = (report_with(&rows, &options), report_with(&extended, &options));
        assert_same_spectrum(&before, &after)?;
        prop_assert_eq!(before.spectrum.singular_values.len(), after.spectrum.singular_values.len());
        prop_assert_eq!(&before.component_trusted[..], &after.component_trusted[..components]);
        if let (Some(before), Some(after)) = (before.glocal, after.glocal) {
            for (a, b) in before.iter().zip(&after) {
                assert_same_estimate(*a, *b, 3.0)?;
            }
            prop_assert!(after[components..].iter().all(|&v| v == 0.0));
        }
    }

    #[test]
    fn a_power_of_two_changes_nothing_but_the_size_up_to_the_limits_of_the_format(
        rows in noisy_window(),
        exponent in prop::sample::select(vec![-950, -500, 500, 1000, 1015]),
        scaling in prop::sample::select(vec![Scaling::Component, Scaling::Global, Scaling::None]),
    ) {
        let factor = 2_f64.powi(exponent);
        let scaled: Rows = rows.iter().map(|row| row.iter().map(|v| v * factor).collect()).collect();
        let options = Options { scaling, ..Options::default() };
        let (before, after) = (report_with(&rows, &options), report_with(&scaled, &options));
        prop_assert_eq!(before.verdict, after.verdict);
        prop_assert_eq!(before.t_scores, after.t_scores);
        let times = |values: Vec<f64>| values.into_iter().map(|v| v * factor).collect::<Vec<_>>();
        prop_assert_eq!(times(before.mean), after.mean);
        prop_assert_eq!(times(before.median), after.median);
        prop_assert_eq!(before.glocal.map(times), after.glocal);
        for (a, b) in before.spectrum.modes.iter().zip(&after.spectrum.modes) {
            prop_assert_eq!(a.eigenvalue, b.eigenvalue);
            prop_assert_eq!(a.energy_share, b.energy_share);
            // Below that the format has fewer digits.
            if b.contribution_norm > 1e-300 {
                prop_assert_eq!(a.contribution_norm * factor, b.contribution_norm);
            }
        }
    }

    #[test]
    fn every_finite_window_gets_a_report_that_hangs_together(
        values in prop::collection::vec(
            prop_oneof![4 => -1.0..1.0_f64, 1 => Just(0.0), 1 => any::<f64>().prop_filter("finite", |v| v.is_finite())],
            12 * 3,
        ),
        variant in any_variant(),
        stride in 1_usize..5,
        delays in 1_usize..12,
        svd_rank in prop::sample::select(vec![-1.0, 0.0, 0.9, 2.0]),
    ) {
        let options = Options {
            delays,
            svd_rank: glocal_dmd::SvdRank::from_number(svd_rank).unwrap(),
            include_contributions: true,
            ..Options::of(variant, stride)
        };
        let rows: Rows = values.chunks(3).map(<[f64]>::to_vec).collect();
        let report = report_with(&rows, &options);
        let spectrum = &report.spectrum;
        let zero = rows.iter().flatten().all(|&v| v == 0.0);
        // Where eigenvectors of AFFINE coincide only its constant is reported.
        prop_assert!(spectrum.modes.len() == spectrum.rank || (variant == Variant::Affine && spectrum.modes.len() == 1));
        let constant = rows.iter().all(|row| row == &rows[0]);
        let by_modes = matches!(variant, Variant::Hankel | Variant::ForwardBackward);
        let steady = spectrum.modes.iter().any(|m| m.steady);
        prop_assert_eq!(report.glocal.is_some(), zero || steady || !by_modes);
        prop_assert!(report.spread.iter().flatten().all(|v| *v >= 0.0));
        let shares: f64 = spectrum.modes.iter().map(|mode| mode.energy_share).sum();
        prop_assert!(shares == 0.0 || (shares - 1.0).abs() < 1e-9, "{}", shares);
        prop_assert!(spectrum.modes.is_sorted_by_key(|mode| (mode.eigenvalue - 1.0).norm()));
        prop_assert!(report.mean.iter().all(|v| v.is_finite()));
        prop_assert!(!report.verdict_reason.is_empty());
        // What is trusted is at most three times the largest row.
        for (c, estimate) in report.glocal.iter().flatten().enumerate() {
            let largest = rows.iter().fold(0.0_f64, |largest, row| largest.max(row[c].abs()));
            prop_assert!(!report.component_trusted[c] || estimate.abs() / 3.0 <= largest * (1.0 + 1e-9), "{estimate} {largest}");
        }
        // The estimate is the sum of the steady modes' contributions.
        if let Some(glocal) = &report.glocal
            && (by_modes || variant == Variant::Affine || constant)
        {
            for (c, estimate) in glocal.iter().enumerate() {
                let steady = || spectrum.modes.iter().filter(|mode| mode.steady).flat_map(|mode| &mode.contribution);
                let sum: Complex<f64> = steady().map(|contribution| contribution[c]).sum();
                let size: f64 = steady().map(|contribution| contribution[c].norm()).sum();
                prop_assert!((sum.re - estimate).abs() <= 1e-9 * size && sum.im.abs() <= 1e-9 * size);
            }
        }
    }
}
