//! What the fuzz target `stream` does with an input, and the test that replays its corpus: a request to the gRPC service,
//! made within the process, from the bytes of its body to the status behind the answers.
//!
//! The first byte of an input says how the rest is used, see the constants; the second is the number of bytes in which the
//! body arrives at a time, 0 for all at once.

mod commands;
mod expectation;
mod report;
mod wire;

use std::{convert::Infallible, time::Duration};

use arbitrary::Unstructured;
use axum::body::Body as ChunkedBody;
use bytes::Bytes;
use futures::stream;
use glocal_dmd::{
    Thresholds,
    server::{
        GrpcService,
        config::Limits,
        proto::{self, AnalyzeWindowResponse, EstimateGlocalResponse},
    },
};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use tokio::{
    runtime::{self, Handle, Runtime},
    time::{sleep, timeout},
};
use tonic::{Code, Status, body::Body};
use tonic_types::StatusExt;
use tower::ServiceExt;

use expectation::{Ending, Expectation, Key};
use report::Parts;
use wire::End;

/// AnalyzeWindow instead of EstimateGlocal.
const ANALYZE_WINDOW: u8 = 1;
/// The rest is commands that make a body, instead of the body itself.
const COMMANDS: u8 = 2;
/// The client goes away after the first thing that it hears.
const LEAVES: u8 = 4;

/// Low, so that inputs of some hundred bytes reach them. Except for the time that a stream may idle: nothing ever waits.
const LIMITS: Limits = Limits {
    max_rows: 32,
    max_components: commands::MANY as u64,
    max_message_bytes: 256 << 10,
    max_open_windows: 3,
    max_held_bytes: 8 << 20,
    compute_threads: 2,
    compute_queue: 2,
    idle_seconds: 3600,
};

/// Bytes of headers that every client takes: the least of the limits that gRPC implementations begin with.
const MAX_TRAILERS: usize = 8192;

/// How long anything may take, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of a request.
#[derive(Debug)]
#[allow(dead_code, reason = "the target does without, the test reads it")]
pub struct Outcome {
    /// Reports that came.
    pub answers: usize,
    /// The code of the status; then the reason of an invalid argument, or the key of a limit. `None` when the client left.
    pub status: Option<String>,
}

struct Harness {
    runtime: Runtime,
    service: GrpcService,
}

thread_local! {
    static HARNESS: Harness = Harness {
        runtime: runtime::Builder::new_current_thread().enable_time().build().unwrap(),
        service: GrpcService::new(LIMITS, Thresholds::default()),
    };
}

/// Makes the request that the bytes stand for; `None` when they are too few.
///
/// # Panics
/// When the answers or the status are not those that the contract asks for, or something is left behind.
pub fn send_any(input: &[u8]) -> Option<Outcome> {
    let (&[flags, chunk], rest) = input.split_first_chunk::<2>()?;
    let is = |flag: u8| flags & flag != 0;
    let method = if is(ANALYZE_WINDOW) {
        Method::AnalyzeWindow
    } else {
        Method::EstimateGlocal
    };
    let body = match (is(COMMANDS), method) {
        (false, _) => rest.to_vec(),
        (true, Method::AnalyzeWindow) => commands::analyze_window(Unstructured::new(rest)).ok()?,
        (true, Method::EstimateGlocal) => commands::estimate_glocal(Unstructured::new(rest)).ok()?,
    };
    let expectation = method.expectation(&body);
    Some(HARNESS.with(|harness| {
        let exchange = exchange(&harness.service, method, body, chunk.into(), is(LEAVES));
        harness
            .runtime
            .block_on(async { timeout(PATIENCE, exchange).await.unwrap() })
            .check(&expectation)
    }))
}

#[derive(Clone, Copy)]
enum Method {
    AnalyzeWindow,
    EstimateGlocal,
}

impl Method {
    fn path(self) -> &'static str {
        match self {
            Self::AnalyzeWindow => "/glocal.v1.DmdService/AnalyzeWindow",
            Self::EstimateGlocal => "/glocal.v1.DmdService/EstimateGlocal",
        }
    }

    fn expectation(self, body: &[u8]) -> Expectation {
        match self {
            Self::AnalyzeWindow => expectation::of_analyze_window(body, LIMITS.max_message_bytes),
            Self::EstimateGlocal => expectation::of_estimate_glocal(body, LIMITS.max_message_bytes),
        }
    }

    /// The answers in the body of a response.
    fn answers(self, body: &[u8]) -> Vec<EstimateGlocalResponse> {
        let (answers, end) = match self {
            Self::EstimateGlocal => wire::messages(body, usize::MAX),
            Self::AnalyzeWindow => {
                let (answers, end) = wire::messages::<AnalyzeWindowResponse>(body, usize::MAX);
                let answer = |AnalyzeWindowResponse { report }| EstimateGlocalResponse {
                    report,
                    ..EstimateGlocalResponse::default()
                };
                (answers.into_iter().map(answer).collect(), end)
            }
        };
        assert_eq!(end, End::Whole);
        answers
    }
}

/// What a client hears.
struct Heard {
    answers: Vec<EstimateGlocalResponse>,
    /// `None` when it left.
    status: Option<Status>,
}

