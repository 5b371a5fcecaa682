//! The parts of the protocol beside tools.

use domain::{Surface, Surfaces};
use policy::{Effect, Policy, ShadowOutcome, Verdict};

use super::case::read;

fn document(default: &str, rest: &str) -> String {
    format!(r#"{{"version":"1","default":"{default}"{rest}}}"#)
}

/// The rule that denies; nothing if it is allowed.
fn rule(policy: &Policy, surface: Surface) -> Option<String> {
    match policy.judge_surface(surface) {
        Verdict::Allow { charges, shadow } => {
            assert!(charges.is_empty() && shadow.is_none());
            None
        }
        Verdict::Deny(refusal) => Some(refusal.rule.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_written_follows_the_default() {
    for surface in Surface::ALL {
        assert_eq!(rule(&read(&document("allow", "")), surface), None);
        assert_eq!(rule(&read(&document("deny", "")), surface).as_deref(), Some("(default deny)"));
    }
    assert_eq!(read(&document("allow", "")).surfaces(), Surfaces::ALL);
    assert_eq!(read(&document("deny", r#","methods":{}"#)).surfaces(), Surfaces::NONE);
}

#[test]
fn what_is_written_goes_before_the_default() {
    for surface in Surface::ALL {
        let written = |stance| format!(r#","methods":{{"{surface}":"{stance}"}}"#);
        let closed = read(&document("allow", &written("deny")));
        let pointer = format!("/methods/{surface}");
        assert_eq!(rule(&closed, surface), Some(pointer));
        let open = read(&document("deny", &written("allow")));
        assert_eq!((rule(&open, surface), open.surfaces()), (None, Surfaces::NONE.with(surface)));
        for other in Surface::ALL.into_iter().filter(|other| *other != surface) {
            assert_eq!(rule(&closed, other), None);
            assert_eq!(rule(&open, other).as_deref(), Some("(default deny)"));
        }
    }
}

#[test]
fn shadow_mode_closes_nothing_and_says_what_it_would() {
    let policy = read(&document("allow", r#","mode":"shadow","methods":{"sampling":"deny"}"#));
    assert_eq!(policy.surfaces(), Surfaces::ALL);
    let Verdict::Allow { shadow: Some(shadow), .. } = policy.judge_surface(Surface::Sampling) else {
        panic!("shadow mode blocks nothing, and records")
    };
    assert_eq!((shadow.outcome, &*shadow.refusal.rule), (ShadowOutcome::Deny, "/methods/sampling"));
}

#[test]
fn what_is_shown_to_people_is_what_happens_and_what_decides_it() {
    let outline = |text: &str, surface| read(text).outline_surface(surface);
    let written = document("deny", r#","methods":{"resources":"allow","roots":"deny"}"#);
    for (surface, effect, rule) in [
        (Surface::Resources, Effect::Allow, "/methods/resources"),
        (Surface::Roots, Effect::Deny, "/methods/roots"),
        (Surface::Prompts, Effect::Deny, "(default deny)"),
    ] {
        assert_eq!(outline(&written, surface), (effect, rule.to_owned()));
    }
    assert_eq!(outline(&document("allow", ""), Surface::Prompts), (Effect::Allow, "/default".to_owned()));
    let shadow = document("deny", r#","mode":"shadow","methods":{"roots":"deny"}"#);
    assert_eq!(outline(&shadow, Surface::Roots), (Effect::Allow, "/methods/roots".to_owned()));
    assert_eq!(outline(&shadow, Surface::Prompts), (Effect::Allow, "/default".to_owned()));
}

#[test]
fn the_canonical_form_keeps_what_was_written_and_adds_nothing() {
    let canonical = |document: &str| -> serde_json::Value {
        serde_json::from_str(&read(document).canonical()).expect("JSON")
    };
    let written = canonical(&document("deny", r#","methods":{"roots":"deny","prompts":"allow"}"#));
    assert_eq!(written["methods"], serde_json::json!({ "prompts": "allow", "roots": "deny" }));
    assert_eq!(canonical(&document("deny", "")).get("methods"), None);
}

#[test]
fn a_tool_is_judged_whatever_its_arguments() {
    let policy = read(&document(
        "deny",
        r#","hide":["h*"],"tools":{"a":{"require":[{"path":"args.x","op":"exists","value":true}]},"d":{"action":"deny"},"h":{},"p":{"action":"require_approval"}}"#,
    ));
    let rule = |tool| match policy.judge_tool(tool) {
        Verdict::Allow { .. } => None,
        Verdict::Deny(refusal) | Verdict::Hide(refusal) => Some(refusal.rule.to_string()),
        Verdict::Pending { .. } => panic!("it was approved once"),
    };
    assert_eq!((rule("a"), rule("p")), (None, None));
    assert_eq!(rule("d").as_deref(), Some("/tools/d/action"));
    assert_eq!(rule("h").as_deref(), Some("(hidden)"));
    assert_eq!(rule("other").as_deref(), Some("(default deny)"));
}

#[test]
fn mistakes_are_named_at_their_place() {
    for (methods, code, pointer) in [
        (r#""allow""#, "wrong_type", "/methods"),
        (r#"{"resource":"allow"}"#, "unknown_field", "/methods/resource"),
        (r#"{"resources":true}"#, "wrong_type", "/methods/resources"),
        (r#"{"resources":"ask"}"#, "unknown_stance", "/methods/resources"),
        (r#"{"tools":"allow"}"#, "unknown_field", "/methods/tools"),
    ] {
        let problems = Policy::read(document("deny", &format!(r#","methods":{methods}"#)).as_bytes());
        let problems = problems.expect_err("a problem");
        assert_eq!((problems[0].code, problems[0].pointer.as_str()), (code, pointer), "{methods}");
    }
}
