//! A document, read and compiled: what the judge walks and the canonical form is printed from.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::condition::Condition;
use crate::glob::Glob;
use crate::methods::Methods;
use crate::problem::Problem;
use crate::verdict::Limit;
use crate::work;

/// A policy document, read and compiled.
#[derive(Debug)]
pub struct Policy {
    pub(crate) description: Option<Box<str>>,
    pub(crate) default_allows: bool,
    pub(crate) mode: Mode,
    pub(crate) validate_arguments: bool,
    pub(crate) methods: Methods,
    /// Those of `action: "hide"` too.
    pub(crate) hide: Vec<Hidden>,
    pub(crate) all_tools: Entry,
    /// By precedence: exact names sorted, then globs, the most specific first.
    pub(crate) tools: Vec<Tool>,
    /// How many of the tools are exact names.
    pub(crate) exact: usize,
    /// Warnings that need no knowledge of the server.
    pub(crate) notes: Vec<Problem>,
}

impl Policy {
    /// Whether the arguments of any call are checked against the tool's input schema.
    pub fn validates_arguments(&self) -> bool {
        let entry = |entry: &Entry| entry.validate_arguments == Some(true);
        self.validate_arguments || entry(&self.all_tools) || self.tools.iter().any(|tool| entry(&tool.entry))
    }
}

/// Whether rules block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Mode {
    /// They do.
    #[default]
    Enforce,
    /// They are judged and recorded, and block nothing.
    Shadow,
}

/// Where something stands, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct At {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// An element of `hide`.
#[derive(Debug)]
pub(crate) struct Hidden {
    pub(crate) glob: Glob,
    /// JSON Pointer as written.
    pub(crate) pointer: Box<str>,
    pub(crate) at: At,
}

/// An entry of `tools`.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) key: Glob,
    pub(crate) at: At,
    pub(crate) entry: Entry,
}

/// A tool entry, shorthand expanded.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// JSON Pointer as written: `/tools/<key>` or `/all_tools`.
    pub(crate) pointer: Box<str>,
    pub(crate) mode: Option<Mode>,
    pub(crate) validate_arguments: Option<bool>,
    pub(crate) require: Vec<Rule>,
    pub(crate) deny_if: Vec<Rule>,
    pub(crate) approve_if: Vec<Rule>,
    pub(crate) limits: Vec<Arc<Limit>>,
}

/// An item of `require`, `deny_if` or `approve_if`.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) written: Written,
    pub(crate) conditions: Box<[Condition]>,
    /// `on_deny`, `message` or `reason`.
    pub(crate) message: Option<Arc<str>>,
    /// Seconds.
    pub(crate) expires_in: Option<u64>,
}

/// How a rule was written, and so how its pointers go on behind the entry's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// `/require/<i>`, the item being the condition itself.
    Bare(u32),
    /// `/<list>/<i>`, with a list of conditions.
    Item(u32),
    /// `/action`.
    Action,
}

impl Policy {
    /// The most specific key that matches, with its entry, if any.
    pub(crate) fn governing_tool(&self, tool: &str) -> Option<&Tool> {
        let (exact, globs) = self.tools.split_at(self.exact);
        let compare = |entry: &Tool| {
            work::steps(1);
            entry.key.as_str().cmp(tool)
        };
        match exact.binary_search_by(compare) {
            Ok(place) => exact.get(place),
            Err(_) => globs.iter().find(|entry| entry.key.matches(tool)),
        }
    }

    /// The entry of that key.
    pub(crate) fn entry(&self, tool: &str) -> Option<&Entry> {
        self.governing_tool(tool).map(|found| &found.entry)
    }

    pub(crate) fn hides(&self, tool: &str) -> bool {
        self.hide.iter().any(|hidden| hidden.glob.matches(tool))
    }

    /// Whether it hides any tool.
    pub fn hides_tools(&self) -> bool {
        !self.hide.is_empty()
    }

    /// Whether `tools/list` shows the tool: all but what is hidden and not in shadow mode.
    pub fn shows(&self, tool: &str) -> bool {
        !self.hides(tool) || !self.hiding_blocks(self.entry(tool))
    }

    /// A hidden tool is blocked unless all that speaks of it is in shadow mode.
    pub(crate) fn hiding_blocks(&self, entry: Option<&Entry>) -> bool {
        self.mode == Mode::Enforce || entry.is_some_and(|entry| entry.mode == Some(Mode::Enforce))
    }
}

impl Entry {
    pub(crate) fn mode(&self, policy: &Policy) -> Mode {
        self.mode.unwrap_or(policy.mode)
    }
}

impl Rule {
    /// The rule's own pointer, given the entry's and the list it is in.
    pub(crate) fn pointer(&self, entry: &str, list: &str) -> String {
        match self.written {
            Written::Bare(i) | Written::Item(i) => format!("{entry}/{list}/{i}"),
            Written::Action => format!("{entry}/action"),
        }
    }

    /// The pointer of one of its conditions, given its own.
    pub(crate) fn condition_pointer(&self, rule: &str, i: usize) -> String {
        match self.written {
            Written::Item(_) => format!("{rule}/conditions/{i}"),
            Written::Bare(_) | Written::Action => rule.to_owned(),
        }
    }
}
