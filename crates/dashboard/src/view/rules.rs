//! Rules that refused, with how often.

use audit::RuleCount;
use chrono::{DateTime, Utc};
use url::form_urlencoded::byte_serialize;

/// A rule in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// JSON Pointer, or a word in brackets.
    pub name: String,
    /// The last sentence it gave.
    pub message: Option<String>,
    /// How often it refused.
    pub count: u64,
    /// When last.
    pub last: DateTime<Utc>,
    /// The log, narrowed to it.
    pub href: String,
}

impl Rule {
    /// A rule with its place in the log at `base`.
    pub fn of(count: RuleCount, base: &str) -> Self {
        let rule: String = byte_serialize(count.rule.as_bytes()).collect();
        let server = count.server.map(|server| format!("&server={server}")).unwrap_or_default();
        Self {
            href: format!("{base}?rule={rule}{server}"),
            name: count.rule,
            message: count.message,
            count: count.count,
            last: count.last,
        }
    }
}
