//! `/o/{org}/servers/{server}/policies/{policy}/simulate`: a text, saved or not, tried on one call and on every tool.
//!
//! A saved version with what was typed beside it has an address: a form about one is answered with a redirect there. A
//! draft has none, so it travels with the form.

mod shown;
mod typed;

use askama::Template;
use audit::{Filter, Row};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use control::{
    Difference, DocumentProblem, Effect, MatrixCell, MatrixInput, MatrixRow, Policy, PolicyMatrix,
    PolicySummary, Simulation,
};
use domain::{PolicyId, ServerId};

pub use self::shown::Verdict;
use super::draft::Draft;
use super::editor::opened;
use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::pages::servers::view::View;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;
use crate::view::lines::{Line, marked};

/// Calls of the log that are offered.
const RECENT: u16 = 10;

/// The page.
#[derive(Template)]
#[template(path = "policies/simulate.html")]
pub struct Simulate {
    pub frame: Frame,
    pub view: View,
    /// None of a policy that is not saved yet.
    pub policy: Option<PolicySummary>,
    /// The address of the editor.
    pub base: String,
    pub source: Source,
    /// What was typed.
    pub form: Form,
    pub document: String,
    /// Why the document can't be tried.
    pub problems: Vec<DocumentProblem>,
    /// Of the call, where one was typed.
    pub verdict: Option<Verdict>,
    /// The document, what decided marked.
    pub lines: Vec<Line>,
    pub matrix: Option<PolicyMatrix>,
    /// Names of the server's tools.
    pub tools: Vec<String>,
    /// Calls of the log, newest first.
    pub recent: Vec<Row>,
    /// What the document can stand beside: values and words.
    pub besides: Vec<(String, String)>,
}

/// Where the text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It was typed, and is not saved.
    Draft,
    /// A version of the policy.
    Version(u32),
    /// It is proposed for the server.
    Proposal,
}

impl Source {
    /// The heading of its column.
    pub fn name(self) -> String {
        match self {
            Self::Draft => "Draft".to_owned(),
            Self::Version(version) => format!("Version {version}"),
            Self::Proposal => "Proposal".to_owned(),
        }
    }
}

impl Simulate {
    /// Where the form goes.
    pub fn action(&self) -> String {
        format!("{}/simulate", self.base)
    }

    pub fn is_draft(&self) -> bool {
        self.source == Source::Draft
    }

    /// Only tools that something changes for are shown.
    pub fn only_differences(&self) -> bool {
        self.form.value("show") == "differences"
    }

    /// What the document stands beside, in a few words.
    pub fn beside(&self, matrix: &PolicyMatrix) -> String {
        let own = self.policy.as_ref().map(|policy| policy.id);
        match &matrix.beside {
            Some(policy) if Some(policy.id) == own => format!("Version {}", policy.version),
            Some(policy) => format!("{}, version {}", policy.name, policy.version),
            None => "No policy".to_owned(),
        }
    }

    /// The text would stand beside itself: there is nothing to compare.
    pub fn stands_alone(&self, matrix: &PolicyMatrix) -> bool {
        let own = self.policy.as_ref().zip(matrix.beside.as_ref());
        own.is_some_and(|(own, beside)| own.id == beside.id && self.source == Source::Version(beside.version))
    }

    /// The rows that are asked for.
    pub fn rows<'a>(&self, matrix: &'a PolicyMatrix) -> Vec<&'a MatrixRow> {
        let all = !self.only_differences() || self.stands_alone(matrix);
        let shown = |row: &&MatrixRow| all || row.difference != Difference::Same;
        matrix.tools.iter().filter(shown).collect()
    }

    /// What stands in a row.
    pub fn cells<'a>(&self, matrix: &PolicyMatrix, row: &'a MatrixRow) -> Vec<&'a MatrixCell> {
        if self.stands_alone(matrix) { vec![&row.draft] } else { vec![&row.in_force, &row.draft] }
    }

    /// What of a saved policy the editor is to mark.
    pub fn marks(&self) -> Option<&str> {
        let verdict = self.verdict.as_ref().filter(|_| self.policy.is_some())?;
        verdict.result.pointer.as_deref()
    }

    /// Something is wrong with this line.
    pub fn is_bad(&self, line: &Line) -> bool {
        self.problems.iter().any(|problem| usize::try_from(problem.line).is_ok_and(|at| at == line.number))
    }

    /// Who calls was typed, so it is shown.
    pub fn names_caller(&self) -> bool {
        typed::CALLER.iter().any(|field| self.form.given(field).is_some())
    }
}

/// A text, and where it comes from.
struct Tried {
    source: Source,
    document: String,
}

/// `GET /o/{org}/servers/{server}/policies/{policy}/simulate`
pub async fn simulate(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): At<(String, ServerId, PolicyId)>,
    RawQuery(query): RawQuery,
) -> Result<Page<Simulate>, ErrorPage> {
    let (view, policy) = opened(&state, &member, server, id).await?;
    let form = Form::read(query.unwrap_or_default().as_bytes());
    let tried = saved(&state, &member, &policy, &form).await?;
    Ok(Page(page(&state, &member, (view, Some(policy.summary)), tried, form).await?))
}

