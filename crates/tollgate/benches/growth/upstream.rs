//! The upstream as a process of its own: the demo's tools, and streams that are opened by GET and say nothing.

use std::convert::Infallible;
use std::io::Write as _;
use std::process::Stdio;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, http::header::CONTENT_TYPE};
use flowforge_sim::{Engine, Options};
use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// The argument that makes this program an upstream.
pub const ROLE: &str = "upstream";

/// Starts this program as an upstream: the process and its address.
pub async fn start() -> (Child, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut child = command.arg(ROLE).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    (child, line.trim().to_owned())
}

/// Is the upstream, until it is killed.
pub async fn serve() {
    let sim = flowforge_sim::router(Engine::new(), Options::default());
    let app = Router::new()
        .route("/mcp", get(quiet).fallback_service(sim.clone()))
        .route("/mcp/json", get(quiet).fallback_service(sim.clone()))
        .fallback_service(sim);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let told = writeln!(std::io::stdout(), "http://{address}/mcp/json");
    told.unwrap();
    axum::serve(listener, app).await.unwrap();
}

/// One comment, and then silence.
async fn quiet() -> Response {
    let first = stream::iter([Ok::<_, Infallible>(": open\n\n")]);
    let body = Body::from_stream(first.chain(stream::pending()));
    ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
}
