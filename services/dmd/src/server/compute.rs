//! Where windows are analyzed: a bounded number of threads off the async executor.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{sync::Semaphore, task::spawn_blocking};

use super::refusal::{RETRY_AFTER, Refusal};
use crate::Cancellation;

/// Runs computations on at most `threads` threads.
#[derive(Debug, Clone)]
pub(super) struct ComputePool {
    threads: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    max_waiting: usize,
}

impl ComputePool {
    pub(super) fn new(threads: usize, max_waiting: usize) -> Self {
        Self {
            threads: Arc::new(Semaphore::new(threads)),
            waiting: Arc::default(),
            max_waiting,
        }
    }

    /// Runs `compute` as soon as a thread is free, or refuses when too many wait already. Dropping the future cancels
    /// the computation.
    ///
    /// # Errors
    /// [`Refusal::Limit`] when the queue is full, otherwise what `compute` answers.
    pub(super) async fn run_or_refuse<T: Send + 'static>(
        &self,
        compute: impl FnOnce(&Cancellation) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let waiting = Waiting::enter(&self.waiting);
        if waiting.position > self.max_waiting && self.threads.available_permits() == 0 {
            return Err(Refusal::Limit {
                limit: "limits.compute_queue",
                message: format!("{} windows wait to be analyzed already", self.max_waiting),
                retry_after: Some(RETRY_AFTER),
            });
        }
        self.run_after(waiting, compute).await
    }

    /// Runs `compute` as soon as a thread is free. For callers that bound how many of these they have under way.
    ///
    /// # Errors
    /// What `compute` answers.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        compute: impl FnOnce(&Cancellation) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.run_after(Waiting::enter(&self.waiting), compute).await
    }

    async fn run_after<T: Send + 'static>(
        &self,
        waiting: Waiting,
        compute: impl FnOnce(&Cancellation) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let Ok(thread) = Arc::clone(&self.threads).acquire_owned().await else {
            return Err(Refusal::ShuttingDown);
        };
        drop(waiting);
        let cancellation = Cancellation::new();
        let _cancel_when_dropped = CancelOnDrop(cancellation.clone());
        let result = spawn_blocking(move || {
            let result = compute(&cancellation);
            drop(thread);
            result
        })
        .await;
        result.unwrap_or_else(|error| {
            tracing::error!(%error, "an analysis panicked");
            Err(Refusal::Failed("the analysis failed unexpectedly".to_owned()))
        })
    }
}

/// Counts those who wait for a thread.
struct Waiting {
    count: Arc<AtomicUsize>,
    position: usize,
}

impl Waiting {
    fn enter(count: &Arc<AtomicUsize>) -> Self {
        Self {
            position: count.fetch_add(1, Ordering::Relaxed) + 1,
            count: Arc::clone(count),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

struct CancelOnDrop(Cancellation);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
