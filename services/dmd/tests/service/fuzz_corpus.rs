//! Requests that the fuzzer found worth keeping (`fuzz/corpus/stream`), replayed.

use std::{collections::BTreeSet, fs};

#[path = "../../fuzz/stream.rs"]
mod stream;

/// Statuses that the corpus reaches, by code, reason and limit.
const REACHED: [&str; 18] = [
    "Internal",
    "InvalidArgument INVALID_WINDOW",
    "InvalidArgument INVALID_WINDOW_ID",
    "InvalidArgument NON_FINITE_VALUE",
    "InvalidArgument PART_OUT_OF_ORDER",
    "InvalidArgument PAYLOAD_MISSING",
    "InvalidArgument ROW_OUT_OF_ORDER",
    "InvalidArgument TOO_FEW_ROWS",
    "InvalidArgument WINDOW_ALREADY_OPEN",
    "InvalidArgument WINDOW_INCOMPLETE",
    "InvalidArgument WINDOW_NOT_OPEN",
    "InvalidArgument WRONG_LENGTH",
    "Ok",
    "ResourceExhausted limits.max_components",
    "ResourceExhausted limits.max_held_bytes",
    "ResourceExhausted limits.max_message_bytes",
    "ResourceExhausted limits.max_open_windows",
    "ResourceExhausted limits.max_rows",
];

#[test]
fn every_request_of_the_corpus_gets_its_answers_and_the_status_that_the_contract_asks_for() {
    let mut answers = 0;
    let mut reached = BTreeSet::new();
    for entry in fs::read_dir("fuzz/corpus/stream").unwrap() {
        let input = fs::read(entry.unwrap().path()).unwrap();
        if let Some(outcome) = stream::send_any(&input) {
            answers += outcome.answers;
            reached.extend(outcome.status);
        }
    }
    for status in REACHED {
        assert!(reached.contains(status), "{status} is not among {reached:?}");
    }
    assert!(answers >= 100, "{answers} answers");
}
