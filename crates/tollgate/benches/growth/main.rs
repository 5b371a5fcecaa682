//! What many cost: ten thousand open streams, and a hundred thousand grants, in one gateway process.
//!
//! `scripts/bench streams` and `scripts/bench grants` build in release and start the services. Nothing here compares times of
//! different runs; memory is that of the gateway's process alone, read from `/proc`.

#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on has nothing to say")]

mod grants;
mod memory;
mod population;
mod streams;
mod upstream;

use std::io::Write as _;

/// Tells what was found.
fn say(text: &str) {
    let told = writeln!(std::io::stdout(), "{text}");
    told.unwrap();
}

#[tokio::main]
async fn main() {
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let count = words.get(1).and_then(|count| count.parse().ok());
    match words.first().map(String::as_str) {
        Some("streams") => streams::run(count.unwrap_or(10_000)).await,
        Some("grants") => grants::run(count.unwrap_or(100_000)).await,
        Some(upstream::ROLE) => upstream::serve().await,
        _ => say("name one: streams or grants, and perhaps how many"),
    }
}
