//! Holds the arrows of ARCHITECTURE.md: reads every `Cargo.toml` and refuses an edge that is not listed here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each crate may name of ours. A crate that is missing here, or that names more, fails the test.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("json", &[]),
    ("policy", &["domain", "json"]),
    ("mcp", &["domain", "json"]),
    ("vault", &["domain"]),
    ("ledger", &["domain"]),
    ("storage", &["domain"]),
    ("egress", &["domain"]),
    ("oauth", &["domain", "vault", "storage", "egress"]),
    ("audit", &["domain", "ledger", "storage", "vault"]),
    (
        "control",
        &["domain", "json", "policy", "mcp", "vault", "ledger", "storage", "egress", "oauth", "audit"],
    ),
    ("api", &["domain", "json", "policy", "vault", "audit", "control"]),
    ("dashboard", &["domain", "json", "policy", "vault", "audit", "control"]),
    (
        "gateway",
        &["domain", "json", "policy", "mcp", "vault", "ledger", "storage", "egress", "oauth", "audit"],
    ),
    ("bridge", &["domain", "json", "mcp", "vault"]),
    (
        "tollgate",
        &[
            "bridge",
            "domain",
            "json",
            "policy",
            "vault",
            "ledger",
            "storage",
            "audit",
            "egress",
            "control",
            "api",
            "dashboard",
            "gateway",
        ],
    ),
    ("flowforge-sim", &[]),
    ("testkit", &["domain", "vault", "ledger", "storage"]),
];

/// Who may name a library that stands for a door: SQL, Redis, templates, HTTP client, the untyped error.
const DOORS: &[(&str, &[&str])] = &[
    ("sqlx", &["storage", "audit", "testkit"]),
    ("redis", &["ledger"]),
    ("askama", &["dashboard"]),
    ("reqwest", &["egress", "testkit"]),
    ("rmcp", &["control", "flowforge-sim", "tollgate"]),
    ("prometheus", &["gateway", "egress", "audit", "tollgate"]),
    ("opentelemetry-proto", &["tollgate", "testkit"]),
    ("anyhow", &["tollgate", "flowforge-sim", "testkit"]),
    ("aws-lc-rs", &["vault"]),
    ("argon2", &["vault"]),
    ("jsonwebtoken", &["vault"]),
    ("clap", &["tollgate", "flowforge-sim"]),
];

/// What would be a second TLS or crypto backend.
const BANNED: &[&str] = &["ring", "openssl-sys", "native-tls", "ed25519-dalek", "aes-gcm"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names under `[dependencies]` of each crate; development dependencies are free.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let crates = fs::read_dir(root().join("crates")).expect("crates/ can be listed");
    crates
        .map(|entry| {
            let dir = entry.expect("an entry of crates/").path();
            let manifest = fs::read_to_string(dir.join("Cargo.toml")).expect("a crate has a Cargo.toml");
            let mut inside = false;
            let mut names = BTreeSet::new();
            for line in manifest.lines() {
                if line.starts_with('[') {
                    inside = line == "[dependencies]";
                } else if inside && let Some((name, _)) = line.split_once(['.', '=', ' ']) {
                    names.insert(name.trim().to_owned());
                }
            }
            (dir.file_name().expect("a name").to_string_lossy().into_owned(), names)
        })
        .collect()
}

#[test]
fn arrows_point_down_only() {
    let crates = dependencies();
    let allowed: BTreeMap<&str, &[&str]> = MAY_KNOW.iter().copied().collect();
    let mut wrong = Vec::new();
    for (name, dependencies) in &crates {
        let Some(may) = allowed.get(name.as_str()) else {
            wrong.push(format!("{name} is not in the list of crates"));
            continue;
        };
        for other in dependencies.iter().filter(|other| crates.contains_key(*other)) {
            if !may.contains(&other.as_str()) {
                wrong.push(format!("{name} must not know {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(crates.len(), allowed.len(), "the list names a crate that is gone");
}

#[test]
fn each_outside_system_has_one_door() {
    let crates = dependencies();
    for (library, doors) in DOORS {
        for (name, dependencies) in &crates {
            assert!(
                !dependencies.contains(*library) || doors.contains(&name.as_str()),
                "{name} names {library}: only {doors:?} may"
            );
        }
    }
}

#[test]
fn there_is_one_crypto_backend() {
    // The lock file also names what optional features would bring; the tree is what is built.
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--locked",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8(tree.stdout).expect("UTF-8");
    assert!(tree.contains("aws-lc-rs v"), "the tree was not read: {tree}");
    for name in BANNED {
        assert!(
            !tree.lines().any(|line| line.starts_with(&format!("{name} v"))),
            "{name} came into the tree"
        );
    }
}
