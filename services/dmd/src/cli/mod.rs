//! Subcommands of the binary besides the server.

pub mod bench;
pub mod fixtures;

use std::io::{self, Write};

use serde::Serialize;

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
    // Rows are plain numbers and words; only a closed standard output can fail, about which nothing can be done.
    let mut stdout = io::stdout().lock();
    let _ = serde_json::to_writer(&mut stdout, &Rows { rows });
    let _ = writeln!(stdout);
}

fn print_lines(lines: &[String]) {
    let mut stdout = io::stdout().lock();
    for line in lines {
        let _ = writeln!(stdout, "{line}");
    }
}
