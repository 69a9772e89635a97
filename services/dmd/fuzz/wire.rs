//! gRPC's framing: one byte that says whether the message is compressed, its length in four bytes, the message.

use prost::Message;

const HEADER: usize = 5;

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// After a message.
    Whole,
    /// With a message above the limit.
    TooLong,
    /// With bytes that are not a message, or half of one.
    Malformed,
}

/// A message in its frame.
pub fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut frame = vec![0];
    frame.extend(length.to_be_bytes());
    frame.extend(message);
    frame
}

/// The messages of a body before the first thing that is wrong with it.
pub fn messages<M: Message + Default>(mut body: &[u8], max_message: usize) -> (Vec<M>, End) {
    let mut messages = Vec::new();
    while !body.is_empty() {
        let Some((&[compressed, a, b, c, d], rest)) = body.split_first_chunk::<HEADER>() else {
            return (messages, End::Malformed);
        };
        // The service does not take compressed messages.
        if compressed != 0 {
            return (messages, End::Malformed);
        }
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > max_message {
            return (messages, End::TooLong);
        }
        // Tonic takes a body that ends right behind a header for one that ends before it.
        if rest.is_empty() && length > 0 {
            return (messages, End::Whole);
        }
        let Some((message, rest)) = rest.split_at_checked(length) else {
            return (messages, End::Malformed);
        };
        let Ok(message) = M::decode(message) else {
            return (messages, End::Malformed);
        };
        messages.push(message);
        body = rest;
    }
    (messages, End::Whole)
}
