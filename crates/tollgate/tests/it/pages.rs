//! A person's walk through the pages in a real browser. Its screenshots are in `target/screens`.

use serde_json::json;
use testkit::PASSWORD;

use crate::clients;
use crate::stack::{Stack, UPSTREAM_KEY};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gets_from_sign_up_to_an_enforced_recorded_call() {
    let stack = Stack::start().await;
    let tollgate = stack.serve_with(&[], &[("TOLLGATE_APPROVAL_HOLD", "0")]).await;
    let task = json!({
        "url": tollgate.url, "chromium": clients::noted("chromium"), "upstreamKey": UPSTREAM_KEY.1,
        "password": PASSWORD, "screens": clients::root().join("target/screens"),
    });
    clients::run("pages", &task).await;
    let reached = stack.reached().await;
    assert_eq!(
        reached["counts"],
        json!({
            "flowforge_cancel_run": 1, "flowforge_get_stats": 1, "flowforge_list_runs": 1, "flowforge_retry_run": 2
        })
    );
}
