//! What is typed about the login of a server.

use domain::Secret;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::view::Login;
use crate::Error;
use crate::input::Problems;
use oauth::ClientAuth;

/// What to change of a server's login; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginChange {
    /// How the server is logged in to. Connections that do not fit are ended.
    #[serde(default)]
    pub login: Option<Login>,
    /// The client that was registered by hand at the server's authorization server; with an empty `client_id`, all
    /// clients are forgotten.
    #[serde(default)]
    pub client: Option<NewUpstreamClient>,
}

/// How a client authenticates at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// With its secret, in a header.
    ClientSecretBasic,
    /// With its secret, in the form.
    ClientSecretPost,
    /// With assertions that its private key signs (RFC 7523).
    PrivateKeyJwt,
}

impl ClientAuthentication {
    /// The way that a word stands for.
    pub fn read(word: &str) -> Option<Self> {
        Some(match word {
            "client_secret_basic" => Self::ClientSecretBasic,
            "client_secret_post" => Self::ClientSecretPost,
            "private_key_jwt" => Self::PrivateKeyJwt,
            _ => return None,
        })
    }
}

impl From<ClientAuthentication> for ClientAuth {
    fn from(chosen: ClientAuthentication) -> Self {
        match chosen {
            ClientAuthentication::ClientSecretBasic => Self::Basic,
            ClientAuthentication::ClientSecretPost => Self::Post,
            ClientAuthentication::PrivateKeyJwt => Self::PrivateKey,
        }
    }
}

/// A client that was registered by hand, as typed.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUpstreamClient {
    /// Its id at the authorization server.
    pub client_id: String,
    /// Its secret, unless it is a public client. Sealed when stored, never shown again.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, format = Password)]
    pub client_secret: Option<Secret<String>>,
    /// The private key that it signs with, in PEM (PKCS #8): P-256, P-384, Ed25519 or RSA. In the place of a secret. Sealed
    /// when stored, never shown again.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, format = Password)]
    pub private_key: Option<Secret<String>>,
    /// What the authorization server knows the key by (`kid`). Left out: the key's thumbprint (RFC 7638).
    #[serde(default)]
    pub key_id: Option<String>,
    /// How it authenticates. Left out: by the key, where there is one; else in the first way that the authorization server takes.
    #[serde(default)]
    pub client_auth: Option<ClientAuthentication>,
}

/// A link to make, as typed.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConnectLink {
    /// Whose connection it makes, where each identity has its own.
    #[serde(default)]
    pub identity: Option<String>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret<String>>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}

/// An id, and the secret unless it is of a public client.
type Typed = (String, Option<Secret<String>>);

/// Bytes of an id or a secret.
const LONGEST: usize = 2048;
/// Bytes of a private key.
const LONGEST_KEY: usize = 16 * 1024;
/// Bytes of what a key is known by.
const LONGEST_KEY_ID: usize = 255;

impl NewUpstreamClient {
    /// What the authorization server knows the key by, where that was typed.
    pub(super) fn key_id(&self) -> Result<Option<String>, Error> {
        let typed = self.key_id.as_deref().map(str::trim).filter(|typed| !typed.is_empty());
        let Some(typed) = typed else { return Ok(None) };
        let given = self.private_key.as_ref().is_some_and(|key| !key.expose().trim().is_empty());
        let refused = |words: String| Err(Error::field("/client/key_id", words));
        if !given {
            return refused("must be empty without a private key: type both".to_owned());
        }
        if typed.len() > LONGEST_KEY_ID || typed.chars().any(char::is_control) {
            return refused(format!(
                "must be at most {LONGEST_KEY_ID} bytes without line breaks: copy it again"
            ));
        }
        Ok(Some(typed.to_owned()))
    }

    /// The id and the secret; none where it is to be forgotten.
    pub(super) fn read(&self) -> Result<Option<Typed>, Error> {
        let id = self.client_id.trim();
        let secret = self.client_secret.as_ref().map(|secret| secret.expose().trim().to_owned());
        let secret = secret.filter(|secret| !secret.is_empty());
        let mut problems = Problems::new();
        if id.is_empty() && secret.is_some() {
            problems.note("/client/client_id", "must not be empty: type the id that belongs to the secret");
        }
        for (pointer, text) in [("/client/client_id", Some(id)), ("/client/client_secret", secret.as_deref())]
        {
            let Some(text) = text else { continue };
            if text.len() > LONGEST {
                problems.note(pointer, format!("is longer than {LONGEST} bytes: is it the right one?"));
            } else if text.chars().any(char::is_control) {
                problems.note(pointer, "has a line break or another control character: copy it again");
            }
        }
        let key = self.private_key.as_ref().map(|key| key.expose().trim().to_owned());
        let key = key.filter(|key| !key.is_empty());
        let signs = matches!(self.client_auth, None | Some(ClientAuthentication::PrivateKeyJwt));
        match &key {
            Some(key) if key.len() > LONGEST_KEY => {
                let words = format!("is longer than {LONGEST_KEY} bytes: is it the private key alone?");
                problems.note("/client/private_key", words);
            }
            Some(_) if secret.is_some() => {
                problems
                    .note("/client/private_key", "must be empty where there is a secret: give one of them");
            }
            Some(_) if id.is_empty() => {
                let words = "must not be empty: type the id that belongs to the private key";
                problems.note("/client/client_id", words);
            }
            Some(_) if !signs => {
                problems
                    .note("/client/client_auth", "must be `private_key_jwt` where there is a private key");
            }
            None if self.client_auth == Some(ClientAuthentication::PrivateKeyJwt) => {
                problems.note("/client/private_key", "must not be empty: the client signs with it");
            }
            _ => {}
        }
        problems.check()?;
        Ok((!id.is_empty()).then(|| (id.to_owned(), key.or(secret).map(Secret::new))))
    }
}
