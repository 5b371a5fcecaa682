//! JSON inside of a body whose text is kept as it was written: a policy document, the arguments of a call.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// The text of a policy document.
#[derive(Debug)]
pub(crate) struct PolicyText(String);

impl PolicyText {
    /// As it was written.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for PolicyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('"') {
            return serde_json::from_str(raw.get()).map(Self).map_err(serde::de::Error::custom);
        }
        Ok(Self(raw.get().to_owned()))
    }
}

impl PartialSchema for PolicyText {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Array(vec![Type::Object, Type::String]))
            .description(Some(
                "The policy language v1, as an object or as its text. `/api/v1/policies/schema` is its JSON Schema.",
            ))
            .examples([serde_json::json!({"version": "1", "default": "deny", "tools": {"flowforge_list_*": {}}})])
            .into()
    }
}

impl ToSchema for PolicyText {}

/// The text of a call's arguments.
#[derive(Debug)]
pub(crate) struct ArgumentsText(String);

impl ArgumentsText {
    /// As it was written.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for ArgumentsText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.get().to_owned()))
    }
}

impl PartialSchema for ArgumentsText {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .description(Some("The arguments of a call, as an agent would send them."))
            .examples([serde_json::json!({"run_id": "run_1"})])
            .into()
    }
}

impl ToSchema for ArgumentsText {}
