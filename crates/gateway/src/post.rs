//! A POST: one message, understood strictly, judged, forwarded as the very bytes that were judged.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use domain::{Outcome, Surface};
use http::{HeaderMap, Method, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use mcp::{
    Era, Malformed, Message, Outgoing, Rule, TaskMethod, ToolCall, Version, envelope, headers, listen,
    methods,
};

use crate::approval::handle;
use crate::approval::waiting::Waiting;
use crate::arrival::Arrival;
use crate::asked;
use crate::caller;
use crate::denial;
use crate::directory::{Found, GrantView};
use crate::http::note_refusal;
use crate::in_flight::Seat;
use crate::judge::{Ask, Subject};
use crate::permit::{self, Ruling};
use crate::record;
use crate::refusal::Refusal;
use crate::relay::{self, Reply};
use crate::sessions::{self, Session};
use crate::state::GatewayState;
use crate::tasks::{self, Named};
use crate::trace;
use crate::unknown::{self, Asked};
use crate::upstream::{self, Outbound};

/// Bytes of a request's body.
pub(crate) const MAX_BODY: usize = 4 * 1024 * 1024;

/// Answers a POST of a known caller.
pub(crate) async fn post(
    gateway: &GatewayState,
    arrival: &mut Arrival,
    mut found: Found,
    head: &HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    headers::check_content(head)?;
    let body = read_body(head, body).await?;
    arrival.request_bytes = Some(body.len() as u64);
    let message = envelope::read(&body)?;
    note(arrival, &message);
    trace::of_message(gateway, arrival, &message);
    let session = session_of(gateway, &found, head, &message);
    let settled = session.as_ref().ok().and_then(Option::as_ref).map(|session| session.version);
    let version = headers::check(head, &message, settled)?;
    arrival.version = Some(version);
    // Sessions are of the legacy era: what a modern request says of one counts for nothing.
    let session = if version.era() == Era::Legacy { session? } else { None };
    let client = client_of(&message, session.as_ref());
    arrival.client.clone_from(&client);
    let mut rule = methods::rule(version.era(), &message, &found.view.target.custom_methods);
    if rule == Rule::Refuse && found.remembered {
        // The method may have been let in since.
        found = caller::read_anew(gateway, arrival, found).await?;
        rule = methods::rule(version.era(), &message, &found.view.target.custom_methods);
    }
    if rule == Rule::Refuse {
        return Err(methods::refusal(version.era(), &message).into());
    }
    let answered = asked::answered(gateway, &found.view, session.as_ref(), &message).await?;
    let seat = Seat::take(gateway, &found.view, session.as_ref(), &message)?;
    let call = read_call(gateway, arrival, &found, (rule, &message))?;
    if let (Message::Request(request), Some(call)) = (&message, &call) {
        let of = (head, session.as_ref(), version);
        found = match against_tools(gateway, arrival, found, of, (request, call)).await? {
            Ok(found) => found,
            Err(response) => return Ok(response),
        };
    }
    let tasks = tasks::named_by(gateway, &found.view, &message, (rule, version.era()))?;
    if arrival.tool.is_none() {
        arrival.tool.clone_from(&tasks.tool);
    }
    let subject = match &answered {
        Some(answered) => answered.subject(&found.view),
        None => subject(&message, rule, call.as_ref(), tasks.tool.as_deref()),
    };
    let mut ask = Ask {
        session: session.as_ref(),
        client: client.as_ref(),
        poll: tasks::poll(gateway, rule, &tasks),
        ours: tasks.approval.is_some(),
        ..Ask::new(subject, version)
    };
    let mut reply = Reply::to(&message, rule, &ask, arrival).about(&tasks.names);
    let brought = reply.brought(gateway, &found.view, &message).await?;
    (ask.answers, ask.approved) = (brought.answers, brought.approved);
    let permit = match permit::obtain(gateway, arrival, found, &ask).await? {
        Ruling::Permit(permit) => permit,
        Ruling::Ours(view) => return of_handle(gateway, &view, &message, (rule, &tasks)).await,
        Ruling::Denial(denial)
            if denial.outcome == Outcome::Pending
                && let (Some(call), Some(view)) = (&call, &arrival.view)
                && !unknown::conceals(gateway, view, &denial, call) =>
        {
            let waiting = Waiting { gateway, message: &message, ask: &ask, reply: &reply, brought: &brought };
            match waiting.wait(arrival, denial).await? {
                Ok(permit) => permit,
                Err(response) => return Ok(response),
            }
        }
        Ruling::Denial(denial) => match (&answered, &arrival.view) {
            (Some(answered), Some(view)) => return answered.withhold(gateway, view, &ask, &denial).await,
            _ => return denial::answer(gateway, arrival.view.as_ref(), &denial, (&message, &ask)).await,
        },
    };
    reply.approved_by(permit.approval());
    if let Some(answered) = &answered
        && !answered.question.end(gateway, permit.view()).await?
    {
        return Err(asked::unasked());
    }
    let mut headers = headers::to_upstream(head, version);
    let trace = trace::pass_on(arrival, &mut headers);
    // It is for the streams of a GET.
    headers.remove(headers::LAST_EVENT_ID);
    if let (Rule::Task(_), Some(upstream)) = (rule, tasks.names.values().next()) {
        headers::rename(&mut headers, upstream);
    }
    let (state, asked) = (brought.state(), brought.asked.as_deref());
    let (open, tasks, trace) = (permit.view().surfaces, &tasks.names, trace.as_deref());
    let outgoing = Outgoing { open, state, asked, tasks, trace };
    let outbound = Outbound {
        method: Method::POST,
        headers,
        session: session.as_ref(),
        body: match mcp::upstream_body(&body, &message, &outgoing) {
            Cow::Borrowed(_) => body.clone(),
            Cow::Owned(rewritten) => rewritten.into(),
        },
        expected: reply.expected(),
    };
    let mut answer = upstream::forward(gateway, permit, outbound).await?;
    answer.call.sits(seat);
    relay::relay(gateway, answer, reply).await
}

/// The answer to a question about a handle of ours.
async fn of_handle(
    gateway: &GatewayState,
    view: &Arc<GrantView>,
    message: &Message<'_>,
    (rule, tasks): (Rule, &Named),
) -> Result<Response, Refusal> {
    match (message, rule, tasks.approval) {
        (Message::Request(request), Rule::Task(method), Some(approval)) => {
            handle::answer(gateway, view, request, (method, approval)).await
        }
        _ => Err(Refusal::Internal),
    }
}

/// What the policy is asked about.
fn subject<'a>(
    message: &'a Message<'a>,
    rule: Rule,
    call: Option<&'a ToolCall<'a>>,
    tool: Option<&'a str>,
) -> Subject<'a> {
    match (rule, call, tool) {
        (Rule::Judge, Some(call), _) => Subject::Call(call),
        (Rule::Surface(surface), ..) => Subject::Surface(surface),
        // Who may no longer call the tool may still end what it does.
        (Rule::Task(TaskMethod::Cancel), ..) => Subject::Other,
        (Rule::Task(_), _, Some(tool)) => Subject::Task(tool),
        (Rule::Custom, ..) => Subject::Custom(match message {
            Message::Request(request) => &request.method,
            Message::Notification(notification) => &notification.method,
            // No answer is a method.
            Message::Response(_) => "",
        }),
        _ => Subject::Other,
    }
}

