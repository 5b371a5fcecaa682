//! What is odd about a document though not wrong, given the tools that its server is known to have.

use domain::Surface;

use crate::document::{At, Entry, Mode, Policy, Tool};
use crate::glob::Glob;
use crate::problem::{Problem, ToolFacts};

impl Policy {
    /// Warnings: the document is saved all the same. With no tools known, only what can be said of any server.
    pub fn warnings(&self, tools: &[ToolFacts<'_>]) -> Vec<Problem> {
        let mut warnings = self.notes.clone();
        self.warn_of_names(tools, &mut warnings);
        self.warn_of_unreachable(tools, &mut warnings);
        self.warn_of_counters(&mut warnings);
        for tool in tools {
            warnings.extend(self.warn_of_destructive(tool));
            warnings.extend(self.warn_of_approval(tool));
        }
        warnings.extend(self.warn_of_ways_around());
        warnings.sort_by_key(|warning| (warning.line, warning.column));
        warnings
    }

    /// Names that match nothing the server has.
    fn warn_of_names(&self, tools: &[ToolFacts<'_>], warnings: &mut Vec<Problem>) {
        if tools.is_empty() {
            return;
        }
        let nothing = |glob: &Glob| !tools.iter().any(|tool| glob.matches(tool.name));
        let hidden = self.hide.iter().map(|hidden| (&hidden.glob, hidden.pointer.to_string(), hidden.at));
        let entries = self.tools.iter().map(|tool| (&tool.key, tool.entry.pointer.to_string(), tool.at));
        // The name of an `action: "hide"` is its entry's, which is warned of already.
        let hidden = hidden.filter(|(_, pointer, _)| !pointer.starts_with("/tools/"));
        for (glob, pointer, at) in hidden.chain(entries).filter(|(glob, ..)| nothing(glob)) {
            let message = format!(
                "`{}` matches no tool that the server is known to have: check the name",
                glob.as_str()
            );
            warnings.push(warning(pointer, at, "matches_no_tool", message));
        }
    }

    /// Entries that are never used: hidden, or always outdone by a more specific one.
    fn warn_of_unreachable(&self, tools: &[ToolFacts<'_>], warnings: &mut Vec<Problem>) {
        for (i, tool) in self.tools.iter().enumerate() {
            let of_itself = format!("{}/action", tool.entry.pointer);
            let hidden = self
                .hide
                .iter()
                .find(|hidden| *hidden.pointer != *of_itself && hidden.glob.covers(&tool.key));
            let outdone = || self.tools[..i].iter().find(|other| other.key.covers(&tool.key));
            let by = match hidden {
                Some(hidden) => Some(format!("`{}` hides all that it matches", hidden.pointer)),
                None => outdone().map(|other| {
                    format!("`{}` is more specific and matches all that it does", other.entry.pointer)
                }),
            };
            if let Some(by) = by.or_else(|| self.never_chosen(tool, tools)) {
                let message = format!("this entry is never used: {by}; remove one of them");
                warnings.push(warning(tool.entry.pointer.to_string(), tool.at, "unreachable", message));
            }
        }
    }

    /// Of the tools that the server has, each one that the key matches is hidden or has another entry.
    fn never_chosen(&self, tool: &Tool, tools: &[ToolFacts<'_>]) -> Option<String> {
        let mut matched = tools.iter().filter(|facts| tool.key.matches(facts.name)).peekable();
        matched.peek()?;
        let chosen = |name: &str| self.governing_tool(name).is_some_and(|chosen| chosen.key == tool.key);
        let hides_itself = self.hide.iter().any(|hidden| hidden.glob == tool.key);
        let unused = matched.all(|facts| !chosen(facts.name) || (!hides_itself && self.hides(facts.name)));
        unused.then(|| "every tool that it matches is hidden or has a more specific entry".to_owned())
    }

    /// A counter of `all_tools` that an entry names too is taken twice by one call.
    fn warn_of_counters(&self, warnings: &mut Vec<Problem>) {
        for tool in &self.tools {
            for limit in &tool.entry.limits {
                if let Some(other) = self.all_tools.limits.iter().find(|other| other.shares_count(limit)) {
                    let message = format!(
                        "`{}` is the counter of `{}` too, so that a call counts twice: rename one of them",
                        limit.counter, other.rule
                    );
                    warnings.push(warning(limit.rule.to_string(), tool.at, "counted_twice", message));
                }
            }
        }
    }

    /// What is hidden can still be spoken of, or read, through the parts of the protocol beside tools.
    fn warn_of_ways_around(&self) -> Option<Problem> {
        let ways = [Surface::Resources, Surface::Prompts, Surface::Completion];
        let open = |surface: &Surface| self.default_allows && self.methods.stance(*surface).is_none();
        let open: Vec<&str> = ways.into_iter().filter(open).map(Surface::as_str).collect();
        if self.hide.is_empty() || open.is_empty() {
            return None;
        }
        let message = format!(
            "some tools are hidden, and the default allows {}, which may tell of them: name that in `methods`",
            open.join(", ")
        );
        Some(warning("/default".to_owned(), At { line: 1, column: 1 }, "open_by_default", message))
    }

    fn warn_of_destructive(&self, tool: &ToolFacts<'_>) -> Option<Problem> {
        let unnamed = tool.destructive
            && self.default_allows
            && self.entry(tool.name).is_none()
            && !self.hides(tool.name)
            && !refuses_all(&self.all_tools);
        unnamed.then(|| {
            let message =
                format!("`{}` destroys and is allowed by default: name it in `tools` or `hide`", tool.name);
            warning("/default".to_owned(), At { line: 1, column: 1 }, "destructive_allowed", message)
        })
    }

    /// A tool that approves what waits for a human must not be the agent's that waits.
    fn warn_of_approval(&self, tool: &ToolFacts<'_>) -> Option<Problem> {
        let found = self.governing_tool(tool.name);
        let open = match found {
            Some(entry) => !refuses_all(&entry.entry),
            None => self.default_allows,
        };
        let callable = tool.approval && open && !self.hides(tool.name) && !refuses_all(&self.all_tools);
        callable.then(|| {
            let (pointer, at) = found.map_or(("/default".to_owned(), At { line: 1, column: 1 }), |entry| {
                (entry.entry.pointer.to_string(), entry.at)
            });
            let message = format!("with `{}` the grant could approve its own calls: hide it", tool.name);
            warning(pointer, at, "self_approval", message)
        })
    }
}

/// Whether no call gets through without a human.
fn refuses_all(entry: &Entry) -> bool {
    let refuses = entry.deny_if.iter().chain(&entry.approve_if).any(|rule| rule.conditions.is_empty());
    // What only records, in a document that otherwise enforces, holds nothing back.
    refuses && entry.mode != Some(Mode::Shadow)
}

fn warning(pointer: String, at: At, code: &'static str, message: String) -> Problem {
    Problem { pointer, line: at.line, column: at.column, code, message }
}
