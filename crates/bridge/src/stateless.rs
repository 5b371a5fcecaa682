//! A request of 2026-07-28: put to a process, and answered as JSON or as a stream; in rounds where an older server asks back.

use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, StatusCode};
use mcp::{Id, Request, code, state};
use tokio::time::Instant;
use vault::Entropy;

use crate::board::Said;
use crate::governor::Governor;
use crate::offer::Offer;
use crate::refusal::Refusal;
use crate::reply::{SOON, as_json, event, events, original, streams};
use crate::rounds::{Asked, Call, Rounds, common, may_ask};
use crate::settings::Settings;
use crate::shared::{Dialect, Shared};
use crate::translate::{self, Answer};

/// What serves the stateless.
pub(crate) struct Stateless {
    pub shared: Shared,
    pub rounds: Arc<Rounds>,
    pub entropy: Entropy,
}

/// A request that is put to the server, and what becomes of its answer.
struct Reply {
    /// Until it waits for its next round.
    call: Option<Call>,
    /// Of the request, as its sender knows it.
    id: Id,
    /// Its answer lists tools.
    lists: bool,
    /// How the answer is translated; none: it passes as it is.
    translate: Option<Answer>,
    offer: Offer,
    rounds: Arc<Rounds>,
    entropy: Entropy,
}

/// What comes next of a reply.
enum Next {
    Note(Bytes),
    Answer(Bytes),
}

impl Stateless {
    /// Answers a request.
    pub async fn serve(
        &self,
        settings: &Settings,
        governor: &Arc<Governor>,
        head: &HeaderMap,
        body: &Bytes,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let offer = Offer::read(request);
        if let Some(reply) = self.next_round(head, body, request, offer).await? {
            return Ok(reply.response(streams(head)).await);
        }
        let asks = may_ask(&request.method);
        let (partner, turn) = self.shared.partner(settings, governor, offer, asks).await?;
        let translate = match &partner.dialect {
            Dialect::Modern => None,
            Dialect::Legacy(introduction) if request.method == "server/discover" => {
                return Ok(json(introduction.discovered(&request.id)));
            }
            Dialect::Legacy(_) => Some(translatable(request)?),
        };
        partner.check(head, request)?;
        let write = |key: &Id| translate::line(body, request, key, translate.is_some());
        let exchange = partner.board.ask(original(request), turn, write).await?;
        let (asked, since) = (Asked::default(), Instant::now());
        let call = Call { exchange, partner, asked, request: common(request, offer), since };
        Ok(self.reply(request, offer, call, translate).response(streams(head)).await)
    }

    /// The call that this is a further round of, told what it brings.
    async fn next_round(
        &self,
        head: &HeaderMap,
        body: &Bytes,
        request: &Request<'_>,
        offer: Offer,
    ) -> Result<Option<Reply>, Refusal> {
        let Some(brought) = state::brought(request)? else { return Ok(None) };
        let taken = self.rounds.take(brought, &common(request, offer), |call| {
            call.partner.check(head, request)?;
            call.asked.answers(body, request)
        })?;
        let Some((mut call, answers)) = taken else { return Ok(None) };
        call.since = Instant::now();
        call.exchange.take_over(original(request));
        for (name, line) in answers {
            call.exchange.tell(line).await?;
            call.asked.close(&name);
        }
        Ok(Some(self.reply(request, offer, call, translate::passes(&request.method))))
    }

    fn reply(&self, request: &Request<'_>, offer: Offer, call: Call, translate: Option<Answer>) -> Reply {
        Reply {
            call: Some(call),
            id: request.id.clone(),
            lists: request.method == "tools/list",
            translate,
            offer,
            rounds: Arc::clone(&self.rounds),
            entropy: self.entropy.clone(),
        }
    }
}

/// How the answer of an older server is translated, if the request can be put to it.
fn translatable(request: &Request<'_>) -> Result<Answer, Refusal> {
    let answer = translate::passes(&request.method).ok_or(Refusal::NotPassed)?;
    if state::brought(request)?.is_some() {
        return Err(Refusal::StateUnknown);
    }
    let responses = request.param("inputResponses").and_then(json::Value::as_object);
    let declined = responses.into_iter().flat_map(json::Object::members).any(|response| {
        let action = response.value.get("action").and_then(json::Value::as_str);
        action.is_some_and(|action| action != "accept")
    });
    if declined { Err(Refusal::Declined) } else { Ok(answer) }
}

impl Reply {
    /// Waits for what comes first, and answers with that or with a stream.
    async fn response(mut self, streams: bool) -> Response {
        if !streams {
            loop {
                if let Next::Answer(line) = self.next().await {
                    return json(line);
                }
            }
        }
        match tokio::time::timeout(SOON, self.next()).await {
            Ok(Next::Answer(line)) => json(line),
            Ok(Next::Note(line)) => self.stream(Some(line)),
            Err(_) => self.stream(None),
        }
    }

    /// What the server says next. What it said before its answer comes before it.
    async fn next(&mut self) -> Next {
        loop {
            if let Some(call) = self.call.take_if(|call| !call.asked.is_empty()) {
                return Next::Answer(self.rounds.park(&self.entropy, &self.id, call));
            }
            let Some(call) = &mut self.call else {
                return Next::Answer(Refusal::StateUnknown.body(Some(&self.id)).into());
            };
            match call.exchange.next().await {
                // An older server writes its log to everybody; the newer revision has whoever wants it say so.
                Said::Note(note)
                    if self.translate.is_none()
                        || (translate::is_progress(&note) && call.exchange.hears_progress()) =>
                {
                    return Next::Note(note);
                }
                Said::Note(_) => {}
                Said::Question(question) => {
                    call.asked.add(question);
                    while let Some(question) = call.exchange.asked_too() {
                        call.asked.add(question);
                    }
                }
                Said::Answer(line) => {
                    if self.lists {
                        call.partner.learn(&line);
                    }
                    return Next::Answer(self.translated(line));
                }
                Said::End(over) => return Next::Answer(Refusal::from(over).body(Some(&self.id)).into()),
            }
        }
    }

    fn translated(&self, line: Bytes) -> Bytes {
        let Some(kind) = self.translate else { return line };
        let pages = translate::pages(&line, &self.id, self.offer);
        pages.unwrap_or_else(|| translate::answer(&line, kind))
    }

    fn stream(self, first: Option<Bytes>) -> Response {
        let rest = stream::unfold(Some(self), async |reply| {
            let mut reply = reply?;
            match reply.next().await {
                Next::Note(line) => Some((line, Some(reply))),
                Next::Answer(line) => Some((line, None)),
            }
        });
        events(stream::iter(first).chain(rest).map(|line| event(&line)))
    }
}

/// An answer with the status that the newer revision wants beside some errors.
fn json(line: Bytes) -> Response {
    let message: serde_json::Value = serde_json::from_slice(&line).unwrap_or_default();
    let status = match message["error"]["code"].as_i64().and_then(|code| i32::try_from(code).ok()) {
        Some(code::METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        Some(code::HEADER_MISMATCH | code::MISSING_CLIENT_CAPABILITY | code::UNSUPPORTED_VERSION) => {
            StatusCode::BAD_REQUEST
        }
        _ => StatusCode::OK,
    };
    (status, as_json(line)).into_response()
}
