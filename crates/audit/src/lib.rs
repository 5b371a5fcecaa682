//! The audit log: what a decision holds, how it comes from the stream into the table, and how it is read.
//!
//! Decisions are written by the gateway into the ledger's stream; [`Drain`] brings them into `decisions`. Tenants
//! read them through `storage::TenantTx` alone.

mod cursor;
mod filter;
mod record;
mod row;
mod statistics;

pub use cursor::{Cursor, CursorError, TailCursor};
pub use filter::Filter;
pub use record::{
    ClientNote, Closing, Decision, GrantNote, LimitLevel, LimitNote, PolicyNote, RecordError, ServerNote,
    ShadowNote,
};
pub use row::{Completion, Page, Row, Tail};
pub use statistics::{ClientUse, HourBar, RuleCount, ServerCount, ToolCount};
