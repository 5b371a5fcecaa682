//! The audit log: what a decision holds, how it comes from the stream into the table, and how it is read.
//!
//! Decisions are written by the gateway into the ledger's stream; a [`Drain`] brings them into `decisions`, and chains
//! them by hashes. Tenants read them through `storage::TenantTx` alone.

mod chain;
mod compose;
mod counts;
mod cursor;
mod direct;
mod drain;
mod error;
mod evidence;
mod export;
mod facet;
mod filter;
mod heads;
mod histogram;
mod insert;
mod metrics;
mod record;
mod retention;
mod row;
mod search;
mod select;
mod sizes;
mod statements;
mod statistics;
mod stored;
mod upkeep;
mod verify;
mod write;

pub use cursor::{Cursor, CursorError, TailCursor};
pub use direct::{close_direct, record_direct};
pub use drain::{Drain, DrainSettings};
pub use error::Error;
pub use evidence::{Begins, CheckError, Evidence, FileVerified, begins, check};
pub use export::{Format, export};
pub use filter::Filter;
pub use heads::{DayHead, DayHeadError, day_head};
pub use histogram::{HourBar, histogram};
pub use metrics::Metrics;
pub use record::{
    ClientNote, Closing, Decision, GrantNote, LimitLevel, LimitNote, PolicyNote, RecordError, ServerNote,
    ShadowNote,
};
pub use row::{Completion, Page, Row, Tail};
pub use search::{PAGE_MAX, get, search, tail, tail_start};
pub use statistics::{
    ClientUse, RuleCount, ServerHour, ToolCount, clients_of, last_used, server_hours, tool_counts, top_rules,
};
pub use verify::{Fault, Verified, tenants, verify, verify_against};
