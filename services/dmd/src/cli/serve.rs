//! Serves the gRPC service (`glocal-dmd serve`).

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
};

use clap::Args;
use serde::Serialize;
use tokio::net::TcpListener;

use super::{
    failure::{Failure, exit},
    signals,
};
use crate::server::{
    self, Listeners,
    config::{Config, LogFormat},
    environment::warn_of_service_links,
    otlp::Traces,
    security::Security,
    telemetry,
};

/// Serve the gRPC service glocal.v1.DmdService.
///
/// Once ready it prints one line to standard output, "glocal-dmd listening on HOST:PORT"; logs go to standard error.
/// SIGTERM and SIGINT make it refuse new windows, answer those under way, and exit with code 0.
///
/// Every setting comes from the first of these that has it: a flag below, an environment variable (GLOCAL_DMD_LISTEN,
/// GLOCAL_DMD_LIMITS__MAX_ROWS, ...), the configuration file, the default. A wrong key or value exits with code 64, a port
/// in use with 69.
///
/// With OTEL_EXPORTER_OTLP_ENDPOINT it exports spans of calls and windows to an OpenTelemetry collector, over gRPC; headers,
/// name, resource and sampler come from the other OTEL_ variables of the specification.
#[derive(Debug, Args)]
pub struct Serve {
    /// Configuration file (TOML), also GLOCAL_DMD_CONFIG.
    #[arg(long, value_name = "FILE", env = "GLOCAL_DMD_CONFIG")]
    config: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,

    #[command(flatten)]
    log: LogSettings,

    /// Exit when standard input closes, so that the service ends with the process that started it.
    #[arg(long)]
    exit_with_stdin: bool,
}

/// Flags that are settings of the configuration; those not given leave the other layers alone.
#[derive(Debug, Args, Serialize)]
struct Settings {
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:50062].
    #[arg(long, value_name = "HOST:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<String>,

    /// Address for Prometheus, which finds the service's figures at /metrics there, in plain text.
    #[arg(long, value_name = "HOST:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics_listen: Option<String>,

    /// Allow to listen off the loopback interface without TLS, or without tokens and client certificates.
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    insecure: bool,

    #[command(flatten)]
    tls: TlsSettings,

    #[command(flatten)]
    auth: AuthSettings,

    /// Seconds that streams have to end after the signal to stop [default: 10].
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    drain_seconds: Option<u64>,
}

#[derive(Debug, Args, Serialize)]
struct TlsSettings {
    /// PEM file with the server's certificate and those that lead to its root.
    #[arg(long = "tls-certificate", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<PathBuf>,

    /// PEM file with the private key of the certificate.
    #[arg(long = "tls-key", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<PathBuf>,

    /// PEM file with the roots that clients' certificates must lead to (mutual TLS).
    #[arg(long = "tls-client-ca", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    client_ca: Option<PathBuf>,
}

#[derive(Debug, Args, Serialize)]
struct AuthSettings {
    /// File with the bearer tokens that are admitted, one a line.
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    token_file: Option<PathBuf>,
}

#[derive(Debug, Args, Serialize)]
struct LogSettings {
    /// error, warn, info, debug or trace [default: info].
    #[arg(long = "log-level", value_name = "LEVEL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<String>,

    /// How log lines look [default: human].
    #[arg(long = "log-format", value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<LogFormat>,
}

impl Serve {
    /// Serves until it is told to stop.
    ///
    /// # Errors
    /// [`Failure`] when a setting is wrong, an address cannot be listened on, or the service breaks.
    pub fn run(self) -> Result<(), Failure> {
        #[derive(Serialize)]
        struct Flags {
            #[serde(flatten)]
            settings: Settings,
            log: LogSettings,
        }
        let flags = Flags {
            settings: self.settings,
            log: self.log,
        };
        let config =
            Config::load(self.config.as_deref(), flags).map_err(|error| Failure::new(exit::USAGE, error))?;
        let security = Security::load(&config).map_err(|error| Failure::new(exit::USAGE, error))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(exit::SOFTWARE, format!("cannot start the runtime: {error}")))?;
        let traces = {
            let _on_the_runtime = runtime.enter();
            Traces::from_environment().map_err(|error| Failure::new(exit::USAGE, error))?
        };
        telemetry::init(&config.log, traces.as_ref()).map_err(|error| Failure::new(exit::USAGE, error))?;
        warn_of_service_links();
        let served = runtime.block_on(serve_until_told(config, security, self.exit_with_stdin));
        if let Some(traces) = traces {
            traces.shutdown();
        }
        served
    }
}

async fn serve_until_told(config: Config, security: Security, exit_with_stdin: bool) -> Result<(), Failure> {
    let metrics = match &config.metrics_listen {
        Some(listen) => Some(bind("metrics_listen", listen, |_| Ok(())).await?),
        None => None,
    };
    let listeners = Listeners {
        grpc: bind("listen", &config.listen, |address| {
            refuse_strangers(&config, address)
        })
        .await?,
        metrics,
    };
    let shutdown = signals::shutdown(exit_with_stdin)
        .map_err(|error| Failure::new(exit::SOFTWARE, format!("cannot listen for signals: {error}")))?;
    server::run(listeners, config, security, shutdown, announce)
        .await
        .map_err(|error| Failure::new(exit::SOFTWARE, error))
}

/// The one line on standard output. Whoever started the service may not be interested in it.
fn announce(address: SocketAddr) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "glocal-dmd listening on {address}").and_then(|()| stdout.flush());
}

/// Off the loopback interface the service needs to know who calls, unless told otherwise.
fn refuse_strangers(config: &Config, address: SocketAddr) -> Result<(), Failure> {
    if config.insecure || config.is_secure() || address.ip().is_loopback() {
        return Ok(());
    }
    Err(Failure::new(
        exit::USAGE,
        format!(
            "listen: {address} can be reached from other machines; give it TLS (--tls-certificate, --tls-key) and tokens \
             or a client CA (--token-file, --tls-client-ca), listen on 127.0.0.1, or pass --insecure if the network is \
             trusted"
        ),
    ))
}

/// Listens at the address of a key, if `allow` has nothing against any address it stands for.
async fn bind(
    key: &str,
    listen: &str,
    allow: impl Fn(SocketAddr) -> Result<(), Failure>,
) -> Result<TcpListener, Failure> {
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host(listen)
        .await
        .map_err(|error| {
            Failure::new(
                exit::USAGE,
                format!("{key}: {listen:?} is not HOST:PORT: {error}"),
            )
        })?
        .collect();
    for address in &addresses {
        allow(*address)?;
    }
    TcpListener::bind(addresses.as_slice()).await.map_err(|error| {
        let message = match error.kind() {
            io::ErrorKind::AddrInUse => {
                format!("{listen} is in use by another process; choose another {key}")
            }
            _ => format!("cannot listen on {listen}: {error}"),
        };
        Failure::new(exit::UNAVAILABLE, message)
    })
}
