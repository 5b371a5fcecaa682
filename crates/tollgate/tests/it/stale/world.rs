//! Three gateways and an API on stores of their own; who writes, who calls, and who makes trouble.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{Api, Installation, Keeps, Process, Store, free_address};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::history::History;
use crate::caller::{Answer, Caller};
use crate::upstream_log::UpstreamLog;

const TOOL: &str = "flowforge_health_check";
const CUSTOM: &str = "acme/ping";
const GATEWAYS: usize = 3;
/// Callers of each thing.
const CALLERS: usize = 3;
/// Policies that a grant is attached to by turns.
const POLICIES: usize = 3;

pub struct World {
    installation: Installation,
    redis: Store,
    gateways: Vec<Process>,
    control: Process,
    api: Api,
    server: String,
    _postgres: Store,
    _upstream: UpstreamLog,
}

/// Who makes trouble.
pub struct Faults {
    installation: Installation,
    redis: Store,
    control: tokio::sync::Mutex<Option<Process>>,
}

fn document(reason: usize) -> Value {
    json!({ "version": "1", "default": "deny",
        "tools": { TOOL: { "action": "deny", "reason": format!("state {reason}.") } } })
}

/// Which document decided.
fn state(answer: &Answer) -> Option<usize> {
    let text = answer.body["result"]["content"][0]["text"].as_str()?;
    let (_, rest) = text.split_once("state ")?;
    rest.split('.').next()?.parse().ok()
}

impl World {
    pub async fn start(keeps: Keeps) -> Self {
        let (postgres, redis) = tokio::join!(Store::postgres(), Store::redis(keeps));
        let (binary, logs) =
            (Path::new(env!("CARGO_BIN_EXE_tollgate")), Path::new(env!("CARGO_TARGET_TMPDIR")));
        let installation = Installation::on(binary, logs, &postgres, &redis).await;
        let mut control = installation.start(&["control"], free_address());
        control.ready().await;
        let mut gateways = Vec::new();
        for _ in 0..GATEWAYS {
            gateways.push(installation.serve(&["gateway"]).await);
        }
        let upstream = UpstreamLog::start().await;
        let api = Api::sign_up(&control.url).await;
        let server = api.register("Flowforge", upstream.url(), &[]).await;
        Self { installation, redis, gateways, control, api, server, _postgres: postgres, _upstream: upstream }
    }

    /// Lets all write and call while `trouble` is made.
    pub async fn run(self, trouble: impl AsyncFnOnce(&Faults)) {
        let stop = Arc::new(AtomicBool::new(false));
        let calls = Arc::new(AtomicUsize::new(0));
        let mut all = JoinSet::new();
        let on = Scene {
            api: self.api,
            server: self.server,
            gateways: self.gateways.iter().map(|gateway| gateway.url.clone()).collect(),
            stop: Arc::clone(&stop),
            calls: Arc::clone(&calls),
        };
        on.edits(&mut all).await;
        on.attachments(&mut all).await;
        on.tokens(&mut all).await;
        on.methods(&mut all).await;
        let faults =
            Faults { installation: self.installation, redis: self.redis, control: Some(self.control).into() };
        trouble(&faults).await;
        stop.store(true, Ordering::Relaxed);
        let changes: usize = all.join_all().await.into_iter().sum();
        let calls = calls.load(Ordering::Relaxed);
        assert!(changes > 20 && calls > 100, "{changes} changes and {calls} calls prove little");
    }
}

impl Faults {
    /// Kills Redis and starts it again, until the time is over.
    pub async fn kill_redis_for(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.redis.kill().await;
            self.redis.start().await;
            sleep(Duration::from_millis(400)).await;
        }
    }

    /// Kills the API, whatever it is at, and starts it again.
    pub async fn kill_control_for(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut control = self.control.lock().await;
        let mut pause = 120;
        while Instant::now() < until {
            let address = control.as_ref().unwrap().address();
            control.take().unwrap().kill().await;
            let mut next = self.installation.start(&["control"], address);
            next.ready().await;
            *control = Some(next);
            // Not always at the same step.
            pause = pause * 7 % 331 + 40;
            sleep(Duration::from_millis(pause)).await;
        }
    }

    /// Takes the epochs out of Redis.
    pub async fn delete_epochs_for(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.redis.forget("*:epoch").await;
            sleep(Duration::from_millis(30)).await;
        }
    }
}

