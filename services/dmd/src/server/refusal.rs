//! Why a request is refused, as `google.rpc` error details.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::AnalysisError;

/// The `domain` of every `ErrorInfo`.
const DOMAIN: &str = "glocal";

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    /// Path of the field from the request message on.
    pub field: String,
    pub description: String,
}

impl Violation {
    pub(super) fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            description: description.into(),
        }
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refusal {
    /// The request is wrong: INVALID_ARGUMENT. The reason is an UPPER_SNAKE_CASE word for programs.
    Invalid {
        reason: &'static str,
        violations: Vec<Violation>,
    },
    /// A limit of the server would be passed: RESOURCE_EXHAUSTED. `limit` is the configuration key.
    Limit {
        limit: &'static str,
        message: String,
        /// Set when it may pass by itself.
        retry_after: Option<Duration>,
    },
    /// The mathematics failed on this window: INTERNAL.
    Failed(String),
    /// The server stops: UNAVAILABLE.
    ShuttingDown,
    /// The caller may not use the service: UNAUTHENTICATED.
    Unauthenticated(&'static str),
    /// Nothing came for too long: DEADLINE_EXCEEDED.
    Idle(String),
    /// The transport ended the stream.
    Transport(Code, String),
}

impl Refusal {
    pub(super) fn invalid(
        reason: &'static str,
        field: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            reason,
            violations: vec![Violation::new(field, description)],
        }
    }
}

impl From<AnalysisError> for Refusal {
    fn from(error: AnalysisError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let mut details = ErrorDetails::new();
        let mut explain = |reason: &str, metadata: &[(&str, &str)]| {
            let metadata: std::collections::HashMap<String, String> = metadata
                .iter()
                .map(|&(key, value)| (key.to_owned(), value.to_owned()))
                .collect();
            details.set_error_info(reason, DOMAIN, metadata);
        };
        let (code, message) = match refusal {
            Refusal::Invalid { reason, violations } => {
                explain(reason, &[]);
                let message = violations
                    .iter()
                    .map(|v| format!("{}: {}", v.field, v.description))
                    .collect::<Vec<_>>()
                    .join("; ");
                for violation in violations {
                    details.add_bad_request_violation(violation.field, violation.description);
                }
                (Code::InvalidArgument, message)
            }
            Refusal::Limit {
                limit,
                message,
                retry_after,
            } => {
                explain("LIMIT_EXCEEDED", &[("limit", limit)]);
                if let Some(delay) = retry_after {
                    details.set_retry_info(Some(delay));
                }
                (Code::ResourceExhausted, message)
            }
            Refusal::Failed(message) => {
                explain("DECOMPOSITION_FAILED", &[]);
                (Code::Internal, message)
            }
            Refusal::ShuttingDown => {
                explain("SHUTTING_DOWN", &[]);
                (
                    Code::Unavailable,
                    "the server is shutting down; connect again".to_owned(),
                )
            }
            Refusal::Unauthenticated(message) => {
                explain("TOKEN_REQUIRED", &[]);
                (Code::Unauthenticated, message.to_owned())
            }
            Refusal::Idle(message) => {
                explain("STREAM_IDLE", &[]);
                (Code::DeadlineExceeded, message)
            }
            Refusal::Transport(code, message) => return Status::new(code, message),
        };
        Status::with_error_details(code, message, details)
    }
}
