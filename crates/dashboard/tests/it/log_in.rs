//! `/login` and `/logout`

use crate::world::{PASSWORD, Site};

#[tokio::test]
async fn whoever_asks_for_a_page_comes_to_it_after_log_in() {
    let site = Site::start().await;
    site.owner("Acme").await;
    let mut browser = site.browser();
    let page = browser.get("/o/acme/log?tool=x").await;
    assert_eq!(page.path, "/login?next=%2Fo%2Facme%2Flog%3Ftool%3Dx");
    let fields = [("email", "acme@example.com"), ("password", PASSWORD), ("next", "/o/acme/log?tool=x")];
    let page = browser.submit("/login", &fields).await;
    assert_eq!((page.status, page.path.as_str()), (200, "/o/acme/log?tool=x"));
}

#[tokio::test]
async fn log_in_never_leads_to_another_site() {
    let site = Site::start().await;
    site.owner("Acme").await;
    let mut browser = site.browser();
    browser.get("/login").await;
    let fields = [("email", "acme@example.com"), ("password", PASSWORD), ("next", "//evil.example")];
    assert_eq!(browser.submit("/login", &fields).await.path, "/o/acme");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_alike() {
    let site = Site::start().await;
    site.owner("Acme").await;
    let mut browser = site.browser();
    browser.get("/login").await;
    let sentence = "The e-mail or password is wrong";
    for email in ["acme@example.com", "nobody@example.com"] {
        let page = browser.submit("/login", &[("email", email), ("password", "not the password")]).await;
        page.is(422).says(sentence).says(&format!("value=\"{email}\""));
    }
}

#[tokio::test]
async fn after_log_out_the_old_cookie_opens_nothing() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let before = browser.cookies.clone();
    browser.get("/account").await;
    assert_eq!(browser.submit("/logout", &[]).await.path, "/login");
    browser.cookies = before;
    assert_eq!(browser.get("/o/acme").await.path, "/login?next=%2Fo%2Facme");
}
