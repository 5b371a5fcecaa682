//! The demo upstream, with a note of every call that reached it; it may be stopped and started again, and keep calls waiting.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use flowforge_sim::{Engine, Options};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

#[derive(Default)]
struct Log {
    requests: AtomicUsize,
    /// Traces of calls, and how often each came.
    traces: Mutex<HashMap<String, usize>>,
    holds: AtomicBool,
}

/// An upstream in this process; it ends with the test.
pub struct UpstreamLog {
    address: SocketAddr,
    url: String,
    log: Arc<Log>,
    serving: JoinSet<()>,
}

impl UpstreamLog {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}/mcp/json");
        let mut upstream = Self { address, url, log: Arc::default(), serving: JoinSet::new() };
        upstream.serve(listener);
        upstream
    }

    fn serve(&mut self, listener: TcpListener) {
        let app = flowforge_sim::router(Engine::new(), Options::default())
            .layer(middleware::from_fn_with_state(Arc::clone(&self.log), note));
        self.serving.spawn(async move { axum::serve(listener, app).await.unwrap() });
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops listening.
    pub fn stop(&mut self) {
        self.serving = JoinSet::new();
    }

    /// Listens again where it did.
    pub async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serve(listener);
    }

    /// From now on requests are taken and never answered.
    pub fn hold(&self) {
        self.log.holds.store(true, Ordering::SeqCst);
    }

    /// How many requests have reached it.
    pub fn calls(&self) -> usize {
        self.log.requests.load(Ordering::SeqCst)
    }

    /// The traces of all calls that have reached it, and how often each did.
    pub fn arrived(&self) -> HashMap<String, usize> {
        self.log.traces.lock().unwrap().clone()
    }
}

async fn note(State(log): State<Arc<Log>>, request: Request, next: Next) -> Response {
    let trace = request.headers().get("traceparent").and_then(|trace| trace.to_str().ok());
    if let Some(trace) = trace.and_then(|trace| trace.split('-').nth(1)) {
        *log.traces.lock().unwrap().entry(trace.to_owned()).or_default() += 1;
    }
    log.requests.fetch_add(1, Ordering::SeqCst);
    if log.holds.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    next.run(request).await
}
