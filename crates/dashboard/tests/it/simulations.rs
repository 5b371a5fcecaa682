//! `/o/{org}/servers/{server}/policies/{policy}/simulate`

use crate::log::Desk;
use crate::world::{Browser, Page, Site};
use domain::Outcome;

const DOCUMENT: &str = r#"{
  "version": "1",
  "default": "deny",
  "hide": ["flowforge_delete_*"],
  "tools": {
    "flowforge_list_*": {},
    "flowforge_retry_run": {
      "require": [{ "path": "args.run_id", "op": "regex", "value": "^run-[0-9]+$" }],
      "rate_limit": "10/minute"
    },
    "flowforge_send_event": {
      "deny_if": [
        {
          "conditions": [{ "path": "grant.label", "op": "eq", "value": "CI bot" }],
          "on_deny": "CI sends no events."
        }
      ]
    }
  }
}"#;

async fn desk(browser: &mut Browser<'_>) -> (String, String) {
    let server = browser.server("acme").await;
    let policy = browser.policy(&server, DOCUMENT).await;
    (server, policy)
}

/// The text of the first marked line.
fn marked(page: &Page) -> &str {
    page.html
        .split("id=\"rule\"")
        .nth(1)
        .unwrap()
        .split("class=\"tx\">")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
}

/// The row of a tool in the matrix.
fn row<'a>(page: &'a Page, tool: &str) -> &'a str {
    let matrix = page.html.split("class=\"table-wrap matrix\"").nth(1).unwrap();
    let at = matrix.find(&format!("value=\"{tool}\"")).unwrap();
    let from = matrix[..at].rfind("<tr").unwrap();
    matrix[from..].split("</tr>").next().unwrap()
}

