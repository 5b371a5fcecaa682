//! Small JSON documents of the other side, fetched under limits.

use bytes::Bytes;
use domain::UpstreamUrl;
use http::header::ACCEPT;
use http::{HeaderValue, Request, Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Bytes of a document.
const MOST: usize = 64 * 1024;

/// The document at `url`; none when something else is there. `what` says in words who is asked.
pub(crate) async fn get<T: DeserializeOwned>(
    egress: &egress::Client,
    url: &UpstreamUrl,
    what: &'static str,
) -> Result<Option<T>, Error> {
    let request = Request::get(url.as_str()).body(Bytes::new());
    let response =
        send(egress, request.map_err(|_| Error::Unreadable("an address in it is none"))?, what).await?;
    Ok(match response.status() {
        StatusCode::OK => serde_json::from_slice(response.body()).ok(),
        _ => None,
    })
}

/// The answer to a request, whatever its status.
pub(crate) async fn send(
    egress: &egress::Client,
    mut request: Request<Bytes>,
    what: &'static str,
) -> Result<Response<Bytes>, Error> {
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    let within = egress.document_timeout();
    egress.fetch(request, MOST, within).await.map_err(|error| Error::Unreachable { what, error })
}
