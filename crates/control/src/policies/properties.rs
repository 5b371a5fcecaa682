//! What holds of every edit through the table and the form, whatever the document and however it is laid out.

use policy::{Call, Context, Policy, ToolState, Verdict};
use proptest::prelude::*;

use super::edit::Edit;
use super::{Choice, ConditionFields, Custom, RuleFields, ToolChoice, choose, customise};
use crate::Error;

/// Tools, some of which have entries.
const TOOLS: [&str; 4] = ["get", "send", "a/b ~", "pay"];
/// Keys of entries: the tools' names, and patterns that match some of them.
const KEYS: [&str; 6] = ["get", "send", "a/b ~", "*e*", "pa?", "other"];
/// Members of entries.
const MEMBERS: [(&str, &str); 10] = [
    (
        "require",
        r#"[{"path":"args.n","op":"lt","value":1e1},{"any":[{"path":"args.m","op":"exists","value":false}]}]"#,
    ),
    (
        "require",
        r#"[{"conditions":[{"path":"args.s","op":"not_regex","value":"^\\s"}],"on_deny":"No \u0041."}]"#,
    ),
    ("deny_if", r#"[{"conditions":[{"path":"args.n","op":"in","value":[1.0,"x",null]}]},{"conditions":[]}]"#),
    ("deny_if", r#"[{"on_deny":"Never.","conditions":[{"path":"args.s","op":"in","value":["a","b"]}]}]"#),
    ("approve_if", r#"[{"conditions":[],"message":"Look.","expires_in":"1h"}]"#),
    (
        "limits",
        r#"[{"window":90,"counter":"c","max":3.50,"increment_from":"args.n"},{"counter":"d","max":1,"window":"day"}]"#,
    ),
    ("rate_limit", r#"{"window":60,"max":5}"#),
    ("rate_limit", r#""5/minute""#),
    ("mode", r#""enforce""#),
    ("action", r#""deny""#),
];
const ARGUMENTS: [&str; 5] =
    ["{}", r#"{"n":1}"#, r#"{"n":50,"s":"a"}"#, r#"{"n":2,"s":" x"}"#, r#"{"s":"b","m":1,"z":7}"#];

/// JSON without a layout.
#[derive(Clone, Debug)]
enum Tree {
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

impl Tree {
    fn of(json: &str) -> Self {
        let value = json::parse(json.as_bytes(), 32).unwrap();
        Self::read(json, &value)
    }

    fn read(source: &str, value: &json::Value<'_>) -> Self {
        match &value.node {
            json::Node::Array(elements) => {
                Self::List(elements.iter().map(|one| Self::read(source, one)).collect())
            }
            json::Node::Object(object) => {
                let member = |one: &json::Member<'_>| (one.key.to_string(), Self::read(source, &one.value));
                Self::Object(object.members().iter().map(member).collect())
            }
            _ => Self::Text(source[value.span.start as usize..value.span.end as usize].to_owned()),
        }
    }

    /// With white space between all tokens, as `spaces` has it in turn.
    fn print(&self, spaces: &mut impl Iterator<Item = &'static str>, out: &mut String) {
        let (open, close, parts): (_, _, Vec<(Option<&String>, &Self)>) = match self {
            Self::Text(text) => {
                out.push_str(text);
                return;
            }
            Self::List(elements) => ('[', ']', elements.iter().map(|one| (None, one)).collect()),
            Self::Object(members) => ('{', '}', members.iter().map(|(key, one)| (Some(key), one)).collect()),
        };
        out.push(open);
        for (at, (key, part)) in parts.iter().enumerate() {
            if at > 0 {
                out.push_str(spaces.next().unwrap_or_default());
                out.push(',');
            }
            out.push_str(spaces.next().unwrap_or_default());
            if let Some(key) = key {
                out.push_str(&text(key));
                out.push_str(spaces.next().unwrap_or_default());
                out.push(':');
                out.push_str(spaces.next().unwrap_or_default());
            }
            part.print(spaces, out);
        }
        if !parts.is_empty() {
            out.push_str(spaces.next().unwrap_or_default());
        }
        out.push(close);
    }
}

fn entry() -> impl Strategy<Value = Tree> {
    prop::sample::subsequence(&MEMBERS[..], 0..4).prop_shuffle().prop_map(|members| {
        let mut kept: Vec<(String, Tree)> = Vec::new();
        for (key, json) in members {
            if kept.iter().all(|(known, _)| known != key) {
                kept.push((key.to_owned(), Tree::of(json)));
            }
        }
        Tree::Object(kept)
    })
}

/// A document that can be read, in any order and layout.
fn document() -> impl Strategy<Value = String> {
    let tools = prop::sample::subsequence(&KEYS[..], 0..5).prop_shuffle().prop_flat_map(|keys| {
        let entries = prop::collection::vec(entry(), keys.len());
        entries.prop_map(move |entries| {
            Tree::Object(keys.iter().map(|key| (*key).to_owned()).zip(entries).collect())
        })
    });
    let names = prop::sample::subsequence(vec!["get", "pay", "o*", "send"], 0..3).prop_shuffle();
    let hide =
        names.prop_map(|names| Tree::List(names.into_iter().map(|name| Tree::Text(text(name))).collect()));
    let parts = (prop::option::of(tools), prop::option::of(hide), any::<bool>(), any::<u64>());
    let spaces =
        prop::collection::vec(prop::sample::select(vec!["", "", " ", "\n", "\n  ", "\t", "  "]), 1..40);
    (parts, spaces).prop_map(|((tools, hide, allows, order), spaces)| {
        let default = text(if allows { "allow" } else { "deny" });
        let mut members = vec![
            ("version".to_owned(), Tree::Text(text("1"))),
            ("default".to_owned(), Tree::Text(default)),
            ("description".to_owned(), Tree::Text(r#""\u00e9 \/ 1""#.to_owned())),
        ];
        members.extend(tools.map(|tools| ("tools".to_owned(), tools)));
        members.extend(hide.map(|hide| ("hide".to_owned(), hide)));
        let by = usize::try_from(order % 7).unwrap_or_default() % members.len();
        members.rotate_left(by);
        let mut out = String::new();
        Tree::Object(members).print(&mut spaces.into_iter().cycle(), &mut out);
        out
    })
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Allow),
        Just(Choice::Deny),
        Just(Choice::Hide),
        Just(Choice::Approve),
        (0..50_u64).prop_map(|max| Choice::Limit { max, window: "hour".to_owned() }),
    ]
}

/// The document without what it says of one tool; what it did not have before goes too.
fn others(document: &str, tool: &str, before: &str) -> String {
    let had = Edit::new(before);
    let mut edit = Edit::new(document);
    edit.pull(&["hide"], tool);
    edit.remove(&["tools"], tool);
    for key in ["hide", "tools"] {
        if had.raw(&[key]).is_none() {
            edit.remove(&[], key);
        }
    }
    edit.into_text()
}

fn outcome(policy: &Policy, tool: &str, arguments: &str) -> &'static str {
    let value = json::parse(arguments.as_bytes(), 64).unwrap();
    let (context, state) = (Context::default(), ToolState::default());
    match policy.judge(&Call { tool, arguments: Some(&value), context, state }) {
        Verdict::Allow { .. } => "allow",
        Verdict::Deny(_) => "deny",
        Verdict::Hide(_) => "hide",
        Verdict::Pending { .. } => "pending",
    }
}

fn read(document: &str) -> Policy {
    Policy::read(document.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}\n{document}"))
}

/// Every call of every other tool is judged as before.
fn same_for_others(before: &str, after: &str, tool: &str) -> Result<(), TestCaseError> {
    let (old, new) = (read(before), read(after));
    for other in TOOLS.into_iter().filter(|other| *other != tool) {
        for arguments in ARGUMENTS {
            prop_assert_eq!(outcome(&old, other, arguments), outcome(&new, other, arguments), "{}", other);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_choice_changes_the_bytes_of_its_entry_alone_and_is_judged(
        before in document(), tool in prop::sample::select(&TOOLS[..]), choice in choice(),
    ) {
        let row = ToolChoice { tool: tool.to_owned(), choice: choice.clone() };
        let after = match choose(&before, &[row]) {
            // A pattern of `hide` or a rule for all calls stands against it: nothing is written.
            Err(Error::Invalid(problems)) => {
                prop_assert!(problems[0].message.contains("stands against it"));
                return Ok(());
            }
            written => written.unwrap(),
        };
        prop_assert_eq!(others(&before, tool, &before), others(&after, tool, &before), "{}\n->\n{}", before, after);
        same_for_others(&before, &after, tool)?;
        let (old, new) = (Edit::new(&before), Edit::new(&after));
        for key in ["require", "deny_if", "approve_if", "mode"] {
            let path = ["tools", tool, key];
            prop_assert!(old.raw(&path).is_none() || old.raw(&path) == new.raw(&path), "{}", key);
        }
        let policy = read(&after);
        for arguments in ARGUMENTS {
            let found = outcome(&policy, tool, arguments);
            // What a tool's own conditions refuse stays refused: a choice never loosens them.
            let judged: &[&str] = match choice {
                Choice::Allow | Choice::Limit { .. } => &["allow", "deny", "pending"],
                Choice::Approve => &["pending", "deny"],
                Choice::Deny => &["deny"],
                Choice::Hide => &["hide"],
            };
            prop_assert!(judged.contains(&found), "{} {} {}", tool, arguments, found);
            if matches!(choice, Choice::Allow | Choice::Limit { .. }) && found != "allow" {
                prop_assert_eq!(policy.outline(tool).effect, policy::Effect::Conditional);
            }
        }
    }

    #[test]
    fn a_form_that_is_not_changed_changes_nothing(before in document(), tool in prop::sample::select(&TOOLS[..])) {
        // An action gives way to conditions, and a hidden tool is shown: once that is so, nothing is left to write.
        let edit = Edit::new(&before);
        let plain = edit.raw(&["tools", tool]).is_some() && edit.raw(&["tools", tool, "action"]).is_none();
        let plain = plain && !edit.lists(&["hide"], tool);
        let Ok(written) = customise(&before, &Custom::of(&before, tool).unwrap()) else { return Ok(()) };
        prop_assert!(!plain || written == before);
        let custom = Custom::of(&written, tool).unwrap();
        prop_assert_eq!(customise(&written, &custom).unwrap(), written);
    }

    #[test]
    fn a_form_changes_the_bytes_of_its_entry_alone(
        before in document(), tool in prop::sample::select(&TOOLS[..]), at in 0..3_usize, dropped in any::<bool>(),
    ) {
        let mut custom = Custom::of(&before, tool).unwrap();
        if dropped && !custom.rules[at].is_empty() {
            custom.rules[at].remove(0);
        }
        let condition =
            ConditionFields { path: "args.z".to_owned(), op: "eq".to_owned(), value: "7".to_owned(), json: None };
        custom.rules[1].push(RuleFields { conditions: vec![condition], ..RuleFields::default() });
        custom.rate_max = "9".to_owned();
        let after = match customise(&before, &custom) {
            Err(Error::Invalid(problems)) => {
                prop_assert!(problems[0].message.contains("hides the tool"), "{:?}", problems);
                return Ok(());
            }
            written => written.unwrap(),
        };
        prop_assert_eq!(others(&before, tool, &before), others(&after, tool, &before), "{}\n->\n{}", before, after);
        same_for_others(&before, &after, tool)?;
        prop_assert_eq!(outcome(&read(&after), tool, r#"{"z":7}"#), "deny");
        let again = Custom::of(&after, tool).unwrap();
        prop_assert_eq!(Custom { base: again.base.clone(), ..custom }, again);
    }
}
