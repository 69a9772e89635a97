//! The `glocal-dmd` binary: reads the command line and hands over to the library.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    thread,
    time::Duration,
};

use clap::{Args, Parser, Subcommand, error::ErrorKind};
use glocal_dmd::{
    Anchor, Options, Selection, SvdRank, Variant, cli,
    server::{
        self, Listeners, ServeError,
        config::{Config, LogFormat},
        otlp::Traces,
        security::Security,
        telemetry,
    },
};
use serde::Serialize;
use tikv_jemallocator::Jemalloc;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

/// Gives memory back, and to other threads, where that of the C library keeps some for each; set up in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Exit codes as in sysexits.h.
mod exit {
    pub const USAGE: u8 = 64;
    pub const DATA: u8 = 65;
    pub const UNAVAILABLE: u8 = 69;
    pub const SOFTWARE: u8 = 70;
}

/// Glocal hypergradients: where is a window of hypergradients heading?
///
/// Fits a Hankel dynamic mode decomposition to a window of local hypergradients and estimates where they would settle,
/// with the whole spectrum and a verdict on whether to trust the estimate.
#[derive(Debug, Parser)]
#[command(name = "glocal-dmd", version, max_term_width = 110)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Serve),
    Check(Check),
    Analyze(Analyze),
    Fixtures(Fixtures),
    Evaluate(Evaluate),
    Bench(Bench),
}

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
struct Serve {
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

/// Ask a running service whether it is ready, or alive.
///
/// Prints SERVING and exits with code 0, or says what is wrong in one line and exits with 69. Meant for the probes of
/// containers: as it is for readiness (windows are analyzed in time), with --service "" for liveness (the process runs and
/// has not been told to stop).
#[derive(Debug, Args)]
struct Check {
    /// Address of the service.
    #[arg(
        long,
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:50062",
        env = "GLOCAL_DMD_ADDRESS"
    )]
    address: String,

    /// What to ask about: glocal.v1.DmdService for readiness, "" for liveness.
    #[arg(long, value_name = "NAME", default_value = cli::check::READINESS)]
    service: String,

    #[command(flatten)]
    tls: cli::connection::Tls,

    /// Seconds to wait for the answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    timeout: u64,
}

/// Analyze a window in a file.
///
/// Prints verdict, spectrum and estimate. The file has one hypergradient a line, oldest first: CSV (.csv, a header is
/// skipped), JSON arrays (.jsonl), or it is a NumPy array of rows by components (.npy).
#[derive(Debug, Args)]
struct Analyze {
    /// The window.
    file: PathBuf,

    /// HANKEL, AFFINE, FORWARD_BACKWARD, OPTIMIZED, MEAN, MEDIAN or LAST.
    #[arg(long, value_name = "NAME", default_value = "HANKEL", value_parser = variant)]
    variant: Variant,

    /// Inner steps between two rows.
    #[arg(long, value_name = "STEPS", default_value_t = 1)]
    stride: usize,

    /// Number of stacked hypergradients in one observable [default: 10, AFFINE 3; with a stride 2].
    #[arg(long, value_name = "M")]
    delays: Option<usize>,

    /// Rank as in PyDMD: -1 all, 0 optimal, between 0 and 1 energy, or a number [default: -1, AFFINE 3].
    #[arg(long, value_name = "RANK", value_parser = svd_rank, allow_negative_numbers = true)]
    svd_rank: Option<SvdRank>,

    /// How near to 1 the eigenvalue of a steady mode lies [default: 0.1].
    #[arg(long, value_name = "DISTANCE")]
    tolerance: Option<f64>,

    /// Largest eigenvalue of what decays in AFFINE [default: 0.9].
    #[arg(long, value_name = "SIZE")]
    clip: Option<f64>,

    /// STEADY or NEAREST: the modes of the estimate of HANKEL and FORWARD_BACKWARD [default: STEADY].
    #[arg(long, value_name = "NAME", value_parser = selection)]
    selection: Option<Selection>,

    /// FIRST or LAST: the snapshot to which their amplitudes are fitted [default: FIRST].
    #[arg(long, value_name = "NAME", value_parser = anchor)]
    anchor: Option<Anchor>,

