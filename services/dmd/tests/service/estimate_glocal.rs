//! EstimateGlocal against a real server.

use std::time::Duration;

use crate::support::{
    LIMITS, RECEIVE_WINDOW, ROWS, TestServer, assert_invalid, assert_limit, decode, encode, estimate_now,
    eventually, messages, open, part, patiently, reason, row, rows, spec, whole_window,
};
use futures::{StreamExt, stream};
use glocal_dmd::server::proto::{
    AnalyzeWindowRequest, DmdOptions, EstimateGlocalRequest, EstimateGlocalResponse, WindowSpec,
    dmd_service_client::DmdServiceClient,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming, transport::Endpoint};
use tonic_types::StatusExt;

/// A stream whose messages the test sends one by one.
struct Conversation {
    send: mpsc::Sender<EstimateGlocalRequest>,
    answers: Streaming<EstimateGlocalResponse>,
}

impl Conversation {
    async fn begin(server: &TestServer) -> Self {
        let (send, messages) = mpsc::channel(64);
        let answers = server
            .client()
            .estimate_glocal(ReceiverStream::new(messages))
            .await
            .unwrap()
            .into_inner();
        Self { send, answers }
    }

    async fn say(&self, messages: impl IntoIterator<Item = EstimateGlocalRequest>) {
        for message in messages {
            self.send.send(message).await.unwrap();
        }
    }

    async fn answer(&mut self) -> Result<Option<EstimateGlocalResponse>, Status> {
        patiently(self.answers.message()).await
    }
}

/// Sends everything and collects the answers until the end or an error.
async fn exchange(
    server: &TestServer,
    messages: Vec<EstimateGlocalRequest>,
) -> (Vec<EstimateGlocalResponse>, Result<(), Status>) {
    let mut answers = match server.client().estimate_glocal(stream::iter(messages)).await {
        Ok(response) => response.into_inner(),
        Err(status) => return (Vec::new(), Err(status)),
    };
    let mut received = Vec::new();
    loop {
        match answers.message().await {
            Ok(Some(answer)) => received.push(answer),
            Ok(None) => return (received, Ok(())),
            Err(status) => return (received, Err(status)),
        }
    }
}

async fn refusal(server: &TestServer, messages: Vec<EstimateGlocalRequest>) -> Status {
    exchange(server, messages).await.1.unwrap_err()
}

/// Expects that this many refusals for a limit are counted.
async fn assert_limits_counted(server: &TestServer, count: usize) {
    let figures = server.figures().await;
    let line = format!("glocal_dmd_refusals_total{{reason=\"LIMIT_EXCEEDED\"}} {count}\n");
    assert!(figures.contains(&line), "{line}{figures}");
}

fn assert_found(answer: &EstimateGlocalResponse) {
    let glocal = decode(answer.report.as_ref().unwrap().glocal.as_ref().unwrap());
    for (found, expected) in glocal.iter().zip(LIMITS) {
        assert!((found / expected - 1.0).abs() < 1e-6);
    }
}

/// Rows so long that each is compressed as it comes, with the sizes of their components.
fn long_rows() -> (Vec<Vec<f64>>, Vec<f64>) {
    const LENGTH: usize = 80_000;
    let rows: Vec<Vec<f64>> = (0..ROWS)
        .map(|t| {
            (0..LENGTH)
                .map(|c| {
                    let (t, c) = (t as f64, c as f64);
                    (1.0 + c) * (2.0 + 0.5_f64.powf(t) + 0.1 * (c + 3.0 * t * t).sin())
                })
                .collect()
        })
        .collect();
    let scales = (0..LENGTH)
        .map(|c| rows.iter().fold(0.0_f64, |scale, row| scale.max(row[c].abs())))
        .collect();
    (rows, scales)
}

