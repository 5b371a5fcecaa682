//! The form for conditions and limits of one tool, in the place of the table: its fields are those of [`control::Custom`],
//! named by their places (`require.0.conditions.1.value`), so that every press of a button brings the whole of it along.

use control::{ConditionFields, Custom, LIMIT_FIELDS, LimitFields, RULES, RuleFields, Tool};

use crate::form::Form;

/// Rules or limits that a form holds; the language allows 256 conditions.
const MOST: usize = 256;

/// The form, open for one tool.
#[derive(Clone, Debug)]
pub struct CustomForm {
    pub fields: Custom,
    /// What conditions can look at.
    pub paths: Vec<String>,
    /// The field that was added just now.
    pub fresh: String,
}

/// Operators and what they ask.
pub const OPERATORS: [(&str, &str); 18] = [
    ("eq", "is"),
    ("neq", "is not"),
    ("in", "is one of"),
    ("not_in", "is none of"),
    ("lt", "is less than"),
    ("lte", "is at most"),
    ("gt", "is more than"),
    ("gte", "is at least"),
    ("regex", "matches"),
    ("not_regex", "does not match"),
    ("contains", "contains"),
    ("not_contains", "does not contain"),
    ("starts_with", "starts with"),
    ("ends_with", "ends with"),
    ("length_lte", "has at most (length)"),
    ("length_gte", "has at least (length)"),
    ("url_host_in", "is a URL of host"),
    ("exists", "exists (true or false)"),
];

/// Who shares the count of a limit.
pub const SCOPES: [(&str, &str); 5] = [
    ("grant", "each grant"),
    ("identity", "each identity"),
    ("session", "each session"),
    ("server", "the whole server"),
    ("organisation", "the organisation"),
];

/// How the windows of a limit begin.
pub const ALIGNS: [(&str, &str); 2] =
    [("sliding", "In any span of the window"), ("calendar", "Reset at the UTC boundary")];

/// What is said of a list of rules.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The key in the JSON.
    pub key: &'static str,
    pub title: &'static str,
    pub hint: &'static str,
    pub add: &'static str,
    pub message: &'static str,
}

/// In the order of [`RULES`].
pub const KINDS: [Kind; 3] = [
    Kind {
        key: RULES[0],
        title: "Require",
        hint: "A call is denied unless every one of these holds.",
        add: "Add requirement",
        message: "What the caller is told",
    },
    Kind {
        key: RULES[1],
        title: "Deny if",
        hint: "A call is denied when all conditions of one of these hold.",
        add: "Add denial",
        message: "What the caller is told",
    },
    Kind {
        key: RULES[2],
        title: "Ask if",
        hint: "A person must approve the call when all conditions of one of these hold.",
        add: "Add question",
        message: "What the person is told",
    },
];

impl CustomForm {
    /// The form of these fields; `tools` are those of the server.
    pub fn of(fields: Custom, tools: &[Tool]) -> Self {
        let known = tools.iter().find(|tool| tool.name == fields.tool);
        let arguments = known.map(arguments).unwrap_or_default();
        let context =
            ["grant.label", "grant.identity", "client.name", "client.version", "server.name", "tool.name"];
        let paths = arguments.iter().map(|name| path(name)).chain(context.map(str::to_owned));
        Self { paths: paths.collect(), fields, fresh: String::new() }
    }

    /// The lists of rules with what is said of them.
    pub fn kinds(&self) -> impl Iterator<Item = (Kind, &Vec<RuleFields>)> {
        KINDS.into_iter().zip(&self.fields.rules)
    }
}

