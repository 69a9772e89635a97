//! What an OpenTelemetry collector receives from the binary.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::{SocketAddr, TcpListener as StdListener},
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::stream;
use glocal_dmd::server::proto::{GetDmdInfoRequest, dmd_service_client::DmdServiceClient};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind},
};
use prost::Message;
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status,
    metadata::MetadataMap,
    transport::{Channel, Identity, Server as Transport, ServerTlsConfig, server::TcpIncoming},
};

use crate::{
    process::{Server, serve},
    security::{Authority, Files},
    support::{COMPONENTS, LIMITS, ROWS, decode, messages, patiently, whole_window},
};

/// The trace and the span of the caller.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

const TOKEN: &str = "a-token-that-nobody-may-see";

/// Keeps what it is sent, with the metadata.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(MetadataMap, ExportTraceServiceRequest)>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let (metadata, _, spans) = request.into_parts();
        self.0.lock().unwrap().push((metadata, spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Starts a collector, and returns it with its endpoint.
    async fn start() -> (Self, String) {
        let (collector, address) = Self::start_on(Transport::builder()).await;
        (collector, format!("http://{address}"))
    }

    async fn start_on(mut transport: Transport) -> (Self, SocketAddr) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = transport
            .add_service(TraceServiceServer::new(collector.clone()))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(server);
        (collector, address)
    }

    fn received(&self) -> Vec<(MetadataMap, ExportTraceServiceRequest)> {
        self.0.lock().unwrap().clone()
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.received().into_iter();
        requests
            .flat_map(|(_, request)| request.resource_spans)
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans)
            .collect()
    }
}

async fn connect(address: &str) -> DmdServiceClient<Channel> {
    DmdServiceClient::connect(format!("http://{address}"))
        .await
        .unwrap()
}

/// A call of someone who may, below a span of theirs.
fn traced<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert("traceparent", format!("00-{TRACE}-{CALLER}-01").parse().unwrap());
    metadata.insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    request
}

fn attributes(list: &[KeyValue]) -> BTreeMap<&str, &Value> {
    list.iter()
        .map(|attribute| {
            let value = attribute.value.as_ref().unwrap().value.as_ref().unwrap();
            (attribute.key.as_str(), value)
        })
        .collect()
}

