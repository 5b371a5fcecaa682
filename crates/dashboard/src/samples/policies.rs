//! Samples of the pages of a policy.

use super::data::*;
use super::html;
use crate::form::Form;
use crate::pages::policies;
use crate::view::lines::marked;
use control::{
    Diff as Difference, DiffKind, DiffLine, Effect, MethodEffect, Policy, PolicyCheck, PolicyVersion,
};
use domain::Role;

/// A form with every kind of rule, one of them wrong.
fn custom(
    editor: &dyn Fn(PolicyCheck, Form) -> policies::editor::Editor,
    check: &PolicyCheck,
) -> policies::editor::Editor {
    let document = DOCUMENT.replace(
        "\"limits\": [",
        "\"require\": [{ \"any\": [{ \"path\": \"args.data\", \"op\": \"exists\", \"value\": false }] }],\n      \"approve_if\": [{ \
         \"conditions\": [{ \"path\": \"args.data.count\", \"op\": \"gt\", \"value\": 100 }], \"message\": \"Bulk event\" }],\n      \"limits\": [",
    );
    let fields = control::Custom::of(&document, "flowforge_send_event").expect("a policy");
    let mut form = Form::with([("expected_version", "4")]);
    policies::custom::put(&mut form, &fields);
    form.refuse("deny_if.0.conditions.0.path", &"`arg.name` is not a path: begin it with `args`");
    form.refuse("limits.0.max", &"this is a text: write a number, 0 or more");
    let mut page = editor(check.clone(), form);
    page.custom = Some(policies::custom::CustomForm::of(fields, &tools()));
    page.kept = vec!["flowforge_get_run".to_owned()];
    page
}

/// Some parts open by themselves, some by the default, some closed.
fn methods() -> Vec<MethodEffect> {
    let allowed = [("resources", "/methods/resources"), ("completion", "/methods/completion")];
    let part = |part: domain::Surface| {
        let rule = allowed.iter().find(|(name, _)| *name == part.as_str()).map(|(_, rule)| *rule);
        let effect = if rule.is_some() { Effect::Allow } else { Effect::Deny };
        MethodEffect { part: part.to_string(), effect, rule: rule.unwrap_or("(default deny)").to_owned() }
    };
    domain::Surface::ALL.into_iter().map(part).collect()
}

/// The page of a policy that is not saved yet.
fn starting(mut page: policies::editor::Editor) -> policies::editor::Editor {
    let preset = |id: &str, name: &str, description: &str| control::Preset {
        id: id.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        document: String::new(),
    };
    page.presets = vec![
        preset(
            "read-only",
            "Read only",
            "Reads everything but the names of credentials. Changes nothing, runs nothing.",
        ),
        preset(
            "operator",
            "Operator",
            "Watches and runs workflows: events, runs, tasks and comments, within limits.",
        ),
        preset(
            "builder",
            "Builder",
            "Builds functions, agent tools, agents and skills, and runs what is built.",
        ),
        preset("locked-down", "Locked down", "Whether workflows run, and nothing of what they carry."),
    ];
    page.preset = Some("operator".to_owned());
    page.policy = None;
    page
}

