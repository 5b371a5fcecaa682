//! A first policy for a server, proposed from what its tools do. Its author reads it before it is saved.

use std::collections::BTreeSet;

use serde_json::Value;

use super::edit::quoted;
use crate::{Category, Tool};

/// What would leave its place when an upstream puts an id into a path as it is: a separator, an escape, a space, or a step
/// upwards.
const NOT_AN_ID: &str = r"[/\\?#%\s]|^\.{1,2}$";
/// Conditions a guard has at most; a document may have 256.
const MOST_GUARDED: usize = 200;
const DESCRIPTION: &str = "Proposed from what the tools do: read it before you save it";
const MISLEADING: &str = "An id must not lead to another place: use it as it was given.";
const APPROVING: &str = "People approve, not agents.";
const MONEY: &str = "Moves money.";

/// The document: destructive tools hidden, the others allowed, limited or asking by what they do, and ids that would lead
/// the upstream elsewhere refused for all.
pub(super) fn of(tools: &[Tool]) -> String {
    let (hidden, shown): (Vec<&Tool>, Vec<&Tool>) =
        tools.iter().partition(|tool| tool.category == Category::Destructive);
    let mut members = vec![
        r#""version": "1""#.to_owned(),
        format!(r#""description": {}"#, quoted(DESCRIPTION)),
        r#""default": "deny""#.to_owned(),
    ];
    if !hidden.is_empty() {
        members.push(block("hide", ['[', ']'], hidden.iter().map(|tool| quoted(&tool.name))));
    }
    if let Some(guard) = guard(&shown) {
        members.push(block("all_tools", ['{', '}'], std::iter::once(guard)));
    }
    let entries = shown.iter().map(|tool| format!("{}: {}", quoted(&tool.name), entry(tool)));
    members.push(block("tools", ['{', '}'], entries));
    format!("{{\n  {}\n}}\n", members.join(",\n  "))
}

/// A member whose parts stand on lines of their own.
fn block(key: &str, [open, close]: [char; 2], parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() {
        return format!(r#""{key}": {open}{close}"#);
    }
    format!("\"{key}\": {open}\n    {}\n  {close}", parts.join(",\n    "))
}

fn entry(tool: &Tool) -> String {
    match tool.category {
        _ if tool.approves() => format!(r#"{{ "action": "deny", "reason": {} }}"#, quoted(APPROVING)),
        Category::Financial => format!(r#"{{ "action": "require_approval", "reason": {} }}"#, quoted(MONEY)),
        Category::Execute => r#"{ "rate_limit": "10/minute" }"#.to_owned(),
        Category::Write => r#"{ "rate_limit": "30/minute" }"#.to_owned(),
        Category::Read | Category::Destructive => "{}".to_owned(),
    }
}

/// Refuses ids that are none, wherever a tool takes one.
fn guard(tools: &[&Tool]) -> Option<String> {
    let paths: BTreeSet<String> = tools.iter().flat_map(|tool| id_paths(&tool.input_schema)).collect();
    if paths.is_empty() {
        return None;
    }
    let tests: Vec<_> = paths
        .iter()
        .take(MOST_GUARDED)
        .map(|path| {
            format!(
                r#"          {{ "path": {}, "op": "regex", "value": {} }}"#,
                quoted(path),
                quoted(NOT_AN_ID)
            )
        })
        .collect();
    Some(format!(
        "\"deny_if\": [\n      {{\n        \"conditions\": [{{ \"any\": [\n{}\n        ] }}],\n        \
         \"on_deny\": {}\n      }}\n    ]",
        tests.join(",\n"),
        quoted(MISLEADING)
    ))
}

/// The arguments of a schema that are ids, or lists of ids, as paths.
fn id_paths(schema: &Value) -> Vec<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let path = |(name, schema): (&String, &Value)| {
        let kind = schema.get("type").and_then(Value::as_str);
        let word = name.as_str();
        let is_id = word == "id" || word.ends_with("_id") || word.ends_with("Id");
        let are_ids = word == "ids" || word.ends_with("_ids") || word.ends_with("Ids");
        match kind {
            Some("string") if is_id => Some(step(name)),
            Some("array") if are_ids => Some(format!("{}[*]", step(name))),
            _ => None,
        }
    };
    properties.into_iter().flatten().filter_map(path).collect()
}

fn step(name: &str) -> String {
    let plain = !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain { format!("args.{name}") } else { format!("args[{}]", quoted(name)) }
}

#[cfg(test)]
pub(super) mod tests {
    use domain::Outcome;
    use policy::{Call, Context, Policy, ToolState, Verdict};
    use serde_json::json;
    use storage::ToolDefinition;

    use super::*;

    pub fn tool(name: &str, schema: Value) -> Tool {
        Tool::of(ToolDefinition {
            name: name.to_owned(),
            title: None,
            description: None,
            input_schema: schema,
            annotations: None,
            more: None,
            digest: [0; 32],
        })
    }

    /// Flowforge's tools, with the schemas that it lists.
    pub fn flowforge() -> Vec<Tool> {
        let known: Vec<Value> =
            serde_json::from_str(include_str!("../../../../catalogue/flowforge/tools.json")).unwrap();
        let of = |known: Value| {
            let parameters = known["params"].as_array().unwrap().iter();
            let properties: serde_json::Map<_, _> = parameters
                .map(|parameter| {
                    let kind = parameter["type"].as_str().unwrap().split('<').next().unwrap();
                    (parameter["name"].as_str().unwrap().to_owned(), json!({ "type": kind }))
                })
                .collect();
            tool(known["name"].as_str().unwrap(), json!({ "type": "object", "properties": properties }))
        };
        known.into_iter().map(of).collect()
    }

    fn judge(policy: &Policy, tool: &str, arguments: &Value) -> Outcome {
        let text = arguments.to_string();
        let arguments = json::parse(text.as_bytes(), 64).unwrap();
        let verdict = policy.judge(&Call {
            tool,
            arguments: Some(&arguments),
            context: Context::default(),
            state: ToolState::default(),
        });
        match verdict {
            Verdict::Allow { .. } => Outcome::Allow,
            Verdict::Deny(_) => Outcome::Deny,
            Verdict::Hide(_) => Outcome::Hidden,
            Verdict::Pending { .. } => Outcome::Pending,
        }
    }

    #[test]
    fn the_proposal_for_flowforge_follows_its_categories() {
        let tools = flowforge();
        let policy = Policy::read(of(&tools).as_bytes()).unwrap();
        for tool in &tools {
            let outline = policy.outline(&tool.name);
            let limits: Vec<_> = outline.limits.iter().map(|limit| limit.words()).collect();
            let effect = outline.effect;
            match (tool.name.as_str(), tool.category) {
                ("flowforge_approve_tool_call", _) => assert_eq!(effect, policy::Effect::Deny),
                (_, Category::Read) => assert_eq!(effect, policy::Effect::Allow, "{}", tool.name),
                (_, Category::Destructive) => assert_eq!(effect, policy::Effect::Hide, "{}", tool.name),
                (_, Category::Execute) => assert_eq!(limits, ["10 a minute for each grant"]),
                (_, Category::Write) => assert_eq!(limits, ["30 a minute for each grant"], "{}", tool.name),
                (_, Category::Financial) => assert_eq!(effect, policy::Effect::Approve, "{}", tool.name),
            }
        }
        let facts: Vec<_> = tools.iter().map(Tool::facts).collect();
        assert_eq!(policy.warnings(&facts), []);
    }

    #[test]
    fn the_proposal_refuses_every_way_around_it() {
        let policy = Policy::read(of(&flowforge()).as_bytes()).unwrap();
        let pivots: Vec<Value> =
            serde_json::from_str(include_str!("../../../../catalogue/flowforge/pivots.json")).unwrap();
        assert!(pivots.len() >= 6);
        for pivot in &pivots {
            let outcome = judge(&policy, pivot["tool"].as_str().unwrap(), &pivot["arguments"]);
            assert!(matches!(outcome, Outcome::Deny | Outcome::Hidden), "{pivot}");
        }
        for id in ["run-0001", "01890a5d-ac96-774b-bcce-b302099a8057", "a.b", "x:y"] {
            assert_eq!(judge(&policy, "flowforge_get_run", &json!({ "run_id": id })), Outcome::Allow, "{id}");
        }
        for id in [".", "..", "a/b", "a\\b", "a%2fb", "a?b", "a#b", "a b", "a\n"] {
            assert_eq!(
                judge(&policy, "flowforge_get_run", &json!({ "run_id": id })),
                Outcome::Deny,
                "{id:?}"
            );
        }
        let many = json!({ "agent_id": "a", "skill_ids": ["s-1", "../x"] });
        assert_eq!(judge(&policy, "flowforge_set_agent_skills", &many), Outcome::Deny);
    }

    #[test]
    fn a_proposal_can_be_read_for_any_tools() {
        for tools in [
            Vec::new(),
            vec![tool("delete_x", json!({}))],
            vec![tool("create_refund", json!(true)), tool("odd \"name\"\\ 日本", json!({}))],
            vec![tool("get", json!({ "properties": { "x-1_id": { "type": "string" }, "9id": 1 } }))],
            (0..300)
                .map(|n| {
                    tool(
                        &format!("get_{n}"),
                        json!({ "properties": { format!("a{n}_id"): { "type": "string" } } }),
                    )
                })
                .collect(),
        ] {
            Policy::read(of(&tools).as_bytes()).unwrap();
        }
        let policy = Policy::read(of(&[tool("create_refund", json!({}))]).as_bytes()).unwrap();
        assert_eq!(policy.outline("create_refund").effect, policy::Effect::Approve);
    }
}
