//! The organisation that the samples are about.

use audit::{ClientNote, Completion, GrantNote, LimitLevel, PolicyNote, Row, ServerNote};
use chrono::{DateTime, Duration, Utc};
use control::{
    ApiKey, Category, DocumentProblem, Effect, Grant, Login, Membership, PolicyRef, PolicySummary, Risk,
    Server, ServerState, Standing, Tool, ToolEffect,
};
use domain::{DecisionId, GrantId, Outcome, PolicyId, Role, ServerId};
use uuid::Uuid;

use crate::frame::{Frame, Org};
use crate::pages::servers::view::View;
use crate::view::chart::{Bar, Chart};
use crate::view::rules::Rule;

pub const DOCUMENT: &str = r#"{
  "version": "1",
  "description": "Support agents: read runs, retry a few, never delete",
  "default": "deny",
  "hide": ["flowforge_delete_*"],
  "tools": {
    "flowforge_list_*": {},
    "flowforge_get_*": {},
    "flowforge_retry_run": {
      "rate_limit": "10/minute"
    },
    "flowforge_send_event": {
      "deny_if": [
        {
          "conditions": [{ "path": "args.name", "op": "regex", "value": "^billing/" }],
          "on_deny": "Billing events are sent by people, not agents."
        }
      ],
      "limits": [
        { "counter": "events", "window": "hour", "max": 100, "scope": "organisation" }
      ]
    },
    "flowforge_cancel_run": { "action": "deny", "reason": "Ask the on-call engineer." }
  }
}"#;

pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_342_503, 417_000_000).expect("a time")
}

pub fn ago(minutes: i64) -> DateTime<Utc> {
    now() - Duration::minutes(minutes)
}

pub fn id<T: From<Uuid>>(n: u128) -> T {
    T::from(Uuid::from_u128(0x0199_b5c8_7a10_7000_8000_0000_0000_0000 + n))
}

pub fn frame(section: &'static str, role: Role) -> Frame {
    let slug = |text: &str| text.parse().expect("a slug");
    let organisation =
        |slug, name: &str, role| Membership { tenant: id(1), slug, name: name.to_owned(), role };
    Frame {
        section,
        csrf: "5f4c3a".to_owned(),
        now: now(),
        email: "ada@acme.example".to_owned(),
        organisations: vec![
            organisation(slug("acme"), "Acme Robotics", role),
            organisation(slug("acme-lab"), "Acme Lab", Role::Viewer),
        ],
        waiting: 0,
        org: Some(Org { slug: "acme".to_owned(), name: "Acme Robotics".to_owned(), role }),
    }
}

pub fn server(n: u128, name: &str, state: ServerState, message: &str) -> Server {
    let ready = state == ServerState::Ready;
    Server {
        id: id::<ServerId>(n),
        name: name.to_owned(),
        upstream_url: format!("https://{}.acme.example/mcp", name.to_lowercase().replace(' ', "-")),
        gateway_url: format!("http://127.0.0.1:8480/mcp/{}", id::<ServerId>(n)),
        catalogue_entry: None,
        state,
        state_message: message.to_owned(),
        checked_at: ago(12),
        protocol_version: ready.then(|| "2025-11-25".to_owned()),
        upstream_name: ready.then(|| "flowforge-sim 0.1.0".to_owned()),
        login: Login::Headers,
        header_names: vec!["X-Api-Key".to_owned()],
        tools: if ready { 49 } else { 0 },
        policies: if ready { 2 } else { 0 },
        grants: if ready { 3 } else { 0 },
        created_at: ago(60 * 24 * 9),
    }
}

pub fn flowforge() -> Server {
    server(10, "Flowforge", ServerState::Ready, "it speaks MCP and listed 49 tools")
}

pub fn broken() -> Server {
    let message = "upstream answered 401. Its API key may have changed: update the credentials";
    server(11, "Ticket desk", ServerState::Unauthorized, message)
}

pub fn view(tab: &'static str) -> View {
    View { server: flowforge(), tab, crumbs: Vec::new(), inner: None }
}

pub fn deeper(tab: &'static str, inner: &str, crumb: &str) -> View {
    let base = format!("/o/acme/servers/{}", flowforge().id);
    let crumbs = vec![(base.clone(), "Flowforge".to_owned()), (format!("{base}{tab}"), crumb.to_owned())];
    View { server: flowforge(), tab, crumbs, inner: Some(inner.to_owned()) }
}

