//! Samples of the pages of a grant.

use super::data::grants as data_grants;
use super::data::*;
use super::html;
use super::servers::clients;
use crate::form::Form;
use crate::pages::grants;
use control::MintedGrant;
use domain::{Role, Secret};

pub fn all() -> Vec<(&'static str, String)> {
    let base = "/o/acme/servers/10/grants".to_owned();
    let policies = vec![
        (policy().id.to_string(), "Support agents".to_owned()),
        (String::new(), "None: every call is denied".to_owned()),
    ];
    let mut refused = Form::with([("label", ""), ("identity", "support-bot"), ("expires_at", "2020-01-01")]);
    super::wrong(
        &mut refused,
        &[
            ("label", "must not be empty: type at least one character"),
            ("expires_at", "`2020-01-01` is over: choose a later day"),
        ],
    );
    let minted = MintedGrant {
        grant: grants()[0].clone(),
        token: Secret::new("tg_grant_SAMPLE".to_owned()),
        clients: clients(),
    };
    let page = |n: usize| grants::grant::Grant {
        frame: frame("servers", Role::Owner),
        view: deeper("/grants", &data_grants()[n].label, "Grants"),
        facts: data_grants()[n].clone(),
        base: base.clone(),
        policies_base: "/o/acme/servers/10/policies".to_owned(),
        policies: policies.clone(),
        attaching: Form::with([("policy_id", &policy().id.to_string())]),
        expiring: Form::default(),
        revealing: Form::default(),
        use_note: " 3 clients used this grant in the last hour.".to_owned(),
    };
    vec![
        (
            "grants-list",
            html(&grants::list::List {
                frame: frame("servers", Role::Owner),
                view: view("/grants"),
                grants: data_grants(),
                base: base.clone(),
                policies: "/o/acme/servers/10/policies".to_owned(),
                revoked: Some(("Old laptop".to_owned(), ago(1))),
            }),
        ),
        (
            "grants-list-empty",
            html(&grants::list::List {
                frame: frame("servers", Role::Owner),
                view: view("/grants"),
                grants: vec![],
                base: base.clone(),
                policies: "/o/acme/servers/10/policies".to_owned(),
                revoked: None,
            }),
        ),
        (
            "grants-new",
            html(&grants::mint::New {
                frame: frame("servers", Role::Owner),
                view: deeper("/grants", "Mint grant", "Grants"),
                base: base.clone(),
                form: refused,
                policies: policies.clone(),
            }),
        ),
        (
            "grants-token",
            html(&grants::mint::Token {
                frame: frame("servers", Role::Owner),
                view: deeper("/grants", "Support bot", "Grants"),
                base: base.clone(),
                what: "Minted",
                sentence: "Copy the token now: it is what the client sends. An admin can reveal it later.",
                minted,
            }),
        ),
        (
            "grants-clients",
            html(&grants::clients::Clients {
                frame: frame("servers", Role::Owner),
                view: deeper("/grants", "Set up a client", "Grants"),
                grant: format!("{base}/20"),
                all: clients(),
                shown: clients().into_iter().find(|client| client.id == "python").expect("one of them"),
                placeholder: "tg_grant_SAMPLE",
            }),
        ),
        ("grants-grant", html(&page(0))),
        ("grants-grant-revoked", html(&page(4))),
    ]
}
