//! The service as its clients see it: a real server on a free port.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod analyze_window;
mod any_message;
mod estimate_glocal;
mod fuzz_corpus;
mod get_dmd_info;
#[path = "../process/mod.rs"]
mod process;
mod security;
mod spans;
mod standard_services;
mod support;
