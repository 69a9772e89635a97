//! What commands print to standard output.

use std::io::{self, Write};

use serde::Serialize;

/// Prints one JSON document in one line.
pub fn print_document(document: &impl Serialize) {
    // Plain numbers and words; only a closed standard output can fail, about which nothing can be done.
    let mut stdout = io::stdout().lock();
    let _ = serde_json::to_writer(&mut stdout, document);
    let _ = writeln!(stdout);
}

/// Prints lines of text.
pub fn print_lines(lines: &[String]) {
    let mut stdout = io::stdout().lock();
    for line in lines {
        let _ = writeln!(stdout, "{line}");
    }
}
