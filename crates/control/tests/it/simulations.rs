//! What a document would do to a call and to all tools, saved or not; and the calls that the log gives to try it on.

use audit::{ClientNote, Decision, GrantNote, ServerNote};
use control::{
    Actor, CallContext, Choice, ClientContext, Difference, Effect, Error, GrantContext, MatrixInput,
    NewPolicy, PolicyMatrix, ProtocolChange, SavePolicy, ServerContext, Simulation, SimulationResult,
    ToolChoice, choose,
};
use domain::{DecisionId, Outcome, ServerId};
use serde_json::json;
use vault::Entropy;

use crate::world::{ALLOW, DENY, World, fields, start};

const TOOLS: [&str; 4] = ["get_run", "delete_run", "send", "pay"];

/// An organisation with a server that has [`TOOLS`].
async fn desk() -> (World, Actor, ServerId) {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await.id;
    world.tools(&owner, server, &TOOLS).await;
    (world, owner, server)
}

fn call(document: &str, tool: &str, arguments: &str) -> Simulation {
    Simulation {
        document: document.to_owned(),
        tool: tool.to_owned(),
        arguments: arguments.to_owned(),
        ..Simulation::default()
    }
}

fn said(result: &SimulationResult) -> (Outcome, Option<&str>) {
    (result.outcome, result.rule.as_deref())
}

