//! Windows in files: one hypergradient a line as a table or as JSON arrays, or a NumPy array of rows by components.

mod array;
mod delimiter;
mod fault;
mod json_lines;
mod line;
mod row;
mod table;
mod text;

use std::{ffi::OsStr, fs, io, path::Path};

use thiserror::Error;

pub use self::{
    delimiter::Delimiter,
    table::{TableFormat, Whether},
};
use self::{fault::Fault, row::Row};

/// A window as it stands in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowFile {
    /// Number of components.
    pub components: usize,
    /// The rows one after the other, oldest first.
    pub values: Vec<f64>,
    /// What was guessed in reading them, for people.
    pub notes: Vec<String>,
}

/// A file does not hold a window.
#[derive(Debug, Error)]
pub enum WindowFileError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Path of the file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The name does not say which format the file has.
    #[error("{path}: the name must end in .csv, .tsv, .jsonl or .npy")]
    UnknownFormat {
        /// Path of the file.
        path: String,
    },
    /// A place in the file has something else than numbers.
    #[error("{path}: {place}: {problem}")]
    Content {
        /// Path of the file.
        path: String,
        /// Line, with the column where it matters, or array.
        place: String,
        /// What is wrong there.
        problem: String,
    },
}

/// Reads a window; the ending of its name says which format it has.
///
/// # Errors
/// [`WindowFileError`] naming the place that is wrong.
pub fn read(path: &Path, format: &TableFormat) -> Result<WindowFile, WindowFileError> {
    let shown = path.display().to_string();
    let bytes = fs::read(path).map_err(|source| WindowFileError::Read {
        path: shown.clone(),
        source,
    })?;
    let ending = path.extension().map(OsStr::to_ascii_lowercase);
    let read = match ending.as_deref().and_then(OsStr::to_str) {
        Some("csv" | "tsv") => of_table(&bytes, format),
        Some("jsonl" | "ndjson") => of_json_lines(&bytes),
        Some("npy") => array::read(&bytes).map(|(components, values)| WindowFile {
            components,
            values,
            notes: Vec::new(),
        }),
        _ => return Err(WindowFileError::UnknownFormat { path: shown }),
    };
    read.map_err(|Fault { place, problem }| WindowFileError::Content {
        path: shown,
        place,
        problem,
    })
}

fn of_table(bytes: &[u8], format: &TableFormat) -> Result<WindowFile, Fault> {
    let (rows, notes) = table::rows(text::decode(bytes)?, format)?;
    window_of(rows, notes)
}

fn of_json_lines(bytes: &[u8]) -> Result<WindowFile, Fault> {
    window_of(json_lines::rows(text::decode(bytes)?)?, Vec::new())
}

fn window_of(rows: Vec<Row>, notes: Vec<String>) -> Result<WindowFile, Fault> {
    let Some(first) = rows.first() else {
        return Err(Fault::new("the file", "has no rows"));
    };
    let components = first.values.len();
    let mut values = Vec::with_capacity(rows.len() * components);
    for Row { line, values: row } in &rows {
        if row.len() != components {
            let problem = format!("has {} values; the first row has {components}", row.len());
            return Err(Fault::new(format!("line {line}"), problem));
        }
        values.extend(row);
    }
    Ok(WindowFile {
        components,
        values,
        notes,
    })
}
