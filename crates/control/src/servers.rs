//! Upstream servers: registering, renaming, their credentials and tools.

mod difference;
pub(crate) mod headers;
mod input;
mod protocol;
mod view;

use chrono::{DateTime, Utc};
use domain::{Label, Role, ServerId, UpstreamUrl};
use http::header::AUTHORIZATION;
use serde_json::json;
use storage::{NewServerRow, ServerRow, Sighting, TenantTx};

pub(crate) use headers::UpstreamHeader;
pub use input::{NewHeader, NewServer, ProbeRequest, ServerChange};
pub use protocol::{ProtocolChange, ProtocolSettings, ToolApproval};
pub use view::{ProbeReport, Server, ServerState, ToolRefresh};

use self::difference::Difference;
use crate::change::Event;
use crate::connections::{self, Login};
use crate::input::Problems;
use crate::probe::Sight;
use crate::{Actor, Conflict, Control, Error, Tool};

/// Servers an organisation may have.
const MOST: i64 = 200;

impl Control {
    /// Looks at an upstream and saves nothing. Needs `admin`.
    pub async fn probe(&self, actor: &Actor, input: &ProbeRequest) -> Result<ProbeReport, Error> {
        actor.needs(Role::Admin)?;
        let mut problems = Problems::new();
        let url = problems.take("/upstream_url", input.upstream_url.parse::<UpstreamUrl>());
        let headers = headers::read(&input.headers, &mut problems);
        let Some(url) = url else { return Err(problems.into()) };
        problems.check()?;
        let sight = self.look(&url, &headers).await;
        Ok(ProbeReport {
            state: sight.state,
            message: sight.message,
            protocol_version: sight.protocol_version,
            upstream_name: sight.upstream_name,
            tools: sight.tools.into_iter().map(Tool::of).collect(),
        })
    }

    /// Registers an upstream with what a look at it finds; one that is down or asks for other credentials is registered
    /// all the same, and says so. Needs `admin`.
    pub async fn register_server(&self, actor: &Actor, input: &NewServer) -> Result<Server, Error> {
        actor.needs(Role::Admin)?;
        let mut problems = Problems::new();
        let name = problems.take("/name", input.name.parse::<Label>());
        let url = problems.take("/upstream_url", input.upstream_url.parse::<UpstreamUrl>());
        let headers = headers::read(&input.headers, &mut problems);
        let entry = problems.take("/catalogue_entry", self.entry(input.catalogue_entry.as_deref()));
        let (Some(name), Some(url), Some(entry)) = (name, url, entry) else { return Err(problems.into()) };
        problems.check()?;
        if self.organisation(actor).await?.servers >= MOST {
            return Err(Conflict::Full { what: "servers", max: MOST }.into());
        }
        let sight = refuse_unreachable(self.look(&url, &headers).await)?;

        let id: ServerId = self.id();
        let mut change = self.change(actor).await?;
        let sighting = sight.sighting(self.now());
        change
            .insert_server(&NewServerRow {
                id,
                name: &name,
                upstream_url: &url,
                catalogue_entry: entry,
                sighting,
                created_at: self.now(),
            })
            .await?;
        for header in &headers {
            change.insert_credential(id, &self.seal(actor, id, header)?, self.now()).await?;
        }
        change.upsert_tools(id, &sight.tools, self.now()).await?;
        let event = Event::new("server.register", id.uuid(), name.as_str());
        let details = json!({
            "upstream_url": url.as_str(), "state": sight.state, "headers": names(&headers),
        });
        change.commit(actor, event.with(details)).await?;
        self.server(actor, id).await
    }

    /// All servers, by name.
    pub async fn servers(&self, actor: &Actor) -> Result<Vec<Server>, Error> {
        let rows = self.tenant(actor).await?.servers(None, self.now()).await?;
        rows.into_iter().map(|row| self.shown(row)).collect()
    }

    /// One server.
    pub async fn server(&self, actor: &Actor, id: ServerId) -> Result<Server, Error> {
        let row = self.tenant(actor).await?.servers(Some(id), self.now()).await?.pop();
        self.shown(row.ok_or(Error::NotFound)?)
    }

