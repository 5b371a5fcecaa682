//! `/o/{org}/keys`

use crate::world::Site;

#[tokio::test]
async fn a_key_is_shown_once_and_revoked_with_one_click() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    browser.get("/o/acme/keys").await.is(200).says("No key yet");
    let page = browser.submit("/o/acme/keys", &[("label", "log export"), ("role", "viewer")]).await;
    let token = page.is(200).says("the only time").element("token");
    assert!(token.starts_with("tg_key_"), "{token}");
    let list = browser.get("/o/acme/keys").await;
    list.is(200).says("log export").never_says(&token);
    let revoke = list.attribute("action=\"/o/acme/keys/").unwrap();
    let page = browser.submit(&format!("/o/acme/keys/{revoke}"), &[]).await;
    page.is(200).says("Its next request is refused").says("revoked").never_says("Revoke<");
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_said_at_its_field() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    browser.get("/o/acme/keys").await;
    let fields = [("label", ""), ("role", "viewer"), ("expires_at", "2020-01-01")];
    let page = browser.submit("/o/acme/keys", &fields).await;
    page.is(422).says("value=\"2020-01-01\"");
    assert_eq!(page.html.matches("aria-invalid=\"true\"").count(), 2, "{}", page.html);
}
