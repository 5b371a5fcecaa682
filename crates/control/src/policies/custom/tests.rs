//! What the form shows of an entry, and what becomes of the text when it is written back.

use super::*;
use crate::Error;

const DOCUMENT: &str = r#"{
  "version": "1",
  "default": "deny",
  "tools": {
    "list_*": {},
    "send": {
      "require": [{ "path": "args.name",  "op": "starts_with", "value": "app/" },
        { "any": [ { "path": "args.a", "op": "exists", "value": true },
                   { "path": "args.b", "op": "eq", "value": 1.10 } ] } ],
      "deny_if": [
        { "on_deny": "No.", "conditions": [ {"path": "args.to[*]", "op": "in", "value": ["a", "b"]},
                                            {"path": "args.n", "op": "gt", "value": 5e1} ] }
      ],
      "approve_if": [{ "conditions": [], "message": "Look.", "expires_in": "1h" }],
      "limits": [{"counter": "mail", "window": 90, "max": 10, "scope": "identity", "key": "args.to[0]" }],
      "mode": "enforce",
      "rate_limit": "5/minute"
    },
    "pay": { "action": "require_approval", "reason": "Money." }
  }
}
"#;

fn form(tool: &str) -> Custom {
    Custom::of(DOCUMENT, tool).unwrap()
}

/// The text after the form of `tool` was changed.
fn changed(tool: &str, change: impl FnOnce(&mut Custom)) -> String {
    let mut custom = form(tool);
    change(&mut custom);
    customise(DOCUMENT, &custom).unwrap()
}

fn problems(tool: &str, change: impl FnOnce(&mut Custom)) -> Vec<(String, String)> {
    let mut custom = form(tool);
    change(&mut custom);
    match customise(DOCUMENT, &custom) {
        Err(Error::Invalid(found)) => found.into_iter().map(|one| (one.pointer, one.message)).collect(),
        other => panic!("{other:?}"),
    }
}

fn condition(path: &str, op: &str, value: &str) -> ConditionFields {
    ConditionFields { path: path.to_owned(), op: op.to_owned(), value: value.to_owned(), json: None }
}

