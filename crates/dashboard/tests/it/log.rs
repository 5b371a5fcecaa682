//! `/o/{org}/log`

use audit::{ClientNote, Decision, GrantNote, LimitNote, PolicyNote, ServerNote};
use domain::{Clock, Outcome, TenantId};
use http_body_util::BodyExt;
use tower::ServiceExt;
use vault::Entropy;

use crate::world::{Browser, Site, last_id};

const DOCUMENT: &str = r#"{
  "version": "1",
  "default": "deny",
  "tools": {
    "flowforge_cancel_run": { "action": "deny", "reason": "Ask the on-call engineer." }
  }
}"#;
const RULE: &str = "/tools/flowforge_cancel_run/action";

/// A site with a server, a policy and a grant, to write decisions of.
pub struct Desk<'a> {
    pub site: &'a Site,
    pub browser: Browser<'a>,
    pub tenant: TenantId,
    pub server: String,
    pub policy: String,
    pub grant: String,
}

impl<'a> Desk<'a> {
    pub async fn of(site: &'a Site) -> Self {
        let mut browser = site.owner("Acme").await;
        let server = browser.server("acme").await;
        let policy = browser.policy(&server, DOCUMENT).await;
        let (grant, _) = browser.grant(&server, &policy, "Bot").await;
        let tenant = browser.tenant("acme").await;
        Self { site, browser, tenant, server, policy, grant }
    }

    /// Writes a decision; the address of its page.
    pub async fn decide(&self, outcome: Outcome, tool: &str, rule: Option<&str>) -> String {
        let addresses = [self.server.as_str(), &self.grant, &self.policy];
        let decision = decision(self.tenant, addresses, outcome, tool, rule);
        audit::record_direct(&self.site.database.storage, &decision).await.unwrap();
        format!("/o/acme/log/{}", decision.id)
    }
}

/// A decision of now about a call of this tool.
pub fn decision(
    tenant: TenantId,
    [server, grant, policy]: [&str; 3],
    outcome: Outcome,
    tool: &str,
    rule: Option<&str>,
) -> Decision {
    let now = Clock::System.now();
    Decision {
        id: Entropy::System.id(now),
        tenant,
        decided_at: now,
        outcome,
        forwards: false,
        server: Some(ServerNote { id: last_id(server), name: "Flowforge".to_owned() }),
        grant: Some(GrantNote {
            id: last_id(grant),
            label: "Bot".to_owned(),
            identity: "ci@example.com".to_owned(),
        }),
        client: ClientNote { name: Some("claude-code".to_owned()), version: None },
        address: None,
        protocol_version: Some("2025-11-25".to_owned()),
        method: Some("tools/call".to_owned()),
        tool: Some(tool.to_owned()),
        rule: rule.map(str::to_owned),
        message: rule.map(|_| "Ask the on-call engineer.".to_owned()),
        condition: None,
        policy: Some(PolicyNote { id: last_id(policy), name: "Support".to_owned(), version: 1 }),
        argument_keys: vec!["run_id".to_owned()],
        argument_digest: None,
        limits: Vec::<LimitNote>::new(),
        shadow: None,
        judged_micros: Some(200),
        request_bytes: Some(300),
        trace_id: None,
    }
}

#[tokio::test]
async fn filters_narrow_the_log_and_stay_in_the_address() {
    let site = Site::start().await;
    let mut desk = Desk::of(&site).await;
    desk.browser.get("/o/acme/log").await.is(200).says("No call yet");
    desk.decide(Outcome::Allow, "flowforge_list_runs", None).await;
    desk.decide(Outcome::Deny, "flowforge_cancel_run", Some(RULE)).await;
    let all = desk.browser.get("/o/acme/log").await;
    all.is(200).says("flowforge_list_runs").says("flowforge_cancel_run").says("ci@example.com");
    let denied =
        desk.browser.get("/o/acme/log?tool=flowforge_*&outcome=deny&identity=ci%40example.com").await;
    denied
        .is(200)
        .says("flowforge_cancel_run")
        .never_says("flowforge_list_runs")
        .says("value=\"ci@example.com\"");
    // The chart counts every outcome of what is asked for, and its bars keep the other filters.
    let bar = denied.hrefs().into_iter().find(|href| href.contains("from=")).unwrap();
    assert!(
        bar.starts_with("/o/acme/log?tool=flowforge_*&outcome=deny&identity=ci%40example.com&from="),
        "{bar}"
    );
    desk.browser.get("/o/acme/log?tool=nothing").await.is(200).says("No call matches");
    let wrong = desk.browser.get("/o/acme/log?from=yesterday&outcome=deny").await;
    wrong.is(200).says("is not a time").says("flowforge_cancel_run").never_says("flowforge_list_runs");
    let server = desk.server.clone();
    desk.browser.get(&format!("{server}/log")).await.is(200).says("flowforge_list_runs");
    desk.browser.get(&server).await.is(200).says("1</a>");
    desk.browser.get("/o/acme").await.is(200).says(RULE);
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    let site = Site::start().await;
    let mut desk = Desk::of(&site).await;
    for n in 0..55 {
        desk.decide(Outcome::Allow, &format!("tool_{n:02}"), None).await;
    }
    let first = desk.browser.get("/o/acme/log?outcome=allow").await;
    first.is(200).says("tool_54").says("tool_05").never_says("tool_04<");
    let older = first.hrefs().into_iter().find(|href| href.contains("cursor=")).unwrap();
    let second = desk.browser.get(&older).await;
    second.is(200).says("tool_04").says("tool_00").never_says("tool_05<").says("Newest");
    assert!(!second.hrefs().iter().any(|href| href.contains("cursor=")));
}

