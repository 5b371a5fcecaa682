//! `/o/{org}/servers/{server}/policies`

use crate::world::{Page, Site};

const DOCUMENT: &str = r#"{
  "version": "1",
  "default": "deny",
  "tools": {
    "flowforge_list_*": {},
    "flowforge_retry_run": { "rate_limit": "10/minute" }
  }
}"#;

/// The text in the editor.
fn text(page: &Page) -> String {
    let text = page.element("document");
    text.trim_start_matches('\n').replace("&#34;", "\"").replace("&quot;", "\"").replace("&#39;", "'")
}

#[tokio::test]
async fn a_first_policy_is_proposed_checked_and_saved() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    browser.get(&format!("{server}/policies")).await.is(200).says("No policy yet");
    let new = format!("{server}/policies/new");
    let page = browser.get(&new).await;
    page.is(200).says("flowforge_list_runs");
    let proposed = text(&page);
    for preset in ["read-only", "operator", "builder", "locked-down"] {
        let page = browser.get(&format!("{new}?from={preset}")).await;
        page.is(200).says(&format!("?from={preset}\" aria-current=\"true\"")).never_says("data-line");
        assert!(text(&page).contains("\"description\"") && text(&page) != proposed, "{preset}");
    }
    let page = browser.submit(&new, &[("name", "First"), ("document", &proposed), ("do", "check")]).await;
    page.is(200).says("value=\"First\"");
    assert_eq!(text(&page), proposed);
    let page = browser.submit(&new, &[("name", "First"), ("document", &proposed), ("do", "save")]).await;
    page.is(200).says("Version 1 is in force");
    browser.get(&format!("{server}/policies")).await.says("First").says("Version 1");
}

#[tokio::test]
async fn problems_are_named_at_their_lines_and_nothing_is_saved() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let new = format!("{server}/policies/new");
    browser.get(&new).await;
    let wrong = DOCUMENT.replace("rate_limit", "rate_limits");
    let page = browser.submit(&new, &[("name", "Bad"), ("document", &wrong), ("do", "save")]).await;
    page.is(422)
        .says("data-line=\"6\"")
        .says("<li class=\"bad\">6</li>")
        .says("/tools/flowforge_retry_run/rate_limits");
    assert_eq!(text(&page), wrong);
    let broken = "{\n  \"version\": \"1\",\n}";
    let page = browser.submit(&new, &[("name", "Bad"), ("document", broken), ("do", "check")]).await;
    page.is(200).says("data-line=\"3\"");
    browser.get(&format!("{server}/policies")).await.says("No policy yet");
}

#[tokio::test]
async fn a_choice_in_the_table_is_written_into_the_text() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let policy = browser.policy(&server, DOCUMENT).await;
    let page = browser.get(&policy).await;
    page.is(200).says("name=\"tool\" value=\"flowforge_cancel_run\"");
    let row = |tool, was, choice, max| {
        [("tool", tool), ("was", was), ("choice", choice), ("max", max), ("window", "hour")]
    };
    let mut fields = vec![("document", DOCUMENT), ("expected_version", "1"), ("do", "apply")];
    fields.extend(row("flowforge_get_run", "deny", "allow", ""));
    fields.extend(row("flowforge_cancel_run", "deny", "limit", "3"));
    fields.extend(row("flowforge_delete_task", "deny", "hide", ""));
    fields.extend(row("flowforge_list_runs", "allow", "allow", ""));
    let page = browser.submit(&policy, &fields).await;
    let written = text(page.is(200));
    let document: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(document["tools"]["flowforge_get_run"], serde_json::json!({}));
    assert!(
        written.contains("3/hour") || document["tools"]["flowforge_cancel_run"].to_string().contains('3'),
        "{written}"
    );
    assert!(document["hide"].to_string().contains("flowforge_delete_task"), "{written}");
    // What was not chosen stays as it was written, and nothing is saved yet.
    assert!(written.contains(r#""flowforge_retry_run": { "rate_limit": "10/minute" }"#), "{written}");
    browser.get(&policy).await.never_says("flowforge_get_run&#34;: {}");
    // Saving with the table changed writes the choice as well.
    let mut fields = vec![("document", DOCUMENT), ("expected_version", "1"), ("do", "save")];
    fields.extend(row("flowforge_get_run", "deny", "allow", ""));
    let page = browser.submit(&policy, &fields).await;
    page.is(200).says("Version 2 is in force");
    assert!(text(&page).contains("flowforge_get_run"));
}

#[tokio::test]
async fn two_editors_do_not_overwrite_each_other() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let policy = browser.policy(&server, DOCUMENT).await;
    browser.get(&policy).await;
    let first = DOCUMENT.replace("10/minute", "20/minute");
    let second = DOCUMENT.replace("10/minute", "30/minute");
    let save = |document| [("document", document), ("expected_version", "1"), ("do", "save")];
    browser.submit(&policy, &save(first.as_str())).await.is(200).says("Version 2 is in force");
    let page = browser.submit(&policy, &save(second.as_str())).await;
    page.is(422).says("Version 2 was saved while you were editing version 1");
    assert_eq!(text(&page), second);
    page.says("name=\"expected_version\" value=\"2\"").says("Save version 3");
    let fields = [("document", second.as_str()), ("expected_version", "2"), ("do", "save")];
    browser.submit(&policy, &fields).await.is(200).says("Version 3 is in force");
}

