//! Calls that wait for a person, as far as the upkeep closes and forgets them.

use std::time::Duration;

use audit::DrainSettings;
use domain::{GrantId, ServerId};
use storage::{NewServerRow, Sighting};
use testkit::Question;
use vault::Keyring;

use crate::desk::Desk;

/// The desk's tenant gets a server to call.
async fn server(desk: &Desk) -> ServerId {
    let (tenant, at, id) = (desk.tenant, desk.clock.now(), desk.id());
    let mut tx = desk.storage.system().await.unwrap();
    assert!(tx.insert_tenant(tenant, &"acme".parse().unwrap(), &"Acme".parse().unwrap(), at).await.unwrap());
    tx.commit().await.unwrap();
    let sighting =
        Sighting { state: "ready", message: "ready", protocol_version: None, upstream_name: None, at };
    let mut tx = desk.storage.change(tenant).await.unwrap();
    tx.insert_server(&NewServerRow {
        id,
        name: &"Flowforge".parse().unwrap(),
        upstream_url: &"https://mcp.example.com/mcp".parse().unwrap(),
        catalogue_entry: None,
        sighting,
        created_at: at,
    })
    .await
    .unwrap();
    tx.commit().await.unwrap();
    id
}

async fn ask(desk: &Desk, server: ServerId, arguments: &str) {
    let keyring: Keyring = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse().unwrap();
    let grant: GrantId = desk.id();
    let question = Question {
        tenant: desk.tenant,
        server,
        grant,
        policy: None,
        tool: "wipe",
        arguments,
        decision: desk.id(),
        at: desk.clock.now(),
    };
    question.ask(&desk.storage, &keyring).await;
}

/// State of each question, oldest first, and whether its arguments are kept.
async fn questions(desk: &Desk) -> Vec<(String, bool)> {
    sqlx::query_as("SELECT state, sealed_arguments IS NOT NULL FROM approvals ORDER BY asked_at")
        .fetch_all(&mut desk.db.owner().await)
        .await
        .unwrap()
}

fn waits() -> (String, bool) {
    ("pending".to_owned(), true)
}

fn expired() -> (String, bool) {
    ("expired".to_owned(), false)
}

#[tokio::test]
async fn a_sweep_closes_what_nobody_answered_and_forgets_its_arguments() {
    let desk = Desk::new().await;
    let server = server(&desk).await;
    let drain = desk.drain();
    ask(&desk, server, r#"{"n":1}"#).await;
    desk.advance(Duration::from_mins(30));
    ask(&desk, server, r#"{"n":2}"#).await;
    desk.advance(Duration::from_mins(30) - Duration::from_millis(1));
    drain.sweep().await.unwrap();
    assert_eq!(questions(&desk).await, [waits(), waits()]);
    desk.advance(Duration::from_millis(1));
    drain.sweep().await.unwrap();
    assert_eq!(questions(&desk).await, [expired(), waits()]);
}

#[tokio::test]
async fn questions_go_with_the_days_of_the_log() {
    let desk = Desk::new().await;
    let server = server(&desk).await;
    let drain = desk.drain_with(DrainSettings { keep_days: Some(2), ..DrainSettings::default() });
    for day in 0..4 {
        drain.make_partitions().await.unwrap();
        desk.record(&desk.denied()).await;
        drain.once().await.unwrap();
        ask(&desk, server, &format!(r#"{{"day":{day}}}"#)).await;
        drain.retire().await.unwrap();
        assert_eq!(questions(&desk).await.len(), if day < 2 { day + 1 } else { 2 }, "day {day}");
        desk.advance(Duration::from_hours(24));
    }
    // Where nothing is dropped, nothing is forgotten.
    desk.drain().retire().await.unwrap();
    assert_eq!(questions(&desk).await.len(), 2);
}
