//! Samples of the pages of a server.

use super::connect::{by_headers, personal, shared};
use super::data::*;
use super::html;
use crate::form::Form;
use crate::pages::{servers, steps};
use control::{CatalogueEntry, ClientConfiguration, ProbeReport, ServerState, ToolRefresh};
use domain::Role;

#[expect(clippy::too_many_lines, reason = "a list of samples, one behind the other")]
pub fn all() -> Vec<(&'static str, String)> {
    let catalogue = vec![CatalogueEntry {
        id: "flowforge-demo".to_owned(),
        name: "Flowforge (demo)".to_owned(),
        description: "Workflow engine with 49 tools, on this machine.".to_owned(),
        upstream_url: "http://127.0.0.1:9700/mcp".to_owned(),
        headers: vec!["X-Api-Key".to_owned()],
    }];
    let report = ProbeReport {
        state: ServerState::Ready,
        message: "it speaks MCP 2025-11-25 and listed 49 tools".to_owned(),
        protocol_version: Some("2025-11-25".to_owned()),
        upstream_name: Some("flowforge-sim 0.1.0".to_owned()),
        tools: tools(),
    };
    let filled = Form::with([
        ("name", "Flowforge"),
        ("upstream_url", "http://127.0.0.1:9700/mcp"),
        ("headers.0.name", "X-Api-Key"),
    ]);
    let mut refused =
        Form::with([("name", ""), ("upstream_url", "ftp://x"), ("headers.0.name", "X Api Key")]);
    super::wrong(
        &mut refused,
        &[
            ("name", "must not be empty: type at least one character"),
            ("upstream_url", "starts with `ftp:`: only https and http can be called"),
            ("headers.0.name", "`X Api Key` is not a header name: use letters, digits and hyphens"),
        ],
    );
    let problems = refused.all_problems();
    let effects = effects();
    let rows: Vec<_> = tools()
        .into_iter()
        .zip(effects)
        .enumerate()
        .map(|(at, (tool, effect))| servers::tools::ToolFacts {
            tool,
            effect: Some(effect),
            calls: (at as u64 * 37) % 211,
            changed: at == 3,
        })
        .collect();
    let refresh = ToolRefresh {
        server: flowforge(),
        added: vec!["flowforge_new".to_owned()],
        removed: vec![],
        changed: vec![],
    };
    vec![
        (
            "servers-new",
            html(&servers::new::New {
                frame: frame("servers", Role::Owner),
                catalogue: catalogue.clone(),
                form: filled,
                probe: Some(report),
                problems: Vec::new(),
            }),
        ),
        (
            "servers-new-refused",
            html(&servers::new::New {
                frame: frame("servers", Role::Owner),
                catalogue,
                form: refused,
                probe: None,
                problems,
            }),
        ),
        (
            "servers-overview",
            html(&servers::overview::Overview {
                frame: frame("servers", Role::Owner),
                view: view(""),
                login: shared(),
                steps: steps::of_server(&flowforge(), false, "/o/acme/servers/10").to_vec(),
                chart: chart(),
                clients: clients(),
                placeholder: servers::overview::PLACEHOLDER,
                rules: rules(),
            }),
        ),
        (
            "servers-tools",
            html(&servers::tools::Tools {
                frame: frame("servers", Role::Owner),
                view: view("/tools"),
                rows,
                policies: vec![policy()],
                chosen: Some(policy().id),
                unapproved: vec!["flowforge_retry_run".to_owned(), "flowforge_send_event".to_owned()],
                refresh: Some(refresh),
            }),
        ),
        (
            "servers-protocol",
            html(&servers::protocol::Protocol {
                frame: frame("servers", Role::Owner),
                view: deeper("/settings", "Protocol", "Settings"),
                settings: control::ProtocolSettings {
                    custom_methods: vec!["acme/search".to_owned()],
                    pin_tools: true,
                    unapproved_tools: vec!["flowforge_retry_run".to_owned()],
                },
                form: Form::with([("custom_methods", "acme/search"), ("pin_tools", "yes")]),
            }),
        ),
        (
            "servers-settings",
            html(&servers::settings::Settings {
                frame: frame("servers", Role::Owner),
                view: crate::pages::servers::view::View { server: broken(), ..view("/settings") },
                form: Form::with([("name", "Ticket desk"), ("upstream_url", &broken().upstream_url)]),
                login_form: by_headers().form(),
                login: by_headers(),
                ended: Some(control::EndedAccess::NotOffered),
                deletion: Form::default(),
            }),
        ),
        (
            "servers-settings-identities",
            html(&servers::settings::Settings {
                frame: frame("servers", Role::Owner),
                view: view("/settings"),
                form: Form::with([("name", "Flowforge"), ("upstream_url", &flowforge().upstream_url)]),
                login_form: personal().form(),
                login: personal(),
                ended: None,
                deletion: Form::default(),
            }),
        ),
    ]
}

pub fn clients() -> Vec<ClientConfiguration> {
    let url = "https://tollgate.example.com/mcp/01890a5d-ac96-774b-bcce-b302099a8057";
    control::configurations("Flowforge", url, "tg_grant_SAMPLE")
}