    /// Renames a server, points it elsewhere or replaces its headers, and looks at it anew unless it is only renamed.
    /// Credentials are for one host: when that changes, they must be given again in the same change. Needs `admin`.
    pub async fn update_server(
        &self,
        actor: &Actor,
        id: ServerId,
        input: &ServerChange,
    ) -> Result<Server, Error> {
        actor.needs(Role::Admin)?;
        let before = self.server(actor, id).await?;
        let wanted = input.read(&before)?;
        let known = self.stored_headers(actor, id).await?;
        let mut sent = wanted.headers.clone().unwrap_or(known);
        let stays = wanted.url.as_str() == before.upstream_url;
        if stays {
            self.add_token(actor, &before, &mut sent).await?;
        }
        let looks_anew = wanted.headers.is_some() || !stays;
        let sight =
            if looks_anew { Some(refuse_unreachable(self.look(&wanted.url, &sent).await)?) } else { None };

        let mut change = self.change(actor).await?;
        if !change.update_server(id, &wanted.name, &wanted.url).await? {
            return Err(Error::NotFound);
        }
        if let Some(headers) = &wanted.headers {
            change.delete_credentials(id).await?;
            for header in headers {
                change.insert_credential(id, &self.seal(actor, id, header)?, self.now()).await?;
            }
        }
        let ended =
            if stays { Vec::new() } else { connections::foreign(&mut change, id, &wanted.url).await? };
        if let Some(sight) = &sight {
            self.note(&mut change, id, &wanted.url, sight).await?;
        }
        let event = Event::new("server.update", id.uuid(), wanted.name.as_str());
        let details = json!({
            "before": { "name": before.name, "upstream_url": before.upstream_url },
            "upstream_url": wanted.url.as_str(),
            "headers": wanted.headers.as_deref().map(names),
            "connections_ended": ended.len(),
        });
        change.commit(actor, event.with(details)).await?;
        self.give_back(ended);
        self.server(actor, id).await
    }

    /// Looks at the upstream again and takes over its tools; what is known stays when it is not ready. Needs `editor`.
    pub async fn refresh_tools(&self, actor: &Actor, id: ServerId) -> Result<ToolRefresh, Error> {
        actor.needs(Role::Editor)?;
        let before = self.server(actor, id).await?;
        let url: UpstreamUrl = before.upstream_url.parse().map_err(Error::internal)?;
        let mut headers = self.stored_headers(actor, id).await?;
        self.add_token(actor, &before, &mut headers).await?;
        let sight = self.look(&url, &headers).await;
        let sight = if before.login == Login::Headers { sight } else { sight.after_login() };

        let mut change = self.change(actor).await?;
        let difference = self.note(&mut change, id, &url, &sight).await?;
        let event = Event::new("server.refresh", id.uuid(), before.name);
        let details = json!({
            "state": sight.state, "added": difference.added, "removed": difference.removed,
            "changed": difference.changed,
        });
        change.commit(actor, event.with(details)).await?;
        let server = self.server(actor, id).await?;
        let Difference { added, removed, changed } = difference;
        Ok(ToolRefresh { server, added, removed, changed })
    }

    /// Deletes a server with its credentials, policies and grants; the tokens of its connections are given back. The log
    /// keeps what was decided. Needs `admin`.
    pub async fn delete_server(&self, actor: &Actor, id: ServerId) -> Result<(), Error> {
        actor.needs(Role::Admin)?;
        let server = self.server(actor, id).await?;
        let mut change = self.change(actor).await?;
        let ended = change.delete_connections(id, None).await?;
        if !change.delete_server(id).await? {
            return Err(Error::NotFound);
        }
        let event = Event::new("server.delete", id.uuid(), server.name);
        let details = json!({
            "upstream_url": server.upstream_url, "grants": server.grants, "connections_ended": ended.len(),
        });
        change.commit(actor, event.with(details)).await?;
        self.give_back(ended);
        Ok(())
    }

