//! The bytes of a request.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING};
use http::uri::Scheme;
use http::{Request, Uri};

/// A request as it is written: in origin form, with its host first where it names none, and with the length of its body.
pub(super) fn written(request: &Request<Bytes>) -> Vec<u8> {
    let (uri, headers, body) = (request.uri(), request.headers(), request.body());
    let path = uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let mut written = format!("{} {path} HTTP/1.1\r\n", request.method()).into_bytes();
    if !headers.contains_key(HOST) {
        field(&mut written, &HOST, host(uri).as_bytes());
    }
    for (name, value) in headers {
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            field(&mut written, name, value.as_bytes());
        }
    }
    if !body.is_empty() {
        field(&mut written, &CONTENT_LENGTH, body.len().to_string().as_bytes());
    }
    written.extend_from_slice(b"\r\n");
    written.extend_from_slice(body);
    written
}

fn field(written: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    for part in [name.as_str().as_bytes(), b": ", value, b"\r\n"] {
        written.extend_from_slice(part);
    }
}

/// The host, and its port unless it is that of the scheme.
fn host(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    let usual = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    match uri.port_u16() {
        Some(port) if port != usual => format!("{host}:{port}"),
        _ => host.to_owned(),
    }
}
