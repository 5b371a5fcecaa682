//! What is typed to register or change a server.

use domain::{Label, Secret, UpstreamUrl};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::headers::{self, UpstreamHeader};
use crate::input::Problems;
use crate::{Error, Server};

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

/// What a server is to be after a [`ServerChange`].
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) name: Label,
    pub(super) url: UpstreamUrl,
    /// None: they stay as they are.
    pub(super) headers: Option<Vec<UpstreamHeader>>,
}

impl ServerChange {
    /// Reads the change of a server as it was `before`.
    pub(super) fn read(&self, before: &Server) -> Result<Wanted, Error> {
        let mut problems = Problems::new();
        let name = self.name.as_deref().unwrap_or(&before.name);
        let name = problems.take("/name", name.parse::<Label>());
        let url = self.upstream_url.as_deref().unwrap_or(&before.upstream_url);
        let url = problems.take("/upstream_url", url.parse::<UpstreamUrl>());
        let headers = self.headers.as_deref().map(|headers| headers::read(headers, &mut problems));
        // Else whoever may change the address could have the credentials sent to a host of their own.
        let elsewhere = url.as_ref().is_some_and(|url| !same_origin(url, &before.upstream_url));
        if elsewhere && headers.is_none() && !before.header_names.is_empty() {
            problems.note(
                "/headers",
                "belong to the old address, and the new one is on another host: type the credentials again",
            );
        }
        let (Some(name), Some(url)) = (name, url) else { return Err(problems.into()) };
        problems.check()?;
        Ok(Wanted { name, url, headers })
    }
}

/// Whether both have the same scheme, host and port.
fn same_origin(url: &UpstreamUrl, before: &str) -> bool {
    before.parse::<UpstreamUrl>().is_ok_and(|before| before.url().origin() == url.url().origin())
}
