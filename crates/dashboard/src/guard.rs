//! The guard before every handler that changes something: where the form came from, and its token.
//!
//! It alone reads bodies, so a handler that forgets to check can't exist.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use vault::{Keyring, Purpose};

use crate::error::ErrorPage;
use crate::form::Form;
use crate::state::DashboardState;
use crate::{cookies, hex};

/// A policy of 256 KiB, percent-encoded at worst, and some fields beside it.
const MAX_BODY: usize = 1024 * 1024;

/// The token for forms of a browser that holds this cookie.
pub fn token(keyring: &Keyring, cookie: &str) -> String {
    hex::encode(&keyring.mac(Purpose::Csrf, cookie.as_bytes()))
}

/// What forms of this browser are bound to: its session, or its visit before log-in.
pub fn binding(headers: &HeaderMap) -> Option<&str> {
    cookies::get(headers, cookies::SESSION).or_else(|| cookies::get(headers, cookies::VISIT))
}

/// Middleware: lets safe methods through; of others, only our own forms with their token.
pub async fn guard(State(state): State<DashboardState>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match checked(&state, request).await {
        Ok(request) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

async fn checked(state: &DashboardState, request: Request) -> Result<Request, ErrorPage> {
    let (mut parts, body) = request.into_parts();
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded")) {
        return Err(ErrorPage::NotAForm);
    }
    if !same_origin(&parts.headers) {
        return Err(ErrorPage::ForeignForm);
    }
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| ErrorPage::TooLarge)?;
    let form = Form::read(&body);
    let given = hex::decode(form.value("csrf")).unwrap_or_default();
    let bound = binding(&parts.headers).is_some_and(|cookie| {
        // An empty token never matches: the MAC is 32 bytes.
        state.keyring.mac_matches(Purpose::Csrf, cookie.as_bytes(), &given)
    });
    if !bound {
        return Err(ErrorPage::ForeignForm);
    }
    parts.extensions.insert(form);
    Ok(Request::from_parts(parts, Body::empty()))
}

/// Browsers say where a form came from in `Sec-Fetch-Site`, older ones in `Origin`; both absent, the token decides.
fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let site = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let origin = text(ORIGIN.as_str()).is_none_or(|origin| {
        let host = origin.split_once("://").map(|(_, host)| host);
        host.is_some() && host == text(HOST.as_str())
    });
    site && origin
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
            .collect()
    }

    #[test]
    fn only_our_own_pages_may_send_forms() {
        let ours = [("host", "gate.example"), ("origin", "https://gate.example")];
        assert!(same_origin(&headers(&ours)));
        assert!(same_origin(&headers(&[ours[0], ours[1], ("sec-fetch-site", "same-origin")])));
        assert!(same_origin(&headers(&[ours[0]])));
        for foreign in [
            &[ours[0], ("origin", "https://evil.example")][..],
            &[ours[0], ("origin", "null")],
            &[ours[0], ours[1], ("sec-fetch-site", "same-site")],
            &[ours[0], ours[1], ("sec-fetch-site", "cross-site")],
            &[ours[0], ("sec-fetch-site", "none")],
        ] {
            assert!(!same_origin(&headers(foreign)), "{foreign:?}");
        }
    }
}