    /// Print a JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

impl Analyze {
    fn options(&self) -> Options {
        let mut options = Options::of(self.variant, self.stride);
        options.delays = self.delays.unwrap_or(options.delays);
        options.svd_rank = self.svd_rank.unwrap_or(options.svd_rank);
        options.tolerance = self.tolerance.unwrap_or(options.tolerance);
        options.clip = self.clip.unwrap_or(options.clip);
        options.selection = self.selection.unwrap_or(options.selection);
        options.anchor = self.anchor.unwrap_or(options.anchor);
        options
    }
}

fn variant(name: &str) -> Result<Variant, String> {
    one_of(Variant::ALL, Variant::name, name)
}

fn selection(name: &str) -> Result<Selection, String> {
    one_of([Selection::Steady, Selection::Nearest], Selection::name, name)
}

fn anchor(name: &str) -> Result<Anchor, String> {
    one_of([Anchor::First, Anchor::Last], Anchor::name, name)
}

/// The value of this name, in either case.
fn one_of<T: Copy, const N: usize>(
    values: [T; N],
    name_of: fn(T) -> &'static str,
    name: &str,
) -> Result<T, String> {
    let names = values.map(name_of).join(", ");
    values
        .into_iter()
        .find(|&value| name_of(value).eq_ignore_ascii_case(name))
        .ok_or_else(|| format!("one of {names}"))
}

fn svd_rank(number: &str) -> Result<SvdRank, String> {
    let number = number.parse().map_err(|_| "not a number".to_owned())?;
    SvdRank::from_number(number)
        .ok_or_else(|| "-1, 0, between 0 and 1, or a whole number of 1 or more".to_owned())
}

/// Compare the library with reference decompositions.
///
/// Prints the largest difference over the cases without noise: eigenvalues relative to max(1, |eigenvalue|), estimates
/// relative to the largest value of the window.
#[derive(Debug, Args)]
struct Fixtures {
    /// Reference decompositions, in the format of tests/fixtures/dmd.json.
    file: PathBuf,

    /// Print a JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Score every variant on windows whose continuation is known.
///
/// Prints, for each variant and setting: the share of right signs, the cosine with where the hypergradient went, the error
/// of its size, how often there was no estimate, and precision and recall of the components' verdict; each with its
/// interval over windows, and beside the controls MEAN and LAST.
#[derive(Debug, Args)]
struct Evaluate {
    /// Windows with their continuation, in the format of tests/fixtures/held_phi.json.
    file: PathBuf,

    /// Print a JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

/// Time the analysis of windows of 3 to 1,000,000 components (20 rows, 10 delays, one thread).
#[derive(Debug, Args)]
struct Bench {
    /// Only figures whose name contains this.
    #[arg(long, value_name = "PART")]
    only: Option<String>,

    /// Time the service there instead, without TLS: windows of 3 components a second for 32 callers at once.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "only")]
    address: Option<String>,

    /// Print a JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => {
            let wanted = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Nothing can be done about a terminal that is gone.
            let _ = error.print();
            return if wanted {
                ExitCode::SUCCESS
            } else {
                exit::USAGE.into()
            };
        }
    };
    let result = match command_line.command {
        Command::Serve(arguments) => serve(arguments),
        Command::Check(Check {
            address,
            service,
            tls,
            timeout,
        }) => cli::check::run(&address, &service, &tls, Duration::from_secs(timeout))
            .map_err(|error| Failure::new(exit::UNAVAILABLE, error)),
        Command::Analyze(arguments) => {
            cli::analyze::run(&arguments.file, &arguments.options(), arguments.json)
                .map_err(|error| Failure::new(exit::DATA, error))
        }
        Command::Fixtures(arguments) => cli::fixtures::run(&arguments.file, arguments.json)
            .map_err(|error| Failure::new(exit::DATA, error)),
        Command::Evaluate(arguments) => cli::evaluate::run(&arguments.file, arguments.json)
            .map_err(|error| Failure::new(exit::DATA, error)),
        Command::Bench(Bench {
            address: Some(address),
            json,
            ..
        }) => cli::load::run(&address, json).map_err(|error| Failure::new(exit::UNAVAILABLE, error)),
        Command::Bench(arguments) => cli::bench::run(arguments.only.as_deref(), arguments.json)
            .map_err(|error| Failure::new(exit::SOFTWARE, error)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "glocal-dmd: {}", failure.message);
            failure.code.into()
        }
    }
}

/// One line for the person at the terminal, and the exit code.
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn new(code: u8, message: impl ToString) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }
}

fn serve(arguments: Serve) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Flags {
        #[serde(flatten)]
        settings: Settings,
        log: LogSettings,
    }
    let flags = Flags {
        settings: arguments.settings,
        log: arguments.log,
    };
    let config =
        Config::load(arguments.config.as_deref(), flags).map_err(|error| Failure::new(exit::USAGE, error))?;
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
    let served = runtime.block_on(serve_until_told(config, security, arguments.exit_with_stdin));
    if let Some(traces) = traces {
        traces.shutdown();
    }
    served
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
    let shutdown = shutdown(exit_with_stdin)
        .map_err(|error| Failure::new(exit::SOFTWARE, format!("cannot listen for signals: {error}")))?;
    server::run(listeners, config, security, shutdown, announce)
        .await
        .map_err(|error| {
            let code = match error {
                ServeError::Tls(_) => exit::USAGE,
                _ => exit::SOFTWARE,
            };
            Failure::new(code, error)
        })
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

/// Completes at the first SIGTERM or SIGINT, or when standard input closes if that is asked for. A second signal does
/// not wait for streams to end.
fn shutdown(exit_with_stdin: bool) -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let closed = stdin_closed(exit_with_stdin);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = closed => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(130);
        });
    })
}

/// Completes when standard input closes; never when that does not matter.
async fn stdin_closed(matters: bool) {
    if !matters {
        return std::future::pending().await;
    }
    let (closed, wait) = oneshot::channel::<()>();
    // A thread of its own: a read from standard input cannot be cancelled, and the runtime would wait for its own.
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink());
        let _ = closed.send(());
    });
    let _ = wait.await;
}
