//! What the calls share.

use tokio_util::sync::CancellationToken;

use super::{compute::ComputePool, config::Limits, memory::Budget, metrics::Metrics};
use crate::Thresholds;

/// State of the service; it lives as long as the service does.
pub(super) struct Shared {
    pub limits: Limits,
    pub thresholds: Thresholds,
    pub budget: Budget,
    pub pool: ComputePool,
    pub metrics: Metrics,
    /// Cancelled when the server begins to stop.
    pub stopping: CancellationToken,
}

impl Shared {
    pub(super) fn new(limits: Limits, thresholds: Thresholds) -> Self {
        Self {
            budget: Budget::new(limits.max_held_bytes),
            pool: ComputePool::new(limits.compute_threads(), limits.compute_queue),
            thresholds,
            limits,
            metrics: Metrics::new(),
            stopping: CancellationToken::new(),
        }
    }
}
