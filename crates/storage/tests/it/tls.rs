//! TLS to Postgres: only a server that proves to be the one is used.

use std::path::{Path, PathBuf};

use sqlx::{Connection, PgConnection};
use storage::{NotReady, Storage, StorageConfig};
use testkit::{Authority, PostgresServer};

/// The address over TLS, proved by the authority in `file`.
fn address(host: &str, server: &PostgresServer, file: &Path) -> String {
    format!(
        "postgres://postgres@{host}:{}/postgres?sslmode=verify-full&sslrootcert={}",
        server.port,
        file.display()
    )
}

fn file(name: &str, text: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, text).unwrap();
    file
}

async fn ready(url: &str) -> NotReady {
    let storage = Storage::connect(&StorageConfig { max_connections: 1, ..StorageConfig::new(url) }).unwrap();
    storage.ready().await.unwrap_err()
}

fn distrusts(why: &NotReady) -> bool {
    let text = why.to_string();
    matches!(why, NotReady::Untrusted(_)) && text.contains("certificate") && text.contains("sslrootcert")
}

#[tokio::test]
async fn a_server_that_does_not_prove_who_it_is_is_refused() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let identity = ours.sign("postgres", &["127.0.0.1"]);
    let settings = ["ssl = on", "ssl_cert_file = 'tls.crt'", "ssl_key_file = 'tls.key'"];
    let files = [("tls.crt", identity.certificate.as_str()), ("tls.key", identity.key.as_str())];
    let server = PostgresServer::start(&settings, &files);
    let (trusted, foreign) = (file("postgres-ours.pem", &ours.pem), file("postgres-other.pem", &other.pem));

    let good = address("127.0.0.1", &server, &trusted);
    let mut connection = PgConnection::connect(&good).await.unwrap();
    let encrypted: bool = sqlx::query_scalar("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(encrypted);
    // Reached and trusted; it was never migrated.
    let why = ready(&good).await;
    assert!(matches!(why, NotReady::NotSetUp(_)), "{why:?}");

    let why = ready(&address("127.0.0.1", &server, &foreign)).await;
    assert!(distrusts(&why), "another authority: {why:?}");
    let why = ready(&address("localhost", &server, &trusted)).await;
    assert!(distrusts(&why), "another name: {why:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_not_used_where_tls_is_asked_for() {
    let server = PostgresServer::start(&["ssl = off"], &[]);
    let trusted = file("postgres-none.pem", &Authority::new("ours").pem);
    let why = ready(&address("127.0.0.1", &server, &trusted)).await;
    assert!(matches!(why, NotReady::Untrusted(_)), "{why:?}");
    assert!(why.to_string().contains("does not support TLS"), "{why}");
}
