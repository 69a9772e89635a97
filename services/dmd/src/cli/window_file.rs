//! Windows in files: one hypergradient a line as CSV or as JSON arrays, or a NumPy array of rows by components.

use std::{fs::File, io, path::Path};

use npyz::{NpyFile, Order};
use thiserror::Error;

use crate::AnalysisError;

/// A file does not hold a window that can be analyzed.
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
    #[error("{path}: the name must end in .csv, .jsonl or .npy")]
    UnknownFormat {
        /// Path of the file.
        path: String,
    },
    /// A place in the file has something else than numbers.
    #[error("{path}: {place}: {problem}")]
    Content {
        /// Path of the file.
        path: String,
        /// Line or array.
        place: String,
        /// What is wrong there.
        problem: String,
    },
    /// The window could not be analyzed.
    #[error("{path}: {source}")]
    Analysis {
        /// Path of the file.
        path: String,
        /// Why.
        source: AnalysisError,
    },
}

/// Number of components, and the rows one after the other, oldest first.
///
/// # Errors
/// [`WindowFileError`] naming the line that is wrong.
pub(super) fn read(path: &Path) -> Result<(usize, Vec<f64>), WindowFileError> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|source| WindowFileError::Read {
        path: shown.clone(),
        source,
    })?;
    let reader = io::BufReader::new(file);
    let read = match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => rows_of_csv(reader),
        Some("jsonl") => rows_of_json_lines(reader),
        Some("npy") => return array(reader).map_err(|fault| fault.at(shown)),
        _ => return Err(WindowFileError::UnknownFormat { path: shown }),
    };
    read.and_then(flatten).map_err(|fault| fault.at(shown))
}

/// What is wrong, and where in the file.
struct Fault {
    place: String,
    problem: String,
}

impl Fault {
    fn new(place: impl Into<String>, problem: impl ToString) -> Self {
        Self {
            place: place.into(),
            problem: problem.to_string(),
        }
    }

    fn at(self, path: String) -> WindowFileError {
        WindowFileError::Content {
            path,
            place: self.place,
            problem: self.problem,
        }
    }
}

/// Rows with the numbers of their lines. A first line that has no number in it is a header.
fn rows_of_csv(reader: impl io::Read) -> Result<Vec<(u64, Vec<f64>)>, Fault> {
    let mut records = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(reader);
    let mut rows = Vec::new();
    for record in records.records() {
        let record = record.map_err(|error| Fault::new("CSV", error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let header = rows.is_empty() && record.iter().all(|field| field.parse::<f64>().is_err());
        if header && line == 1 {
            continue;
        }
        let row = record
            .iter()
            .map(|field| {
                field
                    .parse()
                    .map_err(|_| Fault::new(format!("line {line}"), format!("{field:?} is not a number")))
            })
            .collect::<Result<_, _>>()?;
        rows.push((line, row));
    }
    Ok(rows)
}

fn rows_of_json_lines(reader: impl io::BufRead) -> Result<Vec<(u64, Vec<f64>)>, Fault> {
    let mut rows = Vec::new();
    for (number, line) in (1..).zip(reader.lines()) {
        let place = || format!("line {number}");
        let line = line.map_err(|error| Fault::new(place(), error))?;
        if !line.trim().is_empty() {
            let row = serde_json::from_str(&line).map_err(|error| Fault::new(place(), error))?;
            rows.push((number, row));
        }
    }
    Ok(rows)
}

fn flatten(rows: Vec<(u64, Vec<f64>)>) -> Result<(usize, Vec<f64>), Fault> {
    let Some((_, first)) = rows.first() else {
        return Err(Fault::new("the file", "has no rows"));
    };
    let components = first.len();
    let mut values = Vec::with_capacity(rows.len() * components);
    for (line, row) in &rows {
        if row.len() != components {
            let problem = format!("has {} values; the first row has {components}", row.len());
            return Err(Fault::new(format!("line {line}"), problem));
        }
        values.extend(row);
    }
    Ok((components, values))
}

fn array(reader: impl io::Read) -> Result<(usize, Vec<f64>), Fault> {
    const PLACE: &str = "the array";
    let fault = |error: io::Error| Fault::new(PLACE, error);
    let file = NpyFile::new(reader).map_err(fault)?;
    let (rows, components) = match *file.shape() {
        [rows] => (rows, 1),
        [rows, components] => (rows, components),
        ref other => {
            return Err(Fault::new(
                PLACE,
                format!("has the shape {other:?}; rows x components is expected"),
            ));
        }
    };
    let by_columns = file.order() == Order::Fortran;
    let values = match file.try_data::<f64>() {
        Ok(data) => data.collect::<Result<Vec<f64>, _>>().map_err(fault)?,
        Err(file) => file
            .data::<f32>()
            .map_err(|_| Fault::new(PLACE, "does not hold float64 or float32 values"))?
            .map(|value| value.map(f64::from))
            .collect::<Result<_, _>>()
            .map_err(fault)?,
    };
    let (rows, components) = (rows as usize, components as usize);
    if by_columns {
        let by_rows = (0..rows * components).map(|i| values[(i % components) * rows + i / components]);
        return Ok((components, by_rows.collect()));
    }
    Ok((components, values))
}
