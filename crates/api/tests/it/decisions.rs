//! `/api/v1/audit`: searching, paging, counting and exporting the log.

use audit::{ClientNote, Decision, GrantNote, PolicyNote, ServerNote};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{DecisionId, Outcome, TenantId};
use insta::assert_snapshot;
use serde_json::Value;
use vault::Entropy;

use crate::{Api, Organisation, shown};

/// The first decision is made then; each later one a minute after the one before.
fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

pub async fn tenant(api: &Api, organisation: &Organisation) -> TenantId {
    let organisation = api.get("/api/v1/organisation", &organisation.owner).await.expect(200);
    organisation["id"].as_str().unwrap().parse().unwrap()
}

/// Decision number `n` of a tenant.
fn decision(tenant: TenantId, n: u32, outcome: Outcome) -> Decision {
    let at = start() + TimeDelta::minutes(i64::from(n));
    let fixed: uuid::Uuid = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    Decision {
        id: Entropy::seeded(u64::from(n)).id::<DecisionId>(at),
        tenant,
        decided_at: at,
        outcome,
        forwards: false,
        server: Some(ServerNote { id: fixed.into(), name: "Flowforge".to_owned() }),
        grant: Some(GrantNote {
            id: fixed.into(),
            label: "CI bot".to_owned(),
            identity: "ci@example.com".to_owned(),
        }),
        client: ClientNote { name: Some("curl".to_owned()), version: None },
        address: None,
        protocol_version: Some("2026-07-28".to_owned()),
        method: Some("tools/call".to_owned()),
        tool: Some(format!("flowforge_tool_{n}")),
        rule: (outcome == Outcome::Deny).then(|| "/tools/flowforge_tool_*/action".to_owned()),
        message: None,
        condition: None,
        policy: Some(PolicyNote { id: fixed.into(), name: "read only".to_owned(), version: 3 }),
        argument_keys: vec!["run_id".to_owned()],
        argument_digest: Some("00".repeat(32)),
        limits: Vec::new(),
        shadow: None,
        judged_micros: Some(180),
        request_bytes: Some(120),
        trace_id: None,
    }
}

/// Five decisions of the organisation: allow, deny, allow, deny, allow.
pub async fn five(api: &Api, organisation: &Organisation) -> Vec<Decision> {
    let tenant = tenant(api, organisation).await;
    let mut made = Vec::new();
    for n in 0..5 {
        let outcome = if n % 2 == 0 { Outcome::Allow } else { Outcome::Deny };
        let decision = decision(tenant, n, outcome);
        audit::record_direct(&api.database.storage, &decision).await.unwrap();
        made.push(decision);
    }
    made
}