/// Sends a body and reads the response to its end, or to its first frame; then waits until nothing is left of it.
async fn exchange(service: &GrpcService, method: Method, body: Vec<u8>, chunk: usize, leaves: bool) -> Heard {
    let body = Bytes::from(body);
    let chunk = if chunk == 0 { body.len().max(1) } else { chunk };
    let chunks: Vec<_> = (0..body.len())
        .step_by(chunk)
        .map(|from| Ok::<_, Infallible>(body.slice(from..body.len().min(from + chunk))))
        .collect();
    let request = Request::post(method.path())
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(ChunkedBody::from_stream(stream::iter(chunks))))
        .unwrap();
    let response = service.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let heard = hear(method, response, leaves).await;
    while service.held_bytes() > 0 || Handle::current().metrics().num_alive_tasks() > 0 {
        sleep(Duration::from_millis(1)).await;
    }
    heard
}

async fn hear(method: Method, response: Response<Body>, leaves: bool) -> Heard {
    // A response without a body has its status in its headers.
    if let Some(status) = status(response.headers()) {
        return Heard {
            answers: Vec::new(),
            status: Some(status),
        };
    }
    let mut body = response.into_body();
    if leaves {
        let first = body.frame().await.unwrap().unwrap();
        return Heard {
            answers: method.answers(first.data_ref().map_or(&[], |data| data)),
            status: None,
        };
    }
    let body = body.collect().await.unwrap();
    let status = body.trailers().and_then(status);
    Heard {
        answers: method.answers(&body.to_bytes()),
        status: Some(status.unwrap()),
    }
}

fn status(headers: &HeaderMap) -> Option<Status> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    assert!(bytes <= MAX_TRAILERS, "{bytes} bytes of headers");
    Status::from_header_map(headers)
}

impl Heard {
    fn check(self, expectation: &Expectation) -> Outcome {
        let answers = self.answers.len();
        let mut heard: Vec<Key> = self.answers.into_iter().map(checked).collect();
        let Some(status) = self.status else {
            assert!(heard.iter().all(|answer| expectation.answers.contains(answer)));
            return Outcome {
                answers,
                status: None,
            };
        };
        assert!(
            answers <= expectation.answers.len(),
            "{answers} answers to {expectation:?}"
        );
        // A window that is quickly done may overtake another, but not one that is due after a refusal.
        let mut due = expectation.answers[..answers].to_vec();
        heard.sort();
        due.sort();
        assert_eq!(heard, due);
        let (ending, why) = ending(&status);
        // One that is not foreseen comes before the one that is.
        if let Some(ending) = ending {
            assert_eq!(ending, expectation.ending, "{status:?}");
            assert_eq!(answers, expectation.answers.len(), "{status:?}");
        }
        Outcome {
            answers,
            status: Some(format!("{:?} {why}", status.code()).trim_end().to_owned()),
        }
    }
}

/// What a status stands for, unless it is about a specification or a limit; and why it came.
fn ending(status: &Status) -> (Option<Ending>, String) {
    let details = status.get_error_details();
    let info = details.error_info();
    assert!(info.is_none_or(|info| info.domain == "glocal"), "{status:?}");
    let reason = info.map_or("", |info| info.reason.as_str());
    match status.code() {
        Code::Ok => (Some(Ending::Ok), String::new()),
        // A mistake of the service has a reason; the transport gives none.
        Code::Internal if info.is_none() => (Some(Ending::Malformed), String::new()),
        Code::InvalidArgument => {
            let violations = details.bad_request().map_or(&[][..], |bad| &bad.field_violations);
            assert!(!violations.is_empty(), "{status:?}");
            assert!(
                violations
                    .iter()
                    .all(|v| !v.field.is_empty() && !v.description.is_empty())
            );
            let ending = (!["INVALID_WINDOW", "TOO_FEW_ROWS"].contains(&reason))
                .then(|| Ending::Invalid(reason.to_owned()));
            (ending, reason.to_owned())
        }
        Code::ResourceExhausted => {
            assert_eq!(reason, "LIMIT_EXCEEDED");
            let limit = &info.unwrap().metadata["limit"];
            (
                (limit == "limits.max_message_bytes").then_some(Ending::TooLong),
                limit.clone(),
            )
        }
        _ => panic!("{status:?}"),
    }
}

/// Checks an answer, and says what it is about.
fn checked(answer: EstimateGlocalResponse) -> Key {
    let EstimateGlocalResponse {
        window_id,
        report,
        rows_so_far,
    } = answer;
    let report = report.unwrap();
    let spectrum = report.spectrum.as_ref().unwrap();
    let energy_shares: Vec<f64> = spectrum.modes.iter().map(|mode| mode.energy_share).collect();
    let components = report.last.len() / 8;
    let mean = values(&report.mean);
    Parts {
        verdict_reason: &report.verdict_reason,
        mean: &mean,
        median: &values(&report.median),
        last: &values(&report.last),
        t_scores: &values(&report.t_scores),
        glocal: report.glocal.as_ref().map(values).as_deref(),
        spread: report.spread.as_ref().map(values).as_deref(),
        judged: report.component_trusted.len(),
        energy_shares: &energy_shares,
    }
    .check(components);
    // Rows that are not finite do not get this far.
    assert!(mean.iter().all(|v| v.is_finite()));
    let lengths = [0, 16 * components];
    assert!(
        spectrum
            .modes
            .iter()
            .all(|mode| lengths.contains(&mode.contribution.len()))
    );
    assert_ne!(report.verdict(), proto::Verdict::Unspecified);
    assert!(report.verdict_figures.is_some() && report.compute_time.is_some());
    (window_id, rows_so_far, report.last.to_vec())
}

fn values(bytes: &Bytes) -> Vec<f64> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    assert!(rest.is_empty());
    chunks.iter().map(|&chunk| f64::from_le_bytes(chunk)).collect()
}
