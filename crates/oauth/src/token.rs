//! The token endpoint: a code becomes tokens, a refresh token becomes newer ones, and a client gets one for itself.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::{Secret, UpstreamUrl};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use serde::Deserialize;
use url::form_urlencoded::Serializer;
use vault::Entropy;

use crate::authorize::Pending;
use crate::client::{Client, Proof};
use crate::code::Code;
use crate::discover::Discovery;
use crate::document;
use crate::error::Error;
use crate::scope::Scopes;

/// Bytes of a token.
const LONGEST: usize = 16 * 1024;
/// What is believed of a token's life.
const MOST: Duration = Duration::from_hours(24 * 366);

/// What the token endpoint gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Goes to the server.
    pub access: Secret<String>,
    /// Renews it; the one before stays good where none comes.
    pub refresh: Option<Secret<String>>,
    /// How long it lasts, if that is said.
    pub expires_in: Option<Duration>,
    /// What it is good for, where that is other than what was asked for.
    pub scopes: Option<Scopes>,
}

#[derive(Deserialize)]
struct Given {
    access_token: Option<String>,
    token_type: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<serde_json::Value>,
    scope: Option<String>,
    error: Option<String>,
}

/// What authorization servers are asked with.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// Calls them.
    pub egress: &'a egress::Client,
    /// Now.
    pub now: DateTime<Utc>,
    /// Makes each assertion of a client unlike any other.
    pub entropy: &'a Entropy,
}

/// One of an authorization server's addresses, and who asks there.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint<'a> {
    pub issuer: &'a str,
    pub url: &'a UpstreamUrl,
    pub client: &'a Client,
}

/// Redeems the code of an answer.
pub async fn redeem(desk: Desk<'_>, pending: &Pending, code: &str) -> Result<Granted, Error> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &pending.redirect_uri),
        ("code_verifier", pending.verifier.expose()),
        ("resource", &pending.resource),
    ];
    let endpoint =
        Endpoint { issuer: &pending.issuer, url: &pending.token_endpoint, client: &pending.client };
    ask(desk, endpoint, &fields).await
}

/// Asks for a token of the client's own: no person is asked (RFC 6749, 4.4).
pub async fn ask_as_client(
    desk: Desk<'_>,
    discovery: &Discovery,
    scopes: &Scopes,
    client: &Client,
) -> Result<Granted, Error> {
    let server = &discovery.server;
    let endpoint = Endpoint { issuer: &server.issuer, url: &server.token_endpoint, client };
    own(desk, endpoint, &discovery.resource, scopes).await
}

pub(crate) async fn own(
    desk: Desk<'_>,
    endpoint: Endpoint<'_>,
    resource: &str,
    scopes: &Scopes,
) -> Result<Granted, Error> {
    let scopes = scopes.to_string();
    let mut fields = vec![("grant_type", "client_credentials"), ("resource", resource)];
    if !scopes.is_empty() {
        fields.push(("scope", scopes.as_str()));
    }
    // A token of this kind is asked for again, and not renewed.
    Ok(Granted { refresh: None, ..ask(desk, endpoint, &fields).await? })
}

/// Renews an access token. Afterwards the refresh token may be used up, whatever became of the answer.
pub(crate) async fn renew(
    desk: Desk<'_>,
    endpoint: Endpoint<'_>,
    resource: &str,
    refresh: &Secret<String>,
) -> Result<Granted, Error> {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.expose().as_str()),
        ("resource", resource),
    ];
    ask(desk, endpoint, &fields).await
}

async fn ask(desk: Desk<'_>, endpoint: Endpoint<'_>, fields: &[(&str, &str)]) -> Result<Granted, Error> {
    read(&post(desk, endpoint, fields).await?)
}

/// The answer to a form, sent with what proves who it is from.
pub(crate) async fn post(
    desk: Desk<'_>,
    endpoint: Endpoint<'_>,
    fields: &[(&str, &str)],
) -> Result<Response<Bytes>, Error> {
    document::send(desk.egress, request(desk, endpoint, fields)?, "the authorization server").await
}