/// Flowforge's tools from the catalogue.
pub fn tools() -> Vec<Tool> {
    let text = include_str!("../../../../catalogue/flowforge/tools.json");
    let value: serde_json::Value = serde_json::from_str(text).expect("the catalogue");
    let list = value.as_array().or_else(|| value["tools"].as_array()).expect("a list of tools");
    let words = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let tool = |entry: &serde_json::Value| Tool {
        name: words(&entry["name"]),
        title: Some(words(&entry["title"])),
        description: Some(words(&entry["summary"])),
        input_schema: serde_json::json!({"type": "object"}),
        annotations: None,
        category: match entry["category"].as_str() {
            Some("Read") => Category::Read,
            Some("Write") => Category::Write,
            Some("Execute") => Category::Execute,
            Some("Financial") => Category::Financial,
            _ => Category::Destructive,
        },
        risk: match entry["risk"].as_str() {
            Some("low") => Risk::Low,
            Some("medium") => Risk::Medium,
            Some("high") => Risk::High,
            _ => Risk::Critical,
        },
        signals: entry["signals"].as_array().map(|list| list.iter().map(words).collect()).unwrap_or_default(),
        in_catalogue: true,
        summary: Some(words(&entry["summary"])),
        changed_at: Some(ago(9000)),
    };
    list.iter().map(tool).collect()
}

pub fn effects() -> Vec<ToolEffect> {
    let effect = |tool: Tool| {
        let (effect, rule, limits) = match tool.name.as_str() {
            "flowforge_retry_run" => {
                (Effect::Limit, "/tools/flowforge_retry_run", vec!["10 a minute for each grant"])
            }
            "flowforge_send_event" => {
                (Effect::Conditional, "/tools/flowforge_send_event", vec!["100 an hour"])
            }
            name if name.starts_with("flowforge_delete") => (Effect::Hide, "(hidden)", vec![]),
            _ if tool.category == Category::Read => (Effect::Allow, "/tools/flowforge_list_*", vec![]),
            _ => (Effect::Deny, "(default deny)", vec![]),
        };
        let limits = limits.into_iter().map(str::to_owned).collect();
        ToolEffect { tool: tool.name, effect, rule: rule.to_owned(), limits }
    };
    tools().into_iter().map(effect).collect()
}

pub fn policy() -> PolicySummary {
    PolicySummary {
        id: id::<PolicyId>(20),
        server_id: id(10),
        name: "Support agents".to_owned(),
        version: 4,
        saved_at: ago(47),
        saved_by: "ada@acme.example".to_owned(),
        grants: 2,
    }
}

pub fn problem(pointer: &str, line: u32, message: &str) -> DocumentProblem {
    DocumentProblem {
        pointer: pointer.to_owned(),
        line,
        column: 5,
        code: "unknown_field".to_owned(),
        message: message.to_owned(),
    }
}

pub fn grant(n: u128, label: &str, identity: &str, state: Standing) -> Grant {
    Grant {
        id: id::<GrantId>(30 + n),
        server_id: id(10),
        server_name: "Flowforge".to_owned(),
        label: label.to_owned(),
        identity: identity.to_owned(),
        policy: (n != 2).then(|| PolicyRef { id: id(20), name: "Support agents".to_owned(), version: 4 }),
        hint: "tg_grant_…k3Fq".to_owned(),
        state,
        created_by: "ada@acme.example".to_owned(),
        created_at: ago(60 * 24 * 3),
        rotated_at: (n == 1).then(|| ago(300)),
        expires_at: (n == 3).then(|| ago(60)),
        revoked_at: (state == Standing::Revoked).then(|| ago(1)),
        last_used_at: (n != 2).then(|| ago(3)),
    }
}

pub fn grants() -> Vec<Grant> {
    vec![
        grant(0, "Support bot", "support-bot", Standing::Active),
        grant(1, "Ada's Cursor", "ada@acme.example", Standing::Active),
        grant(2, "Night shift", "night-agent", Standing::Active),
        grant(3, "Trial", "contractor@example.net", Standing::Expired),
        grant(4, "Old laptop", "grace@acme.example", Standing::Revoked),
    ]
}

pub fn key(n: u128, label: &str, role: Role, state: Standing) -> ApiKey {
    ApiKey {
        id: id(50 + n),
        label: label.to_owned(),
        role,
        hint: "tg_key_…a1b2".to_owned(),
        state,
        created_by: "ada@acme.example".to_owned(),
        created_at: ago(4000),
        last_used_at: Some(ago(2)),
        expires_at: None,
        revoked_at: (state == Standing::Revoked).then(|| ago(0)),
    }
}

pub fn chart() -> Chart {
    let start = now() - Duration::seconds(2103) - Duration::hours(23);
    let bar = |hour: u64| {
        let from = start + Duration::hours(hour.cast_signed());
        let busy = [3, 2, 1, 1, 2, 6, 14, 31, 48, 52, 44, 39, 51, 57, 49, 42, 38, 22, 17, 12, 9, 8, 6, 41];
        let all = busy[usize::try_from(hour).expect("an hour")] * 3;
        let counts = [all, all / 7, all / 23, all / 9, 0, all / 31, u64::from(hour == 8) * 4, 0];
        Bar {
            from,
            to: from + Duration::hours(1),
            counts,
            href: "/o/acme/log?x=1".to_owned(),
            faded: hour < 2,
        }
    };
    Chart::new((0..24).map(bar).collect(), "/o/acme/log?x=1".to_owned())
}