    /// The tools of a server, in the upstream's order.
    pub async fn tools(&self, actor: &Actor, id: ServerId) -> Result<Vec<Tool>, Error> {
        self.server(actor, id).await?;
        let rows = self.tenant(actor).await?.tools(id).await?;
        Ok(rows.into_iter().map(Tool::stored).collect())
    }

    /// Where clients call this server.
    pub(crate) fn gateway_url(&self, id: ServerId) -> String {
        format!("{}/mcp/{id}", self.parts().public_url)
    }

    fn shown(&self, row: ServerRow) -> Result<Server, Error> {
        Ok(Server {
            id: row.id,
            name: row.name,
            upstream_url: row.upstream_url,
            gateway_url: self.gateway_url(row.id),
            catalogue_entry: row.catalogue_entry,
            state: ServerState::read(&row.state).ok_or_else(|| Error::internal("unknown server state"))?,
            state_message: row.state_message,
            checked_at: row.checked_at,
            protocol_version: row.protocol_version,
            upstream_name: row.upstream_name,
            login: Login::read(&row.login).ok_or_else(|| Error::internal("unknown login"))?,
            header_names: row.header_names,
            tools: row.tools,
            policies: row.policies,
            grants: row.grants,
            created_at: row.created_at,
        })
    }

    fn entry<'a>(&self, id: Option<&'a str>) -> Result<Option<&'a str>, String> {
        let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(None) };
        if self.catalogue().iter().any(|entry| entry.id == id) {
            Ok(Some(id))
        } else {
            Err("is not in the catalogue: leave it out".to_owned())
        }
    }

    /// Adds the token of a connection, if there is one that can be used.
    async fn add_token(
        &self,
        actor: &Actor,
        server: &Server,
        headers: &mut Vec<UpstreamHeader>,
    ) -> Result<(), Error> {
        if let Some(value) = self.token_for_look(actor, server).await? {
            headers.retain(|header| header.name != AUTHORIZATION);
            headers.push(UpstreamHeader { name: AUTHORIZATION, value });
        }
        Ok(())
    }

    pub(crate) async fn stored_headers(
        &self,
        actor: &Actor,
        id: ServerId,
    ) -> Result<Vec<UpstreamHeader>, Error> {
        let sealed = self.tenant(actor).await?.credentials(id).await?;
        sealed.iter().map(|header| self.open(actor, id, header)).collect()
    }

    /// Writes down what a look found, and the tools if it found any.
    pub(crate) async fn note(
        &self,
        tx: &mut TenantTx,
        id: ServerId,
        url: &UpstreamUrl,
        sight: &Sight,
    ) -> Result<Difference, Error> {
        let now = self.now();
        if !tx.note_sighting(id, url, &sight.sighting(now)).await? {
            return Err(Error::NotFound);
        }
        if sight.state != ServerState::Ready {
            return Ok(Difference::default());
        }
        let difference = Difference::between(&tx.tools(id).await?, &sight.tools);
        let names: Vec<_> = sight.tools.iter().map(|tool| tool.name.clone()).collect();
        tx.delete_tools_except(id, &names).await?;
        tx.upsert_tools(id, &sight.tools, now).await?;
        Ok(difference)
    }
}

/// An address that can't or mustn't be called is refused at its field; every other trouble is shown on the server's page.
fn refuse_unreachable(sight: Sight) -> Result<Sight, Error> {
    if sight.state == ServerState::Refused {
        return Err(Error::field("/upstream_url", sight.message));
    }
    Ok(sight)
}

fn names(headers: &[UpstreamHeader]) -> Vec<&str> {
    headers.iter().map(|header| header.name.as_str()).collect()
}

impl Sight {
    /// The same of a server that is logged in to by a connection.
    pub(crate) fn after_login(mut self) -> Self {
        if self.state == ServerState::Unauthorized {
            "Upstream does not let Tollgate in: connect it again.".clone_into(&mut self.message);
        }
        self
    }

    fn sighting(&self, at: DateTime<Utc>) -> Sighting<'_> {
        Sighting {
            state: self.state.as_str(),
            message: &self.message,
            protocol_version: self.protocol_version.as_deref(),
            upstream_name: self.upstream_name.as_deref(),
            at,
        }
    }
}
