//! Intercept's policies, translated. A pure function of the YAML to a document of ours, and notes.
//!
//! Intercept has one kind of rule: conditions that must all hold, some of them on counters. Conditions on arguments become
//! `require`, those on counters become limits of the calendar, and `*` becomes `all_tools`. A rule that has no equal
//! becomes a denial of its tool: an import never allows what the original refused.

use serde_json::{Map, Value, json};

/// A document of ours, and what its author must know.
#[derive(Default)]
pub struct Translated {
    pub document: Value,
    pub notes: Vec<String>,
}

/// Whether a document is of Intercept's form: tools have rules.
pub fn is_one(document: &Value) -> bool {
    let tools = document["tools"].as_object();
    tools.is_some_and(|tools| tools.values().any(|tool| tool.get("rules").is_some()))
}

/// Translates a document.
pub fn translate(source: &Value) -> Translated {
    let mut notes = Vec::new();
    let mut document = Map::new();
    document.insert("version".to_owned(), source.get("version").cloned().unwrap_or(json!("1")));
    if let Some(description) = source.get("description") {
        document.insert("description".to_owned(), description.clone());
    }
    document.insert("default".to_owned(), source.get("default").cloned().unwrap_or(json!("allow")));
    if let Some(hide) = source.get("hide") {
        document.insert("hide".to_owned(), hide.clone());
    }
    for field in source.as_object().into_iter().flatten().map(|(field, _)| field) {
        if !["version", "description", "default", "hide", "tools"].contains(&field.as_str()) {
            notes.push(format!("`{field}` has no equal and is left out"));
        }
    }
    let mut tools = Map::new();
    for (name, tool) in source["tools"].as_object().into_iter().flatten() {
        let mut entry = Entry { tool: name, notes: &mut notes, lists: Map::new() };
        for (i, rule) in tool["rules"].as_array().into_iter().flatten().enumerate() {
            entry.rule(i, rule);
        }
        let lists = Value::Object(entry.lists);
        if name == "*" {
            document.insert("all_tools".to_owned(), lists);
        } else {
            tools.insert(name.clone(), lists);
        }
    }
    document.insert("tools".to_owned(), Value::Object(tools));
    let document = Value::Object(document);
    if document.to_string().contains("\"limits\"") {
        notes
            .push("limits are counted per grant: give them a `scope` where they are to be shared".to_owned());
    }
    Translated { document, notes }
}

/// The entry of a tool, being written.
struct Entry<'a> {
    tool: &'a str,
    notes: &'a mut Vec<String>,
    lists: Map<String, Value>,
}