/// Notes what the log shows of a message, before it is known whether it may pass.
fn note(arrival: &mut Arrival, message: &Message<'_>) {
    match message {
        Message::Request(request) => {
            arrival.rpc_id = Some(request.id.clone());
            arrival.method = Some(request.method.chars().take(128).collect());
        }
        Message::Notification(notification) => {
            arrival.method = Some(notification.method.chars().take(128).collect());
        }
        Message::Response(_) => arrival.method = Some("response".to_owned()),
    }
}

/// The session that the request names. Whether that matters depends on the era, which is known later.
fn session_of(
    gateway: &GatewayState,
    found: &Found,
    head: &HeaderMap,
    message: &Message<'_>,
) -> Result<Option<Session>, sessions::Unknown> {
    match message {
        Message::Request(request) if request.era == Era::Modern || request.method == "initialize" => Ok(None),
        _ => sessions::presented(gateway, &found.view, head),
    }
}

/// Who says it calls: in the message itself, or in the handshake of its session.
fn client_of(message: &Message<'_>, session: Option<&Session>) -> Option<mcp::ClientInfo> {
    let named = match message {
        Message::Request(request) => request.client.clone(),
        Message::Notification(_) | Message::Response(_) => None,
    };
    named.or_else(|| session.and_then(|session| session.client.clone()))
}

