//! Organisations: making another one, renaming, and the numbers of the overview.

use chrono::{DateTime, Utc};
use domain::{Slug, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Actor, Control, Error, Session};

/// An organisation as its members see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Organisation {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: TenantId,
    /// Its part of the address, `/o/{slug}`. Never changes.
    #[schema(value_type = String, example = "acme")]
    pub slug: Slug,
    /// What people call it.
    pub name: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Servers registered.
    pub servers: i64,
    /// Policies written.
    pub policies: i64,
    /// Grants that work: neither revoked nor expired.
    pub grants: i64,
}

/// A name, as typed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganisationName {
    /// 1 to 80 characters.
    pub name: String,
}

impl Control {
    /// Makes an organisation owned by the person.
    pub async fn create_organisation(
        &self,
        session: &Session,
        input: &OrganisationName,
    ) -> Result<Slug, Error> {
        let _ = (session, input);
        unimplemented!()
    }

    /// The organisation acted in.
    pub async fn organisation(&self, actor: &Actor) -> Result<Organisation, Error> {
        let _ = actor;
        unimplemented!()
    }

    /// Renames it; the address stays. Needs `owner`.
    pub async fn rename_organisation(
        &self,
        actor: &Actor,
        input: &OrganisationName,
    ) -> Result<Organisation, Error> {
        let _ = (actor, input);
        unimplemented!()
    }
}
