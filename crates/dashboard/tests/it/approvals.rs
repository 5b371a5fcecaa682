//! `/o/{org}/approvals`, one of them, and the address that agents are told.

use domain::{ApprovalId, Clock, DecisionId, Outcome, Role};
use testkit::Question;
use vault::Entropy;

use crate::log::Desk;
use crate::world::{PASSWORD, Page, Site, last_id};

const TOOL: &str = "flowforge_cancel_run";
const RULE: &str = "/tools/flowforge_cancel_run/action";
const ARGUMENTS: &str = r#"{"api_key":"k-93","run_id":"run-0042"}"#;

/// A call that this decision told to wait.
fn question<'a>(desk: &Desk<'_>, arguments: &'a str, decision: DecisionId) -> Question<'a> {
    Question {
        tenant: desk.tenant,
        server: last_id(&desk.server),
        grant: last_id(&desk.grant),
        policy: Some((last_id(&desk.policy), "Support", 1)),
        tool: TOOL,
        arguments,
        decision,
        at: Clock::System.now(),
    }
}

async fn ask(desk: &Desk<'_>, arguments: &str) -> ApprovalId {
    desk.site.ask(&question(desk, arguments, Entropy::System.id(Clock::System.now()))).await
}

/// Fails if a value of the arguments is in the page.
#[track_caller]
fn no_values(page: &Page) {
    page.never_says("run-0042").never_says("k-93");
}

#[tokio::test]
async fn the_inbox_has_what_waits_and_every_page_says_how_many() {
    let site = Site::start().await;
    let mut desk = Desk::of(&site).await;
    let empty = desk.browser.get("/o/acme/approvals").await;
    empty.is(200).says("No call waits for a person.").never_says("<table");
    desk.browser.get("/o/acme").await.never_says("for approval");
    let first = ask(&desk, ARGUMENTS).await;
    let second = ask(&desk, "").await;

    let inbox = desk.browser.get("/o/acme/approvals").await;
    inbox.is(200).says(TOOL).says("Bot").says("ci@example.com").says("Look at it first.").says("expires");
    inbox.says(&format!("/o/acme/approvals/{first}")).says(&format!("/o/acme/approvals/{second}"));
    no_values(&inbox);
    let overview = desk.browser.get("/o/acme").await;
    overview.is(200).says("2 calls wait for approval").says(">2<span class=\"sr\"> waiting</span>");
    desk.browser.get("/o/acme/log").await.says(">2<span class=\"sr\"> waiting</span>");

    desk.browser.get("/o/acme/approvals?state=pending").await.is(200).says(&first.to_string());
    desk.browser.get("/o/acme/approvals?state=refused").await.is(200).says("No call matches");
    let server: String = last_id(&desk.server);
    let narrowed = format!("/o/acme/approvals?state=&server={server}");
    desk.browser.get(&narrowed).await.is(200).says(&first.to_string());
    desk.browser.get("/o/acme/approvals?state=maybe").await.is(200).says("is no state of an approval");
}

