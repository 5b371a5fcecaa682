//! Samples of simulations.

use super::data::*;
use super::html;
use crate::form::Form;
use crate::pages::policies::simulate::{Simulate, Source, Verdict};
use crate::view::lines::marked;
use control::{
    Difference, DocumentProblem, Effect, MatrixCell, MatrixRow, PolicyMatrix, PolicyRef, SimulatedCharge,
    SimulatedShadow, SimulationResult,
};
use domain::{Outcome, Role};

const RULE: &str = "/tools/flowforge_send_event/deny_if/0";

pub fn all() -> Vec<(&'static str, String)> {
    let by_rule = SimulationResult {
        pointer: Some(RULE.to_owned()),
        message: Some("Billing events are sent by people, not agents.".to_owned()),
        conditions: vec![format!("{RULE}/conditions/0")],
        ..allowed()
    };
    let denied = Verdict::of(refused(Outcome::Deny, by_rule), DOCUMENT);
    let charge = |counter: &str, key: Option<&str>, shadow| SimulatedCharge {
        rule: "/tools/flowforge_retry_run/rate_limit".to_owned(),
        counter: counter.to_owned(),
        amount_micros: 1_500_000,
        max_micros: 10_000_000,
        scope: "grant",
        key: key.map(str::to_owned),
        limit: "10 a minute for each grant".to_owned(),
        shadow,
    };
    let taken = Verdict::of(
        SimulationResult {
            charges: vec![charge("retries", Some("\"run-0002\""), false), charge("calls", None, true)],
            shadow: Some(SimulatedShadow {
                outcome: Outcome::Pending,
                rule: "/all_tools/approve_if/0".to_owned(),
                message: "Look at it first.".to_owned(),
                conditions: Vec::new(),
            }),
            ..allowed()
        },
        DOCUMENT,
    );
    let asked = SimulationResult { expires_in: Some(5400), ..allowed() };
    let pending = Verdict::of(refused(Outcome::Pending, asked), DOCUMENT);
    let typed = |show| {
        let call = [("call", "flowforge_send_event"), ("arguments", "{\n  \"name\": \"billing/paid\"\n}")];
        Form::with([call[0], call[1], ("label", "CI bot"), ("expected_version", "4"), ("show", show)])
    };
    let mut wrong = Form::with([("call", "flowforge_get_run"), ("arguments", "{ \"run_id\": }")]);
    wrong.refuse("arguments", &"are not JSON that is taken: line 1, column 13");
    wrong.refuse("beside", &"is not a policy of this server: choose one of its own");
    let problems = vec![problem(
        "/tools/flowforge_retry_run/rate_limits",
        10,
        "`rate_limits` is not a field of a tool: did you mean `rate_limit`?",
    )];
    let from_log = Form::with([("decision", "7"), ("call", "flowforge_retry_run")]);
    vec![
        ("policies-simulate", html(&page(Source::Draft, typed(""), Some(denied), vec![]))),
        (
            "policies-simulate-differences",
            html(&page(Source::Version(3), typed("differences"), Some(taken), vec![])),
        ),
        ("policies-simulate-from-log", html(&page(Source::Version(4), from_log, Some(pending), vec![]))),
        ("policies-simulate-problems", html(&page(Source::Draft, typed(""), None, problems))),
        ("policies-simulate-wrong", html(&page(Source::Version(4), wrong, None, vec![]))),
        (
            "policies-simulate-new",
            html(&Simulate {
                policy: None,
                recent: vec![],
                base: "/o/acme/servers/10/policies/new".to_owned(),
                ..page(Source::Proposal, Form::default(), None, vec![])
            }),
        ),
    ]
}

fn allowed() -> SimulationResult {
    SimulationResult {
        outcome: Outcome::Allow,
        rule: None,
        pointer: Some("/tools/flowforge_retry_run".to_owned()),
        message: None,
        conditions: Vec::new(),
        expires_in: None,
        charges: Vec::new(),
        shadow: None,
        tool_known: true,
    }
}

/// The same, refused by what let it through.
fn refused(outcome: Outcome, result: SimulationResult) -> SimulationResult {
    let message = result.message.or(Some("A person must approve it.".to_owned()));
    let rule = result.pointer.clone();
    SimulationResult { outcome, message, rule, tool_known: false, ..result }
}

fn page(source: Source, form: Form, verdict: Option<Verdict>, problems: Vec<DocumentProblem>) -> Simulate {
    let matrix = (problems.is_empty() && !form.has_problem("beside")).then(matrix);
    let pointer = verdict.as_ref().and_then(|verdict| verdict.result.pointer.clone());
    Simulate {
        frame: frame("servers", Role::Owner),
        view: deeper("/policies", "Support agents", "Policies"),
        policy: Some(policy()),
        base: "/o/acme/servers/10/policies/20".to_owned(),
        lines: marked(DOCUMENT, pointer.as_deref()),
        document: DOCUMENT.to_owned(),
        tools: tools().into_iter().map(|tool| tool.name).collect(),
        recent: decisions().into_iter().filter(|row| row.tool.is_some()).collect(),
        besides: [("", "Version 4, in force"), ("21", "Read only, version 2"), ("none", "No policy")]
            .map(|(value, words)| (value.to_owned(), words.to_owned()))
            .into(),
        source,
        form,
        problems,
        verdict,
        matrix,
    }
}

fn matrix() -> PolicyMatrix {
    let cell = |effect: Effect, limits: Vec<String>| {
        let (outcome, rule) = match effect {
            Effect::Allow | Effect::Limit => (Outcome::Allow, None),
            Effect::Conditional => (Outcome::Deny, Some("/tools/flowforge_retry_run/require/0")),
            Effect::Approve => (Outcome::Pending, Some("/tools/flowforge_import_skill/action")),
            Effect::Deny => (Outcome::Deny, Some("(default deny)")),
            Effect::Hide => (Outcome::Hidden, Some("(hidden)")),
        };
        let rule = rule.map(str::to_owned);
        MatrixCell { outcome, rule, shadow: None, effect, limits }
    };
    let row = |(tool, effect): (control::Tool, control::ToolEffect)| {
        let in_force = cell(effect.effect, effect.limits.clone());
        let (draft, difference) = match tool.name.as_str() {
            "flowforge_send_event" => (cell(Effect::Deny, vec![]), Difference::Changes),
            "flowforge_import_skill" => (cell(Effect::Approve, vec![]), Difference::Opens),
            "flowforge_list_credentials" => (cell(Effect::Hide, vec![]), Difference::Closes),
            "flowforge_retry_run" => {
                let limits = vec!["5 an hour for each grant and args.run_id".to_owned()];
                (
                    MatrixCell { shadow: Some(Outcome::Deny), ..cell(Effect::Allow, limits) },
                    Difference::Changes,
                )
            }
            _ => (in_force.clone(), Difference::Same),
        };
        MatrixRow { tool: tool.name, category: tool.category, in_force, draft, difference }
    };
    let tools: Vec<_> = tools().into_iter().zip(effects()).map(row).collect();
    let count = |wanted| tools.iter().filter(|row: &&MatrixRow| row.difference == wanted).count();
    PolicyMatrix {
        beside: Some(PolicyRef { id: id(20), name: "Support agents".to_owned(), version: 4 }),
        opens: count(Difference::Opens),
        closes: count(Difference::Closes),
        changes: count(Difference::Changes),
        same: count(Difference::Same),
        tools,
    }
}