#[tokio::test]
async fn a_window_with_known_scales_is_compressed_as_its_rows_come() {
    let server = TestServer::start().await;
    let (rows, scales) = long_rows();
    let without = WindowSpec {
        components: scales.len() as u32,
        ..spec()
    };
    let with = WindowSpec {
        scales: Some(encode(&scales)),
        ..without.clone()
    };
    let send = |id: &str, spec: &WindowSpec| -> Vec<EstimateGlocalRequest> {
        let mut all = vec![open(id, spec.clone())];
        for (t, values) in rows.iter().enumerate() {
            all.push(row(id, t, values));
            if t == 14 {
                all.push(estimate_now(id));
            }
        }
        all
    };
    let both = [send("without", &without), send("with", &with)].concat();
    let (answers, end) = exchange(&server, both).await;
    end.unwrap();
    let report = |id: &str, rows_so_far: Option<u32>| {
        let answer = answers
            .iter()
            .find(|answer| answer.window_id == id && answer.rows_so_far == rows_so_far)
            .unwrap();
        answer.report.clone().unwrap()
    };
    assert_eq!(answers.len(), 4);
    let (expected, found) = (report("without", None), report("with", None));
    assert_eq!(found.verdict, expected.verdict);
    for (a, b) in decode(&found.glocal.unwrap())
        .iter()
        .zip(decode(&expected.glocal.unwrap()))
    {
        assert!((a / b - 1.0).abs() < 1e-6, "{a} {b}");
    }
    for (a, b) in decode(&found.mean).iter().zip(decode(&expected.mean)) {
        assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
    }
    assert_eq!(report("with", Some(15)).mean, report("without", Some(15)).mean);
    eventually(|| async { server.figures().await.contains("glocal_dmd_held_bytes 0\n") }).await;
}

#[tokio::test]
async fn a_window_that_is_compressed_can_be_given_up() {
    let server = TestServer::start().await;
    let (rows, scales) = long_rows();
    let spec = WindowSpec {
        components: scales.len() as u32,
        scales: Some(encode(&scales)),
        ..spec()
    };
    let mut begun = vec![open("begun", spec)];
    begun.extend(
        rows.iter()
            .take(9)
            .enumerate()
            .map(|(t, values)| row("begun", t, values)),
    );
    let status = refusal(&server, begun).await;
    assert_invalid(&status, "WINDOW_INCOMPLETE", &["hypergradient"]);
    eventually(|| async { server.figures().await.contains("glocal_dmd_held_bytes 0\n") }).await;
}

#[tokio::test]
async fn a_window_is_answered_as_soon_as_its_last_row_has_come() {
    let server = TestServer::start().await;
    let mut conversation = Conversation::begin(&server).await;
    conversation.say(messages("w")).await;
    // The stream is still open for more.
    let answer = conversation.answer().await.unwrap().unwrap();
    assert_eq!(answer.window_id, "w");
    assert_found(&answer);
    // The id is free again.
    conversation.say(messages("w")).await;
    assert_found(&conversation.answer().await.unwrap().unwrap());
    drop(conversation.send);
    assert!(conversation.answers.message().await.unwrap().is_none());
}

#[tokio::test]
async fn a_streamed_window_gets_the_report_of_a_whole_one() {
    let server = TestServer::start().await;
    let (answers, end) = exchange(&server, messages("w")).await;
    end.unwrap();
    let mut streamed = answers[0].report.clone().unwrap();
    let mut whole = server
        .client()
        .analyze_window(whole_window())
        .await
        .unwrap()
        .into_inner()
        .report
        .unwrap();
    streamed.compute_time = None;
    whole.compute_time = None;
    assert_eq!(streamed, whole);
}

#[tokio::test]
async fn interleaved_windows_are_told_apart() {
    let server = TestServer::start().await;
    let ids: Vec<String> = (0..50).map(|i| format!("window {i}")).collect();
    let mut all: Vec<_> = ids.iter().map(|id| open(id, spec())).collect();
    for (t, values) in rows().iter().enumerate() {
        for (i, id) in ids.iter().enumerate() {
            // Window i is i + 1 times as large.
            let values: Vec<f64> = values.iter().map(|v| v * (i + 1) as f64).collect();
            all.push(row(id, t, &values));
        }
    }
    let (answers, end) = exchange(&server, all).await;
    end.unwrap();
    assert_eq!(answers.len(), ids.len());
    for (i, id) in ids.iter().enumerate() {
        let answer = answers.iter().find(|answer| &answer.window_id == id).unwrap();
        let glocal = decode(answer.report.as_ref().unwrap().glocal.as_ref().unwrap());
        for (found, limit) in glocal.iter().zip(LIMITS) {
            assert!((found / (limit * (i + 1) as f64) - 1.0).abs() < 1e-6);
        }
    }
}

