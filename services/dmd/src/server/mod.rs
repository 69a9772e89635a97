//! The gRPC service around the library: [`run`] serves until it is told to stop.

mod answer;
mod compute;
pub mod config;
mod decode;
mod encode;
pub mod environment;
mod grpc;
mod health;
mod memory;
mod metrics;
mod open_window;
pub mod otlp;
pub mod proto;
mod refusal;
pub mod security;
mod service;
mod shared;
mod spans;
mod stream;
pub mod telemetry;
mod tls;
mod tokens;
mod transport;
mod watched_files;

use std::{future::Future, io, net::SocketAddr, time::Duration};

use futures::future::Either;
use thiserror::Error;
use tokio::net::TcpListener;
use tonic::{
    service::interceptor::InterceptedService,
    transport::{Server, server::TcpIncoming},
};

pub use self::grpc::GrpcService;
use self::{
    config::Config,
    health::Health,
    security::Security,
    spans::CallSpans,
    tokens::Gate,
    transport::{CONNECTION_WINDOW, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, RECEIVE_WINDOW},
};
use crate::Cancellation;

/// The service ended for another reason than being told to.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The transport failed.
    #[error("{0}")]
    Transport(#[from] tonic::transport::Error),
    /// The descriptors for reflection are not readable.
    #[error("cannot serve reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The address of the listener is not known.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The library does not find the limit of a window with a known one.
    #[error("self-check failed: {0}")]
    SelfCheck(String),
}

/// Where to serve.
#[derive(Debug)]
pub struct Listeners {
    /// The gRPC service.
    pub grpc: TcpListener,
    /// Figures for Prometheus, without TLS.
    pub metrics: Option<TcpListener>,
}

/// Serves on `listeners` until `shutdown` completes, then refuses new windows, answers those under way, and returns, at
/// the latest after [`Config::drain_seconds`]. `ready` is called with the address once requests are answered.
///
/// # Errors
/// [`ServeError`].
pub async fn run(
    listeners: Listeners,
    config: Config,
    security: Security,
    shutdown: impl Future<Output = ()> + Send + 'static,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    // A binary that computes nonsense never reports itself ready.
    health::self_check(&Cancellation::new()).map_err(ServeError::SelfCheck)?;
    let address = listeners.grpc.local_addr()?;
    let drain = Duration::from_secs(config.drain_seconds);

    let dmd_service = GrpcService::new(config.limits, config.verdict);
    let shared = &dmd_service.shared;
    let stopping = shared.stopping.clone();
    let (reporter, health_service) = tonic_health::server::health_reporter();
    let health = Health::new(reporter, shared.pool.clone()).await;
    if let Some(listener) = listeners.metrics {
        let stopped = stopping.clone().cancelled_owned();
        let budget = shared.budget.clone();
        let metrics = shared.metrics.clone();
        tokio::spawn(metrics.serve(listener, move || budget.held(), stopped));
    }

    tokio::spawn({
        let stopping = stopping.clone();
        async move {
            health.report_until(shutdown).await;
            tracing::info!("shutting down");
            stopping.cancel();
        }
    });

    let tls = security.tls.map(|files| files.follow(stopping.clone()));
    let gate = Gate(security.tokens.map(|files| files.follow(stopping.clone())));
    ready(address);
    tracing::info!(%address, tls = tls.is_some(), "ready");
    let router = Server::builder()
        .initial_stream_window_size(RECEIVE_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .layer(CallSpans)
        .add_service(InterceptedService::new(dmd_service, gate.clone()))
        .add_service(health_service)
        .add_service(InterceptedService::new(reflection().build_v1()?, gate.clone()))
        .add_service(InterceptedService::new(reflection().build_v1alpha()?, gate));
    let incoming = TcpIncoming::from(listeners.grpc).with_nodelay(Some(true));
    let stopped = stopping.clone().cancelled_owned();
    let serve = match tls {
        Some(tls) => Either::Left(router.serve_with_incoming_shutdown(tls::accept(incoming, tls), stopped)),
        None => Either::Right(router.serve_with_incoming_shutdown(incoming, stopped)),
    };
    let overdue = async {
        stopping.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        result = serve => result?,
        () = overdue => tracing::warn!(seconds = drain.as_secs(), "streams did not end in time; closing them"),
    }
    Ok(())
}

fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
