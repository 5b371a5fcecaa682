//! A database that hangs in the middle of a statement: requests are given up, and nothing of them stands.

use std::time::Duration;

use crate::world::Api;

#[tokio::test]
async fn a_request_does_not_hang_with_the_database() {
    let mut api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let hanging = api.database.hang("servers").await;
    api.within(Duration::from_millis(200));
    let told = api.get("/api/v1/servers", &acme.owner).await;
    assert_eq!(told.status, 503, "{}", told.text);
    assert_eq!(told.body["type"], "tag:tollgate.dev,2026:unavailable");
    assert_eq!(told.body["request_id"], told.headers["x-request-id"].to_str().unwrap());

    drop(hanging);
    api.within(Duration::from_mins(1));
    assert_eq!(api.get("/api/v1/servers", &acme.owner).await.status, 200);
}
