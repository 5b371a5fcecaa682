//! An upstream that wants OAuth: connected through the pages, called through the gateways, renewed once however many call,
//! and said in words when it has to be connected again.

mod browser;
mod desk;

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::{Api, Grant, Process, eventually};
use tokio::task::JoinSet;

use self::browser::{Browser, Page};
use self::desk::{Desk, GUARDED};
use crate::caller::Caller;
use crate::stack::Stack;

/// A tool of the demo upstream.
const TOOL: &str = "flowforge_health_check";
/// Calls at once.
const CROWD: usize = 50;

/// An organisation with one server at the desk.
struct Scene {
    stack: Stack,
    home: Process,
    desk: Desk,
    api: Api,
    server: String,
    policy: String,
}

impl Scene {
    async fn set() -> Self {
        let (stack, desk) = (Stack::start().await, Desk::open().await);
        let home = stack.serve(&[]).await;
        let api = Api::sign_up(&home.url).await;
        let server = json!({ "name": "Desk", "upstream_url": desk.mcp() });
        let server = api.post("/servers", server).await;
        assert_eq!(server["state"], "unauthorized", "{server}");
        let server = server["id"].as_str().unwrap().to_owned();
        let document = json!({ "version": "1", "default": "allow" });
        let policy = api.policy(&server, "all", &document).await;
        Self { stack, home, desk, api, server, policy }
    }

    fn page(&self, rest: &str) -> String {
        format!("/o/acme/servers/{}{rest}", self.server)
    }

    async fn mint(&self, label: &str) -> Grant {
        self.api.mint(&self.server, &self.policy, label).await
    }

    fn caller(&self, grant: &Grant) -> Caller {
        Caller::new(&self.home.url, &self.server, &grant.token)
    }

    async fn login(&self) -> Value {
        self.api.get(&format!("/servers/{}/login", self.server)).await
    }

    /// Connects through the pages.
    async fn connect(&self, browser: &mut Browser) -> Page {
        let page = browser.get(&self.page("/settings")).await;
        let departure = browser.submit(&page, &self.page("/connect"), &[]).await;
        assert_eq!(departure.status, StatusCode::OK, "{}", departure.html);
        browser.follow(departure.way_out()).await
    }

