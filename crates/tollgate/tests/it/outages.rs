//! The outage table, a test for each of its lines: real servers are killed and started, or hang and go on, and the product
//! recovers without a restart of its own.

use std::path::Path;
use std::time::Duration;

use audit::{Drain, DrainSettings};
use domain::Clock;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use ledger::{Ledger, LedgerConfig};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::Row as _;
use testkit::{Api, Grant, Installation, Keeps, PATIENCE, Process, Store, eventually};
use tokio::time::sleep;
use vault::Entropy;

use crate::caller::{Answer, Caller};
use crate::upstream_log::UpstreamLog;

const FREE: &str = "flowforge_health_check";
const COUNTED: &str = "flowforge_list_runs";
const DENIED: &str = "flowforge_send_event";
/// Calls at once whose grant can't be read.
const STRANGERS: usize = 40;

/// How a store goes away.
#[derive(Clone, Copy, Debug)]
enum Way {
    Killed,
    Hung,
}

impl Way {
    async fn away(self, store: &Store) {
        match self {
            Self::Killed => store.kill().await,
            Self::Hung => store.hang(),
        }
    }

    async fn back(self, store: &Store) {
        match self {
            Self::Killed => store.start().await,
            Self::Hung => store.go_on(),
        }
    }
}

/// An installation on stores of its own, all of it in one process, with a grant that has made one call.
struct House {
    postgres: Store,
    redis: Store,
    upstream: UpstreamLog,
    installation: Installation,
    process: Process,
    api: Api,
    server: String,
    policy: String,
    caller: Caller,
}

impl House {
    async fn new() -> Self {
        let (postgres, redis) = tokio::join!(Store::postgres(), Store::redis(Keeps::Everything));
        let (binary, logs) =
            (Path::new(env!("CARGO_BIN_EXE_tollgate")), Path::new(env!("CARGO_TARGET_TMPDIR")));
        let installation = Installation::on(binary, logs, &postgres, &redis).await;
        let process = installation.serve(&[]).await;
        let upstream = UpstreamLog::start().await;
        let api = Api::sign_up(&process.url).await;
        let server = api.register("Flowforge", upstream.url(), &[]).await;
        let limit =
            json!({ "limits": [{ "counter": "c", "window": "month", "align": "calendar", "max": 1000 }] });
        let document = json!({ "version": "1", "default": "deny", "tools": { FREE: {}, COUNTED: limit } });
        let policy = api.policy(&server, "agents", &document).await;
        let grant = api.mint(&server, &policy, "agent").await;
        let caller = Caller::new(&process.url, &server, &grant.token);
        let house = Self { postgres, redis, upstream, installation, process, api, server, policy, caller };
        assert!(house.call(COUNTED).await.allowed());
        house
    }

    async fn call(&self, tool: &str) -> Answer {
        self.caller.call(tool, &json!({})).await.unwrap()
    }

    async fn mint(&self, label: &str) -> Grant {
        self.api.mint(&self.server, &self.policy, label).await
    }

    /// What `/readyz` misses.
    async fn missing(&self) -> Vec<String> {
        let answer = reqwest::get(format!("{}/readyz", self.process.url)).await.unwrap();
        let told: Value = answer.json().await.unwrap();
        told["missing"].as_array().unwrap().iter().map(|what| what.as_str().unwrap().to_owned()).collect()
    }

    async fn recovers(&self) {
        eventually("everything to be there again", async || self.missing().await.is_empty().then_some(()))
            .await;
        eventually("a counted call", async || self.call(COUNTED).await.allowed().then_some(())).await;
    }

    /// Waits until each of these decisions has its row, decided like this.
    async fn rows(&self, wanted: &[(&Answer, &str)]) {
        let mut owner = self.installation.owner().await;
        for (answer, decided) in wanted {
            let found = eventually("a decision's row", async || {
                let row = sqlx::query("SELECT decided FROM decisions WHERE id = $1::uuid");
                let rows = row.bind(&answer.request_id).fetch_all(&mut owner).await.unwrap();
                (!rows.is_empty()).then(|| rows.iter().map(|row| row.get(0)).collect::<Vec<String>>())
            })
            .await;
            assert_eq!(found, [*decided]);
        }
    }
}

