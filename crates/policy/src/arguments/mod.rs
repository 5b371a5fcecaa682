//! `validate_arguments`: a call's arguments against the tool's `inputSchema`.
//!
//! The schema comes from the upstream and the arguments from the caller, so neither is trusted: nothing is fetched,
//! expressions are linear, and the work is metered before it is done.

mod instance;
mod meter;

use std::fmt;

use jsonschema::{PatternOptions, Retrieve, Uri, Validator};

use crate::call::Call;
use instance::Exact;
use meter::Meter;

/// Bytes of a schema, printed without white space.
const MAX_SCHEMA: usize = 256 << 10;
/// Bytes of a `pattern`, compiled.
const MAX_PATTERN: usize = 256 << 10;
/// Characters of a pointer that a message repeats.
const MAX_SHOWN: usize = 100;

/// A tool's `inputSchema`, compiled once per version of the tool.
pub struct ArgumentSchema {
    validator: Validator<Exact>,
    meter: Meter,
}

/// Why an `inputSchema` can't be used: calls that must be validated against it are denied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentSchemaError {
    /// Over 256 KiB.
    #[error("the tool's input schema is over 256 KiB")]
    TooLarge,
    /// Nested too deep.
    #[error("the tool's input schema is nested over {0} deep")]
    TooDeep(usize),
    /// A reference that leaves the schema, or that can't be metered.
    #[error(
        "the tool's input schema refers to `{0}`: only `#`, `#/...` and `#anchor` within it are followed"
    )]
    Reference(String),
    /// Not a JSON Schema of a dialect that is known.
    #[error("the tool's input schema is not a JSON Schema: {0}")]
    Invalid(String),
}

impl ArgumentSchema {
    /// Compiles a JSON Schema: 2020-12 unless `$schema` names an older draft.
    pub fn compile(schema: &serde_json::Value) -> Result<Self, ArgumentSchemaError> {
        if schema.to_string().len() > MAX_SCHEMA {
            return Err(ArgumentSchemaError::TooLarge);
        }
        let meter = Meter::new(schema)?;
        let validator = jsonschema::options_for::<Exact>()
            .with_retriever(Nothing)
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN))
            .build(schema)
            .map_err(|error| {
                let place = shorten(error.instance_path().as_str());
                ArgumentSchemaError::Invalid(format!("`{}` at `{place}`", error.kind().keyword()))
            })?;
        Ok(Self { validator, meter })
    }

    /// Why the arguments don't fit: which of them, and which keyword of the schema, but never a value.
    fn check(&self, arguments: &json::Value<'_>) -> Result<(), String> {
        self.meter.measure(arguments)?;
        if self.validator.is_valid(arguments) {
            return Ok(());
        }
        let found = self.validator.validate(arguments).err();
        let (place, keyword) = found
            .as_ref()
            .map_or(("", "schema"), |error| (error.instance_path().as_str(), error.kind().keyword()));
        let place =
            if place.is_empty() { "they do".to_owned() } else { format!("`{}` does", shorten(place)) };
        Err(format!("the arguments do not fit the tool's input schema: {place} not satisfy `{keyword}`"))
    }
}

impl fmt::Debug for ArgumentSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArgumentSchema")
    }
}

/// Step 6 for a call: a tool with no schema known is denied.
pub(crate) fn validate(call: &Call<'_>) -> Result<(), String> {
    let schema = call.state.schema.ok_or_else(|| {
        "the arguments must be checked against the tool's input schema, which is not known".to_owned()
    })?;
    match call.arguments {
        Some(arguments) => schema.check(arguments),
        None => schema.check(&json::Value::object()),
    }
}

fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Fetches nothing.
struct Nothing;

impl Retrieve for Nothing {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<serde_json::Value, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("`{uri}` is not fetched").into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_pointers_are_cut() {
        let text = "é".repeat(MAX_SHOWN);
        assert_eq!(shorten(&text), text);
        assert_eq!(shorten(&format!("{text}x")), format!("{text}…"));
        assert_eq!(shorten(""), "");
    }

    #[test]
    fn schemas_are_bounded_in_size() {
        let printed_in = |bytes: usize| json!({"title": "x".repeat(bytes - r#"{"title":""}"#.len())});
        assert!(ArgumentSchema::compile(&printed_in(MAX_SCHEMA)).is_ok());
        let refused = ArgumentSchema::compile(&printed_in(MAX_SCHEMA + 1)).err();
        assert_eq!(refused, Some(ArgumentSchemaError::TooLarge));
    }

    #[test]
    fn expressions_of_a_schema_are_bounded_in_size() {
        assert!(ArgumentSchema::compile(&json!({"pattern": r"^\p{L}$"})).is_ok());
        assert!(ArgumentSchema::compile(&json!({"pattern": r"^\p{L}{1,1000}$"})).is_err());
    }

    #[test]
    fn it_prints_no_schema() {
        let schema = ArgumentSchema::compile(&json!({"const": "secret"})).expect("compiles");
        assert_eq!(format!("{schema:?}"), "ArgumentSchema");
    }
}
