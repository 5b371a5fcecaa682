//! The shape of a document: its JSON Schema is generated from these types, and the canonical form is printed with them.
//!
//! The comments on the fields are what an editor shows; the operators come from the reader's own table.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::document::Mode;
use crate::read::condition::{OPERATORS, Operator};
use crate::verdict::{Align, Scope, Window};

/// The JSON Schema (2020-12) of a document, published at `/schemas/policy-v1.json`.
pub fn schema() -> serde_json::Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document>();
    without_null(&mut schema);
    schema.insert("title".to_owned(), "Tollgate policy, version 1".into());
    schema.to_value()
}

/// A field that may be left out may not be null.
fn without_null(schema: &mut Schema) {
    if let Some(types) = schema.get_mut("type").and_then(|types| types.as_array_mut()) {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(choices) = schema.get_mut("anyOf").and_then(|choices| choices.as_array_mut()) {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [serde_json::Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            let described: Vec<String> =
                schema.as_object().into_iter().flat_map(|all| all.keys().cloned()).collect();
            // What is said of the field comes before what is said of its type.
            for (keyword, value) in only.into_iter().filter(|(keyword, _)| !described.contains(keyword)) {
                schema.insert(keyword, value);
            }
        }
    }
    transform_subschemas(&mut without_null, schema);
}

/// What the holder of a grant may ask of one server.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "document")]
pub(crate) struct Document {
    /// The version of the language.
    pub(crate) version: Version,
    /// What the policy is for, in words for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// What becomes of tools that no key of `tools` matches.
    pub(crate) default: Default,
    /// Whether rules block. `enforce` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mode: Option<Mode>,
    /// Check arguments against the tool's own input schema. A tool whose schema is not known is denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validate_arguments: Option<bool>,
    /// What becomes of the parts of the protocol beside tools. `default` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) methods: Option<Methods>,
    /// Tools that are taken out of the tool list, and denied when called, whatever `tools` says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(crate) hide: Vec<Name>,
    /// An entry that applies to every call, after the tool's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) all_tools: Option<EntryOfAll>,
    /// Tool names and globs to their entries. The most specific key is the only one used.
    #[schemars(default, extend("propertyNames" = { "minLength": 1, "maxLength": 256 }))]
    pub(crate) tools: BTreeMap<String, Entry>,
}

/// The version of the language.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) enum Version {
    #[serde(rename = "1")]
    One,
}

/// Whether something is let through.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Default {
    /// It is denied.
    Deny,
    /// It is allowed.
    Allow,
}

/// What becomes of the parts of the protocol beside tools.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "methods")]
pub(crate) struct Methods {
    /// What the server has to read: `resources/*`. A way around a tool that returns the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resources: Option<Default>,
    /// The server's prompts: `prompts/*`. They may embed resources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompts: Option<Default>,
    /// Proposals for arguments of prompts and resources: `completion/complete`. They tell which values there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion: Option<Default>,
    /// The server asks for the client's model: `sampling/createMessage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sampling: Option<Default>,
    /// The server asks for the person at the client: `elicitation/create`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) elicitation: Option<Default>,
    /// The server asks for the client's directories: `roots/list`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) roots: Option<Default>,
}

/// A tool's exact name, or a glob: `*` is any run of characters, `?` is one.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "name")]
pub(crate) struct Name(#[schemars(length(min = 1, max = 256))] pub(crate) String);

/// What is asked of the calls of a tool. `{}` allows them all.
#[derive(Serialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "entry")]
pub(crate) struct Entry {
    /// Shorthand for the whole entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<Action>,
    /// Why the `action` refuses: the caller is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Whether this entry's rules block, in place of the document's `mode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mode: Option<Mode>,
    /// Check arguments against the tool's own input schema, in place of what the document says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validate_arguments: Option<bool>,
    /// Every one of these must hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(crate) require: Vec<Requirement>,
    /// The call is denied when all conditions of one of these hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(crate) deny_if: Vec<DenyIf>,
    /// A human must approve the call when all conditions of one of these hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(crate) approve_if: Vec<ApproveIf>,
    /// What a call is counted by. All limits are taken together or none is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default, length(max = 64))]
    pub(crate) limits: Vec<Limit>,
    /// Shorthand for one limit on calls, per grant: `"10/minute"`, or `max` and `window`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate_limit: Option<RateLimit>,
}

/// An entry that takes no `action`.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct EntryOfAll(pub(crate) Entry);

/// Shorthand for a whole entry.
#[derive(Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Action {
    /// Adds nothing.
    Allow,
    /// Every call is denied.
    Deny,
    /// The tool is hidden.
    Hide,
    /// A human must approve every call.
    RequireApproval,
}

/// A condition that must hold, or several with a message of their own.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "requirement")]
pub(crate) enum Requirement {
    Item(DenyIf),
    Bare(Condition),
}

/// Conditions, and what the caller is told.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "item")]
pub(crate) struct DenyIf {
    /// All of them must hold; an empty list does.
    pub(crate) conditions: Vec<Condition>,
    /// What the caller is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_deny: Option<String>,
}

/// Conditions under which a human is asked.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "approval")]
pub(crate) struct ApproveIf {
    /// All of them must hold; an empty list does.
    pub(crate) conditions: Vec<Condition>,
    /// What the human and the caller are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// How long the question stands, as `90s`, `15m`, `1h` or `7d`; at most 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[0-9]+[smhd]$"))]
    pub(crate) expires_in: Option<String>,
}

