//! Bytes that calls and their windows may hold together.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::super::refusal::{RETRY_AFTER, Refusal};

/// A budget of bytes shared by all requests.
#[derive(Debug, Clone)]
pub(in super::super) struct Budget {
    limit: u64,
    held: Arc<AtomicU64>,
}

/// A part of the budget, given back when dropped.
#[derive(Debug)]
pub(in super::super) struct Held {
    /// Who holds it, for messages.
    holder: &'static str,
    bytes: u64,
    budget: Budget,
}

impl Budget {
    pub(in super::super) fn new(limit: u64) -> Self {
        Self {
            limit,
            held: Arc::default(),
        }
    }

    /// Bytes that are held now.
    pub(in super::super) fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Takes `bytes` from the budget, for someone who does not give `beside` others back before these.
    ///
    /// # Errors
    /// As [`Held::grow_to`].
    pub(in super::super) fn hold(
        &self,
        holder: &'static str,
        bytes: u64,
        beside: u64,
    ) -> Result<Held, Refusal> {
        let mut held = Held {
            holder,
            bytes: 0,
            budget: self.clone(),
        };
        held.take(bytes, beside)?;
        Ok(held)
    }
}

impl Held {
    pub(in super::super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes what it lacks of `bytes` from the budget; nothing when it is as large already.
    ///
    /// # Errors
    /// [`Refusal::Limit`] when they are not left; without a time to retry when they would never be.
    pub(in super::super) fn grow_to(&mut self, bytes: u64) -> Result<(), Refusal> {
        self.take(bytes, 0)
    }

    fn take(&mut self, bytes: u64, beside: u64) -> Result<(), Refusal> {
        let Budget { limit, held } = &self.budget;
        let missing = bytes.saturating_sub(self.bytes);
        if missing == 0 {
            return Ok(());
        }
        let taken = held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            held.checked_add(missing).filter(|sum| sum <= limit)
        });
        match taken {
            Ok(_) => {
                self.bytes += missing;
                Ok(())
            }
            Err(held) => Err(Refusal::Limit {
                limit: "limits.max_held_bytes",
                message: format!(
                    "{} needs {bytes} bytes; {} of {limit} bytes are free",
                    self.holder,
                    limit - held + self.bytes,
                ),
                retry_after: (bytes.saturating_add(beside) <= *limit).then_some(RETRY_AFTER),
            }),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_can_be_held_again() {
        let budget = Budget::new(100);
        let first = budget.hold("this window", 60, 0).unwrap();
        let _second = budget.hold("this window", 40, 0).unwrap();
        assert!(matches!(
            budget.hold("this window", 1, 0),
            Err(Refusal::Limit {
                retry_after: Some(_),
                ..
            })
        ));
        drop(first);
        assert!(budget.hold("this window", 60, 0).is_ok());
    }

    #[test]
    fn what_fits_only_without_what_is_beside_it_is_not_to_be_retried() {
        let budget = Budget::new(100);
        let _others = budget.hold("this call", 50, 0).unwrap();
        for (beside, helps) in [(40, true), (41, false)] {
            let refusal = budget.hold("this window", 60, beside).unwrap_err();
            assert!(matches!(refusal, Refusal::Limit { retry_after, .. } if retry_after.is_some() == helps));
        }
    }

    #[test]
    fn what_never_fits_is_not_to_be_retried() {
        for bytes in [101, u64::MAX] {
            assert!(matches!(
                Budget::new(100).hold("this window", bytes, 0),
                Err(Refusal::Limit {
                    retry_after: None,
                    ..
                })
            ));
        }
    }

    #[test]
    fn what_grows_takes_only_what_it_lacks() {
        let budget = Budget::new(100);
        let mut held = budget.hold("this call", 60, 0).unwrap();
        held.grow_to(50).unwrap();
        assert_eq!(budget.held(), 60);
        held.grow_to(90).unwrap();
        assert_eq!(budget.held(), 90);
        let Refusal::Limit { message, .. } = held.grow_to(101).unwrap_err() else {
            panic!("no limit");
        };
        assert_eq!(message, "this call needs 101 bytes; 100 of 100 bytes are free");
        drop(held);
        assert_eq!(budget.held(), 0);
    }
}
