//! Spans for OpenTelemetry: one for each call of DmdService, below the caller's if it sent a `traceparent`, and below that
//! one for each window.
//!
//! They have a [`TARGET`] of their own, which the log leaves out. While nothing is exported they are disabled, and calls
//! pass through as they are.

use std::{
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures::future::{BoxFuture, Either};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::{Instrument, Span, field::Empty, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{decode::Spec, proto::dmd_service_server::SERVICE_NAME};
use crate::{AnalysisError, Verdict};

/// Target of the spans.
pub(super) const TARGET: &str = "glocal_dmd::spans";

/// Methods of DmdService. Others do not exist, and a call of one has no span, so that names of spans are never made up by
/// callers.
const METHODS: [&str; 3] = [
    "glocal.v1.DmdService/AnalyzeWindow",
    "glocal.v1.DmdService/EstimateGlocal",
    "glocal.v1.DmdService/GetDmdInfo",
];

/// Gives every call of DmdService its span.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallSpans;

impl<S> Layer<S> for CallSpans {
    type Service = WithCallSpans<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithCallSpans(inner)
    }
}

/// A service with [`CallSpans`].
#[derive(Debug, Clone)]
pub(super) struct WithCallSpans<S>(S);

impl<S> Service<Request<Body>> for WithCallSpans<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = Call::of(&request);
        let response = self.0.call(request);
        let Some(call) = call else {
            return Either::Left(response);
        };
        let response = response.instrument(call.span.clone());
        Either::Right(Box::pin(async move { Ok(call.answered(response.await?)) }))
    }
}

/// A call under way. Its span ends with it.
struct Call {
    span: Span,
    /// What the call ended with; CANCELLED if the caller or a deadline ended it before.
    code: Code,
}

impl Call {
    /// The call that this request makes, if it is one of DmdService and its span would go anywhere.
    fn of<B>(request: &Request<B>) -> Option<Self> {
        let path = request.uri().path().strip_prefix('/')?;
        let method = METHODS.into_iter().find(|method| *method == path)?;
        let span = info_span!(
            target: TARGET,
            "call",
            otel.name = method,
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.service = SERVICE_NAME,
            rpc.method = method,
            rpc.response.status_code = Empty,
            error.type = Empty,
        );
        if span.is_disabled() {
            return None;
        }
        let nothing = opentelemetry::Context::new();
        let caller =
            TraceContextPropagator::new().extract_with_context(&nothing, &Headers(request.headers()));
        // Fails only for a span that has begun already, or that no layer exports.
        let _ = span.set_parent(caller);
        Some(Self {
            span,
            code: Code::Cancelled,
        })
    }

    /// Goes on until the response has been sent.
    fn answered(mut self, response: Response<Body>) -> Response<Body> {
        if self.ended_with(response.headers()) {
            return response;
        }
        response.map(|body| {
            Body::new(body.map_frame(move |frame| {
                if let Some(trailers) = frame.trailers_ref() {
                    self.ended_with(trailers);
                }
                frame
            }))
        })
    }

    /// Takes the status from headers or trailers; false without one.
    fn ended_with(&mut self, headers: &HeaderMap) -> bool {
        let status = Status::from_header_map(headers);
        if let Some(status) = &status {
            self.code = status.code();
        }
        status.is_some()
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let name = name(self.code);
        self.span.record("rpc.response.status_code", &name);
        if at_fault(self.code) {
            self.span.record("error.type", &name);
            self.span.record("otel.status_code", "ERROR");
        }
    }
}

/// The code as the gRPC specification writes it: INVALID_ARGUMENT.
fn name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// Whether the code says that the server failed, by the semantic conventions for gRPC.
fn at_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// Metadata of a call, for its `traceparent` and `tracestate`.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

/// The span of a window, from when it waits for a thread until it has been analyzed.
pub(super) struct WindowSpan {
    span: Span,
    since: Instant,
}

impl WindowSpan {
    /// Begins the span of a window that is complete.
    pub(super) fn waiting(call: &Span, spec: &Spec) -> Self {
        let span = info_span!(
            target: TARGET,
            parent: call,
            "window",
            otel.name = "analyze window",
            otel.status_code = Empty,
            otel.status_description = Empty,
            glocal.window.rows = signed(spec.rows),
            glocal.window.components = signed(spec.components),
            glocal.window.variant = spec.options.variant.name(),
            glocal.window.verdict = Empty,
            glocal.window.wait_seconds = Empty,
            glocal.window.compute_seconds = Empty,
        );
        Self {
            span,
            since: Instant::now(),
        }
    }

    /// The window has its thread.
    pub(super) fn computing(&self) {
        self.span
            .record("glocal.window.wait_seconds", self.since.elapsed().as_secs_f64());
    }

    /// The window has been analyzed in this time.
    pub(super) fn answered(&self, verdict: Verdict, time: Duration) {
        self.span.record("glocal.window.verdict", verdict.name());
        self.span
            .record("glocal.window.compute_seconds", time.as_secs_f64());
    }

    /// The window could not be analyzed.
    pub(super) fn failed(&self, error: &AnalysisError) {
        self.span.record("otel.status_code", "ERROR");
        self.span
            .record("otel.status_description", tracing::field::display(error));
    }
}

/// Numbers of OpenTelemetry are signed; an unsigned one would become text.
fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::server::proto::FILE_DESCRIPTOR_SET;

    #[test]
    fn every_method_of_the_contract_has_spans() {
        let contract = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
        let methods: Vec<String> = contract
            .file
            .iter()
            .flat_map(|file| file.service.iter().map(|service| (file.package(), service)))
            .flat_map(|(package, service)| {
                let name = |method: &str| format!("{package}.{}/{method}", service.name());
                service
                    .method
                    .iter()
                    .map(move |method| name(method.name()))
                    .collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(methods, METHODS);
    }

    #[test]
    fn codes_are_named_as_in_the_specification() {
        assert_eq!(name(Code::Ok), "OK");
        assert_eq!(name(Code::ResourceExhausted), "RESOURCE_EXHAUSTED");
    }
}
