//! Files of windows with what is known of them.

use std::{fs, io, path::Path};

use glocal_dmd::AnalysisError;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// A file given on the command line could not be used.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Path of the file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The file has another format.
    #[error("{path} is not {expected}: {source}")]
    Format {
        /// Path of the file.
        path: String,
        /// What it should be.
        expected: &'static str,
        /// Where it differs.
        source: serde_json::Error,
    },
    /// A case in the file could not be analyzed.
    #[error("case {case}: {source}")]
    Analysis {
        /// Name of the case.
        case: String,
        /// Why.
        source: AnalysisError,
    },
}

/// Reads a JSON file.
///
/// # Errors
/// [`ReadError`] when it cannot be read or is not `expected`.
pub fn read_json<T: DeserializeOwned>(path: &Path, expected: &'static str) -> Result<T, ReadError> {
    let shown = || path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| ReadError::Read {
        path: shown(),
        source,
    })?;
    serde_json::from_str(&text).map_err(|source| ReadError::Format {
        path: shown(),
        expected,
        source,
    })
}