/// The names of a tool's arguments.
pub fn arguments(tool: &Tool) -> Vec<&str> {
    let properties = tool.input_schema.get("properties").and_then(serde_json::Value::as_object);
    properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

fn path(argument: &str) -> String {
    let plain = !argument.starts_with(|c: char| c.is_ascii_digit())
        && argument.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { format!("args.{argument}") } else { format!("args[{}]", serde_json::Value::from(argument)) }
}

/// The fields as they were typed; nothing where no form is open.
pub fn typed(form: &Form) -> Option<Custom> {
    let value = |name: &str| form.value(name).to_owned();
    let tool = form.given("custom")?;
    let rule = |name: String| RuleFields {
        conditions: counted(form, &format!("{name}.conditions"))
            .map(|at| ConditionFields {
                path: value(&format!("{at}.path")),
                op: value(&format!("{at}.op")),
                value: value(&format!("{at}.value")),
                json: form.has(&format!("{at}.json")).then(|| value(&format!("{at}.json"))),
            })
            .collect(),
        message: value(&format!("{name}.message")),
        expires_in: value(&format!("{name}.expires_in")),
    };
    let limit = |name: String| {
        let mut limit = LimitFields::default();
        for (field, _) in LIMIT_FIELDS {
            limit.put(field, value(&format!("{name}.{field}")));
        }
        limit.tidy()
    };
    Some(Custom {
        tool,
        base: value("base"),
        ask: form.value("then") == "ask",
        reason: value("reason"),
        rate_max: value("rate_max"),
        rate_window: value("rate_window"),
        rules: RULES.map(|kind| counted(form, kind).map(rule).collect()),
        limits: counted(form, "limits").map(limit).collect(),
    })
}

/// `list.0`, `list.1` and so on, as far as the form has them.
fn counted<'a>(form: &'a Form, list: &'a str) -> impl Iterator<Item = String> + use<'a> {
    (0..MOST).map(move |at| format!("{list}.{at}")).take_while(|name| form.has(name))
}

/// Fills in the form.
pub fn put(form: &mut Form, custom: &Custom) {
    let lists = [RULES.as_slice(), &["limits"]].concat();
    form.forget(|name| name.split_once('.').is_some_and(|(list, _)| lists.contains(&list)));
    form.put("then", if custom.ask { "ask" } else { "allow" }.to_owned());
    form.put("reason", custom.reason.clone());
    form.put("rate_max", custom.rate_max.clone());
    form.put("rate_window", custom.rate_window.clone());
    for (kind, rules) in RULES.into_iter().zip(&custom.rules) {
        for (at, rule) in rules.iter().enumerate() {
            let name = format!("{kind}.{at}");
            for (n, ConditionFields { path, op, value, json }) in rule.conditions.iter().enumerate() {
                let at = format!("{name}.conditions.{n}");
                if let Some(json) = json {
                    form.put(&format!("{at}.json"), json.clone());
                } else {
                    form.put(&format!("{at}.path"), path.clone());
                    form.put(&format!("{at}.op"), op.clone());
                    form.put(&format!("{at}.value"), value.clone());
                }
            }
            form.put(&format!("{name}.message"), rule.message.clone());
            form.put(&format!("{name}.expires_in"), rule.expires_in.clone());
        }
    }
    for (at, limit) in custom.limits.iter().enumerate() {
        for (field, _) in LIMIT_FIELDS {
            form.put(&format!("limits.{at}.{field}"), limit.get(field).to_owned());
        }
    }
}

/// Adds what a button names: `deny_if`, `deny_if.0.conditions` or `limits`. The field to go on in.
pub fn add(custom: &mut Custom, what: &str) -> Option<String> {
    if what == "limits" && custom.limits.len() < MOST {
        custom.limits.push(custom.new_limit());
        return Some(format!("limits.{}.max", custom.limits.len() - 1));
    }
    let (kind, rest) = what.split_once('.').unwrap_or((what, ""));
    let rules = &mut custom.rules[RULES.iter().position(|known| *known == kind)?];
    if rest.is_empty() {
        rules.push(RuleFields::blank());
        return Some(format!("{kind}.{}.conditions.0.path", rules.len() - 1));
    }
    let at: usize = rest.strip_suffix(".conditions")?.parse().ok()?;
    let rule = rules.get_mut(at)?;
    rule.conditions.push(ConditionFields::blank());
    Some(format!("{kind}.{at}.conditions.{}.path", rule.conditions.len() - 1))
}

/// Takes out what a button names: `deny_if.0`, `deny_if.0.conditions.1` or `limits.0`.
pub fn remove(custom: &mut Custom, what: &str) {
    let tokens: Vec<&str> = what.split('.').collect();
    let number = |at: usize| tokens.get(at).and_then(|token| token.parse::<usize>().ok());
    let Some(at) = number(1) else { return };
    if tokens[0] == "limits" {
        if at < custom.limits.len() {
            custom.limits.remove(at);
        }
        return;
    }
    let Some(kind) = RULES.iter().position(|known| *known == tokens[0]) else { return };
    let rules = &mut custom.rules[kind];
    match (rules.get_mut(at), number(3)) {
        (Some(rule), Some(n)) if n < rule.conditions.len() => {
            rule.conditions.remove(n);
        }
        (Some(_), None) => {
            rules.remove(at);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_are_those_of_the_language() {
        let schema = policy::schema();
        let known = schema["$defs"]["test"]["properties"]["op"]["enum"].as_array().expect("operators");
        let known: Vec<_> = known.iter().filter_map(serde_json::Value::as_str).collect();
        assert_eq!(OPERATORS.map(|(name, _)| name).as_slice(), known);
    }

    #[test]
    fn what_is_filled_in_is_what_is_typed() {
        let document = r#"{ "version": "1", "default": "deny", "tools": { "x": {
            "require": [{ "path": "args.a", "op": "eq", "value": 1 }, { "not": { "path": "args.b", "op": "eq", "value": 1 } }],
            "approve_if": [{ "conditions": [], "message": "m", "expires_in": "1h" }],
            "limits": [{ "counter": "c", "window": 60, "max": 1, "refund_on_error": true }], "rate_limit": "1/day" } } }"#;
        let custom = Custom::of(document, "x").expect("a policy");
        let mut form = Form::with([("custom", "x"), ("base", &custom.base)]);
        put(&mut form, &custom);
        // Markers that stand in the page for what has no field of its own name.
        for marker in [
            "require.0",
            "require.0.conditions.0",
            "require.1",
            "require.1.conditions.0",
            "approve_if.0",
            "limits.0",
        ] {
            form.put(marker, "on".to_owned());
        }
        assert_eq!(typed(&form), Some(custom));
        assert_eq!(typed(&Form::default()), None);
    }

    #[test]
    fn buttons_add_and_remove() {
        let mut custom = Custom { tool: "x".to_owned(), ..Custom::default() };
        assert_eq!(add(&mut custom, "deny_if").as_deref(), Some("deny_if.0.conditions.0.path"));
        assert_eq!(add(&mut custom, "deny_if.0.conditions").as_deref(), Some("deny_if.0.conditions.1.path"));
        assert_eq!(add(&mut custom, "limits").as_deref(), Some("limits.0.max"));
        for nothing in ["deny_if.7.conditions", "hide", "deny_if.x", ""] {
            assert_eq!(add(&mut custom, nothing), None, "{nothing}");
        }
        let before = custom.clone();
        for nothing in ["deny_if.1", "deny_if.0.conditions.2", "limits.3", "limits", "hide.0", ""] {
            remove(&mut custom, nothing);
            assert_eq!(custom, before, "{nothing}");
        }
        remove(&mut custom, "deny_if.0.conditions.0");
        assert_eq!(custom.rules[1][0].conditions.len(), 1);
        remove(&mut custom, "deny_if.0");
        remove(&mut custom, "limits.0");
        assert_eq!(custom, Custom { tool: "x".to_owned(), ..Custom::default() });
    }
}
