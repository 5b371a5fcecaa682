//! Error codes of authorization servers. Only those that a specification names are kept: whatever else stands in their
//! place, or beside them as a description, was written by the other side and is not shown.

use std::fmt;

/// An error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// `access_denied`: the person, or a rule there, said no.
    AccessDenied,
    /// `invalid_grant`: the code or refresh token is used up, revoked or expired.
    InvalidGrant,
    /// `invalid_client` or `unauthorized_client`: it does not know, or not let in, this client.
    InvalidClient,
    /// `invalid_scope`.
    InvalidScope,
    /// `invalid_target`: it issues no tokens for this resource (RFC 8707).
    InvalidTarget,
    /// `server_error`, `temporarily_unavailable`, or a status that says so.
    Busy,
    /// Another one that is specified.
    Other(&'static str),
    /// None, or none that is specified.
    Unknown,
}

/// Those without a meaning of their own here.
const OTHERS: [&str; 9] = [
    "invalid_request",
    "unsupported_grant_type",
    "unsupported_response_type",
    "unsupported_token_type",
    "invalid_redirect_uri",
    "invalid_client_metadata",
    "interaction_required",
    "login_required",
    "consent_required",
];

impl Code {
    /// Reads the `error` of an answer.
    pub fn read(text: &str) -> Self {
        match text {
            "access_denied" => Self::AccessDenied,
            "invalid_grant" => Self::InvalidGrant,
            "invalid_client" | "unauthorized_client" => Self::InvalidClient,
            "invalid_scope" => Self::InvalidScope,
            "invalid_target" => Self::InvalidTarget,
            "server_error" | "temporarily_unavailable" => Self::Busy,
            other => {
                OTHERS.iter().find(|known| **known == other).map_or(Self::Unknown, |known| Self::Other(known))
            }
        }
    }

    /// The sentence for a person who was sent there and came back with this.
    pub(crate) fn words(self) -> String {
        match self {
            Self::AccessDenied => "access was not allowed there: connect again and allow it".to_owned(),
            Self::InvalidScope => {
                "the authorization server does not know the scopes that the server asks for".to_owned()
            }
            Self::Busy => "the authorization server has trouble of its own: try again later".to_owned(),
            other => format!("the authorization server refused the request ({other})"),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessDenied => "access_denied",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidClient => "invalid_client",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::Busy => "temporarily_unavailable",
            Self::Other(code) => code,
            Self::Unknown => "no known reason",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_specification_names_is_not_repeated() {
        assert_eq!(Code::read("invalid_grant"), Code::InvalidGrant);
        assert_eq!(Code::read("login_required"), Code::Other("login_required"));
        let odd = Code::read("<a href=x>click</a>");
        assert_eq!(odd, Code::Unknown);
        assert!(!odd.words().contains("href"));
    }
}
