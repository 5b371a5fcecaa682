//! The protected resource metadata of a server (RFC 9728): who issues its tokens.

use domain::UpstreamUrl;
use serde::Deserialize;

use crate::document;
use crate::error::Error;
use crate::scope::Scopes;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
const WHAT: &str = "the server";

/// What the metadata says.
pub(crate) struct Resource {
    /// The resource's name, to the letter: it goes into every request for a token.
    pub identifier: String,
    pub authorization_servers: Vec<String>,
    pub scopes: Option<Scopes>,
}

#[derive(Deserialize)]
struct Metadata {
    resource: String,
    #[serde(default)]
    authorization_servers: Vec<String>,
    #[serde(default)]
    scopes_supported: Option<Vec<String>>,
}

/// The metadata: where the server's challenge says it is, else where the specification says.
pub(crate) async fn find(
    egress: &egress::Client,
    upstream: &UpstreamUrl,
    announced: Option<&str>,
) -> Result<Resource, Error> {
    // What a server announces and doesn't have at hand is looked for as if it had announced nothing.
    let announced = announced.and_then(|address| address.parse::<UpstreamUrl>().ok());
    for url in announced.into_iter().chain(well_known(upstream)) {
        let Some(metadata) = document::get::<Metadata>(egress, &url, WHAT).await? else { continue };
        if !covers(&metadata.resource, upstream) {
            return Err(Error::OtherResource);
        }
        let scopes = metadata.scopes_supported;
        return Ok(Resource {
            identifier: metadata.resource,
            authorization_servers: metadata.authorization_servers,
            scopes: scopes.map(|scopes| Scopes::of(scopes.iter().map(String::as_str))),
        });
    }
    Err(Error::NoResourceMetadata)
}

/// The well-known addresses, the one of the path first (RFC 9728, 3.1).
fn well_known(upstream: &UpstreamUrl) -> Vec<UpstreamUrl> {
    let url = upstream.url();
    let origin = url.origin().ascii_serialization();
    let path = url.path().trim_end_matches('/');
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut all = Vec::with_capacity(2);
    if !path.is_empty() || !query.is_empty() {
        all.push(format!("{origin}{WELL_KNOWN}{path}{query}"));
    }
    all.push(format!("{origin}{WELL_KNOWN}"));
    all.iter().filter_map(|address| address.parse().ok()).collect()
}

/// Whether a token for `resource` is one for the server at `upstream`: the same address, or one above it on the same
/// origin.
pub fn covers(resource: &str, upstream: &UpstreamUrl) -> bool {
    let Ok(resource) = resource.parse::<UpstreamUrl>() else { return false };
    let (above, below) = (resource.url(), upstream.url());
    let prefix = above.path().trim_end_matches('/');
    let rest = below.path().strip_prefix(prefix);
    above.origin() == below.origin()
        && (above.query().is_none() || above.query() == below.query())
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locations(upstream: &str) -> Vec<String> {
        well_known(&upstream.parse().unwrap()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_path_is_put_behind_the_well_known_part() {
        assert_eq!(
            locations("https://x.example/a/mcp/"),
            [
                "https://x.example/.well-known/oauth-protected-resource/a/mcp",
                "https://x.example/.well-known/oauth-protected-resource"
            ]
        );
        assert_eq!(
            locations("https://x.example"),
            ["https://x.example/.well-known/oauth-protected-resource"]
        );
        assert_eq!(
            locations("https://x.example:8443/mcp?team=1")[0],
            "https://x.example:8443/.well-known/oauth-protected-resource/mcp?team=1"
        );
    }

    #[test]
    fn a_resource_covers_its_own_address_and_those_below() {
        let upstream = "https://x.example/a/mcp".parse().unwrap();
        for resource in [
            "https://x.example/a/mcp",
            "https://x.example/a/mcp/",
            "https://x.example/a",
            "https://X.example:443",
            "https://x.example/",
        ] {
            assert!(covers(resource, &upstream), "{resource}");
        }
        for resource in [
            "https://x.example/a/mc",
            "https://x.example/a/mcp/deeper",
            "https://y.example/a/mcp",
            "http://x.example/a/mcp",
            "https://x.example:8443/a/mcp",
            "https://x.example/a/mcp?x=1",
            "https://x.example.evil.example/a/mcp",
            "https://x.example@evil.example/a/mcp",
            "x.example",
            "",
        ] {
            assert!(!covers(resource, &upstream), "{resource}");
        }
    }
}
