//! Who may call: the `Host` must name this machine, or what the operator allows (DNS rebinding); a page must have been served
//! from here or be allowed; and everybody brings the token.

use domain::Secret;
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, Uri};
use url::{Host, Url};

use crate::refusal::Refusal;
use crate::settings::Settings;

/// What every request is held against.
#[derive(Debug)]
pub(crate) struct Door {
    token: Secret<String>,
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Door {
    pub fn new(settings: &Settings) -> Self {
        Self {
            token: settings.token.clone(),
            hosts: settings.hosts.clone(),
            origins: settings.origins.iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect(),
        }
    }

    /// Lets a request in, or says why not.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let authority = uri.authority().map(http::uri::Authority::as_str);
        let named = authority.or_else(|| single(headers, &HOST)).ok_or(Refusal::Host)?;
        if !self.is_ours(named) {
            return Err(Refusal::Host);
        }
        if headers.contains_key(ORIGIN) {
            let origin = single(headers, &ORIGIN).ok_or(Refusal::Origin)?;
            let from_here = ["http://", "https://"].iter().any(|scheme| {
                origin.strip_prefix(scheme).is_some_and(|rest| rest.eq_ignore_ascii_case(named))
            });
            if !from_here && !self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
                return Err(Refusal::Origin);
            }
        }
        let sent = single(headers, &AUTHORIZATION).and_then(|value| value.split_once(' '));
        match sent {
            Some((scheme, token))
                if scheme.eq_ignore_ascii_case("bearer")
                    && vault::equal(token.trim().as_bytes(), self.token.expose().as_bytes()) =>
            {
                Ok(())
            }
            _ => Err(Refusal::Unauthenticated),
        }
    }

    /// Whether a host, with or without a port, is this machine or allowed.
    fn is_ours(&self, named: &str) -> bool {
        let Ok(url) = Url::parse(&format!("http://{named}/")) else { return false };
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let allowed = |host: &str| self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host));
        url.username().is_empty() && (loopback || url.host_str().is_some_and(allowed))
    }
}

/// The one value of a header.
fn single<'h>(headers: &'h HeaderMap, name: &http::HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let mut settings = Settings::new("x".into(), Secret::new("right".to_owned()));
        settings.hosts.push("bridge.internal".to_owned());
        settings.origins.push("https://app.example/".to_owned());
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap()))
            .collect();
        Door::new(&settings).check(&Uri::from_static("/mcp"), &headers)
    }

    const TOKEN: (&str, &str) = ("authorization", "Bearer right");

    #[test]
    fn only_this_machine_and_what_is_allowed_is_served() {
        for host in ["localhost:1", "127.0.0.1:8585", "127.9.9.9", "[::1]:8585", "Bridge.internal:80"] {
            assert_eq!(check(&[("host", host), TOKEN]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "",
            "a b",
            "x@localhost",
            "127.0.0.1.evil.example",
        ] {
            assert_eq!(check(&[("host", host), TOKEN]), Err(Refusal::Host), "{host}");
        }
        assert_eq!(check(&[TOKEN]), Err(Refusal::Host));
    }

    #[test]
    fn a_page_comes_from_here_or_is_allowed() {
        let with = |origin| check(&[("host", "localhost:8585"), ("origin", origin), TOKEN]);
        for origin in ["http://localhost:8585", "https://app.example"] {
            assert_eq!(with(origin), Ok(()), "{origin}");
        }
        for origin in ["null", "http://localhost:1", "http://evil.example", "https://app.example.evil", ""] {
            assert_eq!(with(origin), Err(Refusal::Origin), "{origin}");
        }
    }

    #[test]
    fn nobody_comes_in_without_the_token() {
        assert_eq!(check(&[("host", "localhost")]), Err(Refusal::Unauthenticated));
        for sent in ["Bearer wrong", "Bearer rightx", "Bearer ", "Basic right", "right", "Bearer right right"]
        {
            let checked = check(&[("host", "localhost"), ("authorization", sent)]);
            assert_eq!(checked, Err(Refusal::Unauthenticated), "{sent}");
        }
        assert_eq!(
            check(&[("host", "localhost"), TOKEN, TOKEN]),
            Err(Refusal::Unauthenticated),
            "two are one too many"
        );
        assert_eq!(check(&[("host", "localhost"), ("authorization", "bearer  right")]), Ok(()));
    }
}
