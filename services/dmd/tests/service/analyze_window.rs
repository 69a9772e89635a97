//! AnalyzeWindow against a real server.

use crate::support::{
    COMPONENTS, LIMITS, ROWS, TestServer, assert_invalid, assert_limit, decode, encode, rows, spec,
    whole_window,
};
use glocal_dmd::server::proto::{
    AnalyzeWindowRequest, Anchor, DmdOptions, Scaling, Selection, Variant, Verdict, WindowReport, WindowSpec,
};
use tonic::{Code, Status};

async fn analyze(server: &TestServer, request: AnalyzeWindowRequest) -> Result<WindowReport, Status> {
    let response = server.client().analyze_window(request).await?;
    Ok(response.into_inner().report.unwrap())
}

fn with_spec(spec: WindowSpec) -> AnalyzeWindowRequest {
    AnalyzeWindowRequest {
        spec: Some(spec),
        ..whole_window()
    }
}

fn with_options(options: DmdOptions) -> AnalyzeWindowRequest {
    with_spec(WindowSpec {
        options: Some(options),
        ..spec()
    })
}

#[tokio::test]
async fn a_window_is_answered_with_a_full_report() {
    let server = TestServer::start().await;
    let report = analyze(&server, whole_window()).await.unwrap();
    assert_eq!(report.verdict(), Verdict::Trusted);
    assert!(!report.verdict_reason.is_empty());
    for (found, expected) in decode(report.glocal.as_ref().unwrap()).iter().zip(LIMITS) {
        assert!((found / expected - 1.0).abs() < 1e-6);
    }
    assert_eq!(report.component_trusted, [true; COMPONENTS]);
    assert_eq!(decode(&report.last), rows()[ROWS - 1]);
    for vector in [&report.mean, &report.median, &report.t_scores] {
        assert_eq!(decode(vector).len(), COMPONENTS);
    }
    let spectrum = report.spectrum.unwrap();
    assert_eq!(spectrum.rank as usize, spectrum.modes.len());
    assert!(spectrum.modes[0].steady && (spectrum.modes[0].eigenvalue_re - 1.0).abs() < 1e-6);
    assert!(spectrum.modes[0].contribution.is_empty());
    assert_eq!(spectrum.singular_values.len(), 10);
    let bound = spectrum.bound.unwrap();
    assert!(bound.mode_condition >= 1.0 && bound.last_residual < 1e-6 && bound.decaying_norm < 0.1);
    let time = report.compute_time.unwrap();
    assert!(time.seconds == 0 && time.nanos > 0);
}

#[tokio::test]
async fn options_reach_the_library() {
    let server = TestServer::start().await;
    let options = DmdOptions {
        delays: Some(5),
        svd_rank: Some(2.0),
        tolerance: Some(0.01),
        scaling: Scaling::None.into(),
        include_contributions: true,
        ..DmdOptions::default()
    };
    let report = analyze(&server, with_options(options)).await.unwrap();
    let spectrum = report.spectrum.unwrap();
    assert_eq!(spectrum.rank, 2);
    assert_eq!(spectrum.singular_values.len(), 15);
    // Real and imaginary part of each component.
    assert_eq!(decode(&spectrum.modes[0].contribution).len(), 2 * COMPONENTS);
}

#[tokio::test]
async fn selection_and_anchor_reach_the_library() {
    let server = TestServer::start().await;
    let ask = |tolerance, selection: Selection, anchor: Anchor| {
        let options = DmdOptions {
            tolerance: Some(tolerance),
            selection: selection.into(),
            anchor: anchor.into(),
            ..DmdOptions::default()
        };
        analyze(&server, with_options(options))
    };
    let strict = 1e-15;
    let steady = ask(strict, Selection::Steady, Anchor::First).await.unwrap();
    assert_eq!(steady.glocal, None);
    let nearest = ask(strict, Selection::Nearest, Anchor::First).await.unwrap();
    let glocal = nearest.glocal.unwrap();
    for (found, expected) in decode(&glocal).iter().zip(LIMITS) {
        assert!((found / expected - 1.0).abs() < 1e-4, "{found}");
    }
    // Another way to the same limit, with other rounding.
    let last = ask(strict, Selection::Nearest, Anchor::Last)
        .await
        .unwrap()
        .glocal
        .unwrap();
    assert_ne!(last, glocal);
    for (found, expected) in decode(&last).iter().zip(LIMITS) {
        assert!((found / expected - 1.0).abs() < 1e-4, "{found}");
    }
    for (field, options) in [
        (
            "selection",
            DmdOptions {
                selection: 9,
                ..DmdOptions::default()
            },
        ),
        (
            "anchor",
            DmdOptions {
                anchor: 9,
                ..DmdOptions::default()
            },
        ),
    ] {
        let status = analyze(&server, with_options(options)).await.unwrap_err();
        assert!(
            status
                .message()
                .contains(&format!("spec.options.{field}: 9 is not a known {field}")),
            "{status}"
        );
    }
}