/// What writers and callers share.
#[derive(Clone)]
struct Scene {
    api: Api,
    server: String,
    gateways: Vec<String>,
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
}

impl Scene {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Whether a change was answered with success.
    async fn change(&self, method: Method, path: &str, body: Value) -> Option<Value> {
        let answer = self.api.try_send(method, path, Some(body)).await;
        answer.ok().filter(|(status, _)| status.is_success()).map(|(_, body)| body)
    }

    /// Callers with this token at each gateway by turns, who hand their answers to `check`.
    fn call(&self, all: &mut JoinSet<usize>, token: &str, history: &Arc<History>) {
        for number in 0..CALLERS {
            let (scene, token, history) = (self.clone(), token.to_owned(), Arc::clone(history));
            all.spawn(async move {
                let gateway = &scene.gateways[number % scene.gateways.len()];
                let caller = Caller::new(gateway, &scene.server, &token);
                while scene.goes_on() {
                    let start = Instant::now();
                    let Ok(answer) = caller.call(TOOL, &json!({})).await else { continue };
                    let end = Instant::now();
                    let Some(state) = state(&answer) else {
                        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
                        continue;
                    };
                    scene.calls.fetch_add(1, Ordering::Relaxed);
                    assert!(
                        history.allows(state, start, end),
                        "a stale decision, by state {state}: {history:?}"
                    );
                }
                0
            });
        }
    }

    /// A policy whose every version says which it is.
    async fn edits(&self, all: &mut JoinSet<usize>) {
        let policy = self.api.policy(&self.server, "edited", &document(1)).await;
        let grant = self.api.mint(&self.server, &policy, "edited").await;
        let history = Arc::new(History::new(1));
        self.call(all, &grant.token, &history);
        let scene = self.clone();
        all.spawn(async move {
            let mut version = 1;
            let path = format!("/policies/{policy}/versions");
            while scene.goes_on() {
                let next = history.len() + 1;
                history.asks(next);
                let body = json!({ "expected_version": version, "document": document(next) });
                if scene.change(Method::POST, &path, body).await.is_some() {
                    history.is_answered();
                    version += 1;
                    continue;
                }
                // Whether it was made is not known: what the version is now, the API says.
                sleep(Duration::from_millis(20)).await;
                let told = scene.api.try_send(Method::GET, &format!("/policies/{policy}"), None).await;
                if let Ok((StatusCode::OK, told)) = told {
                    version = told["version"].as_u64().unwrap_or(version);
                }
            }
            history.len()
        });
    }

    /// A grant that is attached to one policy after another.
    async fn attachments(&self, all: &mut JoinSet<usize>) {
        let mut policies = Vec::new();
        for number in 0..POLICIES {
            policies
                .push(self.api.policy(&self.server, &format!("number {number}"), &document(number)).await);
        }
        let grant = self.api.mint(&self.server, &policies[0], "attached").await;
        let history = Arc::new(History::new(0));
        self.call(all, &grant.token, &history);
        let scene = self.clone();
        all.spawn(async move {
            let path = format!("/grants/{}/policy", grant.id);
            while scene.goes_on() {
                let next = history.len() % POLICIES;
                history.asks(next);
                if scene.change(Method::PUT, &path, json!({ "policy_id": policies[next] })).await.is_some() {
                    history.is_answered();
                } else {
                    sleep(Duration::from_millis(20)).await;
                }
            }
            history.len()
        });
    }

