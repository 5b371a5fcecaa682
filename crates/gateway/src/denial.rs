//! What a caller is told when the policy refuses: a tool result that the model can read, or, for a hidden tool, what a
//! server says of a tool that it does not have.

use axum::response::{IntoResponse, Response};
use domain::{DecisionId, Outcome};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use ledger::Level;
use mcp::{Era, Id, reply};
use serde_json::{Value, json};

use crate::directory::GrantView;

/// A request that was judged, recorded, and refused.
#[derive(Debug)]
pub(crate) struct Denial {
    /// `Deny`, `Limit`, `Hidden` or `Pending`.
    pub outcome: Outcome,
    pub rule: String,
    pub message: String,
    /// The version of the policy that refused.
    pub policy_version: Option<u32>,
    /// The limit that was used up.
    pub limit: Option<Level>,
    pub request: DecisionId,
}

impl Denial {
    pub fn new(view: &GrantView, request: DecisionId, outcome: Outcome, rule: &str, message: &str) -> Self {
        Self {
            outcome,
            rule: rule.to_owned(),
            message: message.to_owned(),
            policy_version: view.rules.version().map(|policy| policy.version),
            limit: None,
            request,
        }
    }

    /// The answer to the call of `tool` with this JSON-RPC id.
    pub fn answer(&self, id: &Id, era: Era, tool: &str) -> Response {
        let body = if self.outcome == Outcome::Hidden {
            reply::unknown_tool(id, tool)
        } else {
            reply::tool_denied(id, era, &self.text(), &self.meta())
        };
        ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
    }

    fn text(&self) -> String {
        match self.outcome {
            Outcome::Pending => {
                format!("[POLICY DENIED] {} (needs approval; approvals are not available yet)", self.message)
            }
            _ => format!("[POLICY DENIED] {}", self.message),
        }
    }

    fn meta(&self) -> Value {
        let mut meta = json!({ "rule": self.rule, "requestId": self.request });
        if let Some(version) = self.policy_version {
            meta["policyVersion"] = version.into();
        }
        if let Some(limit) = &self.limit {
            meta["limit"] = json!({
                "max": units(limit.max),
                "used": units(limit.used),
                "resetsAt": limit.resets_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            });
        }
        meta
    }
}

/// Millionths as the number that the policy's author wrote.
fn units(micros: u64) -> Value {
    const ONE: u64 = 1_000_000;
    if micros.is_multiple_of(ONE) {
        return (micros / ONE).into();
    }
    #[expect(clippy::cast_precision_loss, reason = "shown, not counted with; amounts have at most 16 digits")]
    let units = micros as f64 / ONE as f64;
    units.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_as_they_were_written() {
        assert_eq!(units(10_000_000).to_string(), "10");
        assert_eq!(units(990_000).to_string(), "0.99");
        assert_eq!(units(0).to_string(), "0");
        assert_eq!(units(9_000_000_000_000_000).to_string(), "9000000000");
        assert_eq!(units(1).to_string(), "1e-6");
    }
}