#[tokio::test]
async fn a_row_that_is_not_finite_is_refused_by_name() {
    let server = TestServer::start().await;
    let mut all = messages("w");
    all[8] = row("w", 7, &[1.0, f64::NAN, 1.0]);
    let status = refusal(&server, all).await;
    assert_invalid(&status, "NON_FINITE_VALUE", &["hypergradient.values"]);
    assert!(status.message().contains("row 7, component 1 is NaN"), "{status}");
}

#[tokio::test]
async fn a_row_of_wrong_length_is_refused() {
    let server = TestServer::start().await;
    for values in [&[][..], &[1.0; 2], &[1.0; 4]] {
        let status = refusal(&server, vec![open("w", spec()), row("w", 0, values)]).await;
        assert_invalid(&status, "WRONG_LENGTH", &["hypergradient.values"]);
        assert!(status.message().contains("3 components"), "{status}");
    }
}

#[tokio::test]
async fn rows_out_of_order_and_duplicate_rows_are_refused() {
    let server = TestServer::start().await;
    let values = rows();
    for wrong in [0, 2, u32::MAX as usize] {
        let all = vec![
            open("w", spec()),
            row("w", 0, &values[0]),
            row("w", wrong, &values[0]),
        ];
        let status = refusal(&server, all).await;
        assert_invalid(&status, "ROW_OUT_OF_ORDER", &["hypergradient.row"]);
        assert!(status.message().contains("row 1 comes next"), "{status}");
    }
}

#[tokio::test]
async fn windows_that_are_not_open_or_open_already_are_refused() {
    let server = TestServer::start().await;
    let status = refusal(&server, vec![row("nobody", 0, &[1.0])]).await;
    assert_invalid(&status, "WINDOW_NOT_OPEN", &["window_id"]);
    assert!(status.message().contains("nobody"), "{status}");
    let status = refusal(&server, vec![open("w", spec()), open("w", spec())]).await;
    assert_invalid(&status, "WINDOW_ALREADY_OPEN", &["window_id"]);
    for id in ["", &"x".repeat(129)] {
        for message in [open(id, spec()), row(id, 0, &[1.0]), estimate_now(id)] {
            let status = refusal(&server, vec![message]).await;
            assert_invalid(&status, "INVALID_WINDOW_ID", &["window_id"]);
        }
    }
    let empty = EstimateGlocalRequest {
        window_id: "w".to_owned(),
        payload: None,
    };
    assert_invalid(
        &refusal(&server, vec![empty]).await,
        "PAYLOAD_MISSING",
        &["payload"],
    );
}

/// Clients may refuse more headers than 8 KiB, and a status travels in headers.
#[tokio::test]
async fn a_status_about_long_ids_and_long_numbers_reaches_a_client_that_takes_few_headers() {
    let server = TestServer::start().await;
    let channel = Endpoint::from_shared(format!("http://{}", server.address))
        .unwrap()
        .http2_max_header_list_size(8 << 10)
        .connect_lazy();
    let id = |first| format!("{first}{}", "\u{10ffff}".repeat(127));
    let many_open: Vec<_> = (0..10).map(|i| open(&id(i), spec())).collect();
    let options = DmdOptions {
        svd_rank: Some(-f64::MAX),
        tolerance: Some(-f64::MIN_POSITIVE),
        clip: Some(f64::MAX),
        ridge: Some(-f64::MIN_POSITIVE),
        ..DmdOptions::default()
    };
    let long_numbers = WindowSpec {
        options: Some(options),
        prior_norms: vec![-f64::MIN_POSITIVE],
        ..spec()
    };
    let cases = [
        (many_open, "WINDOW_INCOMPLETE"),
        (
            vec![row(&"\u{1}".repeat(100_000), 0, &[1.0])],
            "INVALID_WINDOW_ID",
        ),
        (vec![row(&id(0), 0, &[1.0])], "WINDOW_NOT_OPEN"),
        (vec![open("w", long_numbers)], "INVALID_WINDOW"),
    ];
    for (messages, expected) in cases {
        let mut client = DmdServiceClient::new(channel.clone());
        let mut answers = client
            .estimate_glocal(stream::iter(messages))
            .await
            .unwrap()
            .into_inner();
        let status = patiently(answers.message()).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{status}");
    }
}

