//! Upstreams on real sockets that answer by script and remember what reached them.
//!
//! The script is a function of the test; nothing here knows MCP, so that an upstream can be as wrong as a test wants.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::HeaderMap;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use url::Url;

/// Most bytes of a request that are read.
const MAX_BODY: usize = 64 * 1024 * 1024;
/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// One request, as it reached the upstream.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub uri: Uri,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// The other end of the connection that it came on.
    pub peer: SocketAddr,
}

impl Received {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The JSON-RPC method; empty if there is none.
    pub fn rpc_method(&self) -> String {
        self.json()["method"].as_str().unwrap_or_default().to_owned()
    }
}

/// An upstream. It is gone with the runtime of its test.
#[derive(Debug)]
pub struct Upstream {
    url: Url,
    received: watch::Receiver<Vec<Received>>,
}

impl Upstream {
    /// An upstream that answers every request by `script`.
    ///
    /// # Panics
    /// When no socket can be had.
    pub async fn start<S>(script: S) -> Self
    where
        S: Fn(&Received) -> Response<Body> + Send + Sync + 'static,
    {
        let (log, received) = watch::channel(Vec::new());
        let script = Arc::new(script);
        let app = Router::new().fallback(
            async move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| {
                let (head, body) = request.into_parts();
                let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap_or_default();
                let request =
                    Received { method: head.method, uri: head.uri, headers: head.headers, body, peer };
                log.send_modify(|log| log.push(request.clone()));
                script(&request)
            },
        );
        let listener =
            TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|error| panic!("no socket: {error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("no address: {error}"));
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let url =
            format!("http://{address}/mcp").parse().unwrap_or_else(|error| panic!("no address: {error}"));
        Self { url, received }
    }

    /// Where it listens.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Every request that has reached it, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.received.borrow().clone()
    }

    /// The requests that have reached it, once there are `count`.
    ///
    /// # Panics
    /// When they don't come.
    pub async fn received_at_least(&self, count: usize) -> Vec<Received> {
        let mut received = self.received.clone();
        let waiting = received.wait_for(|log| log.len() >= count);
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(Ok(log)) => log.clone(),
            _ => panic!("{count} requests should have come, {} did", self.received().len()),
        }
    }
}

/// An answer of JSON with status 200.
pub fn json(body: &Value) -> Response<Body> {
    raw(StatusCode::OK, "application/json", body.to_string())
}

/// An answer of an event stream that is there at once and ends.
pub fn events(stream: impl Into<Body>) -> Response<Body> {
    raw(StatusCode::OK, "text/event-stream", stream)
}

/// An answer of anything; no content type if that is empty.
pub fn raw(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    if content_type.is_empty() { response } else { with_header(response, "content-type", content_type) }
}

/// The answer with one more header.
///
/// # Panics
/// When it can't be one.
pub fn with_header(mut response: Response<Body>, name: &'static str, value: &str) -> Response<Body> {
    let value = HeaderValue::from_str(value).unwrap_or_else(|error| panic!("{name}: {error}"));
    response.headers_mut().append(HeaderName::from_static(name), value);
    response
}

/// One event of the kind that SDK servers send.
pub fn event(message: &Value) -> String {
    format!("event: message\ndata: {message}\n\n")
}

/// The test's end of an answer that it sends piece by piece. Dropped, it ends the answer.
#[derive(Debug, Clone)]
pub struct Sender(mpsc::UnboundedSender<Option<Bytes>>);

/// An answer that the test sends piece by piece, however long it takes; to be given out once.
#[derive(Debug, Clone)]
pub struct Stream(Arc<Mutex<Option<mpsc::UnboundedReceiver<Option<Bytes>>>>>);

/// Both ends of such an answer.
pub fn stream() -> (Sender, Stream) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Sender(sender), Stream(Arc::new(Mutex::new(Some(receiver)))))
}

impl Sender {
    /// Sends a piece.
    pub fn send(&self, piece: impl Into<Bytes>) {
        // Nobody reads it any more if the gateway went away, which `closed` tells.
        let _ = self.0.send(Some(piece.into()));
    }

    /// Breaks the connection off in the middle of the answer.
    pub fn break_off(self) {
        let _ = self.0.send(None);
    }

    /// Waits until the other side has gone away.
    ///
    /// # Panics
    /// When it does not.
    pub async fn closed(&self) {
        let gone = tokio::time::timeout(PATIENCE, self.0.closed()).await;
        assert!(gone.is_ok(), "the answer should have been left, and was not");
    }

    /// Whether the other side has gone away.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl Stream {
    /// The body; an empty one the second time.
    pub fn body(&self) -> Body {
        let Some(receiver) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Body::from_stream(stream::empty::<Result<Bytes, Infallible>>());
        };
        Body::from_stream(stream::unfold(receiver, async |mut receiver| {
            let piece = receiver.recv().await?;
            Some((piece.ok_or_else(|| io::Error::other("broken off by the test")), receiver))
        }))
    }
}

impl From<Stream> for Body {
    fn from(stream: Stream) -> Self {
        stream.body()
    }
}
