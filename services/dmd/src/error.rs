//! What can go wrong, as types.

use thiserror::Error;

use crate::OptionError;

/// The rows given do not form a window.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WindowError {
    /// There is no row.
    #[error("a window needs at least one row")]
    NoRows,
    /// Rows have no components.
    #[error("a hypergradient needs at least one component")]
    NoComponents,
    /// A row differs in length from the first.
    #[error("row {row} has {actual} components, expected {expected}")]
    RaggedRow {
        /// Index of the row.
        row: usize,
        /// Length of the first row.
        expected: usize,
        /// Length of this row.
        actual: usize,
    },
    /// A flat slice does not divide into rows.
    #[error("{values} values are not a multiple of {components} components")]
    RaggedValues {
        /// Number of values given.
        values: usize,
        /// Components per row.
        components: usize,
    },
    /// Scales do not fit the window.
    #[error("{}", describe_scales(*.components, *.scales, *.wrong))]
    Scales {
        /// Components of the window.
        components: usize,
        /// Scales given.
        scales: usize,
        /// The first that is not a finite number above 0.
        wrong: Option<usize>,
    },
}

fn describe_scales(components: usize, scales: usize, wrong: Option<usize>) -> String {
    match wrong {
        Some(component) => format!("the scale of component {component} is not a finite number above 0"),
        None => format!("{scales} scales for {components} components"),
    }
}

/// The analysis of a window did not come to an end. The window itself is at fault only in the first two cases.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum AnalysisError {
    /// The rows given do not form a window.
    #[error("{0}")]
    Window(#[from] WindowError),
    /// Fewer rows than delays + 1: there is no pair of snapshots.
    #[error("{rows} rows are too few for delays = {delays}; at least {}, {} is a good start", .delays + 1, 2 * .delays)]
    TooFewRows {
        /// Rows of the window.
        rows: usize,
        /// Delays asked for.
        delays: usize,
    },
    /// An option is out of range.
    #[error("{0}")]
    InvalidOption(#[from] OptionError),
    /// The singular value decomposition did not converge.
    #[error("the singular value decomposition of a {rows} x {columns} matrix did not converge")]
    SingularValuesNotConverged {
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
    },
    /// The eigenvalue decomposition did not converge.
    #[error("the eigenvalue decomposition of a {order} x {order} matrix did not converge")]
    EigenvaluesNotConverged {
        /// Order of the matrix.
        order: usize,
    },
    /// An eigenpair was computed but does not satisfy its equation.
    #[error("an eigenpair misses its equation by {residual:e} of the matrix norm")]
    InaccurateEigenpair {
        /// ||A v - lambda v|| / ||A|| for a unit vector v.
        residual: f64,
    },
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
}
