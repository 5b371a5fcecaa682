//! Grants: the tokens that agents call with. Every change is obeyed by the next call.

mod token;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{GrantId, IdError, Identity, Label, PolicyId, Role, Secret, ServerId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use storage::{GrantRow, NewGrantRow, TenantTx};
use utoipa::ToSchema;

use crate::change::Event;
use crate::input::{self, Problems};
use crate::{Actor, ClientConfiguration, Conflict, Control, Error, Standing};

/// A grant, without its token.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Grant {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: GrantId,
    /// The server it lets call.
    #[schema(value_type = String, format = Uuid)]
    pub server_id: ServerId,
    /// That server's name.
    pub server_name: String,
    /// What it is for.
    pub label: String,
    /// Who acts through it.
    pub identity: String,
    /// What judges its calls; none: all are denied.
    pub policy: Option<PolicyRef>,
    /// The token's ends, to tell grants apart: `tg_grant_…a1b2`.
    pub hint: String,
    /// Whether it works.
    pub state: Standing,
    /// Who minted it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When its token was last replaced.
    pub rotated_at: Option<DateTime<Utc>>,
    /// It does not work from then on.
    pub expires_at: Option<DateTime<Utc>>,
    /// It has not worked since.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Its last decision in the log.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// The policy of a grant.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PolicyRef {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: PolicyId,
    /// Its name.
    pub name: String,
    /// The version in force.
    pub version: u32,
}

/// A grant to mint, as typed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// 1 to 80 characters.
    #[schema(example = "CI bot")]
    pub label: String,
    /// A person's e-mail or an agent's name, 1 to 120 characters.
    #[schema(example = "ada@example.com")]
    pub identity: String,
    /// Id of a policy of the same server. None: every call is denied.
    #[serde(default)]
    pub policy_id: Option<String>,
    /// A day (`2027-01-31`, its end in UTC) or a time (RFC 3339). None: it works until it is revoked.
    #[serde(default)]
    pub expires_at: Option<String>,
}

/// A grant with its token, when it is minted, rotated or revealed.
#[derive(Clone, Debug)]
pub struct MintedGrant {
    /// The grant.
    pub grant: Grant,
    /// `tg_grant_...`.
    pub token: Secret<String>,
    /// How to tell clients about it, the token filled in.
    pub clients: Vec<ClientConfiguration>,
}

/// Grants of a server that work at once.
const MOST: i64 = 1000;

impl Control {
    /// Mints a grant. Needs `editor`.
    pub async fn mint_grant(
        &self,
        actor: &Actor,
        server: ServerId,
        input: &NewGrant,
    ) -> Result<MintedGrant, Error> {
        actor.needs(Role::Editor)?;
        self.server(actor, server).await?;
        let mut problems = Problems::new();
        let label = problems.take("/label", input.label.parse::<Label>());
        let identity = problems.take("/identity", input.identity.parse::<Identity>());
        let policy = problems.take("/policy_id", policy_id(input.policy_id.as_deref()));
        let expires_at = problems.take("/expires_at", input::expiry(input.expires_at.as_deref(), self.now()));
        let (Some(label), Some(identity), Some(policy), Some(expires_at)) =
            (label, identity, policy, expires_at)
        else {
            return Err(problems.into());
        };

        let id = self.id();
        let (token, row) = self.new_token(actor, id)?;
        let mut change = self.change(actor).await?;
        if change.count_grants(server, self.now()).await? >= MOST {
            return Err(Conflict::Full { what: "grants of this server", max: MOST }.into());
        }
        change
            .insert_grant(&NewGrantRow {
                id,
                server,
                policy,
                label: &label,
                identity: &identity,
                token: &row,
                created_by: &actor.label(),
                created_at: self.now(),
                expires_at,
            })
            .await?;
        let event = Event::new("grant.mint", id.uuid(), label.as_str());
        let details = json!({
            "server_id": server, "identity": identity, "policy_id": policy, "expires_at": expires_at,
        });
        change.commit(actor, event.with(details)).await?;
        self.minted(actor, id, &token).await
    }

    /// The grants of a server, or of all when none is named: those that work first, newest first, at most 2000.
    pub async fn grants(&self, actor: &Actor, server: Option<ServerId>) -> Result<Vec<Grant>, Error> {
        if let Some(server) = server {
            self.server(actor, server).await?;
        }
        let mut tx = self.tenant(actor).await?;
        let rows = tx.grants(server, None, self.now()).await?;
        self.with_last_use(&mut tx, rows).await
    }

