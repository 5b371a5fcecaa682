//! Calls that look harmless by their tool and reach another action of Flowforge by their ids: under the operator preset
//! none gets there; without the preset's id patterns they would.

use serde_json::Value;
use testkit::{Api, eventually};

use crate::caller::Caller;
use crate::stack::Stack;

const PIVOTS: &str = include_str!("../../../../catalogue/flowforge/pivots.json");
const OPERATOR: &str = include_str!("../../../../catalogue/flowforge/operator.json");
const ID: &str = "^[A-Za-z0-9_-]{1,64}$";

/// What became of a call: `allow`, or the rule that refused it; and the request that Flowforge made of it.
#[derive(Debug, PartialEq)]
struct End {
    rule: Option<String>,
    reached: Option<String>,
}

/// The document without the conditions that hold ids to the pattern.
fn without_patterns(value: &Value) -> Value {
    let is_pattern = |item: &Value| {
        item["value"] == ID
            || item["any"].as_array().is_some_and(|any| any.iter().any(|one| one["value"] == ID))
    };
    match value {
        Value::Array(items) => items.iter().filter(|item| !is_pattern(item)).map(without_patterns).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| (key.clone(), without_patterns(value))).collect()
        }
        other => other.clone(),
    }
}

/// Makes the calls under this policy through the running gateway.
async fn under(document: &Value, pivots: &[Value]) -> Vec<End> {
    let stack = Stack::start().await;
    let tollgate = stack.serve(&[]).await;
    let api = Api::sign_up(&tollgate.url).await;
    let server = stack.register(&api, "/mcp/json").await;
    let policy = api.policy(&server, "operator", document).await;
    let grant = api.mint(&server, &policy, "operator").await;
    let caller = Caller::new(&tollgate.url, &server, &grant.token);

    let mut ends = Vec::new();
    for pivot in pivots {
        let tool = pivot["tool"].as_str().unwrap();
        let before = stack.reached().await["calls"].as_array().unwrap().len();
        let answer = caller.call(tool, &pivot["arguments"]).await.unwrap();
        let calls = stack.reached().await["calls"].as_array().unwrap().clone();
        let row = eventually("a row of the call", async || {
            api.decisions(&format!("&request_id={}", answer.request_id)).await.pop()
        })
        .await;
        let rule = row["rule"].as_str().map(str::to_owned);
        assert_eq!(calls.len() - before, usize::from(rule.is_none()), "{tool}: what is refused stays here");
        let reached =
            (calls.len() > before).then(|| calls[before]["rest"]["reached"].as_str().unwrap().to_owned());
        ends.push(End { rule, reached });
    }
    ends
}

fn pivots() -> Vec<Value> {
    let pivots: Vec<Value> = serde_json::from_str(PIVOTS).unwrap();
    assert_eq!(pivots.len(), 6);
    pivots
}

#[tokio::test(flavor = "multi_thread")]
async fn under_the_operator_preset_no_pivot_reaches_flowforge() {
    let pivots = pivots();
    let operator = serde_json::from_str(OPERATOR).unwrap();
    for (at, (pivot, end)) in pivots.iter().zip(under(&operator, &pivots).await).enumerate() {
        let tool = pivot["tool"].as_str().unwrap();
        let rule = if at < 5 { format!("/tools/{tool}/require/0") } else { "(hidden)".to_owned() };
        assert_eq!(end, End { rule: Some(rule), reached: None }, "{tool}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_id_patterns_they_reach_what_they_name() {
    let pivots = pivots();
    let operator: Value = serde_json::from_str(OPERATOR).unwrap();
    let bare = without_patterns(&operator);
    assert!(operator.to_string().contains(ID) && !bare.to_string().contains(ID));
    for (at, (pivot, end)) in pivots.iter().zip(under(&bare, &pivots).await).enumerate() {
        let wanted = if at < 5 {
            End { rule: None, reached: Some(pivot["reaches"].as_str().unwrap().to_owned()) }
        } else {
            End { rule: Some("(hidden)".to_owned()), reached: None }
        };
        assert_eq!(end, wanted, "{}", pivot["tool"]);
    }
}
