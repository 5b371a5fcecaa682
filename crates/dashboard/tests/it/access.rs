//! What another organisation's people see of this one: nothing, and not even that it is there.

use crate::links::furnished;
use crate::world::Site;

#[tokio::test]
async fn the_things_of_another_organisation_are_not_there() {
    let site = Site::start().await;
    let (_, paths) = furnished(&site).await;
    let mut stranger = site.owner("Stranger").await;
    let own = stranger.server("stranger").await;
    assert!(paths.len() > 20, "{paths:?}");
    for path in paths.iter().filter(|path| path.starts_with("/o/acme")) {
        stranger.get(path).await.is(404).never_says("Acme");
        // Their ids lead nowhere under an address of one's own, either.
        let moved = path.replacen("/o/acme", "/o/stranger", 1);
        if path.matches('-').count() >= 4 && !path.contains('?') {
            stranger.get(&moved).await.is(404);
        }
    }
    let grant = paths.iter().find(|path| path.contains("/grants/") && !path.ends_with("/new")).unwrap();
    let (server, grant) = grant.split_once("/grants/").unwrap();
    stranger.get(&own).await;
    for path in [
        "/o/acme/servers/new".to_owned(),
        format!("{own}/grants/{grant}/revoke"),
        format!("{own}/grants/{grant}/rotate"),
        format!("{}/delete", server.replacen("/o/acme", "/o/stranger", 1)),
        format!("{}/tools", server.replacen("/o/acme", "/o/stranger", 1)),
    ] {
        stranger.submit(&path, &[("confirm", "Flowforge")]).await.is(404);
    }
}

#[tokio::test]
async fn addresses_that_name_nothing_are_not_found() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    for path in
        ["/nowhere", "/o/acme/nowhere", "/o/acme/servers/7", "/o/acme/log/x", "/o/ACME", "/static/x.css"]
    {
        browser.get(path).await.is(404).says("There is nothing at this address");
    }
}
