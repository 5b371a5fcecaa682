//! What can go wrong with an upstream, and the words for it.

use std::error::Error as StdError;

use egress::{EgressError, Phase};
use rmcp::transport::streamable_http_client::StreamableHttpError;

use super::listing::MOST_TOOLS;
use crate::ServerState;

/// Why a look at an upstream found no tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It could not be reached, or may not be.
    Egress(EgressError),
    /// It answered with this HTTP status.
    Status(u16),
    /// It answered something else than an MCP server does.
    NotMcp,
    /// Its list of tools does not end, or is too large to be taken.
    Endless,
    /// It did not answer in time.
    Slow,
}

impl From<EgressError> for Trouble {
    fn from(error: EgressError) -> Self {
        Self::Egress(error)
    }
}

impl Trouble {
    /// What an error of the client's HTTP was.
    pub(super) fn of<E: StdError + Send + Sync + 'static>(error: &StreamableHttpError<E>) -> Self {
        match error {
            StreamableHttpError::Client(error) => Self::Egress(EgressError::of_http_client(error)),
            StreamableHttpError::HttpStatus(error) => Self::Status(error.status),
            StreamableHttpError::AuthRequired(_) => Self::Status(401),
            StreamableHttpError::InsufficientScope(_) => Self::Status(403),
            StreamableHttpError::ResponseBodyTooLarge { .. } => Self::Endless,
            // The client keeps other statuses in its sentence only: `HTTP 404 Not Found: ...`.
            StreamableHttpError::UnexpectedServerResponse(sentence) => {
                let status = sentence.strip_prefix("HTTP ").and_then(|rest| rest.get(..3)?.parse().ok());
                status.map_or(Self::NotMcp, Self::Status)
            }
            _ => Self::NotMcp,
        }
    }

    /// The state, and a sentence that says what to do. `credentials`: whether any were sent.
    pub(super) fn words(&self, credentials: bool) -> (ServerState, String) {
        match self {
            Self::Egress(error) => (state_of(error), sentence(error)),
            Self::Status(status) => {
                let (state, advice) = status_words(*status, credentials);
                (state, format!("Upstream answered {status}. {advice}"))
            }
            Self::NotMcp => (
                ServerState::NotMcp,
                "Upstream answers, but not as an MCP server does: check the path, which often is /mcp."
                    .to_owned(),
            ),
            Self::Endless => (
                ServerState::NotMcp,
                format!("Upstream's list of tools is too long: at most {MOST_TOOLS} tools can be taken."),
            ),
            Self::Slow => (
                ServerState::Slow,
                "Upstream did not answer in time: check whether it is overloaded, then look again."
                    .to_owned(),
            ),
        }
    }
}

fn status_words(status: u16, credentials: bool) -> (ServerState, &'static str) {
    match status {
        401 if credentials => {
            (ServerState::Unauthorized, "Its API key may have changed: update the credentials.")
        }
        403 if credentials => (
            ServerState::Unauthorized,
            "It does not let these credentials in: check what they may do, or update them.",
        ),
        401 | 403 => (ServerState::Unauthorized, "It asks for credentials: add its API key as a header."),
        429 => (ServerState::Slow, "It has had too many requests: look again in a few minutes."),
        300..=399 => (ServerState::NotMcp, "Redirects are not followed: use the address that it leads to."),
        500.. => (ServerState::Down, "It has trouble of its own: check its log, then look again."),
        _ => (ServerState::NotMcp, "No MCP server is at this address: check the path, which often is /mcp."),
    }
}

fn state_of(error: &EgressError) -> ServerState {
    match error {
        EgressError::Unresolvable(_)
        | EgressError::PrivateAddress(_)
        | EgressError::Insecure
        | EgressError::Unsendable(_) => ServerState::Refused,
        EgressError::Timeout(Phase::FirstByte | Phase::Idle) => ServerState::Slow,
        EgressError::Connect | EgressError::Tls(_) | EgressError::Timeout(Phase::Connect) => {
            ServerState::Down
        }
        EgressError::Broken | EgressError::TooLarge { .. } => ServerState::NotMcp,
    }
}

/// The sentence of an error, as a page begins and ends it.
fn sentence(error: &EgressError) -> String {
    let text = error.to_string();
    let mut rest = text.chars();
    let first = rest.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", rest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_401_says_what_to_do() {
        assert_eq!(
            Trouble::Status(401).words(true),
            (
                ServerState::Unauthorized,
                "Upstream answered 401. Its API key may have changed: update the credentials.".to_owned()
            )
        );
        assert!(Trouble::Status(401).words(false).1.ends_with("add its API key as a header."));
    }

    #[test]
    fn an_unreachable_upstream_is_described() {
        let (state, message) = Trouble::Egress(EgressError::Connect).words(false);
        assert_eq!(state, ServerState::Down);
        assert!(message.starts_with("The server refuses connections") && message.ends_with('.'));
        let (state, _) = Trouble::Egress(EgressError::PrivateAddress("x".to_owned())).words(false);
        assert_eq!(state, ServerState::Refused);
    }

    #[test]
    fn a_status_in_a_sentence_is_found() {
        let of = |text: &'static str| {
            Trouble::of(&StreamableHttpError::<std::io::Error>::UnexpectedServerResponse(text.into()))
        };
        assert_eq!(of("HTTP 404 Not Found: nothing"), Trouble::Status(404));
        assert_eq!(of("expect json"), Trouble::NotMcp);
        assert_eq!(of("HTTP ünï"), Trouble::NotMcp);
    }
}
