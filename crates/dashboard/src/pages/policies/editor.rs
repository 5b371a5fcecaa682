//! `/o/{org}/servers/{server}/policies/{policy}`: text and table of one policy; checking and saving it.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::{Conflict, PolicyCheck, PolicySummary, Preset, SavePolicy, Tool};
use domain::{PolicyId, ServerId};
use serde::Deserialize;

use super::choices::{OPTIONS, ToolRow, WINDOWS, rows, signature};
use super::custom::{ALIGNS, CustomForm, OPERATORS, SCOPES, arguments};
use super::draft::Draft;
use crate::assets::Asset;
use crate::at::{Asked, At};
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::pages::servers::view::View;
use crate::render::{Page, refused};
use crate::state::DashboardState;
use crate::view::filters;
use crate::view::lines::{marked, place};

/// The page: of a policy, or of one that is not saved yet.
#[derive(Template)]
#[template(path = "policies/editor.html")]
pub struct Editor {
    pub frame: Frame,
    pub view: View,
    pub policy: Option<PolicySummary>,
    /// Where the form goes.
    pub action: String,
    /// Name and expected version.
    pub form: Form,
    pub document: String,
    pub check: PolicyCheck,
    /// The reader asked whether it can be saved.
    pub checked: bool,
    pub tools: Vec<ToolRow>,
    /// What the table says, in short.
    pub effects: String,
    /// The form for one tool, in the place of the table.
    pub custom: Option<CustomForm>,
    /// Tools that were let through, and whose conditions still ask for more.
    pub kept: Vec<String>,
    /// The server's tools with the names of their arguments, as JSON: what the editor completes with.
    pub known: String,
    /// The rule to mark: a JSON Pointer.
    pub rule: Option<String>,
    /// What a new policy can start from, and which of it this one does.
    pub presets: Vec<Preset>,
    pub preset: Option<String>,
    pub gutter: Vec<Gutter>,
    /// The version that was saved a moment ago.
    pub saved: Option<u32>,
    /// The form that renames the policy.
    pub naming: Form,
}

/// The number of a line, and whether something is wrong with it.
#[derive(Clone, Debug)]
pub struct Gutter {
    pub number: u32,
    /// `bad`, `warn` or nothing.
    pub kind: &'static str,
}

/// What to say above the editor, which rule to mark in it, and which tool's form to open.
#[derive(Deserialize)]
pub struct Said {
    saved: Option<u32>,
    rule: Option<String>,
    custom: Option<String>,
}

impl Editor {
    /// The editor of this text, looked at against the tools of the server.
    pub async fn of(
        state: &DashboardState,
        member: &Member,
        view: View,
        policy: Option<PolicySummary>,
        (draft, form): (Draft, Form),
    ) -> Result<Self, ErrorPage> {
        let server = view.server.id;
        let Draft { document, custom, kept } = draft;
        let check = state.control.check_policy(&member.actor, server, &document).await?;
        let tools = state.control.tools(&member.actor, server).await?;
        let part = policy.as_ref().map_or_else(|| "new".to_owned(), |policy| policy.id.to_string());
        let naming = Form::with([("name", policy.as_ref().map_or("", |policy| &policy.name))]);
        Ok(Self {
            frame: member.frame(state, "servers"),
            action: member.path(&format!("/servers/{server}/policies/{part}")),
            gutter: gutter(&document, &check, None),
            checked: false,
            saved: None,
            rule: None,
            presets: Vec::new(),
            preset: None,
            effects: signature(&check),
            known: known(&tools),
            custom: custom.map(|(fields, fresh)| CustomForm { fresh, ..CustomForm::of(fields, &tools) }),
            tools: rows(&tools, &check.effects),
            kept,
            view,
            policy,
            form,
            document,
            check,
            naming,
        })
    }

    /// With a rule marked.
    pub fn marking(self, rule: Option<String>) -> Self {
        let rule = rule.map(|rule| place(&rule).to_owned());
        Self { gutter: gutter(&self.document, &self.check, rule.as_deref()), rule, ..self }
    }

    /// Rows of the text box: all of the text, at least sixteen.
    pub fn rows(&self) -> usize {
        self.gutter.len().max(16)
    }
}

