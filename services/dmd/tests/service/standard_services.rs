//! Health, reflection and shutdown of a real server.

use std::time::{Duration, Instant};

use crate::support::{
    RECEIVE_WINDOW, TestServer, half_a_window_and_another, messages, patiently, reason, whole_window,
};
use futures::stream;
use glocal_dmd::server::proto::{AnalyzeWindowRequest, EstimateGlocalResponse};
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

const SERVICE: &str = "glocal.v1.DmdService";

#[tokio::test]
async fn health_says_serving_for_the_server_and_the_service() {
    let server = TestServer::start().await;
    for service in ["", SERVICE] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let response = HealthClient::new(server.channel.clone())
            .check(request)
            .await
            .unwrap();
        assert_eq!(response.into_inner().status(), ServingStatus::Serving);
    }
}

#[tokio::test]
async fn health_says_not_serving_once_the_server_stops() {
    let server = TestServer::start().await;
    let mut health = watch_health(&server).await;
    assert_eq!(next_status(&mut health).await, ServingStatus::Serving);
    let _stopping = server.stop();
    assert_eq!(next_status(&mut health).await, ServingStatus::NotServing);
}

async fn watch_health(server: &TestServer) -> Streaming<HealthCheckResponse> {
    let request = HealthCheckRequest {
        service: SERVICE.to_owned(),
    };
    HealthClient::new(server.channel.clone())
        .watch(request)
        .await
        .unwrap()
        .into_inner()
}

async fn next_answer(answers: &mut Streaming<EstimateGlocalResponse>) -> EstimateGlocalResponse {
    patiently(answers.message()).await.unwrap().unwrap()
}

async fn next_status(health: &mut Streaming<HealthCheckResponse>) -> ServingStatus {
    patiently(health.message()).await.unwrap().unwrap().status()
}

async fn reflect(server: &TestServer, request: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(request),
    };
    let mut client = ServerReflectionClient::new(server.channel.clone());
    let mut responses = client
        .server_reflection_info(stream::iter([request]))
        .await
        .unwrap()
        .into_inner();
    responses
        .message()
        .await
        .unwrap()
        .unwrap()
        .message_response
        .unwrap()
}

#[tokio::test]
async fn reflection_lists_the_services_and_describes_them() {
    let server = TestServer::start().await;
    let MessageResponse::ListServicesResponse(list) =
        reflect(&server, MessageRequest::ListServices(String::new())).await
    else {
        panic!("expected a list of services");
    };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    for name in [
        SERVICE,
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    for symbol in [
        SERVICE,
        "grpc.health.v1.Health",
        "glocal.v1.WindowReport",
        "google.protobuf.Duration",
    ] {
        let response = reflect(&server, MessageRequest::FileContainingSymbol(symbol.to_owned())).await;
        assert!(
            matches!(response, MessageResponse::FileDescriptorResponse(_)),
            "{symbol}"
        );
    }
}

#[tokio::test]
async fn a_window_under_way_is_answered_while_the_server_stops_and_no_other_is_opened() {
    let server = TestServer::start().await;
    let (send, requests) = mpsc::channel(64);
    let mut answers = server
        .client()
        .estimate_glocal(ReceiverStream::new(requests))
        .await
        .unwrap()
        .into_inner();
    for message in half_a_window_and_another("half", "whole") {
        send.send(message).await.unwrap();
    }
    assert_eq!(next_answer(&mut answers).await.window_id, "whole");
    let mut health = watch_health(&server).await;
    assert_eq!(next_status(&mut health).await, ServingStatus::Serving);
    let stopped = server.stop();
    assert_eq!(next_status(&mut health).await, ServingStatus::NotServing);
    for message in messages("half").split_off(10) {
        send.send(message).await.unwrap();
    }
    assert_eq!(next_answer(&mut answers).await.window_id, "half");
    // With nothing open any more the stream ends, and with it the server.
    let status = patiently(answers.message()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(reason(&status), "SHUTTING_DOWN");
    drop(health);
    patiently(stopped).await.unwrap();
}

#[tokio::test]
async fn a_window_that_does_not_finish_holds_the_server_up_for_a_bounded_time() {
    let server = TestServer::start_with(|config| config.drain_seconds = 1).await;
    let (send, requests) = mpsc::channel(64);
    let mut answers = server
        .client()
        .estimate_glocal(ReceiverStream::new(requests))
        .await
        .unwrap()
        .into_inner();
    for message in half_a_window_and_another("half", "whole") {
        send.send(message).await.unwrap();
    }
    assert_eq!(next_answer(&mut answers).await.window_id, "whole");
    let started = Instant::now();
    patiently(server.stop()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(900));
}

#[tokio::test]
async fn windows_refusals_and_memory_are_counted_for_prometheus() {
    let server = TestServer::start().await;
    assert!(server.figures().await.contains("glocal_dmd_held_bytes 0\n"));
    server.client().analyze_window(whole_window()).await.unwrap();
    server.client().analyze_window(whole_window()).await.unwrap();
    server
        .client()
        .analyze_window(AnalyzeWindowRequest::default())
        .await
        .unwrap_err();
    let (send, requests) = mpsc::channel(64);
    let mut answers = server
        .client()
        .estimate_glocal(ReceiverStream::new(requests))
        .await
        .unwrap()
        .into_inner();
    let messages = half_a_window_and_another("half", "whole");
    let longest = messages.iter().map(Message::encoded_len).max().unwrap();
    for message in messages {
        send.send(message).await.unwrap();
    }
    next_answer(&mut answers).await;
    let figures = server.figures().await;
    for line in [
        "glocal_dmd_windows_total{variant=\"HANKEL\",verdict=\"TRUSTED\"} 3\n",
        "glocal_dmd_refusals_total{reason=\"INVALID_WINDOW\"} 1\n",
        "glocal_dmd_compute_seconds_count 3\n",
    ] {
        assert!(figures.contains(line), "{line}{figures}");
    }
    // 20 rows and 5 vectors of a report, of three components, for the window that is open, and what its call may send.
    let held = 600 + RECEIVE_WINDOW + longest as u64;
    let line = format!("glocal_dmd_held_bytes {held}\n");
    assert!(figures.contains(&line), "{line}{figures}");
}
