//! Configuration in layers: defaults, file, environment, flags. Later layers win; a wrong key or value names itself.

use std::{
    env,
    fs::File,
    io,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    environment::{self, ENV_PREFIX},
    transport::RECEIVE_WINDOW,
};
use crate::Thresholds;

/// The configuration of the service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// host:port to listen on; port 0 takes a free one.
    pub listen: String,
    /// host:port on which Prometheus finds the service's figures at /metrics, in plain text; none unless set.
    pub metrics_listen: Option<String>,
    /// Allows to listen off the loopback interface without TLS, or without asking who calls.
    pub insecure: bool,
    /// TLS.
    pub tls: Tls,
    /// Who may call.
    pub auth: Auth,
    /// Time that streams have to end after the signal to stop.
    pub drain_seconds: u64,
    /// Limits.
    pub limits: Limits,
    /// Thresholds of the verdict.
    pub verdict: Thresholds,
    /// Logging.
    pub log: Log,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:50062".to_owned(),
            metrics_listen: None,
            insecure: false,
            tls: Tls::default(),
            auth: Auth::default(),
            drain_seconds: 10,
            limits: Limits::default(),
            verdict: Thresholds::default(),
            log: Log::default(),
        }
    }
}

/// TLS; off unless a certificate is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM file with the server's certificate and those that lead to its root.
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key.
    pub key: Option<PathBuf>,
    /// PEM file with the roots that clients' certificates must lead to; without it clients need none.
    pub client_ca: Option<PathBuf>,
}

/// Who may call, beside those with a client certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// File with the bearer tokens that are admitted, one a line. Health checks need none.
    pub token_file: Option<PathBuf>,
}

/// Limits of the service. What would pass one is answered with RESOURCE_EXHAUSTED.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Rows of a window.
    pub max_rows: u64,
    /// Components of a hypergradient.
    pub max_components: u64,
    /// Bytes of one message from a client.
    pub max_message_bytes: usize,
    /// Windows that one stream may have open.
    pub max_open_windows: usize,
    /// Bytes that all calls of DmdService, their windows and reports may hold together.
    pub max_held_bytes: u64,
    /// Threads that analyze windows; 0 for as many as there are processors.
    pub compute_threads: usize,
    /// AnalyzeWindow calls that may wait for one of these threads.
    pub compute_queue: usize,
    /// A stream with open windows on which nothing comes for this long is ended.
    pub idle_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_rows: 512,
            max_components: 10_000_000,
            max_message_bytes: 4 << 20,
            max_open_windows: 256,
            max_held_bytes: 1 << 30,
            compute_threads: 0,
            compute_queue: 1024,
            idle_seconds: 1800,
        }
    }
}

impl Limits {
    /// Threads that analyze windows.
    #[must_use]
    pub fn compute_threads(&self) -> usize {
        match self.compute_threads {
            0 => thread::available_parallelism().map_or(1, NonZeroUsize::get),
            threads => threads,
        }
    }
}

/// Logging. Logs go to standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`, or directives of tracing's `EnvFilter`.
    pub level: String,
    /// For people or for machines.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::Human,
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line each.
    Human,
    /// One JSON object each.
    Json,
}

/// A configuration that cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A layer has an unknown key or a value of the wrong type.
    #[error("{0}")]
    Layer(#[from] Box<figment::Error>),
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    File {
        /// Path of the file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A value is out of range.
    #[error("{key}: {problem}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is wrong, and what is expected.
        problem: String,
    },
}

impl Config {
    /// Merges the layers: defaults, the file (which must exist when given), the environment, `flags`.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key and the layer.
    pub fn load(file: Option<&Path>, flags: impl Serialize) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            File::open(file).map_err(|source| ConfigError::File {
                path: file.display().to_string(),
                source,
            })?;
            figment = figment.merge(Toml::file_exact(file));
        }
        let ignored = environment::ignored();
        let ignored: Vec<&str> = ignored.iter().map(String::as_str).collect();
        check_sections()?;
        let config: Self = figment
            .merge(Env::prefixed(ENV_PREFIX).ignore(&ignored).split("__"))
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(Box::new)?;
        config.check()?;
        Ok(config)
    }

    /// Whether strangers on the network are kept out, and cannot listen.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.tls.certificate.is_some() && (self.tls.client_ca.is_some() || self.auth.token_file.is_some())
    }

    fn check(&self) -> Result<(), ConfigError> {
        let positive = [
            ("limits.max_rows", self.limits.max_rows),
            ("limits.max_components", self.limits.max_components),
            ("limits.max_message_bytes", self.limits.max_message_bytes as u64),
            ("limits.max_open_windows", self.limits.max_open_windows as u64),
            ("limits.idle_seconds", self.limits.idle_seconds),
        ];
        for (key, value) in positive {
            if value == 0 {
                return Err(value_error(key, "is 0; at least 1"));
            }
        }
        let least = u64::from(RECEIVE_WINDOW).saturating_add(self.limits.max_message_bytes as u64);
        if self.limits.max_held_bytes < least {
            let held = self.limits.max_held_bytes;
            let problem = format!("is {held}; at least {least}, which a call with the longest message holds");
            return Err(value_error("limits.max_held_bytes", problem));
        }
        let v = &self.verdict;
        let numbers = [
            ("verdict.trusted_t_score", v.trusted_t_score),
            ("verdict.growing_above", v.growing_above),
            ("verdict.growing_share", v.growing_share),
            ("verdict.spike_ratio", v.spike_ratio),
            ("verdict.undamped_within", v.undamped_within),
            ("verdict.undamped_share", v.undamped_share),
            ("verdict.overshoot", v.overshoot),
            ("verdict.reconstruction_error", v.reconstruction_error),
            ("verdict.mode_condition", v.mode_condition),
        ];
        for (key, value) in numbers {
            if !(value.is_finite() && value > 0.0) {
                return Err(value_error(key, format!("is {value}; a finite number above 0")));
            }
        }
        Ok(())
    }
}

/// A variable that is named like a section sets nothing, and must not be taken for one that does.
fn check_sections() -> Result<(), ConfigError> {
    for section in ["tls", "auth", "limits", "verdict", "log"] {
        let variable = format!("{ENV_PREFIX}{}", section.to_uppercase());
        if env::var_os(&variable).is_some() {
            let problem = format!("{variable} names a section; its keys follow after two underscores");
            return Err(value_error(section, problem));
        }
    }
    Ok(())
}

/// A value that is out of range.
pub(crate) fn value_error(key: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError::Value {
        key,
        problem: problem.into(),
    }
}
