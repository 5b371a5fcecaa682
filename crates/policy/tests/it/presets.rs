//! The presets for Flowforge: what they let through, and that no id leads anywhere else.

use policy::{Policy, ToolFacts, Verdict};
use serde_json::{Map, Value, json};

use super::case::{line, verdict};

const PRESETS: [(&str, &str); 4] = [
    ("read-only", include_str!("../../../../catalogue/flowforge/read-only.json")),
    ("operator", include_str!("../../../../catalogue/flowforge/operator.json")),
    ("builder", include_str!("../../../../catalogue/flowforge/builder.json")),
    ("locked-down", include_str!("../../../../catalogue/flowforge/locked-down.json")),
];
const ID: &str = "^[A-Za-z0-9_-]{1,64}$";

fn tools() -> Vec<Value> {
    serde_json::from_str(include_str!("../../../../catalogue/flowforge/tools.json")).expect("JSON")
}

fn preset(name: &str) -> Value {
    let text = PRESETS.iter().find(|(known, _)| *known == name).expect("a preset").1;
    serde_json::from_str(text).expect("JSON")
}

fn read(document: &Value) -> Policy {
    Policy::read(document.to_string().as_bytes()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// The outcome of a call; a schema that takes anything is known of every tool.
fn judge(policy: &Policy, tool: &str, arguments: &Value) -> String {
    let schema = policy::ArgumentSchema::compile(&json!({"type": "object"})).expect("compiles");
    line(&verdict(policy, tool, &arguments.to_string(), Some(&schema)))
}

fn params(tool: &Value) -> &[Value] {
    tool["params"].as_array().expect("params")
}

fn is_id(name: &str) -> bool {
    name == "id" || name == "tool_name" || name.ends_with("_id") || name.ends_with("_ids")
}

/// Arguments that any policy which allows the tool at all should let through.
fn plain_arguments(tool: &Value) -> Value {
    let mut arguments = Map::new();
    for param in params(tool) {
        let name = param["name"].as_str().expect("a name");
        let wanted = param["required"] == true || name == "notification_id";
        let value = match param["type"].as_str().expect("a type") {
            "string" if name.ends_with("_url") => json!("https://hooks.example.com/x"),
            "string" if is_id(name) => json!("run-0001"),
            "string" => json!("text"),
            "number" => json!(20),
            "boolean" => json!(true),
            "object" => json!({}),
            _ => json!(["skill-0001"]),
        };
        if wanted {
            arguments.insert(name.to_owned(), value);
        }
    }
    Value::Object(arguments)
}

#[test]
fn they_read_without_a_warning() {
    let tools = tools();
    let facts: Vec<ToolFacts<'_>> = tools
        .iter()
        .map(|tool| ToolFacts {
            name: tool["name"].as_str().expect("a name"),
            destructive: tool["category"] == "Destructive",
            approval: tool["signals"]
                .as_array()
                .is_some_and(|all| all.contains(&json!("bypasses human review"))),
        })
        .collect();
    assert_eq!((tools.len(), facts.iter().filter(|facts| facts.approval).count()), (49, 1));
    for (name, text) in PRESETS {
        let policy = Policy::read(text.as_bytes()).expect("reads");
        assert_eq!(policy.warnings(&facts), [], "{name}");
    }
}

#[test]
fn every_tool_is_named_or_hidden() {
    for (name, _) in PRESETS {
        let document = preset(name);
        let policy = read(&document);
        for tool in tools() {
            let tool = tool["name"].as_str().expect("a name");
            let named = document["tools"].get(tool).is_some();
            assert!(named != policy.hiding(tool).next().is_some(), "{name} {tool}: either, not both");
        }
    }
}

#[test]
fn what_each_lets_through() {
    let allowed = |name: &str| -> Vec<(String, String)> {
        let policy = read(&preset(name));
        let outcomes = tools().into_iter().map(|tool| {
            let outcome = judge(&policy, tool["name"].as_str().expect("a name"), &plain_arguments(&tool));
            (
                tool["category"].as_str().expect("a category").to_owned(),
                outcome.split(' ').next().expect("a word").to_owned(),
            )
        });
        outcomes.collect()
    };
    let count = |name: &str, category: &str, outcome: &str| {
        allowed(name).iter().filter(|(c, o)| c == category && o == outcome).count()
    };
    for (name, read, write, execute, destructive, pending) in [
        ("read-only", 22, 0, 0, 0, 0),
        ("operator", 22, 5, 2, 2, 0),
        ("builder", 23, 15, 2, 2, 4),
        ("locked-down", 4, 0, 0, 0, 0),
    ] {
        let found =
            ["Read", "Write", "Execute", "Destructive"].map(|category| count(name, category, "allow"));
        assert_eq!(found, [read, write, execute, destructive], "{name}");
        assert_eq!(
            allowed(name).iter().filter(|(_, outcome)| outcome == "pending").count(),
            pending,
            "{name}"
        );
    }
}

#[test]
fn approvals_and_imports_are_for_people() {
    for (name, _) in PRESETS {
        let policy = read(&preset(name));
        for arguments in [
            json!({}),
            json!({"approval_id": "apr-0001", "repo": "acme/skills", "path": "a", "agent_id": "agent-0001"}),
            json!({"approval_id": 7, "repo": ["acme/skills"], "reason": "go on"}),
        ] {
            for deciding in ["flowforge_approve_tool_call", "flowforge_reject_tool_call"] {
                assert_eq!(judge(&policy, deciding, &arguments), "hide (hidden)", "{name}");
                assert!(!policy.shows(deciding), "{name}");
            }
            let import = judge(&policy, "flowforge_import_skill", &arguments);
            assert!(import.starts_with("hide") || import.starts_with("pending"), "{name}: {import}");
        }
    }
}

/// Whatever id argument a tool has, and however a call can be bent by it, the call is refused.
#[test]
fn every_id_is_held_to_the_pattern() {
    let bent = [
        json!("../credentials"),
        json!("run-1/cancel#"),
        json!("run-1?x=1"),
        json!(".."),
        json!("."),
        json!(""),
        json!("a b"),
        json!("a%2fb"),
        json!("é"),
        json!("a\n"),
        json!("x".repeat(65)),
        json!(7),
        json!(true),
        json!(["run-1"]),
        json!({"a": "b"}),
    ];
    let mut held = 0;
    for (name, _) in PRESETS {
        let policy = read(&preset(name));
        for tool in tools() {
            let tool_name = tool["name"].as_str().expect("a name");
            let plain = plain_arguments(&tool);
            if policy.hiding(tool_name).next().is_some() {
                continue;
            }
            for id in
                params(&tool).iter().filter_map(|param| param["name"].as_str()).filter(|name| is_id(name))
            {
                for value in &bent {
                    let list = id.ends_with("_ids");
                    if list && (value.is_array() || *value == json!("")) {
                        continue;
                    }
                    let mut arguments = plain.clone();
                    arguments[id] =
                        if list && value.is_string() { json!(["skill-1", value]) } else { value.clone() };
                    let outcome = judge(&policy, tool_name, &arguments);
                    assert!(outcome.starts_with("deny"), "{name} {tool_name} {arguments}: {outcome}");
                    held += 1;
                }
            }
        }
    }
    assert!(held > 1000, "{held}");
}

/// One character or sixty-four: letters of ASCII, digits, `_` and `-`, and no other.
#[test]
fn an_id_has_these_characters_alone() {
    let fits = |text: &str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    let mut texts: Vec<String> = (0_u8..=127).map(|byte| char::from(byte).to_string()).collect();
    texts.extend([
        "x".repeat(64),
        "x".repeat(65),
        "a\u{17f}".to_owned(),
        "\u{ff41}".to_owned(),
        "1\u{661}".to_owned(),
    ]);
    let (mut let_through, mut refused) = (0, 0);
    for (name, _) in PRESETS {
        let policy = read(&preset(name));
        for tool in tools() {
            let tool_name = tool["name"].as_str().expect("a name");
            let plain = plain_arguments(&tool);
            // What waits for a person is held to the pattern before it is asked for.
            let before = judge(&policy, tool_name, &plain);
            if !(before.starts_with("allow") || before.starts_with("pending")) {
                continue;
            }
            for id in params(&tool).iter().filter_map(|param| param["name"].as_str()).filter(|id| is_id(id)) {
                let with = |text: &str| {
                    let mut arguments = plain.clone();
                    arguments[id] = if id.ends_with("_ids") { json!([text]) } else { json!(text) };
                    judge(&policy, tool_name, &arguments)
                };
                // Some ids are not for agents to give at all.
                let taken = !with("x").contains("deny_if");
                for text in &texts {
                    let (outcome, wanted) = (with(text), taken && fits(text));
                    assert_eq!(
                        !outcome.starts_with("deny"),
                        wanted,
                        "{name} {tool_name} {id} {text:?}: {outcome}"
                    );
                    *(if wanted { &mut let_through } else { &mut refused }) += 1;
                }
            }
        }
    }
    assert!(let_through > 1000 && refused > 1000, "{let_through} {refused}");
}

/// What the operator is there for, and no more often than the preset says.
#[test]
fn an_operator_works_on_runs_and_events_within_limits() {
    let policy = read(&preset("operator"));
    for tool in tools() {
        let name = tool["name"].as_str().expect("a name");
        let about = name.contains("_run") || name.contains("_event");
        let (category, arguments) = (&tool["category"], plain_arguments(&tool).to_string());
        match verdict(&policy, name, &arguments, None) {
            Verdict::Allow { charges, .. } if about && *category != "Read" => {
                let own = format!("/tools/{name}/");
                assert!(charges.iter().any(|charge| charge.limit.rule.starts_with(&own)), "{name}");
            }
            Verdict::Allow { .. } => assert!(!about || *category == "Read", "{name}"),
            other => assert!(!about, "{name}: {other:?}"),
        }
    }
}

/// The document without the conditions that hold ids to the pattern.
fn without_patterns(value: &Value) -> Value {
    let is_pattern = |item: &Value| {
        item["value"] == ID
            || item["any"].as_array().is_some_and(|any| any.iter().any(|one| one["value"] == ID))
    };
    match value {
        Value::Array(items) => items.iter().filter(|item| !is_pattern(item)).map(without_patterns).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), without_patterns(value))).collect()
        }
        other => other.clone(),
    }
}

