//! Asks a running service for its health (`glocal-dmd check`).

use std::time::Duration;

use thiserror::Error;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{
    connection::{ConnectionError, Tls, connect, runtime},
    print_lines,
};
/// The service to ask about in a readiness probe; the empty name is for liveness.
pub use crate::server::proto::dmd_service_server::SERVICE_NAME as READINESS;

/// The service is not ready, or cannot be asked.
#[derive(Debug, Error)]
pub enum CheckError {
    /// It cannot be asked.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// It does not serve.
    #[error("{address} is {status}")]
    NotServing {
        /// Address of the service.
        address: String,
        /// What it said.
        status: &'static str,
    },
}

/// Prints SERVING when that is what the health of `service` is.
///
/// # Errors
/// [`CheckError`] saying what is wrong.
pub fn run(address: &str, service: &str, tls: &Tls, timeout: Duration) -> Result<(), CheckError> {
    let runtime = runtime().map_err(ConnectionError::from)?;
    let status = runtime.block_on(ask(address, service, tls, timeout))?;
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

async fn ask(
    address: &str,
    service: &str,
    tls: &Tls,
    timeout: Duration,
) -> Result<ServingStatus, ConnectionError> {
    let channel = connect(address, tls, timeout).await?;
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let answer = HealthClient::new(channel).check(request).await;
    answer
        .map(|response| response.into_inner().status())
        .map_err(|status| ConnectionError::refused(address, status))
}