#[tokio::test]
async fn a_decision_answers_the_four_questions_and_leads_to_its_rule() {
    let site = Site::start().await;
    let mut desk = Desk::of(&site).await;
    let at = desk.decide(Outcome::Deny, "flowforge_cancel_run", Some(RULE)).await;
    let page = desk.browser.get(&at).await;
    page.is(200)
        .says("Ask the on-call engineer.")
        .says("ci@example.com")
        .says("run_id")
        .says("the log has no values");
    for question in ["Who called what, when", "Which rule decided", "What was counted", "What to do"] {
        page.says(question);
    }
    let hit = page.html.split("<li class=\"hit\">").nth(1).unwrap().split("</li>").next().unwrap();
    assert!(hit.contains("flowforge_cancel_run"), "{hit}");
    let jump = page.hrefs().into_iter().find(|href| href.ends_with("#rule")).unwrap();
    assert!(jump.starts_with(&format!("{}/versions/1?rule=", desk.policy)), "{jump}");
    desk.browser.get(jump.trim_end_matches("#rule")).await.is(200).says("id=\"rule\"");
    page.says(&format!("href=\"{}#policy\"", desk.grant));
    let edit =
        page.hrefs().into_iter().find(|href| href.starts_with(&format!("{}?rule=", desk.policy))).unwrap();
    desk.browser.get(&edit).await.is(200).says(&format!("data-rule=\"{RULE}\""));
}

#[tokio::test]
async fn the_log_leaves_as_a_file() {
    let site = Site::start().await;
    let mut desk = Desk::of(&site).await;
    desk.decide(Outcome::Allow, "flowforge_list_runs", None).await;
    desk.decide(Outcome::Deny, "flowforge_cancel_run", Some(RULE)).await;
    let log = desk.browser.get("/o/acme/log?outcome=deny").await;
    let exports: Vec<_> = log.hrefs().into_iter().filter(|href| href.contains("/log/export?")).collect();
    let csv = desk.browser.get(&exports[0]).await;
    csv.is(200).says("flowforge_cancel_run").never_says("flowforge_list_runs");
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.header("content-disposition").starts_with("attachment; filename=\"tollgate-log-"));
    let lines = desk.browser.get(&exports[1]).await;
    assert_eq!(lines.is(200).html.trim().lines().count(), 1);
    desk.browser.get("/o/acme/log/export?from=yesterday").await.is(422).says("is not a time");
}

#[tokio::test]
async fn the_live_tail_brings_rows_as_they_are_decided() {
    let site = Site::start().await;
    let desk = Desk::of(&site).await;
    desk.decide(Outcome::Allow, "flowforge_old", None).await;
    let session = &desk.browser.cookies["__Host-tollgate"];
    let request = http::Request::get("/o/acme/log/live?outcome=deny")
        .header("cookie", format!("__Host-tollgate={session}"))
        .body(axum::body::Body::empty())
        .unwrap();
    let response = site.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    desk.decide(Outcome::Allow, "flowforge_list_runs", None).await;
    desk.decide(Outcome::Deny, "flowforge_cancel_run", Some(RULE)).await;
    let first = tokio::time::timeout(testkit::PATIENCE, body.frame()).await.unwrap().unwrap().unwrap();
    let event = String::from_utf8(first.into_data().unwrap().to_vec()).unwrap();
    assert!(event.contains("event: decisions") && event.contains("flowforge_cancel_run"), "{event}");
    assert!(!event.contains("flowforge_list_runs") && !event.contains("flowforge_old"), "{event}");
}
