//! What is typed about the login of a server.

use domain::Secret;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::view::Login;
use crate::Error;
use crate::input::Problems;

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

/// A client that was registered by hand, as typed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUpstreamClient {
    /// Its id at the authorization server.
    pub client_id: String,
    /// Its secret, unless it is a public client. Sealed when stored, never shown again.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, format = Password)]
    pub client_secret: Option<Secret<String>>,
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

impl NewUpstreamClient {
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
        problems.check()?;
        Ok((!id.is_empty()).then(|| (id.to_owned(), secret.map(Secret::new))))
    }
}
