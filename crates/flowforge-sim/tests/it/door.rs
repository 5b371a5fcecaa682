//! The demand for a key, the log and the way back to the start.

use flowforge_sim::Options;
use http::{HeaderName, HeaderValue};
use reqwest::StatusCode;
use rmcp::model::ProtocolVersion;
use serde_json::json;

use crate::support::{Sim, done};

#[tokio::test]
async fn without_its_key_an_instance_answers_401() {
    let key = (HeaderName::from_static("x-api-key"), HeaderValue::from_static("secret"));
    let sim = Sim::with(Options { key: Some(key), ..Options::default() }).await;
    let http = reqwest::Client::new();
    for path in ["/mcp", "/mcp/json"] {
        let url = format!("{}{path}", sim.url);
        for request in [http.post(&url), http.get(&url), http.post(&url).header("x-api-key", "Secret")] {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
            assert!(answer.headers().contains_key("www-authenticate"));
        }
        let known = http.post(&url).header("x-api-key", "secret").send().await.unwrap();
        assert_eq!(known.status(), StatusCode::NOT_ACCEPTABLE);
    }
    assert_eq!(http.get(format!("{}/__log", sim.url)).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn the_log_tells_what_arrived_and_can_be_emptied() {
    let sim = Sim::start().await;
    let client = sim.legacy("/mcp", ProtocolVersion::V_2025_11_25).await;
    done(&client, "flowforge_list_runs", json!({ "status": "failed" })).await;
    let log = sim.log().await;
    let call = &log["calls"][0];
    assert_eq!(call["tool"], "flowforge_list_runs");
    assert_eq!(call["arguments"], json!({ "status": "failed" }));
    assert_eq!(call["rest"]["reached"], "GET /api/v1/runs");
    assert_eq!(call["rest"]["query"], "status=failed&limit=20");
    assert_eq!(log["counts"], json!({ "flowforge_list_runs": 1 }));
    let first = &log["requests"][0];
    assert_eq!((&first["method"], &first["target"]), (&json!("POST"), &json!("/mcp")));
    assert_eq!(first["headers"]["content-type"], "application/json");

    let http = reqwest::Client::new();
    let cleared = http.delete(format!("{}/__log", sim.url)).send().await.unwrap();
    assert_eq!(cleared.status(), StatusCode::NO_CONTENT);
    assert_eq!(sim.log().await, json!({ "total": 0, "counts": {}, "calls": [], "requests": [] }));
}

#[tokio::test]
async fn a_reset_brings_the_seed_back() {
    let sim = Sim::start().await;
    let client = sim.modern("/mcp/json").await;
    done(&client, "flowforge_delete_task", json!({ "task_id": "task-0001" })).await;
    assert_eq!(done(&client, "flowforge_list_tasks", json!({})).await["total"], 3);
    reqwest::Client::new().post(format!("{}/__reset", sim.url)).send().await.unwrap();
    assert_eq!(done(&client, "flowforge_list_tasks", json!({})).await["total"], 4);
    assert_eq!(sim.log().await["total"], 1);
}
