//! Inputs that the fuzzer found worth keeping (`fuzz/corpus`), replayed.

use std::fs;

#[path = "../../fuzz/analyze.rs"]
mod analyze;

#[test]
fn every_input_of_the_corpus_gets_a_report_that_hangs_together() {
    let mut replayed = 0;
    for entry in fs::read_dir("fuzz/corpus/analyze").unwrap() {
        analyze::analyze_any(&fs::read(entry.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed > 100, "{replayed}");
}
