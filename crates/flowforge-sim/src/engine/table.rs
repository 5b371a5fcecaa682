//! A collection of JSON rows by id in the order they came, the query that narrows a list, and the two kinds of answer.

use std::collections::BTreeMap;

use rmcp::model::JsonObject;
use serde_json::{Value, json};
use url::Url;

/// What an operation answers.
pub type Answer = Result<Value, Refusal>;

/// Why an operation was not carried out.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// A sentence.
    pub message: String,
}

impl Refusal {
    /// 404.
    pub fn not_found(kind: &str, id: &str) -> Self {
        Self { status: 404, message: format!("no {kind} `{id}`") }
    }

    /// 409: the state of a thing is against it.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self { status: 409, message: message.into() }
    }

    /// 422: a value can't be used.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { status: 422, message: message.into() }
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        json!({ "status": self.status, "error": self.message })
    }
}

/// The query of a list.
#[derive(Debug, Default)]
pub struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads it from the address.
    pub fn of(url: &Url) -> Self {
        Self(url.query_pairs().into_owned().collect())
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Whether `row` has the value asked for in each of `keys` that the query names.
    pub fn fits(&self, row: &Value, keys: &[&str]) -> bool {
        keys.iter().all(|key| match (self.get(key), &row[*key]) {
            (None, _) => true,
            (Some(wanted), Value::String(text)) => wanted == text,
            (Some(wanted), Value::Bool(value)) => wanted == if *value { "true" } else { "false" },
            _ => false,
        })
    }

    /// How many rows are wanted: 1 to 100.
    fn limit(&self) -> Result<usize, Refusal> {
        let wrong = || Refusal::invalid("`limit` must be a whole number from 1 to 100");
        let Some(text) = self.get("limit") else { return Ok(100) };
        let limit = text.strip_suffix(".0").unwrap_or(text).parse().map_err(|_| wrong())?;
        if (1..=100).contains(&limit) { Ok(limit) } else { Err(wrong()) }
    }
}

/// Rows of one kind.
#[derive(Debug)]
pub struct Table {
    kind: &'static str,
    prefix: &'static str,
    minted: u32,
    rows: JsonObject,
}

impl Table {
    /// An empty table of `kind`, whose ids are `prefix` and a number.
    pub fn new(kind: &'static str, prefix: &'static str) -> Self {
        Self { kind, prefix, minted: 0, rows: JsonObject::new() }
    }

    /// The next id.
    pub fn mint(&mut self) -> String {
        self.minted += 1;
        format!("{}-{:04}", self.prefix, self.minted)
    }

    /// Puts `row` under `id`, in place of what was there.
    pub fn put(&mut self, id: &str, row: Value) -> Value {
        self.rows.insert(id.to_owned(), row.clone());
        row
    }

    /// Whether there is a row `id`.
    pub fn has(&self, id: &str) -> bool {
        self.rows.contains_key(id)
    }

    /// The row `id`.
    pub fn get(&self, id: &str) -> Result<&Value, Refusal> {
        self.rows.get(id).ok_or_else(|| Refusal::not_found(self.kind, id))
    }

    /// The row `id`, to be changed.
    pub fn get_mut(&mut self, id: &str) -> Result<&mut Value, Refusal> {
        self.rows.get_mut(id).ok_or_else(|| Refusal::not_found(self.kind, id))
    }

    /// Takes the row `id` out.
    pub fn remove(&mut self, id: &str) -> Answer {
        self.rows.shift_remove(id).ok_or_else(|| Refusal::not_found(self.kind, id))
    }

    /// Takes out every row that does not satisfy `keep`.
    pub fn retain(&mut self, keep: impl Fn(&Value) -> bool) {
        self.rows.retain(|_, row| keep(row));
    }

    /// Every row, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.rows.values()
    }

    /// Every row, to be changed, oldest first.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.rows.values_mut()
    }

    /// The newest rows that fit the query in `keys` and satisfy `also`, and how many do.
    pub fn list(&self, query: &Query, keys: &[&str], also: impl Fn(&Value) -> bool) -> Answer {
        let limit = query.limit()?;
        let fitting: Vec<&Value> =
            self.all().rev().filter(|row| query.fits(row, keys) && also(row)).collect();
        Ok(json!({ "total": fitting.len(), "items": fitting.iter().take(limit).collect::<Vec<_>>() }))
    }

    /// Copies the members of `change` named in `keys` into the row `id`.
    pub fn patch(&mut self, id: &str, change: &JsonObject, keys: &[&str], now: String) -> Answer {
        let row = self.get_mut(id)?;
        for key in keys {
            if let Some(value) = change.get(*key) {
                row[*key] = value.clone();
            }
        }
        row["updated_at"] = now.into();
        Ok(row.clone())
    }
}

/// The text member `key` of a row or a body; empty when it has none.
pub fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key].as_str().unwrap_or_default()
}

/// The text member `key` of a body, which must not be empty.
pub fn named<'a>(body: &'a JsonObject, key: &str) -> Result<&'a str, Refusal> {
    let text = body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| Refusal::invalid(format!("`{key}` must not be empty")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::of(&Url::parse(&format!("http://x/?{text}")).unwrap())
    }

    #[test]
    fn a_list_is_filtered_newest_first_and_cut() {
        let mut table = Table::new("thing", "thing");
        for n in 0..5 {
            let id = table.mint();
            table.put(&id, json!({ "id": id, "even": n % 2 == 0 }));
        }
        let list = table.list(&query("even=true&limit=2"), &["even"], |_| true).unwrap();
        assert_eq!(list["total"], 3);
        assert_eq!(list["items"][0]["id"], "thing-0005");
        assert_eq!(list["items"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_limit_out_of_range_is_refused() {
        let table = Table::new("thing", "thing");
        for limit in ["0", "101", "-1", "1.5", "x", ""] {
            assert_eq!(table.list(&query(&format!("limit={limit}")), &[], |_| true).unwrap_err().status, 422);
        }
        assert!(table.list(&query("limit=20.0"), &[], |_| true).is_ok());
    }

    #[test]
    fn a_missing_row_is_named() {
        let mut table = Table::new("run", "run");
        let missing = Refusal::not_found("run", "run-0009");
        assert_eq!(table.get("run-0009").unwrap_err(), missing);
        assert_eq!(table.remove("run-0009").unwrap_err(), missing);
    }
}
