//! The tools of a list, page by page, made fit to be stored: bounded, named once, and of text that Postgres holds.

use std::collections::{HashMap, HashSet};

use rmcp::model;
use serde_json::Value;
use storage::ToolDefinition;

use super::trouble::Trouble;

/// Tools a server may have.
pub(super) const MOST_TOOLS: usize = 1000;
/// Pages they may come in. A cursor that leads round and round ends here.
const MOST_PAGES: usize = 100;
/// Bytes of all definitions together.
const MOST_BYTES: usize = 8 << 20;
/// Bytes of a name (the specification asks for at most 128 characters).
const LONGEST_NAME: usize = 256;
/// What is kept of a definition for the gateway's comparison alone.
const MORE: [&str; 3] = ["outputSchema", "icons", "_meta"];

/// The tools so far.
#[derive(Default)]
pub(super) struct Listing {
    pub(super) tools: Vec<ToolDefinition>,
    names: HashSet<String>,
    pages: usize,
    bytes: usize,
}

impl Listing {
    /// Adds a page, with what is known of each tool's `execution`. The first of several tools with one name counts, as it does for
    /// clients.
    pub(super) fn add(
        &mut self,
        page: Vec<model::Tool>,
        executions: &HashMap<String, Value>,
    ) -> Result<(), Trouble> {
        self.pages += 1;
        if self.pages > MOST_PAGES {
            return Err(Trouble::Endless);
        }
        for tool in page {
            let name = tool.name.to_string();
            if name.is_empty() || name.len() > LONGEST_NAME || name.contains('\0') {
                continue;
            }
            if !self.names.insert(name.clone()) {
                continue;
            }
            let execution = executions.get(&name);
            let (definition, bytes) = definition(name, tool, execution).ok_or(Trouble::NotMcp)?;
            self.bytes += bytes;
            if self.tools.len() >= MOST_TOOLS || self.bytes > MOST_BYTES {
                return Err(Trouble::Endless);
            }
            self.tools.push(definition);
        }
        Ok(())
    }
}

/// A tool as it is stored, and its size in bytes.
fn definition(name: String, tool: model::Tool, execution: Option<&Value>) -> Option<(ToolDefinition, usize)> {
    let mut whole = serde_json::to_value(&tool).ok()?;
    if let Some(execution) = execution.filter(|execution| !execution.is_null()) {
        whole["execution"] = execution.clone();
    }
    // The order of keys says nothing, so it makes no change.
    whole.sort_all_objects();
    let bytes = whole.to_string().into_bytes();
    let hinted = tool.annotations.as_ref().and_then(|hints| hints.title.clone());
    let annotations = tool.annotations.and_then(|hints| serde_json::to_value(hints).ok());
    let more = MORE.iter().filter_map(|key| Some(((*key).to_owned(), whole.get(key)?.clone())));
    // Null where there is none, by which the gateway knows that it was looked for.
    let execution = execution.map(|execution| ("execution".to_owned(), execution.clone()));
    let more = more.chain(execution).collect();
    let definition = ToolDefinition {
        name,
        title: tool.title.or(hinted).map(storable_text),
        description: tool.description.map(|text| storable_text(text.into_owned())),
        input_schema: storable(Value::Object((*tool.input_schema).clone())),
        annotations: annotations.map(storable),
        more: Some(storable(Value::Object(more))),
        digest: vault::sha256(&bytes),
    };
    Some((definition, bytes.len()))
}

