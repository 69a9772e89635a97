//! The library against reference decompositions (`tests/fixtures/README.md`).

use std::fs;

use glocal_dmd::{Complex, Selection, Verdict};

#[path = "../../dev/src/references.rs"]
mod references;

use references::Case;

fn cases() -> Vec<Case> {
    serde_json::from_str(&fs::read_to_string("tests/fixtures/dmd.json").unwrap()).unwrap()
}

fn noise_free() -> impl Iterator<Item = Case> {
    cases().into_iter().filter(Case::is_noise_free)
}

#[test]
fn eigenvalues_and_estimates_of_windows_without_noise() {
    let mut compared = 0;
    for case in noise_free() {
        let error = case.max_rel_error().unwrap();
        assert!(error < 1e-12, "{}: {error:e}", case.name);
        compared += 1;
    }
    assert_eq!(compared, 16);
}

#[test]
fn the_mode_nearest_to_one_in_windows_without_noise() {
    let mut compared = 0;
    for case in noise_free() {
        let report = case
            .analyze_with(|options| options.selection = Selection::Nearest)
            .unwrap();
        let error = case.estimate_error(&report, &case.glocal.nearest);
        assert!(error < 1e-12, "{}: {error:e}", case.name);
        assert_ne!(report.verdict, Verdict::NoSteadyMode, "{}", case.name);
        compared += 1;
    }
    assert_eq!(compared, 16);
}

#[test]
fn spectra_of_windows_without_noise() {
    for case in noise_free() {
        let name = &case.name;
        let spectrum = case.analyze(0.1).unwrap().spectrum;
        assert_eq!(spectrum.rank, case.rank, "{name}");
        assert_eq!(
            spectrum.singular_values.len(),
            case.singular_values.len(),
            "{name}"
        );
        for (found, expected) in spectrum.singular_values.iter().zip(&case.singular_values) {
            // The reference gives those of the window as it is, not as it was scaled.
            let difference = (found * case.size() - expected).abs();
            assert!(
                difference < 1e-14 * case.singular_values[0],
                "{name}: {found:e} {expected:e}"
            );
        }
        for (mode, expected) in spectrum.modes.iter().zip(&case.mode_contrib_norm) {
            assert!((mode.contribution_norm / expected - 1.0).abs() < 1e-12, "{name}");
        }
        let difference = (spectrum.pair_residual - case.pair_residual_rel).abs();
        assert!(difference < 1e-14, "{name}: {difference:e}");
        assert!(
            (spectrum.spectral_radius - case.spectral_radius).abs() < 1e-12,
            "{name}"
        );
    }
}

#[test]
fn noisy_windows_agree_in_the_steady_mode_and_the_estimate() {
    let noisy = cases()
        .into_iter()
        .filter(|case| !case.is_noise_free() && case.is_finite());
    let mut compared = 0;
    for case in noisy {
        let nearest = case.eig.first().map(|&(re, im)| Complex::new(re, im)).unwrap();
        for (tolerance, reference) in case.references() {
            let report = case.analyze(tolerance).unwrap();
            assert!(
                (report.spectrum.modes[0].eigenvalue - nearest).norm() < 1e-3,
                "{}",
                case.name
            );
            assert!(case.estimate_error(&report, reference) < 1e-3, "{}", case.name);
        }
        compared += 1;
    }
    assert_eq!(compared, 5);
}

#[test]
fn a_window_with_a_nan_is_diverging() {
    let case = cases().into_iter().find(|case| !case.is_finite()).unwrap();
    let report = case.analyze(0.1).unwrap();
    assert_eq!(report.verdict, Verdict::Diverging);
    assert_eq!(report.glocal, None);
    assert!(report.spectrum.modes.is_empty());
    assert!(report.component_trusted.iter().all(|&trusted| !trusted));
}
