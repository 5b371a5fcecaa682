//! Closing a call: the closing record, and quota given back.

use domain::{DecisionId, TenantId};

use crate::scripts::CLOSE;
use crate::{Ledger, LedgerError, Shard};

/// What is given back when a call is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GiveBack {
    /// The call stands.
    Nothing,
    /// Every charge of the call: the upstream failed.
    All,
    /// The charges at these places of the settled list.
    Only(Vec<usize>),
}

/// The end of a settled call.
#[derive(Clone, Debug)]
pub struct Close<'a> {
    /// Whose call it was.
    pub tenant: TenantId,
    /// The call that was settled.
    pub decision: DecisionId,
    /// The closing record, for the stream.
    pub record: &'a [u8],
    /// What to give back, into the windows it came from. It happens once, however often a call is closed.
    pub give_back: GiveBack,
}

/// What closing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Whether something was given back by this closing.
    pub gave_back: bool,
}

impl Ledger {
    /// Appends the closing record and gives back. Never refused for a full stream: a closing belongs to a decision
    /// that had its place. May be repeated after `Away` or `Timeout`.
    pub async fn close(&self, close: &Close<'_>) -> Result<Closed, LedgerError> {
        let keys = self.keys();
        let mut call = CLOSE.prepare_invoke();
        call.key(keys.stream(Shard::of(close.tenant)))
            .key(keys.reservation(close.tenant, close.decision))
            .arg(close.tenant.uuid().simple().to_string())
            .arg(close.record);
        match &close.give_back {
            GiveBack::Nothing => call.arg("none"),
            GiveBack::All => call.arg("all"),
            GiveBack::Only(charges) => call.arg("only").arg(charges),
        };
        let gave: i64 = self.send(async |link| call.invoke_async(&mut link.redis).await).await?;
        Ok(Closed { gave_back: gave == 1 })
    }
}
