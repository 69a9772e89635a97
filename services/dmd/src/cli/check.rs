//! Asks a running service for its health (`glocal-dmd check`).

use std::time::Duration;

use clap::Args;
use thiserror::Error;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{
    connection::{ConnectionError, Tls, connect, runtime},
    failure::{Failure, exit},
    output::print_lines,
};
/// The service to ask about in a readiness probe; the empty name is for liveness.
pub use crate::server::proto::dmd_service_server::SERVICE_NAME as READINESS;

/// Ask a running service whether it is ready, or alive.
///
/// Prints SERVING and exits with code 0, or says what is wrong in one line and exits with 69. Meant for the probes of
/// containers: as it is for readiness (windows are analyzed in time), with --service "" for liveness (the process runs and
/// has not been told to stop).
#[derive(Debug, Args)]
pub struct Check {
    /// Address of the service.
    #[arg(
        long,
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:50062",
        env = "GLOCAL_DMD_ADDRESS"
    )]
    address: String,

    /// What to ask about: glocal.v1.DmdService for readiness, "" for liveness.
    #[arg(long, value_name = "NAME", default_value = READINESS)]
    service: String,

    #[command(flatten)]
    tls: Tls,

    /// Seconds to wait for the answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    timeout: u64,
}

impl Check {
    /// Asks, and prints SERVING.
    ///
    /// # Errors
    /// [`Failure`] saying what is wrong.
    pub fn run(self) -> Result<(), Failure> {
        let timeout = Duration::from_secs(self.timeout);
        run(&self.address, &self.service, &self.tls, timeout)
            .map_err(|error| Failure::new(exit::UNAVAILABLE, error))
    }
}

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
