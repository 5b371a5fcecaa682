//! What servers have asked of clients, until it is answered: an answer of the client's is held against it, on whichever
//! replica it comes in. Lost with Redis; then the answer is refused, and the server asks again or gives up.

use std::time::Duration;

use domain::TenantId;

use crate::{Ledger, LedgerError, Shard};

impl Ledger {
    /// Keeps a question: `question` is a hash, unique within the tenant, of who was asked where and the question's id; `method`
    /// is what was asked.
    pub async fn keep_question(
        &self,
        tenant: TenantId,
        question: &[u8; 32],
        method: &str,
        kept: Duration,
    ) -> Result<(), LedgerError> {
        let mut command = redis::cmd("SET");
        command.arg(self.keys().question(tenant, question)).arg(method).arg("EX").arg(kept.as_secs().max(1));
        self.send::<()>(Shard::of(tenant), &command).await
    }

    /// What was asked by each of these, in their order; nothing where nobody waits for an answer.
    pub async fn questions(
        &self,
        tenant: TenantId,
        questions: &[[u8; 32]],
    ) -> Result<Vec<Option<String>>, LedgerError> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("MGET");
        for question in questions {
            command.arg(self.keys().question(tenant, question));
        }
        let asked: Vec<Option<String>> = self.send(Shard::of(tenant), &command).await?;
        if asked.len() == questions.len() { Ok(asked) } else { Err(LedgerError::shape("questions")) }
    }

    /// Ends a question; whether it still waited for an answer. Of several at once, one is told so.
    pub async fn end_question(&self, tenant: TenantId, question: &[u8; 32]) -> Result<bool, LedgerError> {
        let mut command = redis::cmd("DEL");
        command.arg(self.keys().question(tenant, question));
        let ended: u64 = self.send(Shard::of(tenant), &command).await?;
        Ok(ended == 1)
    }
}
