//! Reads the body of a POST.

use std::borrow::Cow;

use json::{Kind, Node, Object, Value};

use super::{ClientInfo, META_CLIENT, META_VERSION, Message, Notification, Request, Response, keys};
use crate::{Era, Id, Malformed, code, methods};

/// Nesting of arrays and objects that is still read.
pub const MAX_DEPTH: usize = 64;

/// The members of a message; the top level has no other.
#[derive(Default)]
struct Members<'a> {
    jsonrpc: Option<Value<'a>>,
    id: Option<Value<'a>>,
    method: Option<Value<'a>>,
    params: Option<Value<'a>>,
    result: Option<Value<'a>>,
    error: Option<Value<'a>>,
}

/// Reads the body of a POST.
///
/// # Errors
/// Anything that two readers could understand differently, or that is not one message: byte order mark, invalid UTF-8,
/// duplicate keys, look-alikes of known keys, nesting beyond [`MAX_DEPTH`], a batch (in 2025-03-26 too), an open top level,
/// an id that is neither text nor whole number, a request-only method without an id, a notification with one.
pub fn read(body: &[u8]) -> Result<Message<'_>, Malformed> {
    let value = json::parse(body, MAX_DEPTH).map_err(|error| unreadable(&error))?;
    match value.node {
        Node::Object(object) => message(Members::take(object)?),
        Node::Array(_) => {
            Err(Malformed::request("batch", "a batch: send each message in a request of its own"))
        }
        _ => Err(Malformed::request("no object", "not a message: send one JSON-RPC object")),
    }
}

fn message(members: Members<'_>) -> Result<Message<'_>, Malformed> {
    if members.jsonrpc.as_ref().and_then(Value::as_str) != Some("2.0") {
        return Err(Malformed::request("jsonrpc", "`jsonrpc` must be the text \"2.0\""));
    }
    let id = members.id.as_ref().map(|id| Id::read(id).ok_or_else(bad_id)).transpose()?;
    let outcome = match (members.result, members.error) {
        (None, None) => None,
        (Some(result), None) => Some(Ok(result)),
        (None, Some(error)) => Some(Err(error)),
        (Some(_), Some(_)) => return Err(ambiguous()),
    };
    match (members.method, outcome) {
        (Some(method), None) => call(method, id, members.params),
        (None, Some(outcome)) if members.params.is_none() => response(id, outcome).map(Message::Response),
        (None, None) => Err(Malformed::request("no method", "`method` is missing").for_id(id)),
        _ => Err(ambiguous()),
    }
}

/// A request or a notification.
fn call<'a>(method: Value<'a>, id: Option<Id>, params: Option<Value<'a>>) -> Result<Message<'a>, Malformed> {
    let Node::String(method) = method.node else {
        return Err(Malformed::request("method", "`method` must be a text").for_id(id));
    };
    check_params(params.as_ref()).map_err(|refused| refused.for_id(id.clone()))?;
    let in_meta = |key| params.as_ref().and_then(|params| params.get("_meta")?.get(key));
    let version = in_meta(META_VERSION)
        .map(|version| version.as_str().map(str::to_owned).ok_or_else(bad_version))
        .transpose()
        .map_err(|refused| refused.for_id(id.clone()))?;
    match id {
        None if methods::is_request(&method) => {
            let message = "this method needs an `id`: only notifications go without";
            Err(Malformed::request("request without id", message))
        }
        None => Ok(Message::Notification(Notification { method, params, protocol_version: version })),
        Some(id) if method.starts_with(methods::NOTIFICATIONS) => {
            Err(Malformed::request("notification with id", "a notification has no `id`: remove it")
                .for_id(Some(id)))
        }
        Some(id) => Ok(Message::Request(request(id, method, params, version))),
    }
}

/// A request. The one that names a version in `_meta` is modern; a handshake names its version and client in its
/// parameters.
fn request<'a>(
    id: Id,
    method: Cow<'a, str>,
    params: Option<Value<'a>>,
    version: Option<String>,
) -> Request<'a> {
    let request = Request { id, method, params, era: Era::Legacy, protocol_version: None, client: None };
    if version.is_some() {
        let client = request.meta(META_CLIENT).and_then(ClientInfo::read);
        Request { era: Era::Modern, protocol_version: version, client, ..request }
    } else if request.method == methods::INITIALIZE {
        let asked = request.param("protocolVersion").and_then(Value::as_str).map(str::to_owned);
        let client = request.param("clientInfo").and_then(ClientInfo::read);
        Request { protocol_version: asked, client, ..request }
    } else {
        request
    }
}

