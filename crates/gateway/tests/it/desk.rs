//! A [`Gate`] whose policy wants a person for some calls, and that person.

use audit::Decision;
use axum::body::Body;
use axum::http::Response;
use domain::{ApprovalId, ApprovalState, Outcome};
use serde_json::{Value, json};
use storage::{ApprovalFilter, ApprovalRow};
use testkit::upstream::Received;

use crate::client::Answer;
use crate::gate::Gate;
use crate::world::plain;

pub const POLICY: &str = r#"{ "version": "1", "default": "allow", "tools": {
    "wipe": { "approve_if": [{ "conditions": [], "message": "Wiping", "expires_in": "10m" }] },
    "burn": { "action": "require_approval" },
    "pay": { "action": "require_approval", "limits": [{ "counter": "c", "window": "hour", "max": 0 }] } } }"#;

pub struct Desk {
    pub gate: Gate,
}

impl Desk {
    pub async fn new() -> Self {
        Self::before(plain).await
    }

    /// Before an upstream that answers by `script`.
    pub async fn before(script: impl Fn(&Received) -> Response<Body> + Send + Sync + 'static) -> Self {
        Self { gate: Gate::under(POLICY, script).await }
    }

    /// A call of the revisions with sessions.
    pub async fn call(&self, tool: &str, arguments: Value) -> Answer {
        self.gate.door.call(&self.gate.grant, tool, arguments).await
    }

    /// Every question.
    pub async fn questions(&self) -> Vec<ApprovalRow> {
        let world = &self.gate.world;
        let mut tx = world.db.storage.tenant(world.tenant).await.unwrap();
        tx.approvals(ApprovalFilter::default(), world.now(), 1_000).await.unwrap()
    }

    pub async fn question(&self, id: &str) -> ApprovalRow {
        self.questions().await.into_iter().find(|row| row.id.to_string() == id).unwrap()
    }

    /// A person decides on the one question that waits.
    pub async fn decide(&self, allow: bool, note: Option<&str>) -> ApprovalId {
        let waiting = self.questions().await.into_iter().find(|row| row.state == ApprovalState::Pending);
        let id = waiting.unwrap().id;
        let world = &self.gate.world;
        let mut tx = world.db.storage.tenant(world.tenant).await.unwrap();
        assert!(tx.decide_approval(id, (allow, note), "ann@example.com", world.now()).await.unwrap());
        tx.commit().await.unwrap();
        id
    }

    pub async fn approve(&self) -> ApprovalId {
        self.decide(true, None).await
    }

    /// Calls that reached the upstream.
    pub fn forwarded(&self) -> usize {
        self.gate.upstream().received().len()
    }

    pub async fn outcomes(&self) -> Vec<Outcome> {
        self.gate.decisions().await.iter().map(|decision| decision.outcome).collect()
    }

    pub async fn last(&self) -> Decision {
        self.gate.decisions().await.pop().unwrap()
    }
}

/// The approval that a denied call waits for.
pub fn waits_for(answer: &Answer) -> String {
    let answer = answer.json();
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    let id = &answer["result"]["_meta"]["dev.tollgate/decision"]["approval"]["id"];
    id.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// The text of a tool's result.
pub fn text(answer: &Answer) -> String {
    answer.json()["result"]["content"][0]["text"].as_str().unwrap().to_owned()
}

/// The arguments of most calls here.
pub fn all() -> Value {
    json!({ "disk": "a" })
}
