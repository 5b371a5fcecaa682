//! Both eras, both kinds of answer, the list in pages.

use flowforge_sim::Options;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use rmcp::model::{PaginatedRequestParams, ProtocolVersion};
use serde_json::{Value, json};

use crate::support::{Sim, call, done};

#[tokio::test]
async fn every_revision_lists_and_calls_at_both_addresses() {
    let sim = Sim::start().await;
    for path in ["/mcp", "/mcp/json"] {
        let legacy =
            [ProtocolVersion::V_2025_03_26, ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_11_25];
        for version in legacy {
            let client = sim.legacy(path, version.clone()).await;
            assert_eq!(client.peer_info().unwrap().protocol_version, version);
            assert_eq!(client.list_all_tools().await.unwrap().len(), 49);
            assert_eq!(done(&client, "flowforge_health_check", json!({})).await["status"], "ok");
        }
        let client = sim.modern(path).await;
        assert_eq!(client.list_all_tools().await.unwrap().len(), 49);
        assert_eq!(done(&client, "flowforge_health_check", json!({})).await["status"], "ok");
    }
    let versions: Vec<Value> = sim.log().await["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| call["protocol_version"].clone())
        .collect();
    assert_eq!(versions[0], "2025-03-26");
    assert_eq!(versions[3], "2026-07-28");
}

/// POSTs one request of the stateless revision: content type and body.
async fn post(sim: &Sim, path: &str, method: &str, params: Value) -> (String, String) {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let name = params["name"].as_str().map(str::to_owned);
    let mut body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    body["params"]["_meta"] = meta;
    let mut request = reqwest::Client::new()
        .post(format!("{}{path}", sim.url))
        .header(ACCEPT, "application/json, text/event-stream")
        .header("MCP-Protocol-Version", "2026-07-28")
        .header("Mcp-Method", method);
    if let Some(name) = name {
        request = request.header("Mcp-Name", name);
    }
    let answer = request.json(&body).send().await.unwrap();
    let kind = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    (kind, answer.text().await.unwrap())
}

#[tokio::test]
async fn one_address_streams_and_the_other_answers_json() {
    let sim = Sim::start().await;
    let call = json!({ "name": "flowforge_get_stats", "arguments": {} });
    let (kind, body) = post(&sim, "/mcp", "tools/call", call.clone()).await;
    assert!(kind.starts_with("text/event-stream") && body.contains("data: {"), "{kind}: {body}");
    let (kind, body) = post(&sim, "/mcp/json", "tools/call", call).await;
    assert!(kind.starts_with("application/json"), "{kind}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["result"]["structuredContent"]["approvals_waiting"], 1);
    assert_eq!(body["result"]["resultType"], "complete");
}

#[tokio::test]
async fn the_list_comes_in_pages_that_may_be_kept() {
    let sim = Sim::with(Options { page: 20, ..Options::default() }).await;
    let (_, body) = post(&sim, "/mcp/json", "tools/list", json!({})).await;
    let first: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(first["result"]["tools"].as_array().unwrap().len(), 20);
    assert_eq!(first["result"]["cacheScope"], "public");
    assert_eq!(first["result"]["ttlMs"], 300_000);

    let client = sim.legacy("/mcp", ProtocolVersion::V_2025_06_18).await;
    let mut sizes = Vec::new();
    let mut cursor = None;
    loop {
        let page =
            client.list_tools(Some(PaginatedRequestParams::default().with_cursor(cursor))).await.unwrap();
        sizes.push(page.tools.len());
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [20, 20, 9]);
    for wrong in ["", "from-49", "from--1", "x"] {
        let page = PaginatedRequestParams::default().with_cursor(Some(wrong.to_owned()));
        assert!(client.list_tools(Some(page)).await.unwrap_err().to_string().contains("-32602"), "{wrong}");
    }
}

#[tokio::test]
async fn definitions_say_what_a_tool_takes_and_does() {
    let sim = Sim::start().await;
    let tools = sim.modern("/mcp/json").await.list_all_tools().await.unwrap();
    let find =
        |name: &str| serde_json::to_value(tools.iter().find(|tool| tool.name == name).unwrap()).unwrap();
    let list = find("flowforge_list_runs");
    assert_eq!(list["annotations"]["readOnlyHint"], true);
    assert_eq!(list["inputSchema"]["properties"]["status"]["enum"][0], "pending");
    assert_eq!(list["inputSchema"]["properties"]["limit"]["default"], 20);
    let delete = find("flowforge_delete_task");
    assert_eq!(delete["annotations"]["destructiveHint"], true);
    assert_eq!(delete["inputSchema"]["required"], json!(["task_id"]));
    assert_eq!(delete["inputSchema"]["additionalProperties"], false);
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error_and_wrong_arguments_are_not() {
    let sim = Sim::start().await;
    let client = sim.modern("/mcp/json").await;
    let error = call(&client, "flowforge_get_Run", json!({})).await.unwrap_err().to_string();
    assert!(error.contains("-32602") && error.contains("Unknown tool: flowforge_get_Run"), "{error}");
    let result = call(&client, "flowforge_get_run", json!({ "run_id": 3 })).await.unwrap();
    assert_eq!(result.is_error, Some(true));
    assert_eq!(result.content[0].as_text().unwrap().text, "`run_id` must be a text");
    let log = sim.log().await;
    assert_eq!(log["total"], 2);
    assert_eq!(log["calls"][0]["rest"], Value::Null);
}
