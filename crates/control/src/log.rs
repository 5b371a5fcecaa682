//! The log of decisions, as members read it: pages, one row, what is new, numbers, export. Every role may read it.

use audit::{
    ClientUse, Cursor, Filter, Format, HourBar, Page, Row, RuleCount, ServerHour, Tail, TailCursor, ToolCount,
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::{DecisionId, GrantId, ServerId};
use futures_util::{Stream, StreamExt};

use crate::{Actor, Control, Error};

impl Control {
    /// The decisions that the filter lets through, newest first, behind `after`; 1 to [`audit::PAGE_MAX`] of them.
    pub async fn decisions(
        &self,
        actor: &Actor,
        filter: &Filter,
        after: Option<Cursor>,
        limit: u16,
    ) -> Result<Page, Error> {
        let mut tx = self.tenant(actor).await?;
        Ok(audit::search(&mut tx, filter, after, limit).await?)
    }

    /// One decision.
    pub async fn decision(&self, actor: &Actor, id: DecisionId) -> Result<Row, Error> {
        let mut tx = self.tenant(actor).await?;
        audit::get(&mut tx, id).await?.ok_or(Error::NotFound)
    }

    /// Decisions by hour and outcome, oldest hour first.
    pub async fn histogram(&self, actor: &Actor, filter: &Filter) -> Result<Vec<HourBar>, Error> {
        let mut tx = self.tenant(actor).await?;
        Ok(audit::histogram(&mut tx, filter).await?)
    }

    /// Everything that the filter lets through, newest first, a chunk at a time. An error ends the stream.
    pub fn export(
        &self,
        actor: &Actor,
        filter: Filter,
        format: Format,
    ) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<> {
        let chunks = audit::export(self.parts().storage.clone(), actor.tenant(), filter, format);
        chunks.map(|chunk| Ok(chunk?))
    }

    /// Where a tail begins that is to show what comes from now on.
    pub async fn tail_start(&self, actor: &Actor) -> Result<TailCursor, Error> {
        let mut tx = self.tenant(actor).await?;
        Ok(audit::tail_start(&mut tx).await?)
    }

    /// What was written or completed since `after`.
    pub async fn tail(&self, actor: &Actor, filter: &Filter, after: TailCursor) -> Result<Tail, Error> {
        let mut tx = self.tenant(actor).await?;
        Ok(audit::tail(&mut tx, filter, after).await?)
    }

    /// Calls of each tool since `since`, of one server or all, most called first.
    pub async fn tool_counts(
        &self,
        actor: &Actor,
        server: Option<ServerId>,
        since: DateTime<Utc>,
    ) -> Result<Vec<ToolCount>, Error> {
        let mut tx = self.tenant(actor).await?;
        Ok(audit::tool_counts(&mut tx, server, since).await?)
    }

    /// What happened at each server since `since`, hour by hour.
    pub async fn server_hours(&self, actor: &Actor, since: DateTime<Utc>) -> Result<Vec<ServerHour>, Error> {
        let mut tx = self.tenant(actor).await?;
        Ok(audit::server_hours(&mut tx, since).await?)
    }

    /// The rules that refused most since `since`, at most `limit` of them.
    pub async fn top_rules(
        &self,
        actor: &Actor,
        since: DateTime<Utc>,
        limit: u16,
    ) -> Result<Vec<RuleCount>, Error> {
        let mut tx = self.tenant(actor).await?;
        Ok(audit::top_rules(&mut tx, since, limit).await?)
    }

    /// The clients that used a grant since `since`, last used first.
    pub async fn clients_of(
        &self,
        actor: &Actor,
        grant: GrantId,
        since: DateTime<Utc>,
    ) -> Result<Vec<ClientUse>, Error> {
        let mut tx = self.tenant(actor).await?;
        Ok(audit::clients_of(&mut tx, grant, since).await?)
    }
}

impl From<audit::Error> for Error {
    fn from(error: audit::Error) -> Self {
        match error {
            audit::Error::Storage(error) => error.into(),
            other => Self::internal(other),
        }
    }
}