impl Entry<'_> {
    fn push(&mut self, list: &str, item: Value) {
        let list = self.lists.entry(list).or_insert_with(|| json!([]));
        if let Some(items) = list.as_array_mut() {
            items.push(item);
        }
    }

    fn rule(&mut self, i: usize, rule: &Value) {
        if let Err(what) = self.translate(rule) {
            let place = format!("tools.{}.rules[{i}]", self.tool);
            self.notes.push(format!(
                "{place}: {what} has no equal, so the tool is denied until you write the rule anew"
            ));
            self.push(
                "deny_if",
                json!({ "conditions": [], "on_deny": "A rule of this tool could not be imported." }),
            );
        }
    }

    /// What of the rule has no equal, if anything; then nothing of it has been written.
    fn translate(&mut self, rule: &Value) -> Result<(), String> {
        let fields = ["name", "action", "rate_limit", "conditions", "on_deny", "state", "approval_timeout"];
        let known = |field: &&String| !fields.contains(&field.as_str());
        if let Some(field) = rule.as_object().ok_or("what is not a rule")?.keys().find(known) {
            return Err(format!("`{field}`"));
        }
        let message = rule.get("on_deny");
        let action = rule.get("action").map_or(Some("evaluate"), Value::as_str);
        if let Some(rate) = rule.get("rate_limit") {
            if action != Some("evaluate") || rule.get("conditions").is_some() || rule.get("state").is_some() {
                return Err("`rate_limit` together with others".to_owned());
            }
            let limit =
                rate.as_str().and_then(|rate| self.rate(rate)).ok_or(format!("`rate_limit: {rate}`"))?;
            self.push("limits", with_message(limit, "on_deny", message));
            return Ok(());
        }
        let conditions = rule["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let on_state =
            |condition: &&Value| condition["path"].as_str().is_some_and(|path| path.starts_with("state."));
        let (counters, arguments): (Vec<&Value>, Vec<&Value>) = conditions.iter().partition(on_state);
        let arguments: Vec<Value> = arguments.into_iter().map(condition).collect::<Result<_, _>>()?;
        match action {
            Some("deny") if conditions.is_empty() => {
                self.push("deny_if", with_message(json!({ "conditions": [] }), "on_deny", message));
            }
            Some("require_approval") if counters.is_empty() => {
                let item =
                    with_message(json!({ "conditions": arguments }), "message", message.or(rule.get("name")));
                self.push("approve_if", with_message(item, "expires_in", rule.get("approval_timeout")));
            }
            Some("evaluate") if !conditions.is_empty() => {
                let limits: Vec<Value> = counters
                    .into_iter()
                    .map(|condition| self.limit(condition, &rule["state"]))
                    .collect::<Result<_, _>>()?;
                if !arguments.is_empty() {
                    self.push(
                        "require",
                        with_message(json!({ "conditions": arguments }), "on_deny", message),
                    );
                }
                for limit in limits {
                    self.push("limits", with_message(limit, "on_deny", message));
                }
            }
            _ => return Err(format!("`action: {}` of this form", action.unwrap_or("?"))),
        }
        Ok(())
    }

    /// `5/hour`, which Intercept counts by the calendar.
    fn rate(&self, rate: &str) -> Option<Value> {
        let (count, window) = rate.split_once('/')?;
        let count: u64 = count.parse().ok().filter(|count| *count > 0)?;
        let known = ["minute", "hour", "day"].contains(&window);
        let counter = self.counter(&format!("rate_{window}"));
        known.then(|| json!({ "counter": counter, "window": window, "max": count, "align": "calendar" }))
    }

    /// A condition on a counter that the same rule counts: at most, or less than, a number.
    fn limit(&self, condition: &Value, state: &Value) -> Result<Value, String> {
        let path = condition["path"].as_str().unwrap_or_default();
        let scope = if self.tool == "*" { "_global" } else { self.tool };
        let counter = state["counter"].as_str().ok_or(format!("`{path}` without a counter of its own"))?;
        if path != format!("state.{scope}.{counter}") {
            return Err(format!("`{path}`, the counter of another rule,"));
        }
        let known = ["counter", "window", "increment", "increment_from"];
        if let Some((field, _)) =
            state.as_object().into_iter().flatten().find(|(field, _)| !known.contains(&field.as_str()))
        {
            return Err(format!("`state.{field}`"));
        }
        let bound = condition["value"].as_f64().ok_or(format!("`{path}` compared with no number"))?;
        let max = match condition["op"].as_str() {
            Some("lte") => condition["value"].clone(),
            // The next smaller amount: one, or a millionth of an argument.
            Some("lt") if state.get("increment_from").is_none() && bound.fract() == 0.0 => json!(bound - 1.0),
            Some("lt") => json!(((bound - 0.000_001) * 1e6).round() / 1e6),
            other => return Err(format!("`{}` on a counter", other.unwrap_or("?"))),
        };
        let mut limit = json!({ "counter": self.counter(counter), "window": state["window"], "max": max, "align": "calendar" });
        for field in ["increment", "increment_from"] {
            // Where both stand, Intercept takes the argument.
            let outdone = field == "increment" && state.get("increment_from").is_some();
            if let Some(value) = state.get(field).filter(|_| !outdone) {
                limit[field] = value.clone();
            }
        }
        Ok(limit)
    }

    /// Intercept counts per tool, and counters of ours are shared by name: so the tool is part of the name.
    fn counter(&self, name: &str) -> String {
        let tool = if self.tool == "*" { "all" } else { self.tool };
        let fits = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') { c } else { '_' };
        format!("{tool}.{name}").chars().map(fits).take(64).collect()
    }
}

/// A condition on arguments. Keys of a path that we would not take bare are put in quotes.
fn condition(condition: &Value) -> Result<Value, String> {
    let path = condition["path"].as_str().unwrap_or_default();
    let keys = path.strip_prefix("args.").ok_or(format!("the path `{path}`"))?;
    let bare = |key: &str| {
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    };
    let step = |key: &str| if bare(key) { format!(".{key}") } else { format!("[{}]", Value::from(key)) };
    let path: String = keys.split('.').map(step).collect();
    let op = condition["op"].as_str().unwrap_or_default();
    let known = ["eq", "neq", "in", "not_in", "lt", "lte", "gt", "gte", "regex", "contains", "exists"];
    if !known.contains(&op) {
        return Err(format!("the operator `{op}`"));
    }
    Ok(json!({ "path": format!("args{path}"), "op": op, "value": condition["value"] }))
}

fn with_message(mut item: Value, field: &str, message: Option<&Value>) -> Value {
    if let Some(message) = message {
        item[field] = message.clone();
    }
    item
}

#[cfg(test)]
mod tests {
    use policy::Policy;

    use super::*;

    fn translated(yaml: &str) -> Translated {
        let translated = translate(&super::super::yaml(yaml.as_bytes()).unwrap());
        if let Err(problems) = Policy::read(translated.document.to_string().as_bytes()) {
            panic!("{}\n{problems:#?}", translated.document);
        }
        translated
    }

