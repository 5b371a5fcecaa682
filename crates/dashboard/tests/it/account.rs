//! `/account` and `/organisations/new`

use crate::world::Site;

#[tokio::test]
async fn a_person_sees_where_they_belong_and_makes_another_organisation() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    browser.get("/account").await.is(200).says("acme@example.com").says("href=\"/o/acme\"");
    browser.get("/organisations/new").await.is(200);
    browser.submit("/organisations/new", &[("name", " ")]).await.is(422).says("Must not be empty");
    let page = browser.submit("/organisations/new", &[("name", "Acme Lab")]).await;
    assert_eq!((page.status, page.path.as_str()), (200, "/o/acme-lab"));
    // Both are in the switcher.
    page.says("href=\"/o/acme\"").says("href=\"/o/acme-lab\"");
}