#[tokio::test]
async fn earlier_questions_are_listed_below_page_by_page() {
    let site = Site::start().await;
    let mut desk = Desk::of(&site).await;
    let mut ids = Vec::new();
    for n in 0..52 {
        let id = ask(&desk, &format!(r#"{{"n":{n}}}"#)).await;
        let page = format!("/o/acme/approvals/{id}");
        desk.browser.get(&page).await.is(200);
        desk.browser.submit(&page, &[("do", "refuse")]).await.is(200);
        ids.push(id.to_string());
    }
    let waits = ask(&desk, ARGUMENTS).await.to_string();
    let first = desk.browser.get("/o/acme/approvals").await;
    first.is(200).says(&waits).says(&ids[51]).says(&ids[3]).never_says(&ids[2]);
    let older = first.hrefs().into_iter().find(|href| href.contains("cursor=")).unwrap();
    let second = desk.browser.get(&older).await;
    second.is(200).says(&ids[2]).says(&ids[0]).never_says(&ids[3]).never_says(&waits).says("Newest");
}

#[tokio::test]
async fn a_person_sees_the_call_and_approves_it_once() {
    let site = Site::start().await;
    let mut desk = Desk::of(&site).await;
    let id = ask(&desk, ARGUMENTS).await;
    let at = format!("/o/acme/approvals/{id}");
    let page = desk.browser.get(&at).await;
    page.is(200).says("&#34;run_id&#34;: &#34;run-0042&#34;").says("•••").says("<code>/api_key</code>");
    page.never_says("k-93").says("Look at it first.").says(RULE).says("claude-code").says("within 1 h");
    assert_eq!(page.header("cache-control"), "no-store");
    let hit = page.html.split("<li class=\"hit\">").nth(1).unwrap().split("</li>").next().unwrap();
    assert!(hit.contains(TOOL), "{hit}");
    let jump = page.hrefs().into_iter().find(|href| href.ends_with("#rule")).unwrap();
    desk.browser.get(jump.trim_end_matches("#rule")).await.is(200).says("id=\"rule\"");

    desk.browser.get(&at).await;
    let done = desk.browser.submit(&at, &[("do", "approve"), ("note", "Go\non.")]).await;
    done.is(200)
        .says("Approved by acme@example.com")
        .says("Good until")
        .says("Go on.")
        .never_says("name=\"do\"");
    no_values(&done);
    let late = desk.browser.submit(&at, &[("do", "refuse")]).await;
    late.is(409).says("It was approved by acme@example.com at");
    no_values(&late);
    let inbox = desk.browser.get("/o/acme/approvals").await;
    inbox.is(200).says("Approved").says("by acme@example.com").says("No call waits for a person now");
    let log = desk.browser.get("/o/acme/admin-log").await;
    log.is(200).says("approval.approve").says("grant Bot, server Flowforge");
    no_values(&log);
}

#[tokio::test]
async fn a_person_refuses_with_a_note() {
    let site = Site::start().await;
    let mut desk = Desk::of(&site).await;
    let id = ask(&desk, ARGUMENTS).await;
    let at = format!("/o/acme/approvals/{id}");
    desk.browser.get(&at).await;
    let long = "x".repeat(501);
    let wrong = desk.browser.submit(&at, &[("do", "refuse"), ("note", &long)]).await;
    wrong
        .is(422)
        .says("aria-invalid=\"true\"")
        .says(&long)
        .says("shorten it to at most 500")
        .says("Refuse</button>");
    desk.browser.submit(&at, &[("do", "decide")]).await.is(404);
    desk.browser.get(&at).await;
    let done = desk.browser.submit(&at, &[("do", "refuse"), ("note", "Ask <Ada>.")]).await;
    done.is(200).says("Ask &#60;Ada&#62;.").never_says("Good until");
}

#[tokio::test]
async fn a_viewer_sees_that_something_waits_and_no_values() {
    let site = Site::start().await;
    let mut desk = Desk::of(&site).await;
    let id = ask(&desk, ARGUMENTS).await;
    let at = format!("/o/acme/approvals/{id}");
    site.database.make_all(Role::Viewer).await;
    let page = desk.browser.get(&at).await;
    page.is(200).says(TOOL).says("<code>run_id</code>").says("This needs the role").never_says("name=\"do\"");
    no_values(&page);
    let refused = desk.browser.submit(&at, &[("do", "approve")]).await;
    refused.is(403).says("editor");
    no_values(&refused);
    desk.browser.get(&at).await.is(200).says("It waits for a person until");
}

#[tokio::test]
async fn a_grant_that_ended_leaves_refusing() {
    let site = Site::start().await;
    let mut desk = Desk::of(&site).await;
    let id = ask(&desk, ARGUMENTS).await;
    let (at, grant) = (format!("/o/acme/approvals/{id}"), desk.grant.clone());
    desk.browser.get(&grant).await;
    desk.browser.submit(&format!("{grant}/revoke"), &[]).await.is(200);
    desk.browser.get(&at).await.is(200).says("it can only be refused").never_says("value=\"approve\"");
    let refused = desk.browser.submit(&at, &[("do", "approve")]).await;
    refused.is(409).says("is revoked or has expired").says("value=\"refuse\"");
}

#[tokio::test]
async fn the_address_that_agents_are_told_leads_there_after_logging_in() {
    let site = Site::start().await;
    let desk = Desk::of(&site).await;
    let id = ask(&desk, ARGUMENTS).await;
    let told = format!("/approvals/{id}");
    let mut person = site.browser();
    let log_in = person.get(&told).await;
    assert_eq!(log_in.path, format!("/login?next=%2Fapprovals%2F{id}"));
    let next = log_in.attribute("name=\"next\" value=\"").unwrap();
    let fields = [("email", "acme@example.com"), ("password", PASSWORD), ("next", next.as_str())];
    let page = person.submit("/login", &fields).await;
    assert_eq!(page.path, format!("/o/acme/approvals/{id}"));
    page.is(200).says("run-0042");

    let mut stranger = site.owner("Stranger").await;
    stranger.get(&told).await.is(404).never_says("Acme");
    stranger.get(&format!("/o/stranger/approvals/{id}")).await.is(404);
    stranger.get("/o/stranger/approvals").await;
    stranger.submit(&format!("/o/stranger/approvals/{id}"), &[("do", "approve")]).await.is(404);
    stranger.get("/approvals/7").await.is(404);
}

#[tokio::test]
async fn decisions_lead_to_their_question_and_say_who_approved() {
    let site = Site::start().await;
    let mut desk = Desk::of(&site).await;
    let asked = desk.decide(Outcome::Pending, TOOL, Some(RULE)).await;
    let question = question(&desk, "", last_id(&asked));
    let id = site.ask(&question).await;
    let at = format!("/o/acme/approvals/{id}");
    // The call again, while it waits: another decision, the same question.
    let again = desk.decide(Outcome::Pending, TOOL, Some(RULE)).await;
    for decision in [&asked, &again] {
        let page = desk.browser.get(decision).await;
        page.is(200).says("Approve or refuse it").says(&at).says("Waiting");
    }
    desk.browser.get(&at).await.is(200).says(&format!("href=\"{asked}\""));
    desk.browser.submit(&at, &[("do", "approve")]).await.is(200);

    let made = desk.decide(Outcome::Allow, TOOL, None).await;
    let other = desk.decide(Outcome::Allow, TOOL, None).await;
    assert!(question.make(&site.database.storage, last_id(&made), Clock::System.now()).await.is_some());
    desk.browser
        .get(&made)
        .await
        .is(200)
        .says("Approved by acme@example.com, and the call was made")
        .says(&at);
    desk.browser.get(&asked).await.is(200).says("Show the question").never_says("Approve or refuse it");
    desk.browser.get(&other).await.is(200).never_says(&at);
    desk.browser.get(&at).await.is(200).says("Call made").says(&format!("href=\"{made}\""));
}
