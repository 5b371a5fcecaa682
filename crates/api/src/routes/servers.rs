//! `/servers` and `/catalogue`: upstream MCP servers, their credentials and tools.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use control::{
    CatalogueEntry, Control, NewHeader, NewServer, ProbeReport, ProbeRequest, ProtocolChange,
    ProtocolSettings, Server, ServerChange, Tool, ToolApproval, ToolRefresh,
};
use domain::ServerId;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::Strict;
use crate::caller::Caller;
use crate::document::Conflict;
use crate::page::Page;
use crate::path::Id;
use crate::problem::Problem;

/// The headers that are sent to an upstream, all of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// An empty list removes them.
    headers: Vec<NewHeader>,
}

/// List known servers
///
/// What can be registered without looking its address up.
#[utoipa::path(
    get, path = "/catalogue", tag = "servers",
    responses((status = 200, description = "The catalogue.", body = Page<CatalogueEntry>))
)]
pub(crate) async fn list_catalogue(State(control): State<Control>, _: Caller) -> Json<Page<CatalogueEntry>> {
    Json(Page::whole(control.catalogue().to_vec()))
}

/// Look at an upstream
///
/// Connects, lists the tools, and saves nothing. An upstream that is down, slow or refuses is a report, not a refusal.
/// Needs the role `admin`.
#[utoipa::path(
    post, path = "/servers/probe", tag = "servers", request_body = ProbeRequest,
    responses((status = 200, description = "What was found.", body = ProbeReport))
)]
pub(crate) async fn probe_server(
    State(control): State<Control>,
    Caller(actor): Caller,
    Strict(body): Strict<ProbeRequest>,
) -> Result<Json<ProbeReport>, Problem> {
    Ok(Json(control.probe(&actor, &body).await?))
}

/// List servers
#[utoipa::path(
    get, path = "/servers", tag = "servers",
    responses((status = 200, description = "By name.", body = Page<Server>))
)]
pub(crate) async fn list_servers(
    State(control): State<Control>,
    Caller(actor): Caller,
) -> Result<Json<Page<Server>>, Problem> {
    Ok(Json(Page::whole(control.servers(&actor).await?)))
}

/// Register a server
///
/// Connects and reads its tools. One that is down or refuses is registered all the same, and its `state` says so.
/// Header values are sealed and never shown again. Needs the role `admin`.
#[utoipa::path(
    post, path = "/servers", tag = "servers", request_body = NewServer,
    responses((status = 201, description = "Registered.", body = Server), Conflict)
)]
pub(crate) async fn register_server(
    State(control): State<Control>,
    Caller(actor): Caller,
    Strict(body): Strict<NewServer>,
) -> Result<(StatusCode, Json<Server>), Problem> {
    Ok((StatusCode::CREATED, Json(control.register_server(&actor, &body).await?)))
}

/// Get a server
#[utoipa::path(
    get, path = "/servers/{id}", tag = "servers", params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "The server.", body = Server))
)]
pub(crate) async fn get_server(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
) -> Result<Json<Server>, Problem> {
    Ok(Json(control.server(&actor, id).await?))
}

/// Change a server
///
/// What is left out stays. Credentials are for one host: when that changes, send `headers` in the same request. Needs
/// the role `admin`.
#[utoipa::path(
    patch, path = "/servers/{id}", tag = "servers", request_body = ServerChange,
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "Changed.", body = Server))
)]
pub(crate) async fn update_server(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
    Strict(body): Strict<ServerChange>,
) -> Result<Json<Server>, Problem> {
    Ok(Json(control.update_server(&actor, id, &body).await?))
}

/// Delete a server
///
/// With its credentials, policies and grants; the log keeps what was decided. Needs the role `admin`.
#[utoipa::path(
    delete, path = "/servers/{id}", tag = "servers", params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 204, description = "Deleted."))
)]
pub(crate) async fn delete_server(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
) -> Result<StatusCode, Problem> {
    control.delete_server(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replace the credentials of a server
///
/// Values are sealed and never shown again; the server shows their names. Needs the role `admin`.
#[utoipa::path(
    put, path = "/servers/{id}/credentials", tag = "servers", request_body = Credentials,
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "Replaced.", body = Server))
)]
pub(crate) async fn replace_credentials(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
    Strict(body): Strict<Credentials>,
) -> Result<Json<Server>, Problem> {
    let change = ServerChange { headers: Some(body.headers), ..ServerChange::default() };
    Ok(Json(control.update_server(&actor, id, &change).await?))
}

/// List the tools of a server
#[utoipa::path(
    get, path = "/servers/{id}/tools", tag = "servers",
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "In the upstream's order.", body = Page<Tool>))
)]
pub(crate) async fn list_tools(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
) -> Result<Json<Page<Tool>>, Problem> {
    Ok(Json(Page::whole(control.tools(&actor, id).await?)))
}

/// Read the tools of a server anew
///
/// Needs the role `editor`.
#[utoipa::path(
    post, path = "/servers/{id}/refresh", tag = "servers",
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "What changed.", body = ToolRefresh))
)]
pub(crate) async fn refresh_tools(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
) -> Result<Json<ToolRefresh>, Problem> {
    Ok(Json(control.refresh_tools(&actor, id).await?))
}

/// Get the protocol settings of a server
///
/// Methods of its own, and whether its tools are pinned.
#[utoipa::path(
    get, path = "/servers/{id}/protocol", tag = "servers",
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "The settings.", body = ProtocolSettings))
)]
pub(crate) async fn get_protocol(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
) -> Result<Json<ProtocolSettings>, Problem> {
    Ok(Json(control.protocol(&actor, id).await?))
}

/// Change the protocol settings of a server
///
/// What is left out stays. Pinning approves every tool as it was last read. Needs the role `admin`.
#[utoipa::path(
    patch, path = "/servers/{id}/protocol", tag = "servers", request_body = ProtocolChange,
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "Changed.", body = ProtocolSettings))
)]
pub(crate) async fn change_protocol(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
    Strict(body): Strict<ProtocolChange>,
) -> Result<Json<ProtocolSettings>, Problem> {
    Ok(Json(control.change_protocol(&actor, id, &body).await?))
}

/// Approve tool definitions
///
/// As they were last read; all tools, or those named. Needs the role `admin`.
#[utoipa::path(
    post, path = "/servers/{id}/tools/approve", tag = "servers", request_body = ToolApproval,
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "Approved.", body = ProtocolSettings))
)]
pub(crate) async fn approve_tools(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
    Strict(body): Strict<ToolApproval>,
) -> Result<Json<ProtocolSettings>, Problem> {
    Ok(Json(control.approve_tools(&actor, id, &body).await?))
}
