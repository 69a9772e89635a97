//! Logs on standard error, so that standard output stays free for the line that says where the service listens.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

use super::config::{ConfigError, Log, LogFormat, value_error};

/// Installs the log for the whole process.
///
/// # Errors
/// [`ConfigError`] when the level is not understood.
pub fn init(log: &Log) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&log.level)
        .map_err(|error| value_error("log.level", format!("is {:?}: {error}", log.level)))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // It would report a broken standard error to standard error, and panic in the task that wanted to log.
        .log_internal_errors(false)
        .with_writer(stderr);
    match log.format {
        LogFormat::Human => builder.with_ansi(stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
