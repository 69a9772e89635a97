//! What the service says of itself.

use glocal_dmd::server::proto::{
    DmdInfo, DmdLimits, GetDmdInfoRequest, dmd_service_client::DmdServiceClient,
};
use tonic::{Code, Request, Status};

use crate::{
    security::Files,
    support::{RECEIVE_WINDOW, TestServer, reason},
};

async fn info(server: &TestServer) -> Result<DmdInfo, Status> {
    let answer = server.client().get_dmd_info(GetDmdInfoRequest {}).await?;
    Ok(answer.into_inner())
}

#[tokio::test]
async fn it_has_its_version_and_the_limits_that_it_was_given() {
    let server = TestServer::start_with(|config| {
        config.limits.max_rows = 40;
        config.limits.max_components = 1_000;
        config.limits.max_message_bytes = 1 << 20;
        config.limits.max_open_windows = 7;
        config.limits.max_held_bytes = 1 << 33;
    })
    .await;
    let expected = DmdInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        limits: Some(DmdLimits {
            max_rows: 40,
            max_components: 1_000,
            max_message_bytes: 1 << 20,
            max_open_windows: 7,
            max_held_bytes: 1 << 33,
        }),
    };
    assert_eq!(info(&server).await.unwrap(), expected);
    assert!(server.figures().await.contains("glocal_dmd_held_bytes 0\n"));
}

#[tokio::test]
async fn a_limit_beyond_its_field_is_the_largest_number_of_the_field() {
    let server = TestServer::start_with(|config| config.limits.max_rows = 1 << 32).await;
    let limits = info(&server).await.unwrap().limits.unwrap();
    assert_eq!(limits.max_rows, u32::MAX);
}

#[tokio::test]
async fn it_is_for_those_who_may_call() {
    let files = Files::new("info");
    let tokens = files.write("tokens", "a-token\n");
    let server = TestServer::start_with(|config| config.auth.token_file = Some(tokens)).await;
    let status = info(&server).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(reason(&status), "TOKEN_REQUIRED");
    let mut request = Request::new(GetDmdInfoRequest {});
    let token = "Bearer a-token".parse().unwrap();
    request.metadata_mut().insert("authorization", token);
    let answer = DmdServiceClient::new(server.channel.clone())
        .get_dmd_info(request)
        .await
        .unwrap();
    assert!(answer.into_inner().limits.is_some());
}

#[tokio::test]
async fn it_counts_for_the_memory_of_calls_and_is_refused_without_room() {
    // Room for one call, which another has.
    let server = TestServer::start_with(|config| {
        config.limits.max_message_bytes = 1_000;
        config.limits.max_held_bytes = RECEIVE_WINDOW + 1_000;
    })
    .await;
    let (_send, requests) = tokio::sync::mpsc::channel(1);
    let _open = server
        .client()
        .estimate_glocal(tokio_stream::wrappers::ReceiverStream::new(requests))
        .await
        .unwrap();
    let status = info(&server).await.unwrap_err();
    crate::support::assert_limit(&status, "limits.max_held_bytes");
    assert!(
        server
            .figures()
            .await
            .contains("glocal_dmd_refusals_total{reason=\"LIMIT_EXCEEDED\"} 1\n")
    );
}
