//! The figures of the bound on the estimate's error (docs/method.md section 5, step 8).

use glocal_dmd::{BoundTerms, Cancellation, Options, Scaling, Variant, Window, analyze};

fn bound(rows: &[Vec<f64>], options: &Options) -> BoundTerms {
    let window = Window::new(rows.iter().map(Vec::as_slice).collect()).unwrap();
    analyze(&window, options, &[], &Cancellation::new())
        .unwrap()
        .spectrum
        .bound
}

fn unscaled(variant: Variant, delays: usize) -> Options {
    Options {
        delays,
        scaling: Scaling::None,
        ..Options::of(variant, 1)
    }
}

/// Two components on the axes: 2, and 3 x 0.5^t.
fn orthogonal_modes() -> Vec<Vec<f64>> {
    (0..12).map(|t| vec![2.0, 3.0 * 0.5_f64.powi(t)]).collect()
}

#[test]
fn of_two_orthogonal_modes() {
    let bound = bound(&orthogonal_modes(), &unscaled(Variant::Hankel, 1));
    // Of orthogonal modes the Frobenius norm gives their number.
    assert!((bound.mode_condition - 2.0).abs() < 1e-9, "{bound:?}");
    assert!(bound.last_residual < 1e-12);
    assert!((bound.decaying_norm / (3.0 * 0.5_f64.powi(12)) - 1.0).abs() < 1e-9);
}

#[test]
fn the_last_row_is_missed_by_as_much_as_it_was_moved() {
    for variant in [Variant::Hankel, Variant::ForwardBackward] {
        let mut options = unscaled(variant, 1);
        // The moved row is one of thirty pairs, of which the rank keeps the two modes.
        options.svd_rank = glocal_dmd::SvdRank::Fixed(2);
        let mut rows: Vec<Vec<f64>> = (0..30).map(|t| vec![2.0, 3.0 * 0.9_f64.powi(t)]).collect();
        let before = bound(&rows, &options).last_residual;
        rows[29][0] += 0.01;
        let after = bound(&rows, &options).last_residual;
        assert!(before < 1e-10, "{variant:?}: {before}");
        assert!((0.008..0.012).contains(&after), "{variant:?}: {after}");
    }
}

#[test]
fn modes_that_are_nearly_alike_are_badly_conditioned() {
    // Two modes, a constant and a decay, whose directions differ by 1e-4.
    let rows: Vec<Vec<f64>> = (0..20)
        .map(|t| {
            let decay = 0.5_f64.powi(t);
            vec![1.0 + decay, 1e-4 * decay]
        })
        .collect();
    let condition = bound(&rows, &unscaled(Variant::Hankel, 1)).mode_condition;
    assert!((1e4..4e4).contains(&condition), "{condition}");
}

#[test]
fn affine_predicts_what_follows_its_map() {
    let mut options = unscaled(Variant::Affine, 2);
    options.ridge = 0.0;
    let bound = bound(&orthogonal_modes(), &options);
    assert!(bound.last_residual < 1e-9, "{bound:?}");
    assert!(bound.mode_condition >= 1.0 && bound.mode_condition.is_finite());
    assert!(bound.decaying_norm < 1e-2);
}

#[test]
fn of_constant_and_of_zero_windows() {
    let options = Options::default();
    let constant = bound(&vec![vec![3.0, -1.0]; 20], &options);
    assert_eq!((constant.mode_condition, constant.decaying_norm), (1.0, 0.0));
    assert_eq!(constant.last_residual, 0.0);
    assert_eq!(bound(&vec![vec![0.0, 0.0]; 20], &options), BoundTerms::default());
}
