//! Samples of the log.

use super::approvals::approval;
use super::data::grants as data_grants;
use super::data::*;
use super::html;
use crate::form::Form;
use crate::pages::log;
use crate::view::lines::excerpt;
use audit::Page as Decisions;
use domain::{ApprovalState, Role};

pub fn all() -> Vec<(&'static str, String)> {
    let body = |rows: Vec<audit::Row>, one_server| log::list::Body {
        base: "/o/acme/log".to_owned(),
        live: "/o/acme/log/live?".to_owned(),
        export: "/o/acme/log/export?".to_owned(),
        query: "tool=flowforge_*".to_owned(),
        form: Form::with([("tool", "flowforge_*"), ("outcome", "deny")]),
        chart: chart(),
        page: Decisions { rows, next: None, searched_to: None },
        servers: vec![flowforge()],
        grants: data_grants(),
        one_server,
        later: true,
        filtered: true,
    };
    let decision = |n: usize, approval: Option<control::Approval>| {
        let row = decisions()[n].clone();
        let frame = frame("log", Role::Owner);
        log::decision::Decision {
            actions: log::advice::actions(&row, approval.as_ref(), &frame),
            approval,
            excerpt: row.rule.as_ref().map(|rule| excerpt(DOCUMENT, rule, 4)).unwrap_or_default(),
            jump: Some("/o/acme/servers/10/policies/20/versions/4?rule=x#rule".to_owned()),
            frame,
            row,
        }
    };
    vec![
        (
            "log-log",
            html(&log::list::Log { frame: frame("log", Role::Owner), log: body(decisions(), false) }),
        ),
        (
            "log-log-empty",
            html(&log::list::Log { frame: frame("log", Role::Owner), log: body(vec![], false) }),
        ),
        (
            "log-server_log",
            html(&log::list::ServerLog {
                frame: frame("servers", Role::Owner),
                view: view("/log"),
                log: body(decisions(), true),
            }),
        ),
        ("log-decision-deny", html(&decision(3, None))),
        ("log-decision-limit", html(&decision(1, None))),
        ("log-decision-unauthenticated", html(&decision(7, None))),
        ("log-decision-pending", html(&decision(9, Some(approval(0, ApprovalState::Pending))))),
        ("log-decision-approved", html(&decision(0, Some(approval(2, ApprovalState::Used))))),
    ]
}