/// One test of the call, or a group of conditions.
#[derive(Serialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
#[schemars(rename = "condition")]
pub(crate) enum Condition {
    Test(Test),
    /// Holds when all of these hold.
    All {
        #[schemars(length(min = 1))]
        all: Vec<Condition>,
    },
    /// Holds when one of these holds.
    Any {
        #[schemars(length(min = 1))]
        any: Vec<Condition>,
    },
    /// Holds when this does not.
    Not {
        not: Box<Condition>,
    },
}

/// A path, an operator and a value.
#[derive(Serialize)]
pub(crate) struct Test {
    pub(crate) path: String,
    pub(crate) op: &'static str,
    pub(crate) value: Box<RawValue>,
}

/// What is counted, how much of it a window holds, and who shares it.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "limit")]
pub(crate) struct Limit {
    /// What is counted: a name of its own in the entry. Limits of the same counter, window and scope share their count.
    #[schemars(regex(pattern = "^[A-Za-z0-9_.-]{1,64}$"))]
    pub(crate) counter: String,
    /// How long it counts: a unit, or whole seconds up to 31 days.
    pub(crate) window: Window,
    /// The most that a window holds.
    pub(crate) max: Amount,
    /// Who shares the count. `grant` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<Scope>,
    /// One count per value at this path. A call without it is denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// What every call costs. 1 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) increment: Option<Amount>,
    /// The path of the number that is the cost of a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) increment_from: Option<String>,
    /// How windows begin. `sliding` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) align: Option<Align>,
    /// Also give back when the result says `isError: true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refund_on_error: Option<bool>,
    /// What the caller is told when it is used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_deny: Option<String>,
}

/// A number from 0 to 9000000000, with up to six decimal places.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Amount(pub(crate) Box<RawValue>);

/// One limit on calls, per grant.
#[derive(Serialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
#[schemars(inline)]
#[expect(dead_code, reason = "described for editors: the canonical form has no shorthand")]
pub(crate) enum RateLimit {
    /// As `10/minute`.
    Text(#[schemars(regex(pattern = "^[0-9.eE+-]+/(second|minute|hour|day|month)$"))] String),
    /// At most `max` calls in a `window`.
    Object { max: Amount, window: Window },
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "maximum": 9_000_000_000_u64 })
    }

    fn inline_schema() -> bool {
        true
    }
}

impl JsonSchema for EntryOfAll {
    fn schema_name() -> Cow<'static, str> {
        "all_tools".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Entry::json_schema(generator);
        if let Some(properties) =
            schema.get_mut("properties").and_then(|properties| properties.as_object_mut())
        {
            properties.remove("action");
            properties.remove("reason");
        }
        schema
    }
}

impl JsonSchema for Test {
    fn schema_name() -> Cow<'static, str> {
        "test".into()
    }

    /// One choice per kind of operand, so that an editor offers the operators and checks their values.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut choices: Vec<(serde_json::Value, Vec<&str>)> = Vec::new();
        for (name, operator, _) in OPERATORS {
            let operand = operand(operator);
            match choices.iter_mut().find(|(known, _)| *known == operand) {
                Some((_, names)) => names.push(name),
                None => choices.push((operand, vec![name])),
            }
        }
        let choice = |(operand, names): (serde_json::Value, Vec<&str>)| serde_json::json!({ "properties": { "op": { "enum": names }, "value": operand } });
        let choices: Vec<serde_json::Value> = choices.into_iter().map(choice).collect();
        json_schema!({
            "description": "Holds when the operator says so of what the path leads to.",
            "type": "object",
            "properties": {
                "path": {
                    "description": "What to look at: `args.a.b`, `args.items[0].id`, `args.items[*].amount`, `args[\"any key\"]`, \
                        or `grant.label`, `grant.identity`, `client.name`, `client.version`, `server.name`, `tool.name`.",
                    "type": "string",
                    "pattern": "^(args([.\\[].*)?|grant\\.(label|identity)|client\\.(name|version)|server\\.name|tool\\.name)$",
                },
                "op": { "description": "What is asked of it.", "enum": OPERATORS.map(|(name, ..)| name) },
                "value": { "description": "What it is compared with." },
            },
            "required": ["path", "op", "value"],
            "additionalProperties": false,
            "oneOf": choices,
        })
    }
}

/// What an operator compares with.
fn operand(operator: Operator) -> serde_json::Value {
    match operator {
        Operator::Equals | Operator::Contains => serde_json::json!(true),
        Operator::OneOf => serde_json::json!({ "type": "array" }),
        Operator::Less(_) | Operator::Greater(_) => serde_json::json!({ "type": "number" }),
        Operator::Matches => serde_json::json!({ "type": "string", "format": "regex" }),
        Operator::StartsWith | Operator::EndsWith => serde_json::json!({ "type": "string" }),
        Operator::LengthAtMost | Operator::LengthAtLeast => {
            serde_json::json!({ "type": "integer", "minimum": 0 })
        }
        Operator::HostIn => {
            serde_json::json!({ "type": "array", "items": { "type": "string", "minLength": 1 } })
        }
        Operator::Exists => serde_json::json!({ "type": "boolean" }),
    }
}
