//! A look, every few seconds, at the grant behind an open stream: a stream outlives the request that opened it, and must
//! not outlive the right to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::directory::{Away, GrantView};
use crate::state::GatewayState;

/// How long a stream stays open while Postgres can't say whether it may.
const UNSURE: Duration = Duration::from_mins(1);

/// How much of a grant a stream depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depends {
    /// That it still works: the stream is the answer to a request that was judged.
    OnGrant,
    /// Also on its policy and server: the stream brings what nobody asked for yet.
    OnRules,
}

/// Waits until a stream must end, and says why. Never returns while it may stay open.
pub(crate) async fn lost(gateway: GatewayState, view: Arc<GrantView>, depends: Depends) -> &'static str {
    let every = gateway.parts.settings.recheck;
    let mut sure = Instant::now();
    loop {
        tokio::time::sleep(every).await;
        let later = match gateway.directory.read(&view.token_hash).await {
            Ok(Some(later)) => later,
            Ok(None) => return "the token was replaced",
            Err(Away) if sure.elapsed() < UNSURE => continue,
            Err(Away) => return "the grant could not be looked at for a minute",
        };
        sure = Instant::now();
        if let Some(reason) = later.refused(gateway.parts.clock.now()) {
            return reason;
        }
        if depends == Depends::OnRules && !view.same_rules(&later) {
            return "the policy or the server was changed";
        }
    }
}
