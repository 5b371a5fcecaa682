//! Calls of stateless clients that an older server answers with questions. In the older revisions it asks while it works; in
//! 2026-07-28 the question is the answer, and the client calls again with what was asked for. So the call waits here
//! between its rounds, under a state that nobody can guess, for the same request alone.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use mcp::{Edits, Id, Request, json_text, state};
use tokio::time::Instant;
use vault::Entropy;

use crate::board::{Exchange, Question};
use crate::offer::Offer;
use crate::refusal::Refusal;
use crate::settings::random_text;
use crate::shared::Partner;

/// What a request has in one round and not in another.
const OF_A_ROUND: [&str; 3] = ["_meta", "inputResponses", "requestState"];

/// Whether the protocol lets this method be answered with questions.
pub(crate) fn may_ask(method: &str) -> bool {
    matches!(method, "tools/call" | "prompts/get" | "resources/read")
}

/// A call and all that its rounds have in common.
#[derive(Debug)]
pub(crate) struct Call {
    pub exchange: Exchange,
    pub partner: Partner,
    /// What the server wants to know and was not told.
    pub asked: Asked,
    /// What each round must be, less what rounds differ in.
    pub request: String,
    /// When its latest round began.
    pub since: Instant,
}

/// Questions that are not answered, by the names that their client knows them by.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    open: BTreeMap<String, Question>,
    given: usize,
}

/// The calls between their rounds, by the states that bring them back.
#[derive(Debug, Default)]
pub(crate) struct Rounds(Mutex<HashMap<String, Call>>);

impl Rounds {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a call until its next round; the answer to `id` that asks for that.
    pub fn park(&self, entropy: &Entropy, id: &Id, call: Call) -> Bytes {
        let state = random_text(entropy);
        let answer = call.asked.result(id, &state);
        self.lock().insert(state, call);
        answer
    }

    /// The call that a state brings back, once, for the same request that passes `check`; nothing if the state is none of
    /// ours. A request that does not pass was no round: the call waits on.
    pub fn take<T>(
        &self,
        state: &str,
        request: &str,
        check: impl FnOnce(&Call) -> Result<T, Refusal>,
    ) -> Result<Option<(Call, T)>, Refusal> {
        let mut parked = self.lock();
        let Some(call) = parked.get(state) else { return Ok(None) };
        if call.request != request {
            return Err(Refusal::StateUnknown);
        }
        let checked = check(call)?;
        Ok(parked.remove(state).map(|call| (call, checked)))
    }

    /// Gives up the calls whose clients have not come back for so long.
    pub fn end_idle(&self, long: Duration) {
        let before = self.lock().len();
        self.lock().retain(|_, call| call.since.elapsed() < long);
        let ended = before.saturating_sub(self.lock().len());
        if ended > 0 {
            tracing::info!(ended, "gave up calls whose clients did not answer what the server asked");
        }
    }

    /// Gives up all of them.
    pub fn end(&self) {
        self.lock().clear();
    }
}

/// What all rounds of a request have in common: its method, what its client offers, and its parameters.
pub(crate) fn common(request: &Request<'_>, offer: Offer) -> String {
    let mut text = format!("{} {offer:?}", request.method);
    let members = request.params.as_ref().and_then(json::Value::as_object).map(json::Object::members);
    let mut members: Vec<_> = members
        .unwrap_or_default()
        .iter()
        .filter(|member| !OF_A_ROUND.contains(&&*member.key))
        .map(|member| (&*member.key, member.value.canonical()))
        .collect();
    members.sort_unstable();
    for (key, value) in members {
        let _ = write!(text, "\n{}:{value}", json_text(key));
    }
    text
}

impl Asked {
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Adds a question under a name of its own.
    pub fn add(&mut self, question: Question) {
        self.given += 1;
        self.open.insert(format!("question-{}", self.given), question);
    }

    /// The answers that a request brings to what was asked, as lines for the server. What it leaves open stays open, and
    /// what nobody asked is left out.
    ///
    /// # Errors
    /// [`Refusal::Malformed`]: `inputResponses` or one of them is no object. Nothing is answered then.
    pub fn answers(&self, body: &[u8], request: &Request<'_>) -> Result<Vec<(String, Bytes)>, Refusal> {
        let Some(responses) = request.param("inputResponses").filter(|given| !given.is_null()) else {
            return Ok(Vec::new());
        };
        let responses = responses.as_object().ok_or_else(|| state::refused_responses(request))?;
        let mut lines = Vec::new();
        for (name, question) in &self.open {
            let Some(response) = responses.get(name) else { continue };
            if response.as_object().is_none() {
                return Err(state::refused_responses(request).into());
            }
            let mut line =
                format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":", question.id.to_json()).into_bytes();
            line.extend_from_slice(response.span.of(body));
            line.push(b'}');
            lines.push((name.clone(), crate::translate::single_line(line)));
        }
        Ok(lines)
    }

    /// A question is answered.
    pub fn close(&mut self, name: &str) {
        self.open.remove(name);
    }

    /// The answer that asks: everything that is open.
    pub fn result(&self, id: &Id, state: &str) -> Bytes {
        let requests = self.open.iter().filter_map(|(name, question)| {
            Some(format!("{}:{}", json_text(name), as_request(&question.line)?))
        });
        asking(id, &requests.collect::<Vec<_>>().join(","), Some(state))
    }
}