/// Postgres holds every character but NUL.
fn storable_text(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

fn storable(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(storable_text(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(storable).collect()),
        Value::Object(members) => Value::Object(
            members.into_iter().map(|(key, value)| (storable_text(key), storable(value))).collect(),
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tool(value: Value) -> model::Tool {
        serde_json::from_value(value).unwrap()
    }

    fn named(name: &str) -> model::Tool {
        tool(json!({ "name": name, "inputSchema": { "type": "object" } }))
    }

    fn add(listing: &mut Listing, page: Vec<model::Tool>) -> Result<(), Trouble> {
        listing.add(page, &HashMap::new())
    }

    #[test]
    fn the_first_of_a_name_counts_and_unusable_names_don_t() {
        let mut listing = Listing::default();
        let mut first = named("a");
        first.description = Some("first".into());
        add(&mut listing, vec![first, named("a"), named(""), named("b\0"), named(&"x".repeat(257))]).unwrap();
        add(&mut listing, vec![named("a"), named("c")]).unwrap();
        let names: Vec<_> = listing.tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(listing.tools[0].description.as_deref(), Some("first"));
    }

    #[test]
    fn a_list_that_does_not_end_is_given_up() {
        let mut listing = Listing::default();
        for _ in 0..MOST_PAGES {
            add(&mut listing, Vec::new()).unwrap();
        }
        assert_eq!(add(&mut listing, Vec::new()), Err(Trouble::Endless));

        let mut listing = Listing::default();
        let page: Vec<_> = (0..=MOST_TOOLS).map(|n| named(&format!("tool_{n}"))).collect();
        assert_eq!(add(&mut listing, page), Err(Trouble::Endless));

        let mut listing = Listing::default();
        let mut big = named("big");
        big.description = Some("x".repeat(MOST_BYTES).into());
        assert_eq!(add(&mut listing, vec![big]), Err(Trouble::Endless));
    }

    #[test]
    fn the_order_of_keys_is_no_change_but_a_word_is() {
        let digest = |value: Value| {
            let mut listing = Listing::default();
            add(&mut listing, vec![tool(value)]).unwrap();
            listing.tools.remove(0).digest
        };
        let one = digest(json!({ "name": "a", "inputSchema": { "type": "object", "title": "t" } }));
        let two = digest(json!({ "inputSchema": { "title": "t", "type": "object" }, "name": "a" }));
        let other = digest(json!({ "inputSchema": { "title": "T", "type": "object" }, "name": "a" }));
        assert!(one == two && one != other);
    }

    #[test]
    fn all_that_a_pin_covers_is_kept() {
        let more = |value: Value| {
            let mut listing = Listing::default();
            add(&mut listing, vec![tool(value)]).unwrap();
            listing.tools.remove(0).more.unwrap()
        };
        assert_eq!(more(json!({ "name": "a", "inputSchema": {} })), json!({}));
        let said = json!({
            "outputSchema": { "type": "object" }, "icons": [{ "src": "https://x.example/i.png" }], "_meta": { "ui": { "x": [1, null] } },
        });
        let mut whole = json!({ "name": "a", "inputSchema": {}, "title": "t" });
        whole.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        assert_eq!(more(whole), said);
    }

    #[test]
    fn what_runs_a_tool_is_kept_and_a_change_of_it_is_one() {
        let read = |execution: Option<Value>| {
            let executions = execution.map(|execution| ("a".to_owned(), execution)).into_iter().collect();
            let mut listing = Listing::default();
            listing.add(vec![named("a")], &executions).unwrap();
            let tool = listing.tools.remove(0);
            (tool.more.unwrap(), tool.digest)
        };
        let (unknown, none) = (read(None), read(Some(Value::Null)));
        let (optional, required) = (
            read(Some(json!({ "taskSupport": "optional" }))),
            read(Some(json!({ "taskSupport": "required" }))),
        );
        assert_eq!((&unknown.0, &none.0), (&json!({}), &json!({ "execution": null })));
        assert_eq!(optional.0, json!({ "execution": { "taskSupport": "optional" } }));
        // Of a tool without one, what was approved stays so.
        assert_eq!(unknown.1, none.1);
        assert!(none.1 != optional.1 && optional.1 != required.1);
    }

    #[test]
    fn no_nul_reaches_the_database() {
        let mut listing = Listing::default();
        let schema = json!({ "type": "object", "de\0fault": ["a\0b", { "c": "\0" }] });
        let mut odd = tool(json!({ "name": "a", "description": "x\0y", "inputSchema": schema }));
        odd.title = Some("\0".to_owned());
        add(&mut listing, vec![odd]).unwrap();
        assert!(!format!("{:?}", listing.tools).contains("\\0"));
    }
}
