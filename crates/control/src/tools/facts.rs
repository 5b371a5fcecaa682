//! What a tool that no catalogue knows seems to do, read off its name, its arguments and its annotations.
//!
//! All of these are the upstream's own words. They serve to sort tools and to propose a policy; nothing is allowed
//! because of them.

use serde_json::Value;
use storage::ToolDefinition;

use crate::{Category, Risk};

const DESTROYS: &[&str] = &[
    "abort",
    "cancel",
    "clear",
    "delete",
    "destroy",
    "disable",
    "drop",
    "erase",
    "kill",
    "prune",
    "purge",
    "reject",
    "remove",
    "reset",
    "revoke",
    "stop",
    "terminate",
    "truncate",
    "uninstall",
    "wipe",
];
const EXECUTES: &[&str] = &[
    "build", "call", "deploy", "dispatch", "eval", "exec", "execute", "invoke", "launch", "publish",
    "replay", "restart", "retry", "run", "send", "start", "trigger",
];
const WRITES: &[&str] = &[
    "add", "append", "apply", "approve", "archive", "assign", "attach", "complete", "copy", "create", "edit",
    "enable", "import", "insert", "link", "mark", "merge", "move", "patch", "post", "put", "register",
    "rename", "save", "set", "store", "submit", "update", "upload", "upsert", "write",
];
const READS: &[&str] = &[
    "browse",
    "check",
    "compare",
    "count",
    "describe",
    "diff",
    "download",
    "explain",
    "export",
    "fetch",
    "find",
    "get",
    "health",
    "inspect",
    "list",
    "lookup",
    "preview",
    "query",
    "read",
    "resolve",
    "search",
    "show",
    "status",
    "summarize",
    "validate",
    "view",
    "whoami",
];
const PAYS: &[&str] =
    &["buy", "charge", "checkout", "pay", "payout", "purchase", "refund", "transfer", "withdraw"];
const MONEY: &[&str] = &["charge", "invoice", "payment", "payout", "refund", "subscription", "transfer"];

/// What a name or argument that holds one of these words tells.
const SIGNALS: &[(&[&str], &str)] = &[
    (&["url", "uri", "endpoint", "webhook", "callback"], "accepts URL"),
    (&["code", "script", "command", "sql", "expression"], "runs code"),
    (&["path", "file", "filename", "directory"], "accepts path"),
    (&["prompt", "instructions"], "accepts prompt"),
    (&["password", "secret", "token", "credential", "credentials", "key"], "secret"),
];
/// Arguments from which on a tool is hard to judge.
const MANY: usize = 10;

/// Category, risk and signals of a tool.
pub(crate) fn read_off(tool: &ToolDefinition) -> (Category, Risk, Vec<String>) {
    let category = category(tool);
    let risk = match category {
        Category::Read => Risk::Low,
        Category::Write => Risk::Medium,
        Category::Execute => Risk::High,
        Category::Destructive | Category::Financial => Risk::Critical,
    };
    (category, risk, signals(tool))
}

/// Whether a tool of this name approves what waits for a person.
pub(crate) fn approves(name: &str) -> bool {
    words(name).any(|word| matches!(word.as_str(), "approve" | "authorize" | "confirm"))
}

fn category(tool: &ToolDefinition) -> Category {
    let words: Vec<String> = words(&tool.name).collect();
    let named = words
        .iter()
        .find_map(|word| of_verb(word))
        .unwrap_or_else(|| if hint(tool, "readOnlyHint") { Category::Read } else { Category::Write });
    let moves_money = words.iter().any(|word| MONEY.contains(&word.as_str()));
    // A hint may make a tool look more dangerous than its name, never less.
    if named != Category::Read && moves_money {
        Category::Financial
    } else if hint(tool, "destructiveHint") {
        named.max(Category::Destructive)
    } else {
        named
    }
}

