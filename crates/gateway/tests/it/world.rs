//! One tenant with one server, and gateways before it. Changes go the way that control's go: mark, commit with a raised
//! epoch, publish.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use chrono::{DateTime, Utc};
use domain::{Clock, GrantId, PolicyId, Role, Secret, ServerId, TenantId, UserId};
use gateway::{GatewayParts, GatewaySettings, GatewayState};
use ledger::{Ledger, LedgerConfig};
use serde_json::{Value, json};
use storage::directory::SealedHeader;
use storage::{
    ChangeTx, NewGrantRow, NewServerRow, NewVersionRow, Sighting, Storage, StorageConfig, TokenRow,
    ToolDefinition,
};
use testkit::upstream::{Received, Upstream};
use testkit::{TestDb, TestRedis};
use tokio::net::TcpListener;
use uuid::Uuid;
use vault::{Entropy, Keyring, Place, Token, TokenKind};

use crate::client::Door;

/// What the upstream is called with.
pub const CREDENTIAL: (&str, &str) = ("x-upstream-key", "sealed-and-opened");
/// A policy that lets everything through.
pub const ALLOW: &str = r#"{ "version": "1", "default": "allow" }"#;

pub struct World {
    pub db: TestDb,
    pub redis: TestRedis,
    pub upstream: Upstream,
    pub tenant: TenantId,
    pub server: ServerId,
    pub policy: PolicyId,
    /// Moves by hand; starts at the real time, which Redis and Postgres have too.
    pub clock: Clock,
    ledger: Ledger,
    keyring: Keyring,
    version: AtomicU32,
}

/// How a gateway reaches the world.
pub struct Plan {
    pub postgres: String,
    pub redis: String,
    pub first_byte_timeout: Duration,
    pub stream_max: u64,
}

/// A grant and its token.
pub struct Grant {
    pub id: GrantId,
    pub token: String,
}

impl World {
    /// A world whose one server answers by `script`, under this policy.
    pub async fn new<S>(document: &str, script: S) -> Self
    where
        S: Fn(&Received) -> Response<Body> + Send + Sync + 'static,
    {
        Self::with_tools(document, &[], script).await
    }

    /// A world whose server is known to have these tools: names and what they take.
    pub async fn with_tools<S>(document: &str, tools: &[(&str, Value)], script: S) -> Self
    where
        S: Fn(&Received) -> Response<Body> + Send + Sync + 'static,
    {
        let upstream = Upstream::start(script).await;
        let (db, redis) = (testkit::database().await, testkit::redis());
        let ledger = redis.ledger(Clock::System).await;
        let world = Self {
            tenant: new_id(),
            server: new_id(),
            policy: new_id(),
            clock: Clock::manual(Clock::System.now()),
            keyring: format!("test:{}", "a2V5".repeat(10) + "a2U=").parse().unwrap(),
            version: AtomicU32::new(1),
            db,
            redis,
            upstream,
            ledger,
        };
        world.insert_tenant(world.tenant).await;
        world.insert_server(world.tenant, world.server, world.policy, document, tools).await;
        world
    }

