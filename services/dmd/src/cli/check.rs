//! Asks a running service for its health (`glocal-dmd check`).

use std::{error::Error as _, fs, io, path::PathBuf, time::Duration};

use clap::Args;
use thiserror::Error;
use tonic::{
    Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::print_lines;
use crate::server::proto::dmd_service_server::SERVICE_NAME;

/// How to reach a service with TLS.
#[derive(Debug, Args)]
pub struct Tls {
    /// PEM file with the roots that the server's certificate must lead to; with it the connection uses TLS.
    #[arg(long = "tls-ca", value_name = "FILE")]
    pub ca: Option<PathBuf>,

    /// PEM file with the client's certificate, for mutual TLS.
    #[arg(
        long = "tls-certificate",
        value_name = "FILE",
        requires = "ca",
        requires = "key"
    )]
    pub certificate: Option<PathBuf>,

    /// PEM file with the private key of the client's certificate.
    #[arg(long = "tls-key", value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,

    /// Name that the server's certificate is for, if not the host of the address.
    #[arg(long = "tls-domain", value_name = "NAME", requires = "ca")]
    pub domain: Option<String>,
}

/// The service is not ready, or cannot be asked.
#[derive(Debug, Error)]
pub enum CheckError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Path of the file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// No connection.
    #[error("cannot reach {address}: {reason}")]
    Unreachable {
        /// Address of the service.
        address: String,
        /// Why.
        reason: String,
    },
    /// It answered with an error.
    #[error("{address} answered {}: {}", .status.code(), .status.message())]
    Refused {
        /// Address of the service.
        address: String,
        /// The answer.
        status: Box<Status>,
    },
    /// It does not serve.
    #[error("{address} is {status}")]
    NotServing {
        /// Address of the service.
        address: String,
        /// What it said.
        status: &'static str,
    },
    /// No runtime.
    #[error("cannot start the runtime: {0}")]
    Runtime(#[from] io::Error),
}

/// Prints SERVING when the service is ready.
///
/// # Errors
/// [`CheckError`] saying what is wrong.
pub fn run(address: &str, tls: &Tls, timeout: Duration) -> Result<(), CheckError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let status = runtime.block_on(ask(address, tls, timeout))?;
    match status {
        ServingStatus::Serving => {
            print_lines(&["SERVING".to_owned()]);
            Ok(())
        }
        other => Err(CheckError::NotServing {
            address: address.to_owned(),
            status: other.as_str_name(),
        }),
    }
}

async fn ask(address: &str, tls: &Tls, timeout: Duration) -> Result<ServingStatus, CheckError> {
    let unreachable = |error: tonic::transport::Error| CheckError::Unreachable {
        address: address.to_owned(),
        reason: error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string),
    };
    let channel = connect(address, tls, timeout)?;
    let channel: Channel = channel
        .map_err(unreachable)?
        .connect()
        .await
        .map_err(unreachable)?;
    let request = HealthCheckRequest {
        service: SERVICE_NAME.to_owned(),
    };
    let answer = HealthClient::new(channel).check(request).await;
    answer
        .map(|response| response.into_inner().status())
        .map_err(|status| CheckError::Refused {
            address: address.to_owned(),
            status: Box::new(status),
        })
}

fn connect(
    address: &str,
    tls: &Tls,
    timeout: Duration,
) -> Result<Result<Endpoint, tonic::transport::Error>, CheckError> {
    let scheme = if tls.ca.is_some() { "https" } else { "http" };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{address}"));
    let Some(ca) = &tls.ca else {
        return Ok(endpoint.map(|endpoint| endpoint.connect_timeout(timeout).timeout(timeout)));
    };
    let mut config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(ca)?));
    if let (Some(certificate), Some(key)) = (&tls.certificate, &tls.key) {
        config = config.identity(Identity::from_pem(read(certificate)?, read(key)?));
    }
    if let Some(domain) = &tls.domain {
        config = config.domain_name(domain);
    }
    Ok(endpoint.and_then(|endpoint| {
        endpoint
            .connect_timeout(timeout)
            .timeout(timeout)
            .tls_config(config)
    }))
}

fn read(path: &PathBuf) -> Result<String, CheckError> {
    fs::read_to_string(path).map_err(|source| CheckError::Read {
        path: path.display().to_string(),
        source,
    })
}
