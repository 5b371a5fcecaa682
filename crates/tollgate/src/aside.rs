//! What is served beside calls, on other threads than theirs.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tower::Service;

/// Serves on another runtime than that of the connection: pages and the API, some of whose answers take long to make, in
/// which time no call should have to wait.
#[derive(Clone)]
pub struct Aside {
    runtime: Handle,
    app: Router,
}

impl Aside {
    /// Serves `app` on `runtime`.
    pub fn new(runtime: Handle, app: Router) -> Self {
        Self { runtime, app }
    }
}

impl Service<Request<Body>> for Aside {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Service::<Request<Body>>::poll_ready(&mut self.app, context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // A client that goes away ends it, as it does elsewhere.
        let answer = AbortOnDropHandle::new(self.runtime.spawn(self.app.call(request)));
        async move {
            match answer.await {
                Ok(answer) => answer,
                Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
                // The runtime is gone, and the process with it.
                Err(_) => std::future::pending().await,
            }
        }
        .boxed()
    }
}