/// An answer that asks for `requests`, the members of an object.
pub(crate) fn asking(id: &Id, requests: &str, state: Option<&str>) -> Bytes {
    let state = state.map_or_else(String::new, |state| format!(",\"requestState\":{}", json_text(state)));
    let id = id.to_json();
    format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"resultType\":\"input_required\",\"inputRequests\":{{{requests}}}{state}}}}}"
    )
    .into()
}

/// A question as the newer revision puts it: its method and parameters, less what only the older have.
fn as_request(line: &[u8]) -> Option<String> {
    let message = json::parse(line, json::MAX_DEPTH).ok()?;
    let method = json_text(message.get("method")?.as_str()?);
    let Some(params) = message.get("params").filter(|params| params.as_object().is_some()) else {
        return Some(format!("{{\"method\":{method}}}"));
    };
    let mut edits = Edits::default();
    edits.retain_members(params, |name| !matches!(name, "_meta" | "task" | "elicitationId"));
    let edited = edits.apply(line);
    let text = edited.as_deref().unwrap_or(line);
    // The parameters in the edited text: it is a message still.
    let message = json::parse(text, json::MAX_DEPTH).ok()?;
    let params = String::from_utf8_lossy(message.get("params")?.span.of(text)).into_owned();
    Some(format!("{{\"method\":{method},\"params\":{params}}}"))
}

#[cfg(test)]
mod tests {
    use mcp::{Message, envelope};

    use super::*;

    fn with_request<T>(params: &str, act: impl FnOnce(&[u8], &Request<'_>) -> T) -> T {
        let body = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{{{params},\"_meta\":{{\
             \"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\
             \"io.modelcontextprotocol/clientCapabilities\":{{}}}}}}}}"
        );
        let Message::Request(request) = envelope::read(body.as_bytes()).unwrap() else { panic!("{body}") };
        act(body.as_bytes(), &request)
    }

    fn asked(lines: &[&'static str]) -> Asked {
        let mut asked = Asked::default();
        for line in lines {
            let id = json::parse(line.as_bytes(), 64).unwrap().get("id").and_then(Id::read).unwrap();
            asked.add(Question { id, line: Bytes::from_static(line.as_bytes()) });
        }
        asked
    }

    #[test]
    fn rounds_of_a_request_are_known_by_what_they_have_in_common() {
        let common = |params| with_request(params, |_, request| super::common(request, Offer::NONE));
        let first = common(r#""name":"x","arguments":{"a":1,"b":2}"#);
        assert_eq!(
            common(r#""requestState":"s","inputResponses":{},"arguments":{"b":2,"a":1},"name":"x""#),
            first
        );
        for other in [r#""name":"y","arguments":{"a":1,"b":2}"#, r#""name":"x","arguments":{"a":1,"b":3}"#] {
            assert_ne!(common(other), first, "{other}");
        }
    }

    #[test]
    fn a_question_becomes_a_request_for_input() {
        let asked = asked(&[
            r#"{"jsonrpc":"2.0","id":"e","method":"elicitation/create","params":{"mode":"url","elicitationId":"1","url":"https://x.example","message":"m","_meta":{"progressToken":1},"own":1.50}}"#,
            r#"{"jsonrpc":"2.0","id":0,"method":"roots/list"}"#,
        ]);
        let result = asked.result(&Id::Number(7), "s");
        assert_eq!(
            std::str::from_utf8(&result).unwrap(),
            r#"{"jsonrpc":"2.0","id":7,"result":{"resultType":"input_required","inputRequests":{"question-1":{"method":"elicitation/create","params":{"mode":"url","url":"https://x.example","message":"m","own":1.50}},"question-2":{"method":"roots/list"}},"requestState":"s"}}"#
        );
    }

    #[test]
    fn answers_go_to_what_was_asked() {
        let mut asked = asked(&[
            r#"{"jsonrpc":"2.0","id":"e","method":"elicitation/create","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":0,"method":"roots/list"}"#,
        ]);
        let given = r#""name":"x","inputResponses":{"question-1":{"action":"accept","content":{"n":1.50}},"other":{}}"#;
        let lines = with_request(given, |body, request| asked.answers(body, request)).unwrap();
        assert_eq!(
            lines,
            [(
                "question-1".to_owned(),
                "{\"jsonrpc\":\"2.0\",\"id\":\"e\",\"result\":{\"action\":\"accept\",\"content\":{\"n\":1.50}}}\n".into()
            )]
        );
        asked.close("question-1");
        assert!(!asked.is_empty());
        for wrong in
            [r#""name":"x","inputResponses":[]"#, r#""name":"x","inputResponses":{"question-2":true}"#]
        {
            assert!(with_request(wrong, |body, request| asked.answers(body, request)).is_err(), "{wrong}");
        }
    }
}
