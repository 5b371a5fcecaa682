//! Samples of calls that a person must approve.

use chrono::Duration;
use control::{Approval, ApprovalPolicy, ShownArguments};
use domain::{ApprovalState, Role};

use super::data::*;
use super::html;
use crate::form::Form;
use crate::pages::approvals::list::List;
use crate::pages::approvals::question::Question;
use crate::view::lines::excerpt;

const ARGUMENTS: &str = r#"{
  "api_key": "•••",
  "data": {
    "count": 4200,
    "customers": [
      "cus_1042",
      "cus_1043"
    ],
    "reason": "The invoice run of November stopped at customer 1042. Send the event again for all that are left, so that their invoices are made before the books are closed.",
    "shown_as": "\u202eexe.tnemyap"
  },
  "name": "invoices/run.resume"
}"#;

pub fn approval(n: u128, state: ApprovalState) -> Approval {
    let decided = matches!(state, ApprovalState::Approved | ApprovalState::Used | ApprovalState::Refused);
    let used = (state == ApprovalState::Used).then(|| ago(1));
    let minutes = i64::try_from(n).expect("small") * 7 + 4;
    Approval {
        id: id(300 + n),
        state,
        server_id: id(10),
        server_name: "Flowforge".to_owned(),
        grant_id: id(30),
        grant_label: "Support bot".to_owned(),
        identity: "support-bot@acme.example".to_owned(),
        grant_ended: false,
        tool: "flowforge_send_event".to_owned(),
        argument_keys: vec!["api_key".to_owned(), "data".to_owned(), "name".to_owned()],
        argument_digest: "9f2c41d08ab35c7712e0c9c4f6f3a8e1d57b0c2294ae6f10bb83d1c2e4a5f607".to_owned(),
        rule: "/tools/flowforge_send_event/deny_if/0".to_owned(),
        message: "Bulk events are looked at by a person.".to_owned(),
        policy: Some(ApprovalPolicy { id: id(20), name: "Support agents".to_owned(), version: 4 }),
        client_name: Some("claude-code".to_owned()),
        client_version: Some("2.1.4".to_owned()),
        asked_at: ago(minutes),
        asked_decision_id: id(109),
        expires_at: ago(minutes) + Duration::hours(1),
        lives_seconds: 3600,
        decided_by: decided.then(|| "ada@acme.example".to_owned()),
        decided_at: decided.then(|| ago(2)),
        note: (state == ApprovalState::Refused).then(|| "Use the staging project first.".to_owned()),
        usable_until: matches!(state, ApprovalState::Approved | ApprovalState::Used)
            .then(|| ago(2) + Duration::hours(1)),
        used_at: used,
        used_decision_id: used.map(|_| id(100)),
    }
}

pub fn all() -> Vec<(&'static str, String)> {
    let list = |waiting, listed, form| List {
        frame: crate::frame::Frame { waiting: 3, ..frame("approvals", Role::Owner) },
        form,
        query: String::new(),
        waiting,
        more_wait: false,
        listed,
        next: None,
        servers: vec![flowforge()],
    };
    let waiting = (0..3).map(|n| approval(n, ApprovalState::Pending)).collect::<Vec<_>>();
    let earlier = ApprovalState::ALL[1..].iter().zip(3..).map(|(state, n)| approval(n, *state));
    let refused = {
        let mut form = Form::with([("state", "maybe")]);
        super::wrong(&mut form, &[("state", "`maybe` is no state of an approval")]);
        List { query: "state=maybe".to_owned(), ..list(Vec::new(), Vec::new(), form) }
    };
    let question = |state, role, arguments: Option<&str>| {
        let facts = approval(0, state);
        Question {
            frame: crate::frame::Frame { waiting: 3, ..frame("approvals", role) },
            arguments: arguments
                .map(|text| ShownArguments { text: text.to_owned(), masked: vec!["/api_key".to_owned()] }),
            excerpt: excerpt(DOCUMENT, &facts.rule, 4),
            jump: Some("/o/acme/servers/10/policies/20/versions/4?rule=x#rule".to_owned()),
            form: Form::default(),
            facts,
        }
    };
    let waits = question(ApprovalState::Pending, Role::Editor, Some(ARGUMENTS));
    let mut late = question(ApprovalState::Refused, Role::Editor, None);
    late.form.refuse("", &"it was refused by ada@acme.example at 2026-11-22 10:15:03 UTC");
    let mut ended = question(ApprovalState::Pending, Role::Editor, Some(ARGUMENTS));
    ended.facts.grant_ended = true;
    ended.form = Form::with([("note", "a note")]);
    super::wrong(&mut ended.form, &[("note", "is 600 characters long: shorten it to at most 500")]);
    vec![
        ("approvals-list", html(&list(waiting, earlier.collect(), Form::default()))),
        ("approvals-list-empty", html(&list(Vec::new(), Vec::new(), Form::default()))),
        ("approvals-list-refused", html(&refused)),
        ("approvals-question", html(&waits)),
        ("approvals-question-viewer", html(&question(ApprovalState::Pending, Role::Viewer, None))),
        ("approvals-question-used", html(&question(ApprovalState::Used, Role::Editor, None))),
        ("approvals-question-expired", html(&question(ApprovalState::Expired, Role::Editor, None))),
        ("approvals-question-refused", html(&late)),
        ("approvals-question-ended", html(&ended)),
    ]
}
