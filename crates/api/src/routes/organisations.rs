//! `/organisations`, a person's, and `/organisation`, the one acted in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use control::{Control, Member, Membership, Organisation, OrganisationName};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::Strict;
use crate::caller::{Caller, LoggedIn};
use crate::page::Page;
use crate::problem::Problem;

/// An organisation that a person belongs to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Membership)]
pub(crate) struct MembershipBody {
    /// Its id.
    id: Uuid,
    /// Its part of the address, `/o/{slug}`.
    #[schema(example = "acme")]
    slug: String,
    /// What people call it.
    name: String,
    /// What the person may do there: `viewer`, `editor`, `admin` or `owner`.
    #[schema(example = "owner")]
    role: &'static str,
}

/// The address of a new organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrganisationSlug {
    /// Its part of the address, `/o/{slug}`.
    #[schema(example = "acme")]
    slug: String,
}

/// List a person's organisations
#[utoipa::path(
    get, path = "/organisations", tag = "organisations", security(("session" = [])),
    responses((status = 200, description = "By name.", body = Page<MembershipBody>))
)]
pub(crate) async fn list_organisations(LoggedIn { session, .. }: LoggedIn) -> Json<Page<MembershipBody>> {
    Json(Page::whole(session.organisations.iter().map(MembershipBody::from).collect()))
}

/// Make another organisation
#[utoipa::path(
    post, path = "/organisations", tag = "organisations", security(("session" = [])),
    request_body = OrganisationName,
    responses((status = 201, description = "Made; the person owns it.", body = OrganisationSlug))
)]
pub(crate) async fn create_organisation(
    State(control): State<Control>,
    LoggedIn { session, .. }: LoggedIn,
    Strict(body): Strict<OrganisationName>,
) -> Result<(StatusCode, Json<OrganisationSlug>), Problem> {
    let slug = control.create_organisation(&session, &body).await?;
    Ok((StatusCode::CREATED, Json(OrganisationSlug { slug: slug.to_string() })))
}

/// Get the organisation
#[utoipa::path(
    get, path = "/organisation", tag = "organisations",
    responses((status = 200, description = "The organisation that the credentials are for.", body = Organisation))
)]
pub(crate) async fn get_organisation(
    State(control): State<Control>,
    Caller(actor): Caller,
) -> Result<Json<Organisation>, Problem> {
    Ok(Json(control.organisation(&actor).await?))
}

/// Rename the organisation
///
/// Its slug stays. Needs the role `owner`.
#[utoipa::path(
    patch, path = "/organisation", tag = "organisations", request_body = OrganisationName,
    responses((status = 200, description = "Renamed.", body = Organisation))
)]
pub(crate) async fn rename_organisation(
    State(control): State<Control>,
    Caller(actor): Caller,
    Strict(body): Strict<OrganisationName>,
) -> Result<Json<Organisation>, Problem> {
    Ok(Json(control.rename_organisation(&actor, &body).await?))
}

/// List the members of the organisation
#[utoipa::path(
    get, path = "/members", tag = "organisations",
    responses((status = 200, description = "By e-mail.", body = Page<Member>))
)]
pub(crate) async fn list_members(
    State(control): State<Control>,
    Caller(actor): Caller,
) -> Result<Json<Page<Member>>, Problem> {
    Ok(Json(Page::whole(control.members(&actor).await?)))
}

impl From<&Membership> for MembershipBody {
    fn from(membership: &Membership) -> Self {
        Self {
            id: membership.tenant.uuid(),
            slug: membership.slug.to_string(),
            name: membership.name.clone(),
            role: membership.role.as_str(),
        }
    }
}
