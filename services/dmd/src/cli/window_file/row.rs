//! A row of a window as it stands in a file.

pub(super) struct Row {
    /// Number of its line.
    pub line: u64,
    pub values: Vec<f64>,
}