/// `POST /o/{org}/servers/{server}/policies/{policy}/simulate`
pub async fn submit(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): At<(String, ServerId, PolicyId)>,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let (view, policy) = opened(&state, &member, server, id).await?;
    let tried = match typed::draft(&form) {
        Some(_) => {
            let document = Draft::written(&mut form);
            let source = if document == policy.document {
                Source::Version(policy.shown_version)
            } else {
                Source::Draft
            };
            Tried { source, document }
        }
        None => saved(&state, &member, &policy, &form).await?,
    };
    answer(&state, &member, (view, Some(policy.summary)), tried, form).await
}

/// `GET /o/{org}/servers/{server}/policies/new/simulate`: the proposal of the server.
pub async fn simulate_new(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server)): At<(String, ServerId)>,
    RawQuery(query): RawQuery,
) -> Result<Page<Simulate>, ErrorPage> {
    let view = super::new::opened(&state, &member, server).await?;
    let form = Form::read(query.unwrap_or_default().as_bytes());
    let tried = proposed(&state, &member, server).await?;
    Ok(Page(page(&state, &member, (view, None), tried, form).await?))
}

/// `POST /o/{org}/servers/{server}/policies/new/simulate`
pub async fn submit_new(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server)): At<(String, ServerId)>,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let view = super::new::opened(&state, &member, server).await?;
    let tried = match typed::draft(&form) {
        Some(_) => Tried { source: Source::Draft, document: Draft::written(&mut form) },
        None => proposed(&state, &member, server).await?,
    };
    answer(&state, &member, (view, None), tried, form).await
}

/// The version that is asked for, else the one in force.
async fn saved(
    state: &DashboardState,
    member: &Member,
    policy: &Policy,
    form: &Form,
) -> Result<Tried, ErrorPage> {
    let wanted = form.given("version").map(|text| text.trim().parse::<u32>()).transpose();
    let wanted = wanted.map_err(|_| ErrorPage::NotFound)?.filter(|wanted| *wanted != policy.shown_version);
    if wanted.is_none() {
        let source = Source::Version(policy.shown_version);
        return Ok(Tried { source, document: policy.document.clone() });
    }
    let old = state.control.policy(&member.actor, policy.summary.id, wanted).await?;
    Ok(Tried { source: Source::Version(old.shown_version), document: old.document })
}

async fn proposed(state: &DashboardState, member: &Member, server: ServerId) -> Result<Tried, ErrorPage> {
    let document = state.control.propose_policy(&member.actor, server).await?;
    Ok(Tried { source: Source::Proposal, document })
}

/// What a form is answered with: the address of what it asks, or the page where that has none.
async fn answer(
    state: &DashboardState,
    member: &Member,
    (view, policy): (View, Option<PolicySummary>),
    tried: Tried,
    form: Form,
) -> Result<Response, ErrorPage> {
    let page = page(state, member, (view, policy), tried, form).await?;
    let in_force = page.policy.as_ref().map(|policy| policy.version);
    match typed::address(&page.form, page.source, in_force) {
        Some(query) if page.form.problems("").next().is_none() => {
            let query = if query.is_empty() { query } else { format!("?{query}") };
            // Where the page is longer than the screen, the browser goes on to what was asked for.
            let place = if page.form.given("call").is_some() { "#verdict" } else { "" };
            Ok(Redirect::to(&format!("{}{query}{place}", page.action())).into_response())
        }
        _ => Ok(Page(page).into_response()),
    }
}

async fn page(
    state: &DashboardState,
    member: &Member,
    (view, policy): (View, Option<PolicySummary>),
    Tried { source, document }: Tried,
    mut form: Form,
) -> Result<Simulate, ErrorPage> {
    let (control, actor, server) = (&state.control, &member.actor, view.server.id);
    let tools = control.tools(actor, server).await?;
    typed::fill(state, member, server, &tools, &mut form).await?;
    let context = typed::context(&form);

    let own = policy.as_ref().map(|policy| policy.id);
    let beside = typed::beside(&form, own);
    let input = MatrixInput { document: document.clone(), beside, context: context.clone() };
    let mut problems = Vec::new();
    let matrix = match control.policy_matrix(actor, server, &input).await {
        Ok(matrix) => Some(matrix),
        Err(control::Error::InvalidPolicy(found)) => {
            problems = found;
            None
        }
        Err(error) => {
            form.absorb(error)?;
            None
        }
    };
    let verdict = match form.given("call") {
        Some(tool) if problems.is_empty() => {
            let arguments = form.value("arguments").to_owned();
            let input = Simulation { document: document.clone(), tool, arguments, context };
            match control.simulate(actor, server, &input).await {
                Ok(result) => Some(Verdict::of(result, &document)),
                Err(error) => {
                    form.absorb(error)?;
                    None
                }
            }
        }
        _ => None,
    };
    let rule = verdict.as_ref().and_then(|verdict| verdict.result.pointer.as_deref());
    let part = own.map_or_else(|| "new".to_owned(), |id| id.to_string());
    let filter = Filter { server: Some(server), tool: Some("*".to_owned()), ..Filter::default() };
    let policies = control.policies(actor, Some(server)).await?;
    Ok(Simulate {
        frame: member.frame(state, "servers"),
        base: member.path(&format!("/servers/{server}/policies/{part}")),
        lines: marked(&document, rule),
        besides: typed::besides(policy.as_ref(), &policies),
        recent: control.decisions(actor, &filter, None, RECENT).await?.rows,
        tools: tools.into_iter().map(|tool| tool.name).collect(),
        view,
        policy,
        source,
        form,
        document,
        problems,
        verdict,
        matrix,
    })
}