#[tokio::test]
async fn every_variant_can_be_asked_for() {
    let server = TestServer::start().await;
    let ask = |variant: Variant| {
        let options = DmdOptions {
            variant: Some(variant.into()),
            ..DmdOptions::default()
        };
        analyze(&server, with_options(options))
    };
    let default = ask(Variant::Unspecified).await.unwrap();
    let glocal = |report: &WindowReport| decode(report.glocal.as_ref().unwrap());
    assert_eq!(glocal(&ask(Variant::Hankel).await.unwrap()), glocal(&default));
    assert_eq!(ask(Variant::Last).await.unwrap().glocal, Some(default.last));
    assert_eq!(ask(Variant::Median).await.unwrap().glocal, Some(default.median));
    for (a, b) in glocal(&ask(Variant::Mean).await.unwrap())
        .iter()
        .zip(decode(&default.mean))
    {
        assert!((a / b - 1.0).abs() < 1e-12);
    }
    for variant in [Variant::Affine, Variant::ForwardBackward, Variant::Optimized] {
        let report = ask(variant).await.unwrap();
        for (found, expected) in glocal(&report).iter().zip(LIMITS) {
            assert!((found / expected - 1.0).abs() < 0.02, "{variant:?}: {found}");
        }
        assert_eq!(report.spread.is_some(), variant == Variant::Optimized);
    }
}

#[tokio::test]
async fn the_numbers_behind_the_verdict_come_with_their_limits() {
    let server = TestServer::start().await;
    let quiet = analyze(&server, whole_window())
        .await
        .unwrap()
        .verdict_figures
        .unwrap();
    assert_eq!((quiet.growing_share, quiet.spike_ratio), (0.0, None));
    assert_eq!(
        (
            quiet.growing_share_limit,
            quiet.undamped_share_limit,
            quiet.spike_ratio_limit,
            quiet.trusted_t_score
        ),
        (0.99, 0.5, 600.0, 0.75)
    );
    assert!(quiet.overshoot.unwrap() < 0.1);
    assert_eq!(
        (
            quiet.overshoot_limit,
            quiet.reconstruction_error_limit,
            quiet.mode_condition_limit
        ),
        (Some(1.0), Some(1.0), Some(1e6))
    );
    let spec = WindowSpec {
        prior_norms: vec![1.0; 20],
        ..spec()
    };
    let known = analyze(&server, with_spec(spec))
        .await
        .unwrap()
        .verdict_figures
        .unwrap();
    // The first row is the largest: 3, -0.5, 6e-4.
    assert!((known.spike_ratio.unwrap() - 3.0_f64.hypot(0.5)).abs() < 1e-6);
}

#[tokio::test]
async fn norms_from_before_the_window_show_a_spike() {
    let server = TestServer::start().await;
    let prior_norms = vec![1e-4; 20];
    let report = analyze(
        &server,
        with_spec(WindowSpec {
            prior_norms,
            ..spec()
        }),
    )
    .await
    .unwrap();
    assert_eq!(report.verdict(), Verdict::Diverging);
}

