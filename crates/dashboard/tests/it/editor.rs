//! The editor of a policy: what the script asks, and the form for conditions and limits of one tool, without a script.

use serde_json::{Value, json};

use crate::world::{Browser, Page, Site};

const DOCUMENT: &str = r#"{
  "version": "1",
  "default": "deny",
  "tools": {
    "flowforge_list_*":   {},
    "flowforge_send_event": {
      "deny_if": [{ "conditions": [{ "path": "args.name", "op": "starts_with", "value": "billing/" }] }],
      "rate_limit": "10/minute"
    }
  }
}"#;

/// A policy in the editor, and what a browser sends with any of the form's buttons.
struct Open<'a> {
    browser: Browser<'a>,
    path: String,
}

impl<'a> Open<'a> {
    async fn new(site: &'a Site) -> Self {
        let mut browser = site.owner("Acme").await;
        let server = browser.server("acme").await;
        let path = browser.policy(&server, DOCUMENT).await;
        Self { browser, path }
    }

    /// Presses a button of the page, with some fields changed.
    async fn press(&mut self, page: &Page, button: &str, changed: &[(&str, &str)]) -> Page {
        let mut fields = page.fields("editor");
        for (name, value) in changed {
            let field = fields.iter_mut().find(|(field, _)| field == name);
            field.unwrap_or_else(|| panic!("no field {name}")).1 = String::from(*value);
        }
        fields.push(("do".to_owned(), button.to_owned()));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.browser.submit(&self.path, &fields).await
    }
}

fn document(page: &Page) -> String {
    let fields = page.fields("editor");
    fields.into_iter().find(|(name, _)| name == "document").expect("the text").1
}

#[tokio::test]
async fn the_text_is_checked_as_it_is_typed() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let page = browser.get(&format!("{server}/policies/new")).await;
    let check = page.attribute("data-check=\"").unwrap();
    assert_eq!(check, format!("{server}/policies/check"));
    page.says("data-schema=\"/schemas/policy-v1.json\"")
        .says("&#34;flowforge_get_run&#34;:[&#34;run_id&#34;]");

    let wrong = DOCUMENT.replace("rate_limit", "rate_limits");
    let answer = browser.submit(&check, &[("document", &wrong)]).await;
    assert_eq!(
        (answer.is(200).header("content-type"), answer.header("cache-control")),
        ("application/json", "no-store")
    );
    let answer: Value = serde_json::from_str(&answer.html).unwrap();
    let problem = &answer["problems"][0];
    assert_eq!((&problem["line"], &problem["column"]), (&json!(8), &json!(7)));
    assert_eq!(problem["pointer"], "/tools/flowforge_send_event/rate_limits");
    assert_eq!(answer["effects"], Value::Null);

    // What the table shows is told by a short text, which is that of the page with the same document.
    let answer = browser.submit(&check, &[("document", DOCUMENT)]).await;
    let answer: Value = serde_json::from_str(&answer.html).unwrap();
    assert_eq!(answer["problems"], json!([]));
    let policy = browser.policy(&server, DOCUMENT).await;
    let shown = browser.get(&policy).await.attribute("data-effects=\"").unwrap();
    assert_eq!(answer["effects"], json!(shown));

    let viewer = site.owner("Other").await.submit(&check, &[("document", DOCUMENT)]).await;
    viewer.is(404);
    assert_eq!(site.browser().submit(&check, &[("document", DOCUMENT)]).await.is(403).status, 403);
}

#[tokio::test]
async fn a_rule_is_marked_where_the_log_leads() {
    let site = Site::start().await;
    let mut open = Open::new(&site).await;
    let at = format!("{}?rule=%2Ftools%2Fflowforge_send_event%2Frate_limit", open.path);
    let page = open.browser.get(&at).await;
    page.is(200)
        .says("data-rule=\"/tools/flowforge_send_event/rate_limit\"")
        .says("<li class=\"hit\">8</li>");
    let page = open.browser.get(&format!("{}?rule=(default+deny)", open.path)).await;
    page.is(200).says("data-rule=\"/default\"").says("<li class=\"hit\">3</li>");
}

