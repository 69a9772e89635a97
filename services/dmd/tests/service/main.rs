//! The service as its clients see it: a real server on a free port.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod analyze_window;
mod estimate_glocal;
mod security;
mod standard_services;
mod support;
