//! Grants: the tokens that agents call with. Every change is obeyed by the next call.

use chrono::{DateTime, Utc};
use domain::{GrantId, PolicyId, Secret, ServerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Actor, ClientConfiguration, Control, Error, Standing};

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

impl Control {
    /// Mints a grant. Needs `editor`.
    pub async fn mint_grant(
        &self,
        actor: &Actor,
        server: ServerId,
        input: &NewGrant,
    ) -> Result<MintedGrant, Error> {
        let _ = (actor, server, input);
        unimplemented!()
    }

    /// The grants of a server, newest first; of all servers when none is named.
    pub async fn grants(&self, actor: &Actor, server: Option<ServerId>) -> Result<Vec<Grant>, Error> {
        let _ = (actor, server);
        unimplemented!()
    }

    /// One grant.
    pub async fn grant(&self, actor: &Actor, id: GrantId) -> Result<Grant, Error> {
        let _ = (actor, id);
        unimplemented!()
    }

    /// Replaces the token; the old one is refused from the next call on. Needs `editor`.
    pub async fn rotate_grant(&self, actor: &Actor, id: GrantId) -> Result<MintedGrant, Error> {
        let _ = (actor, id);
        unimplemented!()
    }

    /// Shows the token again, to a person who types their password; it is in the admin log. Needs `admin`.
    pub async fn reveal_grant(
        &self,
        actor: &Actor,
        id: GrantId,
        password: &Secret<String>,
    ) -> Result<MintedGrant, Error> {
        let _ = (actor, id, password);
        unimplemented!()
    }

    /// Takes the grant back for good; revoking a revoked one changes nothing. Needs `editor`.
    pub async fn revoke_grant(&self, actor: &Actor, id: GrantId) -> Result<Grant, Error> {
        let _ = (actor, id);
        unimplemented!()
    }

    /// Puts the grant under another policy of its server, or under none, which denies every call. Needs `editor`.
    pub async fn attach_policy(
        &self,
        actor: &Actor,
        id: GrantId,
        policy: Option<PolicyId>,
    ) -> Result<Grant, Error> {
        let _ = (actor, id, policy);
        unimplemented!()
    }

    /// Sets or clears when the grant ends: a day or a time as in [`NewGrant::expires_at`]. Needs `editor`.
    pub async fn set_grant_expiry(
        &self,
        actor: &Actor,
        id: GrantId,
        expires_at: Option<&str>,
    ) -> Result<Grant, Error> {
        let _ = (actor, id, expires_at);
        unimplemented!()
    }
}
