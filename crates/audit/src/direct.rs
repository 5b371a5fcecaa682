//! Writing without the ledger, while Redis is away.

use storage::Storage;

use crate::write::{Batch, write};
use crate::{Closing, Decision, Error, compose};

/// Puts a decision straight into the log. Done when this returns: only then may the call be forwarded. A row with the same
/// id and time stays as it is.
pub async fn record_direct(storage: &Storage, decision: &Decision) -> Result<(), Error> {
    let row = compose::decision(decision, compose::Marks::default());
    let mut tx = storage.system().await?;
    let batch = Batch { decisions: vec![row], endings: Vec::new() };
    write(&mut tx, decision.decided_at, decision.tenant, batch).await?;
    Ok(tx.commit().await?)
}

/// Puts the end of a call straight into the log, also when its decision still waits in the stream.
pub async fn close_direct(storage: &Storage, closing: &Closing) -> Result<(), Error> {
    let ending = compose::ending(closing, false);
    let mut tx = storage.system().await?;
    let batch = Batch { decisions: Vec::new(), endings: vec![ending] };
    write(&mut tx, closing.closed_at, closing.tenant, batch).await?;
    Ok(tx.commit().await?)
}
