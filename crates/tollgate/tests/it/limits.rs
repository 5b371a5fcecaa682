//! One limit, two gateways, many callers at once.

use serde_json::json;
use testkit::Api;
use tokio::task::JoinSet;

use crate::caller::Caller;
use crate::stack::Stack;

const CALLERS: usize = 200;
const MAX: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_let_exactly_the_limit_through() {
    let stack = Stack::start().await;
    let (one, two) = (stack.serve(&[]).await, stack.serve(&["gateway"]).await);
    let api = Api::sign_up(&one.url).await;
    let server = stack.register(&api, "/mcp/json").await;
    let document = json!({
        "version": "1", "default": "deny",
        "tools": { "flowforge_health_check": { "rate_limit": { "max": MAX, "window": 60 } } },
    });
    let policy = api.policy(&server, "limited", &document).await;
    let grant = api.mint(&server, &policy, "crowd").await;

    let mut calls = JoinSet::new();
    for number in 0..CALLERS {
        let gateway = if number % 2 == 0 { &one.url } else { &two.url };
        let caller = Caller::new(gateway, &server, &grant.token);
        calls.spawn(async move { caller.call("flowforge_health_check", &json!({})).await.unwrap() });
    }
    let answers = calls.join_all().await;

    let allowed = answers.iter().filter(|answer| answer.allowed()).count();
    let limited = answers
        .iter()
        .filter(|answer| answer.denied() == Some("/tools/flowforge_health_check/rate_limit"))
        .count();
    assert_eq!((allowed, limited), (MAX, CALLERS - MAX));
    assert_eq!(stack.reached().await["total"], MAX);
}
