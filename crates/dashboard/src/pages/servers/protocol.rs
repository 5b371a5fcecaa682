//! `/o/{org}/servers/{server}/settings/protocol`: methods of the server's own, and tools held to what was approved.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::{ProtocolChange, ProtocolSettings, ToolApproval};
use domain::ServerId;

use super::view::View;
use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::render::{Page, refused};
use crate::state::DashboardState;
use crate::view::filters;

/// The page.
#[derive(Template)]
#[template(path = "servers/protocol.html")]
pub struct Protocol {
    pub frame: Frame,
    pub view: View,
    pub settings: ProtocolSettings,
    pub form: Form,
}

impl Protocol {
    async fn of(
        state: &DashboardState,
        member: &Member,
        id: ServerId,
        form: Option<Form>,
    ) -> Result<Self, ErrorPage> {
        let view = View::of(state, member, id, "/settings").await?;
        let view = view.deeper(member, "Protocol", &[("/settings", "Settings")]);
        let settings = state.control.protocol(&member.actor, id).await?;
        let form = form.unwrap_or_else(|| {
            let pinned = if settings.pin_tools { "yes" } else { "" };
            Form::with([("custom_methods", &settings.custom_methods.join("\n")), ("pin_tools", pinned)])
        });
        Ok(Self { frame: member.frame(state, "servers"), view, settings, form })
    }

    /// What is wrong with the methods, whichever of them it is.
    pub fn method_problems(&self) -> Vec<String> {
        let problems = self.form.all_problems().into_iter();
        problems
            .filter(|(field, _)| field.starts_with("custom_methods"))
            .map(|(_, problem)| problem)
            .collect()
    }
}

/// `GET /o/{org}/servers/{server}/settings/protocol`
pub async fn protocol(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ServerId)>,
) -> Result<Page<Protocol>, ErrorPage> {
    Ok(Page(Protocol::of(&state, &member, id, None).await?))
}

/// `POST /o/{org}/servers/{server}/settings/protocol`
pub async fn change(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ServerId)>,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let methods = form.value("custom_methods").split_whitespace().map(str::to_owned).collect();
    let input =
        ProtocolChange { custom_methods: Some(methods), pin_tools: Some(form.value("pin_tools") == "yes") };
    match state.control.change_protocol(&member.actor, id, &input).await {
        Ok(_) => {
            let back = member.path(&format!("/servers/{id}/settings/protocol"));
            Ok(Redirect::to(&back).into_response())
        }
        Err(error) => {
            form.absorb(error)?;
            Ok(refused(Protocol::of(&state, &member, id, Some(form)).await?))
        }
    }
}

/// `POST /o/{org}/servers/{server}/tools/approve`: those that are chosen.
pub async fn approve(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ServerId)>,
    form: Form,
) -> Result<Redirect, ErrorPage> {
    let tools = form.values("tool").map(str::to_owned).collect();
    state.control.approve_tools(&member.actor, id, &ToolApproval { tools: Some(tools) }).await?;
    Ok(Redirect::to(&member.path(&format!("/servers/{id}/tools"))))
}
