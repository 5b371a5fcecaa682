//! A tool of a server, and what is known about how far it reaches.

mod facts;

use chrono::{DateTime, Utc};
use serde::Serialize;
use storage::{ToolDefinition, ToolRow};
use utoipa::ToSchema;

use crate::catalogue;

/// What kind of thing a tool does.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize, ToSchema,
)]
pub enum Category {
    /// Looks.
    Read,
    /// Makes or changes something.
    Write,
    /// Sets something going.
    Execute,
    /// Ends or removes something.
    Destructive,
    /// Moves money.
    Financial,
}

impl Category {
    /// The word on the pill.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Execute => "Execute",
            Self::Destructive => "Destructive",
            Self::Financial => "Financial",
        }
    }
}

/// How bad a call that should not have been made is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Nothing to mend.
    Low,
    /// Can be mended.
    Medium,
    /// Hard to mend.
    High,
    /// Can't be mended.
    Critical,
}

impl Risk {
    /// The word in the API and the pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A tool that an upstream listed, and what the catalogue or its annotations say about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Tool {
    /// As it is called.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// The upstream's own words, which may be anything.
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub input_schema: serde_json::Value,
    /// The upstream's hints about itself.
    pub annotations: Option<serde_json::Value>,
    /// What kind of thing it does.
    pub category: Category,
    /// How bad a wrong call is.
    pub risk: Risk,
    /// What to know before allowing it, in a few words each.
    pub signals: Vec<String>,
    /// Whether category, risk and signals are from the catalogue; else they are read off its name and annotations.
    pub in_catalogue: bool,
    /// The catalogue's sentence about it.
    pub summary: Option<String>,
    /// When its definition was last seen to differ; none before the server is registered.
    pub changed_at: Option<DateTime<Utc>>,
}

impl Tool {
    /// A tool as an upstream listed it, with what is known about it.
    pub(crate) fn of(definition: ToolDefinition) -> Self {
        let known = catalogue::known_tool(&definition.name);
        let (category, risk, signals) = match known {
            Some(tool) => (tool.category, tool.risk, tool.signals.clone()),
            None => facts::read_off(&definition),
        };
        Self {
            name: definition.name,
            title: definition.title,
            description: definition.description,
            input_schema: definition.input_schema,
            annotations: definition.annotations,
            category,
            risk,
            signals,
            in_catalogue: known.is_some(),
            summary: known.map(|tool| tool.summary.clone()),
            changed_at: None,
        }
    }

    /// What a policy is told about it, to warn of what its author may not have meant.
    pub(crate) fn facts(&self) -> policy::ToolFacts<'_> {
        policy::ToolFacts {
            name: &self.name,
            destructive: self.category == Category::Destructive,
            approval: self.approves(),
        }
    }

    /// Whether it approves what waits for a person.
    pub(crate) fn approves(&self) -> bool {
        self.category != Category::Read && facts::approves(&self.name)
    }

    /// The same of a stored one.
    pub(crate) fn stored(row: ToolRow) -> Self {
        Self { changed_at: Some(row.changed_at), ..Self::of(row.definition) }
    }
}