fn response<'a>(id: Option<Id>, outcome: Result<Value<'a>, Value<'a>>) -> Result<Response<'a>, Malformed> {
    let id =
        id.ok_or_else(|| Malformed::request("response without id", "a response needs the `id` it answers"))?;
    let (Ok(value) | Err(value)) = &outcome;
    if value.as_object().is_none() {
        return Err(Malformed::request("response", "`result` and `error` must be objects"));
    }
    Ok(Response { id, outcome })
}

fn check_params(params: Option<&Value<'_>>) -> Result<(), Malformed> {
    let Some(params) = params else { return Ok(()) };
    let params =
        params.as_object().ok_or_else(|| Malformed::params("params", "`params` must be an object"))?;
    check_keys(params, "params", keys::doubtful_param)?;
    let Some(meta) = params.get("_meta") else { return Ok(()) };
    let meta =
        meta.as_object().ok_or_else(|| Malformed::params("_meta", "`params._meta` must be an object"))?;
    check_keys(meta, "params._meta", keys::doubtful_meta)
}

fn check_keys(object: &Object<'_>, place: &str, doubtful: fn(&str) -> bool) -> Result<(), Malformed> {
    if object.members().iter().any(|member| doubtful(&member.key)) {
        let message =
            format!("`{place}` has a key that looks like one of the protocol: spell it as specified");
        return Err(Malformed::request("look-alike key", message));
    }
    Ok(())
}

impl<'a> Members<'a> {
    /// Closed: a key that is none of these, look-alikes included, is refused.
    fn take(object: Object<'a>) -> Result<Self, Malformed> {
        let mut members = Self::default();
        for member in object.into_members() {
            let place = match member.key.as_ref() {
                "jsonrpc" => &mut members.jsonrpc,
                "id" => &mut members.id,
                "method" => &mut members.method,
                "params" => &mut members.params,
                "result" => &mut members.result,
                "error" => &mut members.error,
                _ => {
                    let message = "a message has only the keys jsonrpc, id, method, params, result and error";
                    return Err(Malformed::request("unknown key", message));
                }
            };
            *place = Some(member.value);
        }
        Ok(members)
    }
}

/// What no parser reads is a parse error; what two parsers could read differently is refused as the policy language says
/// (policy-v1, The arguments themselves).
fn unreadable(error: &json::Error) -> Malformed {
    let (code, reason) = match error.kind {
        Kind::ByteOrderMark => (code::PARSE_ERROR, "byte order mark"),
        Kind::NotUtf8 => (code::PARSE_ERROR, "not utf-8"),
        Kind::TooDeep(_) => (code::INVALID_PARAMS, "too deep"),
        Kind::DuplicateKey => (code::INVALID_PARAMS, "duplicate key"),
        Kind::LoneSurrogate => (code::INVALID_PARAMS, "lone surrogate"),
        Kind::NumberRange => (code::INVALID_PARAMS, "number out of range"),
        _ => (code::PARSE_ERROR, "not json"),
    };
    Malformed::new(code, reason, error.to_string())
}

fn bad_id() -> Malformed {
    Malformed::request("id", "`id` must be a text or a whole number within 64 bits")
}

fn bad_version() -> Malformed {
    Malformed::params("version", format!("`params._meta[\"{META_VERSION}\"]` must be a text"))
}

fn ambiguous() -> Malformed {
    Malformed::request(
        "ambiguous",
        "a message is a call or an answer: `method`, or one of `result` and `error`",
    )
}
