//! A call that waits for a person, written down as a gateway does it.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

use chrono::{DateTime, Utc};
use domain::{ApprovalId, DecisionId, GrantId, PolicyId, ServerId, TenantId};
use serde_json::Value;
use storage::{ApprovedCall, NewApprovalRow, Standing, Storage, TakenApproval};
use vault::{Entropy, Keyring, Place};

/// A call that a rule stopped: of this grant, with these arguments.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Whose.
    pub tenant: TenantId,
    /// Where the call would go.
    pub server: ServerId,
    /// Who called.
    pub grant: GrantId,
    /// The policy whose rule asks: id, name and version.
    pub policy: Option<(PolicyId, &'a str, u32)>,
    /// The tool.
    pub tool: &'a str,
    /// The canonical text of the arguments; empty: none.
    pub arguments: &'a str,
    /// The decision that told the call to wait.
    pub decision: DecisionId,
    /// When.
    pub at: DateTime<Utc>,
}

impl Question<'_> {
    /// How long it waits, in seconds.
    pub const LIVES: u32 = 3600;

    /// The rule that asks.
    pub fn rule(&self) -> String {
        format!("/tools/{}/action", self.tool)
    }

    /// What stands for the keyed hash of the arguments.
    pub fn digest(&self) -> String {
        // FNV-1a: the same with every compiler.
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = self.arguments.bytes().fold(0xcbf2_9ce4_8422_2325, step);
        if self.arguments.is_empty() { String::new() } else { format!("{hash:064x}") }
    }

    /// Asks.
    pub async fn ask(&self, storage: &Storage, keyring: &Keyring) -> ApprovalId {
        let (id, digest, rule) = (Entropy::System.id(self.at), self.digest(), self.rule());
        let place = Place::ApprovalArguments { tenant: self.tenant, approval: id };
        let sealed_arguments = &keyring.seal(self.arguments.as_bytes(), place, &Entropy::System).unwrap();
        let keys = match serde_json::from_str(self.arguments) {
            Ok(Value::Object(members)) => members.keys().cloned().collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        let row = NewApprovalRow {
            id,
            call: self.call(&digest),
            server: self.server,
            argument_keys: &keys,
            sealed_arguments,
            rule: &rule,
            message: "Look at it first.",
            policy: self.policy,
            client: (Some("claude-code"), Some("2.1.4")),
            asked_at: self.at,
            asked_decision: self.decision,
            lives_seconds: Self::LIVES,
        };
        let mut tx = storage.tenant(self.tenant).await.unwrap();
        let standing = tx.ask_approval(&row, 100).await.unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(standing, Standing::Pending(asked, _) if asked == id), "{standing:?}");
        id
    }

    /// Makes the call that was approved, at `at`, by this decision; nothing where it is not.
    pub async fn make(
        &self,
        storage: &Storage,
        decision: DecisionId,
        at: DateTime<Utc>,
    ) -> Option<TakenApproval> {
        let mut tx = storage.tenant(self.tenant).await.unwrap();
        let taken = tx.take_approval(self.call(&self.digest()), decision, at).await.unwrap();
        tx.commit().await.unwrap();
        taken
    }

    fn call<'c>(&'c self, argument_digest: &'c str) -> ApprovedCall<'c> {
        ApprovedCall { grant: self.grant, tool: self.tool, argument_digest }
    }
}