pub fn rules() -> Vec<Rule> {
    let rule = |rule: &str, message: &str, count| Rule {
        name: rule.to_owned(),
        message: Some(message.to_owned()),
        count,
        last: ago(4),
        href: format!("/o/acme/log?rule={rule}"),
    };
    vec![
        rule("/tools/flowforge_retry_run/rate_limit", "over 10 a minute for this grant", 171),
        rule("(default deny)", "no rule allows flowforge_import_skill", 64),
        rule("/tools/flowforge_send_event/deny_if/0", "Billing events are sent by people, not agents.", 12),
    ]
}

pub fn row(n: u128, outcome: Outcome, tool: &str, rule: Option<&str>, message: Option<&str>) -> Row {
    let forwarded = matches!(outcome, Outcome::Allow | Outcome::Error);
    Row {
        id: id::<DecisionId>(100 + n),
        tenant: id(1),
        decided_at: now() - Duration::seconds(i64::try_from(n).expect("small") * 17),
        outcome,
        completion: Completion::Closed,
        server: Some(ServerNote { id: id(10), name: "Flowforge".to_owned() }),
        grant: (outcome != Outcome::Unauthenticated).then(|| GrantNote {
            id: id(30),
            label: "Support bot".to_owned(),
            identity: "support-bot".to_owned(),
        }),
        client: ClientNote { name: Some("claude-code".to_owned()), version: Some("2.1.4".to_owned()) },
        address: (outcome == Outcome::Unauthenticated).then(|| "203.0.113.9".to_owned()),
        protocol_version: Some("2025-11-25".to_owned()),
        method: Some("tools/call".to_owned()),
        tool: (outcome != Outcome::Unauthenticated).then(|| tool.to_owned()),
        rule: rule.map(str::to_owned),
        message: message.map(str::to_owned),
        condition: (outcome == Outcome::Deny).then(|| "args.name regex \"^billing/\"".to_owned()),
        policy: Some(PolicyNote { id: id(20), name: "Support agents".to_owned(), version: 4 }),
        argument_keys: vec!["data".to_owned(), "name".to_owned()],
        argument_digest: Some("9f2c".to_owned()),
        limit: (outcome == Outcome::Limit || n == 0).then(|| LimitLevel {
            rule: "/tools/flowforge_retry_run/rate_limit".to_owned(),
            used: if outcome == Outcome::Limit { 10_000_000 } else { 3_000_000 },
            max: 10_000_000,
            resets_at: now() + Duration::seconds(23),
        }),
        shadow: None,
        trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()),
        judged_micros: Some(214),
        request_bytes: Some(312),
        closed_at: forwarded.then(now),
        failure: (outcome == Outcome::Error).then(|| "upstream answered 502".to_owned()),
        upstream_status: forwarded.then_some(if outcome == Outcome::Error { 502 } else { 200 }),
        gateway_micros: Some(340),
        upstream_micros: forwarded.then_some(18_412),
        response_bytes: forwarded.then_some(1882),
        refunded: outcome == Outcome::Error,
        repeats: if outcome == Outcome::Unauthenticated { 37 } else { 1 },
    }
}

pub fn decisions() -> Vec<Row> {
    let billing = Some("Billing events are sent by people, not agents.");
    let event = "/tools/flowforge_send_event/deny_if/0";
    let limit = "/tools/flowforge_retry_run/rate_limit";
    vec![
        row(0, Outcome::Allow, "flowforge_retry_run", None, None),
        row(1, Outcome::Limit, "flowforge_retry_run", Some(limit), Some("over 10 a minute for this grant")),
        row(2, Outcome::Allow, "flowforge_list_runs", None, None),
        row(3, Outcome::Deny, "flowforge_send_event", Some(event), billing),
        row(4, Outcome::Hidden, "flowforge_delete_function", Some("(hidden)"), None),
        row(5, Outcome::Deny, "flowforge_import_skill", Some("(default deny)"), None),
        row(6, Outcome::Error, "flowforge_get_run", None, None),
        row(7, Outcome::Unauthenticated, "", None, None),
        row(
            8,
            Outcome::Malformed,
            "flowforge_get_run",
            Some("(duplicate key)"),
            Some("the key `run_id` is there twice"),
        ),
        row(
            9,
            Outcome::Pending,
            "flowforge_approve_task",
            Some("/tools/flowforge_approve_task/approve_if/0"),
            None,
        ),
        row(10, Outcome::Allow, "flowforge_get_event", None, None),
    ]
}
