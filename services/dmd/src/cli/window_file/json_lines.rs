//! One JSON array of numbers a line.

use super::{fault::Fault, row::Row};

/// What other languages write for numbers that JSON does not have.
const NOT_JSON: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

pub(super) fn rows(text: &str) -> Result<Vec<Row>, Fault> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| match serde_json::from_str(line) {
            Ok(values) => Ok(Row { line: number, values }),
            Err(error) => Err(fault(number, line, &error)),
        })
        .collect()
}

/// The error with the place in the file, in place of that in the line.
fn fault(number: u64, line: &str, error: &serde_json::Error) -> Fault {
    let column = error.column();
    let rest = line.get(column.saturating_sub(1)..).unwrap_or_default();
    let problem = match NOT_JSON.iter().find(|word| rest.starts_with(**word)) {
        Some(word) => format!("{word} is not a number in JSON"),
        None => error
            .to_string()
            .replace(&format!(" at line {} column {column}", error.line()), "")
            .replace("expected f64", "expected a number")
            .replace("expected a sequence", "expected an array of numbers"),
    };
    Fault::new(format!("line {number}, column {}", column.max(1)), problem)
}
