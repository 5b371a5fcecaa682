//! Samples of the pages of an organisation.

use super::data::*;
use super::html;
use crate::form::Form;
use crate::pages::{admin_log, keys, members, overview, servers, settings, steps};
use control::{AdminEvent, AdminLogPage, Member, MintedKey, Organisation, ServerState, Standing};
use domain::{Role, Secret};

#[expect(clippy::too_many_lines, reason = "a list of samples, one behind the other")]
pub fn all() -> Vec<(&'static str, String)> {
    let organisation = Organisation {
        id: id(1),
        slug: "acme".parse().expect("a slug"),
        name: "Acme Robotics".to_owned(),
        created_at: ago(90_000),
        servers: 2,
        policies: 2,
        grants: 3,
    };
    let event =
        |n: u128, kind: &str, actor: &str, action: &str, subject: &str, details: serde_json::Value| {
            AdminEvent {
                id: id(70 + n),
                at: ago(5 * i64::try_from(n).expect("small")),
                actor_kind: kind.to_owned(),
                actor: actor.to_owned(),
                action: action.to_owned(),
                subject_id: id(20),
                subject: subject.to_owned(),
                details,
            }
        };
    let events = vec![
        event(
            0,
            "user",
            "ada@acme.example",
            "grant.revoke",
            "Old laptop",
            serde_json::json!({"server": "Flowforge"}),
        ),
        event(1, "key", "API key deploy", "policy.save", "Support agents", serde_json::json!({"version": 4})),
        event(2, "user", "ada@acme.example", "grant.reveal", "Support bot", serde_json::Value::Null),
        event(
            3,
            "gateway",
            "gateway",
            "server.withdraw_approval",
            "Flowforge",
            serde_json::json!({"tools": ["flowforge_retry_run", "flowforge_send_event"], "listed_for": "Support bot"}),
        ),
        event(
            4,
            "link",
            "grace@acme.example",
            "server.connect",
            "Flowforge",
            serde_json::json!({"state": "ready"}),
        ),
    ];
    let roles = vec![("viewer".to_owned(), "viewer: reads everything but secrets".to_owned())];
    let listed = vec![
        key(0, "log export", Role::Viewer, Standing::Active),
        key(1, "deploy", Role::Editor, Standing::Revoked),
    ];
    let revoked = Some(listed[1].clone());
    let hours: Vec<u64> = chart().bars.iter().map(crate::view::chart::Bar::total).collect();
    let rows = vec![
        servers::list::ServerRow { server: flowforge(), hours, refused: 231 },
        servers::list::ServerRow { server: broken(), hours: vec![0; 24], refused: 0 },
    ];
    let steps = steps::of_server(&server(12, "Empty", ServerState::Ready, ""), false, "/o/acme/servers/1");
    let person = |n: u128, email: &str, role| Member {
        id: id(80 + n),
        email: email.to_owned(),
        role,
        joined_at: ago(70_000),
    };
    let people =
        vec![person(0, "ada@acme.example", Role::Owner), person(1, "grace@acme.example", Role::Viewer)];
    vec![
        ("members", html(&members::Members { frame: frame("members", Role::Owner), people })),
        (
            "overview",
            html(&overview::Overview {
                frame: crate::frame::Frame { waiting: 3, ..frame("overview", Role::Owner) },
                steps: steps.to_vec(),
                chart: chart(),
                servers: rows.clone(),
                rules: rules(),
            }),
        ),
        (
            "overview-new",
            html(&overview::Overview {
                frame: frame("overview", Role::Owner),
                steps: vec![steps::add_server("/o/acme/servers/new".to_owned())],
                chart: crate::view::chart::Chart::new(
                    chart()
                        .bars
                        .into_iter()
                        .map(|bar| crate::view::chart::Bar { counts: [0; 8], ..bar })
                        .collect(),
                    "/o/acme/log?".to_owned(),
                ),
                servers: Vec::new(),
                rules: Vec::new(),
            }),
        ),
        ("servers-list", html(&servers::list::List { frame: frame("servers", Role::Owner), rows })),
        (
            "servers-list-empty",
            html(&servers::list::List { frame: frame("servers", Role::Owner), rows: Vec::new() }),
        ),
        (
            "keys",
            html(&keys::Keys {
                frame: frame("keys", Role::Owner),
                listed: listed.clone(),
                form: Form::default(),
                roles,
                revoked,
            }),
        ),
        (
            "new_key",
            html(&keys::NewKeyToken {
                frame: frame("keys", Role::Owner),
                minted: MintedKey { key: listed[0].clone(), token: Secret::new("tg_key_SAMPLE".to_owned()) },
            }),
        ),
        (
            "admin_log",
            html(&admin_log::AdminLog {
                frame: frame("admin-log", Role::Owner),
                log: AdminLogPage { events, next: Some(id(60)) },
                older: true,
            }),
        ),
        (
            "settings",
            html(&settings::Settings {
                frame: frame("settings", Role::Owner),
                form: Form::with([("name", "Acme Robotics")]),
                organisation,
            }),
        ),
    ]
}
