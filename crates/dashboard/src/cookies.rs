//! The two cookies: the session of who is logged in, and the visit of who is not yet.
//!
//! Both are `__Host-` cookies: sent over TLS (or to this very machine) only, to this host only, out of reach of scripts.

use http::HeaderMap;
use http::HeaderValue;
use http::header::COOKIE;

/// The session token, after log-in.
pub const SESSION: &str = "__Host-tollgate";
/// A random value that forms are bound to before log-in.
pub const VISIT: &str = "__Host-tollgate-visit";

/// The value of the cookie `name`. The first wins: `__Host-` names can't be set by a neighbour host.
pub fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name && !value.is_empty()).then_some(value))
}

/// A `Set-Cookie` value that stores `value` until the browser is closed, or for `max_age` seconds. `None` where
/// the value can't stand in a header.
pub fn set(name: &str, value: &str, max_age: Option<i64>) -> Option<HeaderValue> {
    let age = max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    HeaderValue::try_from(format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}")).ok()
}

/// A `Set-Cookie` value that removes the cookie.
pub fn remove(name: &str) -> Option<HeaderValue> {
    set(name, "", Some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; __Host-tollgate=secret; b=2"));
        headers.append(COOKIE, HeaderValue::from_static("__Host-tollgate-visit=v"));
        assert_eq!(get(&headers, SESSION), Some("secret"));
        assert_eq!(get(&headers, VISIT), Some("v"));
        assert_eq!(get(&headers, "__Host-tollgat"), None);
    }

    #[test]
    fn a_cookie_keeps_to_its_host_and_from_scripts() {
        let cookie = set(SESSION, "x", None).expect("a header value");
        assert_eq!(cookie, "__Host-tollgate=x; Path=/; Secure; HttpOnly; SameSite=Lax");
    }
}