    /// Grants that are minted, replaced and revoked: a token works from the answer that brought it to the next change.
    async fn tokens(&self, all: &mut JoinSet<usize>) {
        const WORKS: usize = 1;
        const ENDED: usize = 0;
        let policy = self.api.policy(&self.server, "tokens", &document(WORKS)).await;
        let (tell, told) = watch::channel(None::<(String, Arc<History>)>);
        for number in 0..CALLERS {
            let (scene, mut told) = (self.clone(), told.clone());
            all.spawn(async move {
                let gateway = scene.gateways[number % scene.gateways.len()].clone();
                while scene.goes_on() {
                    let Some((token, history)) = told.borrow_and_update().clone() else {
                        sleep(Duration::from_millis(5)).await;
                        continue;
                    };
                    let start = Instant::now();
                    let caller = Caller::new(&gateway, &scene.server, &token);
                    let Ok(answer) = caller.call(TOOL, &json!({})).await else { continue };
                    let state = match answer.status {
                        StatusCode::OK => WORKS,
                        StatusCode::UNAUTHORIZED => ENDED,
                        _ => continue,
                    };
                    scene.calls.fetch_add(1, Ordering::Relaxed);
                    let end = Instant::now();
                    assert!(history.allows(state, start, end), "a token: {state}, {history:?}");
                }
                0
            });
        }
        let scene = self.clone();
        all.spawn(async move {
            let mut changes = 0;
            while scene.goes_on() {
                let body = json!({ "label": format!("token {changes}"), "identity": "a@example.com", "policy_id": policy });
                let path = format!("/servers/{}/grants", scene.server);
                let Some(minted) = scene.change(Method::POST, &path, body).await else {
                    sleep(Duration::from_millis(20)).await;
                    continue;
                };
                let grant = minted["grant"]["id"].as_str().unwrap().to_owned();
                let mut token = minted["token"].clone();
                for end in ["rotate", "revoke"] {
                    let history = Arc::new(History::new(WORKS));
                    let works = token.as_str().unwrap().to_owned();
                    tell.send_replace(Some((works, Arc::clone(&history))));
                    sleep(Duration::from_millis(30)).await;
                    history.asks(ENDED);
                    let Some(done) = scene.change(Method::POST, &format!("/grants/{grant}/{end}"), json!({})).await
                    else {
                        break;
                    };
                    history.is_answered();
                    sleep(Duration::from_millis(15)).await;
                    changes += 1;
                    token = done["token"].clone();
                }
            }
            changes
        });
    }

    /// A method that the server's settings let pass by turns.
    async fn methods(&self, all: &mut JoinSet<usize>) {
        const REFUSED: usize = 0;
        const PASSES: usize = 1;
        let policy = self.api.policy(&self.server, "methods", &document(0)).await;
        let grant = self.api.mint(&self.server, &policy, "methods").await;
        let history = Arc::new(History::new(REFUSED));
        for number in 0..CALLERS {
            let (scene, history) = (self.clone(), Arc::clone(&history));
            let caller =
                Caller::new(&self.gateways[number % self.gateways.len()], &self.server, &grant.token);
            all.spawn(async move {
                while scene.goes_on() {
                    let start = Instant::now();
                    let Ok(answer) = caller.method(CUSTOM).await else { continue };
                    let end = Instant::now();
                    if answer.status == StatusCode::SERVICE_UNAVAILABLE {
                        continue;
                    }
                    let message = answer.body["error"]["message"].as_str().unwrap_or_default();
                    let state = if message.contains("does not pass this gateway") { REFUSED } else { PASSES };
                    scene.calls.fetch_add(1, Ordering::Relaxed);
                    assert!(history.allows(state, start, end), "a method: {state}, {answer:?}, {history:?}");
                }
                0
            });
        }
        let scene = self.clone();
        all.spawn(async move {
            let path = format!("/servers/{}/protocol", scene.server);
            while scene.goes_on() {
                let next = history.len() % 2;
                history.asks(next);
                let methods = if next == PASSES { json!([CUSTOM]) } else { json!([]) };
                if scene.change(Method::PATCH, &path, json!({ "custom_methods": methods })).await.is_some() {
                    history.is_answered();
                }
                sleep(Duration::from_millis(25)).await;
            }
            history.len()
        });
    }
}
