//! `/o/{org}/servers/new`: from the catalogue or an address; the connection can be looked at before saving.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::{CatalogueEntry, NewServer, ProbeReport, ProbeRequest};
use serde::Deserialize;

use super::headers::{HEADER_ROWS, header_name, typed};
use crate::at::Asked;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::render::{Page, refused};
use crate::state::DashboardState;
use crate::view::filters;

/// The page.
#[derive(Template)]
#[template(path = "servers/new.html")]
pub struct New {
    pub frame: Frame,
    pub catalogue: Vec<CatalogueEntry>,
    pub form: Form,
    /// What a look at the upstream found.
    pub probe: Option<ProbeReport>,
    /// Why there was no look: also beside the button, where the page may have been replaced in part.
    pub problems: Vec<(String, String)>,
}

/// The catalogue entry that fills in the form.
#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    entry: String,
}

impl New {
    fn of(state: &DashboardState, member: &Member, form: Form) -> Self {
        let catalogue = state.control.catalogue().to_vec();
        let problems = form.all_problems();
        Self { frame: member.frame(state, "servers"), catalogue, form, probe: None, problems }
    }
}

/// `GET /o/{org}/servers/new`
pub async fn new(
    State(state): State<DashboardState>,
    member: Member,
    Asked(Chosen { entry }): Asked<Chosen>,
) -> Page<New> {
    let found = state.control.catalogue().iter().find(|known| known.id == entry);
    let form = found.map_or_else(Form::default, |known| {
        let mut form = Form::with([
            ("catalogue_entry", &known.id),
            ("name", &known.name),
            ("upstream_url", &known.upstream_url),
        ]);
        for (at, header) in known.headers.iter().take(HEADER_ROWS).enumerate() {
            form.put(&header_name(at), header.clone());
        }
        form
    });
    Page(New::of(&state, &member, form))
}

/// `POST /o/{org}/servers/new`: a look at the upstream, or registering it.
pub async fn submit(
    State(state): State<DashboardState>,
    member: Member,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let upstream_url = form.value("upstream_url").to_owned();
    let headers = typed(&mut form);
    if form.value("do") == "probe" {
        let input = ProbeRequest { upstream_url, headers };
        return probed(&state, &member, form, &input).await;
    }
    let name = form.value("name").to_owned();
    let input = NewServer { name, upstream_url, headers, catalogue_entry: form.given("catalogue_entry") };
    match state.control.register_server(&member.actor, &input).await {
        Ok(server) => Ok(Redirect::to(&member.path(&format!("/servers/{}", server.id))).into_response()),
        Err(error) => {
            form.absorb(error)?;
            Ok(refused(New::of(&state, &member, form)))
        }
    }
}

async fn probed(
    state: &DashboardState,
    member: &Member,
    mut form: Form,
    input: &ProbeRequest,
) -> Result<Response, ErrorPage> {
    match state.control.probe(&member.actor, input).await {
        Ok(report) => Ok(Page(New { probe: Some(report), ..New::of(state, member, form) }).into_response()),
        Err(error) => {
            form.absorb(error)?;
            Ok(refused(New::of(state, member, form)))
        }
    }
}
