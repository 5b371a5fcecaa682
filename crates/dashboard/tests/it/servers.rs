//! `/o/{org}/servers`

use crate::world::Site;

#[tokio::test]
async fn the_demo_entry_fills_in_the_form_and_the_connection_is_looked_at_before_saving() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    browser.get("/o/acme/servers").await.is(200).says("No server yet");
    let page = browser.get("/o/acme/servers/new").await;
    let entry = page.hrefs().into_iter().find(|href| href.contains("?entry=")).unwrap();
    let page = browser.get(&entry).await;
    page.is(200).says(&format!("value=\"{}\"", site.upstream));
    let fields = [("name", "Flowforge"), ("upstream_url", site.upstream.as_str()), ("do", "probe")];
    let page = browser.submit("/o/acme/servers/new", &fields).await;
    page.is(200).says("flowforge_send_event").says("flowforge_delete_credential");
    browser.get("/o/acme/servers").await.says("No server yet");
    let server = browser.server("acme").await;
    browser.get("/o/acme/servers").await.says("Flowforge").says("Ready").says(&format!("href=\"{server}\""));
}

#[tokio::test]
async fn a_server_shows_its_tools_and_never_its_credentials() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    browser.get(&server).await.is(200).says("Claude Code").says("Connect a client").says("/mcp/");
    let tools = browser.get(&format!("{server}/tools")).await;
    tools.is(200).says("flowforge_cancel_run").says("Destructive");
    assert_eq!(tools.html.matches("<tr>").count(), 1 + 49);
    let settings = browser.get(&format!("{server}/settings")).await;
    settings.is(200).says("x-api-key").never_says("upstream-secret-value");
    browser.submit(&format!("{server}/tools"), &[]).await.is(200).says("The tools are the same as before");
}

#[tokio::test]
async fn bad_addresses_are_refused_at_the_field_and_typed_values_come_back_without_secrets() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let new = "/o/acme/servers/new";
    browser.get(new).await;
    for (address, sentence) in [
        ("ftp://mcp.example", "only https and http"),
        ("https://ada:pw@mcp.example", "user name or password"),
        ("mcp.example", "not a complete address"),
    ] {
        let fields = [
            ("name", "Mine"),
            ("upstream_url", address),
            ("headers.1.name", "Authorization"),
            ("headers.1.value", "Bearer hunter2"),
            ("do", "register"),
        ];
        let page = browser.submit(new, &fields).await;
        page.is(422)
            .says(sentence)
            .says("value=\"Mine\"")
            .says("value=\"Authorization\"")
            .never_says("hunter2");
    }
    browser.get("/o/acme/servers").await.says("No server yet");
}

#[tokio::test]
async fn an_upstream_that_is_down_is_said_in_words_on_its_page() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    browser.get("/o/acme/servers/new").await;
    let gone = testkit::free_address();
    let address = format!("http://{gone}/mcp");
    let fields = [("name", "Gone"), ("upstream_url", address.as_str()), ("do", "register")];
    let page = browser.submit("/o/acme/servers/new", &fields).await;
    page.is(200).says("Down").says("Change address or credentials");
}

#[tokio::test]
async fn a_server_is_renamed_and_deleted_only_with_its_name_typed() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let settings = format!("{server}/settings");
    browser.get(&settings).await;
    let fields = [("name", "Flow"), ("upstream_url", site.upstream.as_str()), ("credentials", "keep")];
    browser.submit(&settings, &fields).await.is(200).says("value=\"Flow\"").says("x-api-key");
    let delete = format!("{server}/delete");
    let page = browser.submit(&delete, &[("confirm", "flow")]).await;
    page.is(422).says("type the name exactly").says("value=\"flow\"");
    browser.submit(&delete, &[("confirm", "Flow")]).await.is(200).says("No server yet");
    browser.get(&server).await.is(404);
}
