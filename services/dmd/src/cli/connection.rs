//! How a command reaches a running service.

use std::{error::Error as _, fs, io, path::PathBuf, time::Duration};

use clap::Args;
use thiserror::Error;
use tokio::runtime::{self, Runtime};
use tonic::{
    Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

/// How to reach a service with TLS.
#[derive(Debug, Default, Args)]
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

/// A service cannot be asked.
#[derive(Debug, Error)]
pub enum ConnectionError {
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
    /// No runtime.
    #[error("cannot start the runtime: {0}")]
    Runtime(#[from] io::Error),
}

impl ConnectionError {
    /// The service answered with an error.
    #[must_use]
    pub fn refused(address: &str, status: Status) -> Self {
        Self::Refused {
            address: address.to_owned(),
            status: Box::new(status),
        }
    }
}

/// A runtime on this thread alone.
///
/// # Errors
/// When the system has no room for one.
pub fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

/// A connection to the service; `timeout` holds for connecting, and for each call on it.
///
/// # Errors
/// [`ConnectionError`] when a file cannot be read or nobody answers.
pub async fn connect(address: &str, tls: &Tls, timeout: Duration) -> Result<Channel, ConnectionError> {
    let unreachable = |error: tonic::transport::Error| ConnectionError::Unreachable {
        address: address.to_owned(),
        reason: error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string),
    };
    let scheme = if tls.ca.is_some() { "https" } else { "http" };
    let mut endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
        .map_err(unreachable)?
        .connect_timeout(timeout)
        .timeout(timeout);
    if let Some(ca) = &tls.ca {
        endpoint = endpoint.tls_config(tls_config(tls, ca)?).map_err(unreachable)?;
    }
    endpoint.connect().await.map_err(unreachable)
}

fn tls_config(tls: &Tls, ca: &PathBuf) -> Result<ClientTlsConfig, ConnectionError> {
    let mut config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(ca)?));
    if let (Some(certificate), Some(key)) = (&tls.certificate, &tls.key) {
        config = config.identity(Identity::from_pem(read(certificate)?, read(key)?));
    }
    if let Some(domain) = &tls.domain {
        config = config.domain_name(domain);
    }
    Ok(config)
}

fn read(path: &PathBuf) -> Result<String, ConnectionError> {
    fs::read_to_string(path).map_err(|source| ConnectionError::Read {
        path: path.display().to_string(),
        source,
    })
}
