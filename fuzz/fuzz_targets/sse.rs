//! `scripts/fuzz 60 sse`
#![no_main]

#[path = "../wire.rs"]
#[expect(dead_code, reason = "each target runs one body")]
mod wire;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wire::sse(data));