#[tokio::test]
async fn a_call_typed_in_has_a_verdict_and_an_address() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let (_, policy) = desk(&mut browser).await;
    let at = format!("{policy}/simulate");
    browser.get(&policy).await.says(&format!("href=\"{at}\"")).says(&format!("formaction=\"{at}\""));
    browser.get(&at).await.is(200).says("Version 1, in force").says("Type a call");

    let call = [("call", "flowforge_retry_run"), ("arguments", r#"{ "run_id": "run-7" }"#), ("version", "1")];
    let page = browser.submit(&at, &call).await;
    page.is(200).says("The call would go through").says("Would be taken").says("10 a minute for each grant");
    page.says("Nothing was taken");
    assert_eq!(
        page.path,
        format!("{at}?call=flowforge_retry_run&arguments=%7B+%22run_id%22%3A+%22run-7%22+%7D")
    );
    assert!(
        marked(&page).contains("flowforge_retry_run"),
        "the entry that lets it through: {}",
        marked(&page)
    );
    let again = browser.get(&page.path).await;
    again.is(200).says("The call would go through").says("run-7");

    let page =
        browser.submit(&at, &[("call", "flowforge_retry_run"), ("arguments", r#"{"run_id": "../x"}"#)]).await;
    page.is(200).says("/tools/flowforge_retry_run/require/0").says("href=\"#rule\"");
    assert!(marked(&page).contains("args.run_id"), "{}", marked(&page));
    page.says("^run-[0-9]+$").never_says("Would be taken");

    let page = browser.submit(&at, &[("call", "flowforge_send_event"), ("label", "CI bot")]).await;
    page.is(200).says("CI sends no events.");
    assert!(page.path.ends_with("&label=CI+bot"), "{}", page.path);
    assert!(marked(&page).trim().starts_with('{'));
    browser.get(&format!("{at}?call=flowforge_send_event")).await.says("The call would go through");
    browser
        .get(&format!("{at}?call=flowforge_delete_run"))
        .await
        .says("The tool is not listed")
        .says("(hidden)");
    browser.get(&format!("{at}?call=nothing")).await.says("The server lists no tool of this name");
}

#[tokio::test]
async fn what_can_not_be_judged_is_said_at_its_field() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let (_, policy) = desk(&mut browser).await;
    let at = format!("{policy}/simulate");
    browser.get(&at).await;
    for (arguments, said) in
        [("{ \"a\": }", "line 1, column 8"), ("[]", "Are not an object"), ("{\"a\":1,\"a\":2}", "twice")]
    {
        let page = browser.submit(&at, &[("call", "x"), ("arguments", arguments)]).await;
        page.is(200).says(said).says("aria-invalid=\"true\"").says("Mend the call first");
    }
    browser.get(&format!("{at}?beside=x")).await.is(200).says("The policy to stand beside");
    for nowhere in ["version=2", "version=x", "decision=x", "decision=01890a5d-ac96-774b-bcce-b302099a8057"] {
        browser.get(&format!("{at}?{nowhere}")).await.is(404);
    }
    // What an address is too short for is answered where it was sent.
    let long = format!("{{\"note\": \"{}\"}}", "x".repeat(20_000));
    let page = browser.submit(&at, &[("call", "flowforge_list_runs"), ("arguments", &long)]).await;
    page.is(200).says("The call would go through");
    assert_eq!(page.path, at);
}

#[tokio::test]
async fn a_draft_is_tried_beside_the_version_in_force_and_taken_back_to_the_editor() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let (server, policy) = desk(&mut browser).await;
    let at = format!("{policy}/simulate");
    browser.get(&policy).await;
    let draft = DOCUMENT
        .replace("10/minute", "5/minute")
        .replace("\"flowforge_list_*\": {}", "\"flowforge_list_runs\": {}, \"flowforge_get_stats\": {}");
    // As the editor sends it: with its table, and with a choice in it that is not written into the text yet.
    let editor = [
        ("expected_version", "1"),
        ("document", draft.as_str()),
        ("tool", "flowforge_health_check"),
        ("was", "deny"),
        ("choice", "allow"),
        ("max", ""),
        ("window", "minute"),
    ];
    let page = browser.submit(&at, &editor).await;
    page.is(200)
        .says("This is a draft of version 2")
        .says("5/minute")
        .says("flowforge_health_check&#34;: {}");
    page.says("2 tools open").says("10 tools close").says("1 other change");
    assert!(row(&page, "flowforge_list_runs").contains("<tr>"), "{}", row(&page, "flowforge_list_runs"));
    assert!(row(&page, "flowforge_list_events").contains("Closes"));
    assert!(row(&page, "flowforge_get_stats").contains("Opens"));
    assert!(row(&page, "flowforge_retry_run").contains("Other rules"));
    assert!(row(&page, "flowforge_retry_run").contains("by arguments"));
    browser.get(&policy).await.never_says("5/minute");

    // The draft stays with the form, from step to step.
    let shown = page.element("simulate-draft");
    let shown = shown.trim_start_matches('\n').replace("&#34;", "\"");
    let fields = [
        ("document", shown.as_str()),
        ("expected_version", "1"),
        ("call", "flowforge_get_stats"),
        ("set_show", "differences"),
    ];
    let page = browser.submit(&at, &fields).await;
    page.is(200).says("The call would go through").says("This is a draft of version 2");
    page.never_says("value=\"flowforge_list_runs\" formnovalidate");
    assert!(row(&page, "flowforge_get_stats").contains("Opens"));
    let back = [("document", shown.as_str()), ("expected_version", "1"), ("do", "check")];
    browser.submit(&policy, &back).await.is(200).says("5/minute").says("The policy can be saved");
    let save = [("document", shown.as_str()), ("expected_version", "1"), ("do", "save")];
    browser.submit(&policy, &save).await.is(200).says("Version 2 is in force");

    // What was a draft is in force now: it has an address, and the old version stands beside it.
    let page = browser.submit(&at, &fields[..1]).await;
    page.is(200).says("Version 2, in force").says("This is the version in force").never_says("set_show");
    assert!(row(&page, "flowforge_retry_run").contains("5 a minute for each grant"));
    assert_eq!(page.path, at);
    let old = browser.get(&format!("{at}?version=1&show=differences")).await;
    old.is(200).says("version 2 is in force").says("10 tools open").says("2 tools close");
    let bare = browser.get(&format!("{at}?beside=none")).await;
    bare.is(200).says("(no policy)").says("No policy</th>");
    browser.get(&format!("{server}/policies/new")).await.says(&format!("{server}/policies/new/simulate"));
}

#[tokio::test]
async fn a_draft_with_problems_says_them_at_their_lines() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let (_, policy) = desk(&mut browser).await;
    browser.get(&policy).await;
    let wrong = DOCUMENT.replace("rate_limit", "rate_limits");
    let fields = [("document", wrong.as_str()), ("call", "flowforge_list_runs")];
    let page = browser.submit(&format!("{policy}/simulate"), &fields).await;
    page.is(200).says("href=\"#line-9\"").says("id=\"line-9\" class=\"bad\"").says("Mend the document first");
    page.never_says("class=\"table-wrap matrix\"");
    let page = browser.submit(&format!("{policy}/simulate"), &[("document", "")]).await;
    page.is(200).says("Mend the document first");
}

#[tokio::test]
async fn a_policy_that_is_not_saved_yet_is_tried() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let at = format!("{server}/policies/new/simulate");
    let page = browser.get(&format!("{at}?call=flowforge_list_runs")).await;
    page.is(200)
        .says("What is proposed for this server")
        .says("The call would go through")
        .says("(no policy)");
    let fields = [("document", DOCUMENT), ("name", "Support"), ("call", "flowforge_delete_run")];
    let page = browser.submit(&at, &fields).await;
    page.is(200).says("This is a draft: it is not saved").says("The tool is not listed");
    page.says("name=\"name\" value=\"Support\"");
    browser.get(&format!("{server}/policies")).await.says("No policy yet");
}

