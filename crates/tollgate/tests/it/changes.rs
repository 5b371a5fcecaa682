//! A change that the API has answered is obeyed by the very next call, on every gateway, always.

use serde_json::{Value, json};
use testkit::Api;

use crate::caller::{Answer, Caller};
use crate::stack::Stack;

const TOOL: &str = "flowforge_health_check";
const ROUNDS: usize = 200;
/// Changes in each round below.
const CHANGES: usize = 5;

/// What a grant may meet.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Met {
    Allowed,
    Denied,
    Unauthorized,
    Other,
}

fn met(answer: &Answer) -> Met {
    match answer {
        _ if answer.allowed() => Met::Allowed,
        _ if answer.denied().is_some() => Met::Denied,
        _ if answer.status == 401 => Met::Unauthorized,
        _ => Met::Other,
    }
}

/// One agent at both gateways.
struct Agent([Caller; 2]);

impl Agent {
    async fn meets(&self, wanted: Met) -> bool {
        let arguments = json!({});
        let (one, two) = tokio::join!(self.0[0].call(TOOL, &arguments), self.0[1].call(TOOL, &arguments));
        [one, two].iter().all(|answer| answer.as_ref().is_ok_and(|answer| met(answer) == wanted))
    }
}

fn document(action: &str) -> Value {
    json!({ "version": "1", "default": "deny", "tools": { TOOL: { "action": action, "reason": "switched off" } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_call_obeys_a_thousand_changes_of_a_thousand() {
    let stack = Stack::start().await;
    let (one, two) = (stack.serve(&[]).await, stack.serve(&["gateway"]).await);
    let api = Api::sign_up(&one.url).await;
    let server = stack.register(&api, "/mcp/json").await;
    let policy = api.policy(&server, "switch", &document("allow")).await;
    let other = api.policy(&server, "other", &document("deny")).await;
    let agent = |token: &str| Agent([&one.url, &two.url].map(|url| Caller::new(url, &server, token)));
    let grant = api.mint(&server, &policy, "steady").await;
    let steady = agent(&grant.token);
    assert!(steady.meets(Met::Allowed).await);

    let save = async |version: usize, action: &str| {
        let body = json!({ "expected_version": version, "document": document(action) });
        api.post(&format!("/policies/{policy}/versions"), body).await;
    };
    let attach = async |policy: &str| {
        api.put(&format!("/grants/{}/policy", grant.id), json!({ "policy_id": policy })).await;
    };
    let mut obeyed = 0;
    for round in 0..ROUNDS {
        save(2 * round + 1, "deny").await;
        obeyed += usize::from(steady.meets(Met::Denied).await);
        save(2 * round + 2, "allow").await;
        obeyed += usize::from(steady.meets(Met::Allowed).await);
        attach(&other).await;
        obeyed += usize::from(steady.meets(Met::Denied).await);
        attach(&policy).await;
        obeyed += usize::from(steady.meets(Met::Allowed).await);

        let short = api.mint(&server, &policy, &format!("short {round}")).await;
        let brief = agent(&short.token);
        assert!(brief.meets(Met::Allowed).await, "a new grant works at once");
        api.post(&format!("/grants/{}/revoke", short.id), json!({})).await;
        obeyed += usize::from(brief.meets(Met::Unauthorized).await);
    }
    assert_eq!(obeyed, ROUNDS * CHANGES);
}
