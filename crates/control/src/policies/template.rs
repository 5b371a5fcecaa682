//! A call to begin a simulation with: of a decision in the log, or of a tool. The log has the keys of arguments and never
//! their values, so placeholders stand in for them.

use domain::{DecisionId, ServerId};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::context::{CallContext, ClientContext, GrantContext, ServerContext};
use crate::{Actor, Control, Error, Tool};

/// The call of a decision, with placeholders for the values of its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallTemplate {
    /// The server that was called.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub server_id: Option<ServerId>,
    /// The tool that was called.
    pub tool: String,
    /// Its arguments by key. The values are placeholders: `<run_id>` for a text, `0` for a number.
    #[schema(value_type = Object, example = json!({"run_id": "<run_id>"}))]
    pub arguments: Value,
    /// Who called, and from where, as far as the log has it.
    pub context: CallContext,
}

impl Control {
    /// The call of a decision, to try a policy on. A decision about no tool is not found.
    pub async fn call_of_decision(&self, actor: &Actor, id: DecisionId) -> Result<CallTemplate, Error> {
        let row = self.decision(actor, id).await?;
        let tool = row.tool.ok_or(Error::NotFound)?;
        let tools = match &row.server {
            // Where the server is gone by now, so is what its tools took.
            Some(server) => match self.tools(actor, server.id).await {
                Err(Error::NotFound) => Vec::new(),
                tools => tools?,
            },
            None => Vec::new(),
        };
        let known = tools.iter().find(|known| known.name == tool);
        let schema = known.map_or(&Value::Null, |tool| &tool.input_schema);
        let grant = row.grant.map(|grant| GrantContext { label: grant.label, identity: grant.identity });
        Ok(CallTemplate {
            server_id: row.server.as_ref().map(|server| server.id),
            arguments: filled(schema, row.argument_keys.iter().map(String::as_str)),
            tool,
            context: CallContext {
                grant: grant.unwrap_or_default(),
                client: ClientContext {
                    name: row.client.name.unwrap_or_default(),
                    version: row.client.version.unwrap_or_default(),
                },
                server: ServerContext { name: row.server.map(|server| server.name).unwrap_or_default() },
                session: false,
            },
        })
    }
}

/// The arguments that a tool requires, with placeholders.
pub fn placeholders(tool: &Tool) -> Value {
    let required = tool.input_schema["required"].as_array().into_iter().flatten();
    filled(&tool.input_schema, required.filter_map(Value::as_str))
}

fn filled<'a>(schema: &Value, keys: impl Iterator<Item = &'a str>) -> Value {
    let value = |key: &str| placeholder(key, &schema["properties"][key]);
    Value::Object(keys.map(|key| (key.to_owned(), value(key))).collect::<Map<_, _>>())
}

/// What the schema offers itself, or a value of its type that says what belongs there.
fn placeholder(key: &str, schema: &Value) -> Value {
    let offered = [&schema["const"], &schema["default"], &schema["examples"][0], &schema["enum"][0]];
    if let Some(offered) = offered.into_iter().find(|value| !value.is_null()) {
        return offered.clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").unwrap_or(&Value::Null),
        kind => kind,
    };
    match kind.as_str() {
        Some("number" | "integer") => json!(0),
        Some("boolean") => json!(false),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => json!(format!("<{key}>")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_of_the_type_that_the_schema_names() {
        let schema = json!({ "properties": {
            "run_id": { "type": "string" }, "limit": { "type": ["null", "integer"] }, "deep": { "type": "boolean" },
            "ids": { "type": "array" }, "data": { "type": "object" }, "mode": { "enum": ["fast", "slow"] },
            "page": { "type": "number", "default": 1 }, "odd": true, "ref": { "$ref": "#/$defs/x" }
        } });
        let keys = ["run_id", "limit", "deep", "ids", "data", "mode", "page", "odd", "ref", "unknown"];
        assert_eq!(
            filled(&schema, keys.into_iter()),
            json!({ "run_id": "<run_id>", "limit": 0, "deep": false, "ids": [], "data": {}, "mode": "fast",
                    "page": 1, "odd": "<odd>", "ref": "<ref>", "unknown": "<unknown>" })
        );
        for nothing in [Value::Null, json!(true), json!({ "properties": [] })] {
            assert_eq!(filled(&nothing, ["a"].into_iter()), json!({ "a": "<a>" }));
        }
    }
}