#[tokio::test]
async fn a_call_is_judged_and_nothing_is_taken() {
    let (world, owner, server) = desk().await;
    let proposal = world.control.propose_policy(&owner, server).await.unwrap();
    for (tool, arguments, outcome, rule) in [
        ("get_run", r#"{ "run_id": "run-1" }"#, Outcome::Allow, None),
        ("get_run", r#"{ "run_id": "../credentials" }"#, Outcome::Deny, Some("/all_tools/deny_if/0")),
        ("delete_run", "", Outcome::Hidden, Some("(hidden)")),
        ("other", "", Outcome::Deny, Some("(default deny)")),
    ] {
        let input = call(&proposal, tool, arguments);
        let result = world.control.simulate(&owner, server, &input).await.unwrap();
        assert_eq!(said(&result), (outcome, rule), "{tool} {arguments}");
        assert_eq!(result.message.is_some(), outcome != Outcome::Allow);
        assert_eq!(result.tool_known, tool != "other");
    }
    for arguments in ["[", "[]", r#"{ "a": 1, "a": 2 }"#, r#"{ "a": 1e999 }"#] {
        let refused = world.control.simulate(&owner, server, &call(&proposal, "get_run", arguments)).await;
        assert_eq!(fields(refused), ["/arguments"], "{arguments}");
    }
    let limited = choose(
        &proposal,
        &[ToolChoice {
            tool: "get_run".to_owned(),
            choice: Choice::Limit { max: 2, window: "day".to_owned() },
        }],
    )
    .unwrap();
    for _ in 0..3 {
        let input = call(&limited, "get_run", "");
        let result = world.control.simulate(&owner, server, &input).await.unwrap();
        let [charge] = result.charges.as_slice() else { panic!("{result:?}") };
        assert_eq!(
            (charge.rule.as_str(), charge.counter.as_str()),
            ("/tools/get_run/rate_limit", "get_run_rate")
        );
        assert_eq!((charge.amount_micros, charge.max_micros), (1_000_000, 2_000_000));
        assert_eq!(charge.limit, "2 a day for each grant");
    }
    let wrong = world.control.simulate(&owner, server, &call("{", "get_run", "")).await;
    assert!(matches!(wrong, Err(Error::InvalidPolicy(_))));
}

#[tokio::test]
async fn conditions_on_who_calls_can_be_tried() {
    let (world, owner, server) = desk().await;
    for (path, fits, other) in [
        ("grant.label", "CI bot", ""),
        ("grant.identity", "ci@example.com", ""),
        ("client.name", "claude-code", ""),
        ("client.version", "2.1", ""),
        ("server.name", "two", "one"),
    ] {
        let document = json!({ "version": "1", "default": "deny", "tools": { "send": {
            "require": [{ "path": path, "op": "eq", "value": fits }] } } });
        let simulated = |context: CallContext| {
            let input = Simulation { context, ..call(&document.to_string(), "send", "") };
            let (control, owner) = (world.control.clone(), owner.clone());
            async move { control.simulate(&owner, server, &input).await.unwrap() }
        };
        let context = CallContext {
            grant: GrantContext { label: "CI bot".to_owned(), identity: "ci@example.com".to_owned() },
            client: ClientContext { name: "claude-code".to_owned(), version: "2.1".to_owned() },
            server: ServerContext { name: "two".to_owned() },
            session: false,
        };
        assert_eq!(simulated(context).await.outcome, Outcome::Allow, "{path}");
        let missing = simulated(CallContext::default()).await;
        assert_eq!(said(&missing), (Outcome::Deny, Some("/tools/send/require/0")), "{path}");
        assert_eq!(missing.conditions, ["/tools/send/require/0"]);
        let own = json!({ "version": "1", "default": "deny", "tools": { "send": {
            "require": [{ "path": path, "op": "eq", "value": other }] } } });
        let input = call(&own.to_string(), "send", "");
        let named = world.control.simulate(&owner, server, &input).await.unwrap();
        assert_eq!(named.outcome == Outcome::Allow, path == "server.name", "the server's own name is known");
    }
}

#[tokio::test]
async fn arguments_are_held_to_the_schema_that_the_server_lists() {
    let (world, owner, server) = desk().await;
    let document = r#"{ "version": "1", "default": "allow", "validate_arguments": true }"#;
    for (tool, arguments, outcome) in [
        ("send", r#"{ "run_id": "x" }"#, Outcome::Allow),
        ("send", r#"{ "run_id": 7 }"#, Outcome::Deny),
        ("send", "", Outcome::Deny),
        ("unlisted", "{}", Outcome::Deny),
    ] {
        let input = call(document, tool, arguments);
        let result = world.control.simulate(&owner, server, &input).await.unwrap();
        assert_eq!(result.outcome, outcome, "{tool} {arguments}");
        if outcome == Outcome::Deny {
            assert_eq!(result.pointer.as_deref(), Some("/validate_arguments"));
        }
    }
}

fn rows(matrix: &PolicyMatrix) -> Vec<(&str, Outcome, Outcome, Difference)> {
    let rows = matrix.tools.iter();
    rows.map(|row| (row.tool.as_str(), row.in_force.outcome, row.draft.outcome, row.difference)).collect()
}

#[tokio::test]
async fn every_tool_stands_beside_what_it_gets_in_force() {
    let (world, owner, server) = desk().await;
    let control = &world.control;
    let in_force = r#"{ "version": "1", "default": "deny", "hide": ["delete_*"], "tools": {
        "get_run": { "require": [{ "path": "args.run_id", "op": "regex", "value": "^run-" }] },
        "send": {}, "pay": { "action": "require_approval" } } }"#;
    let new = NewPolicy { name: "p".to_owned(), document: in_force.to_owned() };
    let policy = control.create_policy(&owner, server, &new).await.unwrap().summary.id;
    let matrix = |document: &str, beside: Option<String>| {
        let input = MatrixInput { document: document.to_owned(), beside, ..MatrixInput::default() };
        let (control, owner) = (control.clone(), owner.clone());
        async move { control.policy_matrix(&owner, server, &input).await }
    };
    let draft = in_force
        .replace("^run-", "^run-[0-9]+$")
        .replace(r#""send": {}"#, r#""send": { "rate_limit": "2/hour" }"#)
        .replace("require_approval", "allow");
    let beside = matrix(&draft, Some(policy.to_string())).await.unwrap();
    assert_eq!(beside.beside.as_ref().map(|policy| policy.version), Some(1));
    assert_eq!(
        rows(&beside),
        [
            ("get_run", Outcome::Deny, Outcome::Deny, Difference::Changes),
            ("delete_run", Outcome::Hidden, Outcome::Hidden, Difference::Same),
            ("send", Outcome::Allow, Outcome::Allow, Difference::Changes),
            ("pay", Outcome::Pending, Outcome::Allow, Difference::Opens),
        ]
    );
    assert_eq!((beside.opens, beside.closes, beside.changes, beside.same), (1, 0, 2, 1));
    assert_eq!(beside.tools[0].draft.effect, Effect::Conditional);
    assert_eq!(beside.tools[0].draft.rule.as_deref(), Some("/tools/get_run/require/0"));
    assert_eq!(beside.tools[2].draft.limits, ["2 an hour for each grant"]);

    // The same rules, written otherwise, change nothing; the version in force is the one that counts.
    let shorthand = in_force.replace(
        r#""pay": { "action": "require_approval" }"#,
        r#""pay": { "approve_if": [{ "conditions": [] }] }"#,
    );
    assert_eq!(matrix(&shorthand, Some(policy.to_string())).await.unwrap().same, 4);
    let save = SavePolicy { expected_version: 1, document: draft.clone() };
    control.save_policy(&owner, policy, &save).await.unwrap();
    let again = matrix(&draft, Some(policy.to_string())).await.unwrap();
    assert_eq!((again.same, again.beside.unwrap().version), (4, 2));
    let back = matrix(in_force, Some(policy.to_string())).await.unwrap();
    assert_eq!((back.closes, back.changes), (1, 2));

    // A grant without a policy has every call denied.
    for nothing in [None, Some(String::new())] {
        let alone = matrix(ALLOW, nothing).await.unwrap();
        assert!(alone.beside.is_none());
        assert_eq!((alone.opens, alone.tools[0].in_force.rule.as_deref()), (4, Some("(no policy)")));
    }
    assert_eq!(fields(matrix(ALLOW, Some("x".to_owned())).await), ["/beside"]);
    assert!(matches!(matrix("{", None).await, Err(Error::InvalidPolicy(_))));
}

#[tokio::test]
async fn a_text_in_force_that_can_not_be_read_denies_beside_the_draft() {
    let (world, owner, server) = desk().await;
    let policy = world.policy(&owner, server, "p").await.summary.id;
    sqlx::query("UPDATE policy_versions SET document = '{'")
        .execute(&mut world.db.owner().await)
        .await
        .unwrap();
    let beside = Some(policy.to_string());
    for (document, closes, opens) in [(ALLOW, 0, 4), (DENY, 0, 0)] {
        let input =
            MatrixInput { document: document.to_owned(), beside: beside.clone(), ..MatrixInput::default() };
        let matrix = world.control.policy_matrix(&owner, server, &input).await.unwrap();
        assert_eq!((matrix.closes, matrix.opens), (closes, opens));
        assert!(matrix.tools.iter().all(|row| row.in_force.rule.as_deref() == Some("(invalid policy)")));
    }
}

/// Writes a decision about a call with these argument keys.
async fn decide(world: &World, owner: &Actor, server: ServerId, tool: Option<&str>) -> DecisionId {
    let decision = Decision {
        id: Entropy::System.id(start()),
        tenant: owner.tenant(),
        decided_at: start(),
        outcome: Outcome::Deny,
        forwards: false,
        server: Some(ServerNote { id: server, name: "one".to_owned() }),
        grant: Some(GrantNote {
            id: Entropy::System.id(start()),
            label: "CI bot".to_owned(),
            identity: "ci@example.com".to_owned(),
        }),
        client: ClientNote { name: Some("claude-code".to_owned()), version: None },
        address: None,
        protocol_version: None,
        method: Some("tools/call".to_owned()),
        tool: tool.map(str::to_owned),
        rule: Some("(default deny)".to_owned()),
        message: None,
        condition: None,
        policy: None,
        argument_keys: vec!["note".to_owned(), "run_id".to_owned()],
        argument_digest: None,
        limits: Vec::new(),
        shadow: None,
        judged_micros: None,
        request_bytes: None,
        trace_id: None,
    };
    audit::record_direct(&world.db.storage, &decision).await.unwrap();
    decision.id
}

#[tokio::test]
async fn the_log_gives_calls_to_try_without_their_values() {
    let (world, owner, server) = desk().await;
    let id = decide(&world, &owner, server, Some("send")).await;
    let template = world.control.call_of_decision(&owner, id).await.unwrap();
    assert_eq!((template.server_id, template.tool.as_str()), (Some(server), "send"));
    assert_eq!(template.arguments, json!({ "note": "<note>", "run_id": "<run_id>" }));
    assert_eq!(template.context.grant.label, "CI bot");
    assert_eq!(
        template.context.client,
        ClientContext { name: "claude-code".to_owned(), version: String::new() }
    );
    assert_eq!(template.context.server.name, "one");
    let input = Simulation {
        context: template.context,
        ..call(ALLOW, &template.tool, &template.arguments.to_string())
    };
    assert_eq!(world.control.simulate(&owner, server, &input).await.unwrap().outcome, Outcome::Allow);

    // What was about no tool has no call; one of a server that is gone still has its keys.
    let handshake = decide(&world, &owner, server, None).await;
    assert!(matches!(world.control.call_of_decision(&owner, handshake).await, Err(Error::NotFound)));
    world.control.delete_server(&owner, server).await.unwrap();
    let gone = world.control.call_of_decision(&owner, id).await.unwrap();
    assert_eq!(gone.arguments, json!({ "note": "<note>", "run_id": "<run_id>" }));
    let stranger = world.owner("other").await;
    assert!(matches!(world.control.call_of_decision(&stranger, id).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn a_pinned_tool_whose_definition_changed_is_refused_as_the_gateway_does_it() {
    let (world, owner, server) = desk().await;
    let pin = ProtocolChange { custom_methods: None, pin_tools: Some(true) };
    world.control.change_protocol(&owner, server, &pin).await.unwrap();
    let judged = async |tool: &str| {
        let result = world.control.simulate(&owner, server, &call(ALLOW, tool, "")).await.unwrap();
        (result.outcome, result.rule)
    };
    let changed = (Outcome::Deny, Some("(tool changed)".to_owned()));
    assert_eq!(judged("get_run").await, (Outcome::Allow, None), "approved as it was pinned");
    assert_eq!(judged("other").await, changed, "what was never listed was never approved");
    world.define(&owner, server, &TOOLS[..1], 1).await;
    assert_eq!(judged("get_run").await, changed);
    let matrix = MatrixInput { document: ALLOW.to_owned(), ..MatrixInput::default() };
    let matrix = world.control.policy_matrix(&owner, server, &matrix).await.unwrap();
    let refused: Vec<_> = matrix.tools.iter().filter(|row| row.draft.outcome == Outcome::Deny).collect();
    assert_eq!(refused.iter().map(|row| row.tool.as_str()).collect::<Vec<_>>(), ["get_run"]);
}