fn text(value: &str) -> Value {
    Value::StringValue(value.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Expects the span of a call with this end, below that of the caller if it has one.
fn assert_call(span: &Span, method: &str, code: &str) {
    assert_eq!(span.name, format!("glocal.v1.DmdService/{method}"));
    assert_eq!(span.kind(), SpanKind::Server);
    let expected = BTreeMap::from([
        ("rpc.system.name", text("grpc")),
        ("rpc.service", text("glocal.v1.DmdService")),
        ("rpc.method", text(&span.name)),
        ("rpc.response.status_code", text(code)),
    ]);
    let expected: BTreeMap<_, _> = expected.iter().map(|(name, value)| (*name, value)).collect();
    assert_eq!(attributes(&span.attributes), expected);
}

/// Expects the span of a window of `whole_window`, below this call.
fn assert_window(span: &Span, call: &Span) {
    assert_eq!(span.name, "analyze window");
    assert_eq!(hex(&span.trace_id), hex(&call.trace_id));
    assert_eq!(hex(&span.parent_span_id), hex(&call.span_id));
    let mut attributes = attributes(&span.attributes);
    let duration = (span.end_time_unix_nano - span.start_time_unix_nano) as f64 / 1e9;
    for name in ["glocal.window.wait_seconds", "glocal.window.compute_seconds"] {
        let Some(Value::DoubleValue(seconds)) = attributes.remove(name) else {
            panic!("{name} is missing in {span:?}");
        };
        assert!(
            *seconds > 0.0 && *seconds <= duration,
            "{name}: {seconds} of {duration}"
        );
    }
    let (rows, components) = (Value::IntValue(ROWS as i64), Value::IntValue(COMPONENTS as i64));
    let expected = BTreeMap::from([
        ("glocal.window.rows", &rows),
        ("glocal.window.components", &components),
    ]);
    let (variant, verdict) = (text("HANKEL"), text("TRUSTED"));
    let expected: BTreeMap<_, _> = expected
        .into_iter()
        .chain([
            ("glocal.window.variant", &variant),
            ("glocal.window.verdict", &verdict),
        ])
        .collect();
    assert_eq!(attributes, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_and_windows_reach_the_collector_below_the_span_of_the_caller() {
    let (collector, endpoint) = Collector::start().await;
    let files = Files::new("spans");
    let log = files.path("log");
    let (mut server, address) = Server::start_with_log(
        serve()
            .arg("--token-file")
            .arg(files.write("tokens", TOKEN))
            .args(["--log-level", "glocal_dmd=debug", "--log-format", "json"])
            .envs([
                ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
                ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=42"),
                ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
                ("OTEL_SERVICE_NAME", "dmd-under-test"),
            ]),
        File::create(&log).unwrap(),
    );
    let mut client = connect(&address).await;
    client.analyze_window(traced(whole_window())).await.unwrap();
    let windows: Vec<_> = messages("a").into_iter().chain(messages("b")).collect();
    let answers = client
        .estimate_glocal(traced(stream::iter(windows)))
        .await
        .unwrap();
    let mut answers = answers.into_inner();
    while patiently(answers.message()).await.unwrap().is_some() {}
    client.get_dmd_info(traced(GetDmdInfoRequest {})).await.unwrap();
    // Of someone who has neither a token nor a span.
    client.analyze_window(whole_window()).await.unwrap_err();
    drop(client);
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));

    let spans = collector.spans();
    let children = |parent: &str| -> Vec<&Span> {
        let below = |span: &&Span| hex(&span.parent_span_id) == parent;
        spans.iter().filter(below).collect()
    };
    let calls = children(CALLER);
    assert_eq!(calls.len(), 3, "{spans:#?}");
    for (call, (method, windows)) in
        calls
            .into_iter()
            .zip([("AnalyzeWindow", 1), ("EstimateGlocal", 2), ("GetDmdInfo", 0)])
    {
        assert_eq!(hex(&call.trace_id), TRACE);
        assert_call(call, method, "OK");
        let below = children(&hex(&call.span_id));
        assert_eq!(below.len(), windows);
        below.into_iter().for_each(|window| assert_window(window, call));
    }
    let roots = children("");
    assert_eq!(roots.len(), 1);
    assert_call(roots[0], "AnalyzeWindow", "UNAUTHENTICATED");
    assert_ne!(hex(&roots[0].trace_id), TRACE);
    assert_eq!(spans.len(), 7);

    for (metadata, request) in collector.received() {
        assert_eq!(metadata.get("x-tenant").unwrap(), "42");
        let resource = request.resource_spans[0].resource.clone().unwrap();
        let resource = attributes(&resource.attributes);
        assert_eq!(resource["service.name"], &text("dmd-under-test"));
        assert_eq!(resource["deployment.environment.name"], &text("test"));
        let sent = request.encode_to_vec();
        assert!(!sent.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()));
    }
    // Spans make no line of the log longer.
    let log = fs::read_to_string(log).unwrap();
    let line = log.lines().find(|line| line.contains("\"analyzed\"")).unwrap();
    let line: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
    let keys: Vec<_> = line.keys().collect();
    assert_eq!(keys, ["fields", "level", "target", "timestamp"]);
}

/// Starts the service, has it analyze a window, and stops it.
async fn serve_one_call(command: &mut Command) {
    let (mut server, address) = Server::start(command);
    connect(&address)
        .await
        .analyze_window(whole_window())
        .await
        .unwrap();
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_exported_when_the_environment_says_so() {
    let settings = [
        ("OTEL_SDK_DISABLED", "true", 0),
        ("OTEL_TRACES_EXPORTER", "none", 0),
        ("OTEL_TRACES_EXPORTER", "otlp", 2),
        ("OTEL_TRACES_SAMPLER", "always_off", 0),
        ("OTEL_TRACES_SAMPLER", "always_on", 2),
    ];
    for (name, value, spans) in settings {
        let (collector, endpoint) = Collector::start().await;
        let endpoint = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.as_str());
        serve_one_call(serve().envs([endpoint, (name, value)])).await;
        assert_eq!(collector.spans().len(), spans, "{name}={value}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_with_tls_is_trusted_by_the_roots_of_the_machine() {
    let (files, authority) = (Files::new("spans-tls"), Authority::new());
    let (certificate, key) = authority.issue("localhost");
    let tls = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key));
    let (collector, address) = Collector::start_on(Transport::builder().tls_config(tls).unwrap()).await;
    let mut command = serve();
    command
        .env("SSL_CERT_FILE", files.write("ca.pem", authority.pem()))
        .env(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("https://localhost:{}", address.port()),
        );
    serve_one_call(&mut command).await;
    assert_eq!(collector.spans().len(), 2);
}

/// Calls the service a few times, stops it, and returns its log.
async fn log_of_a_few_calls(name: &str, command: &mut Command) -> String {
    let files = Files::new(name);
    let log = files.path("log");
    let (mut server, address) = Server::start_with_log(command, File::create(&log).unwrap());
    let mut client = connect(&address).await;
    for _ in 0..5 {
        let answer = patiently(client.analyze_window(whole_window())).await.unwrap();
        let glocal = decode(&answer.into_inner().report.unwrap().glocal.unwrap());
        for (found, limit) in glocal.iter().zip(LIMITS) {
            assert!((found - limit).abs() < 1e-3 * limit.abs(), "{found} {limit}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(client);
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    fs::read_to_string(log).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_cannot_be_reached_is_one_warning_and_changes_nothing() {
    let nobody = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = serve();
    command.envs([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{nobody}").as_str()),
        // Several exports, each of which fails at once.
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10"),
    ]);
    let log = log_of_a_few_calls("nobody", &mut command).await;
    let warnings = log.lines().filter(|line| line.contains("WARN")).count();
    assert_eq!(warnings, 1, "{log}");
    assert!(log.contains("spans cannot be exported"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_does_not_answer_holds_the_end_of_the_service_up_for_a_bounded_time() {
    // Connections are made by the kernel, and nobody reads from them.
    let silent = StdListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let mut command = serve();
    command.envs([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        // Longer than the test waits for the service to end.
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "600000"),
    ]);
    let log = log_of_a_few_calls("silent", &mut command).await;
    assert!(log.contains("the last spans were not exported"), "{log}");
}
