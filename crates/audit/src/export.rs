//! Taking the log away: a stream of NDJSON or CSV that holds one page in memory and no transaction between pages.

use bytes::Bytes;
use domain::TenantId;
use futures_util::Stream;
use storage::Storage;

use crate::search::{PAGE_MAX, search};
use crate::{Cursor, Error, Filter, Row};

/// What an export looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON object a line, as the API shows a decision.
    Ndjson,
    /// A header and a line a decision (RFC 4180), amounts in millionths.
    Csv,
}

/// Everything that the filter lets through, newest first, a page a chunk. What is decided after the export has begun is
/// not in it.
pub fn export(
    storage: Storage,
    tenant: TenantId,
    filter: Filter,
    format: Format,
) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    let head = match format {
        Format::Ndjson => Ok(None),
        Format::Csv => header().map(Some),
    };
    let export = Export { storage, tenant, filter, format, at: At::Start };
    let head = futures_util::stream::iter(head.transpose());
    let rows = futures_util::stream::try_unfold(export, |mut export| async move {
        Ok(export.chunk().await?.map(|chunk| (chunk, export)))
    });
    futures_util::StreamExt::chain(head, rows)
}

struct Export {
    storage: Storage,
    tenant: TenantId,
    filter: Filter,
    format: Format,
    at: At,
}

enum At {
    Start,
    Behind(Cursor),
    End,
}

impl Export {
    async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let page = loop {
            let after = match self.at {
                At::Start => None,
                At::Behind(cursor) => Some(cursor),
                At::End => return Ok(None),
            };
            let mut tx = self.storage.tenant(self.tenant).await?;
            let page = search(&mut tx, &self.filter, after, PAGE_MAX).await?;
            tx.commit().await?;
            self.at = page.next.map_or(At::End, At::Behind);
            // A rare filter may find nothing for a while.
            if !page.rows.is_empty() {
                break page;
            }
        };
        let chunk = match self.format {
            Format::Ndjson => ndjson(&page.rows),
            Format::Csv => csv(&page.rows),
        };
        chunk.map(Some)
    }
}

fn ndjson(rows: &[Row]) -> Result<Bytes, Error> {
    let mut out = Vec::with_capacity(rows.len() * 1024);
    for row in rows {
        serde_json::to_writer(&mut out, row)?;
        out.push(b'\n');
    }
    Ok(out.into())
}

const COLUMNS: [&str; 34] = [
    "id",
    "decided_at",
    "outcome",
    "completion",
    "server_id",
    "server",
    "grant_id",
    "grant",
    "identity",
    "client",
    "client_version",
    "address",
    "protocol_version",
    "method",
    "tool",
    "rule",
    "message",
    "policy_id",
    "policy",
    "policy_version",
    "argument_keys",
    "argument_digest",
    "limit_rule",
    "limit_used",
    "limit_max",
    "limit_resets_at",
    "shadow",
    "trace_id",
    "closed_at",
    "upstream_status",
    "gateway_micros",
    "upstream_micros",
    "refunded",
    "repeats",
];

fn header() -> Result<Bytes, Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(COLUMNS)?;
    finish(out)
}

fn csv(rows: &[Row]) -> Result<Bytes, Error> {
    let mut out = csv::Writer::from_writer(Vec::with_capacity(rows.len() * 512));
    for row in rows {
        out.write_record(line(row).map(harmless))?;
    }
    finish(out)
}

fn finish(out: csv::Writer<Vec<u8>>) -> Result<Bytes, Error> {
    Ok(out.into_inner().map_err(|error| Error::Encoding(error.to_string()))?.into())
}

/// The fields of a row, in the order of [`COLUMNS`].
fn line(row: &Row) -> [String; 34] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let time =
        |time: Option<chrono::DateTime<chrono::Utc>>| time.map(|time| time.to_rfc3339()).unwrap_or_default();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let (server, grant, policy) = (row.server.as_ref(), row.grant.as_ref(), row.policy.as_ref());
    let (limit, shadow) = (row.limit.as_ref(), row.shadow.as_ref());
    [
        row.id.to_string(),
        row.decided_at.to_rfc3339(),
        row.outcome.to_string(),
        row.completion.to_string(),
        server.map(|server| server.id.to_string()).unwrap_or_default(),
        server.map(|server| server.name.clone()).unwrap_or_default(),
        grant.map(|grant| grant.id.to_string()).unwrap_or_default(),
        grant.map(|grant| grant.label.clone()).unwrap_or_default(),
        grant.map(|grant| grant.identity.clone()).unwrap_or_default(),
        text(&row.client.name),
        text(&row.client.version),
        text(&row.address),
        text(&row.protocol_version),
        text(&row.method),
        text(&row.tool),
        text(&row.rule),
        text(&row.message),
        policy.map(|policy| policy.id.to_string()).unwrap_or_default(),
        policy.map(|policy| policy.name.clone()).unwrap_or_default(),
        policy.map(|policy| policy.version.to_string()).unwrap_or_default(),
        row.argument_keys.join(" "),
        text(&row.argument_digest),
        limit.map(|limit| limit.rule.clone()).unwrap_or_default(),
        number(limit.map(|limit| limit.used)),
        number(limit.map(|limit| limit.max)),
        time(limit.map(|limit| limit.resets_at)),
        shadow.map(|shadow| format!("{} {}", shadow.outcome, shadow.rule)).unwrap_or_default(),
        text(&row.trace_id),
        time(row.closed_at),
        number(row.upstream_status.map(u64::from)),
        number(row.gateway_micros),
        number(row.upstream_micros),
        row.refunded.to_string(),
        row.repeats.to_string(),
    ]
}

/// Agents and clients choose their names and tools: a spreadsheet must not take one for a formula.
fn harmless(field: String) -> String {
    if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{field}") } else { field }
}
