//! The language as a JSON Schema (2020-12), for editors.

/// The JSON Schema of a document, published at `/schemas/policy-v1.json`.
pub fn schema() -> serde_json::Value {
    unimplemented!()
}
