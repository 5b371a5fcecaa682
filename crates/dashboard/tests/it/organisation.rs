//! `/o/{org}`, its members, settings and admin log.

use crate::world::Site;

#[tokio::test]
async fn an_owner_renames_the_organisation_and_the_admin_log_says_so() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    browser.get("/o/acme/settings").await.is(200).says("value=\"Acme\"");
    browser.submit("/o/acme/settings", &[("name", "")]).await.is(422).says("aria-invalid=\"true\"");
    browser.submit("/o/acme/settings", &[("name", "Acme Robotics")]).await.is(200).says("Acme Robotics");
    browser.get("/o/acme/admin-log").await.is(200).says("acme@example.com").says("organisation.rename");
}

#[tokio::test]
async fn members_are_listed_with_what_they_may() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    browser.get("/o/acme/members").await.is(200).says("acme@example.com").says("owner").says("you");
}

#[tokio::test]
async fn the_overview_leads_to_the_first_call() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    browser.get("/o/acme").await.is(200).says("Add a server").says("No call was refused");
    let server = browser.server("acme").await;
    let page = browser.get("/o/acme").await;
    page.is(200).says("Flowforge").says("Write a policy").says(&format!("href=\"{server}/policies/new\""));
}
