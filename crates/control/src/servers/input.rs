//! What is typed to register or change a server.

use domain::Secret;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// A header to send to the upstream, as typed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHeader {
    /// `X-Api-Key`, `Authorization`, ...
    #[schema(example = "X-Api-Key")]
    pub name: String,
    /// Sealed when stored, never shown again.
    #[serde(deserialize_with = "secret")]
    #[schema(value_type = String, format = Password)]
    pub value: Secret<String>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<String>, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

/// An upstream to look at, as typed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeRequest {
    /// Absolute, http or https.
    #[schema(example = "https://mcp.example.com/mcp")]
    pub upstream_url: String,
    /// Sent with every request to it.
    #[serde(default)]
    pub headers: Vec<NewHeader>,
}

/// An upstream to register, as typed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewServer {
    /// 1 to 80 characters, unique in the organisation.
    pub name: String,
    /// Absolute, http or https.
    #[schema(example = "https://mcp.example.com/mcp")]
    pub upstream_url: String,
    /// Sent with every request to it.
    #[serde(default)]
    pub headers: Vec<NewHeader>,
    /// The catalogue entry it is made from.
    #[serde(default)]
    pub catalogue_entry: Option<String>,
}

/// What to change of a server; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerChange {
    /// Another name.
    #[serde(default)]
    pub name: Option<String>,
    /// Another address.
    #[serde(default)]
    pub upstream_url: Option<String>,
    /// All headers anew; an empty list removes them.
    #[serde(default)]
    pub headers: Option<Vec<NewHeader>>,
}
