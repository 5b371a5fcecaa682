//! A control plane over a database and a Redis of its own, with a clock that the test moves.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use chrono::{DateTime, Utc};
use control::{
    Actor, Control, ControlParts, Error, LogIn, MintedGrant, NewGrant, NewKey, NewPolicy, NewServer,
    NewSession, Policy, Server, Session, SignUp,
};
use domain::{ApprovalId, Clock, GrantId, Secret, ServerId};
use egress::EgressConfig;
use ledger::Ledger;
use testkit::{Question, TestDb, TestRedis};
use vault::{Entropy, Keyring, jwt};

pub const PASSWORD: &str = "correct horse battery";
pub const URL: &str = "https://tollgate.example";
pub const ADDRESS: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
pub const ALLOW: &str = r#"{ "version": "1", "default": "allow" }"#;
pub const DENY: &str = r#"{ "version": "1", "default": "deny" }"#;

pub struct World {
    pub control: Control,
    pub clock: Clock,
    pub db: TestDb,
    pub redis: TestRedis,
    pub keyring: Keyring,
}

pub fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

pub fn start() -> DateTime<Utc> {
    "2026-10-01T12:00:00Z".parse().unwrap()
}

/// The fields that an operation found wrong.
#[track_caller]
pub fn fields<T: std::fmt::Debug>(result: Result<T, Error>) -> Vec<String> {
    match result {
        Err(Error::Invalid(problems)) => problems.into_iter().map(|problem| problem.pointer).collect(),
        other => panic!("fields should be wrong: {other:?}"),
    }
}

impl World {
    pub async fn new() -> Self {
        let redis = testkit::redis();
        let ledger = redis.ledger(Clock::System).await;
        Self::over(redis, ledger).await
    }

    /// A world that reaches Redis in another way.
    pub async fn over(redis: TestRedis, ledger: Ledger) -> Self {
        let db = testkit::database().await;
        let clock = Clock::manual(start());
        let keyring: Keyring = "test:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".parse().unwrap();
        let control = Control::new(ControlParts {
            storage: db.storage.clone(),
            ledger,
            keyring: keyring.clone(),
            signer: jwt::Signer::new(&keyring, URL, "https://tollgate.example/api/v1").unwrap(),
            egress: egress::Client::new(EgressConfig { allow_private: true, ..EgressConfig::default() })
                .unwrap(),
            clock: clock.clone(),
            entropy: Entropy::System,
            public_url: format!("{URL}/"),
            client_metadata: true,
            demo_upstream: Some("http://127.0.0.1:9/mcp".parse().unwrap()),
        });
        Self { control, clock, db, redis, keyring }
    }

    pub fn minutes(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(minutes * 60));
    }

    /// Time passes between what a test does, so that the admin log has an order.
    fn tick(&self) {
        self.clock.advance(Duration::from_millis(1));
    }

    pub async fn sign_up(&self, email: &str, organisation: &str) -> NewSession {
        self.try_sign_up(email, PASSWORD, organisation).await.unwrap()
    }

    pub async fn try_sign_up(
        &self,
        email: &str,
        password: &str,
        organisation: &str,
    ) -> Result<NewSession, Error> {
        let input = SignUp {
            email: email.to_owned(),
            password: secret(password),
            organisation: organisation.to_owned(),
        };
        self.control.sign_up(&input, ADDRESS).await
    }

    pub async fn log_in(
        &self,
        email: &str,
        password: &str,
        from: Option<IpAddr>,
    ) -> Result<NewSession, Error> {
        let input = LogIn { email: email.to_owned(), password: secret(password) };
        self.control.log_in(&input, from).await
    }

    pub async fn session(&self, new: &NewSession) -> Result<Session, Error> {
        self.control.session(new.token.expose()).await
    }

    /// The owner of a new organisation.
    pub async fn owner(&self, name: &str) -> Actor {
        let new = self.sign_up(&format!("owner@{name}.example"), name).await;
        self.session(&new).await.unwrap().actor(name).unwrap()
    }

    /// Somebody with a lower role in the organisation of `owner`: an API key.
    pub async fn with_role(&self, owner: &Actor, role: &str) -> Actor {
        self.tick();
        let input = NewKey { label: role.to_owned(), role: role.to_owned(), expires_at: None };
        let key = self.control.create_key(owner, &input).await.unwrap();
        self.control.authenticate(key.token.expose()).await.unwrap()
    }

    /// A server that nobody listens at.
    pub async fn server(&self, actor: &Actor, name: &str) -> Server {
        self.tick();
        let input = NewServer {
            name: name.to_owned(),
            upstream_url: "http://127.0.0.1:9/mcp".to_owned(),
            headers: Vec::new(),
            catalogue_entry: None,
        };
        self.control.register_server(actor, &input).await.unwrap()
    }

    /// Lets the server be known to have these tools, each of which takes a `run_id` and must have it.
    pub async fn tools(&self, actor: &Actor, server: ServerId, names: &[&str]) {
        self.define(actor, server, names, 0).await;
    }

    /// The same; `edition` stands for what else is said of them.
    pub async fn define(&self, actor: &Actor, server: ServerId, names: &[&str], edition: u8) {
        let tools: Vec<_> = names
            .iter()
            .map(|name| storage::ToolDefinition {
                name: (*name).to_owned(),
                title: None,
                description: None,
                input_schema: serde_json::json!({
                    "type": "object", "properties": { "run_id": { "type": "string" } }, "required": ["run_id"]
                }),
                annotations: None,
                more: None,
                digest: [edition; 32],
            })
            .collect();
        let mut tx = self.db.storage.tenant(actor.tenant()).await.unwrap();
        tx.upsert_tools(server, &tools, start()).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn policy(&self, actor: &Actor, server: ServerId, name: &str) -> Policy {
        self.tick();
        let input = NewPolicy { name: name.to_owned(), document: ALLOW.to_owned() };
        self.control.create_policy(actor, server, &input).await.unwrap()
    }

    pub async fn grant(&self, actor: &Actor, server: ServerId) -> MintedGrant {
        self.tick();
        let input = NewGrant {
            label: "CI bot".to_owned(),
            identity: "ada@example.com".to_owned(),
            policy_id: None,
            expires_at: None,
        };
        self.control.mint_grant(actor, server, &input).await.unwrap()
    }

    /// A call of this grant that waits for a person.
    pub async fn question(
        &self,
        actor: &Actor,
        server: ServerId,
        grant: GrantId,
        tool: &str,
        arguments: &str,
    ) -> ApprovalId {
        let (tenant, at) = (actor.tenant(), self.clock.now());
        let decision = Entropy::System.id(at);
        let question = Question { tenant, server, grant, policy: None, tool, arguments, decision, at };
        question.ask(&self.db.storage, &self.keyring).await
    }

    /// One number from the database, behind row level security.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&mut self.db.owner().await).await.unwrap()
    }

    /// The newest action in the admin log.
    pub async fn last_action(&self, actor: &Actor) -> String {
        let mut page = self.control.admin_log(actor, None, 1).await.unwrap();
        page.events.remove(0).action
    }
}
