//! Requests as they arrive: what the transport and the decoder hold of them counts for the memory budget, like the windows
//! that they carry.

use std::{error::Error, future, sync::Arc};

use futures::{StreamExt, stream};
use http_body_util::{BodyStream, StreamBody};
use tonic::{Status, body::Body};

use super::{
    budget::{Budget, Held},
    refusal::Refusal,
};

/// Bytes of one call that a client may send before the service has read them. With the default of HTTP/2 (64 KiB) a window
/// of 100,000 components would wait for the round trip a dozen times a row.
pub(super) const RECEIVE_WINDOW: u32 = 256 << 10;

/// Bytes before a message: whether it is compressed, and its length.
const HEADER: usize = 5;

/// The body of a call. As long as it is read it holds the receive window and the longest message that it has brought, for
/// which the decoder keeps its buffer. A message longer than `max_message`, or without room, ends it with a status, after
/// all that came before; see [`refusal`].
///
/// # Errors
/// [`Refusal::Limit`] when there is no room for the receive window.
pub(super) fn counted(body: Body, budget: &Budget, max_message: usize) -> Result<Body, Refusal> {
    let mut arriving = Arriving {
        held: budget.hold("this call", RECEIVE_WINDOW.into())?,
        max_message,
        header: Vec::with_capacity(HEADER),
        missing: 0,
    };
    let frames = BodyStream::new(body).flat_map(move |frame| {
        let (taken, refused) = match frame.as_ref().ok().and_then(|frame| frame.data_ref()) {
            Some(data) => arriving.take(data),
            None => (0, None),
        };
        let frame = frame.map(|frame| {
            frame.map_data(|mut data| {
                data.truncate(taken);
                data
            })
        });
        let end = refused.map(|refusal| Err(status(refusal)));
        stream::iter([Some(frame), end]).filter_map(future::ready)
    });
    Ok(Body::new(StreamBody::new(frames)))
}

fn status(refusal: Refusal) -> Status {
    let mut status = Status::from(refusal.clone());
    status.set_source(Arc::new(refusal));
    status
}

/// Why a body ended with this status.
pub(super) fn refusal(status: &Status) -> Refusal {
    let source = status.source().and_then(|source| source.downcast_ref());
    match source {
        Some(refusal) => Refusal::clone(refusal),
        None => Refusal::Transport(status.code(), status.message().to_owned()),
    }
}

struct Arriving {
    held: Held,
    max_message: usize,
    /// What has come of a header.
    header: Vec<u8>,
    /// Bytes of the message under way that have not come.
    missing: usize,
}

impl Arriving {
    /// How many of these bytes, the next of the body, the service takes; and why, when that is not all.
    fn take(&mut self, data: &[u8]) -> (usize, Option<Refusal>) {
        let mut taken = 0;
        while taken < data.len() {
            let left = data.len() - taken;
            if self.missing > 0 {
                let part = self.missing.min(left);
                self.missing -= part;
                taken += part;
                continue;
            }
            let part = left.min(HEADER - self.header.len());
            self.header.extend_from_slice(&data[taken..taken + part]);
            if let &[compressed, a, b, c, d] = self.header.as_slice() {
                let length = u32::from_be_bytes([a, b, c, d]) as usize;
                // A compressed message is refused by the decoder.
                if compressed == 0
                    && let Err(refusal) = self.begin(length)
                {
                    return (taken, Some(refusal));
                }
                self.header.clear();
                self.missing = length;
            }
            taken += part;
        }
        (taken, None)
    }

    fn begin(&mut self, length: usize) -> Result<(), Refusal> {
        if length > self.max_message {
            return Err(Refusal::Limit {
                limit: "limits.max_message_bytes",
                message: format!(
                    "a message of {length} bytes is longer than this server takes (limits.max_message_bytes = {})",
                    self.max_message
                ),
                retry_after: None,
            });
        }
        self.held.grow_to(u64::from(RECEIVE_WINDOW) + length as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = RECEIVE_WINDOW as u64 + 100;

    fn arriving(budget: &Budget) -> Arriving {
        Arriving {
            held: budget.hold("this call", RECEIVE_WINDOW.into()).unwrap(),
            max_message: 200,
            header: Vec::new(),
            missing: 0,
        }
    }

    fn message(length: u8) -> Vec<u8> {
        [vec![0, 0, 0, 0, length], vec![7; length.into()]].concat()
    }

    #[test]
    fn the_longest_message_counts_however_it_is_cut() {
        let body = [message(3), message(0), message(40), message(20)].concat();
        for size in 1..body.len() {
            let budget = Budget::new(LIMIT);
            let mut arriving = arriving(&budget);
            for chunk in body.chunks(size) {
                assert_eq!(arriving.take(chunk), (chunk.len(), None));
            }
            assert_eq!(budget.held(), u64::from(RECEIVE_WINDOW) + 40);
            drop(arriving);
            assert_eq!(budget.held(), 0);
        }
    }

    #[test]
    fn a_message_that_is_refused_does_not_take_those_before_along() {
        for (length, key) in [(101, "limits.max_held_bytes"), (201, "limits.max_message_bytes")] {
            let body = [message(3), message(length)].concat();
            let (taken, refused) = arriving(&Budget::new(LIMIT)).take(&body);
            assert_eq!(taken, message(3).len());
            assert!(
                matches!(refused, Some(Refusal::Limit { limit, .. }) if limit == key),
                "{refused:?}"
            );
        }
    }
}