#[expect(clippy::too_many_lines, reason = "a list of samples, one behind the other")]
pub fn all() -> Vec<(&'static str, String)> {
    let check = |problems: Vec<_>, warnings: Vec<_>| PolicyCheck {
        effects: if problems.is_empty() { effects() } else { Vec::new() },
        methods: if problems.is_empty() { methods() } else { Vec::new() },
        problems,
        warnings,
        canonical: None,
    };
    let editor = |check: PolicyCheck, form: Form, saved| policies::editor::Editor {
        frame: frame("servers", Role::Owner),
        view: deeper("/policies", "Support agents", "Policies"),
        policy: Some(policy()),
        action: "/o/acme/servers/10/policies/20".to_owned(),
        gutter: policies::editor::gutter(DOCUMENT, &check, Some("/tools/flowforge_retry_run")),
        document: DOCUMENT.to_owned(),
        checked: true,
        tools: policies::choices::rows(&tools(), &check.effects),
        effects: policies::choices::signature(&check),
        known: policies::editor::known(&tools()),
        rule: Some("/tools/flowforge_retry_run".to_owned()),
        custom: None,
        kept: Vec::new(),
        presets: Vec::new(),
        preset: None,
        form,
        check,
        saved,
        naming: Form::with([("name", "Support agents")]),
    };
    let problems = vec![
        problem(
            "/tools/flowforge_retry_run/rate_limits",
            10,
            "`rate_limits` is not a field of a tool: did you mean `rate_limit`?",
        ),
        problem(
            "/tools/flowforge_send_event/deny_if/0",
            13,
            "an item of `deny_if` needs `conditions`: write `\"conditions\": []` for always",
        ),
    ];
    let warnings = vec![problem("/hide/0", 5, "`flowforge_delete_*` matches no tool of this server")];
    let mut conflict = Form::with([("expected_version", "5")]);
    conflict.refuse("", &"version 5 was saved while you were editing version 4; nothing was saved");
    let version = |version, added, removed| PolicyVersion {
        version,
        saved_at: ago(40 * i64::from(5 - version)),
        saved_by: "ada@acme.example".to_owned(),
        added,
        removed,
    };
    let history = vec![version(4, 3, 1), version(3, 12, 4), version(2, 1, 1), version(1, 18, 0)];
    let shown = Policy {
        summary: policy(),
        shown_version: 4,
        document: DOCUMENT.to_owned(),
        canonical: None,
        warnings: Vec::new(),
        shown_saved_at: ago(47),
        shown_saved_by: "ada@acme.example".to_owned(),
    };
    let line = |(at, text): (usize, &str)| {
        let kind = match at {
            9 => DiffKind::Removed,
            10 => DiffKind::Added,
            _ => DiffKind::Same,
        };
        DiffLine {
            kind,
            old: (kind != DiffKind::Added).then_some(at),
            new: (kind != DiffKind::Removed).then_some(at),
            text: text.to_owned(),
        }
    };
    let diff = Difference { from: 3, to: 4, lines: DOCUMENT.lines().enumerate().map(line).collect() };
    let rule = "/tools/flowforge_send_event/deny_if/0".to_owned();
    let base = "/o/acme/servers/10/policies/20".to_owned();
    vec![
        (
            "policies-list",
            html(&policies::list::List {
                frame: frame("servers", Role::Owner),
                view: view("/policies"),
                policies: vec![policy()],
            }),
        ),
        (
            "policies-list-empty",
            html(&policies::list::List {
                frame: frame("servers", Role::Viewer),
                view: view("/policies"),
                policies: vec![],
            }),
        ),
        (
            "policies-editor",
            html(&editor(check(vec![], warnings), Form::with([("expected_version", "4")]), Some(4))),
        ),
        (
            "policies-editor-custom",
            html(&custom(&|check, form| editor(check, form, None), &check(vec![], vec![]))),
        ),
        ("policies-editor-new", html(&starting(editor(check(vec![], vec![]), Form::default(), None)))),
        ("policies-editor-problems", html(&editor(check(problems, vec![]), conflict, None))),
        (
            "policies-history",
            html(&policies::history::History {
                frame: frame("servers", Role::Owner),
                view: deeper("/policies", "Support agents", "Policies"),
                policy: Some(policy()),
                base: base.clone(),
                versions: history.clone(),
            }),
        ),
        (
            "policies-diff",
            html(&policies::diff::Diff {
                frame: frame("servers", Role::Owner),
                view: deeper("/policies", "Support agents", "Policies"),
                policy: Some(policy()),
                versions: history,
                chunks: policies::diff::near(&diff.lines),
                compared: diff,
            }),
        ),
        (
            "policies-version",
            html(&policies::version::Version {
                frame: frame("servers", Role::Owner),
                view: deeper("/policies", "Support agents", "Policies"),
                policy: Some(policy()),
                base,
                shown,
                lines: marked(DOCUMENT, Some(&rule)),
                rule: Some(rule),
                found: true,
            }),
        ),
    ]
}
