//! `/docs`

use crate::world::Site;

#[tokio::test]
async fn the_api_reference_is_for_everybody() {
    let site = Site::start().await;
    let mut browser = site.browser();
    let page = browser.get("/docs/api").await;
    page.is(200)
        .says("List servers")
        .says("/api/v1/servers")
        .says("href=\"#schema-Server\"")
        .says("id=\"schema-Server\"");
}

#[tokio::test]
async fn the_policy_language_has_a_page_and_a_schema() {
    let site = Site::start().await;
    let mut browser = site.browser();
    browser.get("/docs/policy").await.is(200).says("url_host_in");
    let schema = browser.get("/schemas/policy-v1.json").await;
    assert_eq!(schema.header("content-type"), "application/json");
    schema.is(200).says("rate_limit");
}