/// Reads the call in a `tools/call`, and the filter of a `subscriptions/listen`.
fn read_call<'a>(
    gateway: &GatewayState,
    arrival: &mut Arrival,
    found: &Found,
    (rule, message): (Rule, &'a Message<'a>),
) -> Result<Option<ToolCall<'a>>, Refusal> {
    let Message::Request(request) = message else { return Ok(None) };
    match rule {
        Rule::Judge => {}
        Rule::Surface(Surface::Prompts) => {
            let noted = |arguments| record::arguments(&gateway.parts.keyring, found.view.tenant, arguments);
            arrival.arguments = request.param("arguments").map(noted);
            return Ok(None);
        }
        Rule::Listen => return Ok(listen::check(request).map(|()| None)?),
        _ => return Ok(None),
    }
    let call = ToolCall::read(request)?;
    arrival.tool = Some(call.name.chars().take(256).collect());
    let noted = |arguments| record::arguments(&gateway.parts.keyring, found.view.tenant, arguments);
    arrival.arguments = call.arguments.map(noted);
    Ok(Some(call))
}

/// Holds a call against the tools of the server, which are read anew where it does not fit those that are remembered; the answer, if it names
/// none of them and could be taken for one.
async fn against_tools(
    gateway: &GatewayState,
    arrival: &mut Arrival,
    mut found: Found,
    (head, session, version): (&HeaderMap, Option<&Session>, Version),
    (request, call): (&mcp::Request<'_>, &ToolCall<'_>),
) -> Result<Result<Found, Response>, Refusal> {
    if check_tool(gateway, &found, head, request, call).is_ok() {
        return Ok(Ok(found));
    }
    if found.remembered {
        // The tool may be another since.
        found = caller::read_anew(gateway, arrival, found).await?;
    }
    let Err(refused) = check_tool(gateway, &found, head, request, call) else { return Ok(Ok(found)) };
    if !resembles(gateway, &found, call) {
        return Err(refused.into());
    }
    note_refusal(gateway, arrival, &refused.into()).await;
    let asked = Asked { view: &found.view, version, session, request, call };
    Ok(Err(unknown::answer(gateway, &asked).await))
}

/// Holds a call against the tools that the server lists: it names none that only looks like one of them, and, in the modern era,
/// its headers mirror the arguments that the tool wants mirrored.
fn check_tool(
    gateway: &GatewayState,
    found: &Found,
    head: &HeaderMap,
    request: &mcp::Request<'_>,
    call: &ToolCall<'_>,
) -> Result<(), Malformed> {
    if resembles(gateway, found, call) {
        return Err(call.unknown(request));
    }
    match found.view.target.tools.get(call.name).filter(|_| request.era == Era::Modern) {
        Some(tool) => tool
            .headers()
            .check(head, call)
            .map_err(|refused| Malformed { id: Some(request.id.clone()), ..refused }),
        None => Ok(()),
    }
}

/// Whether a call names what only looks like a tool of the server's. Whether there is one like it may be none of the caller's business.
fn resembles(gateway: &GatewayState, found: &Found, call: &ToolCall<'_>) -> bool {
    found.view.target.tools.resembles(call.name) && !gateway.listed.has(&found.view, call.name)
}

async fn read_body(head: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
    let declared =
        head.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(Refusal::TooLarge);
    }
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        Err(_) => Err(Refusal::Interrupted),
    }
}

impl From<sessions::Unknown> for Refusal {
    fn from(_: sessions::Unknown) -> Self {
        Self::SessionUnknown
    }
}