#[tokio::test]
async fn a_wrong_specification_is_refused_when_the_window_is_opened() {
    let server = TestServer::start().await;
    let status = refusal(
        &server,
        vec![open(
            "w",
            WindowSpec {
                rows: 10,
                components: 0,
                ..spec()
            },
        )],
    )
    .await;
    assert_invalid(&status, "INVALID_WINDOW", &["open.components", "open.rows"]);
}

#[tokio::test]
async fn announcing_more_than_the_limits_is_refused_before_any_row() {
    let server = TestServer::start_with(|config| config.limits.max_open_windows = 2).await;
    let huge = WindowSpec {
        components: 1_000_000_000,
        ..spec()
    };
    assert_limit(
        &refusal(&server, vec![open("w", huge)]).await,
        "limits.max_components",
    );
    let large = WindowSpec {
        rows: 500,
        components: 10_000_000,
        ..spec()
    };
    assert_limit(
        &refusal(&server, vec![open("w", large)]).await,
        "limits.max_held_bytes",
    );
    let three = ["a", "b", "c"].map(|id| open(id, spec())).to_vec();
    assert_limit(&refusal(&server, three).await, "limits.max_open_windows");
}

#[tokio::test]
async fn a_row_above_the_message_limit_is_a_limit() {
    let server = TestServer::start_with(|config| config.limits.max_message_bytes = 1000).await;
    let wide = WindowSpec {
        components: 200,
        ..spec()
    };
    let status = refusal(&server, vec![open("w", wide), row("w", 0, &[1.0; 200])]).await;
    assert_limit(&status, "limits.max_message_bytes");
}

#[tokio::test]
async fn a_stream_that_stops_half_way_says_what_is_missing_after_the_answers() {
    let server = TestServer::start().await;
    let mut all = messages("complete");
    all.extend(messages("cut").into_iter().take(8));
    let (answers, end) = exchange(&server, all).await;
    assert_eq!(answers.len(), 1);
    assert_found(&answers[0]);
    let status = end.unwrap_err();
    assert_invalid(&status, "WINDOW_INCOMPLETE", &["hypergradient"]);
    assert!(status.message().contains("\"cut\" has 7 of 20 rows"), "{status}");
}

#[tokio::test]
async fn windows_that_are_complete_before_an_error_are_answered() {
    let server = TestServer::start().await;
    let mut all = messages("complete");
    all.push(row("nobody", 0, &[1.0]));
    let (answers, end) = exchange(&server, all).await;
    assert_eq!(answers.len(), 1);
    assert_invalid(&end.unwrap_err(), "WINDOW_NOT_OPEN", &["window_id"]);
}

#[tokio::test]
async fn an_error_on_one_stream_leaves_others_alone() {
    let server = TestServer::start().await;
    let mut other = Conversation::begin(&server).await;
    let all = messages("w");
    let (first, rest) = all.split_at(10);
    other.say(first.to_vec()).await;
    refusal(&server, vec![row("nobody", 0, &[1.0])]).await;
    other.say(rest.to_vec()).await;
    assert_found(&other.answer().await.unwrap().unwrap());
}

#[tokio::test]
async fn a_client_that_goes_away_gives_its_memory_back() {
    const LONG: usize = 20_000;
    // Two windows of 20,000 components want 8 MB; a window with the message that brings one less than that.
    let server = TestServer::start_with(|config| config.limits.max_held_bytes = 8_000_000).await;
    let long = || WindowSpec {
        components: LONG as u32,
        ..spec()
    };
    let whole = || AnalyzeWindowRequest {
        spec: Some(long()),
        hypergradients: encode(&[1.0; ROWS * LONG]),
    };
    let mut conversation = Conversation::begin(&server).await;
    conversation.say([open("long", long())]).await;
    conversation.say(messages("whole")).await;
    assert_eq!(conversation.answer().await.unwrap().unwrap().window_id, "whole");
    let status = server.client().analyze_window(whole()).await.unwrap_err();
    assert_limit(&status, "limits.max_held_bytes");
    drop(conversation);
    eventually(|| async { server.client().analyze_window(whole()).await.is_ok() }).await;
}