fn of_verb(word: &str) -> Option<Category> {
    [
        (PAYS, Category::Financial),
        (DESTROYS, Category::Destructive),
        (EXECUTES, Category::Execute),
        (WRITES, Category::Write),
        (READS, Category::Read),
    ]
    .into_iter()
    .find_map(|(verbs, category)| verbs.contains(&word).then_some(category))
}

fn hint(tool: &ToolDefinition, name: &str) -> bool {
    tool.annotations.as_ref().and_then(|hints| hints.get(name)).and_then(Value::as_bool) == Some(true)
}

fn signals(tool: &ToolDefinition) -> Vec<String> {
    let arguments = tool.input_schema.get("properties").and_then(Value::as_object);
    let names = || arguments.into_iter().flat_map(|arguments| arguments.keys());
    let found: Vec<String> = names().flat_map(|name| words(name)).collect();
    let mut signals: Vec<String> = SIGNALS
        .iter()
        .filter(|(marks, _)| marks.iter().any(|mark| found.iter().any(|word| word == mark)))
        .map(|(_, signal)| (*signal).to_owned())
        .collect();
    if names().count() >= MANY {
        signals.push("many parameters".to_owned());
    }
    signals
}

/// The words of `get_run`, `getRun` or `get-run`, in lower case.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut after_lower = false;
    for c in name.chars() {
        if after_lower && c.is_uppercase() {
            spaced.push(' ');
        }
        after_lower = c.is_lowercase() || c.is_ascii_digit();
        spaced.push(if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' });
    }
    spaced.split_whitespace().map(str::to_owned).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tool(name: &str, annotations: Option<Value>, schema: Value) -> ToolDefinition {
        ToolDefinition {
            name: name.to_owned(),
            title: None,
            description: None,
            input_schema: schema,
            annotations,
            more: None,
            digest: [0; 32],
        }
    }

    fn category_of(name: &str, annotations: Option<Value>) -> Category {
        category(&tool(name, annotations, json!({})))
    }

    #[test]
    fn the_first_verb_of_a_name_decides() {
        for (name, expected) in [
            ("get_run", Category::Read),
            ("list-runs", Category::Read),
            ("getRunSteps", Category::Read),
            ("github_create_issue", Category::Write),
            ("retry_run", Category::Execute),
            ("deleteTask", Category::Destructive),
            ("remove_member", Category::Destructive),
            ("stripe_create_refund", Category::Financial),
            ("list_payments", Category::Read),
            ("pay", Category::Financial),
            ("frobnicate", Category::Write),
        ] {
            assert_eq!(category_of(name, None), expected, "{name}");
        }
    }

    #[test]
    fn a_hint_makes_a_tool_no_safer_than_its_name() {
        let read_only = Some(json!({ "readOnlyHint": true }));
        assert_eq!(category_of("delete_everything", read_only.clone()), Category::Destructive);
        assert_eq!(category_of("frobnicate", read_only), Category::Read);
        let destructive = Some(json!({ "destructiveHint": true }));
        assert_eq!(category_of("get_and_forget", destructive.clone()), Category::Destructive);
        assert_eq!(category_of("create_refund", destructive), Category::Financial);
    }

    #[test]
    fn arguments_give_signals() {
        let properties = json!({ "webhook_url": {}, "sourceCode": {}, "name": {} });
        let found = signals(&tool("x", None, json!({ "properties": properties })));
        assert_eq!(found, ["accepts URL", "runs code"]);
        let many: serde_json::Map<_, _> = (0..10).map(|n| (format!("a{n}"), json!({}))).collect();
        assert_eq!(signals(&tool("x", None, json!({ "properties": many }))), ["many parameters"]);
        assert_eq!(signals(&tool("x", None, json!(true))), Vec::<String>::new());
    }

    #[test]
    fn approving_tools_are_found_by_name() {
        assert!(approves("flowforge_approve_tool_call") && approves("confirmOrder"));
        assert!(!approves("list_approvals"));
    }
}
