//! Bytes that open windows may hold together.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::refusal::Refusal;

/// A budget of bytes shared by all requests.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    limit: u64,
    held: Arc<AtomicU64>,
}

/// A part of the budget, given back when dropped.
#[derive(Debug)]
pub(super) struct Held {
    bytes: u64,
    held: Arc<AtomicU64>,
}

impl Budget {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            limit,
            held: Arc::default(),
        }
    }

    /// Bytes that are held now.
    pub(super) fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Takes `bytes` from the budget.
    ///
    /// # Errors
    /// [`Refusal::Limit`] when they are not left; without a time to retry when they would never be.
    pub(super) fn hold(&self, bytes: u64) -> Result<Held, Refusal> {
        let taken = self
            .held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
                held.checked_add(bytes).filter(|&sum| sum <= self.limit)
            });
        match taken {
            Ok(_) => Ok(Held {
                bytes,
                held: Arc::clone(&self.held),
            }),
            Err(held) => Err(Refusal::Limit {
                limit: "limits.max_held_bytes",
                message: format!(
                    "this window needs {bytes} bytes; {} of {} bytes are free",
                    self.limit - held,
                    self.limit
                ),
                retry_after: (bytes <= self.limit).then_some(super::compute::RETRY_AFTER),
            }),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_can_be_held_again() {
        let budget = Budget::new(100);
        let first = budget.hold(60).unwrap();
        let _second = budget.hold(40).unwrap();
        assert!(matches!(
            budget.hold(1),
            Err(Refusal::Limit {
                retry_after: Some(_),
                ..
            })
        ));
        drop(first);
        assert!(budget.hold(60).is_ok());
    }

    #[test]
    fn what_never_fits_is_not_to_be_retried() {
        for bytes in [101, u64::MAX] {
            assert!(matches!(
                Budget::new(100).hold(bytes),
                Err(Refusal::Limit {
                    retry_after: None,
                    ..
                })
            ));
        }
    }
}