#[tokio::test]
async fn a_call_without_room_for_what_it_may_send_is_to_come_again() {
    let server = TestServer::start_with(|config| config.limits.max_held_bytes = 2 * RECEIVE_WINDOW - 1).await;
    let mut conversation = Conversation::begin(&server).await;
    conversation.say(messages("w")).await;
    assert_found(&conversation.answer().await.unwrap().unwrap());
    for status in [
        refusal(&server, messages("w")).await,
        server.client().analyze_window(whole_window()).await.unwrap_err(),
    ] {
        assert_limit(&status, "limits.max_held_bytes");
        assert!(status.get_details_retry_info().is_some(), "{status}");
    }
    assert_limits_counted(&server, 2).await;
    drop(conversation);
    eventually(|| async { server.client().analyze_window(whole_window()).await.is_ok() }).await;
}

#[tokio::test]
async fn a_message_without_room_is_refused_before_it_has_come() {
    let server =
        TestServer::start_with(|config| config.limits.max_held_bytes = RECEIVE_WINDOW + 10_000).await;
    let mut all = messages("w");
    all.push(row("w", 0, &[1.0; 1_250]));
    let (answers, end) = exchange(&server, all).await;
    assert_found(&answers[0]);
    let status = end.unwrap_err();
    assert_limit(&status, "limits.max_held_bytes");
    // There will never be.
    assert!(status.get_details_retry_info().is_none(), "{status}");
    let request = AnalyzeWindowRequest {
        hypergradients: vec![0; 10_000].into(),
        ..whole_window()
    };
    let status = server.client().analyze_window(request).await.unwrap_err();
    assert_limit(&status, "limits.max_held_bytes");
    assert_limits_counted(&server, 2).await;
}

#[tokio::test]
async fn a_window_that_never_fits_beside_its_own_stream_is_not_to_come_again() {
    // A window wants 800 kB.
    let server = TestServer::start_with(|config| config.limits.max_held_bytes = 1_600_000).await;
    let large = || WindowSpec {
        components: 4_000,
        ..spec()
    };
    let alone = refusal(&server, ["a", "b"].map(|id| open(id, large())).to_vec()).await;
    assert_limit(&alone, "limits.max_held_bytes");
    assert!(alone.get_details_retry_info().is_none(), "{alone}");
    let mut other = Conversation::begin(&server).await;
    other.say([open("a", large())]).await;
    other.say(messages("w")).await;
    assert_found(&other.answer().await.unwrap().unwrap());
    let beside_another = refusal(&server, vec![open("a", large())]).await;
    assert_limit(&beside_another, "limits.max_held_bytes");
    assert!(
        beside_another.get_details_retry_info().is_some(),
        "{beside_another}"
    );
}

#[tokio::test]
async fn a_window_that_never_finishes_is_ended() {
    let server = TestServer::start_with(|config| config.limits.idle_seconds = 1).await;
    let mut conversation = Conversation::begin(&server).await;
    // A stream without open windows may be idle.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    conversation.say(messages("w").into_iter().take(4)).await;
    let status = conversation.answer().await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(reason(&status), "STREAM_IDLE");
    assert!(status.message().contains("\"w\" has 3 of 20 rows"), "{status}");
}

#[tokio::test]
async fn a_reader_that_is_slow_gets_every_answer() {
    let server = TestServer::start().await;
    let all: Vec<_> = (0..200).flat_map(|i| messages(&i.to_string())).collect();
    let answers = server
        .client()
        .estimate_glocal(stream::iter(all))
        .await
        .unwrap()
        .into_inner();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(
        answers
            .filter(|answer| std::future::ready(answer.is_ok()))
            .count()
            .await,
        200
    );
}