#[test]
fn an_entry_is_shown_field_by_field() {
    let custom = form("send");
    let [require, deny_if, approve_if] = &custom.rules;
    assert_eq!(require[0].conditions, [condition("args.name", "starts_with", "app/")]);
    assert!(require[1].conditions[0].json.as_deref().is_some_and(|json| json.starts_with(r#"{ "any": ["#)));
    assert_eq!(deny_if[0].message, "No.");
    assert_eq!(
        deny_if[0].conditions,
        [condition("args.to[*]", "in", "a, b"), condition("args.n", "gt", "5e1")]
    );
    assert_eq!((approve_if[0].message.as_str(), approve_if[0].expires_in.as_str()), ("Look.", "1h"));
    let limit = &custom.limits[0];
    let seen = ["counter", "max", "window", "scope", "key", "increment"].map(|name| limit.get(name));
    assert_eq!(seen, ["mail", "10", "90", "identity", "args.to[0]", ""]);
    assert_eq!((custom.rate_max.as_str(), custom.rate_window.as_str()), ("5", "minute"));
    assert!(form("pay").ask && form("pay").reason == "Money.");
    assert_eq!(form("list_runs").rules, [const { Vec::new() }; 3]);
}

#[test]
fn what_is_not_changed_keeps_every_byte() {
    assert_eq!(changed("send", |_| {}), DOCUMENT);
    assert_eq!(changed("pay", |_| {}), DOCUMENT);
}

#[test]
fn a_change_is_one_place_of_the_text() {
    for (from, to, change) in [
        (
            r#""app/""#,
            r#""web/""#,
            &(|c: &mut Custom| c.rules[0][0].conditions[0].value = "web/".into()) as &dyn Fn(&mut Custom),
        ),
        ("5e1", "60", &|c| c.rules[1][0].conditions[1].value = "60".into()),
        (r#""op": "gt""#, r#""op": "lt""#, &|c| c.rules[1][0].conditions[1].op = "lt".into()),
        ("1.10", "2", &|c| {
            let json = &mut c.rules[0][1].conditions[0].json;
            *json = json.as_ref().map(|json| json.replace("1.10", "2"));
        }),
        (r#""No.""#, r#""Never.""#, &|c| c.rules[1][0].message = "Never.".into()),
        (r#", "expires_in": "1h""#, "", &|c| c.rules[2][0].expires_in.clear()),
        (r#""window": 90"#, r#""window": "day""#, &|c| c.limits[0].put("window", "day".into())),
        (r#""key": "args.to[0]" }"#, r#""key": "args.to[0]", "on_deny": "Enough." }"#, &|c| {
            c.limits[0].put("on_deny", "Enough.".into());
        }),
        (r#", "scope": "identity""#, "", &|c| c.limits[0].put("scope", "grant".into())),
        (r#""5/minute""#, r#""7/hour""#, &|c| (c.rate_max, c.rate_window) = ("7".into(), "hour".into())),
        (r#""5/minute""#, r#"{ "max": 5, "window": 30 }"#, &|c| c.rate_window = "30".into()),
    ] {
        assert_eq!(changed("send", change), DOCUMENT.replacen(from, to, 1), "{from}");
    }
}

#[test]
fn rules_come_and_go_without_touching_the_others() {
    let added = changed("send", |c| {
        c.rules[0].push(RuleFields {
            conditions: vec![condition("args.id", "regex", "^[a-z]+$")],
            ..RuleFields::default()
        });
        c.limits.push(c.new_limit());
        c.limits[1].put("max", "3".into());
    });
    let rule = r#"{ "path": "args.id", "op": "regex", "value": "^[a-z]+$" }"#;
    assert!(added.contains(&format!("\n        {rule} ],")), "{added}");
    assert!(added.contains(r#", { "counter": "send.calls", "max": 3, "window": "hour" }]"#), "{added}");
    let back = {
        let mut custom = Custom::of(&added, "send").unwrap();
        custom.rules[0].pop();
        custom.limits.pop();
        customise(&added, &custom).unwrap()
    };
    assert_eq!(back, DOCUMENT);
    let gone = changed("send", |c| {
        c.rules[0].remove(0);
        c.rules[1].clear();
        c.limits.clear();
        c.rate_max.clear();
    });
    assert!(!gone.contains("starts_with") && gone.contains(r#"{ "any": [ { "path": "args.a""#), "{gone}");
    assert!(!gone.contains("deny_if") && !gone.contains("limits") && !gone.contains("rate_limit"), "{gone}");
}

#[test]
fn a_tool_without_an_entry_gets_one() {
    let text = changed("list_runs", |c| {
        c.ask = true;
        c.rules[1].push(RuleFields {
            conditions: vec![
                condition("args.all", "eq", "true"),
                condition("args.note", "contains", "secret"),
            ],
            message: "Not all of them.".into(),
            ..RuleFields::default()
        });
    });
    let entry = r#",
    "list_runs": {
      "deny_if": [
        { "conditions": [{ "path": "args.all", "op": "eq", "value": true }, { "path": "args.note", "op": "contains", "value": "secret" }], "on_deny": "Not all of them." }
      ]"#;
    let asking = changed("list_runs", |c| c.ask = true);
    assert!(asking.contains(r#""list_runs": { "action": "require_approval" }"#), "{asking}");
    assert!(text.contains(r#""action": "require_approval""#) && text.contains("Not all of them."), "{text}");
    let denying = changed("list_runs", |c| {
        c.rules[1] = Custom::of(&text, "list_runs").unwrap().rules[1].clone();
    });
    assert!(denying.contains(entry), "{denying}");
}

#[test]
fn an_action_gives_way_to_the_conditions() {
    let document = r#"{ "version": "1", "default": "allow", "hide": ["a", "b"], "tools": { "a": { "action": "deny", "reason": "No." } } }"#;
    let mut custom = Custom::of(document, "a").unwrap();
    custom.rules[0]
        .push(RuleFields { conditions: vec![condition("args.n", "lt", "5")], ..RuleFields::default() });
    let text = customise(document, &custom).unwrap();
    assert!(
        text.contains(r#""hide": ["b"]"#) && !text.contains("action") && !text.contains("reason"),
        "{text}"
    );
    assert_eq!(crate::policies::read(&text).unwrap().outline("a").effect, policy::Effect::Conditional);
}

#[test]
fn problems_are_at_their_fields() {
    let found = problems("send", |c| {
        c.rules[0][0].conditions[0].path = "arg.name".into();
        c.rules[1][0].conditions[1].value = "many".into();
        c.rules[2][0].expires_in = "soon".into();
        c.limits[0].put("max", String::new());
        c.limits[0].put("window", "week".into());
        c.rate_max = "x".into();
    });
    let fields: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(
        fields,
        [
            "/require/0/conditions/0/path",
            "/deny_if/0/conditions/1/value",
            "/approve_if/0/expires_in",
            "/limits/0/max",
            "/limits/0/window",
            "/rate_max"
        ]
    );
    let group = |json: &str| {
        let json = json.to_owned();
        problems("send", move |c| c.rules[0][1].conditions[0].json = Some(json)).remove(0).0
    };
    assert_eq!(group("{ any"), "/require/1/conditions/0/json");
    assert_eq!(group(r#"{ "any": [] }"#), "/require/1/conditions/0/json");
    let same = problems("send", |c| c.limits.push(c.limits[0].clone()));
    assert_eq!(same[0].0, "/limits/1/counter");
}

#[test]
fn what_was_changed_meanwhile_is_not_written_over() {
    let custom = form("send");
    let meanwhile = DOCUMENT.replace("5/minute", "6/minute");
    let Err(Error::Invalid(found)) = customise(&meanwhile, &custom) else { panic!("written over") };
    assert!(found[0].pointer.is_empty() && found[0].message.contains("was changed in the JSON"));
    assert!(
        customise(&DOCUMENT.replace("Money.", "It is money."), &custom).is_ok(),
        "another entry is no matter"
    );
}

#[test]
fn a_pattern_that_hides_the_tool_stands_against_it() {
    let document = DOCUMENT.replace("\"tools\"", "\"hide\": [\"se*\"],\n  \"tools\"");
    let custom = Custom::of(&document, "send").unwrap();
    let Err(Error::Invalid(found)) = customise(&document, &custom) else { panic!("hidden") };
    assert!(found[0].message.starts_with("`/hide/0` hides the tool"));
}
