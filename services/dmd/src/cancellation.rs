//! Lets the caller stop an analysis that is under way on another thread.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::AnalysisError;

/// A flag shared between whoever waits for an analysis and the analysis, which looks at it between its steps.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// A flag that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the analysis to stop. Cannot be taken back.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// [`AnalysisError::Cancelled`] once [`Cancellation::cancel`] has been called.
    pub(crate) fn check(&self) -> Result<(), AnalysisError> {
        if self.0.load(Ordering::Relaxed) {
            Err(AnalysisError::Cancelled)
        } else {
            Ok(())
        }
    }
}
