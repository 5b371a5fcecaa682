//! The official conformance suite, run twice: straight at an upstream that implements its fixtures, and through the gateway under a
//! policy that allows everything. The same checks pass, check for check, in the requirement sets of both eras.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use http::header::AUTHORIZATION;
use serde::Deserialize;
use testkit::Forwarder;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::clients;
use crate::fixtures::Fixtures;

/// How long one run of the suite may take.
const PATIENCE: Duration = Duration::from_mins(4);

/// Checks of the suite that it does not make yet.
const NOT_MADE: [&str; 1] = ["tasks-status-notifications"];

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Check {
    #[serde(skip)]
    pub scenario: String,
    id: String,
    name: String,
    status: String,
    #[serde(rename = "errorMessage")]
    error: Option<String>,
}

/// The upstream of the fixtures; it ends with the test.
pub struct Upstream {
    pub url: String,
    _process: Child,
}

/// The folder of the suite and of its fixtures.
pub fn sources() -> PathBuf {
    clients::root().join("crates/tollgate/tests/clients/conformance")
}

pub async fn upstream() -> Upstream {
    let mut process = Command::new(clients::noted("node-22"))
        .arg(sources().join("upstream/main.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let url = lines.next_line().await.unwrap().expect("the upstream prints its address");
    Upstream { url, _process: process }
}

/// Runs what `revision` requires of a server against the one at `url`: every check that says something, in order.
pub async fn run(url: &str, revision: &str, results: &Path) -> Vec<Check> {
    let _ = std::fs::remove_dir_all(results);
    let suite = Command::new(clients::noted("node-22"))
        .arg(sources().join("node_modules/@modelcontextprotocol/conformance/dist/index.js"))
        .args(["server", "--verbose", "--url", url, "--requirements", revision, "--output-dir"])
        .arg(results)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, suite).await.expect("the suite ends").unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.code().is_some_and(|code| code <= 1), "{text}");
    let mut scenarios: Vec<PathBuf> =
        std::fs::read_dir(results).unwrap().map(|entry| entry.unwrap().path()).collect();
    scenarios.sort();
    scenarios.iter().flat_map(|folder| checks(folder)).collect()
}

/// The checks of one scenario, from the folder `server-<scenario>-<time>`.
fn checks(folder: &Path) -> Vec<Check> {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let time = "-2026-01-01T00-00-00-000Z".len();
    let scenario = &name["server-".len()..name.len() - time];
    let text = std::fs::read(folder.join("checks.json")).unwrap();
    let mut checks: Vec<Check> = serde_json::from_slice(&text).unwrap();
    checks.retain(|check| check.status != "INFO");
    for check in &mut checks {
        scenario.clone_into(&mut check.scenario);
    }
    checks
}

/// The checks that were made and did not pass.
fn wanting(checks: &[Check]) -> impl Iterator<Item = &Check> {
    checks.iter().filter(|check| check.status != "SUCCESS" && !NOT_MADE.contains(&check.scenario.as_str()))
}

/// What a revision's requirement set has, by name: `scenarios.json`, written down so that none goes missing unseen.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Required {
    /// Scored scenarios of servers.
    server: BTreeSet<String>,
    /// Those that are run and not scored: the extension for tasks, what came later, and what is pending.
    beside: BTreeSet<String>,
    /// Scored scenarios of clients that log in.
    pub login: BTreeSet<String>,
}

impl Required {
    /// What is written down for a revision, once the suite says the same.
    pub async fn of(revision: &str) -> Self {
        let text = std::fs::read(sources().join("scenarios.json")).unwrap();
        let mut written: BTreeMap<String, Self> = serde_json::from_slice(&text).unwrap();
        let written = written.remove(revision).unwrap();
        assert_eq!(
            Self::listed(revision).await,
            written,
            "the suite has other scenarios than are written down"
        );
        written
    }

    /// What the suite itself lists.
    async fn listed(revision: &str) -> Self {
        let list = Command::new(clients::noted("node-22"))
            .arg(sources().join("node_modules/@modelcontextprotocol/conformance/dist/index.js"))
            .args(["list", "--requirements", revision])
            .output()
            .await
            .unwrap();
        let text = String::from_utf8(list.stdout).unwrap();
        let (scored, beside) = text.split_once("never scored").unwrap();
        let (server, client) = scored.split_once("Client scenarios").unwrap();
        let named = |text: &str| -> BTreeSet<String> {
            text.lines().filter_map(|line| line.trim().strip_prefix("- ")).map(str::to_owned).collect()
        };
        let of_server = |name: String| name.strip_suffix(" [server]").map(str::to_owned);
        Self {
            server: named(server),
            beside: named(beside).into_iter().filter_map(of_server).collect(),
            login: named(client).into_iter().filter(|name| name.starts_with("auth/")).collect(),
        }
    }

    /// Holds a run to all of them: each was run, each that the suite makes has a check that passed, and none failed.
    pub fn hold(&self, checks: &[Check]) {
        let wanting: Vec<_> = wanting(checks).collect();
        assert!(wanting.is_empty(), "{wanting:#?}");
        let named: BTreeSet<&str> = self.server.iter().chain(&self.beside).map(String::as_str).collect();
        let run: BTreeSet<&str> = checks.iter().map(|check| check.scenario.as_str()).collect();
        assert_eq!(run, named);
        let passed =
            checks.iter().filter(|check| check.status == "SUCCESS").map(|check| check.scenario.as_str());
        let unproven: Vec<_> = named.difference(&passed.chain(NOT_MADE).collect()).copied().collect();
        assert!(unproven.is_empty(), "nothing was checked of {unproven:?}");
    }
}

/// Holds the upstream to the suite, and the gateway to the upstream.
async fn holds(revision: &str) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("conformance").join(revision);
    let upstream = upstream().await;
    let direct = run(&upstream.url, revision, &folder.join("direct")).await;
    Required::of(revision).await.hold(&direct);

    let gate = Fixtures::at(upstream).await;
    // The suite can't send a token.
    let way = Forwarder::to(&gate.tollgate.url, AUTHORIZATION, &format!("Bearer {}", gate.token)).await;
    let url = gate.url.replace(&gate.tollgate.url, way.url());
    let through = run(&url, revision, &folder.join("gateway")).await;

    let differing: Vec<_> = through.iter().filter(|check| !direct.contains(check)).collect();
    assert!(differing.is_empty(), "the gateway differs: {differing:#?}");
    assert_eq!(through, direct, "a check was left out");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions() {
    holds("2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stateless() {
    holds("2026-07-28").await;
}
