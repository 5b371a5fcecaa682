//! What the fuzz targets hold of documents, paths, calls and arguments, on their corpus and near it.

#[path = "../../../../fuzz/bodies.rs"]
mod bodies;
#[path = "../../../../fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn json() {
    replay("json", bodies::json);
}

#[test]
fn reader() {
    replay("reader", bodies::reader);
}

#[test]
fn path() {
    replay("path", bodies::path);
}

#[test]
fn judge() {
    replay("judge", bodies::judge);
}
