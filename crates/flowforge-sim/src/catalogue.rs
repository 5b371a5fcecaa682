//! The tools as the catalogue lists them: their definitions for MCP, and the check of arguments against them.

use std::sync::{Arc, LazyLock};

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde::Deserialize;
use serde_json::{Value, json};

static TOOLS: LazyLock<Vec<Listed>> = LazyLock::new(|| {
    // INVARIANT: the file is part of the build, and a test reads it.
    serde_json::from_str(include_str!("../../../catalogue/flowforge/tools.json")).unwrap_or_default()
});

/// One tool of the catalogue.
#[derive(Debug, Deserialize)]
pub struct Listed {
    /// The name.
    pub name: String,
    title: String,
    category: String,
    summary: String,
    signals: Vec<String>,
    params: Vec<Param>,
}

#[derive(Debug, Deserialize)]
struct Param {
    name: String,
    r#type: Type,
    required: bool,
    #[serde(default)]
    r#enum: Vec<String>,
    default: Option<Value>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    String,
    Number,
    Boolean,
    Object,
    #[serde(rename = "array<string>")]
    Strings,
}

/// Every tool, in the catalogue's order.
pub fn tools() -> &'static [Listed] {
    &TOOLS
}

/// The tool of this exact name.
pub fn tool(name: &str) -> Option<&'static Listed> {
    TOOLS.iter().find(|tool| tool.name == name)
}

impl Listed {
    /// The definition that `tools/list` shows.
    pub fn definition(&self) -> Tool {
        let signals = |word: &str| self.signals.iter().any(|signal| signal == word);
        let annotations = ToolAnnotations::with_title(&self.title)
            .read_only(self.category == "Read")
            .destructive(self.category == "Destructive")
            .idempotent(self.category == "Read")
            .open_world(signals("accepts URL") || signals("external network") || signals("outbound calls"));
        Tool::new(self.name.clone(), self.summary.clone(), Arc::new(self.schema()))
            .with_title(&self.title)
            .with_annotations(annotations)
    }

    fn schema(&self) -> JsonObject {
        let properties: JsonObject =
            self.params.iter().map(|param| (param.name.clone(), param.schema())).collect();
        let required: Vec<&str> =
            self.params.iter().filter(|param| param.required).map(|param| param.name.as_str()).collect();
        let mut schema = JsonObject::new();
        schema.insert("type".into(), "object".into());
        schema.insert("properties".into(), properties.into());
        schema.insert("required".into(), required.into());
        schema.insert("additionalProperties".into(), false.into());
        schema
    }

    /// The arguments with defaults filled in, or the sentence that says what is wrong with them.
    pub fn check(&self, mut arguments: JsonObject) -> Result<JsonObject, String> {
        if let Some(unknown) =
            arguments.keys().find(|key| self.params.iter().all(|param| param.name != **key))
        {
            return Err(format!("unknown argument `{unknown}`"));
        }
        for param in &self.params {
            match (arguments.get(&param.name), &param.default) {
                (Some(value), _) => param.check(value)?,
                (None, Some(default)) => {
                    arguments.insert(param.name.clone(), default.clone());
                }
                (None, None) if param.required => return Err(format!("`{}` is required", param.name)),
                (None, None) => {}
            }
        }
        Ok(arguments)
    }
}

impl Param {
    fn schema(&self) -> Value {
        let mut schema = match self.r#type {
            Type::String => json!({ "type": "string" }),
            Type::Number => json!({ "type": "number" }),
            Type::Boolean => json!({ "type": "boolean" }),
            Type::Object => json!({ "type": "object" }),
            Type::Strings => json!({ "type": "array", "items": { "type": "string" } }),
        };
        if !self.r#enum.is_empty() {
            schema["enum"] = json!(self.r#enum);
        }
        if let Some(default) = &self.default {
            schema["default"] = default.clone();
        }
        schema
    }

    fn check(&self, value: &Value) -> Result<(), String> {
        let (fits, wanted) = match self.r#type {
            Type::String => (value.is_string(), "a text"),
            Type::Number => (value.is_number(), "a number"),
            Type::Boolean => (value.is_boolean(), "true or false"),
            Type::Object => (value.is_object(), "an object"),
            Type::Strings => {
                (value.as_array().is_some_and(|list| list.iter().all(Value::is_string)), "a list of texts")
            }
        };
        if !fits {
            return Err(format!("`{}` must be {wanted}", self.name));
        }
        if let Some(text) = value.as_str().filter(|_| !self.r#enum.is_empty())
            && !self.r#enum.iter().any(|allowed| allowed == text)
        {
            return Err(format!("`{}` must be one of {}", self.name, self.r#enum.join(", ")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, arguments: Value) -> Result<JsonObject, String> {
        let Value::Object(arguments) = arguments else { panic!("an object") };
        tool(name).unwrap().check(arguments)
    }

    #[test]
    fn all_tools_are_read() {
        assert_eq!(tools().len(), 49);
        assert!(tool("flowforge_get_run").is_some() && tool("Flowforge_get_run").is_none());
    }

    #[test]
    fn arguments_are_checked_and_completed() {
        assert_eq!(check("flowforge_list_runs", json!({})).unwrap()["limit"], 20);
        let wrong = [
            ("flowforge_get_run", json!({}), "`run_id` is required"),
            ("flowforge_get_run", json!({ "run_id": 7 }), "`run_id` must be a text"),
            ("flowforge_get_run", json!({ "run_id": "run-0001", "x": 1 }), "unknown argument `x`"),
            ("flowforge_list_runs", json!({ "limit": "5" }), "`limit` must be a number"),
            ("flowforge_list_agents", json!({ "is_active": "yes" }), "`is_active` must be true or false"),
            ("flowforge_send_event", json!({ "name": "a", "data": [] }), "`data` must be an object"),
            (
                "flowforge_create_task",
                json!({ "title": "a", "labels": [1] }),
                "`labels` must be a list of texts",
            ),
            (
                "flowforge_list_approvals",
                json!({ "status": "open" }),
                "`status` must be one of pending, approved, rejected",
            ),
        ];
        for (tool, arguments, sentence) in wrong {
            assert_eq!(check(tool, arguments).unwrap_err(), sentence);
        }
    }
}
