//! The analysis of any window with any options. `cargo +nightly fuzz run analyze`, in services/dmd.
#![no_main]

#[path = "../input.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| input::analyze_any(bytes));
