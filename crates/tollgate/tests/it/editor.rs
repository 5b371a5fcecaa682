//! The policy editor of the pages: built anew from its lock file, and its own tests.

use tokio::process::Command;

use crate::clients;

/// Runs Node.js in `web/editor`; all it says where it fails.
async fn node(arguments: &[&str]) {
    let folder = clients::root().join("web/editor");
    assert!(
        folder.join("node_modules").exists(),
        "run scripts/clients first: it installs what the editor is built from"
    );
    let output =
        Command::new(clients::noted("node")).args(arguments).current_dir(folder).output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[tokio::test]
async fn the_committed_editor_is_what_its_sources_build_to() {
    node(&["build.mjs", "--check"]).await;
}

#[tokio::test]
async fn the_editor_knows_its_places_in_a_document() {
    node(&["--test"]).await;
}
