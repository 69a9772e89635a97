//! Measured figures, in the format of the project's benchmarks.

use glocal_dmd::cli::output::{print_document, print_lines};
use serde::Serialize;

/// A measured figure.
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
pub fn print_json(rows: &[Row]) {
    #[derive(Serialize)]
    struct Rows<'a> {
        rows: &'a [Row],
    }
    print_document(&Rows { rows });
}

/// Prints them as a table, or as JSON.
pub fn print(rows: &[Row], json: bool) {
    if json {
        print_json(rows);
    } else {
        let line = |row: &Row| format!("{:32} {:10.2} {:5} n {}", row.name, row.value, row.unit, row.n);
        print_lines(&rows.iter().map(line).collect::<Vec<_>>());
    }
}

/// The value in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
