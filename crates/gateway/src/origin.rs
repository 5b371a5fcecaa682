//! Who may call from a browser: the `Host` must be one of ours (DNS rebinding), the `Origin` of a page must be allowed,
//! and an allowed page is answered with CORS headers.

use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, HOST, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use url::{Host, Url};

use crate::refusal::Refusal;
use crate::state::GatewaySettings;

/// Request headers that a page may send, besides the `Mcp-Param-*` it asks for.
const ALLOWED: &str = "authorization, content-type, accept, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name, \
                       last-event-id";
/// Response headers that a page may read.
const EXPOSED: &str = "mcp-session-id, www-authenticate, x-request-id";

/// The hosts and origins that are ours.
pub(crate) struct Origins {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Origins {
    pub fn new(settings: &GatewaySettings) -> Self {
        let mut hosts: Vec<String> = settings.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        hosts.extend(settings.public_url.host_str().map(str::to_owned));
        if is_loopback(&settings.public_url) {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        let mut origins: Vec<String> =
            settings.origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect();
        origins.push(settings.public_url.origin().ascii_serialization());
        Self { hosts, origins }
    }

    /// Refuses a foreign host, and a page of a foreign origin.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let named = uri.host().map(str::to_owned).or_else(|| {
            let mut hosts = headers.get_all(HOST).iter();
            let host = hosts.next()?.to_str().ok()?;
            hosts.next().is_none().then(|| host_of(host)).flatten()
        });
        // The port is not compared: it is the name that a rebinding attacker can't choose.
        if !named.is_some_and(|host| self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(&host))) {
            return Err(Refusal::Host);
        }
        if headers.contains_key(ORIGIN) && self.allowed(headers).is_none() {
            return Err(Refusal::Origin);
        }
        Ok(())
    }

    /// The `Origin` of the request, if there is exactly one and it is allowed.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut origins = headers.get_all(ORIGIN).iter();
        let origin = origins.next().filter(|_| origins.next().is_none())?;
        let text = origin.to_str().ok()?;
        self.origins.iter().any(|ours| ours.eq_ignore_ascii_case(text)).then(|| origin.clone())
    }

    /// Tells the browser that the page may read the response.
    pub fn expose(&self, request: &HeaderMap, response: &mut Response) {
        if let Some(origin) = self.allowed(request) {
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
    }

    /// The answer to a preflight (OPTIONS), which carries no credentials and needs none.
    pub fn preflight(request: &HeaderMap) -> Result<Response, Refusal> {
        if !request.contains_key(ORIGIN) {
            return Err(Refusal::MethodNotAllowed);
        }
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, GET, DELETE"));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
        if let Ok(allowed) = HeaderValue::try_from(allowed_headers(request)) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        }
        Ok(response)
    }
}

fn allowed_headers(request: &HeaderMap) -> String {
    let mut allowed = ALLOWED.to_owned();
    let asked =
        request.get(ACCESS_CONTROL_REQUEST_HEADERS).and_then(|value| value.to_str().ok()).unwrap_or_default();
    for name in asked.split(',').map(str::trim) {
        let is_param = name.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("mcp-param-"));
        if is_param && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) {
            allowed.push_str(", ");
            allowed.push_str(name);
        }
    }
    allowed
}

/// The host of a `Host` header, without its port.
fn host_of(header: &str) -> Option<String> {
    header.parse::<http::uri::Authority>().ok().map(|authority| authority.host().to_owned())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, origin: Option<&str>) -> Result<(), Refusal> {
        let mut settings = GatewaySettings::new("https://Gate.example:8443".parse().unwrap());
        settings.hosts.push("gate.internal".to_owned());
        settings.origins.push("https://app.example/".to_owned());
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        Origins::new(&settings).check(&Uri::from_static("/mcp/x"), &headers)
    }

    #[test]
    fn a_host_must_be_ours() {
        for host in ["gate.example", "GATE.example:8443", "gate.example:1", "gate.internal:80"] {
            assert_eq!(check(host, None), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "gate.example.evil",
            "127.0.0.1:8443",
            "localhost",
            "",
            "a b",
            "x@gate.example@y",
        ] {
            assert_eq!(check(host, None), Err(Refusal::Host), "{host}");
        }
    }

    #[test]
    fn an_origin_must_be_ours_or_allowed() {
        for origin in ["https://gate.example:8443", "https://app.example"] {
            assert_eq!(check("gate.example", Some(origin)), Ok(()), "{origin}");
        }
        for origin in ["null", "https://gate.example", "http://app.example", "https://app.example.evil", ""] {
            assert_eq!(check("gate.example", Some(origin)), Err(Refusal::Origin), "{origin}");
        }
    }

    #[test]
    fn a_service_on_this_machine_answers_to_every_name_of_it() {
        let origins = Origins::new(&GatewaySettings::new("http://127.0.0.1:8480".parse().unwrap()));
        for host in ["localhost:8480", "127.0.0.1:8480", "[::1]:8480"] {
            let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
            assert_eq!(origins.check(&Uri::from_static("/"), &headers), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_preflight_allows_the_params_that_are_asked_for_and_nothing_else() {
        let mut request = HeaderMap::new();
        request.insert(ACCESS_CONTROL_REQUEST_HEADERS, "Mcp-Param-Region, x-api-key".parse().unwrap());
        let allowed = allowed_headers(&request);
        assert!(allowed.ends_with(", Mcp-Param-Region") && !allowed.contains("x-api-key"), "{allowed}");
    }
}
