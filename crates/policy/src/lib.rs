//! The policy language v1: read, compile, judge. Pure: no I/O, no clock, no async.
//!
//! [`Policy::read`] takes a document as it was written, [`Policy::judge`] one call; what the verdict asks to be counted is
//! the ledger's to count. Everything fails closed: what can't be understood denies.

mod judge;
mod problem;
mod schema;
mod verdict;

pub use judge::{ArgumentSchema, ArgumentSchemaError, Call, Context, ToolState};
pub use problem::{Problem, ToolFacts};
pub use schema::schema;
pub use verdict::{
    Align, Charge, Limit, MAX_AMOUNT_MICROS, Refusal, Scope, Shadow, ShadowOutcome, Unit, Verdict, Window,
    invalid, no_policy,
};

/// A document, read and compiled.
#[derive(Debug)]
pub struct Policy {}

impl Policy {
    /// Reads a document; every problem found in it otherwise.
    pub fn read(text: &[u8]) -> Result<Self, Vec<Problem>> {
        let _ = text;
        unimplemented!()
    }

    /// What is odd though not wrong, given the tools that the server is known to have.
    pub fn warnings(&self, tools: &[ToolFacts<'_>]) -> Vec<Problem> {
        let _ = tools;
        unimplemented!()
    }

    /// The canonical form: JSON text with all shorthand expanded. Read again, it judges the same.
    pub fn canonical(&self) -> String {
        unimplemented!()
    }

    /// Steps 3 to 9 of the spec's evaluation, and the limits to take in step 10.
    pub fn judge(&self, call: &Call<'_>) -> Verdict {
        let _ = call;
        unimplemented!()
    }

    /// Whether `tools/list` shows the tool.
    pub fn shows(&self, tool: &str) -> bool {
        let _ = tool;
        unimplemented!()
    }
}