    /// Waits until every access token that was given has ended.
    async fn until_all_ended(&self) {
        eventually("the access token ends", async || (!self.desk.lets_in()).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_connected_by_its_pages_and_renewed_once() {
    let scene = Scene::set().await;
    let other = scene.stack.serve(&["gateway"]).await;
    let grant = scene.mint("agent").await;
    let mut browser = Browser::at(&scene.home.url);
    browser.log_in().await;
    let page = browser.get(&scene.page("")).await;
    assert!(page.html.contains("Not connected."), "{}", page.html);

    scene.desk.live(Duration::from_secs(2));
    let page = scene.connect(&mut browser).await;
    assert!(
        page.html.contains("Connected</span>") && page.html.contains("by ada@example.com"),
        "{}",
        page.html
    );
    let server = scene.api.get(&format!("/servers/{}", scene.server)).await;
    assert_eq!(
        (server["state"].as_str(), server["login"].as_str()),
        (Some("ready"), Some("shared")),
        "{server}"
    );
    let seen = scene.desk.seen("register");
    assert_eq!((seen, scene.desk.seen("code")), (1, 1));

    // Both gateways know the token, then it ends, then a crowd comes through both.
    for url in [&scene.home.url, &other.url] {
        let answer = Caller::new(url, &scene.server, &grant.token).call(TOOL, &json!({})).await.unwrap();
        assert!(answer.allowed(), "{answer:?}");
    }
    scene.until_all_ended().await;
    scene.desk.live(Duration::from_hours(1));
    let before = scene.desk.seen("refresh");
    let mut crowd = JoinSet::new();
    for number in 0..CROWD {
        let url = if number % 2 == 0 { &scene.home.url } else { &other.url };
        let caller = Caller::new(url, &scene.server, &grant.token);
        crowd.spawn(async move { caller.call(TOOL, &json!({})).await.unwrap() });
    }
    let answers = crowd.join_all().await;
    assert!(answers.iter().all(crate::caller::Answer::allowed), "{answers:?}");
    assert_eq!((scene.desk.seen("refresh") - before, scene.desk.seen("reuse")), (1, 0));
    assert_eq!(scene.login().await["connections"][0]["state"], "connected");
}

#[tokio::test(flavor = "multi_thread")]
async fn rotated_tokens_are_kept_and_a_revoked_one_is_said_in_words() {
    let scene = Scene::set().await;
    let grant = scene.mint("agent").await;
    let caller = scene.caller(&grant);
    let refused = caller.call(TOOL, &json!({})).await.unwrap();
    // The server's own headers are all that is sent so far: none.
    assert_eq!(refused.status, StatusCode::BAD_GATEWAY, "{refused:?}");

    let mut browser = Browser::at(&scene.home.url);
    browser.log_in().await;
    scene.desk.live(Duration::from_secs(1));
    scene.connect(&mut browser).await;
    let before = scene.desk.seen("refresh");
    for _ in 0..3 {
        scene.until_all_ended().await;
        assert!(caller.call(TOOL, &json!({})).await.unwrap().allowed());
    }
    assert!(scene.desk.seen("refresh") >= before + 3);
    assert_eq!(scene.desk.seen("reuse"), 0, "a refresh token was used twice");

    scene.desk.renews(false);
    scene.until_all_ended().await;
    for _ in 0..2 {
        let answer = caller.call(TOOL, &json!({})).await.unwrap();
        assert_eq!((answer.status, &answer.body["error"]["code"]), (StatusCode::BAD_GATEWAY, &json!(-32603)));
        let message = answer.body["error"]["message"].as_str().unwrap();
        assert!(message.contains("an administrator must reconnect it"), "{message}");
    }
    let connection = &scene.login().await["connections"][0];
    assert_eq!(connection["state"], "needs_reconnecting");
    let page = browser.get(&scene.page("")).await;
    assert!(
        page.html.contains("Needs reconnecting because the authorization server does not renew it"),
        "{}",
        page.html
    );

    scene.desk.renews(true);
    scene.desk.live(Duration::from_hours(1));
    scene.connect(&mut browser).await;
    assert!(caller.call(TOOL, &json!({})).await.unwrap().allowed());
    assert_eq!(scene.desk.seen("register"), 1, "the client was registered before");

    // What is disconnected is not used by the next call.
    let page = browser.get(&scene.page("/settings")).await;
    let done = browser.submit(&page, &scene.page("/disconnect"), &[]).await;
    let page = browser.get(done.location.unwrap().as_str()).await;
    assert!(page.html.contains("revoked at the authorization server"), "{}", page.html);
    assert!(scene.desk.seen("revoke") == 2 && !scene.desk.lets_in(), "both tokens were given back");
    let answer = caller.call(TOOL, &json!({})).await.unwrap();
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.body["error"]["message"].as_str().unwrap().contains("is not connected"), "{answer:?}");
    let log = scene.api.get("/admin-log").await.to_string();
    assert!(log.contains("server.connect") && log.contains("server.disconnect"), "{log}");
    assert!(!log.contains("access-") && !log.contains("s:cret"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_identity_connects_by_a_link_and_the_answer_is_for_its_browser_alone() {
    let scene = Scene::set().await;
    let path = format!("/servers/{}/login", scene.server);
    let (status, login) = scene.api.send(Method::PATCH, &path, Some(json!({ "login": "identity" }))).await;
    assert_eq!(status, StatusCode::OK, "{login}");
    let (grace, alan) = (scene.mint("grace").await, scene.mint("alan").await);
    let answer = scene.caller(&grace).call(TOOL, &json!({})).await.unwrap();
    let message = answer.body["error"]["message"].as_str().unwrap();
    assert!(message.contains("this identity has not connected"), "{message}");

    let link = scene.api.post(&format!("{path}/links"), json!({ "identity": "grace@example.com" })).await;
    let link = link["url"].as_str().unwrap();
    let mut owner = Browser::at(&scene.home.url);
    let page = owner.get(link).await;
    assert!(
        page.html.contains("Acme asks you to connect your account")
            && page.html.contains("grace@example.com")
    );
    let action = link.strip_prefix(&scene.home.url).unwrap();
    let departure = owner.submit(&page, action, &[]).await;
    let back = owner.get(&departure.way_out()).await.location.unwrap().to_string();

    // Somebody else who was sent the answer, and an answer that was changed, count for nothing and cost nothing.
    let mut stranger = Browser::at(&scene.home.url);
    stranger.get("/login").await;
    let refused = stranger.get(&back).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.html);
    let odd = owner.get(&back.replace("state=", "state=x")).await;
    assert_eq!(odd.status, StatusCode::CONFLICT, "{}", odd.html);
    let done = owner.get(&back).await;
    assert!(done.html.contains("is connected for <strong>grace@example.com"), "{}", done.html);
    assert_eq!(owner.get(&back).await.status, StatusCode::CONFLICT, "an answer counts once");
    assert_eq!(owner.get(link).await.status, StatusCode::NOT_FOUND, "a link works once");

    assert!(scene.caller(&grace).call(TOOL, &json!({})).await.unwrap().allowed());
    assert_eq!(scene.caller(&alan).call(TOOL, &json!({})).await.unwrap().status, StatusCode::BAD_GATEWAY);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_asks_for_beyond_its_scopes_is_asked_for_the_next_time() {
    let scene = Scene::set().await;
    let caller = scene.caller(&scene.mint("agent").await);
    let mut browser = Browser::at(&scene.home.url);
    browser.log_in().await;
    scene.connect(&mut browser).await;
    assert!(caller.call(TOOL, &json!({})).await.unwrap().allowed());
    let answer = caller.call(GUARDED.0, &json!({})).await.unwrap();
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "not our own 403: {answer:?}");

    let wanted = async || {
        let wanted = scene.login().await["connections"][0]["wanted_scopes"].clone();
        (wanted == json!([GUARDED.1])).then_some(())
    };
    eventually("the scope is written down", wanted).await;
    scene.connect(&mut browser).await;
    assert_eq!(scene.login().await["connections"][0]["scopes"], json!(["runs", GUARDED.1]));
    assert!(caller.call(GUARDED.0, &json!({})).await.unwrap().allowed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_said_until_the_upstream_lets_the_token_in_again() {
    let scene = Scene::set().await;
    let caller = scene.caller(&scene.mint("agent").await);
    let mut browser = Browser::at(&scene.home.url);
    browser.log_in().await;
    scene.connect(&mut browser).await;
    let stands = async |wanted: &str| {
        let login = scene.login().await;
        (login["connections"][0]["state"] == wanted).then_some(())
    };
    scene.desk.lets(false);
    assert_eq!(caller.call(TOOL, &json!({})).await.unwrap().status, StatusCode::BAD_GATEWAY);
    eventually("the refusal is written down", async || stands("needs_reconnecting").await).await;
    scene.desk.lets(true);
    assert!(caller.call(TOOL, &json!({})).await.unwrap().allowed());
    eventually("the refusal is taken back", async || stands("connected").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_connects_without_a_person_and_asks_anew_when_its_token_ends() {
    let scene = Scene::set().await;
    let caller = scene.caller(&scene.mint("agent").await);
    let path = format!("/servers/{}/login", scene.server);
    let client = json!({ "client": { "client_id": "tollgate", "client_secret": "s:cret" } });
    let (status, login) = scene.api.send(Method::PATCH, &path, Some(client)).await;
    assert_eq!(status, StatusCode::OK, "{login}");
    scene.desk.live(Duration::from_secs(1));
    let mut browser = Browser::at(&scene.home.url);
    browser.log_in().await;
    let page = browser.get(&scene.page("/settings")).await;
    assert!(page.html.contains("Connect without a person"), "{}", page.html);
    browser.submit(&page, &scene.page("/connect-as-client"), &[]).await;
    for _ in 0..2 {
        assert!(caller.call(TOOL, &json!({})).await.unwrap().allowed());
        scene.until_all_ended().await;
    }
    assert!(caller.call(TOOL, &json!({})).await.unwrap().allowed());
    assert!(scene.desk.seen("own") >= 3 && scene.desk.seen("code") == 0, "nobody was sent away");
}