/// `GET /o/{org}/servers/{server}/policies/{policy}`
pub async fn editor(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): At<(String, ServerId, PolicyId)>,
    Asked(said): Asked<Said>,
) -> Result<Page<Editor>, ErrorPage> {
    let (view, policy) = opened(&state, &member, server, id).await?;
    let form = Form::with([("expected_version", &policy.summary.version.to_string())]);
    let (summary, draft) = (policy.summary, Draft::untouched(policy.document));
    let draft = said.custom.iter().fold(draft, |draft, tool| draft.opened(tool));
    let form = draft.shown(form);
    let saved = said.saved.filter(|saved| *saved == summary.version);
    let page = Editor::of(&state, &member, view, Some(summary), (draft, form)).await?;
    Ok(Page(Editor { saved, ..page }.marking(said.rule)))
}

/// `POST /o/{org}/servers/{server}/policies/{policy}`: writes choices into the text, checks it, or saves it.
pub async fn submit(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): At<(String, ServerId, PolicyId)>,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let (view, policy) = opened(&state, &member, server, id).await?;
    let draft = Draft::of(&mut form)?;
    if form.value("do") == "save" && form.is_clean() {
        let expected_version = form.value("expected_version").parse().unwrap_or_default();
        let input = SavePolicy { expected_version, document: draft.document.clone() };
        match state.control.save_policy(&member.actor, id, &input).await {
            Ok(saved) => {
                let path =
                    member.path(&format!("/servers/{server}/policies/{id}?saved={}", saved.summary.version));
                return Ok(Redirect::to(&path).into_response());
            }
            Err(error) => unsaved(&mut form, error)?,
        }
    }
    let again = form.value("do") == "save" || !form.is_clean();
    let page = Editor::of(&state, &member, view, Some(policy.summary), (draft, form)).await?;
    let page = Editor { checked: page.form.value("do") == "check", ..page };
    Ok(if again { refused(page) } else { Page(page).into_response() })
}

/// The policy and the head of its server; a policy of another server is not found here.
pub async fn opened(
    state: &DashboardState,
    member: &Member,
    server: ServerId,
    id: PolicyId,
) -> Result<(View, control::Policy), ErrorPage> {
    let policy = state.control.policy(&member.actor, id, None).await?;
    if policy.summary.server_id != server {
        return Err(ErrorPage::NotFound);
    }
    let view = View::of(state, member, server, "/policies").await?;
    Ok((view.deeper(member, &policy.summary.name, &[("/policies", "Policies")]), policy))
}

/// Why it was not saved. After a conflict the next save stands on top of the version in force: the page says so.
pub fn unsaved(form: &mut Form, error: control::Error) -> Result<(), ErrorPage> {
    match error {
        // The check of the page names every problem at its line.
        control::Error::InvalidPolicy(_) => Ok(()),
        control::Error::Conflict(Conflict::Version { current }) => {
            let old = form.value("expected_version").to_owned();
            form.refuse(
                "",
                &format!(
                    "version {current} was saved while you were editing version {old}; nothing was saved. Compare \
                     them in the history; saving again puts your text on top of version {current}"
                ),
            );
            form.put("expected_version", current.to_string());
            Ok(())
        }
        error => form.absorb(error),
    }
}

/// The numbers of the lines: those of problems, of warnings and of the rule stand out.
pub fn gutter(document: &str, check: &PolicyCheck, rule: Option<&str>) -> Vec<Gutter> {
    let rule = rule.map(|rule| marked(document, Some(rule))).unwrap_or_default();
    let marks = |number: u32| rule.iter().any(|line| line.hit && u32::try_from(line.number) == Ok(number));
    let kind = |number: u32| {
        if check.problems.iter().any(|problem| problem.line == number) {
            "bad"
        } else if check.warnings.iter().any(|warning| warning.line == number) {
            "warn"
        } else if marks(number) {
            "hit"
        } else {
            ""
        }
    };
    (1..).zip(document.split('\n')).map(|(number, _)| Gutter { number, kind: kind(number) }).collect()
}

/// `{"flowforge_get_run": ["run_id"]}`
pub fn known(tools: &[Tool]) -> String {
    let tool = |tool: &Tool| (tool.name.clone(), arguments(tool).into());
    serde_json::Value::Object(tools.iter().map(tool).collect()).to_string()
}
