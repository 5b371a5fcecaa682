//! The filters of the log as they stand in an address, and back: every state of the page is a link.

use audit::{Cursor, Filter};
use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, Utc};
use domain::Outcome;
use url::form_urlencoded::Serializer;

use crate::form::Form;

/// Times in an address: UTC, to the minute, as a browser's date field writes them.
const MINUTE: &str = "%Y-%m-%dT%H:%M";

/// The filters, typed and read.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// As typed, with what is wrong.
    pub form: Form,
    /// As understood.
    pub filter: Filter,
    /// Where the page begins.
    pub cursor: Option<Cursor>,
}

impl Query {
    /// Reads the query part of an address. A filter that can't be read narrows to nothing silently nowhere: it is
    /// named on the page, and the others hold.
    pub fn read(query: &str) -> Self {
        let mut form = Form::read(query.as_bytes());
        let outcomes: Vec<String> =
            form.values("outcome").filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let outcomes =
            outcomes.iter().filter_map(|word| noted(&mut form, "outcome", word.parse::<Outcome>())).collect();
        let filter = Filter {
            server: parsed(&mut form, "server"),
            grant: parsed(&mut form, "grant"),
            identity: form.given("identity").map(|text| text.trim().to_owned()),
            tool: form.given("tool").map(|text| text.trim().to_owned()),
            outcomes,
            rule: form.given("rule").map(|text| text.trim().to_owned()),
            from: time(&mut form, "from"),
            to: time(&mut form, "to"),
            request_id: parsed(&mut form, "request_id"),
        };
        let cursor = parsed(&mut form, "cursor");
        Self { form, filter, cursor }
    }

    /// The filters alone, as the query part of an address; without `but`.
    pub fn text(&self, but: &[&str]) -> String {
        let mut out = Serializer::new(String::new());
        let kept = self.form.pairs().filter(|(name, value)| {
            !value.is_empty() && !matches!(*name, "cursor" | "format" | "view") && !but.contains(name)
        });
        out.extend_pairs(kept).finish()
    }

    /// Something narrows the log.
    pub fn narrows(&self) -> bool {
        self.filter != Filter::default()
    }
}

/// A time for an address.
pub fn minute(at: DateTime<Utc>) -> String {
    at.format(MINUTE).to_string()
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(form: &mut Form, name: &str) -> Option<T> {
    let typed = form.given(name)?;
    noted(form, name, typed.trim().parse())
}

fn noted<T, E: std::fmt::Display>(form: &mut Form, name: &str, read: Result<T, E>) -> Option<T> {
    read.map_err(|problem| form.refuse(name, &problem)).ok()
}

/// A day, a minute as the page's field writes it, or a full time with its offset (RFC 3339).
fn time(form: &mut Form, name: &str) -> Option<DateTime<Utc>> {
    let typed = form.given(name)?;
    let text = typed.trim();
    let bare = || NaiveDateTime::parse_from_str(text, MINUTE).ok().map(|at| at.and_utc());
    let exact = || DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
    let day = || Some(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc());
    let read = bare().or_else(exact).or_else(day);
    let problem = || format!("`{text}` is not a time: write it like 2026-11-22T10:15, in UTC");
    noted(form, name, read.ok_or_else(problem))
}

/// The end of the hour that `at` is in.
pub fn hour_after(at: DateTime<Utc>) -> DateTime<Utc> {
    let past = at.timestamp().rem_euclid(3600);
    DateTime::from_timestamp(at.timestamp() - past, 0).unwrap_or(at) + Duration::hours(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_written_back() {
        let text = "tool=flowforge_*&outcome=deny&outcome=limit&from=2026-11-22T10%3A00&server=&cursor=";
        let query = Query::read(text);
        assert_eq!(query.filter.tool.as_deref(), Some("flowforge_*"));
        assert_eq!(query.filter.outcomes, [Outcome::Deny, Outcome::Limit]);
        assert_eq!(query.filter.from.map(minute).as_deref(), Some("2026-11-22T10:00"));
        assert_eq!(query.text(&[]), "tool=flowforge_*&outcome=deny&outcome=limit&from=2026-11-22T10%3A00");
        assert_eq!(query.text(&["outcome", "from"]), "tool=flowforge_*");
        assert!(query.narrows() && query.form.is_clean());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let query = Query::read("outcome=maybe&from=yesterday&grant=7&cursor=x");
        for field in ["outcome", "from", "grant", "cursor"] {
            assert!(query.form.has_problem(field), "{field}");
        }
        assert!(!query.narrows());
    }

    #[test]
    fn the_hour_ends_on_the_hour() {
        let at = DateTime::from_timestamp(7200 + 59, 0).expect("a time");
        assert_eq!(hour_after(at).timestamp(), 10_800);
        assert_eq!(hour_after(hour_after(at)).timestamp(), 14_400);
    }
}