#[tokio::test]
async fn a_value_that_is_not_finite_is_refused_by_name() {
    let server = TestServer::start().await;
    for (bad, shown) in [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        let mut values = rows();
        values[5][2] = bad;
        let request = AnalyzeWindowRequest {
            hypergradients: encode(values.as_flattened()),
            ..whole_window()
        };
        let status = analyze(&server, request).await.unwrap_err();
        assert_invalid(&status, "NON_FINITE_VALUE", &["hypergradients"]);
        assert!(
            status
                .message()
                .contains(&format!("row 5, component 2 is {shown}")),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_wrong_number_of_bytes_is_refused() {
    let server = TestServer::start().await;
    let right = whole_window().hypergradients;
    for length in [0, 1, right.len() - 8, right.len() - 1, right.len() + 8] {
        let mut hypergradients = right.to_vec();
        hypergradients.resize(length, 0);
        let request = AnalyzeWindowRequest {
            hypergradients: hypergradients.into(),
            ..whole_window()
        };
        let status = analyze(&server, request).await.unwrap_err();
        assert_invalid(&status, "WRONG_LENGTH", &["hypergradients"]);
        assert!(status.message().contains("480"), "{status}");
    }
}

#[tokio::test]
async fn scales_that_do_not_fit_are_refused_by_field() {
    let server = TestServer::start().await;
    let wrong: [(&[f64], Scaling, &str); 4] = [
        (&[1.0, 2.0], Scaling::Unspecified, "spec.scales"),
        (&[1.0, 0.0, 1.0], Scaling::Unspecified, "spec.scales[1]"),
        (&[1.0, 1.0, f64::INFINITY], Scaling::Component, "spec.scales[2]"),
        (&[1.0, 1.0, 1.0], Scaling::Global, "spec.scales"),
    ];
    for (scales, scaling, field) in wrong {
        let spec = WindowSpec {
            scales: Some(encode(scales)),
            options: Some(DmdOptions {
                scaling: scaling.into(),
                ..DmdOptions::default()
            }),
            ..spec()
        };
        let status = analyze(&server, with_spec(spec)).await.unwrap_err();
        assert_invalid(&status, "INVALID_WINDOW", &[field]);
    }
}

#[tokio::test]
async fn every_problem_of_a_specification_is_named_at_once() {
    let server = TestServer::start().await;
    let spec = WindowSpec {
        rows: 8,
        components: 0,
        options: Some(DmdOptions {
            svd_rank: Some(1.5),
            tolerance: Some(f64::NAN),
            scaling: 17,
            variant: Some(17),
            clip: Some(1.0),
            ridge: Some(-1.0),
            last_share: Some(1.5),
            stride: Some(0),
            ..DmdOptions::default()
        }),
        prior_norms: vec![1.0, -1.0],
        scales: None,
    };
    let status = analyze(&server, with_spec(spec)).await.unwrap_err();
    assert_invalid(
        &status,
        "INVALID_WINDOW",
        &[
            "spec.options.variant",
            "spec.options.scaling",
            "spec.options.svd_rank",
            "spec.options.tolerance",
            "spec.options.clip",
            "spec.options.ridge",
            "spec.options.last_share",
            "spec.options.stride",
            "spec.components",
            "spec.rows",
            "spec.prior_norms[1]",
        ],
    );
}

#[tokio::test]
async fn fewer_rows_than_delays_and_one_are_refused_with_advice() {
    let server = TestServer::start().await;
    let status = analyze(&server, with_spec(WindowSpec { rows: 10, ..spec() }))
        .await
        .unwrap_err();
    assert_invalid(&status, "INVALID_WINDOW", &["spec.rows"]);
    assert!(
        status.message().contains("at least 11, 20 is a good start"),
        "{status}"
    );
    let status = analyze(
        &server,
        with_options(DmdOptions {
            delays: Some(0),
            ..DmdOptions::default()
        }),
    )
    .await
    .unwrap_err();
    assert_invalid(&status, "INVALID_WINDOW", &["spec.options.delays"]);
    let status = analyze(&server, AnalyzeWindowRequest::default())
        .await
        .unwrap_err();
    assert_invalid(&status, "INVALID_WINDOW", &["spec"]);
}

#[tokio::test]
async fn limits_are_named_when_a_window_would_pass_them() {
    let server = TestServer::start_with(|config| {
        config.limits.max_rows = 100;
        config.limits.max_held_bytes = 1 << 20;
    })
    .await;
    let rows = WindowSpec { rows: 101, ..spec() };
    assert_limit(
        &analyze(&server, with_spec(rows)).await.unwrap_err(),
        "limits.max_rows",
    );
    let components = WindowSpec {
        components: 1_000_000_000,
        ..spec()
    };
    assert_limit(
        &analyze(&server, with_spec(components)).await.unwrap_err(),
        "limits.max_components",
    );
    let bytes = WindowSpec {
        components: 100_000,
        ..spec()
    };
    assert_limit(
        &analyze(&server, with_spec(bytes)).await.unwrap_err(),
        "limits.max_held_bytes",
    );
    // Nothing of that is held on to.
    analyze(&server, whole_window()).await.unwrap();
}

#[tokio::test]
async fn a_message_above_the_limit_is_a_limit() {
    let server = TestServer::start_with(|config| config.limits.max_message_bytes = 1000).await;
    let request = AnalyzeWindowRequest {
        hypergradients: vec![0; 1001].into(),
        ..whole_window()
    };
    let status = analyze(&server, request).await.unwrap_err();
    assert_limit(&status, "limits.max_message_bytes");
    assert!(status.message().contains("1000"), "{status}");
}

#[tokio::test]
async fn a_full_queue_is_told_to_retry() {
    let server = TestServer::start_with(|config| {
        config.limits.compute_threads = 1;
        config.limits.compute_queue = 1;
    })
    .await;
    // Heavy enough to keep the only thread busy until all calls have come: a Hankel matrix of 20,000 x 101.
    let (rows, components) = (200, 200);
    let values: Vec<f64> = (0..rows * components)
        .map(|i| ((i as f64).powi(2)).sin())
        .collect();
    let heavy = AnalyzeWindowRequest {
        spec: Some(WindowSpec {
            rows: rows as u32,
            components: components as u32,
            options: Some(DmdOptions {
                delays: Some(100),
                ..DmdOptions::default()
            }),
            ..WindowSpec::default()
        }),
        hypergradients: encode(&values),
    };
    let calls = (0..6).map(|_| analyze(&server, heavy.clone()));
    let results = futures::future::join_all(calls).await;
    let refused: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(!refused.is_empty());
    for status in &refused {
        assert_limit(status, "limits.compute_queue");
        let retry = tonic_types::StatusExt::get_details_retry_info(status).unwrap();
        assert!(retry.retry_delay.is_some());
    }
}

#[tokio::test]
async fn a_deadline_that_passes_ends_the_call() {
    let server = TestServer::start().await;
    let mut request = tonic::Request::new(whole_window());
    request.set_timeout(std::time::Duration::from_nanos(1));
    let status = server.client().analyze_window(request).await.unwrap_err();
    assert!(
        matches!(status.code(), Code::Cancelled | Code::DeadlineExceeded),
        "{status}"
    );
}
