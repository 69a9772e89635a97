//! Export of spans to an OpenTelemetry collector, set by the environment variables of the OpenTelemetry specification.

use std::{
    env,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithTonicConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::{SdkTracerProvider, SpanData},
};
use tonic::transport::ClientTlsConfig;
use tracing::Subscriber;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, filter_fn},
    registry::LookupSpan,
};

use super::{
    config::{ConfigError, value_error},
    spans,
};

/// Name of the service in its spans, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` has another.
const SERVICE_NAME: &str = "glocal-dmd";

/// Time that the last spans have to reach the collector when the service stops.
const FLUSH_LIMIT: Duration = Duration::from_secs(3);

/// A collector that cannot be reached is mentioned in the log once in this time.
const WARNING_INTERVAL: Duration = Duration::from_secs(600);

const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// Spans on their way to a collector.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to export if an endpoint is set. Needs to be called on the runtime that is to hold the connection, which is
    /// made when there are spans.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that cannot be used.
    pub fn from_environment() -> Result<Option<Self>, ConfigError> {
        let disabled = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let endpoint = [
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ]
        .into_iter()
        .find_map(|name| Some((name, variable(name)?)));
        let exporter = variable("OTEL_TRACES_EXPORTER");
        let none = exporter.as_deref() == Some("none");
        let Some((name, endpoint)) = endpoint.filter(|_| !disabled && !none) else {
            return Ok(None);
        };
        check_exporter(exporter.as_deref())?;
        check_protocol()?;
        check_sampler()?;
        let exporter = SpanExporter::builder().with_tonic();
        let exporter = if endpoint.starts_with("https://") || !endpoint.contains("://") {
            exporter.with_tls_config(ClientTlsConfig::new().with_native_roots())
        } else {
            exporter
        };
        let exporter = exporter
            .build()
            .map_err(|error| value_error(name, error.to_string()))?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource())
            .with_batch_exporter(Reported::new(exporter))
            .build();
        Ok(Some(Self(provider)))
    }

    /// Takes the spans of this service, and those only.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let filter = filter_fn(|metadata| metadata.is_span() && metadata.target() == spans::TARGET)
            .with_max_level_hint(LevelFilter::INFO);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(SERVICE_NAME))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter)
    }

    /// Exports what has ended so far, for a bounded time. Blocks; the runtime of the connection must still run.
    pub fn shutdown(self) {
        if let Err(error) = self.0.shutdown_with_timeout(FLUSH_LIMIT) {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn check_exporter(exporter: Option<&str>) -> Result<(), ConfigError> {
    match exporter {
        None | Some("otlp") => Ok(()),
        Some(other) => Err(value_error(
            "OTEL_TRACES_EXPORTER",
            format!("is {other:?}; otlp or none"),
        )),
    }
}

fn check_protocol() -> Result<(), ConfigError> {
    for name in [
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    ] {
        match variable(name) {
            Some(protocol) if !protocol.eq_ignore_ascii_case("grpc") => {
                let problem = format!(
                    "is {protocol:?}; spans are exported with \"grpc\" only: leave it out or set it to that, with the \
                     collector's gRPC port (4317 by default) in the endpoint"
                );
                return Err(value_error(name, problem));
            }
            Some(_) => return Ok(()),
            None => {}
        }
    }
    Ok(())
}

/// The SDK would take every span where it does not understand what it is told.
fn check_sampler() -> Result<(), ConfigError> {
    const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
    const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
    let Some(sampler) = variable(SAMPLER) else {
        return Ok(());
    };
    if !SAMPLERS.contains(&sampler.as_str()) {
        let problem = format!("is {sampler:?}; one of {}", SAMPLERS.join(", "));
        return Err(value_error(SAMPLER, problem));
    }
    let ratio = variable(ARGUMENT).filter(|_| sampler.ends_with("traceidratio"));
    match ratio {
        Some(ratio) if !ratio.parse().is_ok_and(|ratio: f64| (0.0..=1.0).contains(&ratio)) => Err(
            value_error(ARGUMENT, format!("is {ratio:?}; a number from 0 to 1")),
        ),
        _ => Ok(()),
    }
}

/// What is said about the service with its spans; the environment comes before what it says itself.
fn resource() -> Resource {
    let resource = Resource::builder_empty()
        .with_service_name(SERVICE_NAME)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detectors(&[
            Box::new(TelemetryResourceDetector),
            Box::new(EnvResourceDetector::new()),
        ]);
    match variable("OTEL_SERVICE_NAME") {
        Some(name) => resource.with_service_name(name),
        None => resource,
    }
    .build()
}

/// An exporter whose failures are reported in the log, at most one in [`WARNING_INTERVAL`].
#[derive(Debug)]
struct Reported {
    exporter: SpanExporter,
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Failures {
    /// Spans that were lost and not yet reported.
    lost: usize,
    warned: Option<Instant>,
}

impl Reported {
    fn new(exporter: SpanExporter) -> Self {
        Self {
            exporter,
            failures: Mutex::default(),
        }
    }
}

impl opentelemetry_sdk::trace::SpanExporter for Reported {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.exporter.export(batch).await;
        if let Err(error) = &result {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.lost += spans;
            if failures.warned.is_none_or(|at| at.elapsed() >= WARNING_INTERVAL) {
                tracing::warn!(%error, lost = failures.lost, "spans cannot be exported");
                *failures = Failures {
                    lost: 0,
                    warned: Some(Instant::now()),
                };
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
