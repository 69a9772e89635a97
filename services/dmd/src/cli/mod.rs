//! Subcommands of the binary besides the server.

pub mod analyze;
pub mod bench;
pub mod check;
pub mod connection;
pub mod evaluate;
pub mod fixtures;
pub mod load;
pub mod window_file;

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::AnalysisError;

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

fn read_json<T: DeserializeOwned>(path: &Path, expected: &'static str) -> Result<T, ReadError> {
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

/// A measured figure, in the format of the project's benchmarks.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was measured.
    pub name: &'static str,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// Number of repetitions, or of cases.
    pub n: usize,
}

/// Prints `{"rows": [...]}`.
fn print_json(rows: &[Row]) {
    #[derive(Serialize)]
    struct Rows<'a> {
        rows: &'a [Row],
    }
    print_document(&Rows { rows });
}

/// Prints one JSON document in one line.
fn print_document(document: &impl Serialize) {
    // Plain numbers and words; only a closed standard output can fail, about which nothing can be done.
    let mut stdout = io::stdout().lock();
    let _ = serde_json::to_writer(&mut stdout, document);
    let _ = writeln!(stdout);
}

fn print_lines(lines: &[String]) {
    let mut stdout = io::stdout().lock();
    for line in lines {
        let _ = writeln!(stdout, "{line}");
    }
}