#[tokio::test]
async fn a_row_above_the_message_limit_comes_in_parts() {
    let server = TestServer::start_with(|config| config.limits.max_message_bytes = 1000).await;
    let wide = 200;
    let spec = WindowSpec {
        components: wide as u32,
        ..spec()
    };
    let rows: Vec<Vec<f64>> = rows()
        .iter()
        .map(|row| row.iter().copied().cycle().take(wide).collect())
        .collect();
    let mut all = vec![open("w", spec)];
    for (t, values) in rows.iter().enumerate() {
        for (i, values) in values.chunks(90).enumerate() {
            all.push(part("w", t, 90 * i as u32, values));
        }
    }
    let (answers, end) = exchange(&server, all).await;
    end.unwrap();
    let report = answers[0].report.as_ref().unwrap();
    assert_eq!(decode(&report.last), rows[ROWS - 1]);
    for (found, expected) in decode(report.glocal.as_ref().unwrap())
        .iter()
        .zip(LIMITS.iter().cycle())
    {
        assert!((found / expected - 1.0).abs() < 1e-6);
    }
}

#[tokio::test]
async fn parts_that_are_out_of_order_empty_or_too_long_are_refused() {
    let server = TestServer::start().await;
    let after = |first: u32, values: &[f64]| {
        vec![
            open("w", spec()),
            part("w", 0, 0, &[1.0]),
            part("w", 0, first, values),
        ]
    };
    for first in [0, 2, u32::MAX] {
        let status = refusal(&server, after(first, &[1.0])).await;
        assert_invalid(&status, "PART_OUT_OF_ORDER", &["hypergradient.first_component"]);
        assert!(status.message().contains("component 1 comes next"), "{status}");
    }
    for values in [&[][..], &[1.0; 3]] {
        let status = refusal(&server, after(1, values)).await;
        assert_invalid(&status, "WRONG_LENGTH", &["hypergradient.values"]);
    }
    let status = refusal(&server, after(1, &[1.0, f64::NAN])).await;
    assert!(status.message().contains("row 0, component 2 is NaN"), "{status}");
    // A whole row cannot follow a part of one.
    let status = refusal(
        &server,
        vec![open("w", spec()), part("w", 0, 0, &[1.0]), row("w", 0, &[1.0; 3])],
    )
    .await;
    assert_invalid(&status, "PART_OUT_OF_ORDER", &["hypergradient.first_component"]);
}

#[tokio::test]
async fn an_estimate_can_be_asked_for_in_the_middle_of_a_window() {
    let server = TestServer::start().await;
    let mut conversation = Conversation::begin(&server).await;
    let all = messages("w");
    let (first, rest) = all.split_at(16);
    conversation.say(first.to_vec()).await;
    conversation.say([estimate_now("w")]).await;
    let answer = conversation.answer().await.unwrap().unwrap();
    assert_eq!(answer.rows_so_far, Some(15));
    // The report is that of a window which has these rows only.
    let short = AnalyzeWindowRequest {
        spec: Some(WindowSpec { rows: 15, ..spec() }),
        hypergradients: encode(rows()[..15].as_flattened()),
    };
    let mut whole = server
        .client()
        .analyze_window(short)
        .await
        .unwrap()
        .into_inner()
        .report
        .unwrap();
    let mut report = answer.report.unwrap();
    whole.compute_time = None;
    report.compute_time = None;
    assert_eq!(report, whole);
    // The window goes on.
    conversation.say(rest.to_vec()).await;
    let answer = conversation.answer().await.unwrap().unwrap();
    assert_eq!(answer.rows_so_far, None);
    assert_found(&answer);
}

#[tokio::test]
async fn an_estimate_needs_enough_rows_of_an_open_window() {
    let server = TestServer::start().await;
    let mut all = messages("w");
    all.truncate(11);
    all.push(estimate_now("w"));
    let status = refusal(&server, all).await;
    assert_invalid(&status, "TOO_FEW_ROWS", &["estimate"]);
    assert!(
        status.message().contains("10 rows so far; at least 11"),
        "{status}"
    );
    let status = refusal(&server, vec![estimate_now("nobody")]).await;
    assert_invalid(&status, "WINDOW_NOT_OPEN", &["window_id"]);
}