#[tokio::test]
async fn ask_is_a_choice_and_custom_opens_a_form() {
    let site = Site::start().await;
    let mut open = Open::new(&site).await;
    let page = open.browser.get(&open.path.clone()).await;
    let row = |tool, was, choice| {
        [("tool", tool), ("was", was), ("choice", choice), ("max", ""), ("window", "minute")]
    };
    let mut fields = vec![("document", DOCUMENT), ("expected_version", "1"), ("do", "apply")];
    fields.extend(row("flowforge_retry_run", "deny", "ask"));
    fields.extend(row("flowforge_get_run", "deny", "custom"));
    drop(page);
    let page = open.browser.submit(&open.path.clone(), &fields).await;
    let written = document(page.is(200));
    assert!(written.contains(r#""flowforge_retry_run": { "action": "require_approval" }"#), "{written}");
    page.says("name=\"custom\" value=\"flowforge_get_run\"").says("value=\"args.run_id\"");
    // Back in the table, the row says what was chosen.
    let page = open.press(&page, "cancel", &[]).await;
    let asked = page.html.split("value=\"flowforge_retry_run\"").nth(1).unwrap();
    assert!(asked.split("</select>").next().unwrap().contains("value=\"ask\" selected"));
}

#[tokio::test]
async fn conditions_and_limits_are_written_without_a_script() {
    let site = Site::start().await;
    let mut open = Open::new(&site).await;
    let page = open.browser.get(&open.path.clone()).await;
    let page = open.press(&page, "custom flowforge_send_event", &[]).await;
    page.is(200).says("value=\"billing/\"");
    let page = open.press(&page, "add require", &[("deny_if.0.message", "People do that.")]).await;
    let page = open.press(&page, "add limits", &[]).await;
    let changed = [
        ("require.0.conditions.0.path", "args.data.count"),
        ("require.0.conditions.0.op", "lte"),
        ("require.0.conditions.0.value", "many"),
        ("limits.0.max", "100"),
        ("limits.0.window", "fortnight"),
        ("limits.0.scope", "organisation"),
    ];
    let page = open.press(&page, "write", &changed).await;
    // Nothing is written; what was typed comes back, with what is wrong at its field.
    page.is(422).says("value=\"many\" aria-invalid=\"true\" autofocus").says("value=\"fortnight\"");
    page.says("This is a text: write a number").says("People do that.");
    assert_eq!(document(&page), DOCUMENT);
    let mended = [("require.0.conditions.0.value", "50"), ("limits.0.window", "day")];
    let page = open.press(&page, "write", &mended).await;
    let expected = DOCUMENT
        .replace(
            r#""value": "billing/" }] }]"#,
            r#""value": "billing/" }], "on_deny": "People do that." }]"#,
        )
        .replace(
            "\"10/minute\"",
            "\"10/minute\",\n      \"require\": [\n        { \"path\": \"args.data.count\", \"op\": \"lte\", \"value\": 50 }\n      ],\n      \
             \"limits\": [\n        { \"counter\": \"flowforge_send_event.calls\", \"max\": 100, \"window\": \"day\", \"scope\": \"organisation\" }\n      ]",
        );
    assert_eq!(document(page.is(200)), expected);
    page.says("id=\"tool-rows\"");
    let page = open.press(&page, "save", &[]).await;
    page.is(200).says("Version 2 is in force");
    // Saving with the form open writes it first.
    let page = open.press(&page, "custom flowforge_send_event", &[]).await;
    let page = open.press(&page, "save", &[("rate_max", "20")]).await;
    page.is(200).says("Version 3 is in force");
    assert_eq!(document(&page), expected.replace("10/minute", "20/minute"));
}

#[tokio::test]
async fn rules_are_removed_and_a_stale_form_writes_nothing() {
    let site = Site::start().await;
    let mut open = Open::new(&site).await;
    let page = open.browser.get(&format!("{}?custom=flowforge_send_event", open.path)).await;
    let emptied = open.press(&page, "remove deny_if.0", &[]).await;
    emptied.is(200).never_says("name=\"deny_if.0\"");
    let written = open.press(&emptied, "write", &[]).await;
    assert!(!document(&written).contains("deny_if"));
    let meanwhile = DOCUMENT.replace("10/minute", "11/minute");
    let stale = open.press(&page, "write", &[("document", &meanwhile), ("rate_max", "5")]).await;
    stale.is(422).says("was changed in the JSON since this form was opened");
    assert_eq!(document(&stale), meanwhile);
}

#[tokio::test]
async fn a_tool_that_keeps_its_conditions_is_named() {
    let site = Site::start().await;
    let mut open = Open::new(&site).await;
    let row = [
        ("tool", "flowforge_send_event"),
        ("was", "custom"),
        ("choice", "allow"),
        ("max", ""),
        ("window", "day"),
    ];
    let mut fields = vec![("document", DOCUMENT), ("expected_version", "1"), ("do", "apply")];
    fields.extend(row);
    open.browser.get(&open.path.clone()).await;
    let page = open.browser.submit(&open.path.clone(), &fields).await;
    page.is(200).says("keeps its conditions");
    assert!(!document(&page).contains("rate_limit") && document(&page).contains("billing/"));
}
