//! Typed ids over UUIDv7: a server's id can't stand where a grant's is asked for.
//!
//! Ids are made by `vault::Entropy::id`, which has the randomness; here is only their shape.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an id: ids look like 01890a5d-ac96-774b-bcce-b302099a8057")]
pub struct IdError(String);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A UUIDv7 (RFC 9562, 5.7) of this time and these random bytes.
            pub fn v7(at: DateTime<Utc>, entropy: [u8; 10]) -> Self {
                let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid())
            }

            /// The bare UUID, for a database column.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                // Only the hyphenated form: one id, one spelling, so that logs and caches can compare texts.
                match Uuid::try_parse(text) {
                    Ok(id) if text.len() == 36 => Ok(Self(id)),
                    _ => Err(IdError(text.chars().take(64).collect())),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )*};
}

ids! {
    /// An organisation: the unit of isolation.
    TenantId;
    /// A person who can log in.
    UserId;
    /// A log-in of a person.
    SessionId;
    /// A key to the management API.
    ApiKeyId;
    /// An upstream MCP server, registered by a tenant.
    ServerId;
    /// A policy; its versions are numbered from 1.
    PolicyId;
    /// A grant: the right of one person or agent to call one server.
    GrantId;
    /// The tokens that an upstream server is called with, for an organisation or one identity.
    ConnectionId;
    /// A link by which somebody connects an upstream server.
    ConnectLinkId;
    /// One judged request: the row in the log, and the request id the caller is told.
    DecisionId;
    /// A question to a person about one call, and their answer.
    ApprovalId;
    /// An entry of the admin log: who changed what.
    AdminEventId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_time_is_a_version_7_uuid() {
        let id = GrantId::v7(DateTime::UNIX_EPOCH, [0xff; 10]);
        assert_eq!(id.uuid().get_version_num(), 7);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        assert!("01890a5dac96774bbcceb302099a8057".parse::<ServerId>().is_err());
        assert!("{01890a5d-ac96-774b-bcce-b302099a8057}".parse::<ServerId>().is_err());
        assert!("".parse::<ServerId>().is_err());
    }
}
