//! How much memory a window counts for.

use super::super::{decode::Spec, transport::RECEIVE_WINDOW};

/// Bytes to hold for this window until it is answered: its rows and its report.
pub(in super::super) fn window_bytes(spec: &Spec) -> u64 {
    // Estimate, mean, median, last row and t-scores.
    let mut vectors = spec.rows as u64 + 5;
    if spec.options.variant.has_spread() {
        // The spread.
        vectors += 1;
    }
    if spec.options.include_contributions {
        vectors += 2 * (spec.rows - spec.options.delays) as u64;
    }
    let mut products = 0;
    if spec.scales.is_some() {
        // The scales themselves and the statistics of the rows but the last; two squares of inner products.
        vectors += 1 + 7;
        products = 2 * 8 * (spec.rows as u64).pow(2);
    }
    vectors.saturating_mul(spec.row_bytes()).saturating_add(products)
}

/// Bytes that a call holds beside this window, when it has `open` bytes of others open: they, its longest message, and what
/// the client may send ahead.
pub(in super::super) fn held_beside(spec: &Spec, open: u64, max_message_bytes: usize) -> u64 {
    open + spec.row_bytes().min(max_message_bytes as u64) + u64::from(RECEIVE_WINDOW)
}
