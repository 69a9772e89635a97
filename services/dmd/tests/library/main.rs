//! The library as its users see it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixtures;
mod properties;
mod variants;
mod verdicts;