#[test]
fn calls_that_would_reach_another_action_are_refused_by_their_ids_alone() {
    let pivots: Vec<Value> =
        serde_json::from_str(include_str!("../../../../catalogue/flowforge/pivots.json")).expect("JSON");
    let operator = preset("operator");
    let (held, bare) = (read(&operator), read(&without_patterns(&operator)));
    assert_eq!(pivots.len(), 6);
    for (i, pivot) in pivots.iter().enumerate() {
        let tool = pivot["tool"].as_str().expect("a tool");
        let outcome = |policy: &Policy| judge(policy, tool, &pivot["arguments"]);
        if i < 5 {
            assert_eq!(outcome(&held), format!("deny /tools/{tool}/require/0"));
            assert!(outcome(&bare).starts_with("allow"), "{tool} would get through: {}", outcome(&bare));
        } else {
            assert_eq!(outcome(&held), "hide (hidden)");
        }
    }
}

#[test]
fn builders_ask_before_code_runs() {
    let policy = read(&preset("builder"));
    let tool = json!({"name": "t", "description": "d", "parameters": {}});
    assert!(judge(&policy, "flowforge_create_tool", &tool).starts_with("allow"));
    for (field, value, expected) in [
        ("code", json!("import os"), "pending /tools/flowforge_create_tool/approve_if/0"),
        ("webhook_url", json!("http://hooks.example.com"), "deny /tools/flowforge_create_tool/require/0"),
        (
            "webhook_url",
            json!("https://u:p@hooks.example.com"),
            "deny /tools/flowforge_create_tool/require/0",
        ),
    ] {
        let mut arguments = tool.clone();
        arguments[field] = value;
        assert_eq!(judge(&policy, "flowforge_create_tool", &arguments), expected);
    }
    let off = json!({"tool_name": "t", "requires_approval": false});
    assert_eq!(judge(&policy, "flowforge_update_tool", &off), "deny /tools/flowforge_update_tool/deny_if/0");
    let leaves = json!({"repo": "acme/skills", "path": "a/../../etc"});
    assert_eq!(
        judge(&policy, "flowforge_preview_skill", &leaves),
        "deny /tools/flowforge_preview_skill/require/0"
    );
}

#[test]
fn agents_do_not_sign_for_others() {
    let policy = read(&preset("operator"));
    let comment =
        |field: &str| judge(&policy, "flowforge_add_comment", &json!({"content": "x", field: "agent-1"}));
    assert!(comment("task_id").starts_with("allow"));
    assert_eq!(comment("author_agent_id"), "deny /tools/flowforge_add_comment/deny_if/0");
    assert_eq!(comment("author_user_id"), "deny /tools/flowforge_add_comment/deny_if/0");
    let all = judge(&policy, "flowforge_mark_notifications_read", &json!({}));
    assert_eq!(all, "deny /tools/flowforge_mark_notifications_read/require/0", "never all at once");
}

#[test]
fn what_changes_anything_is_limited() {
    for (name, _) in PRESETS {
        let policy = read(&preset(name));
        for tool in tools().iter().filter(|tool| tool["category"] != "Read") {
            let tool_name = tool["name"].as_str().expect("a name");
            let arguments = plain_arguments(tool).to_string();
            if let Verdict::Allow { charges, .. } = verdict(&policy, tool_name, &arguments, None) {
                assert!(charges.len() >= 2, "{name} {tool_name}: its own and the one of all tools");
            }
        }
    }
}
