//! Which headers a tenant may have sent to an upstream: credentials, and nothing that frames the message or speaks for
//! the gateway.

use domain::{Secret, ServerId};
use http::{HeaderName, HeaderValue};
use storage::directory::SealedHeader;
use vault::Place;

use super::NewHeader;
use crate::input::Problems;
use crate::{Actor, Control, Error};

/// Headers a server may have.
const MOST: usize = 16;
/// Bytes of one value.
const LONGEST: usize = 8192;

/// What HTTP itself or the gateway sets, or what would carry somebody's identity along: framing (RFC 9110, 7.6.1 and
/// 8), negotiation, where the message is from.
const TAKEN: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "last-event-id",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];
/// The protocol's own.
const TAKEN_PREFIX: &str = "mcp-";

/// A header that may be sent.
#[derive(Clone, Debug)]
pub(crate) struct UpstreamHeader {
    /// In lower case.
    pub(crate) name: HeaderName,
    /// Marked sensitive: it prints as `Sensitive`.
    pub(crate) value: HeaderValue,
}

/// The headers that were typed; what is wrong with them is noted.
pub(crate) fn read(headers: &[NewHeader], problems: &mut Problems) -> Vec<UpstreamHeader> {
    if headers.len() > MOST {
        problems.note("/headers", format!("has {} headers: use at most {MOST}", headers.len()));
        return Vec::new();
    }
    let mut read: Vec<UpstreamHeader> = Vec::with_capacity(headers.len());
    for (at, header) in headers.iter().enumerate() {
        let name = problems.take(&format!("/headers/{at}/name"), name(&header.name, &read));
        let value = problems.take(&format!("/headers/{at}/value"), value(&header.value));
        if let (Some(name), Some(value)) = (name, value) {
            read.push(UpstreamHeader { name, value });
        }
    }
    read
}

fn name(text: &str, before: &[UpstreamHeader]) -> Result<HeaderName, String> {
    let text = text.trim();
    let shown: String = text.chars().take(64).collect();
    if text.is_empty() {
        return Err("must not be empty: type a name such as X-Api-Key".to_owned());
    }
    let name = HeaderName::try_from(text)
        .ok()
        .filter(|name| name.as_str().len() <= 128)
        .ok_or_else(|| format!("`{shown}` is not a header's name: use letters, digits and hyphens"))?;
    if TAKEN.contains(&name.as_str()) || name.as_str().starts_with(TAKEN_PREFIX) {
        return Err(format!("`{shown}` is set by Tollgate: use a header that carries a credential"));
    }
    if before.iter().any(|header| header.name == name) {
        return Err(format!("`{shown}` is there twice: remove one"));
    }
    Ok(name)
}

fn value(text: &Secret<String>) -> Result<HeaderValue, String> {
    let text = text.expose().trim();
    if text.is_empty() {
        return Err("must not be empty: type the credential".to_owned());
    }
    if text.len() > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes: is it the right one?"));
    }
    // Visible ASCII, spaces and tabs: no line can be begun with it.
    let value = Some(text).filter(|text| text.is_ascii()).and_then(|text| HeaderValue::from_str(text).ok());
    let mut value = value
        .ok_or_else(|| "has a line break or a character that no header may have: copy it again".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

impl Control {
    /// A header as it is stored: bound to this server.
    pub(crate) fn seal(
        &self,
        actor: &Actor,
        server: ServerId,
        header: &UpstreamHeader,
    ) -> Result<SealedHeader, Error> {
        let name = header.name.as_str();
        let place = Place::UpstreamHeader { tenant: actor.tenant, server, name };
        let sealed = self.parts().keyring.seal(header.value.as_bytes(), place, &self.parts().entropy)?;
        Ok(SealedHeader { name: name.to_owned(), sealed })
    }

    /// A stored header as it is sent.
    pub(crate) fn open(
        &self,
        actor: &Actor,
        server: ServerId,
        header: &SealedHeader,
    ) -> Result<UpstreamHeader, Error> {
        let place = Place::UpstreamHeader { tenant: actor.tenant, server, name: &header.name };
        let opened = self.parts().keyring.open(&header.sealed, place)?;
        let mut value = HeaderValue::from_bytes(opened.expose()).map_err(Error::internal)?;
        value.set_sensitive(true);
        let name = HeaderName::try_from(header.name.as_str()).map_err(Error::internal)?;
        Ok(UpstreamHeader { name, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        let typed: Vec<_> = headers
            .iter()
            .map(|(name, value)| NewHeader {
                name: (*name).to_owned(),
                value: Secret::new((*value).to_owned()),
            })
            .collect();
        let mut problems = Problems::new();
        read(&typed, &mut problems);
        match problems.check() {
            Err(Error::Invalid(found)) => found.into_iter().map(|p| (p.pointer, p.message)).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn credentials_are_taken() {
        assert_eq!(problems(&[("X-Api-Key", " k "), ("Authorization", "Bearer abc def")]), []);
    }

    #[test]
    fn framing_and_the_gateways_own_are_not() {
        for name in
            ["Host", "content-length", "Transfer-Encoding", "Cookie", "Mcp-Session-Id", "X-Forwarded-For"]
        {
            let found = problems(&[(name, "x")]);
            assert_eq!(found.len(), 1, "{name}");
            assert_eq!(found[0].0, "/headers/0/name");
            assert!(found[0].1.contains("is set by Tollgate"), "{name}");
        }
    }

    #[test]
    fn nothing_can_begin_another_line() {
        for (name, value) in [("X-A: b\r\nX-B", "x"), ("X A", "x"), ("", "x"), ("X-Ä", "x")] {
            assert_eq!(problems(&[(name, value)])[0].0, "/headers/0/name", "{name:?}");
        }
        for value in ["a\r\nX-B: c", "a\nb", "ключ", "a\u{0}b", "  "] {
            let found = problems(&[("X-Api-Key", value)]);
            assert_eq!(found[0].0, "/headers/0/value", "{value:?}");
            assert!(!found[0].1.contains("X-B"), "the value is not repeated");
        }
    }

    #[test]
    fn a_name_is_there_once_and_there_are_few() {
        assert_eq!(problems(&[("X-Key", "a"), ("x-key", "b")])[0].0, "/headers/1/name");
        assert_eq!(problems(&[("a", "b"); 17])[0].0, "/headers");
    }
}
