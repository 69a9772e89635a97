//! A message above the limit is RESOURCE_EXHAUSTED, as in other gRPC implementations; tonic calls it OUT_OF_RANGE.

use http::Response;
use tonic::{Code, Status, body::Body};

use super::refusal::Refusal;

/// The refusal behind a status of the transport.
pub(super) fn refusal(status: &Status) -> Refusal {
    if status.code() == Code::OutOfRange {
        Refusal::Limit {
            limit: "limits.max_message_bytes",
            message: status.message().to_owned(),
            retry_after: None,
        }
    } else {
        Refusal::Transport(status.code(), status.message().to_owned())
    }
}

/// Rewrites a response without a body that says OUT_OF_RANGE, which nothing but the size check answers.
pub(super) fn as_resource_exhausted(response: Response<Body>) -> Response<Body> {
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() == Code::OutOfRange => Status::from(refusal(&status)).into_http(),
        _ => response,
    }
}
