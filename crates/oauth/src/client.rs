//! Who this installation is to an authorization server, and how it proves it at the token endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Secret;
use http::HeaderValue;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::error::Error;
use crate::server::AuthorizationServer;

/// How a client authenticates at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// Not at all: a public client, whose codes PKCE protects.
    None,
    /// `client_secret_basic`
    Basic,
    /// `client_secret_post`
    Post,
}

/// A client of an authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its id there.
    pub id: String,
    /// Its secret, unless it is a public one.
    pub secret: Option<Secret<String>>,
    /// How it authenticates.
    pub auth: ClientAuth,
}

impl ClientAuth {
    /// The word in metadata, and where it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }

    /// The way that a word stands for.
    pub fn read(word: &str) -> Option<Self> {
        [Self::None, Self::Basic, Self::Post].into_iter().find(|auth| auth.as_str() == word)
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
    /// A client that the operator registered there by hand.
    pub fn by_hand(
        id: String,
        secret: Option<Secret<String>>,
        server: &AuthorizationServer,
    ) -> Result<Self, Error> {
        let auth = match &secret {
            Some(_) => ClientAuth::offered(server, &[ClientAuth::Basic, ClientAuth::Post])?,
            None => ClientAuth::None,
        };
        Ok(Self { id, secret, auth })
    }

    /// A client without a secret.
    pub fn public(id: String) -> Self {
        Self { id, secret: None, auth: ClientAuth::None }
    }

    /// Adds to a request what proves who it is from: fields of its form, and perhaps a header.
    pub(crate) fn prove(&self, form: &mut Serializer<'_, String>) -> Option<HeaderValue> {
        let secret = self.secret.as_ref().map(Secret::expose);
        match (self.auth, secret) {
            (ClientAuth::Basic, Some(secret)) => {
                // RFC 6749, 2.3.1: each part is form-encoded before the two are joined.
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = STANDARD.encode(format!("{}:{}", encoded(&self.id), encoded(secret)));
                let mut value = HeaderValue::try_from(format!("Basic {pair}")).ok()?;
                value.set_sensitive(true);
                return Some(value);
            }
            (ClientAuth::Post, Some(secret)) => {
                form.append_pair("client_id", &self.id).append_pair("client_secret", secret);
            }
            _ => {
                form.append_pair("client_id", &self.id);
            }
        }
        None
    }
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
        let by_hand = Client::by_hand("c".to_owned(), secret(), &server(Some(&["none"])));
        assert_eq!(by_hand, Err(Error::NoClientAuth));
    }

    #[test]
    fn both_parts_are_encoded_before_they_are_joined() {
        let client = Client {
            id: "a:b c".to_owned(),
            secret: Some(Secret::new("p%&".to_owned())),
            auth: ClientAuth::Basic,
        };
        let mut form = Serializer::new(String::new());
        let header = client.prove(&mut form).unwrap();
        let pair = header.to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
        assert_eq!(STANDARD.decode(pair).unwrap(), b"a%3Ab+c:p%25%26");
        assert_eq!(form.finish(), "");
        assert!(header.is_sensitive());
    }
}
