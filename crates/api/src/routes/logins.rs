//! `/servers/{id}/login`: how a server is logged in to, and the connections to it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use control::{ConnectLink, Control, Disconnected, LoginChange, NewConnectLink, ServerLogin};
use domain::{ConnectionId, ServerId};

use crate::body::Strict;
use crate::caller::Caller;
use crate::document::Conflict;
use crate::path::{Connection, Id};
use crate::problem::Problem;

/// Get the login of a server
///
/// How it is logged in to beside its headers, with the connections that were made. Tokens are sealed and never shown.
#[utoipa::path(
    get, path = "/servers/{id}/login", tag = "servers", params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "The login.", body = ServerLogin))
)]
pub(crate) async fn get_login(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
) -> Result<Json<ServerLogin>, Problem> {
    Ok(Json(control.server_login(&actor, id).await?))
}

/// Change the login of a server
///
/// What is left out stays. Connections that do not fit are ended. Needs the role `admin`.
#[utoipa::path(
    patch, path = "/servers/{id}/login", tag = "servers", request_body = LoginChange,
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "Changed.", body = ServerLogin))
)]
pub(crate) async fn change_login(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
    Strict(body): Strict<LoginChange>,
) -> Result<Json<ServerLogin>, Problem> {
    Ok(Json(control.change_login(&actor, id, &body).await?))
}

/// Make a link to connect a server
///
/// Whoever opens it in a browser connects their account at the upstream: once, within a week. Needs the role `admin`.
#[utoipa::path(
    post, path = "/servers/{id}/login/links", tag = "servers", request_body = NewConnectLink,
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 201, description = "Made; it is shown once.", body = ConnectLink), Conflict)
)]
pub(crate) async fn make_connect_link(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
    Strict(body): Strict<NewConnectLink>,
) -> Result<(StatusCode, Json<ConnectLink>), Problem> {
    Ok((StatusCode::CREATED, Json(control.make_connect_link(&actor, id, &body).await?)))
}

/// Connect a server without a person
///
/// The client that was registered by hand gets a token of its own (client credentials), for every grant. It takes the place of
/// the connection that there was. Needs the role `admin`.
#[utoipa::path(
    post, path = "/servers/{id}/login/connections", tag = "servers",
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 201, description = "Connected.", body = ServerLogin), Conflict)
)]
pub(crate) async fn connect_as_client(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
) -> Result<(StatusCode, Json<ServerLogin>), Problem> {
    Ok((StatusCode::CREATED, Json(control.connect_as_client(&actor, id).await?)))
}

/// End a connection
///
/// Its tokens are forgotten, and the next call is made without. Then the authorization server is asked to revoke them; the answer
/// says what became of that. Needs the role `admin`.
#[utoipa::path(
    delete, path = "/servers/{id}/login/connections/{connection}", tag = "servers",
    params(
        ("id" = Uuid, Path, description = "The server."),
        ("connection" = Uuid, Path, description = "The connection.")
    ),
    responses((status = 200, description = "Ended.", body = Disconnected))
)]
pub(crate) async fn disconnect(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
    Connection(connection): Connection<ConnectionId>,
) -> Result<Json<Disconnected>, Problem> {
    Ok(Json(control.disconnect(&actor, id, connection).await?))
}
