//! Sending a person to the authorization server: the address, and what must be remembered until they come back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Secret, UpstreamUrl};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use vault::Entropy;
use zeroize::Zeroizing;

use crate::client::{Client, ClientAuth};
use crate::discover::Discovery;
use crate::scope::Scopes;

/// A person about to be sent away.
#[derive(Debug)]
pub struct Authorization {
    /// Where to.
    pub url: Url,
    /// What their answer is known by: 256 random bits.
    pub state: Secret<String>,
    /// What the answer is then read with.
    pub pending: Pending,
}

/// What was asked for. It has secrets in it: it is stored sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Who was asked.
    pub issuer: String,
    /// The answer must name the issuer.
    pub names_itself: bool,
    /// Where the code is redeemed.
    pub token_endpoint: UpstreamUrl,
    /// Where tokens are given back, if that is possible.
    pub revocation_endpoint: Option<UpstreamUrl>,
    /// Where the answer comes to.
    pub redirect_uri: String,
    /// What the token is for.
    pub resource: String,
    /// What was asked for.
    pub scopes: Scopes,
    /// Who asked.
    pub client: Client,
    /// The PKCE verifier.
    pub verifier: Secret<String>,
}

impl Authorization {
    /// Asks `discovery`'s authorization server for `scopes`, as `client`.
    pub fn begin(
        discovery: &Discovery,
        scopes: Scopes,
        client: Client,
        redirect_uri: &str,
        entropy: &Entropy,
    ) -> Self {
        let random = || URL_SAFE_NO_PAD.encode(entropy.bytes::<32>());
        let (state, verifier) = (random(), random());
        let challenge = URL_SAFE_NO_PAD.encode(vault::sha256(verifier.as_bytes()));
        let mut url = discovery.server.authorization_endpoint.url().clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("resource", &discovery.resource);
        if !scopes.is_empty() {
            query.append_pair("scope", &scopes.to_string());
        }
        if scopes.is_offline() {
            // OpenID Connect Core, 11: else the scope is ignored.
            query.append_pair("prompt", "consent");
        }
        drop(query);
        let pending = Pending {
            issuer: discovery.server.issuer.clone(),
            names_itself: discovery.server.names_itself,
            token_endpoint: discovery.server.token_endpoint.clone(),
            revocation_endpoint: discovery.server.revocation_endpoint.clone(),
            redirect_uri: redirect_uri.to_owned(),
            resource: discovery.resource.clone(),
            scopes,
            client,
            verifier: Secret::new(verifier),
        };
        Self { url, state: Secret::new(state), pending }
    }
}

/// [`Pending`] as it is sealed.
#[derive(Deserialize)]
struct Stored {
    issuer: String,
    names_itself: bool,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    redirect_uri: String,
    resource: String,
    scopes: String,
    client_id: String,
    client_secret: Option<String>,
    client_auth: String,
    #[serde(default)]
    client_key: Option<String>,
    verifier: String,
}

impl Pending {
    /// The bytes to seal.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let text = json!({
            "issuer": self.issuer,
            "names_itself": self.names_itself,
            "token_endpoint": self.token_endpoint.as_str(),
            "revocation_endpoint": self.revocation_endpoint.as_ref().map(UpstreamUrl::as_str),
            "redirect_uri": self.redirect_uri,
            "resource": self.resource,
            "scopes": self.scopes.to_string(),
            "client_id": self.client.id,
            "client_secret": self.client.secret.as_ref().map(Secret::expose),
            "client_auth": self.client.auth.as_str(),
            "client_key": self.client.key_id,
            "verifier": self.verifier.expose(),
        });
        Zeroizing::new(text.to_string().into_bytes())
    }

    /// Reads what [`Pending::to_bytes`] wrote.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let stored: Stored = serde_json::from_slice(bytes).ok()?;
        Some(Self {
            issuer: stored.issuer,
            names_itself: stored.names_itself,
            token_endpoint: stored.token_endpoint.parse().ok()?,
            revocation_endpoint: stored.revocation_endpoint.and_then(|url| url.parse().ok()),
            redirect_uri: stored.redirect_uri,
            resource: stored.resource,
            scopes: Scopes::read(&stored.scopes),
            client: Client {
                id: stored.client_id,
                secret: stored.client_secret.map(Secret::new),
                auth: ClientAuth::read(&stored.client_auth)?,
                key_id: stored.client_key,
            },
            verifier: Secret::new(stored.verifier),
        })
    }
}