async fn while_postgres_is_away(way: Way) {
    let house = House::new().await;
    let unknown = house.mint("unknown").await;
    // A new grant is a change: what is remembered is read anew once.
    assert!(house.call(FREE).await.allowed());
    way.away(&house.postgres).await;
    // Known grants go on, limits and all; their decisions wait.
    let (free, counted, denied) =
        (house.call(FREE).await, house.call(COUNTED).await, house.call(DENIED).await);
    assert!(free.allowed() && counted.allowed() && denied.denied().is_some());
    // Nobody waits for those before them: one after the other they would take longer than this test has.
    let stranger = Caller::new(&house.process.url, &house.server, &unknown.token);
    let strangers = (0..STRANGERS).map(|_| async { stranger.call(FREE, &json!({})).await.unwrap().status });
    let told = tokio::time::timeout(PATIENCE, join_all(strangers)).await.unwrap();
    assert_eq!(told, [StatusCode::SERVICE_UNAVAILABLE; STRANGERS]);
    assert!(house.call(FREE).await.allowed(), "known grants do not wait for them");
    // The API and the pages say so.
    assert!(house.missing().await.iter().any(|what| what.contains("postgres")));
    let (status, told) = house.api.send(Method::GET, "/servers", None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{told}");
    let page = reqwest::Client::new()
        .get(format!("{}/servers", house.process.url))
        .header("cookie", "tollgate_session=tg_session_x")
        .send();
    let page = page.await.unwrap();
    assert!(page.status() != StatusCode::INTERNAL_SERVER_ERROR, "{page:?}");

    way.back(&house.postgres).await;
    house.recovers().await;
    assert!(stranger.call(FREE, &json!({})).await.unwrap().allowed());
    house.rows(&[(&free, "allow"), (&counted, "allow"), (&denied, "deny")]).await;
}

async fn while_redis_is_away(way: Way) {
    let house = House::new().await;
    way.away(&house.redis).await;
    // Judged by Postgres, and written there first; what must be counted can't be.
    let (free, counted, denied) =
        (house.call(FREE).await, house.call(COUNTED).await, house.call(DENIED).await);
    assert!(free.allowed() && denied.denied().is_some());
    assert_eq!(counted.denied(), Some("(limits unavailable)"));
    house.rows(&[(&free, "allow"), (&counted, "deny"), (&denied, "deny")]).await;
    assert!(house.missing().await.iter().any(|what| what.contains("redis")));

    way.back(&house.redis).await;
    house.recovers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_known_grants_work_decisions_wait_and_it_is_said() {
    while_postgres_is_away(Way::Killed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_hangs_known_grants_work_decisions_wait_and_it_is_said() {
    while_postgres_is_away(Way::Hung).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_killed_postgres_judges_and_records_and_limits_deny() {
    while_redis_is_away(Way::Killed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_hangs_postgres_judges_and_records_and_limits_deny() {
    while_redis_is_away(Way::Hung).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_away_every_call_is_refused() {
    let house = House::new().await;
    for way in [Way::Killed, Way::Hung] {
        let before = house.upstream.calls();
        tokio::join!(way.away(&house.postgres), way.away(&house.redis));
        for tool in [FREE, COUNTED, DENIED] {
            let answer = house.call(tool).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{way:?}: {answer:?}");
            assert_eq!(answer.body["error"]["data"]["requestId"], answer.request_id.as_str());
        }
        assert_eq!(house.upstream.calls(), before, "{way:?}: a refused call was forwarded");
        tokio::join!(way.back(&house.postgres), way.back(&house.redis));
        house.recovers().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn upstream_away_is_an_error_and_gives_the_quota_back() {
    let mut house = House::new().await;
    house.upstream.stop();
    let away = house.call(COUNTED).await;
    assert_eq!(away.status, StatusCode::BAD_GATEWAY, "{away:?}");
    assert!(away.body["error"]["message"].is_string(), "{away:?}");
    house.upstream.start_again().await;
    let answer = house.call(COUNTED).await;
    assert!(answer.allowed());
    house.rows(&[(&away, "allow"), (&answer, "allow")]).await;
    let mut owner = house.installation.owner().await;
    let used: i64 = sqlx::query_scalar("SELECT limit_used FROM decisions WHERE id = $1::uuid")
        .bind(&answer.request_id)
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(used, 2_000_000, "the first call, and this one");
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_killed_its_open_calls_are_closed_as_unknown() {
    let house = House::new().await;
    let gateway = house.installation.serve(&["gateway"]).await;
    let grant = house.mint("slow").await;
    let caller = Caller::new(&gateway.url, &house.server, &grant.token);
    house.upstream.hold();
    let before = house.upstream.calls();
    let call = tokio::spawn(async move { caller.call(FREE, &json!({})).await });
    eventually("the call at the upstream", async || (house.upstream.calls() > before).then_some(())).await;
    gateway.kill().await;
    assert!(call.await.unwrap().is_err(), "nobody answers it");

    let mut owner = house.installation.owner().await;
    let open = "SELECT id::text FROM decisions WHERE completion = $1";
    let id: String = eventually("the row of the call", async || {
        sqlx::query_scalar(open).bind("open").fetch_optional(&mut owner).await.unwrap()
    })
    .await;
    // The sweep of a drain that is less patient than an hour.
    let ledger =
        Ledger::connect(LedgerConfig { namespace: "tg".to_owned(), ..LedgerConfig::new(house.redis.url()) });
    let storage = storage::Storage::connect(&storage::StorageConfig {
        max_connections: 2,
        acquire_timeout: Duration::from_secs(20),
        ..storage::StorageConfig::new(house.postgres.url())
    });
    let settings = DrainSettings { lost_after: Duration::ZERO, ..DrainSettings::default() };
    let drain = Drain::new(ledger.unwrap(), storage.unwrap(), Clock::System, &Entropy::System, settings);
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { drain.run(stop).await }
    });
    let closed: String = eventually("the end of the call", async || {
        sqlx::query_scalar(open).bind("unknown").fetch_optional(&mut owner).await.unwrap()
    })
    .await;
    assert_eq!(closed, id);
    stop.cancel();
    running.await.unwrap();
}

/// Calls that find the stream full, and bytes that each of them brings.
const FLOOD: usize = 4000;
const BROUGHT: usize = 32 << 10;

/// Bytes of memory that are resident; 0 where the system does not tell.
fn resident(process: &Process) -> usize {
    let told = std::fs::read_to_string(format!("/proc/{}/status", process.id().unwrap())).unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

/// The drain is away and calls go on: when the stream is full they are refused, and all that was decided comes into the log.
#[tokio::test(flavor = "multi_thread")]
async fn drain_away_a_full_stream_refuses_and_loses_nothing() {
    const ROOM: usize = 200;
    let (postgres, redis) = tokio::join!(Store::postgres(), Store::redis(Keeps::Everything));
    let (binary, logs) = (Path::new(env!("CARGO_BIN_EXE_tollgate")), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let installation = Installation::on(binary, logs, &postgres, &redis).await.with_stream_of(ROOM);
    let front = installation.serve(&["control", "gateway"]).await;
    let upstream = UpstreamLog::start().await;
    let api = Api::sign_up(&front.url).await;
    let server = api.register("Flowforge", upstream.url(), &[]).await;
    let policy = api.policy(&server, "p", &json!({ "version": "1", "default": "allow" })).await;
    let grant = api.mint(&server, &policy, "agent").await;
    let caller = Caller::new(&front.url, &server, &grant.token);
    let (mut told, mut refused) = (Vec::new(), 0);
    for _ in 0..ROOM * 2 {
        let answer = caller.call(FREE, &json!({})).await.unwrap();
        if answer.allowed() {
            told.push(answer.request_id);
        } else {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
            refused += 1;
        }
    }
    // Each call that was let through has two entries: the decision, and the end, which is never refused.
    assert!(refused >= ROOM && told.len() <= ROOM, "{refused} refused, {} let through", told.len());
    assert!(upstream.calls() >= told.len());
    // However many are refused, whatever they bring: nothing of them stays in memory.
    let before = resident(&front);
    let (arrived, brought) = (upstream.calls(), json!({ "text": "x".repeat(BROUGHT) }));
    let flood =
        futures_util::stream::iter(0..FLOOD).map(|_| caller.call(FREE, &brought)).buffer_unordered(16);
    let statuses: Vec<StatusCode> = flood.map(|answer| answer.unwrap().status).collect().await;
    assert_eq!(statuses, [StatusCode::SERVICE_UNAVAILABLE; FLOOD]);
    assert_eq!(upstream.calls(), arrived, "a refused call was forwarded");
    let grown = resident(&front).saturating_sub(before);
    assert!(grown < FLOOD * BROUGHT / 8, "{FLOOD} refused calls left {grown} bytes in memory");

    let _drain = installation.serve(&["audit"]).await;
    let mut owner = installation.owner().await;
    let ids: Vec<uuid::Uuid> = told.iter().map(|id| id.parse().unwrap()).collect();
    eventually("every decision's row", async || {
        let rows =
            sqlx::query_scalar("SELECT count(*) FROM decisions WHERE id = ANY($1) AND completion = 'closed'");
        let rows: i64 = rows.bind(&ids).fetch_one(&mut owner).await.unwrap();
        (usize::try_from(rows).unwrap() == ids.len()).then_some(())
    })
    .await;
    eventually("calls to be let through again", async || {
        sleep(Duration::from_millis(20)).await;
        caller.call(FREE, &json!({})).await.unwrap().allowed().then_some(())
    })
    .await;
}
