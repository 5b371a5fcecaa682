//! What a caller is told when the policy refuses: a tool result that the model can read, or an error. Of hidden tools it is told as
//! of [unknown](crate::unknown) ones.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use domain::{DecisionId, Outcome};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use ledger::Level;
use mcp::{Era, Id, Message, code, methods, reply};
use serde_json::{Value, json};

use crate::approval::Question;
use crate::directory::GrantView;
use crate::judge::{Ask, Subject};
use crate::refusal::Refusal;
use crate::state::Gateway;
use crate::unknown::{self, Asked};

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
    /// Seconds until it would fit.
    pub wait: Option<i64>,
    /// Seconds that a person has to lift it, where the rule says it.
    pub lives: Option<u64>,
    /// The question to a person, and where it can be answered.
    pub question: Option<(Question, String)>,
    /// No other call would fit either.
    pub of_all_calls: bool,
    pub request: DecisionId,
}

/// What is refused with an error.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refused {
    /// A call that wants a task.
    Call,
    /// A question about a task.
    Task,
    /// A method.
    Method,
}

impl Denial {
    pub fn new(view: &GrantView, request: DecisionId, outcome: Outcome, rule: &str, message: &str) -> Self {
        Self {
            outcome,
            rule: rule.to_owned(),
            message: message.to_owned(),
            policy_version: view.rules.version().map(|policy| policy.version),
            limit: None,
            wait: None,
            lives: None,
            question: None,
            of_all_calls: false,
            request,
        }
    }

    /// Of a call that a person must approve, for which they have so many seconds where the rule says it.
    pub fn pending(
        view: &GrantView,
        request: DecisionId,
        refusal: &policy::Refusal,
        lives: Option<u64>,
    ) -> Self {
        Self { lives, ..Self::new(view, request, Outcome::Pending, &refusal.rule, &refusal.message) }
    }

    /// The answer to a call with this JSON-RPC id.
    pub fn answer(&self, id: &Id, era: Era) -> Response {
        // Clients of the older revisions take this status for a broken session.
        if let (true, Era::Modern, Some(wait)) = (self.of_all_calls, era, self.wait) {
            return self.too_often(id, era, wait);
        }
        json(self.result_body(id, era))
    }

    /// The answer to a request that is not answered with a tool's result: a JSON-RPC error. To the grant, what is hidden is
    /// not there.
    pub fn error(&self, id: &Id, era: Era, refused: Refused) -> Response {
        let (status, body) = match refused {
            Refused::Task if self.outcome == Outcome::Hidden => {
                (StatusCode::OK, mcp::tasks::not_found(era, None).for_id(Some(id.clone())).body())
            }
            Refused::Task if let Some(wait) = self.wait => return self.too_often(id, era, wait),
            Refused::Call | Refused::Task => (StatusCode::OK, self.error_body(id, code::INVALID_PARAMS)),
            Refused::Method => (methods::status(era), self.error_body(id, code::METHOD_NOT_FOUND)),
        };
        (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
    }

    /// The answer to a client that may ask nothing more of this kind for a while.
    fn too_often(&self, id: &Id, era: Era, wait: i64) -> Response {
        let status = match era {
            Era::Modern => StatusCode::TOO_MANY_REQUESTS,
            Era::Legacy => StatusCode::OK,
        };
        let json = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let again = (RETRY_AFTER, HeaderValue::from(wait.max(1)));
        (status, [json, again], self.error_body(id, code::INTERNAL_ERROR)).into_response()
    }

    /// The answer to a client's answer that may not pass.
    pub fn withheld(&self) -> Response {
        let body = reply::denied(None, code::INVALID_REQUEST, &self.text(), &self.meta());
        let json = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        (StatusCode::BAD_REQUEST, json, body).into_response()
    }

    /// The same as the body of a message.
    pub fn error_body(&self, id: &Id, code: i32) -> Vec<u8> {
        reply::denied(Some(id), code, &self.text(), &self.meta())
    }

    /// The result of a call that may not go on.
    pub fn result_body(&self, id: &Id, era: Era) -> Vec<u8> {
        reply::tool_denied(id, era, &self.text(), &self.meta())
    }

    /// What the model reads.
    pub fn text(&self) -> String {
        if let Some((question, url)) = &self.question {
            return format!(
                "[PENDING APPROVAL] {}: pending approval {}. A person can approve it at {url} until {}. Call again with the same \
                 arguments once they have.",
                self.message,
                question.id,
                question.expires_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
            );
        }
        let wait = self.wait.map(|wait| format!(" (try again in {})", in_words(wait.max(1))));
        format!("[POLICY DENIED] {}{}", self.message, wait.unwrap_or_default())
    }

    fn meta(&self) -> Value {
        let mut meta = json!({ "rule": self.rule, "requestId": self.request });
        if let Some(version) = self.policy_version {
            meta["policyVersion"] = version.into();
        }
        if let Some((question, url)) = &self.question {
            meta["approval"] = json!({ "id": question.id, "url": url, "expiresAt": question.expires_at });
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

/// The answer to a request that the policy refused.
pub(crate) async fn answer(
    gateway: &Gateway,
    view: Option<&Arc<GrantView>>,
    denial: &Denial,
    (message, ask): (&Message<'_>, &Ask<'_>),
) -> Result<Response, Refusal> {
    let era = ask.version.era();
    let Message::Request(request) = message else { return Err(methods::refusal(era, message).into()) };
    if let (Some(view), Subject::Call(call)) = (view, ask.subject)
        && unknown::conceals(gateway, view, denial, call)
    {
        let asked = Asked { view, version: ask.version, session: ask.session, request, call };
        return Ok(unknown::answer(gateway, &asked).await);
    }
    let refused = match ask.subject {
        Subject::Call(call) if !call.task_augmented => return Ok(denial.answer(&request.id, era)),
        Subject::Call(_) => Refused::Call,
        // Of what passes without a rule, lists of tasks alone have a limit.
        Subject::Task(_) | Subject::Other => Refused::Task,
        _ => Refused::Method,
    };
    Ok(denial.error(&request.id, era, refused))
}

/// An answer of ours.
pub(crate) fn json(body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// Seconds in the unit that says enough, rounded up.
fn in_words(seconds: i64) -> String {
    let (unit, length) = match seconds {
        ..=120 => ("second", 1),
        121..=7_200 => ("minute", 60),
        7_201..=172_800 => ("hour", 3_600),
        _ => ("day", 86_400),
    };
    let count = (seconds + length - 1).div_euclid(length);
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
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
    fn a_wait_is_told_in_a_unit_that_says_enough_and_never_too_short() {
        for (seconds, said) in [
            (1, "1 second"),
            (120, "120 seconds"),
            (121, "3 minutes"),
            (7_200, "120 minutes"),
            (7_201, "3 hours"),
            (172_800, "48 hours"),
            (172_801, "3 days"),
        ] {
            assert_eq!(in_words(seconds), said);
        }
    }

    #[test]
    fn amounts_are_shown_as_they_were_written() {
        assert_eq!(units(10_000_000).to_string(), "10");
        assert_eq!(units(990_000).to_string(), "0.99");
        assert_eq!(units(0).to_string(), "0");
        assert_eq!(units(9_000_000_000_000_000).to_string(), "9000000000");
        assert_eq!(units(1).to_string(), "1e-6");
    }
}
