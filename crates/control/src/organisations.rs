//! Organisations: making another one, renaming, and the numbers of the overview.

use chrono::{DateTime, Utc};
use domain::{Label, Role, Slug, TenantId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use storage::{MemberRow, SystemTx};
use utoipa::ToSchema;

use crate::change::Event;
use crate::{Actor, Conflict, Control, Error, Session};

/// Organisations a person may belong to.
const MOST: usize = 50;
/// Numbers tried behind a slug that is taken before a random one is.
const NUMBERED: u32 = 20;

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

/// A person who belongs to the organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Member {
    /// The person.
    #[schema(value_type = String, format = Uuid)]
    pub id: UserId,
    /// Their address.
    pub email: String,
    /// What they may do.
    #[schema(value_type = String, example = "owner")]
    pub role: Role,
    /// Since when.
    pub joined_at: DateTime<Utc>,
}

/// A name, as typed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganisationName {
    /// 1 to 80 characters.
    pub name: String,
}

impl OrganisationName {
    fn read(&self) -> Result<Label, Error> {
        self.name.parse().map_err(|error| Error::field("/name", error))
    }
}

impl Control {
    /// Makes an organisation owned by the person.
    pub async fn create_organisation(
        &self,
        session: &Session,
        input: &OrganisationName,
    ) -> Result<Slug, Error> {
        let name = input.read()?;
        if session.organisations.len() >= MOST {
            return Err(Conflict::Full { what: "organisations", max: 50 }.into());
        }
        let mut tx = self.parts().storage.system().await?;
        let slug = self.insert_organisation(&mut tx, session, &name).await?;
        tx.commit().await?;
        Ok(slug)
    }

    /// The organisation acted in.
    pub async fn organisation(&self, actor: &Actor) -> Result<Organisation, Error> {
        let row = self.tenant(actor).await?.organisation(self.now()).await?.ok_or(Error::NotFound)?;
        Ok(Organisation {
            id: actor.tenant,
            slug: row.slug.parse().map_err(Error::internal)?,
            name: row.name,
            created_at: row.created_at,
            servers: row.servers,
            policies: row.policies,
            grants: row.grants,
        })
    }

    /// Who belongs to it, by address.
    pub async fn members(&self, actor: &Actor) -> Result<Vec<Member>, Error> {
        let rows = self.parts().storage.system().await?.members(actor.tenant).await?;
        let member = |row: MemberRow| Member {
            id: row.user,
            email: row.email,
            role: row.role,
            joined_at: row.created_at,
        };
        Ok(rows.into_iter().map(member).collect())
    }

    /// Renames it; the address stays. Needs `owner`.
    pub async fn rename_organisation(
        &self,
        actor: &Actor,
        input: &OrganisationName,
    ) -> Result<Organisation, Error> {
        actor.needs(Role::Owner)?;
        let name = input.read()?;
        let before = self.organisation(actor).await?.name;
        let mut tx = self.tenant(actor).await?;
        tx.rename_organisation(&name).await?;
        let event = Event::new("organisation.rename", actor.tenant.uuid(), name.as_str());
        self.commit(tx, actor, event.with(json!({ "before": before }))).await?;
        self.organisation(actor).await
    }

    /// Makes an organisation owned by the person, under the first free slug that its name suggests.
    pub(crate) async fn insert_organisation(
        &self,
        tx: &mut SystemTx,
        owner: &Session,
        name: &Label,
    ) -> Result<Slug, Error> {
        let (tenant, now): (TenantId, _) = (self.id(), self.now());
        let suggested = Slug::suggest(name.as_str());
        // Six digits: a suggestion has at most 32 characters, a slug 40.
        let random = u32::from_be_bytes(self.parts().entropy.bytes()) % 1_000_000;
        let numbered = (2..=NUMBERED).chain([random]).map(|n| suggested.numbered(n));
        let mut free = None;
        for slug in std::iter::once(suggested.clone()).chain(numbered) {
            if tx.insert_tenant(tenant, &slug, name, now).await? {
                free = Some(slug);
                break;
            }
        }
        let slug = free.ok_or_else(|| Error::internal("no slug is free"))?;
        tx.insert_membership(tenant, owner.user, Role::Owner, now).await?;
        let event = Event::new("organisation.create", tenant.uuid(), name.as_str());
        let row = self.event_row(&owner.acting(tenant, Role::Owner), event);
        tx.insert_event(tenant, &row).await?;
        Ok(slug)
    }
}
