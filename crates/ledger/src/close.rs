//! Closing a call: the closing record, and quota given back.

use domain::{DecisionId, TenantId};

use tokio::sync::oneshot;

use crate::closer::{self, Waiting};
use crate::{Ledger, LedgerError};

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
    /// that had its place. Goes together with others that end meanwhile. May be repeated after `Away` or `Timeout`.
    pub async fn close(&self, close: &Close<'_>) -> Result<Closed, LedgerError> {
        let (done, told) = oneshot::channel();
        let waiting = Waiting {
            tenant: close.tenant,
            decision: close.decision,
            record: close.record.to_vec(),
            give_back: close.give_back.clone(),
            done,
        };
        self.closer().send(waiting).await?;
        let gave_back = told.await.map_err(|_| closer::ended())??;
        Ok(Closed { gave_back })
    }
}
