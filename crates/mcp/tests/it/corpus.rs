//! What the fuzz targets hold of messages and event streams, on their corpus and near it.

#[path = "../../../../fuzz/replay.rs"]
mod replay;
#[path = "../../../../fuzz/wire.rs"]
mod wire;

use replay::replay;

#[test]
fn envelope() {
    replay("envelope", wire::envelope);
}

#[test]
fn sse() {
    replay("sse", wire::sse);
}
