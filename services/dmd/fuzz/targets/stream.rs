//! Any request to the gRPC service. `cargo +nightly fuzz run stream`, in services/dmd.
#![no_main]

#[path = "../stream.rs"]
mod stream;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    stream::send_any(bytes);
});
