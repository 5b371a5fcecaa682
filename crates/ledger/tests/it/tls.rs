//! TLS to Redis: only a server that proves to be the one is used, and it may want proof of us.

use domain::Secret;
use ledger::{Ledger, LedgerConfig, LedgerError, LedgerTls};
use testkit::{Authority, Identity, Program, RedisServer, eventually, free_address};

use crate::nodes::{config, folder};

/// A server that speaks TLS on the second port, with a certificate for `hosts`.
async fn server(authority: &Authority, hosts: &[&str], clients: &str) -> (RedisServer, u16) {
    let port = free_address().port();
    let Identity { certificate, key } = authority.sign("redis", hosts);
    let file = |name: &str, text: &str| {
        let file = folder().join(format!("redis-tls-{port}-{name}"));
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let settings = [
        format!("tls-port {port}"),
        format!("tls-cert-file {}", file("crt", &certificate)),
        format!("tls-key-file {}", file("key", &key)),
        format!("tls-ca-cert-file {}", file("ca", &authority.pem)),
        format!("tls-auth-clients {clients}"),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    (RedisServer::start(Program::Redis, folder(), &settings).await, port)
}

fn trusting(authority: &Authority, url: &str) -> LedgerConfig {
    let tls = LedgerTls { ca: Some(authority.pem.clone().into_bytes()), client: None };
    LedgerConfig { tls, ..config(url) }
}

/// Why there is no connection.
async fn refusal(config: LedgerConfig) -> String {
    let ledger = Ledger::connect(config).unwrap();
    eventually("a reason", async || {
        let error = ledger.ping().await.expect_err("no connection").to_string();
        (!error.contains("not connected yet")).then_some(error)
    })
    .await
}

#[tokio::test]
async fn a_server_that_does_not_prove_who_it_is_is_refused() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let (_server, port) = server(&ours, &["127.0.0.1"], "no").await;
    let ledger = testkit::connected(trusting(&ours, &format!("rediss://127.0.0.1:{port}"))).await;
    assert_eq!(ledger.ping().await, Ok(()));

    let why = refusal(trusting(&other, &format!("rediss://127.0.0.1:{port}"))).await;
    assert!(why.contains("certificate") && why.contains("check TOLLGATE_REDIS_CA"), "{why}");
    let why = refusal(trusting(&ours, &format!("rediss://localhost:{port}"))).await;
    assert!(why.contains("certificate") && why.contains("the host in REDIS_URL"), "{why}");
    let public = refusal(config(&format!("rediss://127.0.0.1:{port}"))).await;
    assert!(public.contains("check TOLLGATE_REDIS_CA"), "{public}");
}

#[tokio::test]
async fn a_server_may_want_a_certificate_of_us() {
    let ours = Authority::new("ours");
    let (_server, port) = server(&ours, &["127.0.0.1"], "yes").await;
    let without = trusting(&ours, &format!("rediss://127.0.0.1:{port}"));
    let why = refusal(without.clone()).await;
    assert!(why.contains("TOLLGATE_REDIS_CERT and TOLLGATE_REDIS_KEY"), "{why}");
    let Identity { certificate, key } = ours.sign("gateway", &["gateway"]);
    let client = Some((certificate.into_bytes(), Secret::new(key.into_bytes())));
    let with = LedgerConfig { tls: LedgerTls { client, ..without.tls.clone() }, ..without };
    assert_eq!(testkit::connected(with).await.ping().await, Ok(()));
}

#[tokio::test]
async fn certificates_that_can_not_be_used_are_refused_at_once() {
    let ours = Authority::new("ours");
    let plain = Ledger::connect(trusting(&ours, "redis://127.0.0.1:1"));
    assert!(matches!(&plain, Err(LedgerError::Address(why)) if why.contains("rediss")), "{plain:?}");
    let client = Some((b"-----BEGIN CERTIFICATE-----\n!".to_vec(), Secret::new(Vec::new())));
    let tls = LedgerTls { ca: None, client };
    let broken = Ledger::connect(LedgerConfig { tls, ..config("rediss://127.0.0.1:1") });
    let told = broken.unwrap_err().to_string();
    assert!(told.contains("TOLLGATE_REDIS_CERT"), "{told}");
}
