//! Asking people about a call: what they need to know of it is stored, its arguments sealed, for as long as they may take.

use chrono::{DateTime, Utc};
use domain::ApprovalId;
use mcp::ToolCall;
use storage::{NewApprovalRow, Standing};
use vault::Place;

use super::{call_of, unavailable};
use crate::arrival::Arrival;
use crate::denial::Denial;
use crate::directory::GrantView;
use crate::judge::Ask;
use crate::refusal::Refusal;
use crate::state::GatewayState;

/// How long a question stands whose rule says nothing of it, in seconds.
const LIVES: u64 = 60 * 60;
/// Questions of one grant that wait at once.
const MOST: i64 = 100;
/// Bytes of arguments that a person can be shown.
const MAX_ARGUMENTS: usize = 256 * 1024;

/// A question that waits for a person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub id: ApprovalId,
    pub expires_at: DateTime<Utc>,
}

/// Asks about the call that was denied as pending, unless that was done before; nothing if somebody has approved it meanwhile. Or
/// says why it can't be asked about.
pub(super) async fn ask(
    gateway: &GatewayState,
    view: &GrantView,
    arrival: &Arrival,
    ask: &Ask<'_>,
    denial: &Denial,
) -> Result<Result<Option<Question>, &'static str>, Refusal> {
    let (Some(call), Some(bound)) = (ask.call(), call_of(view, arrival, ask)) else {
        return Err(Refusal::Internal);
    };
    let shown = shown(call);
    if shown.len() > MAX_ARGUMENTS {
        return Ok(Err(
            "its arguments are over 256 KiB, too much to be shown to a person: send less at once",
        ));
    }
    let now = gateway.parts.clock.now();
    let id: ApprovalId = gateway.parts.entropy.id(now);
    let place = Place::ApprovalArguments { tenant: view.tenant, approval: id };
    let sealed = gateway.parts.keyring.seal(shown.as_bytes(), place, &gateway.parts.entropy);
    let sealed = sealed.map_err(|error| {
        tracing::error!(request = %arrival.id, %error, "arguments can't be sealed");
        Refusal::Internal
    })?;
    let keys: Vec<_> =
        arrival.arguments.iter().flat_map(|noted| &noted.keys).map(|key| stored(key)).collect();
    let client = ask.client.map(|client| (stored(&client.name), stored(&client.version)));
    let policy = view.rules.version();
    let row = NewApprovalRow {
        id,
        call: bound,
        server: view.server,
        argument_keys: &keys,
        sealed_arguments: &sealed,
        rule: &denial.rule,
        message: &denial.message,
        policy: policy.map(|policy| (policy.id, policy.name.as_str(), policy.version)),
        client: (
            client.as_ref().map(|(name, _)| name.as_str()),
            client.as_ref().map(|(_, version)| version.as_str()),
        ),
        asked_at: now,
        asked_decision: denial.request,
        lives_seconds: u32::try_from(denial.lives.unwrap_or(LIVES)).unwrap_or(u32::MAX),
    };
    let asking = async {
        let mut tx = gateway.parts.storage.tenant(view.tenant).await?;
        let standing = tx.ask_approval(&row, MOST).await?;
        // Approved since it was judged: then nothing of this stands, and the approval is there to be taken.
        if tx.take_approval(bound, denial.request, now).await?.is_some() {
            return Ok(None);
        }
        tx.commit().await?;
        Ok(Some(standing))
    };
    Ok(match asking.await.map_err(|error| unavailable(&error))? {
        None => Ok(None),
        Some(Standing::Pending(id, expires_at)) => Ok(Some(Question { id, expires_at })),
        Some(Standing::Refused(..)) => Err("a person refused this call"),
        Some(Standing::Unknown) => {
            Err("a hundred calls of this grant wait for a person already: call again later")
        }
    })
}

/// The arguments as a person is shown them: the very text that the approval is bound to.
fn shown(call: &ToolCall<'_>) -> String {
    call.arguments.map(json::Value::canonical).unwrap_or_default()
}

/// At most 256 characters. Postgres keeps no NUL in a text.
fn stored(text: &str) -> String {
    text.chars().take(256).map(|char| if char == '\0' { '\u{fffd}' } else { char }).collect()
}
