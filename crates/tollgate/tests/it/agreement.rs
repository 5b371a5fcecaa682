//! The command line and the running gateway agree: every verdict of the specification, and those of generated policies and
//! calls, as `tollgate policy judge` prints them and as the gateway answers and records them.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;

use axum::body::Body;
use axum::http::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use testkit::upstream::{self, Received, Upstream};
use testkit::{Api, Installation, Process, eventually};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::generate;

const VECTORS: &str = include_str!("../../../policy/tests/data/policy-vectors.json");
/// Documents that are made up, and calls under each.
const DOCUMENTS: usize = 40;
const CALLS: usize = 4;

/// A policy and a call, as text: what is judged is the very bytes.
#[derive(Clone, Deserialize)]
struct Case {
    #[serde(default)]
    name: String,
    policy: Box<RawValue>,
    call: Call,
    grant: Option<Grant>,
    client: Option<Client>,
}

#[derive(Clone, Deserialize)]
struct Call {
    tool: String,
    arguments: Option<Box<RawValue>>,
}

#[derive(Clone, Deserialize, Serialize)]
struct Grant {
    label: String,
    identity: String,
}

#[derive(Clone, Deserialize, Serialize)]
struct Client {
    name: String,
    version: String,
}

impl Case {
    /// Why a call can't reach a policy at all; the gateway refuses such a call as malformed before one is asked.
    fn can_not_travel(&self) -> Option<&'static str> {
        self.call.tool.is_empty().then_some("a call names its tool: an empty name is no name")
    }

    fn arguments(&self) -> &str {
        self.call.arguments.as_ref().map_or("null", |arguments| arguments.get())
    }

    fn grant(&self, number: usize) -> Grant {
        let named = self.grant.clone();
        named.unwrap_or_else(|| Grant {
            label: format!("grant {number}"),
            identity: format!("{number}@acme.test"),
        })
    }

    fn client(&self) -> Client {
        self.client.clone().unwrap_or(Client { name: "agreement".to_owned(), version: "1".to_owned() })
    }

    /// The line that `tollgate policy judge` reads: the same call by the same caller.
    fn line(&self, number: usize) -> String {
        let name = serde_json::to_string(&self.call.tool).unwrap();
        let arguments = match &self.call.arguments {
            Some(arguments) => format!(r#","arguments":{arguments}"#),
            None => String::new(),
        };
        let grant = serde_json::to_string(&self.grant(number)).unwrap();
        let client = serde_json::to_string(&self.client()).unwrap();
        let schema = TOOLS.iter().find(|(tool, _)| *tool == self.call.tool);
        let schema = schema.map(|(_, schema)| format!(r#","input_schema":{schema}"#)).unwrap_or_default();
        let line = format!(
            r#"{{"policy":{},"call":{{"tool":{name}{arguments}}},"grant":{grant},"client":{client},"server":{{"name":"Agreement"}}{schema}}}"#,
            self.policy
        );
        line.replace('\n', " ")
    }
}

/// Tools that the upstream lists, and what they take: `validate_arguments` holds calls to it.
const TOOLS: [(&str, &str); 4] = [
    ("run", r#"{"type":"object","properties":{"a":{"type":["string","array"]}}}"#),
    ("run_all", r#"{"type":"object"}"#),
    ("delete", r#"{"type":"object","required":["n"]}"#),
    // A name with letters beyond ASCII is judged only where the server lists it.
    ("é", r#"{"type":"object"}"#),
];

/// What became of a call.
#[derive(Debug, PartialEq)]
struct End {
    outcome: String,
    rule: Option<String>,
    message: Option<String>,
    conditions: Vec<String>,
    shadow: Option<(String, String)>,
}

/// What the command line says, for all cases at once.
async fn judged(cases: &[Case]) -> Vec<Value> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["policy", "judge"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Vec<String> = cases.iter().enumerate().map(|(number, case)| case.line(number)).collect();
    let mut input = child.stdin.take().unwrap();
    let writing = tokio::spawn(async move { input.write_all((lines.join("\n") + "\n").as_bytes()).await });
    let output = child.wait_with_output().await.unwrap();
    writing.await.unwrap().unwrap();
    assert!(output.status.success(), "every line can be read");
    let output = String::from_utf8(output.stdout).unwrap();
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The command's verdict in the words of the log. No case asks for more than a fresh window holds, so that the ledger,
/// which the command does not ask, has nothing to add.
fn expected(verdict: &Value) -> End {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let outcome = |value: &Value| logged(value["outcome"].as_str().unwrap()).to_owned();
    let shadow = &verdict["shadow"];
    End {
        outcome: outcome(verdict),
        rule: text(&verdict["rule"]),
        // The log has no empty messages.
        message: text(&verdict["message"]).filter(|message| !message.is_empty()),
        conditions: verdict["conditions"].as_array().into_iter().flatten().filter_map(text).collect(),
        shadow: text(&shadow["rule"]).map(|rule| (outcome(shadow), rule)),
    }
}

fn logged(outcome: &str) -> &str {
    if outcome == "hide" { "hidden" } else { outcome }
}

/// A gateway in front of an upstream that answers every call.
struct Bench {
    /// Its services last as long as the test.
    _installation: Installation,
    tollgate: Process,
    api: Api,
    upstream: Upstream,
    server: String,
    policy: String,
    version: u64,
}

impl Bench {
    async fn start() -> Self {
        let binary = Path::new(env!("CARGO_BIN_EXE_tollgate"));
        let installation = Installation::of(binary, Path::new(env!("CARGO_TARGET_TMPDIR"))).await;
        // Nobody approves anything here.
        let tollgate = installation.serve_with(&[], &[("TOLLGATE_APPROVAL_HOLD", "0")]).await;
        let upstream = Upstream::start(answer).await;
        let api = Api::sign_up(&tollgate.url).await;
        let server = api.register("Agreement", upstream.url().as_str(), &[]).await;
        let policy = api.policy(&server, "case", &json!({ "version": "1", "default": "deny" })).await;
        Self { _installation: installation, tollgate, api, upstream, server, policy, version: 1 }
    }

    /// Puts the case's policy in force, and makes its call with a grant of its own: no limit was ever used.
    async fn call(&mut self, number: usize, case: &Case) -> (String, reqwest::Response) {
        let policy = match case.policy.get() {
            "null" => Value::Null,
            document => {
                let body = json!({ "expected_version": self.version, "document": document });
                let saved = self.api.post(&format!("/policies/{}/versions", self.policy), body).await;
                self.version = saved["version"].as_u64().unwrap();
                self.policy.clone().into()
            }
        };
        let Grant { label, identity } = case.grant(number);
        let grant = json!({ "label": label, "identity": identity, "policy_id": policy });
        let minted = self.api.post(&format!("/servers/{}/grants", self.server), grant).await;
        let answer = self.send(case, minted["token"].as_str().unwrap()).await;
        let request = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        (request, answer)
    }

    /// The call in the bytes that the case has.
    async fn send(&self, case: &Case, token: &str) -> reqwest::Response {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": case.client(),
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let name = serde_json::to_string(&case.call.tool).unwrap();
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":{name},"arguments":{},"_meta":{meta}}}}}"#,
            case.arguments()
        );
        let header = format!("=?base64?{}?=", BASE64_STANDARD.encode(&case.call.tool));
        reqwest::Client::new()
            .post(format!("{}/mcp/{}", self.tollgate.url, self.server))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", header)
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// The rows of these requests.
    async fn rows(&self, requests: &[String]) -> HashMap<String, Value> {
        eventually("a row for every call", async || {
            let rows = self.api.decisions("").await;
            let rows: HashMap<_, _> =
                rows.into_iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row)).collect();
            requests.iter().all(|request| rows.contains_key(request)).then_some(rows)
        })
        .await
    }

    /// How many calls have reached the upstream, less what the gateway wants to know by itself.
    fn reached(&self) -> usize {
        let is_call = |request: &&Received| request.rpc_method() == "tools/call";
        let named = |request: &Received| request.json()["params"]["name"].as_str().unwrap().to_owned();
        let of_clients = |request: &&Received| !named(request).starts_with("tollgate_no_such_tool_");
        self.upstream.received().iter().filter(is_call).filter(of_clients).count()
    }
}

/// An upstream of the stateless revision that lists [`TOOLS`] and answers every call well.
fn answer(request: &Received) -> Response<Body> {
    let tools = TOOLS.map(|(name, schema)| {
        json!({ "name": name, "inputSchema": serde_json::from_str::<Value>(schema).unwrap() })
    });
    let result = match request.rpc_method().as_str() {
        "server/discover" => json!({
            "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} },
            "serverInfo": { "name": "agreement", "version": "1" },
        }),
        "tools/list" => json!({ "tools": tools }),
        "tools/call" => json!({ "content": [{ "type": "text", "text": "done" }], "isError": false }),
        _ => return upstream::raw(StatusCode::NOT_FOUND, "", ""),
    };
    let mut result = result;
    for (member, value) in
        [("resultType", json!("complete")), ("ttlMs", json!(0)), ("cacheScope", json!("private"))]
    {
        result[member] = value;
    }
    upstream::json(&json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": result }))
}

/// What the caller was told, held against what was recorded.
fn check_answer(case: &Case, status: StatusCode, body: &Value, end: &End) {
    let said = format!("{} {}: {body}", case.name, case.call.tool);
    assert_eq!(status, StatusCode::OK, "{said}");
    let text = body["result"]["content"][0]["text"].as_str().unwrap_or_default();
    match end.outcome.as_str() {
        "allow" => assert_eq!((text, &body["result"]["isError"]), ("done", &json!(false)), "{said}"),
        "hidden" => assert_eq!(body["error"]["code"], -32602, "{said}"),
        // A policy that hides tools says of none that there is none.
        _ if body["error"]["code"] == -32602 => {
            assert!(TOOLS.iter().all(|(tool, _)| *tool != case.call.tool), "{said}");
            assert!(case.policy.get().contains("hide"), "{said}");
        }
        _ => {
            assert_eq!(body["result"]["isError"], true, "{said}");
            assert_eq!(
                body["result"]["_meta"]["dev.tollgate/decision"]["rule"].as_str(),
                end.rule.as_deref(),
                "{said}"
            );
            let message = end.message.as_deref().unwrap_or_default();
            let mark = if end.outcome == "pending" { "[PENDING APPROVAL]" } else { "[POLICY DENIED]" };
            assert!(text.starts_with(&format!("{mark} {message}")), "{said}");
        }
    }
}

fn recorded(row: &Value) -> End {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let conditions = row["condition"].as_str().unwrap_or_default();
    End {
        outcome: text(&row["outcome"]).unwrap(),
        rule: text(&row["rule"]),
        message: text(&row["message"]),
        conditions: conditions.split(' ').filter(|one| !one.is_empty()).map(str::to_owned).collect(),
        shadow: text(&row["shadow"]["rule"]).map(|rule| (text(&row["shadow"]["outcome"]).unwrap(), rule)),
    }
}

/// Holds the two against each other; how many cases could not travel, and how many had each outcome.
async fn agree(cases: Vec<Case>) -> (usize, HashMap<String, usize>) {
    let all = cases.len();
    let cases: Vec<Case> = cases.into_iter().filter(|case| case.can_not_travel().is_none()).collect();
    let skipped = all - cases.len();
    let verdicts = judged(&cases).await;
    assert_eq!(verdicts.len(), cases.len());

    let mut bench = Bench::start().await;
    let (mut requests, mut answers) = (Vec::new(), Vec::new());
    for (number, case) in cases.iter().enumerate() {
        let before = bench.reached();
        let (request, answer) = bench.call(number, case).await;
        let status = answer.status();
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        answers.push((status, body, bench.reached() - before));
        requests.push(request);
    }
    let rows = bench.rows(&requests).await;
    let mut outcomes = HashMap::new();
    for (number, case) in cases.iter().enumerate() {
        let wanted = expected(&verdicts[number]);
        let said = format!("{} {} {} {}", case.name, case.policy, case.call.tool, case.arguments());
        assert_eq!(recorded(&rows[&requests[number]]), wanted, "{said}");
        let (status, body, reached) = &answers[number];
        assert_eq!(*reached, usize::from(wanted.outcome == "allow"), "{said}");
        check_answer(case, *status, body, &wanted);
        *outcomes.entry(wanted.outcome).or_default() += 1;
    }
    (skipped, outcomes)
}

#[tokio::test(flavor = "multi_thread")]
async fn on_every_verdict_of_the_specification() {
    #[derive(Deserialize)]
    struct Vectors {
        cases: Vec<Case>,
    }
    let vectors: Vectors = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(vectors.cases.len(), 107);
    let (skipped, outcomes) = agree(vectors.cases).await;
    assert_eq!(skipped, 0, "all of them can travel");
    assert_eq!(outcomes.values().sum::<usize>(), 107);
    for outcome in ["allow", "deny", "hidden", "pending"] {
        assert!(outcomes.get(outcome).is_some_and(|count| *count > 1), "{outcomes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_generated_policies_and_calls() {
    // The same ones every time, so that a failure can be had again.
    let mut runner = TestRunner::deterministic();
    let mut cases = Vec::new();
    let mut nameless = 0;
    for number in 0..DOCUMENTS {
        let document = generate::document().new_tree(&mut runner).unwrap().current();
        for call in 0..CALLS {
            // Each call counts on counters of its own, so that none finds them used.
            let document = apart(document.clone(), number * CALLS + call).to_string();
            let tool =
                proptest::sample::select(generate::TOOLS.to_vec()).new_tree(&mut runner).unwrap().current();
            let arguments = generate::arguments().new_tree(&mut runner).unwrap().current();
            let arguments =
                (!arguments.is_null()).then(|| RawValue::from_string(arguments.to_string()).unwrap());
            nameless += usize::from(tool.is_empty());
            cases.push(Case {
                name: format!("{number}"),
                policy: RawValue::from_string(document).unwrap(),
                call: Call { tool: tool.to_owned(), arguments },
                grant: None,
                client: None,
            });
        }
    }
    let (skipped, outcomes) = agree(cases).await;
    assert_eq!(skipped, nameless);
    assert!(skipped < DOCUMENTS * CALLS / 3, "{skipped}");
    for outcome in ["allow", "deny", "hidden", "pending"] {
        assert!(outcomes.get(outcome).is_some_and(|count| *count > 1), "{outcomes:?}");
    }
}

/// The document with its number in the names of its counters.
fn apart(value: Value, number: usize) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| apart(item, number)).collect(),
        Value::Object(members) => {
            let member = |(key, value): (String, Value)| match (key.as_str(), &value) {
                ("counter", Value::String(name)) => (key, format!("{name}-{number}").into()),
                _ => (key, apart(value, number)),
            };
            Value::Object(members.into_iter().map(member).collect())
        }
        scalar => scalar,
    }
}