    #[test]
    fn rules_become_requirements_denials_approvals_and_limits() {
        let result = translated(
            r#"
version: "1"
description: Payments
hide: [transfer_repository]
tools:
  create_charge:
    rules:
      - name: max single charge
        conditions:
          - { path: args.amount, op: lte, value: 50000 }
          - { path: args.meta data.currency, op: in, value: [usd, eur] }
        on_deny: Too much.
      - name: daily spend cap
        conditions: [{ path: state.create_charge.daily_spend, op: lt, value: 1000000 }]
        on_deny: Spent.
        state: { counter: daily_spend, window: day, increment_from: args.amount }
      - name: large
        action: require_approval
        conditions: [{ path: args.amount, op: gt, value: 1000 }]
        approval_timeout: 30m
  delete_customer:
    rules: [{ name: never, action: deny, on_deny: Never. }]
  list: { rules: [] }
  create_issue:
    rules:
      - { name: hourly, rate_limit: 5/hour }
      - name: few
        conditions: [{ path: state.create_issue.n, op: lt, value: 3 }]
        state: { counter: n, window: minute, increment: 1 }
  "*":
    rules: [{ name: global, rate_limit: 60/minute, on_deny: Slow down. }]
"#,
        );
        assert_eq!(
            result.document,
            json!({
                "version": "1", "description": "Payments", "default": "allow", "hide": ["transfer_repository"],
                "all_tools": {"limits": [{"counter": "all.rate_minute", "window": "minute", "max": 60, "align": "calendar", "on_deny": "Slow down."}]},
                "tools": {
                    "create_charge": {
                        "require": [{"conditions": [
                            {"path": "args.amount", "op": "lte", "value": 50000},
                            {"path": "args[\"meta data\"].currency", "op": "in", "value": ["usd", "eur"]},
                        ], "on_deny": "Too much."}],
                        "limits": [{"counter": "create_charge.daily_spend", "window": "day", "max": 999_999.999_999, "align": "calendar",
                            "increment_from": "args.amount", "on_deny": "Spent."}],
                        "approve_if": [{"conditions": [{"path": "args.amount", "op": "gt", "value": 1000}], "message": "large", "expires_in": "30m"}],
                    },
                    "delete_customer": {"deny_if": [{"conditions": [], "on_deny": "Never."}]},
                    "list": {},
                    "create_issue": {"limits": [
                        {"counter": "create_issue.rate_hour", "window": "hour", "max": 5, "align": "calendar"},
                        {"counter": "create_issue.n", "window": "minute", "max": 2.0, "align": "calendar", "increment": 1},
                    ]},
                },
            })
        );
        assert_eq!(result.notes.len(), 1, "{:?}", result.notes);
        assert!(result.notes[0].contains("per grant"));
    }

    #[test]
    fn what_has_no_equal_denies_its_tool() {
        for (rule, what) in [
            ("{ name: x, spend: { per_call: 0.5 } }", "`spend`"),
            ("{ name: x, action: log }", "`action: log`"),
            ("{ name: x }", "`action: evaluate`"),
            ("{ name: x, action: deny, conditions: [{ path: args.a, op: eq, value: 1 }] }", "`action: deny`"),
            ("{ name: x, rate_limit: 5/week }", "`rate_limit"),
            ("{ name: x, rate_limit: 0/day }", "`rate_limit"),
            ("{ name: x, rate_limit: 5/day, action: deny }", "`rate_limit` together"),
            ("{ name: x, conditions: [{ path: meta.a, op: eq, value: 1 }] }", "the path `meta.a`"),
            ("{ name: x, conditions: [{ path: args.a, op: like, value: 1 }] }", "the operator `like`"),
            (
                "{ name: x, conditions: [{ path: state.other.n, op: lte, value: 1 }], state: { counter: n, window: day } }",
                "`state.other.n`",
            ),
            ("{ name: x, conditions: [{ path: state.a.n, op: lte, value: 1 }] }", "`state.a.n` without"),
            (
                "{ name: x, conditions: [{ path: state.a.n, op: gt, value: 1 }], state: { counter: n, window: day } }",
                "`gt` on a counter",
            ),
            (
                "{ name: x, conditions: [{ path: state.a.n, op: lte, value: many }], state: { counter: n, window: day } }",
                "no number",
            ),
            (
                "{ name: x, conditions: [{ path: state.a.n, op: lte, value: 1 }], state: { counter: n, window: day, reset: 1 } }",
                "`state.reset`",
            ),
            ("nonsense", "what is not a rule"),
        ] {
            let result =
                translated(&format!("version: '1'\ndefault: allow\ntools: {{ a: {{ rules: [{rule}] }} }}\n"));
            assert_eq!(result.document["tools"]["a"]["deny_if"][0]["conditions"], json!([]), "{rule}");
            assert_eq!(result.document["tools"]["a"].as_object().unwrap().len(), 1, "{rule}");
            assert!(
                result.notes[0].starts_with("tools.a.rules[0]: ") && result.notes[0].contains(what),
                "{rule}: {:?}",
                result.notes
            );
        }
    }

    #[test]
    fn other_fields_are_noted() {
        let result = translated("version: '1'\nmode: audit\ntools: { a: { rules: [] } }\n");
        assert_eq!(result.notes, ["`mode` has no equal and is left out"]);
        assert!(
            !is_one(&json!({"version": "1", "tools": {"a": {}}}))
                && is_one(&json!({"tools": {"a": {"rules": []}}}))
        );
    }
}
