//! Who this installation is to an authorization server, and how it proves it at the token endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use domain::Secret;
use http::HeaderValue;
use url::form_urlencoded::{Serializer, byte_serialize};
use vault::{AssertionKey, Entropy};

use crate::error::Error;
use crate::server::AuthorizationServer;

/// What an assertion is called in a form (RFC 7523, 2.2).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How a client authenticates at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// Not at all: a public client, whose codes PKCE protects.
    None,
    /// `client_secret_basic`
    Basic,
    /// `client_secret_post`
    Post,
    /// `private_key_jwt`: by an assertion (RFC 7523), signed with the key that is the client's secret.
    PrivateKey,
}

/// A client of an authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its id there.
    pub id: String,
    /// Its secret, unless it is a public one; where it signs, its private key in PEM.
    pub secret: Option<Secret<String>>,
    /// How it authenticates.
    pub auth: ClientAuth,
    /// What the authorization server knows its key by, where it signs.
    pub key_id: Option<String>,
}

impl ClientAuth {
    /// The word in metadata, and where it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::PrivateKey => "private_key_jwt",
        }
    }

    /// The way that a word stands for.
    pub fn read(word: &str) -> Option<Self> {
        [Self::None, Self::Basic, Self::Post, Self::PrivateKey].into_iter().find(|auth| auth.as_str() == word)
    }

    /// The first of `wanted` that the authorization server takes; one that does not say takes `client_secret_basic`
    /// (RFC 8414, 2).
    fn offered(server: &AuthorizationServer, wanted: &[Self]) -> Result<Self, Error> {
        let takes = |auth: &Self| match &server.client_auth {
            Some(offered) => offered.iter().any(|word| word == auth.as_str()),
            None => *auth == Self::Basic,
        };
        wanted.iter().copied().find(takes).ok_or(Error::NoClientAuth)
    }

    /// What a client that registers itself asks for.
    pub(crate) fn to_register(server: &AuthorizationServer) -> Result<Self, Error> {
        Self::offered(server, &[Self::Basic, Self::Post, Self::None])
    }
}

impl Client {
    /// A client that the operator registered there by hand. `chosen` is how it authenticates, where the operator says
    /// so; else the first way that its secret allows and the authorization server takes. A key is known by its thumbprint.
    pub fn by_hand(
        id: String,
        secret: Option<Secret<String>>,
        chosen: Option<ClientAuth>,
        server: &AuthorizationServer,
    ) -> Result<Self, Error> {
        let auth = match (&secret, chosen) {
            (None, None | Some(ClientAuth::None)) => ClientAuth::None,
            (None, Some(_)) | (Some(_), Some(ClientAuth::None)) => return Err(Error::UnfitSecret),
            (Some(_), Some(chosen)) => chosen,
            (Some(secret), None) if secret.expose().contains("-----BEGIN") => ClientAuth::PrivateKey,
            (Some(_), None) => ClientAuth::offered(server, &[ClientAuth::Basic, ClientAuth::Post])?,
        };
        let client = Self { id, secret, auth, key_id: None };
        if auth != ClientAuth::PrivateKey {
            return Ok(client);
        }
        let public = client.public_key().ok_or(Error::UnfitKey)?;
        Ok(Self { key_id: public["kid"].as_str().map(str::to_owned), ..client })
    }

    /// The public key of a client that signs, as a JSON Web Key: what the authorization server must know.
    pub fn public_key(&self) -> Option<serde_json::Value> {
        let pem = self.secret.as_ref().filter(|_| self.auth == ClientAuth::PrivateKey)?;
        Some(AssertionKey::read(pem).ok()?.public(self.key_id.as_deref()))
    }

    /// A client without a secret.
    pub fn public(id: String) -> Self {
        Self { id, secret: None, auth: ClientAuth::None, key_id: None }
    }