fn tools(page: &Value) -> impl Iterator<Item = String> {
    page["items"].as_array().unwrap().iter().map(|row| row["tool"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_decision_is_found_by_its_request_id() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let made = five(&api, &acme).await;
    let path = format!("/api/v1/audit/decisions/{}", made[1].id);
    let row = api.get(&path, &acme.owner).await.expect(200);
    assert_snapshot!(shown(&row), @r#"
    {
      "id": "[id]",
      "decided_at": "[time]",
      "outcome": "deny",
      "completion": "closed",
      "server": {
        "id": "[id]",
        "name": "Flowforge"
      },
      "grant": {
        "id": "[id]",
        "label": "CI bot",
        "identity": "ci@example.com"
      },
      "client": {
        "name": "curl",
        "version": null
      },
      "address": null,
      "protocol_version": "2026-07-28",
      "method": "tools/call",
      "tool": "flowforge_tool_1",
      "rule": "/tools/flowforge_tool_*/action",
      "message": null,
      "condition": null,
      "policy": {
        "id": "[id]",
        "name": "read only",
        "version": 3
      },
      "argument_keys": [
        "run_id"
      ],
      "argument_digest": "0000000000000000000000000000000000000000000000000000000000000000",
      "limit": null,
      "shadow": null,
      "trace_id": null,
      "judged_micros": 180,
      "request_bytes": 120,
      "closed_at": null,
      "failure": null,
      "upstream_status": null,
      "gateway_micros": null,
      "upstream_micros": null,
      "response_bytes": null,
      "refunded": false,
      "repeats": 1
    }
    "#);
}

#[tokio::test]
async fn pages_are_whole_and_without_repeats() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    five(&api, &acme).await;
    let mut seen = Vec::new();
    let mut path = "/api/v1/audit/decisions?limit=2".to_owned();
    for pages in 1.. {
        let page = api.get(&path, &acme.owner).await.expect(200);
        seen.extend(tools(&page));
        let Some(next) = page["next"].as_str() else {
            assert_eq!(pages, 3);
            break;
        };
        path = format!("/api/v1/audit/decisions?limit=2&cursor={next}");
    }
    assert_eq!(seen, [4, 3, 2, 1, 0].map(|n| format!("flowforge_tool_{n}")));
}

#[tokio::test]
async fn filters_narrow() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let made = five(&api, &acme).await;
    let from = (start() + TimeDelta::minutes(2)).to_rfc3339().replace('+', "%2B");
    let to = (start() + TimeDelta::minutes(3)).to_rfc3339().replace('+', "%2B");
    let id = made[4].id;
    for (query, found) in [
        ("outcome=deny".to_owned(), 2),
        ("outcome=deny,allow".to_owned(), 5),
        ("outcome=limit".to_owned(), 0),
        ("tool=flowforge_tool_1".to_owned(), 1),
        ("tool=flowforge_tool_*".to_owned(), 5),
        ("tool=flowforge_tool_*&outcome=deny".to_owned(), 2),
        ("identity=ci@example.com".to_owned(), 5),
        ("identity=ci".to_owned(), 0),
        ("rule=/tools/flowforge_tool_*/action".to_owned(), 2),
        (format!("from={from}"), 3),
        (format!("from={from}&to={to}"), 1),
        (format!("request_id={id}"), 1),
        ("server=01890a5d-ac96-774b-bcce-b302099a8057".to_owned(), 5),
        ("grant=01890a5d-ac96-774b-bcce-b302099a8058".to_owned(), 0),
    ] {
        let page = api.get(&format!("/api/v1/audit/decisions?{query}"), &acme.owner).await.expect(200);
        assert_eq!(page["items"].as_array().unwrap().len(), found, "{query}");
    }
}

#[tokio::test]
async fn every_wrong_filter_is_named() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let query = "server=x&outcome=allow,maybe&from=yesterday&limit=0&cursor=1&colour=red";
    let refused = api.get(&format!("/api/v1/audit/decisions?{query}"), &acme.owner).await;
    assert_eq!(refused.status, 400);
    assert_snapshot!(refused.errors().join("\n"), @"colour is not a parameter here: remove it, or use one of server, grant, identity, tool, outcome, rule, from, to, request_id, cursor, limit");
    let query = "server=x&outcome=allow,maybe&from=yesterday&limit=0&cursor=1";
    let refused = api.get(&format!("/api/v1/audit/decisions?{query}"), &acme.owner).await;
    assert_snapshot!(refused.errors().join("\n"), @r"
    server `x` is not an id: ids look like 01890a5d-ac96-774b-bcce-b302099a8057
    outcome `maybe` is not an outcome: use one of allow, deny, hidden, limit, pending, error, unauthenticated, malformed
    from `yesterday` is not a time: write it like 2026-10-04T12:00:00Z
    cursor `1` is not a cursor: use the one that the last page gave, unchanged
    limit must be a whole number from 1 to 200
    ");
    let refused = api.get("/api/v1/audit/export?format=xml", &acme.owner).await;
    assert_snapshot!(refused.errors().join("\n"), @"format `xml` is not a format: use ndjson or csv");
}

#[tokio::test]
async fn decisions_are_counted_by_hour_and_outcome() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    five(&api, &acme).await;
    let counts = api.get("/api/v1/audit/histogram", &acme.owner).await.expect(200);
    let counts: Vec<_> = counts["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bar| format!("{} {}", bar["outcome"].as_str().unwrap(), bar["count"]))
        .collect();
    assert_eq!(counts, ["allow 3", "deny 2"]);
}

#[tokio::test]
async fn the_log_is_exported_as_lines_of_json() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    five(&api, &acme).await;
    let export = api.get("/api/v1/audit/export?outcome=deny", &acme.owner).await;
    assert_eq!((export.status, export.header("content-type")), (200, "application/x-ndjson"));
    let lines: Vec<Value> = export.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let page = api.get("/api/v1/audit/decisions?outcome=deny", &acme.owner).await.expect(200);
    assert_eq!(Value::from(lines), page["items"], "a line is what the API shows");
}

#[tokio::test]
async fn the_log_is_exported_as_a_table() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    five(&api, &acme).await;
    let export = api.get("/api/v1/audit/export?format=csv", &acme.owner).await;
    assert_eq!(export.header("content-disposition"), r#"attachment; filename="decisions.csv""#);
    assert_eq!(export.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<_> = export.text.lines().collect();
    assert_eq!(lines.len(), 6);
    assert!(lines[0].starts_with("id,decided_at,outcome,"), "{}", lines[0]);
    assert!(lines.iter().skip(1).all(|line| line.contains("flowforge_tool_")));
}

#[tokio::test]
async fn another_tenants_decisions_are_not_there() {
    let api = Api::start().await;
    let (acme, other) = (api.organisation("Acme").await, api.organisation("Other").await);
    let made = five(&api, &acme).await;
    api.get(&format!("/api/v1/audit/decisions/{}", made[0].id), &other.owner).await.expect(404);
    let page = api.get("/api/v1/audit/decisions", &other.owner).await.expect(200);
    assert_eq!(page["items"], Value::Array(Vec::new()));
    assert_eq!(api.get("/api/v1/audit/export", &other.owner).await.text, "");
}
