//! Times a running service under load (`glocal-dmd-dev bench --address HOST:PORT`).

use std::{
    iter,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::future::try_join_all;
use glocal_dmd::{
    cli::connection::{ConnectionError, Tls, connect, runtime},
    server::proto::{AnalyzeWindowRequest, DmdOptions, WindowSpec, dmd_service_client::DmdServiceClient},
};
use tonic::{Status, transport::Channel};

use crate::{
    rows::{Row, median, print},
    windows::{ROWS, noisy_window},
};

/// Who call at once, on one connection, each as soon as it has its answer.
const CALLERS: usize = 32;
const COMPONENTS: usize = 3;
const WARM_UP: usize = 1;
const ROUNDS: usize = 9;
/// For how long callers begin new calls in one round.
const ROUND: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(30);

/// Prints how many windows of 20 x 3 a second the service answers to unary calls: the median over rounds. The callers
/// share one thread.
///
/// # Errors
/// [`ConnectionError`] when it cannot be reached, or refuses a window.
pub fn run(address: &str, json: bool) -> Result<(), ConnectionError> {
    let rates = runtime()?.block_on(rates(address))?;
    let row = Row {
        name: "dmd.windows_per_s_q3_c32",
        value: median(&rates),
        unit: "1/s",
        n: ROUNDS,
    };
    print(&[row], json);
    Ok(())
}

/// Windows a second in each round.
async fn rates(address: &str) -> Result<Vec<f64>, ConnectionError> {
    let client = DmdServiceClient::new(connect(address, &Tls::default(), TIMEOUT).await?);
    let request = request();
    let mut rates = Vec::with_capacity(ROUNDS);
    for round in 0..WARM_UP + ROUNDS {
        let started = Instant::now();
        let callers = iter::repeat_with(|| call(client.clone(), request.clone(), started + ROUND));
        let windows = try_join_all(callers.take(CALLERS))
            .await
            .map_err(|status| ConnectionError::refused(address, status))?;
        if round >= WARM_UP {
            let windows: u32 = windows.iter().sum();
            rates.push(f64::from(windows) / started.elapsed().as_secs_f64());
        }
    }
    Ok(rates)
}

/// Has one window after the other analyzed, and counts them.
async fn call(
    mut client: DmdServiceClient<Channel>,
    request: AnalyzeWindowRequest,
    until: Instant,
) -> Result<u32, Status> {
    let mut windows = 0;
    while Instant::now() < until {
        client.analyze_window(request.clone()).await?;
        windows += 1;
    }
    Ok(windows)
}

fn request() -> AnalyzeWindowRequest {
    let values = noisy_window(COMPONENTS);
    AnalyzeWindowRequest {
        spec: Some(WindowSpec {
            rows: ROWS as u32,
            components: COMPONENTS as u32,
            options: Some(DmdOptions::default()),
            ..WindowSpec::default()
        }),
        hypergradients: values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect::<Bytes>(),
    }
}
