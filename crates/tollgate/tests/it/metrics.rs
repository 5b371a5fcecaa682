//! `/metrics`: exact after known calls, nothing in it that a caller made up, and all of it documented.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::StatusCode;
use serde_json::json;
use testkit::{Api, eventually};

use crate::caller::Caller;
use crate::stack::Stack;

const ALLOWED: &str = "flowforge_health_check";
const LIMITED: &str = "flowforge_list_runs";
const DENIED: &str = "flowforge_send_event";
/// Endings of the lines that a histogram is shown as.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

#[tokio::test(flavor = "multi_thread")]
async fn known_calls_leave_known_counts() {
    let stack = Stack::start().await;
    let process = stack.serve(&[]).await;
    let api = Api::sign_up(&process.url).await;
    let server = stack.register(&api, "/mcp/json").await;
    let document = json!({ "version": "1", "default": "deny", "tools": {
        ALLOWED: { "action": "allow" },
        LIMITED: { "limits": [{ "counter": "calls", "window": "hour", "max": 1 }] },
    } });
    let policy = api.policy(&server, "measured", &document).await;
    let grant = api.mint(&server, &policy, "measured").await;
    let caller = Caller::new(&process.url, &server, &grant.token);
    for _ in 0..3 {
        assert!(caller.call(ALLOWED, &json!({})).await.unwrap().allowed());
    }
    let noted = json!({ "note": "argument-value" });
    for (tool, arguments) in
        [(LIMITED, json!({})), (LIMITED, json!({})), (DENIED, noted.clone()), (DENIED, noted)]
    {
        assert_eq!(caller.call(tool, &arguments).await.unwrap().status, StatusCode::OK);
    }
    let stranger = Caller::new(&process.url, &server, "tg_grant_nobodys");
    for _ in 0..4 {
        assert_eq!(stranger.call(ALLOWED, &json!({})).await.unwrap().status, StatusCode::UNAUTHORIZED);
    }

    let metrics = eventually("the last call is closed and drained", async || {
        let metrics = process.metrics().await;
        let still = metrics["tollgate_open_calls"] > 0.0 || metrics["tollgate_stream_entries"] > 0.0;
        let written = metrics["tollgate_ledger_seconds_count{operation=\"close\"}"] >= 4.0;
        (!still && written).then_some(metrics)
    })
    .await;
    let is = |name: &str, wanted: f64| {
        assert!((metrics[name] - wanted).abs() < f64::EPSILON, "{name}: {} and not {wanted}", metrics[name]);
    };
    is("tollgate_decisions_total{outcome=\"allow\"}", 4.0);
    is("tollgate_decisions_total{outcome=\"limit\"}", 1.0);
    is("tollgate_decisions_total{outcome=\"deny\"}", 2.0);
    is("tollgate_decisions_total{outcome=\"hidden\"}", 0.0);
    is("tollgate_decisions_total{outcome=\"unauthenticated\"}", 4.0);
    is("tollgate_refusals_total{reason=\"unauthenticated\"}", 4.0);
    is("tollgate_refusals_total{reason=\"malformed\"}", 0.0);
    is("tollgate_calls_ended_total{ending=\"done\"}", 4.0);
    is("tollgate_calls_ended_total{ending=\"abandoned\"}", 0.0);
    is("tollgate_gateway_seconds_count{way=\"forwarded\"}", 4.0);
    is("tollgate_gateway_seconds_count{way=\"denied\"}", 3.0);
    is("tollgate_upstream_seconds_count{until=\"head\"}", 4.0);
    is("tollgate_upstream_seconds_count{until=\"end\"}", 4.0);
    is("tollgate_ledger_seconds_count{operation=\"close\"}", 4.0);
    is("tollgate_settled_total{answer=\"taken\"}", 6.0);
    is("tollgate_settled_total{answer=\"over\"}", 1.0);
    is("tollgate_open_streams", 0.0);
    is("tollgate_directory_grants", 1.0);
    is("tollgate_postgres_up", 1.0);
    is("tollgate_redis_up", 1.0);
    is("tollgate_drain_lag_seconds", 0.0);
    is("tollgate_drain_failures_total", 0.0);
    assert!(metrics["tollgate_upstream_connections"] >= 0.0);
    assert!(metrics["tollgate_upstream_connects_total{result=\"made\"}"] >= 1.0);
    // 7 decisions, 4 endings, and one row for the strangers.
    assert!(metrics["tollgate_drain_entries_total"] >= 12.0);

    let text = format!("{metrics:?}");
    for foreign in [&server, &grant.id, &grant.token, ALLOWED, LIMITED, DENIED, "argument-value", "measured"]
    {
        assert!(!text.contains(foreign), "{foreign} is in the metrics");
    }
    let beside = reqwest::get(format!("{}/metrics", process.url)).await.unwrap();
    assert_eq!(beside.status(), StatusCode::NOT_FOUND, "tenants must not reach it");
    let shown = metrics.keys().map(|line| family(line).to_owned()).collect();
    documented(&shown);
    deployed(&shown);
}

/// What a line's metric is called.
fn family(line: &str) -> &str {
    let name = line.split('{').next().unwrap_or_default();
    let of_histogram = PARTS.iter().find_map(|part| name.strip_suffix(part));
    of_histogram.filter(|name| name.ends_with("_seconds")).unwrap_or(name)
}

/// The table has every metric that there is, and no other.
fn documented(shown: &BTreeSet<String>) {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/observability.md"))
            .unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let named: BTreeSet<String> = rows
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.starts_with("tollgate_") || name.starts_with("process_"))
        .collect();
    assert_eq!(*shown, named, "left: shown, right: in docs/observability.md");
}

/// The dashboard and the rules ask for metrics that there are; of ours the dashboard shows all, and each rule is explained.
fn deployed(shown: &BTreeSet<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let dashboard = read("deploy/observability/grafana/tollgate.json");
    serde_json::from_str::<serde_json::Value>(&dashboard).unwrap();
    let rules = read("deploy/observability/rules.yml");
    let asked = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
        words.filter(|word| is_metric(word)).map(|word| family(word).to_owned()).collect()
    };
    for text in [&dashboard, &rules] {
        let missing: Vec<_> = asked(text).difference(shown).cloned().collect();
        assert_eq!(missing, [""; 0], "asked for, and not shown");
    }
    let ours = shown.iter().filter(|name| name.starts_with("tollgate_")).cloned().collect::<BTreeSet<_>>();
    let unseen: Vec<_> = ours.difference(&asked(&dashboard)).cloned().collect();
    assert_eq!(unseen, [""; 0], "not on the dashboard");
    let page = read("docs/observability.md");
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(page.contains(&format!("| `{alert}` |")), "{alert} is not explained");
    }
}

fn is_metric(word: &str) -> bool {
    ["tollgate_", "process_"].iter().any(|of| word.len() > of.len() && word.starts_with(of))
}
