//! Why a request is refused, as `google.rpc` error details.

use std::{collections::HashMap, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::AnalysisError;

/// The `domain` of every `ErrorInfo`.
const DOMAIN: &str = "glocal";

/// When a caller that was refused for want of room may try again.
pub(super) const RETRY_AFTER: Duration = Duration::from_millis(500);

const MAX_QUOTED_CHARACTERS: usize = 40;

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
#[derive(Debug, Clone)]
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
    /// What arrived could not be read as a message, or was refused before the stream saw it.
    Transport(Status),
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

impl Refusal {
    /// An UPPER_SNAKE_CASE word for programs.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Invalid { reason, .. } => reason,
            Self::Limit { .. } => "LIMIT_EXCEEDED",
            Self::Failed(_) => "DECOMPOSITION_FAILED",
            Self::ShuttingDown => "SHUTTING_DOWN",
            Self::Unauthenticated(_) => "TOKEN_REQUIRED",
            Self::Idle(_) => "STREAM_IDLE",
            Self::Transport(..) => "TRANSPORT",
        }
    }
}

/// Refuses a value above a limit that is always the same.
///
/// # Errors
/// [`Refusal::Limit`] without a time to retry.
pub(super) fn within(limit: &'static str, what: &str, value: u64, max: u64) -> Result<(), Refusal> {
    if value <= max {
        return Ok(());
    }
    Err(Refusal::Limit {
        limit,
        message: format!("{value} {what} are more than this server takes ({limit} = {max})"),
        retry_after: None,
    })
}

/// What a client chose, as it stands in a message: quoted, and cut where it would make a status too long for the headers
/// that gRPC sends it in.
pub(super) fn quoted(id: &str) -> String {
    match id.char_indices().nth(MAX_QUOTED_CHARACTERS) {
        Some((end, _)) => format!("{:?}…", &id[..end]),
        None => format!("{id:?}"),
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
        let metadata: HashMap<String, String> = match &refusal {
            Refusal::Limit { limit, .. } => HashMap::from([("limit".to_owned(), (*limit).to_owned())]),
            _ => HashMap::new(),
        };
        details.set_error_info(refusal.reason(), DOMAIN, metadata);
        let (code, message) = match refusal {
            Refusal::Invalid { violations, .. } => {
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
                message, retry_after, ..
            } => {
                if let Some(delay) = retry_after {
                    details.set_retry_info(Some(delay));
                }
                (Code::ResourceExhausted, message)
            }
            Refusal::Failed(message) => (Code::Internal, message),
            Refusal::ShuttingDown => (
                Code::Unavailable,
                "the server is shutting down; connect again".to_owned(),
            ),
            Refusal::Unauthenticated(message) => (Code::Unauthenticated, message.to_owned()),
            Refusal::Idle(message) => (Code::DeadlineExceeded, message),
            Refusal::Transport(status) => return status,
        };
        Status::with_error_details(code, message, details)
    }
}
