//! What the service has to answer to a body, by the contract alone: which windows are complete, and what is wrong with a
//! message. Not foreseen is whether specifications are valid and within the limits.

use std::collections::HashMap;

use bytes::Bytes;
use glocal_dmd::server::proto::{
    AnalyzeWindowRequest, EstimateGlocalRequest, Hypergradient, WindowSpec, estimate_glocal_request::Payload,
};

use super::wire::{self, End};

const MAX_ID_CHARACTERS: usize = 128;

/// An answer: the window's id, the rows so far if these were asked for, and the last row that the report is about.
pub type Key = (String, Option<u32>, Vec<u8>);

/// What the service has to answer.
#[derive(Debug)]
pub struct Expectation {
    /// In the order in which they fall due.
    pub answers: Vec<Key>,
    pub ending: Ending,
}

/// How a response has to end.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    Ok,
    /// INVALID_ARGUMENT with this reason.
    Invalid(String),
    /// RESOURCE_EXHAUSTED for a message above the limit.
    TooLong,
    /// INTERNAL from the transport.
    Malformed,
}

impl Ending {
    fn invalid(reason: &str) -> Self {
        Self::Invalid(reason.to_owned())
    }
}

impl From<End> for Ending {
    fn from(end: End) -> Self {
        match end {
            End::Whole => Self::Ok,
            End::TooLong => Self::TooLong,
            End::Malformed => Self::Malformed,
        }
    }
}

/// What AnalyzeWindow has to answer to a body.
pub fn of_analyze_window(body: &[u8], max_message: usize) -> Expectation {
    let (messages, end) = wire::messages::<AnalyzeWindowRequest>(body, max_message);
    let refused = |ending| Expectation {
        answers: Vec::new(),
        ending,
    };
    let Some(request) = messages.first().filter(|_| end == End::Whole) else {
        return refused(if end == End::TooLong {
            Ending::TooLong
        } else {
            Ending::Malformed
        });
    };
    let Some(spec) = &request.spec else {
        return refused(Ending::invalid("INVALID_WINDOW"));
    };
    let values = &request.hypergradients;
    let row = 8 * u64::from(spec.components);
    if values.len() as u128 != u128::from(spec.rows) * u128::from(row) {
        return refused(Ending::invalid("WRONG_LENGTH"));
    }
    if !finite(values) {
        return refused(Ending::invalid("NON_FINITE_VALUE"));
    }
    let last = values
        .len()
        .saturating_sub(usize::try_from(row).unwrap_or(usize::MAX));
    Expectation {
        answers: vec![(String::new(), None, values[last..].to_vec())],
        ending: Ending::Ok,
    }
}

/// What EstimateGlocal has to answer to a body.
pub fn of_estimate_glocal(body: &[u8], max_message: usize) -> Expectation {
    let (messages, end) = wire::messages::<EstimateGlocalRequest>(body, max_message);
    let mut stream = Stream::default();
    for message in messages {
        if let Err(reason) = stream.accept(message) {
            return stream.ending(Ending::invalid(reason));
        }
    }
    let incomplete = end == End::Whole && !stream.open.is_empty();
    stream.ending(if incomplete {
        Ending::invalid("WINDOW_INCOMPLETE")
    } else {
        end.into()
    })
}

#[derive(Default)]
struct Stream {
    open: HashMap<String, Window>,
    due: Vec<Key>,
}

/// A window of which rows are missing.
struct Window {
    spec: WindowSpec,
    rows: u32,
    /// Bytes of the row of which only parts have come.
    part: Vec<u8>,
    last: Vec<u8>,
}

impl Stream {
    fn ending(self, ending: Ending) -> Expectation {
        Expectation {
            answers: self.due,
            ending,
        }
    }

    /// Takes a message, or says why it has to be refused.
    fn accept(&mut self, message: EstimateGlocalRequest) -> Result<(), &'static str> {
        let EstimateGlocalRequest { window_id, payload } = message;
        if !(1..=MAX_ID_CHARACTERS).contains(&window_id.chars().count()) {
            return Err("INVALID_WINDOW_ID");
        }
        let payload = payload.ok_or("PAYLOAD_MISSING")?;
        if let Payload::Open(spec) = payload {
            return self.open(window_id, spec);
        }
        let window = self.open.get_mut(&window_id).ok_or("WINDOW_NOT_OPEN")?;
        match payload {
            Payload::Hypergradient(hypergradient) => {
                window.take(&hypergradient)?;
                if window.rows == window.spec.rows {
                    let last = std::mem::take(&mut window.last);
                    self.open.remove(&window_id);
                    self.due.push((window_id, None, last));
                }
            }
            _ => self.due.push((window_id, Some(window.rows), window.last.clone())),
        }
        Ok(())
    }

    fn open(&mut self, id: String, spec: WindowSpec) -> Result<(), &'static str> {
        if self.open.contains_key(&id) {
            return Err("WINDOW_ALREADY_OPEN");
        }
        let window = Window {
            spec,
            rows: 0,
            part: Vec::new(),
            last: Vec::new(),
        };
        self.open.insert(id, window);
        Ok(())
    }
}

impl Window {
    fn take(&mut self, hypergradient: &Hypergradient) -> Result<(), &'static str> {
        let Hypergradient {
            row,
            values,
            first_component,
        } = hypergradient;
        if *row != self.rows {
            return Err("ROW_OUT_OF_ORDER");
        }
        if 8 * u64::from(first_component.unwrap_or(0)) != self.part.len() as u64 {
            return Err("PART_OUT_OF_ORDER");
        }
        let missing = 8 * u64::from(self.spec.components) - self.part.len() as u64;
        let length = values.len() as u64;
        let right_length = match first_component {
            None => length == missing,
            Some(_) => length.is_multiple_of(8) && (1..=missing).contains(&length),
        };
        if !right_length {
            return Err("WRONG_LENGTH");
        }
        if !finite(values) {
            return Err("NON_FINITE_VALUE");
        }
        self.part.extend(values);
        if length == missing {
            self.last = std::mem::take(&mut self.part);
            self.rows += 1;
        }
        Ok(())
    }
}

fn finite(values: &Bytes) -> bool {
    values
        .as_chunks::<8>()
        .0
        .iter()
        .all(|&chunk| f64::from_le_bytes(chunk).is_finite())
}
