//! `/signup`

use crate::world::{PASSWORD, Site};

#[tokio::test]
async fn a_stranger_gets_an_account_and_an_organisation() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let page = browser.get("/").await;
    page.is(200).says("Overview").says("acme@example.com").says("Add a server");
    assert_eq!(page.path, "/o/acme");
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_and_typed_values_come_back() {
    let site = Site::start().await;
    let mut browser = site.browser();
    browser.get("/signup").await;
    let fields = [("email", "ada@acme"), ("password", "short"), ("organisation", "Acme & Sons")];
    let page = browser.submit("/signup", &fields).await;
    page.is(422).says("is not an e-mail address").says("value=\"ada@acme\"").says("Acme &#38; Sons");
    // The first field that is wrong has the focus, and no password comes back.
    let email = page.html.split("id=\"f-email\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(email.contains("aria-invalid=\"true\"") && email.contains("autofocus"), "{email}");
    page.never_says("\"short\"");
}

#[tokio::test]
async fn an_address_can_sign_up_once() {
    let site = Site::start().await;
    site.owner("Acme").await;
    let mut browser = site.browser();
    browser.get("/signup").await;
    let fields = [("email", "acme@example.com"), ("password", PASSWORD), ("organisation", "Other")];
    browser.submit("/signup", &fields).await.is(422).says("aria-invalid");
}
