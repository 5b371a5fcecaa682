//! A way to a service on which every request gets one more header: for programs that can't be told to send it.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, HOST, HeaderMap, ORIGIN, TRANSFER_ENCODING};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use tokio::net::TcpListener;
use url::Url;

/// Most bytes of a request that are read.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// A port of this machine that leads to a service. It is gone with the runtime of its test.
#[derive(Debug)]
pub struct Forwarder {
    url: String,
}

struct Way {
    /// The address of this end: `127.0.0.1:1234`.
    near: String,
    /// The address of the service.
    far: String,
    header: (HeaderName, HeaderValue),
    http: reqwest::Client,
}

impl Forwarder {
    /// A way to the service at `url`, for requests that also say `name: value`.
    pub async fn to(url: &str, name: HeaderName, value: &str) -> Self {
        let url: Url = url.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = listener.local_addr().unwrap().to_string();
        let way = Way {
            near: near.clone(),
            far: url.authority().to_owned(),
            header: (name, value.parse().unwrap()),
            http: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap(),
        };
        let app = Router::new().fallback(forward).with_state(Arc::new(way));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url: format!("http://{near}") }
    }

    /// The address to use instead.
    pub fn url(&self) -> &str {
        &self.url
    }
}

async fn forward(State(way): State<Arc<Way>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = head.headers;
    way.address(&mut headers);
    headers.insert(way.header.0.clone(), way.header.1.clone());
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let sent = way.http.request(head.method, format!("http://{}{path}", way.far)).headers(headers).body(body);
    match sent.send().await {
        Ok(answer) => relay(answer),
        Err(error) => {
            let mut response = Response::new(Body::from(error.to_string()));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}

impl Way {
    /// Who names this end means the service; who names another host is passed on with that.
    fn address(&self, headers: &mut HeaderMap) {
        for name in [HOST, ORIGIN] {
            if let Some(said) = headers.get(&name).and_then(|value| value.to_str().ok()) {
                let meant = said.replace(&self.near, &self.far);
                headers.insert(name, meant.parse().unwrap());
            }
        }
    }
}

/// The answer as it comes, so that a stream stays one.
fn relay(answer: reqwest::Response) -> Response<Body> {
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    for name in [CONNECTION, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    let mut response = Response::new(Body::from_stream(answer.bytes_stream()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
