//! The library as its users see it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bound;
mod fixtures;
mod fuzz_corpus;
mod known_scales;
mod properties;
mod trust;
mod variants;
mod verdicts;
