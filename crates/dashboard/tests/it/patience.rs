//! A database that hangs in the middle of a statement: pages say so, and are there again after it.

use std::time::Duration;

use axum::body::Body;
use http::{Request, header};

use crate::world::Site;

#[tokio::test]
async fn a_page_does_not_hang_with_the_database() {
    let site = Site::start().await;
    let owner = site.owner("Acme").await;
    let cookies: Vec<_> = owner.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = || {
        let request = Request::get("/o/acme/servers").header(header::COOKIE, cookies.join("; "));
        request.body(Body::empty()).unwrap()
    };
    let hanging = site.database.hang("servers").await;
    let page = site.send_within(Duration::from_millis(200), request()).await;
    assert_eq!(page.status, 503, "{}", page.html);
    assert!(page.html.contains("database does not answer"), "{}", page.html);
    assert!(page.headers.contains_key("content-security-policy"), "{:?}", page.headers);
    let id = page.headers["x-request-id"].to_str().unwrap();
    assert!(page.html.contains(id), "{}", page.html);

    drop(hanging);
    assert_eq!(site.send(request()).await.status, 200);
}
