//! The Rust SDK, in this process: everything that it has of a session and of a stateless client.

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientCapabilities, ClientConfig, ClientRequest,
    ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationCapability, ErrorData,
    FormElicitationCapability, GetPromptRequestParams, Implementation, ProgressNotificationParam,
    ProtocolVersion, ReadResourceRequestParams, ResourceUpdatedNotificationParam, SubscribeRequestParams,
    SubscriptionFilter,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt as _, NotificationContext, PeerRequestOptions, RequestContext,
    RunningService, ServiceError,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, RoleClient};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::table::{RMCP, RMCP_SESSIONS};
use super::{Told, compare};
use crate::fixtures::Fixtures;

/// How long what must come is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const WATCHED: &str = "test://watched-resource";

/// What the client hears and answers.
#[derive(Default)]
struct Ear {
    progress: watch::Sender<Vec<Value>>,
    updated: watch::Sender<Vec<Value>>,
}

impl ClientHandler for Ear {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation =
            Some(ElicitationCapability::new().with_form(FormElicitationCapability::default()));
        ClientConfig::new(capabilities, Implementation::new("rmcp", "3"))
    }

    async fn create_elicitation(
        &self,
        _request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let content = json!({ "username": "Ada", "email": "ada@example.com", "name": "Ada" });
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(content))
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.progress.send_modify(|heard| heard.push(json!([params.progress, params.total])));
    }

    async fn on_resource_updated(
        &self,
        params: ResourceUpdatedNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.updated.send_modify(|heard| heard.push(json!(params.uri)));
    }
}

/// What was heard, once it is so much.
async fn heard(ear: &watch::Sender<Vec<Value>>, count: usize) -> Value {
    let mut ear = ear.subscribe();
    let heard = tokio::time::timeout(PATIENCE, ear.wait_for(|heard| heard.len() >= count)).await;
    json!(*heard.expect("it is heard").unwrap())
}

type Client = RunningService<RoleClient, Ear>;

fn outcome<T: Serialize>(result: Result<T, ServiceError>) -> Value {
    match result {
        Ok(result) => serde_json::to_value(result).unwrap(),
        Err(ServiceError::McpError(error)) => json!({ "failed": error.code.0 }),
        Err(error) => panic!("{error}"),
    }
}

fn named(tool: &'static str, name: &str) -> CallToolRequestParams {
    let arguments = json!({ "name": name, "message": "who" });
    CallToolRequestParams::new(tool).with_arguments(arguments.as_object().unwrap().clone())
}

/// A call that is cancelled once the server has begun it: what the server says of it.
async fn cancelled(client: &Client) -> Value {
    let name = format!("{:?}", std::time::Instant::now());
    let before = client.service().progress.borrow().len();
    let request = ClientRequest::CallToolRequest(CallToolRequest::new(named("test_sleep", &name)));
    let options = PeerRequestOptions::no_options();
    let handle = client.peer().send_cancellable_request(request, options).await.unwrap();
    heard(&client.service().progress, before + 1).await;
    handle.cancel(Some("enough".to_owned())).await.unwrap();
    outcome(client.call_tool(named("test_slept", &name)).await)
}

/// What it does in either era.
async fn both(client: &Client) -> Told {
    let call = async |name: &'static str| outcome(client.call_tool(CallToolRequestParams::new(name)).await);
    let read = async |uri: &str| outcome(client.read_resource(ReadResourceRequestParams::new(uri)).await);
    let complete = client.complete_prompt_simple("test_prompt_with_arguments", "arg1", "par");
    let progressed = [call("test_tool_with_progress").await, heard(&client.service().progress, 3).await];
    let told = [
        ("hello", serde_json::to_value(client.peer_info()).unwrap()),
        ("list", outcome(client.list_tools(None).await)),
        ("prompts", outcome(client.list_prompts(None).await)),
        ("prompt", outcome(client.get_prompt(GetPromptRequestParams::new("test_simple_prompt")).await)),
        ("resources", outcome(client.list_resources(None).await)),
        ("templates", outcome(client.list_resource_templates(None).await)),
        ("resource", read("test://static-text").await),
        ("no resource", read("test://nowhere").await),
        ("completion", outcome(complete.await)),
        ("call", call("test_multiple_content_types").await),
        ("error", call("test_error_handling").await),
        ("no tool", call("test_nothing").await),
        ("progress", json!(progressed)),
        ("cancel", cancelled(client).await),
    ];
    told.map(|(step, outcome)| (step.to_owned(), outcome)).into()
}

#[expect(deprecated, reason = "sessions have no other subscription")]
async fn session(client: &Client) -> Told {
    let mut told = both(client).await;
    told.push(("elicit".to_owned(), outcome(client.call_tool(named("test_elicitation", "x")).await)));
    let resumed = client.call_tool(CallToolRequestParams::new("test_reconnection")).await;
    told.push(("resume".to_owned(), outcome(resumed)));
    client.subscribe(SubscribeRequestParams::new(WATCHED)).await.unwrap();
    outcome(client.call_tool(CallToolRequestParams::new("test_trigger_resource_update")).await);
    told.push(("subscribe".to_owned(), heard(&client.service().updated, 1).await));
    told
}

async fn stateless(client: &Client) -> Told {
    let mut told = both(client).await;
    let asks = CallToolRequestParams::new("test_input_required_result_elicitation");
    told.push(("elicit".to_owned(), outcome(client.call_tool(asks).await)));
    let filter = SubscriptionFilter::builder().tools_list_changed().resource_subscription(WATCHED).build();
    let mut subscription = client.peer().listen(filter).await.unwrap();
    let mut told_of = vec![serde_json::to_value(subscription.acknowledged()).unwrap()];
    for trigger in ["test_trigger_resource_update", "test_trigger_tool_change"] {
        outcome(client.call_tool(CallToolRequestParams::new(trigger)).await);
        let news = tokio::time::timeout(PATIENCE, subscription.next()).await.expect("news").unwrap();
        let mut news = serde_json::to_value(news.expect("the subscription goes on")).unwrap();
        // The number of the request that listens.
        news["params"]["_meta"].take();
        told_of.push(news);
    }
    subscription.cancel().await.unwrap();
    told.push(("subscribe".to_owned(), json!(told_of)));
    told
}

async fn connected((url, token): (&str, Option<&str>), lifecycle: ClientLifecycleMode) -> Client {
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let headers: HeaderMap = token
        .map(|token| (AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap()))
        .into_iter()
        .collect();
    let http = reqwest::Client::builder().default_headers(headers).build().unwrap();
    let transport = StreamableHttpClientTransport::with_client(http, config);
    Ear::default().serve_with_lifecycle(transport, lifecycle).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rmcp_in_sessions() {
    let fixtures = Fixtures::start().await;
    let [direct, through] = fixtures.ways().map(|way| connected(way, ClientLifecycleMode::Initialize));
    compare(&RMCP_SESSIONS, session(&direct.await).await, session(&through.await).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn rmcp() {
    let fixtures = Fixtures::start().await;
    let modern = || ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] };
    let [direct, through] = fixtures.ways().map(|way| connected(way, modern()));
    compare(&RMCP, stateless(&direct.await).await, stateless(&through.await).await);
}
