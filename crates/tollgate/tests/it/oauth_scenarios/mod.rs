//! The protocol's conformance suite against the upstream OAuth client: every scored `auth/*` scenario of both requirement
//! sets, and those of the first revision and of the extension for client credentials, which no set scores. The suite plays server and authorization server; the client is `oauth`, used as the control plane uses it.

mod client;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;

use self::client::Task;
use crate::clients::{noted, root};
use crate::conformance::Required;

/// Scenarios that a client passes by refusing to go on.
const REFUSED: [&str; 7] = [
    "auth/scope-retry-limit",
    "auth/resource-mismatch",
    "auth/iss-supported-missing",
    "auth/iss-wrong-issuer",
    "auth/iss-unexpected",
    "auth/iss-normalized",
    "auth/metadata-issuer-mismatch",
];

/// Scenarios beside the requirement sets, and the revision that each is run at.
const UNSCORED: [(&str, &str); 4] = [
    ("auth/2025-03-26-oauth-metadata-backcompat", "2025-03-26"),
    ("auth/2025-03-26-oauth-endpoint-fallback", "2025-03-26"),
    ("auth/client-credentials-jwt", "2025-11-25"),
    ("auth/client-credentials-basic", "2025-11-25"),
];

/// How each scenario ended at the client's side, by name.
type Endings = Arc<Mutex<BTreeMap<String, Result<(), String>>>>;

#[tokio::test]
async fn the_upstream_login_passes_the_scenarios_of_2025_11_25() {
    passes("2025-11-25").await;
}

#[tokio::test]
async fn the_upstream_login_passes_the_scenarios_of_2026_07_28() {
    passes("2026-07-28").await;
}

#[tokio::test]
async fn the_upstream_login_passes_scenarios_that_no_set_scores() {
    let suite = suite();
    let endings = Endings::default();
    let client = client_command(&door(Arc::clone(&endings)).await);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oauth-scenarios-unscored");
    let _ = std::fs::remove_dir_all(&folder);
    for (scenario, revision) in UNSCORED {
        let results = folder.join(revision);
        let out = run(Command::new(noted("node-22"))
            .arg(&suite)
            .args(["client", "--scenario", scenario, "--spec-version", revision, "--force"])
            .args(["--command", &client])
            .args(["--output-dir", &results.display().to_string()]))
        .await;
        assert_eq!(endings.lock().unwrap().remove(scenario), Some(Ok(())), "{scenario}: {out}");
        let checks = checks(&results, scenario);
        assert!(!checks.is_empty(), "{scenario} was not checked: {out}");
        let bad = |check: &&Value| matches!(check["status"].as_str(), Some("FAILURE" | "WARNING"));
        let wrong: Vec<_> = checks.iter().filter(bad).collect();
        assert!(wrong.is_empty(), "{scenario}: {wrong:#?}");
    }
}

async fn passes(revision: &str) {
    let suite = suite();
    let scenarios = Required::of(revision).await.login;
    let endings = Endings::default();
    let door = door(Arc::clone(&endings)).await;
    let results = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("oauth-scenarios-{revision}"));
    let _ = std::fs::remove_dir_all(&results);

    let client = client_command(&door);
    let out = run(Command::new(noted("node-22"))
        .arg(&suite)
        .args(["client", "--requirements", revision])
        .args(["--command", &client, "--output-dir", &results.display().to_string()]))
    .await;
    let mut wrong = Vec::new();
    for scenario in &scenarios {
        let ending = endings.lock().unwrap().remove(scenario);
        let refused = REFUSED.contains(&scenario.as_str());
        match ending {
            Some(ending) if ending.is_err() == refused => {}
            other => wrong.push(format!("{scenario}: the client ended with {other:?}")),
        }
        let checks = checks(&results, scenario);
        if checks.is_empty() {
            wrong.push(format!("{scenario}: was not checked"));
        }
        for check in
            checks.iter().filter(|check| matches!(check["status"].as_str(), Some("FAILURE" | "WARNING")))
        {
            wrong.push(format!("{scenario}: {} {}", check["id"], check["description"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}\n{out}");
}

/// What the suite starts as the client under test.
fn client_command(door: &str) -> String {
    let script = root().join("crates/tollgate/tests/clients/conformance/oauth.mjs");
    format!("{} {} {door}", noted("node-22").display(), script.display())
}

/// The suite's program.
fn suite() -> PathBuf {
    let folder = root().join("crates/tollgate/tests/clients/conformance/node_modules");
    folder.join("@modelcontextprotocol/conformance/dist/index.js")
}

/// What the suite found in a scenario.
fn checks(results: &Path, scenario: &str) -> Vec<Value> {
    // `results/auth/NAME-TIME/checks.json`
    let (folder, name) = scenario.rsplit_once('/').unwrap();
    let entries = std::fs::read_dir(results.join(folder)).unwrap();
    let of_it = |path: &PathBuf| {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        file.strip_prefix(name)
            .and_then(|rest| rest.strip_prefix("-2"))
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let found = entries.map(|entry| entry.unwrap().path()).find(of_it);
    let text = found.and_then(|path| std::fs::read(path.join("checks.json")).ok()).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Runs a program of the suite: what it wrote.
async fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Where the suite's client hands its tasks to this process.
async fn door(endings: Endings) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let door = format!("http://{}/", listener.local_addr().unwrap());
    let serve = async move |body: String| {
        let task: Task = serde_json::from_str(&body).unwrap();
        let scenario = task.scenario.clone();
        let ending = client::run(task).await;
        endings.lock().unwrap().insert(scenario, ending.clone());
        match ending {
            Ok(()) => (StatusCode::OK, "done".to_owned()),
            Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error),
        }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(serve))).await });
    door
}