    pub async fn insert_tenant(&self, tenant: TenantId) {
        let mut tx = self.db.storage.system().await.unwrap();
        let user: UserId = new_id();
        tx.insert_user(user, &format!("{user}@example.com").parse().unwrap(), "hash", self.now())
            .await
            .unwrap();
        let slug = format!("t-{}", &tenant.uuid().simple().to_string()[20..]).parse().unwrap();
        assert!(tx.insert_tenant(tenant, &slug, &"Tenant".parse().unwrap(), self.now()).await.unwrap());
        tx.insert_membership(tenant, user, Role::Owner, self.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn insert_server(
        &self,
        tenant: TenantId,
        server: ServerId,
        policy: PolicyId,
        document: &str,
        tools: &[(&str, Value)],
    ) {
        let sealed = self.keyring.seal(
            CREDENTIAL.1.as_bytes(),
            Place::UpstreamHeader { tenant, server, name: CREDENTIAL.0 },
            &Entropy::System,
        );
        let header = SealedHeader { name: CREDENTIAL.0.to_owned(), sealed: sealed.unwrap() };
        let tools: Vec<_> = tools.iter().map(|(name, schema)| tool(name, schema)).collect();
        self.change(tenant, async |tx| {
            tx.insert_server(&NewServerRow {
                id: server,
                name: &server.to_string().parse().unwrap(),
                upstream_url: &self.upstream.url().as_str().parse().unwrap(),
                catalogue_entry: None,
                sighting: sighting(self.now()),
                created_at: self.now(),
            })
            .await
            .unwrap();
            tx.insert_credential(server, &header, self.now()).await.unwrap();
            tx.upsert_tools(server, &tools, self.now()).await.unwrap();
            tx.insert_policy(policy, server, &"policy".parse().unwrap(), self.now()).await.unwrap();
            tx.insert_version(&version(policy, 1, document, self.now())).await.unwrap();
        })
        .await;
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Mints a grant under the policy.
    pub async fn grant(&self) -> Grant {
        self.mint(self.tenant, self.server, Some(self.policy), None).await
    }

    pub async fn mint(
        &self,
        tenant: TenantId,
        server: ServerId,
        policy: Option<PolicyId>,
        expires_at: Option<DateTime<Utc>>,
    ) -> Grant {
        let token = Token::generate(TokenKind::Grant, &Entropy::System);
        let row = TokenRow { hash: token.hash(), sealed: b"sealed".to_vec(), hint: token.hint() };
        let id: GrantId = new_id();
        self.change(tenant, async |tx| {
            tx.insert_grant(&NewGrantRow {
                id,
                server,
                policy,
                label: &"test grant".parse().unwrap(),
                identity: &"ada@example.com".parse().unwrap(),
                token: &row,
                created_by: "test",
                created_at: self.now(),
                expires_at,
            })
            .await
            .unwrap();
        })
        .await;
        Grant { id, token: token.expose().to_owned() }
    }

    /// A look at the upstream finds another definition of a tool.
    pub async fn redefine(&self, name: &str, schema: &Value) {
        let found = ToolDefinition { digest: [2; 32], ..tool(name, schema) };
        self.change(self.tenant, async |tx| {
            tx.upsert_tools(self.server, &[found], self.now()).await.unwrap();
        })
        .await;
    }

    pub async fn revoke(&self, grant: GrantId) {
        self.change(self.tenant, async |tx| assert!(tx.revoke_grant(grant, self.now()).await.unwrap())).await;
    }

    /// Puts another version of the policy in force.
    pub async fn save_policy(&self, document: &str) {
        self.change(self.tenant, async |tx| self.write_policy(tx, document).await).await;
    }

    async fn write_policy(&self, tx: &mut ChangeTx, document: &str) {
        let before = self.version.fetch_add(1, Ordering::SeqCst);
        tx.insert_version(&version(self.policy, before + 1, document, self.now())).await.unwrap();
        assert!(tx.advance_policy(self.policy, before).await.unwrap());
    }

    /// Changes what calls are judged by; when it returns, the change is answered.
    pub async fn change(&self, tenant: TenantId, write: impl AsyncFnOnce(&mut ChangeTx)) {
        let mut tx = self.db.storage.change(tenant).await.unwrap();
        let change = self.mark(tenant).await;
        write(&mut tx).await;
        let epoch = tx.raise_epoch().await.unwrap();
        tx.commit().await.unwrap();
        self.ledger.publish(tenant, change, epoch).await.unwrap();
    }

    /// The first step of a change, and for a writer that stops there the last.
    pub async fn mark(&self, tenant: TenantId) -> Uuid {
        let change = Uuid::from_bytes(Entropy::System.bytes());
        self.ledger.mark(tenant, change).await.unwrap();
        change
    }

    /// Puts another version in force and stops before it is published.
    pub async fn save_policy_unpublished(&self, document: &str) {
        let mut tx = self.db.storage.change(self.tenant).await.unwrap();
        self.mark(self.tenant).await;
        self.write_policy(&mut tx, document).await;
        tx.raise_epoch().await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A gateway on a socket of its own, with its own connections.
    pub async fn door(&self) -> Door {
        self.door_with(|_| {}).await
    }

    /// A gateway with other settings.
    pub async fn door_with(&self, adjust: impl FnOnce(&mut GatewaySettings)) -> Door {
        self.open(self.plan(), adjust).await
    }

    /// How a gateway of this world is set up.
    pub fn plan(&self) -> Plan {
        Plan {
            postgres: self.db.url.clone(),
            redis: self.redis.url.clone(),
            first_byte_timeout: Duration::from_secs(20),
            stream_max: 100_000,
        }
    }

    /// A gateway set up by `plan`.
    pub async fn open(&self, plan: Plan, adjust: impl FnOnce(&mut GatewaySettings)) -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut settings = GatewaySettings::new(base.parse().unwrap());
        settings.approval_hold = Duration::ZERO;
        adjust(&mut settings);
        let storage = Storage::connect(&StorageConfig {
            max_connections: 8,
            acquire_timeout: Duration::from_secs(20),
            ..StorageConfig::new(plan.postgres)
        });
        let ledger = testkit::connected(LedgerConfig {
            url: Secret::new(plan.redis),
            stream_max: plan.stream_max,
            ..self.redis.config(Clock::System)
        })
        .await;
        let egress = egress::Client::new(egress::EgressConfig {
            allow_private: true,
            first_byte_timeout: plan.first_byte_timeout,
            ..egress::EgressConfig::default()
        });
        let state = GatewayState::new(GatewayParts {
            storage: storage.unwrap(),
            ledger: ledger.clone(),
            keyring: self.keyring.clone(),
            egress: egress.unwrap(),
            clock: self.clock.clone(),
            entropy: Entropy::System,
            metrics: gateway::Metrics::new().unwrap(),
            telemetry: None,
            settings,
        });
        let app = gateway::router(state.clone()).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Door::new(base, self.server, state, ledger)
    }

    /// The decisions and closings in the stream, oldest first, once those of these gateways are all written.
    pub async fn records(&self, doors: &[&Door]) -> Records {
        for door in doors {
            door.state.stopped().await;
        }
        let mut records = Records::default();
        for shard in ledger::Shard::all() {
            for entry in self.ledger.read(shard, 100_000).await.unwrap() {
                match entry.kind {
                    ledger::EntryKind::Decision { limit, over, .. } => {
                        let decision = audit::Decision::from_bytes(&entry.record).unwrap();
                        records.decisions.push((decision, limit.filter(|_| over)));
                    }
                    ledger::EntryKind::Closing { gave_back } => {
                        records
                            .closings
                            .push((audit::Closing::from_bytes(&entry.record).unwrap(), gave_back));
                    }
                }
            }
        }
        records
    }
}

/// What is on record.
#[derive(Default, Debug)]
pub struct Records {
    /// Decisions, and the limit that refused them.
    pub decisions: Vec<(audit::Decision, Option<ledger::LimitMark>)>,
    /// Ends, and whether quota was given back.
    pub closings: Vec<(audit::Closing, bool)>,
}

pub fn new_id<T: From<Uuid>>() -> T {
    Entropy::System.id(Clock::System.now())
}

fn sighting(at: DateTime<Utc>) -> Sighting<'static> {
    Sighting { state: "ready", message: "ready", protocol_version: None, upstream_name: None, at }
}

fn version(policy: PolicyId, number: u32, document: &str, at: DateTime<Utc>) -> NewVersionRow<'_> {
    NewVersionRow { policy, version: number, document, added: 1, removed: 0, saved_by: "test", saved_at: at }
}

fn tool(name: &str, schema: &Value) -> ToolDefinition {
    ToolDefinition {
        name: name.to_owned(),
        title: None,
        description: None,
        input_schema: schema.clone(),
        annotations: None,
        more: None,
        digest: [1; 32],
    }
}

/// A plain upstream: answers `tools/call` with the tool's name, lists three tools, opens sessions.
pub fn plain(request: &Received) -> Response<Body> {
    use testkit::upstream::{json, raw, with_header};
    let message = request.json();
    let result = match request.rpc_method().as_str() {
        "initialize" => json!({
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "plain", "version": "1" },
        }),
        "tools/list" => json!({ "tools": [{ "name": "read" }, { "name": "write" }, { "name": "secret" }] }),
        "tools/call" => json!({ "content": [{ "type": "text", "text": message["params"]["name"] }] }),
        _ if message["id"].is_null() => return raw(axum::http::StatusCode::ACCEPTED, "", ""),
        _ => json!({}),
    };
    let mut result = result;
    if message["params"]["_meta"].is_object() {
        result["resultType"] = "complete".into();
    }
    let answer = json(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }));
    if request.rpc_method() == "initialize" {
        with_header(answer, "mcp-session-id", "upstream-session")
    } else {
        answer
    }
}
