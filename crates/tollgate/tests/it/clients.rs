//! Programs in other languages that `scripts/clients` installs: a task on standard input, what they found on the output.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// How long a program may take; the longest drives a browser through all pages.
const PATIENCE: Duration = Duration::from_mins(4);

/// The root of the checkout.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The path that `scripts/clients` noted for a program.
pub fn noted(name: &str) -> PathBuf {
    let noted = std::fs::read_to_string(root().join(".dev/clients").join(name));
    noted.map_or_else(|_| missing(), |path| PathBuf::from(path.trim()))
}

fn missing() -> ! {
    panic!("run scripts/clients first: it installs what these tests drive the product with")
}

/// Python with this line of the SDK.
pub fn python(line: &str) -> PathBuf {
    root().join(format!(".dev/clients/python-{line}/bin/python"))
}

/// The program `name`: `python-1` and `python-2` walk, `same-python-1` and the like run the script `same_1`, `reads-python`
/// reads; any other is a script for Node.js.
fn command(name: &str) -> Command {
    let sources = root().join("crates/tollgate/tests/clients");
    let script = |script: &str| sources.join(format!("python/{script}.py"));
    let (interpreter, script) = match name.split_once("python") {
        Some(("reads-", _)) => (python("2"), script("reads")),
        Some((kind, line)) => {
            let line = line.trim_start_matches('-');
            let kind = if kind.is_empty() { "walk" } else { kind.trim_end_matches('-') };
            (python(line), script(&format!("{kind}_{line}")))
        }
        None => (noted("node"), sources.join(format!("node/{name}.mjs"))),
    };
    if !interpreter.exists() {
        missing();
    }
    let mut command = Command::new(interpreter);
    command.arg(script);
    command
}

/// Runs `name` with `task`: what it wrote.
pub async fn run(name: &str, task: &Value) -> String {
    let mut child = command(name)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(task.to_string().as_bytes()).await.unwrap();
    drop(input);
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = ended.unwrap_or_else(|_| panic!("{name} does not end")).unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
