//! A real server on a free port, and windows to send it.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use glocal_dmd::server::{
    self, Listeners,
    config::Config,
    proto::{
        AnalyzeWindowRequest, EstimateGlocalRequest, EstimateNow, Hypergradient, WindowSpec,
        dmd_service_client::DmdServiceClient, estimate_glocal_request::Payload,
    },
    security::Security,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;

pub const ROWS: usize = 20;
pub const COMPONENTS: usize = 3;

/// Bytes that every call counts for.
pub const RECEIVE_WINDOW: u64 = 256 << 10;

/// A server of its own for one test.
pub struct TestServer {
    pub address: SocketAddr,
    /// Where it shows what it counts.
    pub metrics: SocketAddr,
    /// Without TLS; connects when it is first used.
    pub channel: Channel,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(configure: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        configure(&mut config);
        let security = Security::load(&config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let metrics_address = metrics.local_addr().unwrap();
        let listeners = Listeners {
            grpc: listener,
            metrics: Some(metrics),
        };
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            server::run(listeners, config, security, shutdown, |_| {})
                .await
                .unwrap();
        });
        let channel = Channel::from_shared(format!("http://{address}"))
            .unwrap()
            .connect_lazy();
        Self {
            address,
            metrics: metrics_address,
            channel,
            stop,
            running,
        }
    }

    pub fn client(&self) -> DmdServiceClient<Channel> {
        DmdServiceClient::new(self.channel.clone()).max_decoding_message_size(usize::MAX)
    }

    /// What the server counts.
    pub async fn figures(&self) -> String {
        let mut connection = TcpStream::connect(self.metrics).await.unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
        connection.write_all(request).await.unwrap();
        let mut response = String::new();
        patiently(connection.read_to_string(&mut response)).await.unwrap();
        assert!(response.starts_with("HTTP/1.1 200 OK"), "{response}");
        response
    }

    /// Tells the server to stop; the handle completes when it has.
    pub fn stop(self) -> JoinHandle<()> {
        self.stop.send(()).unwrap();
        self.running
    }
}

/// 2 + 0.5^t, -1 + 0.8^t / 2, 3e-4 (1 + 0.7^t): limits 2, -1, 3e-4.
pub fn rows() -> Vec<[f64; COMPONENTS]> {
    (0..ROWS as i32)
        .map(|t| {
            [
                2.0 + 0.5_f64.powi(t),
                -1.0 + 0.8_f64.powi(t) / 2.0,
                3e-4 * (1.0 + 0.7_f64.powi(t)),
            ]
        })
        .collect()
}

pub const LIMITS: [f64; COMPONENTS] = [2.0, -1.0, 3e-4];

pub fn encode(values: &[f64]) -> Bytes {
    values
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect::<Vec<_>>()
        .into()
}

pub fn decode(bytes: &Bytes) -> Vec<f64> {
    bytes
        .as_chunks::<8>()
        .0
        .iter()
        .map(|&chunk| f64::from_le_bytes(chunk))
        .collect()
}

pub fn spec() -> WindowSpec {
    WindowSpec {
        rows: ROWS as u32,
        components: COMPONENTS as u32,
        ..WindowSpec::default()
    }
}

pub fn whole_window() -> AnalyzeWindowRequest {
    AnalyzeWindowRequest {
        spec: Some(spec()),
        hypergradients: encode(rows().as_flattened()),
    }
}

pub fn open(id: &str, spec: WindowSpec) -> EstimateGlocalRequest {
    EstimateGlocalRequest {
        window_id: id.to_owned(),
        payload: Some(Payload::Open(spec)),
    }
}

pub fn row(id: &str, row: usize, values: &[f64]) -> EstimateGlocalRequest {
    EstimateGlocalRequest {
        window_id: id.to_owned(),
        payload: Some(Payload::Hypergradient(Hypergradient {
            row: row as u32,
            values: encode(values),
            first_component: None,
        })),
    }
}

/// A part of a row.
pub fn part(id: &str, row: usize, first_component: u32, values: &[f64]) -> EstimateGlocalRequest {
    EstimateGlocalRequest {
        window_id: id.to_owned(),
        payload: Some(Payload::Hypergradient(Hypergradient {
            row: row as u32,
            values: encode(values),
            first_component: Some(first_component),
        })),
    }
}

/// Asks for a report on the rows so far.
pub fn estimate_now(id: &str) -> EstimateGlocalRequest {
    EstimateGlocalRequest {
        window_id: id.to_owned(),
        payload: Some(Payload::Estimate(EstimateNow {})),
    }
}

/// The first rows of a window that stays open, then a whole one: its answer says that the server has both.
pub fn half_a_window_and_another(half: &str, whole: &str) -> Vec<EstimateGlocalRequest> {
    let mut all = messages(half);
    all.truncate(10);
    all.extend(messages(whole));
    all
}

/// All messages of one window.
pub fn messages(id: &str) -> Vec<EstimateGlocalRequest> {
    let rows = rows()
        .into_iter()
        .enumerate()
        .map(|(t, values)| row(id, t, &values));
    std::iter::once(open(id, spec())).chain(rows).collect()
}

/// Fields of the violations of a status.
pub fn fields(status: &Status) -> Vec<String> {
    let violations = status
        .get_details_bad_request()
        .map_or_else(Vec::new, |bad| bad.field_violations);
    violations.into_iter().map(|violation| violation.field).collect()
}

/// Reason of a status; its domain must be ours.
pub fn reason(status: &Status) -> String {
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.domain, "glocal");
    info.reason
}

/// Expects an invalid argument with this reason and these fields.
pub fn assert_invalid(status: &Status, expected_reason: &str, expected_fields: &[&str]) {
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert_eq!(reason(status), expected_reason, "{status}");
    assert_eq!(fields(status), expected_fields, "{status}");
}

/// Expects that this limit would be passed.
pub fn assert_limit(status: &Status, limit: &str) {
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert_eq!(reason(status), "LIMIT_EXCEEDED");
    let info = status.get_details_error_info().unwrap();
    assert_eq!(
        info.metadata.get("limit").map(String::as_str),
        Some(limit),
        "{status}"
    );
}

/// How long anything may take on a machine that is busy with other work.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something, but not for ever.
pub async fn patiently<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.unwrap()
}

/// Waits until something holds.
pub async fn eventually<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    patiently(async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    })
    .await;
}