#[tokio::test]
async fn history_says_who_changed_what_and_a_rule_is_marked_in_its_version() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let policy = browser.policy(&server, DOCUMENT).await;
    browser.get(&policy).await;
    let next = DOCUMENT.replace("10/minute", "20/minute");
    let fields = [("document", next.as_str()), ("expected_version", "1"), ("do", "save")];
    browser.submit(&policy, &fields).await.is(200);
    let history = browser.get(&format!("{policy}/history")).await;
    history.is(200).says("Version 2").says("Version 1").says("acme@example.com").says("What changed");
    let diff = browser.get(&format!("{policy}/diff?from=1&to=2")).await;
    diff.is(200).says("class=\"removed\"").says("10/minute").says("class=\"added\"").says("20/minute");
    let at = format!("{policy}/versions/1?rule=%2Ftools%2Fflowforge_retry_run%2Frate_limit");
    let version = browser.get(&at).await;
    version.is(200).says("10/minute").never_says("20/minute");
    let marked = version.html.split("id=\"rule\"").nth(1).unwrap().split("</li>").next().unwrap();
    assert!(marked.contains("10/minute"), "{marked}");
    browser.get(&format!("{policy}/versions/3")).await.is(404);
    browser.get(&format!("{policy}/versions/1?rule=%2Ftools%2Fgone")).await.says("no rule at that place");
}

#[tokio::test]
async fn a_policy_is_renamed_and_deleted_when_no_grant_uses_it() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let policy = browser.policy(&server, DOCUMENT).await;
    let (grant, _) = browser.grant(&server, &policy, "Bot").await;
    browser.get(&policy).await;
    browser.submit(&format!("{policy}/rename"), &[("name", "")]).await.is(422);
    browser.submit(&format!("{policy}/rename"), &[("name", "Renamed")]).await.is(200).says("Renamed");
    browser.submit(&format!("{policy}/delete"), &[]).await.is(409).says("attach another");
    browser.submit(&format!("{grant}/revoke"), &[]).await.is(200);
    browser.submit(&format!("{policy}/delete"), &[]).await.is(200).says("No policy yet");
}

#[tokio::test]
async fn what_a_policy_does_beside_tools_is_said_and_follows_the_text() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let methods = r#""default": "deny", "methods": { "resources": "allow", "sampling": "deny" },"#;
    let document = DOCUMENT.replace(r#""default": "deny","#, methods);
    let policy = browser.policy(&server, &document).await;
    let row = |page: &Page, part: &str| {
        let (_, rest) = page.html.split_once(&format!(">{part}</a></th>")).expect("a row of the part");
        rest.split_once("</tr>").expect("its end").0.to_owned()
    };
    let page = browser.get(&policy).await;
    page.is(200)
        .says("Beside tools")
        .says("data-pointer=\"/methods/resources\"")
        .says("data-pointer=\"/default\"");
    for (part, outcome, by) in [
        ("resources", "o-allow", "by <code>methods</code>"),
        ("sampling", "o-deny", "by <code>methods</code>"),
        ("roots", "o-deny", "by default"),
    ] {
        let row = row(&page, part);
        assert!(row.contains(outcome) && row.contains(by), "{part}: {row}");
    }
    let before = page.attribute("data-effects=\"").unwrap();
    let closed = document.replace(r#""resources": "allow""#, r#""resources": "deny""#);
    let fields = [("expected_version", "1"), ("document", closed.as_str()), ("do", "check")];
    let page = browser.submit(&policy, &fields).await;
    assert!(row(&page, "resources").contains("o-deny"));
    assert_ne!(
        page.attribute("data-effects=\"").unwrap(),
        before,
        "the editor is told to read the table anew"
    );
    let broken = [("expected_version", "1"), ("document", "{"), ("do", "check")];
    browser.submit(&policy, &broken).await.never_says("Beside tools");
}