    /// Adds to a request what proves who it is from: fields of its form, and perhaps a header.
    pub(crate) fn prove(
        &self,
        form: &mut Serializer<'_, String>,
        proof: &Proof<'_>,
    ) -> Result<Option<HeaderValue>, Error> {
        let secret = self.secret.as_ref().map(Secret::expose);
        match (self.auth, secret) {
            (ClientAuth::Basic, Some(secret)) => {
                // RFC 6749, 2.3.1: each part is form-encoded before the two are joined.
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = STANDARD.encode(format!("{}:{}", encoded(&self.id), encoded(secret)));
                let mut value =
                    HeaderValue::try_from(format!("Basic {pair}")).map_err(|_| Error::UnfitSecret)?;
                value.set_sensitive(true);
                return Ok(Some(value));
            }
            (ClientAuth::Post, Some(secret)) => {
                form.append_pair("client_id", &self.id).append_pair("client_secret", secret);
            }
            (ClientAuth::PrivateKey, _) => {
                let key = self.secret.as_ref().and_then(|pem| AssertionKey::read(pem).ok());
                let key = key.ok_or(Error::UnfitKey)?;
                let signed =
                    key.assert((&self.id, self.key_id.as_deref()), proof.issuer, proof.now, proof.entropy);
                let signed = signed.map_err(|_| Error::UnfitKey)?;
                form.append_pair("client_id", &self.id)
                    .append_pair("client_assertion_type", ASSERTION)
                    .append_pair("client_assertion", signed.expose());
            }
            _ => {
                form.append_pair("client_id", &self.id);
            }
        }
        Ok(None)
    }
}

/// What an assertion is made with beside the client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proof<'a> {
    /// The authorization server that it is for.
    pub issuer: &'a str,
    /// Now.
    pub now: DateTime<Utc>,
    /// Makes it unlike any other.
    pub entropy: &'a Entropy,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(client_auth: Option<&[&str]>) -> AuthorizationServer {
        AuthorizationServer {
            issuer: "https://as.example".to_owned(),
            authorization_endpoint: "https://as.example/authorize".parse().unwrap(),
            token_endpoint: "https://as.example/token".parse().unwrap(),
            registration_endpoint: None,
            revocation_endpoint: None,
            assumed: false,
            scopes: None,
            client_auth: client_auth.map(|words| words.iter().map(|word| (*word).to_owned()).collect()),
            names_itself: false,
            reads_client_metadata: false,
        }
    }

    #[test]
    fn a_way_is_chosen_that_both_know() {
        let chosen = |words: Option<&[&str]>| ClientAuth::to_register(&server(words));
        assert_eq!(chosen(None), Ok(ClientAuth::Basic));
        assert_eq!(chosen(Some(&["none"])), Ok(ClientAuth::None));
        assert_eq!(chosen(Some(&["none", "client_secret_post"])), Ok(ClientAuth::Post));
        assert_eq!(chosen(Some(&["private_key_jwt"])), Err(Error::NoClientAuth));
        let secret = || Some(Secret::new("s".to_owned()));
        let by_hand = Client::by_hand("c".to_owned(), secret(), None, &server(Some(&["none"])));
        assert_eq!(by_hand, Err(Error::NoClientAuth));
        let by_hand = |chosen, secret| {
            Client::by_hand("c".to_owned(), secret, Some(chosen), &server(None)).map(|client| client.auth)
        };
        assert_eq!(by_hand(ClientAuth::Post, secret()), Ok(ClientAuth::Post));
        assert_eq!(by_hand(ClientAuth::Post, None), Err(Error::UnfitSecret));
        assert_eq!(by_hand(ClientAuth::None, secret()), Err(Error::UnfitSecret));
        assert_eq!(by_hand(ClientAuth::PrivateKey, secret()), Err(Error::UnfitKey));
    }

    #[test]
    fn both_parts_are_encoded_before_they_are_joined() {
        let client = Client {
            id: "a:b c".to_owned(),
            secret: Some(Secret::new("p%&".to_owned())),
            auth: ClientAuth::Basic,
            key_id: None,
        };
        let mut form = Serializer::new(String::new());
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let proof = Proof { issuer: "https://as.example", now, entropy: &Entropy::System };
        let header = client.prove(&mut form, &proof).unwrap().unwrap();
        let pair = header.to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
        assert_eq!(STANDARD.decode(pair).unwrap(), b"a%3Ab+c:p%25%26");
        assert_eq!(form.finish(), "");
        assert!(header.is_sensitive());
    }
}
