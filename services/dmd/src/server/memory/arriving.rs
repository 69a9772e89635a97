//! Requests as they arrive: what the transport and the decoder hold of them counts for the memory budget, like the windows
//! that they carry.

use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::time::timeout;
use tonic::{Status, body::Body};

use super::{
    super::{
        metrics::Metrics,
        refusal::{Refusal, within},
        transport::RECEIVE_WINDOW,
    },
    Budget, Held,
};

/// Bytes before a message: whether it is compressed, and its length.
const HEADER: usize = 5;

/// What bodies are held to.
#[derive(Debug, Clone)]
pub(in super::super) struct Bounds {
    pub budget: Budget,
    /// Where refusals are counted.
    pub metrics: Metrics,
    /// Bytes of one message.
    pub max_message: usize,
    /// How long a message may stop half-way.
    pub idle: Duration,
}

/// The body of a call, which holds the receive window and the longest message that it has brought, for which the decoder
/// keeps its buffer. A message that is too long, without room, or does not go on ends it with a status, after all that came
/// before.
///
/// # Errors
/// [`Refusal::Limit`] when there is no room for the receive window.
pub(in super::super) fn counted(body: Body, bounds: &Bounds) -> Result<Body, Refusal> {
    let arriving = Arriving {
        body: Some(body),
        messages: Messages {
            held: bounds.budget.hold("this call", RECEIVE_WINDOW.into(), 0)?,
            max_message: bounds.max_message,
            header: Vec::with_capacity(HEADER),
            missing: 0,
        },
        refused: None,
        idle: bounds.idle,
        metrics: bounds.metrics.clone(),
    };
    let frames = stream::unfold(arriving, |mut arriving| async move {
        let frame = arriving.next().await?;
        Some((frame, arriving))
    });
    Ok(Body::new(StreamBody::new(frames)))
}

struct Arriving {
    /// None after its end.
    body: Option<Body>,
    messages: Messages,
    /// Why the body ends behind the last frame.
    refused: Option<Refusal>,
    idle: Duration,
    metrics: Metrics,
}

impl Arriving {
    async fn next(&mut self) -> Option<Result<Frame<Bytes>, Status>> {
        if let Some(refusal) = self.refused.take() {
            return Some(Err(self.end(refusal)));
        }
        let body = self.body.as_mut()?;
        let frame = if self.messages.under_way() {
            match timeout(self.idle, body.frame()).await {
                Ok(frame) => frame?,
                Err(_) => {
                    let idle = self.idle.as_secs();
                    let refusal = Refusal::Idle(format!("no more of a message came for {idle} s"));
                    return Some(Err(self.end(refusal)));
                }
            }
        } else {
            body.frame().await?
        };
        Some(frame.map(|frame| {
            frame.map_data(|mut data| {
                let (taken, refused) = self.messages.take(&data);
                data.truncate(taken);
                self.refused = refused;
                data
            })
        }))
    }

    fn end(&mut self, refusal: Refusal) -> Status {
        self.body = None;
        self.metrics.refused(&refusal);
        refusal.into()
    }
}

/// What is told from the bytes of a body: where messages begin, and how long they are.
struct Messages {
    held: Held,
    max_message: usize,
    /// What has come of a header.
    header: Vec<u8>,
    /// Bytes of the message under way that have not come.
    missing: usize,
}

impl Messages {
    fn under_way(&self) -> bool {
        self.missing > 0 || !self.header.is_empty()
    }

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
        let (length, max) = (length as u64, self.max_message as u64);
        within("limits.max_message_bytes", "bytes of a message", length, max)?;
        self.held.grow_to(u64::from(RECEIVE_WINDOW) + length)
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use tonic::Code;

    use super::*;

    const LIMIT: u64 = RECEIVE_WINDOW as u64 + 100;

    fn messages(budget: &Budget) -> Messages {
        Messages {
            held: budget.hold("this call", RECEIVE_WINDOW.into(), 0).unwrap(),
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
        for size in 1..=body.len() {
            let budget = Budget::new(LIMIT);
            let mut messages = messages(&budget);
            for chunk in body.chunks(size) {
                let (taken, refused) = messages.take(chunk);
                assert_eq!(taken, chunk.len());
                assert!(refused.is_none(), "{refused:?}");
            }
            assert_eq!(budget.held(), u64::from(RECEIVE_WINDOW) + 40);
            assert!(!messages.under_way());
            drop(messages);
            assert_eq!(budget.held(), 0);
        }
    }

    #[test]
    fn a_message_that_is_refused_does_not_take_those_before_along() {
        for (length, key) in [(101, "limits.max_held_bytes"), (201, "limits.max_message_bytes")] {
            let body = [message(3), message(length)].concat();
            let (taken, refused) = messages(&Budget::new(LIMIT)).take(&body);
            assert_eq!(taken, message(3).len());
            assert!(
                matches!(refused, Some(Refusal::Limit { limit, .. }) if limit == key),
                "{refused:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_message_that_stops_half_way_is_ended() {
        let bounds = Bounds {
            budget: Budget::new(LIMIT),
            metrics: Metrics::new(),
            max_message: 200,
            idle: Duration::from_secs(1),
        };
        let half = message(7)[..9].to_vec();
        let frames = stream::iter([message(0), half])
            .map(|data| Ok::<_, Status>(Frame::data(Bytes::from(data))))
            .chain(stream::pending());
        let mut body = counted(Body::new(StreamBody::new(frames)), &bounds).unwrap();
        for length in [5, 9] {
            let frame = body.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap().len(), length);
        }
        let status = body.frame().await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded);
        assert_eq!(status.message(), "no more of a message came for 1 s");
        assert!(body.frame().await.is_none());
        drop(body);
        assert_eq!(bounds.budget.held(), 0);
    }
}
