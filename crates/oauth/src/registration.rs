//! How this installation becomes a client: by the document at its client id, or by registering itself (RFC 7591).

use bytes::Bytes;
use domain::Secret;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Client, ClientAuth};
use crate::code::Code;
use crate::document;
use crate::error::Error;
use crate::server::AuthorizationServer;

/// What this installation says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Where people reach it.
    pub home: String,
    /// Where people come back to.
    pub redirect_uri: String,
    /// The address of its metadata, which is its client id where authorization servers read it; none where it can't
    /// be read: the specification wants https.
    pub metadata_url: Option<String>,
}

/// What a registration brought.
#[derive(Deserialize)]
struct Registered {
    client_id: String,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    token_endpoint_auth_method: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    #[serde(default)]
    error: String,
}

impl Installation {
    /// The path that people come back to.
    pub const REDIRECT: &'static str = "/oauth/callback";
    /// The path of the metadata.
    pub const METADATA: &'static str = "/oauth/client.json";

    /// The installation at this address, which has no path.
    pub fn at(home: &str) -> Self {
        let home = home.trim_end_matches('/');
        Self {
            home: home.to_owned(),
            redirect_uri: format!("{home}{}", Self::REDIRECT),
            metadata_url: home.starts_with("https://").then(|| format!("{home}{}", Self::METADATA)),
        }
    }

    /// The same installation, whose metadata authorization servers can't read: it registers itself instead.
    #[must_use]
    pub fn unread(self) -> Self {
        Self { metadata_url: None, ..self }
    }

    /// The client that needs no registration, if the authorization server reads its metadata.
    pub fn client(&self, server: &AuthorizationServer) -> Option<Client> {
        let url = self.metadata_url.as_ref().filter(|_| server.reads_client_metadata)?;
        Some(Client::public(url.clone()))
    }

    /// The document at [`Installation::METADATA`].
    pub fn metadata(&self) -> Value {
        let mut metadata = self.described(ClientAuth::None);
        metadata["client_id"] = Value::from(format!("{}{}", self.home, Self::METADATA));
        metadata
    }

    fn described(&self, auth: ClientAuth) -> Value {
        json!({
            "client_name": "Tollgate",
            "client_uri": self.home,
            "redirect_uris": [self.redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": auth.as_str(),
            "application_type": "web",
        })
    }
}

/// Registers this installation; [`Error::NeedsClient`] where that is for people to do.
pub async fn register(
    egress: &egress::Client,
    server: &AuthorizationServer,
    installation: &Installation,
) -> Result<Client, Error> {
    let endpoint = server.registration_endpoint.as_ref().ok_or(Error::NeedsClient)?;
    let wanted = ClientAuth::to_register(server)?;
    let body = installation.described(wanted).to_string();
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() =
        endpoint.as_str().parse().map_err(|_| Error::Unreadable("an address in it is none"))?;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let response = document::send(egress, request, "the authorization server").await?;
    if server.assumed && matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
        return Err(Error::NoResourceMetadata);
    }
    if !response.status().is_success() {
        let refused = serde_json::from_slice::<Refused>(response.body()).ok();
        return Err(Error::Unregistered(refused.map_or(Code::Unknown, |refused| Code::read(&refused.error))));
    }
    let registered: Registered =
        serde_json::from_slice(response.body()).map_err(|_| Error::Unreadable("it registers no client"))?;
    client(registered, wanted)
}

fn client(registered: Registered, wanted: ClientAuth) -> Result<Client, Error> {
    let Registered { client_id, client_secret, token_endpoint_auth_method } = registered;
    if client_id.is_empty() || client_id.len() > 2048 || client_id.chars().any(char::is_control) {
        return Err(Error::Unreadable("the client id that it gives can't be used"));
    }
    let auth = match token_endpoint_auth_method {
        // No key was registered, so there is none to sign with.
        Some(word) => ClientAuth::read(&word)
            .filter(|auth| *auth != ClientAuth::PrivateKey)
            .ok_or(Error::NoClientAuth)?,
        None => wanted,
    };
    match (auth, client_secret.filter(|secret| !secret.is_empty())) {
        (ClientAuth::None, _) | (_, None) => Ok(Client::public(client_id)),
        (auth, Some(secret)) => {
            Ok(Client { id: client_id, secret: Some(Secret::new(secret)), auth, key_id: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_names_itself_and_is_for_https_only() {
        let installation = Installation::at("https://tollgate.example/");
        let metadata = installation.metadata();
        assert_eq!(metadata["client_id"], "https://tollgate.example/oauth/client.json");
        assert_eq!(metadata["redirect_uris"], json!(["https://tollgate.example/oauth/callback"]));
        assert_eq!(metadata["token_endpoint_auth_method"], "none");
        assert_eq!(Installation::at("http://127.0.0.1:8480").metadata_url, None);
    }

    #[test]
    fn what_the_registration_says_counts() {
        let answer = |secret: Option<&str>, auth: Option<&str>| Registered {
            client_id: "c".to_owned(),
            client_secret: secret.map(str::to_owned),
            token_endpoint_auth_method: auth.map(str::to_owned),
        };
        let auth =
            |answer, wanted| client(answer, wanted).map(|client| (client.auth, client.secret.is_some()));
        let (basic, post, none) = (ClientAuth::Basic, ClientAuth::Post, ClientAuth::None);
        assert_eq!(auth(answer(Some("s"), Some("client_secret_post")), basic), Ok((post, true)));
        assert_eq!(auth(answer(Some("s"), None), basic), Ok((basic, true)));
        assert_eq!(auth(answer(Some("s"), None), none), Ok((none, false)));
        assert_eq!(auth(answer(None, None), basic), Ok((none, false)));
        assert_eq!(auth(answer(Some("s"), Some("private_key_jwt")), basic), Err(Error::NoClientAuth));
    }
}
