//! The address of an upstream server, as far as its text alone can be judged.
//!
//! Whether the host resolves, and to an address that may be called, is asked where the call is made.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// An absolute http(s) address without user, password or fragment, at most 2048 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamUrl(Url);

/// Why an address was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamUrlError {
    /// Not an absolute URL.
    #[error("is not a complete address: write it like https://mcp.example.com/mcp")]
    NotAbsolute,
    /// Another scheme.
    #[error("starts with `{0}:`: only https and http can be called")]
    Scheme(String),
    /// A user or password in the address.
    #[error("has a user name or password in it: remove it and store the credential as a header")]
    UserInfo,
    /// A fragment.
    #[error("has a `#` part, which is never sent: remove it")]
    Fragment,
    /// Over 2048 characters.
    #[error("is longer than 2048 characters: shorten it")]
    TooLong,
}

impl UpstreamUrl {
    /// The parsed address.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for UpstreamUrl {
    type Err = UpstreamUrlError;

    fn from_str(text: &str) -> Result<Self, UpstreamUrlError> {
        if text.len() > 2048 {
            return Err(UpstreamUrlError::TooLong);
        }
        let url = Url::parse(text.trim()).map_err(|_| UpstreamUrlError::NotAbsolute)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UpstreamUrlError::Scheme(url.scheme().chars().take(32).collect()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UpstreamUrlError::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(UpstreamUrlError::Fragment);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(UpstreamUrlError::NotAbsolute);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for UpstreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_must_not_be_called() {
        let parse = |text: &str| text.parse::<UpstreamUrl>().map(|url| url.to_string());
        assert_eq!(parse(" https://mcp.example.com/mcp "), Ok("https://mcp.example.com/mcp".to_owned()));
        assert_eq!(parse("mcp.example.com"), Err(UpstreamUrlError::NotAbsolute));
        assert_eq!(parse("ftp://example.com"), Err(UpstreamUrlError::Scheme("ftp".to_owned())));
        assert_eq!(parse("https://ada:pw@example.com"), Err(UpstreamUrlError::UserInfo));
        assert_eq!(parse("https://example.com/#x"), Err(UpstreamUrlError::Fragment));
    }
}