    /// One grant.
    pub async fn grant(&self, actor: &Actor, id: GrantId) -> Result<Grant, Error> {
        let mut tx = self.tenant(actor).await?;
        let rows = tx.grants(None, Some(id), self.now()).await?;
        self.with_last_use(&mut tx, rows).await?.pop().ok_or(Error::NotFound)
    }

    /// Takes the grant back for good; revoking a revoked one changes nothing. Needs `editor`.
    pub async fn revoke_grant(&self, actor: &Actor, id: GrantId) -> Result<Grant, Error> {
        actor.needs(Role::Editor)?;
        let grant = self.grant(actor, id).await?;
        if grant.revoked_at.is_some() {
            return Ok(grant);
        }
        let mut change = self.change(actor).await?;
        if change.revoke_grant(id, self.now()).await? {
            change.commit(actor, Event::new("grant.revoke", id.uuid(), grant.label)).await?;
        }
        self.grant(actor, id).await
    }

    /// Puts the grant under another policy of its server, or under none, which denies every call. Needs `editor`.
    pub async fn attach_policy(
        &self,
        actor: &Actor,
        id: GrantId,
        policy: Option<PolicyId>,
    ) -> Result<Grant, Error> {
        let grant = self.unrevoked(actor, id).await?;
        let before = grant.policy.map(|policy| policy.id);
        let mut change = self.change(actor).await?;
        if !change.attach_policy(id, policy).await? {
            return Err(Conflict::Revoked.into());
        }
        let event = Event::new("grant.attach", id.uuid(), grant.label);
        change.commit(actor, event.with(json!({ "policy_id": policy, "before": before }))).await?;
        self.grant(actor, id).await
    }

    /// Sets or clears when the grant ends: a day or a time as in [`NewGrant::expires_at`]. Needs `editor`.
    pub async fn set_grant_expiry(
        &self,
        actor: &Actor,
        id: GrantId,
        expires_at: Option<&str>,
    ) -> Result<Grant, Error> {
        let grant = self.unrevoked(actor, id).await?;
        let expires_at =
            input::expiry(expires_at, self.now()).map_err(|error| Error::field("/expires_at", error))?;
        let mut change = self.change(actor).await?;
        if !change.set_grant_expiry(id, expires_at).await? {
            return Err(Conflict::Revoked.into());
        }
        let event = Event::new("grant.expiry", id.uuid(), grant.label);
        let details = json!({ "expires_at": expires_at, "before": grant.expires_at });
        change.commit(actor, event.with(details)).await?;
        self.grant(actor, id).await
    }

    async fn with_last_use(&self, tx: &mut TenantTx, rows: Vec<GrantRow>) -> Result<Vec<Grant>, Error> {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let used: HashMap<_, _> = audit::last_used(tx, &ids).await?.into_iter().collect();
        let now = self.now();
        Ok(rows.into_iter().map(|row| Grant::of(used.get(&row.id).copied(), row, now)).collect())
    }

    /// A grant that can still be changed.
    async fn unrevoked(&self, actor: &Actor, id: GrantId) -> Result<Grant, Error> {
        actor.needs(Role::Editor)?;
        let grant = self.grant(actor, id).await?;
        if grant.revoked_at.is_some() { Err(Conflict::Revoked.into()) } else { Ok(grant) }
    }
}

pub(crate) fn policy_id(text: Option<&str>) -> Result<Option<PolicyId>, IdError> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::parse).transpose()
}

impl Grant {
    fn of(last_used_at: Option<DateTime<Utc>>, row: GrantRow, now: DateTime<Utc>) -> Self {
        let policy =
            row.policy.map(|policy| PolicyRef { id: policy.id, name: policy.name, version: policy.version });
        Self {
            id: row.id,
            server_id: row.server,
            server_name: row.server_name,
            label: row.label,
            identity: row.identity,
            policy,
            hint: row.hint,
            state: Standing::at(now, row.expires_at, row.revoked_at),
            created_by: row.created_by,
            created_at: row.created_at,
            rotated_at: row.rotated_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at,
        }
    }
}
