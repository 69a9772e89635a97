//! The analysis of any window with any options. `cargo +nightly fuzz run analyze`, in services/dmd.
#![no_main]

#[path = "../analyze.rs"]
mod analyze;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| analyze::analyze_any(bytes));
