//! One line of an export that proves itself. The parts of rows are written as the very bytes that were hashed.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::Error;

/// The form of the lines.
pub(super) const VERSION: u32 = 1;

/// A line: an object with one member.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// The first.
    Export(Opening),
    /// A batch; the parts of rows that it wrote follow, in its order.
    Batch(BatchLine),
    /// A decision, as it was hashed.
    Decision(Box<RawValue>),
    /// How a decision ended.
    Ending(EndingLine),
    /// In the place of an ending that was not known and came after all.
    Replaced(Replaced),
    /// The last.
    End(Anchor),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Opening {
    pub version: u32,
    pub tenant: Uuid,
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// The batch before the first.
    pub behind: Anchor,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Anchor {
    pub number: i64,
    pub hash: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchLine {
    pub number: i64,
    pub written_at: DateTime<Utc>,
    /// 57 bytes a part, in base64.
    pub entries: String,
    pub hash: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndingLine {
    pub id: Uuid,
    /// As it was hashed.
    pub ending: Box<RawValue>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replaced {
    pub id: Uuid,
    /// The batch of the ending that is known.
    pub batch: i64,
}

pub(super) fn write(out: &mut Vec<u8>, line: &Line) -> Result<(), Error> {
    serde_json::to_writer(&mut *out, line)?;
    out.push(b'\n');
    Ok(())
}

pub(super) fn write_decision(out: &mut Vec<u8>, content: &[u8]) {
    out.extend_from_slice(b"{\"decision\":");
    out.extend_from_slice(content);
    out.extend_from_slice(b"}\n");
}

pub(super) fn write_ending(out: &mut Vec<u8>, id: Uuid, content: &[u8]) {
    out.extend_from_slice(format!("{{\"ending\":{{\"id\":\"{id}\",\"ending\":").as_bytes());
    out.extend_from_slice(content);
    out.extend_from_slice(b"}}\n");
}
