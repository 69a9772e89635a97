//! Logs on standard error, so that standard output stays free for the line that says where the service listens; spans
//! go to a collector, if there is one.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::{
    config::{ConfigError, Log, LogFormat, value_error},
    otlp::Traces,
};

/// Installs log and traces for the whole process.
///
/// # Errors
/// [`ConfigError`] when the level is not understood.
pub fn init(log: &Log, traces: Option<&Traces>) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&log.level)
        .map_err(|error| value_error("log.level", format!("is {:?}: {error}", log.level)))?;
    let lines = fmt::layer()
        // It would report a broken standard error to standard error, and panic in the task that wanted to log.
        .log_internal_errors(false)
        .with_writer(stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        LogFormat::Human => lines.with_ansi(stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    // Without spans: a line says what it is about, and does not repeat the call it belongs to.
    let lines = lines.with_filter(filter.and(filter_fn(|metadata| metadata.is_event())));
    let registry = tracing_subscriber::registry().with(lines);
    match traces {
        Some(traces) => registry.with(traces.layer()).init(),
        None => registry.init(),
    }
    Ok(())
}