#[tokio::test]
async fn a_call_comes_from_the_log_without_its_values() {
    let site = Site::start().await;
    let mut desk = Desk::of(&site).await;
    let decision =
        desk.decide(Outcome::Deny, "flowforge_cancel_run", Some("/tools/flowforge_cancel_run/action")).await;
    let id = decision.rsplit('/').next().unwrap().to_owned();
    let link = desk.browser.get(&decision).await;
    let link = link.hrefs().into_iter().find(|href| href.contains("/simulate?")).unwrap();
    assert_eq!(link, format!("{}/simulate?decision={id}", desk.policy));
    let page = desk.browser.get(&link).await;
    page.is(200)
        .says("value=\"flowforge_cancel_run\"")
        .says("&#60;run_id&#62;")
        .says("The values are placeholders")
        .says("value=\"ci@example.com\"")
        .says("value=\"claude-code\"")
        .says("Ask the on-call engineer.");
    // It can be picked on the page as well; so can any tool, with what it must be given.
    let at = format!("{}/simulate", desk.policy);
    let empty = desk.browser.get(&at).await;
    empty.says(&format!("name=\"decision\" value=\"{id}\""));
    let page = desk.browser.submit(&at, &[("call", "other"), ("decision", &id)]).await;
    assert_eq!(page.is(200).path, link);
    let page = desk.browser.submit(&at, &[("call", "other"), ("pick", "flowforge_get_run")]).await;
    page.is(200).says("value=\"flowforge_get_run\"").says("&#60;run_id&#62;").says("(default deny)");
    let page = desk.browser.submit(&at, &[("call", "flowforge_retry_run"), ("do", "fill")]).await;
    page.is(200).says("value=\"flowforge_retry_run\"").says("&#60;run_id&#62;");
    // A decision of another server's is none of this one's.
    let other = desk.browser.server_named("acme", "Second").await;
    let foreign = desk.browser.policy(&other, DOCUMENT).await;
    desk.browser.get(&format!("{foreign}/simulate?decision={id}")).await.is(404);
}
