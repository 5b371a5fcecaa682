//! One call to judge as data, and its verdict as data: what `judge` reads and prints, and `test` compares.

use json::Value;
use policy::{ArgumentSchema, Call, Charge, Context, Policy, Refusal, ToolState, Verdict};
use serde::Serialize;

/// Levels of the JSON around a call: as deep as the gateway reads a request.
pub const MAX_DEPTH: usize = 64;

/// A verdict, printed as one line of JSON.
#[derive(Debug, PartialEq, Serialize)]
pub struct Line {
    /// `allow`, `deny`, `hide` or `pending`.
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The conditions that decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// Seconds that the question stands, where the rule says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// The limits to take, when allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charges: Option<Vec<Taken>>,
    /// What shadow mode let pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Box<Line>>,
}

/// A limit to take.
#[derive(Debug, PartialEq, Serialize)]
pub struct Taken {
    pub rule: String,
    pub amount_micros: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
}

impl Line {
    /// The refusal of a rule.
    pub fn refused(outcome: &'static str, refusal: Refusal) -> Self {
        Self {
            outcome,
            rule: Some(refusal.rule.to_string()),
            message: Some(refusal.message.to_string()),
            conditions: refusal.conditions,
            expires_in: None,
            charges: None,
            shadow: None,
        }
    }

    /// A call that could not be read: the gateway would not have forwarded it.
    pub fn malformed(message: String) -> Self {
        let (rule, message) = ("(malformed)".into(), message.into());
        Self::refused("deny", Refusal { rule, message, conditions: Vec::new() })
    }
}

impl From<Verdict> for Line {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Allow { charges, shadow } => {
                let taken = |charge: Charge| Taken {
                    rule: charge.limit.rule.to_string(),
                    amount_micros: charge.amount_micros,
                    shadow: charge.shadow,
                };
                let shadow =
                    shadow.map(|shadow| Box::new(Self::refused(shadow.outcome.as_str(), shadow.refusal)));
                let charges = Some(charges.into_iter().map(taken).collect());
                Self {
                    outcome: "allow",
                    rule: None,
                    message: None,
                    conditions: Vec::new(),
                    expires_in: None,
                    charges,
                    shadow,
                }
            }
            Verdict::Deny(refusal) => Self::refused("deny", refusal),
            Verdict::Hide(refusal) => Self::refused("hide", refusal),
            Verdict::Pending { refusal, expires_in } => {
                Self { expires_in, ..Self::refused("pending", refusal) }
            }
        }
    }
}

/// Judges the call of a JSON object: `{"call": {"tool", "arguments"?}, "grant"?, "client"?, "server"?, "input_schema"?,
/// "tool_changed"?}`.
pub fn judge(policy: &Policy, object: &Value<'_>, text: &[u8]) -> Line {
    let name = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let Some(tool) = name("/call/tool") else {
        return Line::malformed("`call.tool` is missing or not a text: name the tool".to_owned());
    };
    let arguments = object.pointer("/call/arguments");
    if arguments.is_some_and(|arguments| arguments.as_object().is_none()) {
        return Line::malformed("`call.arguments` is not an object: write one, or leave it out".to_owned());
    }
    let schema = object.get("input_schema").map(|schema| serde_json::from_slice(schema.span.of(text)));
    let schema = match schema.transpose().map(|schema| schema.as_ref().map(ArgumentSchema::compile)) {
        Ok(compiled) => compiled,
        Err(error) => return Line::malformed(format!("`input_schema` can't be read: {error}")),
    };
    // A schema that can't be used is none: the call is denied where it must be checked.
    let schema = schema.and_then(Result::ok);
    let changed = object.get("tool_changed").and_then(Value::as_bool).unwrap_or(false);
    let context = Context {
        grant_label: name("/grant/label"),
        grant_identity: name("/grant/identity"),
        client_name: name("/client/name"),
        client_version: name("/client/version"),
        server_name: name("/server/name"),
    };
    let state = ToolState { changed, schema: schema.as_ref() };
    policy.judge(&Call { tool, arguments, context, state }).into()
}
