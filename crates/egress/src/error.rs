//! Why an upstream could not be called. The sentences are shown to the tenant who typed the address, so they name the
//! host but never the address it resolved to.

use std::error::Error as StdError;
use std::fmt;
use std::io;

/// What a request to an upstream was waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Name resolution, TCP and TLS.
    Connect,
    /// The head of the response.
    FirstByte,
    /// The next piece of the response's body.
    Idle,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => {
                "did not accept a connection in time: check the address and that the server is up"
            }
            Self::FirstByte => "did not begin to answer in time: check whether the server is overloaded",
            Self::Idle => "stopped in the middle of its answer: check the server's log",
        })
    }
}

/// A call to an upstream failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The name has no address.
    #[error(
        "the host `{0}` has no address that may be called: check its spelling, and that it is on the public internet"
    )]
    Unresolvable(String),
    /// The host is, or resolves to, an address inside some network. The sentence is that of an unknown name: else it
    /// would tell which names there are inside.
    #[error(
        "the host `{0}` has no address that may be called: check its spelling, and that it is on the public internet"
    )]
    PrivateAddress(String),
    /// Plain HTTP, which this installation does not allow.
    #[error("the address begins with http://, which may not be called: use https://")]
    Insecure,
    /// Nobody listens there.
    #[error("the server refuses connections: check the address, the port, and that the server is up")]
    Connect,
    /// The TLS handshake failed.
    #[error("no secure connection to the server: {0}")]
    Tls(String),
    /// A time limit passed.
    #[error("the server {0}")]
    Timeout(Phase),
    /// The connection ended early, or what came is not HTTP.
    #[error("the connection broke before the answer was complete: check the server's log")]
    Broken,
    /// The answer is longer than the caller takes.
    #[error("the answer is longer than {max} bytes: make the server answer in smaller pages")]
    TooLarge {
        /// Bytes allowed.
        max: usize,
    },
    /// The client could not be built, or the request is not one that HTTP can carry.
    #[error("the request can't be sent: {0}")]
    Unsendable(String),
}

impl EgressError {
    /// Whether the request certainly never reached the upstream, so that making it again repeats nothing.
    pub fn never_sent(&self) -> bool {
        matches!(
            self,
            Self::Unresolvable(_)
                | Self::PrivateAddress(_)
                | Self::Insecure
                | Self::Connect
                | Self::Tls(_)
                | Self::Timeout(Phase::Connect)
                | Self::Unsendable(_)
        )
    }

    /// What an error of [`Client::http_client`](crate::Client::http_client)'s client is.
    pub fn of_http_client(error: &(dyn StdError + 'static)) -> Self {
        let otherwise = match error.downcast_ref::<reqwest::Error>() {
            Some(error) if error.is_timeout() && error.is_connect() => Self::Timeout(Phase::Connect),
            Some(error) if error.is_timeout() => Self::Timeout(Phase::Idle),
            Some(error) if error.is_connect() => Self::Connect,
            _ => Self::Broken,
        };
        Self::classify(error, otherwise)
    }

    /// What a connector or client error is, by the most telling error in its chain of causes.
    pub(crate) fn classify(error: &(dyn StdError + 'static), otherwise: Self) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(known) = error.downcast_ref::<Self>() {
                return known.clone();
            }
            if let Some(tls) = error.downcast_ref::<rustls::Error>() {
                return Self::Tls(tls_reason(tls));
            }
            if let Some(io) = error.downcast_ref::<io::Error>()
                && let Some(inner) = io.get_ref()
            {
                // An `io::Error` answers `source()` with the cause of what it wraps, which skips that itself.
                next = Some(inner);
            } else {
                next = error.source();
            }
        }
        otherwise
    }
}

fn tls_reason(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(reason) => {
            let reason = format!("{reason:?}");
            let word = reason.split(['(', ' ', '{']).next().unwrap_or_default();
            format!(
                "its certificate is not accepted ({word}): renew it, or add its issuer to this machine's trust store"
            )
        }
        rustls::Error::InvalidMessage(_) => "it does not speak TLS on that port: try http://".to_owned(),
        _ => "the handshake failed: check the server's TLS settings".to_owned(),
    }
}
