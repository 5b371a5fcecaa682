//! The policy language v1: read, compile, judge. Pure: no I/O, no clock, no async.
//!
//! [`Policy::read`] takes a document as it was written, [`Policy::judge`] one call; what the verdict asks to be counted is
//! the ledger's to count. Everything fails closed: what can't be understood denies. `docs/policy-language.md` is the
//! reference of the language.

mod arguments;
mod call;
mod canonical;
mod condition;
mod document;
mod glob;
mod host;
mod judge;
mod limit;
mod methods;
mod outline;
mod path;
mod pattern;
mod problem;
mod read;
mod rules;
mod shape;
mod verdict;
mod warnings;
mod work;

pub use arguments::{ArgumentSchema, ArgumentSchemaError};
pub use call::{Call, Context, ToolState};
pub use document::Policy;
pub use glob::MAX_NAME;
pub use judge::{invalid, no_policy};
pub use outline::{Effect, Outline};
pub use problem::{Problem, ToolFacts};
pub use read::{MAX_DEPTH, MAX_DOCUMENT};
pub use shape::schema;
pub use verdict::{
    Align, Charge, Limit, MAX_AMOUNT_MICROS, Refusal, Scope, Shadow, ShadowOutcome, Unit, Verdict, Window,
};
