//! The listener: accepts connections, and ends them so that no request is lost when the process is told to stop.
//!
//! Three steps, each a token of [`Stop`]: at *notice* connections go on being accepted, and each answer asks its client to
//! come back on another connection; at *stopping* nothing is accepted any more, and what is idle is closed; at *ending*
//! what still runs is cut off.

use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::header::{CONNECTION, HeaderValue};
use axum::http::{Request, Version};
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use crate::proxies::Proxies;
use crate::threads::Threads;

/// How long streams have to write their last words after they were cut off.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long to wait before accepting again after that failed for want of something.
const BREATH: Duration = Duration::from_millis(200);

/// How far a process is on its way to its end.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// It will stop soon: balancers and clients are told.
    pub notice: CancellationToken,
    /// It accepts nothing more; what runs may end.
    pub stopping: CancellationToken,
    /// What runs is cut off.
    pub ending: CancellationToken,
}

/// How patient the listener is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long a connection may be idle, or take to send the head of a request (HTTP/1), or to answer a ping (HTTP/2).
    pub idle: Duration,
}

/// What is served, and how.
#[derive(Clone)]
pub struct Front {
    pub app: Router,
    pub threads: Arc<Threads>,
    pub patience: Patience,
    /// Whose word on where requests come from counts.
    pub proxies: Proxies,
}

/// Serves it until `stop` has come to its end, or nothing runs any more.
pub async fn serve(listener: TcpListener, front: Front, stop: Stop) {
    let speech = Arc::new(Speech::new(front.patience));
    let (graceful, mut connections) = (GracefulShutdown::new(), JoinSet::new());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let (runtime, place) = front.threads.place();
                    let (watcher, stop) = (graceful.watcher(), stop.clone());
                    let connection = connection(Arc::clone(&speech), watcher, stream, peer, front.clone(), stop);
                    connections.spawn_on(connection.map(|()| drop(place)), &runtime);
                }
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "a connection can't be accepted");
                    sleep(BREATH).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = stop.stopping.cancelled() => break,
        }
    }
    drop(listener);
    let mut closed = pin!(graceful.shutdown());
    tokio::select! {
        () = &mut closed => return,
        () = stop.ending.cancelled() => {}
    }
    if timeout(LAST_WORDS, closed).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections are cut off");
        connections.shutdown().await;
    }
}

/// What is spoken over a connection.
struct Speech {
    /// Where the first bytes are of HTTP/1, as they nearly always are.
    http1: http1::Builder,
    /// Where they may be of either.
    either: auto::Builder<TokioExecutor>,
}

impl Speech {
    fn new(patience: Patience) -> Self {
        let mut http1 = http1::Builder::new();
        http1.timer(TokioTimer::new()).header_read_timeout(patience.idle);
        let mut either = auto::Builder::new(TokioExecutor::new());
        either.http1().timer(TokioTimer::new()).header_read_timeout(patience.idle);
        either
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(patience.idle))
            .keep_alive_timeout(patience.idle);
        Self { http1, either }
    }
}

/// One connection, to its end, on the thread that this is polled by.
async fn connection(
    speech: Arc<Speech>,
    watcher: Watcher,
    stream: TcpStream,
    peer: SocketAddr,
    front: Front,
    stop: Stop,
) {
    // An answer is written in pieces that should not wait for each other. A socket that can't do either is one that is gone.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = stream.into_std().and_then(TcpStream::from_std) else { return };
    let Front { app, proxies, patience, .. } = front;
    let http1 = tokio::select! {
        told = timeout(patience.idle, tells_of_http1(&stream)) => match told {
            Ok(Ok(http1)) => http1,
            Ok(Err(_)) | Err(_) => return,
        },
        () = stop.stopping.cancelled() => return,
    };
    let notice = stop.notice;
    let service = service_fn(move |mut request: Request<Incoming>| {
        let told = request.version() <= Version::HTTP_11;
        let client = proxies.client(peer, request.headers());
        request.extensions_mut().insert(ConnectInfo(client));
        let (answer, notice) = (app.clone().call(request), notice.clone());
        async move {
            let mut response = answer.await?;
            if told && notice.is_cancelled() {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let stream = TokioIo::new(stream);
    let ended: Result<(), Box<dyn Error + Send + Sync>> = if http1 {
        watcher.watch(speech.http1.serve_connection(stream, service)).await.map_err(Into::into)
    } else {
        // In a box of its own: it takes up more than the other, which there may be ten thousand of.
        Box::pin(watcher.watch(speech.either.serve_connection(stream, service).into_owned())).await
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// Whether what comes first can't be the preface of HTTP/2 (RFC 9113, 3.4). Then nothing has to be read apart from the rest to
/// find out, which would make the buffer of the connection twice as large.
async fn tells_of_http1(stream: &TcpStream) -> std::io::Result<bool> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut first = [0; PREFACE.len()];
    let seen = stream.peek(&mut first).await?;
    Ok(seen > 0 && !PREFACE.starts_with(&first[..seen]))
}

/// Whether a connection failed before it was accepted, which is nothing to us.
fn is_of_the_peer(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