fn request(desk: Desk<'_>, endpoint: Endpoint<'_>, fields: &[(&str, &str)]) -> Result<Request<Bytes>, Error> {
    let proof = Proof { issuer: endpoint.issuer, now: desk.now, entropy: desk.entropy };
    let mut form = Serializer::new(String::new());
    form.extend_pairs(fields);
    let proof = endpoint.client.prove(&mut form, &proof)?;
    let mut request = Request::new(Bytes::from(form.finish()));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() =
        endpoint.url.as_str().parse().map_err(|_| Error::Unreadable("an address in it is none"))?;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.extend(proof.map(|proof| (AUTHORIZATION, proof)));
    Ok(request)
}

fn read(response: &Response<Bytes>) -> Result<Granted, Error> {
    let status = response.status();
    let given = serde_json::from_slice::<Given>(response.body()).ok();
    // Some say no with a status that says yes.
    let code = given.as_ref().and_then(|given| given.error.as_deref()).map(Code::read);
    match code {
        Some(code) => return Err(Error::NoToken(code)),
        None if status.is_success() => {}
        None if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            return Err(Error::NoToken(Code::Busy));
        }
        None if matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) => {
            return Err(Error::NoToken(Code::Unknown));
        }
        None => return Err(Error::Unreadable("it has a status that says nothing of a token")),
    }
    let given = given.ok_or(Error::Unreadable("it is not JSON"))?;
    if !given.token_type.is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err(Error::Unreadable("it gives a token of another type than Bearer"));
    }
    let access = given.access_token.filter(|token| fits(token));
    Ok(Granted {
        access: Secret::new(
            access.ok_or(Error::Unreadable("it has no access token that a header can carry"))?,
        ),
        refresh: given
            .refresh_token
            .filter(|token| !token.is_empty() && token.len() <= LONGEST)
            .map(Secret::new),
        expires_in: given.expires_in.as_ref().and_then(seconds).map(|life| life.min(MOST)),
        scopes: given.scope.map(|scope| Scopes::read(&scope)),
    })
}

fn fits(token: &str) -> bool {
    !token.is_empty() && token.len() <= LONGEST && token.bytes().all(|b| b.is_ascii_graphic())
}

/// Seconds as a number, or as some write them, in quotes.
fn seconds(value: &serde_json::Value) -> Option<Duration> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Granted, Error> {
        read(&Response::builder().status(status).body(Bytes::copy_from_slice(body.as_bytes())).unwrap())
    }

    #[test]
    fn tokens_are_read() {
        let body = r#"{"access_token":"a.b","token_type":"bearer","expires_in":"60","scope":"x y","refresh_token":"r"}"#;
        let granted = answer(200, body).unwrap();
        assert_eq!(granted.access.expose(), "a.b");
        assert_eq!(granted.expires_in, Some(Duration::from_mins(1)));
        assert_eq!(granted.scopes, Some(Scopes::read("x y")));
        assert_eq!(granted.refresh.unwrap().expose(), "r");
        for odd in ["-1", "\"x\"", "null", "[]"] {
            let body = format!(r#"{{"access_token":"a","token_type":"Bearer","expires_in":{odd}}}"#);
            assert_eq!(answer(200, &body).unwrap().expires_in, None, "{odd}");
        }
        let body = r#"{"access_token":"a","token_type":"Bearer","expires_in":1e300}"#;
        assert_eq!(answer(200, body).unwrap().expires_in, None);
    }

    #[test]
    fn a_no_is_a_no_whatever_its_status() {
        assert_eq!(answer(400, r#"{"error":"invalid_grant"}"#), Err(Error::NoToken(Code::InvalidGrant)));
        assert_eq!(answer(200, r#"{"error":"bad_refresh_token"}"#), Err(Error::NoToken(Code::Unknown)));
        assert_eq!(answer(503, "down"), Err(Error::NoToken(Code::Busy)));
        assert_eq!(answer(401, ""), Err(Error::NoToken(Code::Unknown)));
        assert!(answer(404, "").unwrap_err().passes());
        assert!(!answer(400, "{}").unwrap_err().passes());
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_none() {
        for token in ["", "a b", "a\\r\\nx: y", "\u{e9}"] {
            let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#);
            assert!(matches!(answer(200, &body), Err(Error::Unreadable(_))), "{token}");
        }
        let body = r#"{"access_token":"a","token_type":"DPoP"}"#;
        assert!(matches!(answer(200, body), Err(Error::Unreadable(_))));
    }
}
