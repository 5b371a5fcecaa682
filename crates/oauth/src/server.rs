//! The metadata of an authorization server (RFC 8414, and `OpenID` Connect Discovery).

use domain::UpstreamUrl;
use serde::Deserialize;

use crate::document;
use crate::error::Error;
use crate::scope::Scopes;

const WHAT: &str = "the authorization server";

/// An authorization server that can be used: its name is the one it was asked by, and it offers PKCE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationServer {
    /// Its name, to the letter.
    pub issuer: String,
    /// Where people are sent.
    pub authorization_endpoint: UpstreamUrl,
    /// Where tokens come from.
    pub token_endpoint: UpstreamUrl,
    /// Where clients register themselves, if they may.
    pub registration_endpoint: Option<UpstreamUrl>,
    /// Where tokens are given back (RFC 7009), if that is possible.
    pub revocation_endpoint: Option<UpstreamUrl>,
    /// It publishes no metadata: its addresses are those that the protocol's first revision names.
    pub assumed: bool,
    /// Scopes it knows, if it says.
    pub scopes: Option<Scopes>,
    /// How clients may authenticate at the token endpoint, if it says.
    pub client_auth: Option<Vec<String>>,
    /// Its answers name it (RFC 9207).
    pub names_itself: bool,
    /// It reads clients' metadata at the address that is their id.
    pub reads_client_metadata: bool,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    registration_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    scopes_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    client_id_metadata_document_supported: bool,
}

impl AuthorizationServer {
    /// The host that people know it by.
    pub fn host(&self) -> &str {
        self.authorization_endpoint.url().host_str().unwrap_or_default()
    }

    /// Reads the metadata of `issuer`, at the addresses of the specification in their order. A document that names
    /// another issuer is discarded.
    pub(crate) async fn find(egress: &egress::Client, issuer: &str) -> Result<Self, Error> {
        let shown = || issuer.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
        let url = issuer.parse::<UpstreamUrl>().ok().filter(|url| url.url().query().is_none());
        let url = url.ok_or(Error::Unreadable("the name of an issuer is no address"))?;
        let mut trouble = None;
        for location in locations(&url) {
            let Some(metadata) = document::get::<Metadata>(egress, &location, WHAT).await? else { continue };
            if metadata.issuer == issuer {
                return Self::read(egress, metadata);
            }
            trouble = Some(Error::OtherIssuer(shown()));
        }
        Err(trouble.unwrap_or_else(|| Error::NoServerMetadata(shown())))
    }

    /// The authorization server at the host of a server that publishes nothing about itself, as the protocol's first revision
    /// (2025-03-26) has it: by the metadata at the root of the host, else at the addresses that the revision names.
    pub(crate) async fn beside(egress: &egress::Client, upstream: &UpstreamUrl) -> Result<Self, Error> {
        let origin = upstream.url().origin().ascii_serialization();
        match Self::find(egress, &origin).await {
            Err(Error::NoServerMetadata(_)) => Self::assumed(&origin),
            // Nobody named it, so either way of writing its name is its own.
            Err(Error::OtherIssuer(_)) => Self::find(egress, &format!("{origin}/")).await,
            other => other,
        }
    }

    fn assumed(origin: &str) -> Result<Self, Error> {
        let at = |path: &str| {
            let address = format!("{origin}{path}").parse::<UpstreamUrl>();
            address.map_err(|_| Error::Unreadable("the name of an issuer is no address"))
        };
        Ok(Self {
            issuer: origin.to_owned(),
            authorization_endpoint: at("/authorize")?,
            token_endpoint: at("/token")?,
            registration_endpoint: Some(at("/register")?),
            revocation_endpoint: None,
            assumed: true,
            scopes: None,
            client_auth: None,
            names_itself: false,
            reads_client_metadata: false,
        })
    }

    fn read(egress: &egress::Client, metadata: Metadata) -> Result<Self, Error> {
        let s256 = metadata.code_challenge_methods_supported.iter().flatten().any(|method| method == "S256");
        if !s256 {
            return Err(Error::NoPkce);
        }
        let address = |text: Option<String>| match text {
            None => Ok(None),
            Some(text) => match text.parse::<UpstreamUrl>() {
                // Nobody is sent, and nothing is asked, where plain HTTP is not allowed.
                Ok(url) if egress.check_scheme(url.url().scheme()).is_ok() => Ok(Some(url)),
                _ => Err(Error::Unreadable("an address in its metadata can't be called")),
            },
        };
        let missing = Error::Unreadable("its metadata has no address for authorization or tokens");
        Ok(Self {
            issuer: metadata.issuer,
            authorization_endpoint: address(metadata.authorization_endpoint)?
                .ok_or_else(|| missing.clone())?,
            token_endpoint: address(metadata.token_endpoint)?.ok_or(missing)?,
            registration_endpoint: address(metadata.registration_endpoint)?,
            // Not worth refusing a login for.
            revocation_endpoint: address(metadata.revocation_endpoint).unwrap_or_default(),
            assumed: false,
            scopes: metadata.scopes_supported.map(|scopes| Scopes::of(scopes.iter().map(String::as_str))),
            client_auth: metadata.token_endpoint_auth_methods_supported,
            names_itself: metadata.authorization_response_iss_parameter_supported,
            reads_client_metadata: metadata.client_id_metadata_document_supported,
        })
    }
}

/// Where the metadata of an issuer may be.
fn locations(issuer: &UpstreamUrl) -> Vec<UpstreamUrl> {
    const OAUTH: &str = "/.well-known/oauth-authorization-server";
    const OPENID: &str = "/.well-known/openid-configuration";
    let origin = issuer.url().origin().ascii_serialization();
    let path = issuer.url().path().trim_end_matches('/');
    let mut all = vec![format!("{origin}{OAUTH}{path}"), format!("{origin}{OPENID}{path}")];
    if !path.is_empty() {
        all.push(format!("{origin}{path}{OPENID}"));
    }
    all.iter().filter_map(|address| address.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_in_the_specified_order() {
        let at = |issuer: &str| -> Vec<String> {
            locations(&issuer.parse().unwrap()).iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            at("https://as.example/tenant1/"),
            [
                "https://as.example/.well-known/oauth-authorization-server/tenant1",
                "https://as.example/.well-known/openid-configuration/tenant1",
                "https://as.example/tenant1/.well-known/openid-configuration"
            ]
        );
        assert_eq!(
            at("https://as.example"),
            [
                "https://as.example/.well-known/oauth-authorization-server",
                "https://as.example/.well-known/openid-configuration"
            ]
        );
    }
}
